"""Facts in names: dates, places, bands and classes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason

FIRST_YEAR, LAST_YEAR = 1840, 2199
"""Years that a picture of the ground can have: photography is younger than the first."""

_DATES = tuple(
    re.compile(form)
    for form in (
        r"(?P<year>\d{4})",
        r"(?P<year>\d{4})(?P<month>\d{2})",
        r"(?P<year>\d{4})(?P<ordinal>\d{3})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<year>\d{4})[-_./:](?P<month>\d{1,2})",
        r"(?P<year>\d{4})[-_./:](?P<ordinal>\d{3})",
        r"(?P<year>\d{4})(?P<separator>[-_./:])(?P<month>\d{1,2})(?P=separator)(?P<day>\d{1,2})",
    )
)
_DATE_AND_TIME = re.compile(
    r"(?P<date>\d{8}|\d{4}[-_./:]\d{1,2}[-_./:]\d{1,2})[T ]"
    r"(?P<hour>\d{2}):?(?P<minute>\d{2})(:?(?P<second>\d{2})(\.\d+)?)?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_ISO_CONSTANT = re.compile(r"\d{4}(-\d{2}(-\d{2}(T[\d:.]+(Z|[+-]\d{2}:?\d{2})?)?)?)?")


def parse_date(text: str) -> str:
    """Turn a date into ISO 8601, as precise as it is: `2019`, `2019-09`, `2019-09-04`, `2019-09-04T17:01:02Z`.

    Taken: 4, 6 or 8 digits or a year and day of year, with or without one of - _ . / : between the parts, and a
    time of day behind a T or a space. A time whose zone is not stated is dropped: it would be a guess by up to a
    day. Raises RecordError BAD_FACTS for anything else and for days that no calendar has.
    """
    text = text.strip()
    timed = _DATE_AND_TIME.fullmatch(text)
    if timed is not None:
        return _parse_time(timed, text)
    for form in _DATES:
        if match := form.fullmatch(text):
            parts = {name: int(value) for name, value in match.groupdict().items() if name != "separator"}
            return _format_date(text, **parts)
    raise RecordError(Reason.BAD_FACTS, f"{text!r} is no date; wanted one such as 2019, 201909 or 2019-09-04")


def is_constant_date(setting: str) -> bool:
    """Tell an ISO date, the same for all items, from a regular expression that finds one in a key."""
    return _ISO_CONSTANT.fullmatch(setting) is not None


def find_date(pattern: str, key: str) -> str | None:
    """Find the date that a regular expression captures in a key; None where it matches nothing.

    The expression has the named groups `year`, `month`, `day` (the last two optional), a named group `date`, or
    one group for all. Raises RecordError BAD_FACTS where what it captures is no date.
    """
    match = compile_pattern(pattern).search(key)
    if match is None:
        return None
    groups = match.groupdict()
    if groups.get("year"):
        named = {name: groups.get(name) for name in ("year", "month", "day")}
        return _format_date(match.group(0), **{name: _to_int(text) for name, text in named.items() if text})
    captured = groups.get("date") or match.group(1)
    return parse_date(captured) if captured else None


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a regular expression once."""
    return re.compile(pattern)


def capture(pattern: str | None, key: str) -> str | None:
    """Give what the groups of a regular expression capture in a key, joined by `|`; None without a match."""
    match = compile_pattern(pattern).search(key) if pattern is not None else None
    return None if match is None else "|".join(group or "" for group in match.groups())


def name_class(folder: str) -> str:
    """Turn a folder's name into plain words: `AnnualCrop`, `annual_crop` and `Annual-Crop` are `annual crop`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", folder)
    return " ".join(re.sub(r"[_\-.\s]+", " ", words).split()).lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class BandName:
    """What the `pattern` of a one-file-per-band product says of one file."""

    band: str
    product: str
    """The key with the band replaced by `*`: equal for all files of a product."""


def split_band(pattern: str, key: str) -> BandName | None:
    """Find the band of a file by the named group `band`; None for a file that the pattern does not match."""
    match = compile_pattern(pattern).search(key)
    if match is None or not match["band"]:
        return None
    start, end = match.span("band")
    return BandName(band=match["band"], product=f"{key[:start]}*{key[end:]}")


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedFacts:
    """Date and place that the `pattern` of a product captures; None for what it does not."""

    acquired: str | None = None
    lon: float | None = None
    lat: float | None = None


def read_product_name(pattern: str, product: str, band: str) -> NamedFacts:
    """Read date, longitude and latitude (degrees) from the key of a product, one of whose bands is `band`.

    Raises RecordError BAD_FACTS where a group captures what is no date or no place.
    """
    match = _match_product(pattern, product, band)
    if match is None:
        return NamedFacts()
    groups = match.groupdict()
    day, lon, lat = groups.get("date"), groups.get("lon"), groups.get("lat")
    if (lon is None) != (lat is None):
        raise RecordError(
            Reason.BAD_FACTS, f"{product}: longitude {lon}, latitude {lat}; wanted both or none"
        )
    return NamedFacts(
        acquired=None if day is None else parse_date(day),
        lon=None if lon is None else check_degrees("longitude", lon, 180),
        lat=None if lat is None else check_degrees("latitude", lat, 90),
    )


def check_degrees(what: str, value: str | float, limit: float) -> float:
    """Give degrees within +-limit as a number, or raise RecordError BAD_FACTS."""
    try:
        degrees = float(value)
    except ValueError:
        degrees = math.nan
    if not -limit <= degrees <= limit:
        raise RecordError(Reason.BAD_FACTS, f"{what} {value!r}; wanted degrees from {-limit:g} to {limit:g}")
    return degrees


def _match_product(pattern: str, product: str, band: str) -> re.Match[str] | None:
    """Match the name that a band's file has, which the product's key holds with `*` for the band."""
    for star in re.finditer(r"\*", product):
        name = product[: star.start()] + band + product[star.end() :]
        match = compile_pattern(pattern).search(name)
        if match is not None and match.span("band") == (star.start(), star.start() + len(band)):
            return match
    return None


def _to_int(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise RecordError(Reason.BAD_FACTS, f"{text!r} is no year, month or day; wanted digits")
    return int(text)


def _format_date(
    text: str, year: int, month: int | None = None, day: int | None = None, ordinal: int | None = None
) -> str:
    try:
        first = date(year, 1 if month is None else month, 1 if day is None else day)
        moment = first if ordinal is None else _add_days(first, ordinal)
    except ValueError as error:
        raise RecordError(Reason.BAD_FACTS, f"{text!r} is no date: {error}") from error
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise RecordError(Reason.BAD_FACTS, f"{text!r} is no date: year {year}")
    if month is None and ordinal is None:
        return f"{year:04d}"
    return f"{year:04d}-{month:02d}" if day is None and ordinal is None else moment.isoformat()


def _add_days(first: date, ordinal: int) -> date:
    moment = first + timedelta(days=ordinal - 1)
    if ordinal < 1 or moment.year != first.year:
        raise ValueError(f"the year has no day {ordinal}")
    return moment


def _parse_time(match: re.Match[str], text: str) -> str:
    day = parse_date(match["date"])
    second = match["second"] or "00"
    try:
        moment = datetime.fromisoformat(f"{day}T{match['hour']}:{match['minute']}:{second}{_offset(match)}")
    except ValueError as error:
        raise RecordError(Reason.BAD_FACTS, f"{text!r} is no date and time: {error}") from error
    if moment.tzinfo is None:
        return day
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _offset(match: re.Match[str]) -> str:
    zone = match["zone"]
    return "" if zone is None else "+00:00" if zone.upper() in {"Z", "UTC"} else zone
