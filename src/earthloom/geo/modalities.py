"""Words for kinds of measurement: one spelling each, and the three that pixels of a tile can be.

The rows stand in `tables/modalities.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from earthloom.core.records import Modality
from earthloom.geo.words import Lexicon, read_table


@dataclass(frozen=True, kw_only=True, slots=True)
class ModalityWord:
    """A kind of measurement as people write it."""

    name: str
    """Canonical spelling."""
    modality: Modality | None = None
    """What the pixels of a tile are; None for all that tiles cannot be: `hyperspectral`, `lidar`."""
    synonyms: tuple[str, ...] = ()
    """Other spellings, beyond what folding makes alike."""


def find_modality(word: str) -> ModalityWord | None:
    """Look a kind of measurement up: `SAR` and `Synthetic Aperture Radar (SAR)` are one."""
    return _lexicon().find(word)


@cache
def list_modalities() -> tuple[ModalityWord, ...]:
    """List the vocabulary."""
    return tuple(
        ModalityWord(
            name=name,
            modality=Modality(row["modality"]) if "modality" in row else None,
            synonyms=tuple(row.get("synonyms", ())),
        )
        for name, row in read_table("modalities").items()
        if isinstance(row, dict)
    )


def name_modality(word: str) -> str:
    """Give the canonical spelling; the word as it is when the vocabulary lacks it."""
    found = find_modality(word)
    return word if found is None else found.name


@cache
def _lexicon() -> Lexicon[ModalityWord]:
    return Lexicon((entry, (entry.name, *entry.synonyms)) for entry in list_modalities())
