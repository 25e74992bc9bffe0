"""Pictures of one channel as they are stored, and the decibels that their levels stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Reason
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.work import Work

Levels = npt.NDArray[np.uint8]
"""H x W."""

LEAST_SIDE = 16
_MOST_COLOUR = 2.0
"""Levels by which the channels of a picture of one band may differ on average: more is a colour picture."""
_DB = "db"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """Decibels of the ends of an 8-bit scale."""

    low_db: float
    high_db: float

    @property
    def extent_db(self) -> float:
        """From end to end."""
        return self.high_db - self.low_db


def read_levels(entry: Entry, work: Work, least_side: int = LEAST_SIDE) -> Levels | None:
    """Levels of a picture; None, and on record as refused, where it cannot be used."""
    try:
        return _read(entry, least_side)
    except RecordError as error:
        refuse(entry, error, work)
        return None


def refuse(entry: Entry, error: RecordError, work: Work) -> None:
    """Put a picture on record as refused."""
    work.refuse(entry.shown, error.reason, error.detail)


def find_scale(entry: Entry, clip_db: tuple[float, float] | None) -> Scale | None:
    """What the record of a picture says of its levels, else what the recipe says; None where neither does.

    Raises:
        RecordError: its levels are no decibels, such as those of uncalibrated amplitude, and the recipe says nothing.

    """
    stretch = entry.facts.get("stretch")
    if isinstance(stretch, dict) and stretch.get("method") == _DB:
        return Scale(low_db=float(stretch["low"][0]), high_db=float(stretch["high"][0]))
    if clip_db is not None:
        return Scale(low_db=clip_db[0], high_db=clip_db[1])
    if isinstance(stretch, dict):
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"decibels were wanted, got levels of a stretch by {stretch.get('method')!r}, of no known scale",
        )
    return None


def make_scale_error(name: str) -> UsageError:
    """What is said where nothing tells the scale of a set."""
    return UsageError(
        f"{name}: its pictures do not say which decibels their levels stand for: set `clip_db`, such as [-25, 0]."
    )


def _read(entry: Entry, least_side: int) -> Levels:
    valid_share = entry.facts.get("valid_share")
    if valid_share is not None and valid_share < 1:
        raise RecordError(
            Reason.TOO_LITTLE_VALID,
            f"data everywhere was wanted, got {valid_share:.1%}: pixels without count as dark ground",
        )
    try:
        picture = entry.shown.read()
    except OSError as error:
        raise RecordError(Reason.UNREADABLE, f"the system says {error}") from error
    if min(picture.shape[:2]) < least_side:
        raise RecordError(
            Reason.TOO_SMALL,
            f"{least_side} pixels each way were wanted, got {picture.shape[1]} x {picture.shape[0]}",
        )
    colour = np.ptp(picture, axis=2)
    if float(colour.mean()) > _MOST_COLOUR:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"one band was wanted, got colours whose channels differ by {colour.mean():.1f} levels on average",
        )
    return picture[:, :, 0] if not colour.any() else np.rint(picture.mean(axis=2)).astype(np.uint8)
