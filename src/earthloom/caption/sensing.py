"""Words for where, when and how an image was made."""

from __future__ import annotations

from earthloom.caption.english import say_date, say_number
from earthloom.caption.grammar import Draw
from earthloom.caption.statements import (
    Acquired,
    Extent,
    Frame,
    InSeason,
    Looks,
    Polarisation,
    Position,
    Resolution,
    Statements,
    Weather,
    Zone,
)

_ZONES = {
    Zone.ARCTIC: ("north of the Arctic Circle", "in the Arctic"),
    Zone.NORTH: ("in the northern hemisphere", "at mid-latitudes of the northern hemisphere"),
    Zone.TROPICS: ("in the tropics", "between the tropics"),
    Zone.SOUTH: ("in the southern hemisphere", "at mid-latitudes of the southern hemisphere"),
    Zone.ANTARCTIC: ("south of the Antarctic Circle", "in the Antarctic"),
}
_WEATHER = {
    "fog": "with {strength} simulated fog",
    "snow": "with {strength} simulated snow",
    "night": "in simulated night light",
    "low light": "in simulated low light",
    "haze": "with {strength} simulated haze",
    "cloud": "with {strength} simulated cloud",
    "clouds": "with simulated clouds",
    "rain": "with {strength} simulated rain",
    "dust": "with {strength} simulated dust in the air",
    "smoke": "with {strength} simulated smoke",
}
_MAX_CONDITIONS = 2


def say_size(frame: Frame, draw: Draw) -> str:
    """`512 by 512 pixels`."""
    return draw.pick((f"{frame.width} by {frame.height} pixels", f"{frame.width} x {frame.height} pixels"))


def say_shape(frame: Frame, draw: Draw) -> str:
    """`square, 512 pixels a side`."""
    if frame.width == frame.height:
        return draw.pick((f"square, {frame.width} pixels a side", f"a square of {frame.width} pixels a side"))
    return f"a rectangle, {frame.width} pixels wide and {frame.height} pixels high"


def say_grid(frame: Frame, draw: Draw) -> str:
    """`512 columns by 512 rows`."""
    columns, rows = f"{frame.width} columns", f"{frame.height} rows"
    each = f"{rows} of {frame.width} pixels each"
    return draw.pick((f"{columns} and {rows} of pixels", f"{columns} by {rows}", each))


def say_metres(metres: float) -> str:
    """`0.3 m`, which may stand before a noun."""
    return f"{say_number(metres)} m"


def say_gsd(resolution: Resolution, draw: Draw) -> str:
    """`2 m` or `2 metres`."""
    number = say_number(resolution.gsd_m)
    return draw.pick((f"{number} m", f"{number} m", f"{number} metre{'' if number == '1' else 's'}"))


def say_at_gsd(resolution: Resolution, draw: Draw) -> str:
    """`at 2 m ground sample distance`."""
    metres = say_metres(resolution.gsd_m)
    forms = (
        f"at {metres} ground sample distance",
        f"at a ground sample distance of {say_gsd(resolution, draw)}",
        f"at a GSD of {metres}",
        f"at {metres} resolution",
        f"at {metres} GSD",
    )
    return draw.pick(forms)


def say_pixel(extent: Extent, draw: Draw) -> str:
    """`2 m by 2 m`."""
    metres = say_metres(extent.pixel_m)
    return draw.pick((metres, f"{metres} by {metres}"))


def say_extent(extent: Extent, draw: Draw) -> str:
    """`about 1.3 km by 1.3 km`."""
    width, height = _say_about(extent.width_m), _say_about(extent.height_m)
    if width == height:
        return draw.pick(
            (f"about {width} by {height}", f"about {width} on each side", f"about {width} x {height}")
        )
    return f"about {width} by {height}"


def _say_about(metres: float) -> str:
    """Two significant digits, three from a hundred on: what `about` can bear."""
    value, unit = (metres / 1000, "km") if metres >= 1000 else (metres, "m")
    return f"{say_number(float(f'{value:.2g}' if value < 100 else f'{value:.3g}'))} {unit}"


def say_when(acquired: Acquired, _draw: Draw) -> str:
    """`4 September 2019`, or as much of it as is known."""
    return say_date(acquired.year, acquired.month, acquired.day)


def say_on_date(acquired: Acquired, draw: Draw) -> str:
    """`on 4 September 2019` or `in 2019`."""
    return f"{'in' if acquired.day is None else 'on'} {say_when(acquired, draw)}"


def say_season(season: InSeason, _draw: Draw) -> str:
    """`autumn`."""
    return season.season.value


def say_position(position: Position, _draw: Draw) -> str:
    """`47.02° N, 99.18° W`."""
    north, east = "S" if position.lat < 0 else "N", "W" if position.lon < 0 else "E"
    return f"{abs(position.lat):.2f}° {north}, {abs(position.lon):.2f}° {east}"


def say_zone(position: Position, draw: Draw) -> str:
    """`in the tropics`."""
    return draw.pick(_ZONES[position.zone])


def say_polarisation(polarisation: Polarisation, _draw: Draw) -> str:
    """`in VV polarisation`."""
    return f"in {polarisation.name} polarisation"


def say_looks(looks: Looks, _draw: Draw) -> str:
    """`with 4 looks`."""
    number = say_number(looks.looks)
    return f"with {number} look{'' if number == '1' else 's'}"


def say_decibels(decibels: float) -> str:
    """`-25 dB`."""
    return f"{round(decibels, 1) or 0:g} dB"


def say_weather(weather: Weather, _draw: Draw) -> str:
    """`with light simulated fog`: an effect is never passed off as weather of the day."""
    phrase = _WEATHER.get(weather.effect)
    if phrase is None:
        return f'with the simulated effect "{weather.effect}"'
    return phrase.format(strength=weather.severity)


def say_source(said: Statements) -> str:
    """`by Sentinel-2 with the MSI sensor`; empty where neither is known."""
    platform = ""
    if said.platform is not None:
        platform = f"{'from' if said.platform.carrier is None else 'by'} {said.platform.name}"
    if said.sensor is None or (said.platform is not None and said.sensor.name == said.platform.name):
        return platform
    return f"{platform} with the {said.sensor.name} sensor".strip()


def say_conditions(said: Statements, draw: Draw) -> str:
    """Name platform, sensor and date, then some other conditions, then the weather; empty where none is known."""
    others = _list_conditions(said, draw)
    while len(others) > _MAX_CONDITIONS:
        del others[draw.below(len(others))]
    if draw.below(2):
        others.reverse()
    when = say_on_date(said.acquired, draw) if said.acquired is not None else ""
    if said.season is not None and draw.below(2):
        when += f" ({said.season.season.value})"
    head = " ".join(part for part in (say_source(said), when) if part)
    weather = say_weather(said.weather, draw) if said.weather is not None else ""
    return ", ".join(part for part in (head, " ".join(others), weather) if part)


def _list_conditions(said: Statements, draw: Draw) -> list[str]:
    conditions = []
    if said.resolution is not None:
        conditions.append(say_at_gsd(said.resolution, draw))
    if said.polarisation is not None:
        conditions.append(say_polarisation(said.polarisation, draw))
    if said.looks is not None:
        conditions.append(say_looks(said.looks, draw))
    return conditions


def say_acquisition(said: Statements, made: str, draw: Draw) -> str:
    """Name platform, sensor and date: `acquired by Sentinel-2 with the MSI sensor on 4 September 2019`."""
    when = say_on_date(said.acquired, draw) if said.acquired is not None else ""
    return " ".join(part for part in (made, say_source(said), when) if part)


def say_location(said: Statements, draw: Draw) -> str:
    """`over North Dakota (47.02° N, 99.18° W)`, or what is known of it; empty where nothing is."""
    position = say_position(said.position, draw) if said.position is not None else ""
    if said.place is not None:
        return f"over {said.place.name}" + (f" ({position})" if position else "")
    return f"{draw.pick(('centred at', 'at'))} {position}" if position else ""
