"""What is known instead: the facts that a fault contradicts, in a few words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from earthloom.caption.checks.known import Known
from earthloom.caption.checks.reading import Check
from earthloom.caption.language.english import say_date, say_number

_MOST = 6
"""How many facts a finding names."""


def explain(check: Check, words: str, known: Known) -> str:
    """Give the words that fail a check and what is known instead: `'12 m' (known: 0.3 m, 154 m)`."""
    tell = _TELLERS.get(check)
    if tell is None:
        return f"'{words}'"
    facts = list(dict.fromkeys(tell(known)))[:_MOST]
    return f"'{words}' (known: {', '.join(facts) or 'nothing'})"


def _tell_numbers(known: Known) -> Iterable[str]:
    yield from (f"{say_number(metres)} m" for metres in known.lengths_m)
    yield from (f"{pixels:g} pixels" for pixels in known.pixels)
    yield from (f"{decibels:g} dB" for decibels in known.decibels)
    yield from (f"{degrees:g} degrees" for degrees in known.degrees)
    yield from (f"{looks:g} looks" for looks in known.looks)
    if known.position is not None:
        yield f"{known.position[1]:.4f} N, {known.position[0]:.4f} E"


def _tell_shares(known: Known) -> Iterable[str]:
    yield from (f"{cover.name} {100 * cover.share:.3g} %" for cover in known.said.covers)
    yield from (f"cloud cover {100 * share:.3g} %" for share in known.cloud)


def _tell_counts(known: Known) -> Iterable[str]:
    yield from (f"{group.name} {group.count}" for group in known.said.objects)


def _tell_date(known: Known) -> Iterable[str]:
    if known.year is not None:
        yield say_date(known.year, known.month, known.day)
    if known.season is not None:
        yield known.season


def _tell_zone(known: Known) -> Iterable[str]:
    if known.position is not None:
        lon, lat = known.position
        yield f"{abs(lat):.4g} degrees {'north' if lat >= 0 else 'south'}"
        yield f"{abs(lon):.4g} degrees {'east' if lon >= 0 else 'west'}"


def _tell_names(known: Known) -> Iterable[str]:
    return known.said.names


def _tell_modality(known: Known) -> Iterable[str]:
    yield known.modality.value
    if known.polarisation is not None:
        yield known.polarisation.upper()


def _tell_platform(known: Known) -> Iterable[str]:
    for named in (known.said.platform, known.said.sensor):
        if named is not None:
            yield named.name
    if known.carrier is not None:
        yield known.carrier.value


def _tell_resolution(known: Known) -> Iterable[str]:
    resolution = known.said.resolution
    if resolution is not None:
        yield f"{say_number(resolution.gsd_m)} m"
        yield resolution.level.value


def _tell_weather(known: Known) -> Iterable[str]:
    if known.said.weather is not None:
        yield f"{known.said.weather.severity} {known.said.weather.effect}".strip()
    yield from (f"cloud cover {100 * share:.3g} %" for share in known.cloud)


def _tell_places(known: Known) -> Iterable[str]:
    for group in known.said.objects:
        cells = list(dict.fromkeys(cell.value for cell in group.cells))
        if cells:
            yield f"{group.name}: {' and '.join(cells[:3])}"


def _tell_labels(known: Known) -> Iterable[str]:
    said = known.said
    return (label.name for label in (*said.classes, *said.covers, *said.objects))


_TELLERS: dict[Check, Callable[[Known], Iterable[str]]] = {
    Check.NUMBER: _tell_numbers,
    Check.SHARE: _tell_shares,
    Check.COUNT: _tell_counts,
    Check.DATE: _tell_date,
    Check.ZONE: _tell_zone,
    Check.NAME: _tell_names,
    Check.MODALITY: _tell_modality,
    Check.PLATFORM: _tell_platform,
    Check.RESOLUTION: _tell_resolution,
    Check.WEATHER: _tell_weather,
    Check.POSITION: _tell_places,
    Check.CONTENT: _tell_labels,
}
