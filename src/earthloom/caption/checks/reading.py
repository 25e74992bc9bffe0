"""A caption as the checks read it: tokens, clauses and sentences, beside what is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

from earthloom.caption.checks.known import Known
from earthloom.caption.language.english import list_words


class Check(StrEnum):
    """What a caption is checked for."""

    LENGTH = "length"
    TALK = "talk"
    LANGUAGE = "language"
    CUT = "cut off"
    GENERIC = "generic"
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
    RESOLUTION = "resolution words"
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

    __slots__ = ("known", "lower", "tokens", "tried")

    def __init__(self, tokens: list[str], lower: list[str], known: Known) -> None:
        self.tokens = tokens
        self.lower = lower
        self.known = known
        self.tried: set[Check] = set()
        """Checks that found something to judge."""

    def hold(self, check: Check, is_right: bool) -> Check | None:
        """Note that a check had something to judge; gives the check where it failed."""
        self.tried.add(check)
        return None if is_right else check

    def at(self, i: int) -> str:
        """Lower-case token at an index, empty beyond the ends."""
        return self.lower[i] if 0 <= i < len(self.lower) else ""

    def clause(self, i: int) -> list[str]:
        """Lower-case tokens of the clause around an index."""
        return self._around(i, CLAUSE_ENDS)

    def sentence(self, i: int) -> list[str]:
        """Lower-case tokens of the sentence around an index."""
        return self._around(i, SENTENCE_ENDS)

    def _around(self, i: int, ends: frozenset[str]) -> list[str]:
        """Lower-case tokens around an index, up to the next end on either side."""
        lower = self.lower
        start, stop = i, i
        while start > 0 and lower[start - 1] not in ends:
            start -= 1
        while stop < len(lower) and lower[stop] not in ends:
            stop += 1
        return lower[start:stop]

    def is_first(self, i: int) -> bool:
        """Tell whether the token at an index opens a sentence."""
        return i == 0 or self.lower[i - 1] in SENTENCE_ENDS

    def is_general(self, i: int) -> bool:
        """Tell whether the sentence around an index speaks of what is usual, not of this image."""
        return not _GENERAL.isdisjoint(self.sentence(i))

    def is_denied(self, i: int) -> bool:
        """Tell whether the words just before an index deny it: `no fog`, `unlike radar`, `not a trace of haze`."""
        if self.at(i - 1) == "of" and self.at(i - 2) in _TRACES:
            i -= 2
        return not _DENIALS.isdisjoint(self.lower[max(i - 3, 0) : i])


CLAUSE_ENDS = frozenset({",", ";", ".", ":", "and", "while", "then", "but"})
SENTENCE_ENDS = frozenset({".", ";", ":", "!", "?"})
_GENERAL = list_words("generally usually typically normally commonly often tends tend")
_DENIALS = list_words(
    "no not without unlike free absent lacks lacking devoid neither nor rather instead than never"
)
_TRACES = list_words("trace traces sign signs hint hints bit")


Rule = Callable[[Reading, int], Check | None]
"""Reads the token at an index; None where all is well."""
