"""Facts as a model is told them: one line each, always in the same order, with units; what is unknown is listed too.

Coordinates and the day of the month are left out on purpose: nobody sees them, and a model that reads them names
places from memory. The same facts give the same lines on any machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from earthloom.caption.chat.quoting import tame
from earthloom.caption.facts.statements import (
    Acquired,
    Cover,
    Extent,
    Objects,
    SceneClass,
    Statements,
    Weather,
    Zone,
)
from earthloom.caption.language.english import MONTHS, say_number
from earthloom.core.records import Modality
from earthloom.geo.levels import find_resolution_class

_MAX_KINDS = 12
_MAX_BORDERS = 4
_MAX_NAME = 60
_KINDS = {
    Modality.RGB: "optical image in colour (RGB)",
    Modality.NIR: "near-infrared image, one band shown in grey",
    Modality.SAR: "synthetic aperture radar (SAR) image, backscatter shown in grey",
}
_ZONES = {
    Zone.ARCTIC: "north of the Arctic Circle",
    Zone.NORTH: "between the northern tropic and the Arctic Circle",
    Zone.TROPICS: "in the tropics",
    Zone.SOUTH: "between the southern tropic and the Antarctic Circle",
    Zone.ANTARCTIC: "south of the Antarctic Circle",
}
_SYNTHETIC = "synthetic: drawn by a program, it exists nowhere and has no name; it may be called synthetic"


def list_facts(said: Statements) -> str:
    """Write the facts about one picture as a list for a prompt."""
    lines = [f"- {name}: {value}" for name, value in _list_known(said)]
    unknown = list(_list_unknown(said))
    if unknown:
        lines.append(f"- unknown: {', '.join(unknown)}")
    return "\n".join(lines)


def _list_known(said: Statements) -> Iterator[tuple[str, str]]:
    if said.synthetic is not None:
        yield "landscape", _SYNTHETIC
    yield "kind", _KINDS[said.signal.modality]
    yield from _list_sensing(said)
    yield from _list_time_and_place(said)
    yield from _list_state(said)
    yield from _list_content(said)


def _list_sensing(said: Statements) -> Iterator[tuple[str, str]]:
    if said.polarisation is not None:
        yield "polarisation", said.polarisation.name
    if said.looks is not None:
        yield "equivalent number of looks", say_number(said.looks.looks)
    if said.display is not None:
        yield "shown from", f"{said.display.low_db:.3g} dB (black) to {said.display.high_db:.3g} dB (white)"
    if said.brightness is not None and said.brightness.unit == "dB":
        yield "median backscatter", f"{said.brightness.median:.1f} dB"
    if said.platform is not None:
        carrier = f" ({said.platform.carrier.value})" if said.platform.carrier is not None else ""
        yield "platform", _tame(said.platform.name) + carrier
    if said.sensor is not None:
        yield "sensor", _tame(said.sensor.name)
    if said.collection is not None:
        yield "collection", _tame(said.collection.title)
    if said.resolution is not None:
        gsd_m = said.resolution.gsd_m
        yield "spatial resolution", f"{say_number(gsd_m)} m ({find_resolution_class(gsd_m).value})"
    if said.extent is not None:
        yield "ground in view", _say_extent(said.extent)
    if said.view is not None:
        yield "view", f"{said.view.off_nadir_deg:.0f} degrees from straight down"
    if said.validity is not None:
        yield "data", f"{_say_share(said.validity.share)} of the frame; the rest is empty"


def _list_time_and_place(said: Statements) -> Iterator[tuple[str, str]]:
    if said.acquired is not None:
        yield "date", _say_month(said.acquired)
    if said.season is not None:
        yield "season", said.season.season.value
    if said.place is not None:
        yield "place", _tame(said.place.name)
    if said.country is not None:
        yield "country", _tame(said.country.name)
    if said.position is not None:
        yield "latitude", _ZONES[said.position.zone]


def _list_state(said: Statements) -> Iterator[tuple[str, str]]:
    if said.sun is not None:
        yield "sun", f"{said.sun.elevation_deg:.0f} degrees above the horizon"
    if said.weather is not None:
        yield "weather and light", _say_weather(said.weather)
    if said.cloud_cover is not None:
        yield "cloud cover of the whole source image", _say_share(said.cloud_cover.share)


def _list_content(said: Statements) -> Iterator[tuple[str, str]]:
    for kind in said.classes[:_MAX_KINDS]:
        yield "scene class", _say_class(kind)
    if said.covers:
        yield "ground cover by area", ", ".join(_say_covers(said.covers[:_MAX_KINDS]))
    if said.adjacent:
        pairs = (f"{_tame(pair.first)} and {_tame(pair.second)}" for pair in said.adjacent[:_MAX_BORDERS])
        yield "longest borders between", "; ".join(pairs)
    for group in said.objects[:_MAX_KINDS]:
        yield "labelled objects", _say_objects(group)


def _list_unknown(said: Statements) -> Iterator[str]:
    exists = said.synthetic is None
    facts = {
        "platform": said.platform is None and exists,
        "sensor": said.sensor is None and exists,
        "spatial resolution": said.resolution is None,
        "date": said.acquired is None and exists,
        "season": said.season is None and (said.acquired is None or said.acquired.month is None) and exists,
        "place": said.place is None and exists,
        "country": said.country is None and exists,
        "what is on the ground (look yourself)": not (said.classes or said.covers or said.objects),
    }
    return (name for name, is_unknown in facts.items() if is_unknown)


def _tame(name: str) -> str:
    return tame(name, _MAX_NAME)


def _say_extent(extent: Extent) -> str:
    return f"{_say_length(extent.width_m)} wide and {_say_length(extent.height_m)} high"


def _say_length(length_m: float) -> str:
    return f"{say_number(length_m / 1000)} km" if length_m >= 1000 else f"{say_number(length_m)} m"


def _say_share(share: float) -> str:
    percent = 100 * share
    if percent < 1:
        return "under 1 %" if percent > 0 else "0 %"
    return "over 99 %" if 99 < percent < 100 else f"{percent:.0f} %"


def _say_month(acquired: Acquired) -> str:
    return f"{MONTHS[acquired.month - 1]} {acquired.year}" if acquired.month else str(acquired.year)


def _say_weather(weather: Weather) -> str:
    strength = f" ({weather.severity})" if weather.severity else ""
    source = "simulated; describe it as it is seen" if weather.is_simulated else "as the source says"
    return f"{_tame(weather.effect)}{strength}, {source}"


def _say_class(kind: SceneClass) -> str:
    part = "" if kind.is_whole else " (of a larger scene, of which this picture shows a part)"
    return _tame(kind.name) + part


def _say_covers(covers: Iterable[Cover]) -> Iterator[str]:
    return (f"{_tame(cover.name)} {_say_share(cover.share)}" for cover in covers)


def _say_objects(group: Objects) -> str:
    details: list[str] = []
    cells = Counter(cell.value for cell in group.cells)
    if cells:
        details.append("; ".join(f"{count} {cell}" for cell, count in cells.items()))
    if group.lengths_m:
        shortest, longest = (say_number(length) for length in (min(group.lengths_m), max(group.lengths_m)))
        details.append(f"{shortest} m long" if shortest == longest else f"{shortest} to {longest} m long")
    if group.spacing_m is not None:
        details.append(f"typically {say_number(group.spacing_m)} m from one to the next")
    return f"{_tame(group.name)}: {group.count}" + (f" ({'; '.join(details)})" if details else "")
