"""The error tree.

    EarthloomError
    ├── RecipeError        the recipe is wrong; carries every fault with its place and remedy  (exit status 2)
    ├── UsageError         the call is wrong: a folder that is no release, a missing extra     (exit status 2)
    └── RunError           the work failed                                                    (exit status 1)
        ├── WriteError     the output could not be written: full disk, no permission
        ├── LockedError    another run holds the same work folder
        ├── StoppedError   the run was asked to stop (Ctrl-C) and did so cleanly
        └── AccountError   a stage's counts do not add up: a bug in earthloom

A record that is not good enough is no exception: see `earthloom.core.records.Refused`.
Inside a stage, `RecordError` carries the reason for which one record is refused; the runner turns it into data
and it never leaves a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from earthloom.core.records import Reason


class EarthloomError(Exception):
    """Root of every error that earthloom raises on purpose."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong with a recipe."""

    place: str
    """Dotted path of the field, such as `sources[0].bands.rgb`."""
    problem: str
    """What was wanted and what was got."""
    remedy: str
    """What to write instead."""
    line: int | None = None
    """Line in the recipe file, from 1; None where the recipe is no file."""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        return f"{where}{self.place}: {self.problem} {self.remedy}".rstrip()


class RecipeError(EarthloomError):
    """A recipe that cannot be run; `faults` holds all that is wrong with it."""

    def __init__(self, faults: list[Fault], *, recipe: str = "recipe") -> None:
        self.faults = tuple(faults)
        self.recipe = recipe
        n = len(faults)
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"{recipe} has {n} fault{'s' if n != 1 else ''}:\n{lines}")


class UsageError(EarthloomError):
    """The call asks for something that cannot be: the message names the remedy."""


class RunError(EarthloomError):
    """The work failed; what was finished stays and a later run goes on from there."""


class WriteError(RunError):
    """Output could not be written."""


class LockedError(RunError):
    """Another process works on the same folder."""


class StoppedError(RunError):
    """The run stopped because it was asked to."""


class AccountError(RunError):
    """The counts of a stage do not add up."""


class RecordError(Exception):
    """One record cannot be used. Raised inside a stage, turned into `Refused` by the runner."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
