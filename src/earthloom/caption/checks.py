"""Checks: every word of a caption that could be false is held against what is known.

A caption is read as tokens. Each number needs a fact with its unit; each word of modality, platform, date, season,
zone, weather, ground or position needs the fact that makes it true; each capitalised word needs a name. What stands
in a name as the record spells it is never a fault, and what is `usually` so speaks of no image in particular.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from earthloom.caption.claims import CLAIM_RULES, PART_RULES, check_name
from earthloom.caption.known import Known
from earthloom.caption.numbers import NUMBER_RULES, check_number
from earthloom.caption.reading import SENTENCE_ENDS, TOKEN, Check, Reading

MIN_WORDS = 8
MAX_WORDS = 60
MAX_ALIKE = 0.7
"""Captions of one image whose word sets have a larger Jaccard index say the same (our choice)."""
_RULES = CLAIM_RULES | NUMBER_RULES
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that a caption fails, with the words that fail it."""

    check: Check
    evidence: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What the checks say of one caption."""

    checks: tuple[Check, ...]
    """Those that found something in the text to hold against the facts and found it right, in the order of `Check`."""
    faults: tuple[Finding, ...]
    """Empty where the caption may stand."""


def judge(
    text: str, known: Known, *, min_words: int = MIN_WORDS, max_words: int = MAX_WORDS, max_tokens: int = 0
) -> Judged:
    """Hold one caption against what is known. `max_tokens` is the longest it may be for CLIP; 0: no limit."""
    return Judged((), tuple(find_faults(text, known, min_words)))


def find_faults(text: str, known: Known, min_words: int = MIN_WORDS) -> list[Finding]:
    """Check one caption; an empty list means that nothing in it contradicts or exceeds what is known."""
    text, quoted = _take_quotes(text) if '"' in text else (text, [])
    tokens = TOKEN.findall(text)
    lower = [token.lower() for token in tokens]
    reading = Reading(tokens, lower, known)
    flagged = [
        (i, check)
        for i, token in enumerate(lower)
        if (check := _check_token(reading, i, token, tokens[i])) is not None
    ]
    faults = _excuse_names(text, tokens, flagged, known) if flagged else []
    faults += [Finding(Check.NAME, name) for name in quoted if name not in known.names]
    n_words = text.count(" ") + 1 + sum(name.count(" ") for name in quoted)
    if not min_words <= n_words <= MAX_WORDS:
        faults.append(Finding(Check.LENGTH, f"{n_words} words"))
    if known.is_synthetic and not _says_synthetic(lower):
        faults.append(Finding(Check.SYNTHETIC, "does not say synthetic"))
    return faults


def is_alike(text: str, other: str) -> bool:
    """Tell whether two captions say the same: Jaccard index of their word sets over `MAX_ALIKE`."""
    words, others = _word_set(text), _word_set(other)
    return len(words & others) > MAX_ALIKE * len(words | others)


@lru_cache(maxsize=64)
def _word_set(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _check_token(reading: Reading, i: int, lower: str, token: str) -> Check | None:
    first = lower[0]
    if first.isdecimal() or (first in "-−" and len(lower) > 1):
        return check_number(reading, i)
    if i and lower == reading.lower[i - 1] and first.isalpha() and _is_repeated(reading.known, token):
        return Check.REPETITION
    rule = _RULES.get(lower)
    if rule is not None:
        return rule(reading, i)
    if "-" in lower and (found := _check_compound(reading, i, lower)) is not None:
        return found
    if token != lower and i and reading.lower[i - 1] not in SENTENCE_ENDS:
        return check_name(reading, i)
    return None


def _is_repeated(known: Known, token: str) -> bool:
    """`over Over Hulton` names a place."""
    return token == token.lower() or token not in known.capitals


def _check_compound(reading: Reading, i: int, lower: str) -> Check | None:
    """Check `land-cover`, `surface-water`: by its parts, unless a label has the whole."""
    if lower in reading.known.words:
        return None
    for part in lower.split("-"):
        rule = PART_RULES.get(part)
        if rule is not None and (found := rule(reading.known, part)) and not reading.is_general(i):
            return found
    return None


def _take_quotes(text: str) -> tuple[str, list[str]]:
    """Take names in quotation marks out of a text; an empty pair of marks stays for each."""
    parts = text.split('"')
    return '""'.join(parts[::2]), parts[1::2]


def _excuse_names(
    text: str, tokens: list[str], flagged: list[tuple[int, Check]], known: Known
) -> list[Finding]:
    """Drop faults that lie in a name as the record spells it; a repetition lies there with both of its words."""
    names = [span for name in known.names for span in _find_spans(text, name)]
    starts = [found.start() for found in TOKEN.finditer(text)]
    findings = []
    for i, check in flagged:
        first = starts[i - 1 if check is Check.REPETITION else i]
        if not any(start <= first and starts[i] < stop for start, stop in names):
            findings.append(Finding(check, " ".join(tokens[max(i - 1, 0) : i + 3])))
    return findings


def _find_spans(text: str, name: str) -> Iterable[tuple[int, int]]:
    for spelling in {name, name[:1].upper() + name[1:]}:
        start = text.find(spelling)
        while start >= 0:
            yield start, start + len(spelling)
            start = text.find(spelling, start + 1)


def _says_synthetic(lower: Sequence[str]) -> bool:
    return any(
        token == "synthetic" and lower[i + 1 : i + 2] != ["aperture"]  # noqa: S105
        for i, token in enumerate(lower)
    )
