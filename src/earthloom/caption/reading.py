"""A caption as the checks read it: tokens, clauses and sentences, beside what is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

from earthloom.caption.english import list_words
from earthloom.caption.known import Known


class Check(StrEnum):
    """What a caption is checked for."""

    LENGTH = "length"
    WORDS = "banned words"
    REPETITION = "repetition"
    NUMBER = "numbers"
    SHARE = "shares"
    COUNT = "counts"
    DATE = "dates"
    ZONE = "zones"
    NAME = "names"
    MODALITY = "modality"
    PLATFORM = "platform"
    CONTENT = "content"
    WEATHER = "weather"
    POSITION = "positions"
    SYNTHETIC = "synthetic"
    ALIKE = "alike"


TOKEN = re.compile(
    r"\d{4}-\d{2}(?:-\d{2})?(?!\w)|(?<![\w.])[-−]?\d+(?:\.\d+)?|\d+(?:\.\d+)?|[^\W\d_]+(?:[-'’]?[^\W_]+)*|[%°.:;,!?()×]"
)
"""Dates, numbers, words with their inner hyphens and digits, and the marks that carry meaning."""


class Reading:
    """A caption as tokens, beside what is known."""

    __slots__ = ("known", "lower", "tokens")

    def __init__(self, tokens: list[str], lower: list[str], known: Known) -> None:
        self.tokens = tokens
        self.lower = lower
        self.known = known

    def at(self, i: int) -> str:
        """Lower-case token at an index, empty beyond the ends."""
        return self.lower[i] if 0 <= i < len(self.lower) else ""

    def clause(self, i: int) -> list[str]:
        """Lower-case tokens of the clause around an index."""
        lower = self.lower
        start, stop = i, i
        while start > 0 and lower[start - 1] not in _CLAUSE_ENDS:
            start -= 1
        while stop < len(lower) and lower[stop] not in _CLAUSE_ENDS:
            stop += 1
        return lower[start:stop]

    def is_general(self, i: int) -> bool:
        """Tell whether the sentence around an index speaks of what is usual, not of this image."""
        lower = self.lower
        start, stop = i, i
        while start > 0 and lower[start - 1] not in SENTENCE_ENDS:
            start -= 1
        while stop < len(lower) and lower[stop] not in SENTENCE_ENDS:
            stop += 1
        return not _GENERAL.isdisjoint(lower[start:stop])


_CLAUSE_ENDS = frozenset({",", ";", ".", ":", "and", "while", "then", "but"})
SENTENCE_ENDS = frozenset({".", ";", ":", "!", "?"})
_GENERAL = list_words("generally usually typically normally commonly often tends tend")


Rule = Callable[[Reading, int], Check | None]
"""Reads the token at an index; None where all is well."""
