"""What a picture shows, or was asked to show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.sets import Entry

Name = Literal["class", "scene", "severity", "modality"]
NAMES: tuple[Name, ...] = ("class", "scene", "severity", "modality")
"""Traits that are names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """What is known of a picture, or of what was asked for. Unknown is None."""

    label: str | None = None
    """Class of the whole picture."""
    scene: str | None = None
    """Weather or light; `clear` for none."""
    severity: str | None = None
    """Of the weather, with its name, such as `heavy fog`; None for clear pictures."""
    modality: str | None = None
    gsd_m: float | None = None
    """Metres from one pixel to the next, where the picture has as many as its record says."""

    def name(self, trait: Name) -> str | None:
        """One of the names."""
        told = {
            "class": self.label,
            "scene": self.scene,
            "severity": self.severity,
            "modality": self.modality,
        }
        return told[trait]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sample:
    """Pictures as features, with what each shows or was asked to show."""

    features: npt.NDArray[np.float64]
    """N x D."""
    traits: tuple[Traits, ...]
    groups: tuple[str, ...]
    """What must stay together: the ground of a real picture, the prompt of a generated one."""

    def take(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Sample:
        """Some of the pictures."""
        return Sample(
            features=self.features[np.asarray(rows, np.int64)],
            traits=tuple(self.traits[row] for row in rows),
            groups=tuple(self.groups[row] for row in rows),
        )


def read_traits(entry: Entry, side: int | None = None) -> Traits:
    """What a picture shows by its record.

    Args:
        entry: of a folder or a release.
        side: shorter side, pixels, that it is brought to before it is looked at: the distance grows with it.

    """
    effect = entry.shown.effect
    severity = None if effect is None else f"{effect.severity} {effect.name}"
    factor = _find_factor(entry.facts, side)
    return Traits(
        label=entry.label,
        scene=entry.scene,
        severity=severity,
        modality=entry.modality,
        gsd_m=None if entry.gsd_m is None else entry.gsd_m * factor,
    )


def find_asked(entry: Entry, pairs: Mapping[str, Entry], side: int | None = None) -> Traits:
    """What a generated picture was asked to show.

    What its generator was told goes before what is on record of the pair whose caption it was drawn from. A distance
    that it was told just as the record has it is one of the record's pixels, of which a generated picture may have
    fewer.

    Args:
        entry: generated.
        pairs: of the release that prompts came from, by key; may be empty.
        side: shorter side, pixels, at which pictures are looked at.

    """
    own, pair = read_traits(entry, side), pairs.get(entry.prompt_key or "")
    if pair is None:
        return own
    record = read_traits(pair, side)
    is_own = entry.gsd_m not in {None, pair.gsd_m}
    return Traits(
        label=own.label or record.label,
        scene=own.scene or record.scene,
        severity=record.severity if own.scene in {None, record.scene} else None,
        modality=own.modality or record.modality,
        gsd_m=own.gsd_m if is_own or record.gsd_m is None else record.gsd_m,
    )


def match_names(wanted: Sequence[str | None], known: Sequence[str]) -> list[str | None]:
    """Wanted names as they are known, however they are spelt: `SeaLake`, `sea_lake`, `Sea Lake`; None for others."""
    spelt = {spell_plainly(name): name for name in known}
    return [None if name is None else spelt.get(spell_plainly(name)) for name in wanted]


def spell_plainly(name: str) -> str:
    """Letters and digits of a name, without case."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def count_octaves(gsd_m: float | None) -> float:
    """Logarithm to the base 2 of a distance in metres; NaN where it is not known."""
    return math.nan if gsd_m is None or not gsd_m > 0 else math.log2(gsd_m)


def list_octaves(traits: Sequence[Traits]) -> npt.NDArray[np.float64]:
    """N, `count_octaves` of each."""
    return np.array([count_octaves(each.gsd_m) for each in traits], np.float64)


def list_names(traits: Sequence[Traits], trait: Name) -> list[str | None]:
    """N, one name of each."""
    return [each.name(trait) for each in traits]


def _find_factor(facts: Mapping[str, Any], side: int | None) -> float:
    """How many pixels of a record become one, where its picture is brought to fewer; 1 where it is not."""
    width, height = facts.get("width"), facts.get("height")
    if side is None or not width or not height:
        return 1.0
    return max(1.0, float(min(width, height)) / side)
