"""Texts that came with an image, as a place to look words and numbers up: untrusted, and never obeyed.

All that a text can do is back a name, a date or a number that stands in it literally.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

MAX_LETTERS = 1_000_000
"""How much of an image's texts is looked at; what lies beyond backs nothing."""
_MAX_HITS = 200
"""How many places of a phrase in a text are looked at."""
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SPACES = re.compile(r"[\s\-‐‑]*")


@dataclass(frozen=True, slots=True)
class Sources:
    """The texts of one image, in lower case and with single spaces."""

    texts: tuple[str, ...] = ()

    def has(self, phrase: str) -> bool:
        """Tell whether a phrase stands in a text, as whole words, whatever the case."""
        return next(self._find(" ".join(phrase.lower().split())), None) is not None

    def has_number(self, number: str, units: Sequence[str] = ()) -> bool:
        """Tell whether a number stands in a text, before one of some units where there are any."""
        if not units:
            return self.has(number)
        return any(_follows(text, stop, units) for text, stop in self._find(number))

    def _find(self, phrase: str) -> Iterator[tuple[str, int]]:
        """Give the texts that hold a phrase and where it ends there; letters and digits may not touch its ends."""
        if not phrase:
            return
        for text in self.texts:
            start = text.find(phrase)
            for _ in range(_MAX_HITS):
                if start < 0:
                    break
                stop = start + len(phrase)
                if _stands_alone(text, start, stop):
                    yield text, stop
                start = text.find(phrase, start + 1)


def read_sources(texts: Sequence[str]) -> Sources:
    """Prepare texts, up to `MAX_LETTERS` in all."""
    rest = MAX_LETTERS
    kept = []
    for text in texts:
        kept.append(_fold(text[:rest]))
        rest -= min(len(text), rest)
    return Sources(tuple(text for text in kept if text))


@lru_cache(maxsize=16)
def _fold(text: str) -> str:
    """Long dashes stand between words, as spaces do; the minus is a hyphen."""
    text = text.lower().replace("−", "-").replace("–", " ").replace("—", " ")
    return _THOUSANDS.sub("", " ".join(text.split()))


def _stands_alone(text: str, start: int, stop: int) -> bool:
    before, after = text[max(start - 2, 0) : start], text[stop : stop + 2]
    if before[-1:].isalnum() or (before[-1:] in {".", ","} and before[:1].isdecimal()):
        return False
    is_number = text[stop - 1].isdecimal()
    if after[:1].isalpha() and is_number:
        return True
    return not (after[:1].isalnum() or (is_number and after[:1] in {".", ","} and after[1:].isdecimal()))


def _follows(text: str, stop: int, units: Sequence[str]) -> bool:
    gap = _SPACES.match(text, stop)
    start = gap.end() if gap is not None else stop
    return any(
        text.startswith(unit, start) and not text[start + len(unit) : start + len(unit) + 1].isalnum()
        for unit in units
    )
