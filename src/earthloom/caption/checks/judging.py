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
from typing import Literal

from earthloom.caption.checks.claims import CLAIM_RULES, PART_RULES, check_name
from earthloom.caption.checks.denials import DENIAL_RULES, NONE_RULES
from earthloom.caption.checks.evidence import explain
from earthloom.caption.checks.known import Known
from earthloom.caption.checks.mentions import find_mentions, is_backed
from earthloom.caption.checks.nouns import find_nouns, opens_with_name
from earthloom.caption.checks.numbers import NUMBER_RULES, check_number
from earthloom.caption.checks.reading import TOKEN, Check, Reading, Rule
from earthloom.caption.checks.seen_claims import CLOSED_RULES, SEEN_RULES
from earthloom.caption.checks.seen_numbers import DATE_RULES, SPELT_RULES, check_seen_number
from earthloom.caption.checks.seen_objects import COUNT_RULES, PLACE_RULES
from earthloom.caption.checks.speech import find_speech
from earthloom.caption.checks.spelling import spell_dates
from earthloom.caption.language.tokens import count_clip_tokens

MIN_WORDS = 8
MAX_WORDS = 60
MAX_ALIKE = 0.7
"""Captions of one image whose word sets have a larger Jaccard index say the same (our choice)."""
_MAX_SAME_CHAT, _MAX_SAME_LOCAL, _MAX_SHARE_LOCAL = 5, 20, 0.25
_MAX_LETTERS = 2500
_MAX_WORDS_BEYOND = 60
"""A longer text is no caption, and is not read."""
_ORDER = tuple(Check)
_RULES = PLACE_RULES | NONE_RULES | CLOSED_RULES | CLAIM_RULES | NUMBER_RULES
_TABLES = (SEEN_RULES, DENIAL_RULES, COUNT_RULES, PLACE_RULES, DATE_RULES, SPELT_RULES)
_SEEN_TABLE: dict[str, tuple[Rule, ...]] = {
    word: tuple(table[word] for table in _TABLES if word in table) for table in _TABLES for word in table
}
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
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
    """Hold one caption against what is known. `max_tokens` is the longest it may be for CLIP; 0: no limit.

    Any text can be judged, and none raises: what is too long for a caption by far is not read.
    """
    if len(text) > _MAX_LETTERS:
        return Judged((), (Finding(Check.LENGTH, f"{len(text)} letters (at most {_MAX_LETTERS})"),))
    n_words = _count_words(text)
    is_long = n_words > max_words + _MAX_WORDS_BEYOND
    faults, tried = ([], set()) if is_long else _read(text, known)
    if not min_words <= n_words <= max_words:
        faults.append(Finding(Check.LENGTH, f"{n_words} words (wanted {min_words} to {max_words})"))
    if max_tokens and (n_tokens := count_clip_tokens(text)) > max_tokens:
        faults.append(Finding(Check.LENGTH, f"{n_tokens} tokens (at most {max_tokens})"))
    failed = {fault.check for fault in faults}
    return Judged(tuple(check for check in _ORDER if check in tried and check not in failed), tuple(faults))


def find_faults(
    text: str, known: Known, min_words: int = MIN_WORDS, max_words: int = MAX_WORDS
) -> list[Finding]:
    """Check one caption; an empty list means that nothing in it contradicts or exceeds what is known."""
    return list(judge(text, known, min_words=min_words, max_words=max_words).faults)


def find_alike(captions: Sequence[str]) -> list[int]:
    """Find the captions of one image that say what an earlier one says, or are contained in one: their indices."""
    kept: list[int] = []
    alike: list[int] = []
    for i, caption in enumerate(captions):
        repeats = any(_is_repeat(caption, captions[j]) for j in kept)
        (alike if repeats else kept).append(i)
    return alike


def is_parroted(n_same: int, n_all: int, author: Literal["chat", "blip2"]) -> bool:
    """Tell whether a model gave one answer for too many different pictures to have looked at them.

    A remote model that writes five captions does so never twice; a small local one has short answers that fit many
    pictures, and is doubted only where one of them is a quarter of all (our choice).
    """
    if author == "chat":
        return n_same >= _MAX_SAME_CHAT
    return n_same >= _MAX_SAME_LOCAL and n_same > _MAX_SHARE_LOCAL * n_all


def _read(text: str, known: Known) -> tuple[list[Finding], set[Check]]:
    if known.sees:
        return _read_seen(text, known)
    return _read_closed(text, known)


def _read_closed(text: str, known: Known) -> tuple[list[Finding], set[Check]]:
    """Check what may say nothing beyond the facts."""
    plain, quoted = _take_quotes(text) if '"' in text else (text, [])
    tokens = TOKEN.findall(plain)
    lower = [token.lower() for token in tokens]
    reading = Reading(tokens, lower, known)
    flagged = [
        (i, check)
        for i, token in enumerate(lower)
        if not _is_plain(token, tokens[i], lower[i - 1])
        and (check := _check_token(reading, i, token, tokens[i])) is not None
    ]
    faults = [Finding(check, words) for check, words in find_speech(plain, lower, known)]
    faults += _excuse_names(plain, tokens, flagged, known) if flagged else []
    faults += [Finding(Check.NAME, name) for name in quoted if name not in known.names]
    if known.is_synthetic:
        reading.tried.add(Check.SYNTHETIC)
        if not _says_synthetic(lower):
            faults.append(Finding(Check.SYNTHETIC, "does not say synthetic"))
    return faults, reading.tried


def _read_seen(text: str, known: Known) -> tuple[list[Finding], set[Check]]:
    """Check what may say more than the facts, and nothing against them."""
    plain = spell_dates(_THOUSANDS.sub("", text), (known.year, known.month, known.day))
    tokens = TOKEN.findall(plain)
    lower = [token.lower() for token in tokens]
    reading = Reading(tokens, lower, known)
    faults = [Finding(check, f"'{words}'") for check, words in find_speech(plain, lower, known)]
    flagged = []
    mentions = list(find_mentions(reading))
    inside = frozenset(i for mention in mentions for i in range(mention.start, mention.stop))
    for mention in mentions:
        if reading.hold(Check.PLATFORM, is_backed(mention, reading)) is not None:
            flagged.append((mention.start, Check.PLATFORM))
    for noun in find_nouns(reading, inside):
        if reading.hold(Check.NAME, noun.is_supported) is not None:
            flagged.append((noun.start, Check.NAME))
    flagged += [
        (i, check)
        for i, token in enumerate(lower)
        if (token in _SEEN_TABLE or not token.isalpha())
        and i not in inside
        and (check := _check_seen(reading, i, token)) is not None
    ]
    faults += _excuse_names(plain, tokens, sorted(flagged), known) if flagged else []
    return faults, reading.tried


def _check_seen(reading: Reading, i: int, lower: str) -> Check | None:
    """The first check that a token fails."""
    if lower[0].isdecimal() or (lower[0] in "-−" and len(lower) > 1):
        return check_seen_number(reading, i)
    for rule in _SEEN_TABLE.get(lower, ()):
        if (found := rule(reading, i)) is not None:
            return found
    return None


def _count_words(text: str) -> int:
    return sum(word[0].isalnum() or any(map(str.isalnum, word)) for word in text.split())


def is_alike(text: str, other: str) -> bool:
    """Tell whether two captions say the same: Jaccard index of their word sets over `MAX_ALIKE`."""
    words, others = _word_set(text), _word_set(other)
    return len(words & others) > MAX_ALIKE * len(words | others)


def _is_repeat(text: str, other: str) -> bool:
    words, others = _word_set(text), _word_set(other)
    return words <= others or others <= words or is_alike(text, other)


@lru_cache(maxsize=64)
def _word_set(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _is_plain(lower: str, token: str, before: str) -> bool:
    """Tell whether a token claims nothing: most do not, so this is asked first."""
    return lower == token and lower != before and lower not in _RULES and lower.isalpha()


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
    if token != lower and reading.is_first(i):
        is_right = token in reading.known.capitals or not opens_with_name(reading, i, token)
        return None if is_right else reading.hold(Check.NAME, is_right=False)
    return check_name(reading, i) if token != lower else None


def _is_repeated(known: Known, token: str) -> bool:
    """`over Over Hulton` names a place."""
    return token == token.lower() or token not in known.capitals


def _check_compound(reading: Reading, i: int, lower: str) -> Check | None:
    """Check `land-cover`, `surface-water`: by its parts, unless a label has the whole."""
    if lower in reading.known.words:
        return None
    for part in lower.split("-"):
        rule = PART_RULES.get(part)
        if rule is not None and reading.hold(rule[0], rule[1](reading.known, part)) is not None:
            return None if reading.is_general(i) else rule[0]
    return None


def _take_quotes(text: str) -> tuple[str, list[str]]:
    """Take names in quotation marks out of a text; an empty pair of marks stays for each."""
    parts = text.split('"')
    return '""'.join(parts[::2]), parts[1::2]


def _excuse_names(
    text: str, tokens: list[str], flagged: list[tuple[int, Check]], known: Known
) -> list[Finding]:
    """Drop faults that lie in a name as the record spells it; a repetition lies there with both of its words."""
    excusing = known.names - {known.said.weather.effect} if known.sees and known.said.weather else known.names
    names = [span for name in excusing for span in _find_spans(text, name)]
    starts = [found.start() for found in TOKEN.finditer(text)]
    findings = []
    for i, check in flagged:
        first = starts[i - 1 if check is Check.REPETITION else i]
        last = starts[i] + len(tokens[i].removesuffix("'s"))
        if not any(start <= first and last <= stop for start, stop in names):
            words = " ".join(tokens[max(i - 1, 0) : i + 3])
            findings.append(Finding(check, explain(check, words, known)))
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
