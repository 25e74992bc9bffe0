"""Checks of numbers by an author who sees the picture: those with units, dates, shares, and counts of what is labelled.

A number passes where a fact has it, or where a text has it literally and no fact speaks against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from earthloom.caption.checks.bare_numbers import is_beyond_eyes, is_known_somewhere
from earthloom.caption.checks.known import Known
from earthloom.caption.checks.numbers import MONTH_NUMBERS, agrees, find_hedge, is_number
from earthloom.caption.checks.reading import Check, Reading, Rule
from earthloom.caption.checks.seen_objects import check_count
from earthloom.caption.checks.seen_shares import check_share
from earthloom.caption.language.english import MONTHS, NUMBER_WORDS, list_words

_METRES = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), 1.0),
    **dict.fromkeys(("cm", "centimetre", "centimetres", "centimeter", "centimeters"), 0.01),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), 1000.0),
    **dict.fromkeys(("mile", "miles"), 1609.344),
    **dict.fromkeys(("ft", "foot", "feet"), 0.3048),
    **dict.fromkeys(("yard", "yards"), 0.9144),
}
_SQUARE_METRES = {
    **dict.fromkeys(("ha", "hectare", "hectares"), 1e4),
    **dict.fromkeys(("acre", "acres"), 4046.856),
    **dict.fromkeys(("km2", "km²", "sqkm"), 1e6),
    **dict.fromkeys(("m2", "m²", "sqm"), 1.0),
}
_OTHERS = list_words(
    "pixel pixels px db look looks degree degrees ° % percent per-cent bits bit ghz nm µm um bands looks"
)
_UNIT_FAMILIES = (
    ("m", "meters", "meter", "metres", "metre"),
    ("km", "kilometers", "kilometer", "kilometres", "kilometre"),
    ("cm", "centimeters", "centimeter", "centimetres", "centimetre"),
    ("km2", "km²", "sqkm", "sq km", "square kilometers", "square kilometres", "square km"),
    ("m2", "m²", "sqm", "sq m", "square meters", "square metres", "square m"),
    ("square miles", "sq mi", "square mile"),
    ("square feet", "sq ft", "square foot"),
    ("%", "percent", "per cent"),
    ("ha", "hectares", "hectare"),
    ("ft", "feet", "foot"),
    ("miles", "mile"),
    ("acres", "acre"),
    ("degrees", "degree", "°"),
)
_UNIT_KIN = {unit: family for family in _UNIT_FAMILIES for unit in family}
"""Spellings of a unit that a text may use."""
_JOINERS = frozenset({"x", "×", "by", "to", "and", "or"})
_SAMPLING = list_words(
    "resolution gsd sampling pixel pixels per spacing-per-pixel high-resolution low-resolution"
)
_ACQUIRED = list_words(
    "acquired captured taken imaged recorded dated collected observed acquisition image imagery scene photographed "
    "satellite aerial sentinel-1 sentinel-2 landsat snapshot"
)
"""Words by which a clause speaks of the day of the image, not of what once happened there."""


def check_seen_number(reading: Reading, i: int) -> Check | None:
    """Check a number by its unit, or by what stands around it."""
    text = reading.lower[i].replace("−", "-")
    if text.count("-") and text[0] != "-":
        return _check_iso_date(reading, i, text)
    value = float(text)
    half_digit = 0.5 * 10.0 ** -len(text.partition(".")[2])
    unit, is_square = _find_unit(reading, i)
    if unit in _SQUARE_METRES or (is_square and unit in _METRES):
        factor = _SQUARE_METRES.get(unit) or _METRES[unit] ** 2
        told = f"square {unit}" if is_square else unit
        return _check_measure(reading, i, text, told, (area / factor for area in _list_areas(reading.known)))
    if unit in _METRES:
        return _check_length(reading, i, text, unit)
    if unit in _OTHERS:
        return _check_other(reading, i, text, unit)
    return _check_plain(reading, i, value, half_digit)


def _find_unit(reading: Reading, i: int) -> tuple[str, bool]:
    """The unit of a number and whether it is squared; it may follow a second number: `10 to 20 m`, `10-20 m`."""
    unit = reading.at(i + 1)
    if is_number(unit) and reading.at(i + 2) not in MONTH_NUMBERS:
        return _find_unit(reading, i + 1)
    if unit in _JOINERS and is_number(reading.at(i + 2)):
        return _find_unit(reading, i + 2)
    is_square = unit in {"square", "sq"}
    unit = reading.at(i + 2) if is_square else unit
    return unit.partition("-")[0] if unit not in _OTHERS else unit, is_square


def _check_length(reading: Reading, i: int, text: str, unit: str) -> Check | None:
    known, factor = reading.known, _METRES[unit]
    resolution = known.said.resolution
    if resolution is not None and _speaks_of_sampling(reading, i):
        sampled = (resolution.gsd_m, resolution.native_gsd_m or resolution.gsd_m)
        extent = known.said.extent
        pixel = (extent.pixel_m,) if extent is not None else ()
        return reading.hold(Check.NUMBER, _fits(reading, i, text, (m / factor for m in (*sampled, *pixel))))
    return _check_measure(reading, i, text, unit, (metres / factor for metres in known.lengths_m))


def _speaks_of_sampling(reading: Reading, i: int) -> bool:
    """Tell whether the words around a number, up to the next comma, say `resolution`, `per pixel` or the like."""
    before, after = reading.lower[max(i - 5, 0) : i], reading.lower[i + 1 : i + 5]
    stops = [j for j, word in enumerate(before) if word in _STOPS]
    start = stops[-1] + 1 if stops else 0
    stop = next((j for j, word in enumerate(after) if word in _STOPS), len(after))
    return not _SAMPLING.isdisjoint((*before[start:], *after[:stop]))


_STOPS = frozenset({",", ";", ".", ":"})


def _check_other(reading: Reading, i: int, text: str, unit: str) -> Check | None:
    known = reading.known
    if unit in {"%", "percent", "per-cent"}:
        return check_share(reading, i, text)
    if unit in {"°", "degree", "degrees"}:
        return _check_angle(reading, i, text, unit)
    if unit == "db":
        return _check_measure(reading, i, text, unit, known.decibels)
    if unit in {"look", "looks"}:
        return _check_measure(reading, i, text, unit, known.looks)
    if unit in {"pixel", "pixels", "px"}:
        return _check_measure(reading, i, text, unit, known.pixels)
    return _check_measure(reading, i, text, unit, ())


def _check_measure(reading: Reading, i: int, text: str, unit: str, facts: Iterable[float]) -> Check | None:
    is_right = _fits(reading, i, text, facts) or _is_told(reading.known, text, unit)
    return reading.hold(Check.NUMBER, is_right)


def _fits(reading: Reading, i: int, text: str, facts: Iterable[float]) -> bool:
    value, hedge = float(text), find_hedge(reading, i)
    half_digit = 0.5 * 10.0 ** -len(text.partition(".")[2])
    return any(agrees(value, fact, half_digit, hedge, 0.1) for fact in facts)


def _is_told(known: Known, text: str, unit: str) -> bool:
    """Tell whether a text has the number with this unit."""
    return known.sources.has_number(text, _UNIT_KIN.get(unit, (unit,)))


def _list_areas(known: Known) -> Sequence[float]:
    extent = known.said.extent
    if extent is None:
        return ()
    area = extent.width_m * extent.height_m
    return (area, *(cover.share * area for cover in known.said.covers))


def _check_angle(reading: Reading, i: int, text: str, unit: str) -> Check | None:
    known = reading.known
    half_digit = 0.5 * 10.0 ** -len(text.partition(".")[2])
    side, axis = reading.at(i + 2)[:5], _find_axis(reading, i)
    if known.position is not None and side in _COMPASS:
        lon, lat = known.position
        said = -float(text) if side[0] in "sw" else float(text)
        off = said - (lon if side[0] in "ew" else lat)
    elif known.position is not None and axis is not None:
        degrees = known.position[axis]
        off = float(text) - (degrees if text[0] in "-−" else abs(degrees))
    else:
        return _check_measure(reading, i, text, unit, known.degrees)
    return reading.hold(Check.NUMBER, abs(off) <= half_digit + 1e-9)


_COMPASS = frozenset({"n", "s", "e", "w", "north", "south", "east", "west"})


def _find_axis(reading: Reading, i: int) -> int | None:
    """Tell degrees of longitude (0) and of latitude (1) that no letter or side follows; None for other angles."""
    if reading.at(i + 2) == "of":
        return _AXES.get(reading.at(i + 3))
    before = reading.at(i - 2) if reading.at(i - 1) in {"of", ":", "is"} else reading.at(i - 1)
    return _AXES.get(reading.at(i + 2), _AXES.get(before))


_AXES = {"longitude": 0, "latitude": 1}


# --- dates and counts --------------------------------------------------------------------------------------------


def _check_plain(reading: Reading, i: int, value: float, half_digit: float) -> Check | None:
    after, before = reading.at(i + 1), reading.at(i - 1)
    if (_is_month(reading, i + 1) or _is_month(reading, i - 1)) and value < 32 and half_digit == 0.5:
        return _check_day(reading, i, int(value))
    is_time = after == ":" and half_digit == 0.5 and len(reading.at(i + 2)) == 2
    if is_time and is_number(reading.at(i + 2)):
        return reading.hold(Check.DATE, reading.known.sources.has(f"{reading.lower[i]}:{reading.at(i + 2)}"))
    if 1800 <= value <= 2100 and half_digit == 0.5 and len(reading.lower[i]) == 4:
        return _check_year(reading, i, int(value))
    if before in {".", ":"} and after == ".":
        return None
    if is_beyond_eyes(reading, i, value, half_digit):
        return reading.hold(Check.NUMBER, is_known_somewhere(reading, i, value, half_digit))
    return check_count(reading, i, value)


def _check_year(reading: Reading, i: int, year: int) -> Check | None:
    known = reading.known
    if year == known.year:
        return reading.hold(Check.DATE, is_right=True)
    return reading.hold(Check.DATE, _may_tell_date(reading, i) and known.sources.has(str(year)))


def _check_day(reading: Reading, i: int, day: int) -> Check | None:
    known = reading.known
    if known.day is not None and day == known.day:
        return reading.hold(Check.DATE, is_right=True)
    beside = i + 1 if _is_month(reading, i + 1) else i - 1
    month = MONTHS[MONTH_NUMBERS[reading.lower[beside]] - 1]
    is_told = known.sources.has(f"{day} {month}") or known.sources.has(f"{month} {day}")
    return reading.hold(Check.DATE, is_told and (known.day is None or _may_tell_date(reading, i)))


def _check_iso_date(reading: Reading, i: int, text: str) -> Check | None:
    known, parts = reading.known, [int(part) for part in text.split("-")]
    if parts == [known.year, known.month, known.day][: len(parts)]:
        return reading.hold(Check.DATE, is_right=True)
    return reading.hold(Check.DATE, _may_tell_date(reading, i) and known.sources.has(text))


def check_seen_month(reading: Reading, i: int) -> Check | None:
    """Check a month: of the image where its clause speaks of that, else of a text."""
    if not _is_month(reading, i):
        return None
    known, month = reading.known, MONTH_NUMBERS[reading.lower[i]]
    if month == known.month:
        return reading.hold(Check.DATE, is_right=True)
    is_told = known.sources.has(MONTHS[month - 1])
    return reading.hold(Check.DATE, is_told and (known.month is None or _may_tell_date(reading, i)))


def _is_month(reading: Reading, i: int) -> bool:
    """Capitalised, and not the first word of a sentence that may be a verb: `May`, `March`."""
    word = reading.at(i)
    if word not in MONTH_NUMBERS or reading.tokens[i] == word:
        return False
    return word not in {"may", "march"} or not reading.is_first(i) or is_number(reading.at(i + 1))


def _may_tell_date(reading: Reading, i: int) -> bool:
    """Another date than the image's may be told of what is in the article, not of the image."""
    return reading.known.year is None or _ACQUIRED.isdisjoint(reading.sentence(i))


def _check_part_of_month(reading: Reading, i: int) -> Check | None:
    """Check `mid-August`, `early-May`."""
    known, month = reading.known, MONTH_NUMBERS[reading.lower[i].partition("-")[2]]
    is_told = known.month is None and known.sources.has(MONTHS[month - 1])
    return reading.hold(Check.DATE, month == known.month or is_told)


DATE_RULES: dict[str, Rule] = {
    **dict.fromkeys(MONTH_NUMBERS, check_seen_month),
    **dict.fromkeys(
        (f"{part}-{month}" for part in ("mid", "early", "late") for month in MONTH_NUMBERS),
        _check_part_of_month,
    ),
}
"""What names of months need."""


def check_spelt_number(reading: Reading, i: int) -> Check | None:
    """Check `ten metres`, `ten-metre resolution`; what counts things is checked as a count."""
    number, _, joined = reading.lower[i].partition("-")
    unit = joined or reading.at(i + 1)
    if unit not in _METRES:
        return None
    return _check_length(reading, i, str(NUMBER_WORDS.index(number)), unit)


SPELT_RULES: dict[str, Rule] = {
    **dict.fromkeys(NUMBER_WORDS[1:], check_spelt_number),
    **dict.fromkeys((f"{word}-{unit}" for word in NUMBER_WORDS[1:] for unit in _METRES), check_spelt_number),
}
"""What numbers in words need before a unit of length."""
