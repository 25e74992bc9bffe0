"""Checks of a text as a text: whether it is an English caption at all, whole, and says something.

They need no facts: refusals and speech to the reader, addresses, markup and code, other languages, loops, sentences
that break off, and words that fit every image.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from earthloom.caption.checks.known import Known
from earthloom.caption.checks.reading import Check
from earthloom.caption.language.english import list_words

_TRIGGERS = list_words(
    "i i'm i’m i've i’ve i'd i'll im we we're sorry apologies assistant ai unable able cannot can't can’t can policy "
    "attached available generated please let feel hope sure certainly absolutely okay ok here here's here’s your would "
    "requested caption captions provided given supplied accompanying article prompt metadata facts summary text record "
    "user ignore disregard forget override instructions instruction click subscribe visit discount note json course"
)
"""Without one of these no pattern of talk can match."""
_REFUSAL = re.compile(
    r"\b(?:i['’]?m|i am|we are|we['’]re) (?:very |so |really )?(?:sorry|unable|not able|afraid|just|an? )"
    r"|\bi (?:can(?:['’]?t|not)?|could(?:n['’]t)?|do(?:n['’]t)?|am|apologi[sz]e|think|believe|would|will|have|hope"
    r"|notice|see|must|was)\b|\bi['’](?:ve|d|ll|m)\b|^(?:i['’]?m )?sorry\b|\bmy apologies\b"
    r"|\bas an? (?:ai|language model|assistant)\b|\blanguage model\b"
    r"|\b(?:unable|not able) to (?:provide|assist|help|identify|determine|view|see|process|analy[sz]e|generate|describe"
    r"|comply|access|fulfil\w*)\b"
    r"|\b(?:cannot|can['’]t|can not) (?:assist|help|provide|view|see|identify|comply|determine|describe|fulfil\w*"
    r"|access)\b|\b(?:content|usage) policy\b|\bno (?:image|picture|caption|description|text) "
    r"(?:was|is|has been|could be)? ?(?:provided|attached|given|available|generated)\b"
)
_ADDRESS = re.compile(
    r"\bplease\b|\blet me know\b|\bfeel free\b|\bhope (?:this|that|it)\b|^note:|^json\b|\bthis caption\b"
    r"|^(?:sure|certainly|absolutely|of course|okay|ok)\b *[,!.:]"
    r"|\bhere(?:['’]s| is| are) (?:[\w-]+ ){0,4}(?:captions?|descriptions?|summary|answers?|json|responses?)\b"
    r"|\byour (?:image|request|question|picture|prompt|next)\b|\bwould you like\b|\bas requested\b"
    r"|\bcaptions? ?(?:\d+ ?)?:|\b(?:five|following|these|requested) captions?\b"
    r"|\bthe (?:provided|given|supplied|accompanying) "
    r"(?:text|article|prompt|facts|metadata|record|information|summary|context)\b"
    r"|\b(?:according to|based on|as (?:stated|mentioned|described|noted) in|per) the "
    r"(?:text|article|prompt|metadata|facts|record|summary|provided|given)\b|\bthe user\b|\bsystem prompt\b"
    r"|\b(?:ignore|disregard|forget|override) (?:all|any|the|these|those|my|your|previous|prior|every)\b"
    r"|\b(?:previous|prior|above|following|new|these|your|my) instructions?\b"
    r"|\binstructions? (?:above|below|ignored|received|followed)\b"
    r"|\bclick here\b|\bsubscribe (?:to|now|for)\b|\bvisit (?:our|us|my|the website)\b|\bdiscount code\b"
)
_MARKUP = re.compile(
    r"https?:|\bwww\.|\b[\w-]+\.(?:com|org|net|gov|edu|io|info|ai|co|html?|jpe?g|png|tiff?)\b|\S@\S|<[^\s>][^>]*>"
    r"|&(?:#\d+|[a-zA-Z]{2,6});|\*\*|```|`[^`]+`|[{}\\|]|\[[^\]]*\]|^ *(?:#|[-*•] |\d+[.)] )|\w\(\)|=>|==|[\n\r\t]"
)
_MARKS = re.compile(r"[<>{}\[\]\\|`*#@&=•\n\r\t]")
"""Without one of these, or an ending, no pattern of markup can match."""
_ENDINGS = (
    *(":/", "www.", "()", ".com", ".org", ".net", ".gov", ".edu"),
    *(".io", ".info", ".ai", ".co", ".htm", ".jp", ".png", ".tif"),
)


_FUNCTION_WORDS = list_words(
    "a an the of in on with and is are at from by to for its it this that there over under near along "
    "between which where while as into around across some many several has have can be seen or one two "
    "through next beside behind"
)
_FOREIGN_WORDS = list_words(
    "der die das und ein eine einer eines mit von dem den des auf zu für ist sind im am bei aus sich "
    "durch über zwischen le la les du un une et est dans avec sur au aux par qui sont pour plusieurs el "
    "los las y con del por que se está il lo gli di della nel nella delle con sono tra een het van op met "
    "zijn naar langs os uma um da do no na com em são ao en de och ett på med av som är för jest na się "
    "ve bir ile"
)
"""Of languages in Latin letters; what is English too (`die`, `no`) counts only beside others."""
_FOREIGN_BUT_ENGLISH = list_words("die des am no do on per con la de el le les san os du")
_MIN_WORDS = 8

_OPEN_ENDS = list_words(
    "a an the of in on with and at from by to for its this that is are or as into which where while near "
    "between over under along through has have various several including such than their"
)
_LONG = 24
"""Words from which on a text of sentences is expected to end with a full stop."""
_REPEATABLE = list_words("very many more that had so long far on in")

_GENERIC_WORDS = _FUNCTION_WORDS | list_words(
    "image images imagery picture pictures satellite aerial overhead bird's-eye birds-eye bird view views "
    "viewed seen shot scene earth earth's surface land ground area areas region regions location place "
    "part parts portion terrain landscape above below space remote sensing remotely sensed observation "
    "shows show showing shown displays display depicts depict depicting features feature features "
    "different various kinds kind types type things thing objects object something anything everything "
    "high low resolution spatial optical taken captured acquired photo photograph what looks like appears "
    "very big large small general overview detail details detailed patterns pattern colors colours "
    "textures texture shapes shape visible contains containing includes including presents provides "
    "offers perspective information data certain other others our planet world you we see number numerous "
    "multiple elements element diverse wide range it's these those them all of . , ; : ! ? ( ) digital "
    "sensor instrument snapshot screenshot"
)

_Finder = Callable[[str, Sequence[str], Known], str | None]


def find_speech(text: str, lower: Sequence[str], known: Known) -> Iterator[tuple[Check, str]]:
    """Give the checks of this module that a text fails, each with its words. `lower` holds its tokens in lower case."""
    finders = _FINDERS if known.sees else _FINDERS[:3]
    for check, find in finders:
        words = find(text, lower, known)
        if words is not None:
            yield check, words


def _find_talk(text: str, lower: Sequence[str], _known: Known) -> str | None:
    found = _MARKUP.search(text.strip()) if _may_be_markup(text) else None
    if found is None and not _TRIGGERS.isdisjoint(lower):
        spoken = text.lower()
        found = _REFUSAL.search(spoken) or _ADDRESS.search(spoken)
    return None if found is None else " ".join(found.group().split()) or "a line break"


def _may_be_markup(text: str) -> bool:
    """Tell, fast, whether it is worth while to look for markup."""
    has_address = "." in text and any(ending in text for ending in _ENDINGS)
    return has_address or text.lstrip()[:1] in "-123456789" or _MARKS.search(text) is not None


def _find_language(text: str, lower: Sequence[str], known: Known) -> str | None:
    foreign = [] if text.isascii() else _find_letters(text, known)
    if foreign:
        return "".join(foreign[:12])
    english = sum(word in _FUNCTION_WORDS for word in lower)
    words = [word for word in lower if word[0].isalpha()]
    if not english and len(words) >= _MIN_WORDS:
        return " ".join(words[:4])
    others = [word for word in words if word in _FOREIGN_WORDS] if english < len(words) / 3 else []
    is_other = len(others) >= 2 and len(others) > english and not _FOREIGN_BUT_ENGLISH.issuperset(others)
    return " ".join(others[:4]) if is_other else None


_LATIN = ("LATIN", "MICRO", "FEMININE", "MASCULINE", "MODIFIER")


def _find_letters(text: str, known: Known) -> list[str]:
    """Letters of another script than Latin, but for those of names as the record or a text spells them."""
    spelt = "".join(known.names)
    return [
        letter
        for letter in dict.fromkeys(text)
        if letter.isalpha()
        and not letter.isascii()
        and not unicodedata.name(letter, "").startswith(_LATIN)
        and letter not in spelt
        and not any(letter.lower() in source for source in known.sources.texts)
    ]


def _find_loop(_text: str, lower: Sequence[str], known: Known) -> str | None:
    words = [word for word in lower if word[0].isalpha()]
    n_other = len(set(words))
    if len(words) >= _MIN_WORDS and n_other < 0.45 * len(words):
        return " ".join(words[:6])
    if known.sees and n_other < 0.85 * len(words):
        return _find_period(words) or _find_phrase(words)
    return None


def _find_period(words: Sequence[str]) -> str | None:
    """Find words that come three times in a row: `with trees with trees with trees`."""
    for period in range(1, 7):
        run = 0
        for i in range(period, len(words)):
            run = run + 1 if words[i] == words[i - period] else 0
            if run >= 2 * period:
                return " ".join(words[i - run + 1 - period : i + 1][: 3 * period])
    return None


def _find_phrase(words: Sequence[str]) -> str | None:
    """Find seven words that come twice."""
    seen = set()
    for i in range(len(words) - 6):
        phrase = tuple(words[i : i + 7])
        if phrase in seen:
            return " ".join(phrase)
        seen.add(phrase)
    return None


def _find_cut(text: str, lower: Sequence[str], _known: Known) -> str | None:
    end = text.rstrip()
    if not lower or end.endswith((".", "!", "?", '"', "”", ")", "'", "’")):
        return "..." if end.endswith(("...", "…")) else None
    is_open = lower[-1] in _OPEN_ENDS or end.endswith((",", "-", "(", ":", ";", "…"))
    is_long = len(lower) > _LONG and "." in lower[:-1]
    return end[-30:] if is_open or is_long else None


def _find_generic(_text: str, lower: Sequence[str], _known: Known) -> str | None:
    return " ".join(lower[:8]) if lower and all(word in _GENERIC_WORDS for word in lower) else None


def _find_doubled(_text: str, lower: Sequence[str], known: Known) -> str | None:
    for before, word in pairwise(lower):
        if before == word and word[0].isalpha() and word not in _REPEATABLE:
            twice = f"{before} {word}"
            if not any(twice in name.lower() for name in known.names) and not known.sources.has(twice):
                return twice
    return None


_FINDERS: tuple[tuple[Check, _Finder], ...] = (
    (Check.TALK, _find_talk),
    (Check.LANGUAGE, _find_language),
    (Check.REPETITION, _find_loop),
    (Check.REPETITION, _find_doubled),
    (Check.CUT, _find_cut),
    (Check.GENERIC, _find_generic),
)
"""The first three hold for every author; the rules write no fragments, and nothing
special of an image of which nothing is known."""
