"""Checks of numbers: each needs a fact that it measures, in figures or in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from earthloom.caption.checks.known import Known
from earthloom.caption.checks.reading import Check, Reading, Rule
from earthloom.caption.facts.statements import SIDES
from earthloom.caption.language.english import MONTHS, NUMBER_WORDS, list_words
from earthloom.core.records import Modality

_METRES = {"m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0, "cm": 0.01}
_METRES |= dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), 1000.0)
_JOINERS = frozenset({"x", "×", "by", "to"})
_APPROXIMATE = list_words("about roughly around nearly almost approximately some")
_LOWER_BOUNDS = frozenset(["over", "above", "exceeding"])
_UPPER_BOUNDS = frozenset(["under", "below"])
MONTH_NUMBERS = {month.lower(): i + 1 for i, month in enumerate(MONTHS)}


def find_hedge(reading: Reading, i: int) -> str:
    """`about`, `over`, `under` or nothing, from the words before an index; `about 2 m by 3 m` hedges both."""
    before, earlier = reading.at(i - 1), reading.at(i - 2)
    if before in _JOINERS:
        first = i - 2 if is_number(earlier) else i - 3
        return find_hedge(reading, first) if is_number(reading.at(first)) else ""
    if before in _APPROXIMATE or (before, earlier) == ("to", "close"):
        return "about"
    if (
        before in _LOWER_BOUNDS
        or (before == "than" and earlier == "more")
        or (before, earlier) == ("least", "at")
    ):
        return "over"
    if before in _UPPER_BOUNDS or (before == "than" and earlier in {"less", "fewer"}):
        return "under"
    return ""


def is_number(token: str) -> bool:
    """Tell whether a token is a number in figures."""
    return token.lstrip("-−")[:1].isdecimal()


def agrees(value: float, fact: float, half_digit: float, hedge: str, slack: float) -> bool:
    """Compare a said value with a fact; `slack` is the relative error that `about` may have."""
    if hedge == "over":
        return fact >= value * 0.999
    if hedge == "under":
        return fact <= value * 1.001
    if hedge == "about":
        return abs(value - fact) <= max(half_digit, slack * fact) and abs(value - fact) <= 0.3 * fact
    return abs(value - fact) <= half_digit + 1e-9 and abs(value - fact) <= 0.06 * abs(fact) + 1e-9


def _find_unit(reading: Reading, i: int) -> str:
    """The unit of a number, which may follow a second one: `64 x 64 pixels`."""
    unit = reading.at(i + 1)
    if unit in _JOINERS and is_number(reading.at(i + 2)):
        return _find_unit(reading, i + 2)
    return unit


def check_number(reading: Reading, i: int) -> Check | None:
    """Check a number by its unit."""
    text = reading.lower[i].replace("−", "-")
    if text.count("-") and text[0] != "-":
        return _check_iso_date(reading, text)
    value = float(text)
    half_digit = 0.5 * 10.0 ** -len(text.partition(".")[2])
    unit = _find_unit(reading, i)
    measure = _MEASURES.get(unit)
    if measure is not None:
        facts = [measure[1] * fact for fact in measure[0](reading.known)]
        hedge = find_hedge(reading, i)
        is_known = any(agrees(value, fact, half_digit, hedge, 0.1) for fact in facts)
        return reading.hold(Check.NUMBER, is_known)
    if unit in {"%", "percent"}:
        return _check_share(reading, i, value / 100, half_digit / 100)
    if unit in {"degree", "degrees"} or (unit == "°" and reading.at(i + 2) not in {"n", "s", "e", "w"}):
        is_known = any(abs(value - fact) <= half_digit + 1e-9 for fact in reading.known.degrees)
        return reading.hold(Check.NUMBER, is_known)
    if unit == "°":
        return _check_coordinate(reading, i, value, half_digit)
    return _check_plain_number(reading, i, value, unit)


_MEASURES: dict[str, tuple[Callable[[Known], Iterable[float]], float]] = {
    **{unit: (lambda known: known.lengths_m, 1 / metres) for unit, metres in _METRES.items()},
    **{unit: (lambda known: known.pixels, 1.0) for unit in ("pixel", "pixels", "px", "columns", "rows")},
    **{unit: (lambda known: known.looks, 1.0) for unit in ("look", "looks")},
    "db": (lambda known: known.decibels, 1.0),
    **{unit: (lambda known: known.levels, 1.0) for unit in ("level", "levels")},
}
"""Unit to the facts that it can measure and their factor."""


def _check_plain_number(reading: Reading, i: int, value: float, unit: str) -> Check | None:
    known, before = reading.known, reading.at(i - 1)
    if unit in MONTH_NUMBERS or (before in MONTH_NUMBERS and value < 32):
        return reading.hold(Check.DATE, value == known.day)
    if value == known.year:
        return reading.hold(Check.DATE, is_right=True)
    if 1900 <= value <= 2100 and value.is_integer() and not known.find_counts(reading.lower[i + 1 : i + 4]):
        return reading.hold(Check.DATE, is_right=False)
    if unit == "times":
        return _check_ratio(reading, i, value)
    return _check_count(reading, i, value)


def _check_iso_date(reading: Reading, text: str) -> Check | None:
    known, parts = reading.known, [int(part) for part in text.split("-")]
    return reading.hold(Check.DATE, parts == [known.year, known.month, known.day][: len(parts)])


def _check_coordinate(reading: Reading, i: int, value: float, half_digit: float) -> Check | None:
    side = reading.at(i + 2)
    position = reading.known.position
    if position is None or side not in {"n", "s", "e", "w"}:
        return reading.hold(Check.NUMBER, is_right=False)
    fact = position[0] if side in {"e", "w"} else position[1]
    said = -value if side in {"s", "w"} else value
    return reading.hold(Check.NUMBER, abs(said - fact) <= half_digit + 1e-9)


def _check_count(reading: Reading, i: int, value: float) -> Check | None:
    counts = reading.known.find_counts(reading.lower[i + 1 : i + 6])
    return reading.hold(Check.COUNT, value in counts)


def _check_ratio(reading: Reading, i: int, value: float) -> Check | None:
    hedge = find_hedge(reading, i)
    is_known = any(agrees(value, fact, 0.1 * value, hedge, 0.1) for fact in reading.known.ratios)
    return reading.hold(Check.SHARE, is_known)


def _check_share(reading: Reading, i: int, share: float, half_digit: float) -> Check | None:
    shares = _find_shares(reading, i)
    hedge = find_hedge(reading, i)
    if hedge in {"", "about"}:
        slack = half_digit + (0.03 if hedge else 0.0005)
        return reading.hold(Check.SHARE, any(abs(share - fact) <= slack for fact in shares))
    return reading.hold(Check.SHARE, any(agrees(share, fact, 0, hedge, 0) for fact in shares))


def _find_shares(reading: Reading, i: int) -> Collection[float]:
    """The shares that a number can mean: of clouds, borders or brightness where its sentence speaks of them."""
    known, clause = reading.known, reading.clause(i)
    if known.cloud and not _CLOUD_TALK.isdisjoint(clause):
        covers = (share for word in clause if word in _CLOUD_TALK for share in known.covers.get(word, ()))
        return (*known.cloud, *covers)
    if known.borders and not _BORDER_TALK.isdisjoint(reading.sentence(i)):
        return known.borders
    if known.levels and not _BRIGHT_TALK.isdisjoint(reading.sentence(i)):
        return known.levels
    return known.find_shares(clause)


_CLOUD_TALK = frozenset({"cloud", "clouds", "overcast"})
_BORDER_TALK = frozenset(
    {"border", "borders", "boundary", "boundaries", "edges", "touch", "adjoin", "adjoins"}
)
_BRIGHT_TALK = frozenset(
    {"bright", "brightness", "brighter", "dark", "darker", "grey", "white", "luminance", "level"}
)


def _check_number_word(reading: Reading, i: int) -> Check | None:
    value = NUMBER_WORDS.index(reading.lower[i])
    following = reading.at(i + 1)
    if following in {"thirds", "quarters"}:
        return None
    if following == "times":
        return _check_ratio(reading, i, value)
    if value == 3 and "channels" in reading.lower[i : i + 8]:
        return reading.hold(Check.MODALITY, reading.known.modality is Modality.RGB)
    if value == 1 and not reading.known.find_counts(reading.lower[i + 1 : i + 2]):
        return None
    return _check_count(reading, i, value)


def _check_twice(reading: Reading, i: int) -> Check | None:
    return _check_ratio(reading, i, 2.0)


_FRACTIONS = {
    ("half",): 0.5,
    ("a", "third"): 1 / 3,
    ("one", "third"): 1 / 3,
    ("two", "thirds"): 2 / 3,
    ("a", "quarter"): 0.25,
    ("one", "quarter"): 0.25,
    ("three", "quarters"): 0.75,
}


def _check_fraction(reading: Reading, i: int) -> Check | None:
    """Check a fraction in words; `third` alone is an ordinal, and `left half` a place that others check."""
    before, word = reading.at(i - 1), reading.lower[i]
    fraction = _FRACTIONS.get((word,)) or _FRACTIONS.get((before, word))
    if fraction is None:
        return None
    if before in SIDES:
        return None
    return _check_share(reading, i if word == "half" else i - 1, fraction, 0.02)


def _check_all(reading: Reading, i: int) -> Check | None:
    if reading.at(i - 1) not in {"nearly", "almost"}:
        return None
    return reading.hold(
        Check.SHARE, any(share >= 0.9 for share in reading.known.find_shares(reading.clause(i)))
    )


def _check_majority(reading: Reading, i: int) -> Check | None:
    if reading.lower[i] == "most" and reading.at(i + 1) != "of":
        return None
    return reading.hold(
        Check.SHARE, any(share > 0.5 for share in reading.known.find_shares(reading.clause(i)))
    )


def _check_dominance(reading: Reading, i: int) -> Check | None:
    """`dominates` and `largest` may be said of the cover with the largest share alone."""
    if reading.at(i - 1) == "second":
        return None
    shares = reading.known.find_shares(reading.clause(i))
    if not shares or not reading.known.shares:
        return None
    return reading.hold(Check.SHARE, max(shares) >= max(reading.known.shares))


NUMBER_RULES: dict[str, Rule] = {
    **dict.fromkeys(NUMBER_WORDS[1:], _check_number_word),
    **dict.fromkeys(("half", "third", "thirds", "quarter", "quarters"), _check_fraction),
    **dict.fromkeys(("most", "majority"), _check_majority),
    **dict.fromkeys(
        ("dominates", "dominate", "dominant", "prevails", "prevail", "largest"), _check_dominance
    ),
    "all": _check_all,
    "twice": _check_twice,
}
"""What words of amount need."""
