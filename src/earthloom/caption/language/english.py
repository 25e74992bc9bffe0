"""The small part of English grammar that captions need: articles, plurals, lists, numbers, dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
NUMBER_WORDS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)

FUNCTION_WORDS = frozenset(
    {"a", "above", "across", "an", "and", "around", "as", "at", "by", "for", "from", "in", "is"}
    | {"near", "of", "on", "or", "over", "the", "this", "to", "with", "within"}
)
"""Words that hold sentences together; no name consists of them."""

_SPOKEN_AS_WORDS = frozenset(
    {"SAR", "NAIP", "NEON", "NASA", "LISS", "RADARSAT", "LANDSAT", "SPOT", "FORMOSAT"}
)
_SPELT_WITH_VOWEL = frozenset("AEFHILMNORSX")
"""Letters whose names begin with a vowel sound."""
_CONSONANT_STARTS = ("uni", "use", "usu", "uti", "eu", "one", "once")
_INVARIABLE = frozenset({"aircraft", "spacecraft", "hovercraft"})


def give_article(phrase: str) -> str:
    """Put `a` or `an` before a phrase, by sound: a SAR image, an RGB image, an hourly one."""
    word = phrase.split(" ", 1)[0].split("-", 1)[0]
    return f"{'an' if _starts_with_vowel_sound(word) else 'a'} {phrase}"


def _starts_with_vowel_sound(word: str) -> bool:
    if word.isupper() and len(word) <= 5 and word not in _SPOKEN_AS_WORDS:
        return word[0] in _SPELT_WITH_VOWEL
    lower = word.lower()
    if lower.startswith(("8", "11", "18", "hour", "honest", "heir")):
        return True
    return lower[:1] in {"a", "e", "i", "o", "u"} and not lower.startswith(_CONSONANT_STARTS)


def pluralise(noun: str) -> str:
    """Give the plural of a singular noun phrase by its last word."""
    last = noun.rsplit(" ", 1)[-1]
    if last in _INVARIABLE:
        return noun
    if last.endswith(("s", "x", "ch", "sh", "z", "cano")):
        return f"{noun}es"
    if last.endswith("y") and last[-2:-1] not in {"a", "e", "i", "o", "u"}:
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def singularise(noun: str) -> str:
    """Give the singular of a regular plural noun phrase."""
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    return noun[:-2] if noun.endswith(("xes", "ches", "shes", "sses")) else noun[:-1]


def join_list(items: Sequence[str]) -> str:
    """Join one or more items: `a`, `a and b`, `a, b and c`."""
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} and {items[-1]}"


def fit_words(phrases: Iterable[str], most: int, max_words: int = 24) -> list[str]:
    """Take phrases in order, up to `most` of them and `max_words` words, but at least one."""
    taken: list[str] = []
    n_words = 0
    for phrase in phrases:
        n_words += phrase.count(" ") + 1
        if len(taken) == most or (taken and n_words > max_words):
            break
        taken.append(phrase)
    return taken


def say_count(count: int) -> str:
    """Say a count: words up to twelve, digits beyond."""
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)


def say_number(value: float) -> str:
    """Say a positive measure with three significant digits and no idle zeros: 2, 0.594, 9.97, 300, 1540."""
    return f"{value:.0f}" if value >= 999.5 else f"{value:.3g}"


def say_about(metres: float) -> str:
    """Two significant digits, three from a hundred on: what `about` can bear: `45 m`, `1.3 km`."""
    value, unit = (metres / 1000, "km") if metres >= 1000 else (metres, "m")
    return f"{say_number(float(f'{value:.2g}' if value < 100 else f'{value:.3g}'))} {unit}"


def say_date(year: int, month: int | None, day: int | None) -> str:
    """Say a date as precisely as it is known: 2019, September 2019, 4 September 2019."""
    if month is None:
        return str(year)
    name = MONTHS[month - 1]
    return f"{name} {year}" if day is None else f"{day} {name} {year}"


def capitalise(sentence: str) -> str:
    """Raise the first letter and leave the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def list_words(text: str) -> frozenset[str]:
    """Read a set of words written in one string."""
    return frozenset(text.split())
