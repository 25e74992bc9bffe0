"""Words for how an image was made: size, sampling, instrument, weather."""

from __future__ import annotations

from earthloom.caption.facts.statements import (
    Extent,
    Frame,
    Looks,
    Polarisation,
    Resolution,
    Statements,
    Weather,
)
from earthloom.caption.language.english import say_about, say_number
from earthloom.caption.rules.grammar import Draw
from earthloom.caption.rules.whereabouts import say_on_date, say_sun, say_time_of_year, say_view_angle

_WEATHER = {
    "fog": "with {strength}{simulated}fog",
    "snow": "with {strength}{simulated}snow",
    "night": "in {simulated}night light",
    "low light": "in {simulated}low light",
    "haze": "with {strength}{simulated}haze",
    "cloud": "with {strength}{simulated}cloud",
    "clouds": "with {simulated}clouds",
    "rain": "with {strength}{simulated}rain",
    "dust": "with {strength}{simulated}dust in the air",
    "smoke": "with {strength}{simulated}smoke",
}
_MAX_CONDITIONS = 2


def say_size(frame: Frame, draw: Draw) -> str:
    """`512 by 512 pixels`."""
    width, height = frame.width, frame.height
    return draw.pick(
        (f"{width} by {height} pixels", f"{width} x {height} pixels", f"{width} × {height} pixels")
    )


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
    width, height = say_about(extent.width_m), say_about(extent.height_m)
    if width == height:
        return draw.pick(
            (f"about {width} by {height}", f"about {width} on each side", f"about {width} x {height}")
        )
    return f"about {width} by {height}"


def say_ground(extent: Extent, draw: Draw) -> str:
    """`about 1.3 km by 1.3 km`, whatever the shape."""
    width, height = say_about(extent.width_m), say_about(extent.height_m)
    return f"about {width} {draw.pick(('by', 'x'))} {height}"


def say_polarisation(polarisation: Polarisation, _draw: Draw) -> str:
    """`in VV polarisation`."""
    return f"in {polarisation.name} polarisation"


def say_looks(looks: Looks, _draw: Draw) -> str:
    """`with 4 looks`."""
    number = say_number(looks.looks)
    return f"with {number} look{'' if number == '1' else 's'}"


def say_weather(weather: Weather, _draw: Draw) -> str:
    """`with light simulated fog`: an effect is never passed off as weather of the day. `with fog` of what was there."""
    phrase = _WEATHER.get(weather.effect) or _WEATHER.get(weather.word)
    if phrase is None:
        return f'with {"the simulated effect" if weather.is_simulated else "weather labelled"} "{weather.effect}"'
    simulated = "simulated " if weather.is_simulated else ""
    strength = f"{weather.severity} " if weather.severity else ""
    return phrase.format(strength=strength, simulated=simulated)


def has_source(said: Statements) -> bool:
    """Tell whether platform or sensor is known."""
    return said.platform is not None or said.sensor is not None


def say_source(said: Statements, draw: Draw) -> str:
    """`by Sentinel-2 with the MSI sensor`; empty where neither is known."""
    platform = ""
    if said.platform is not None:
        platform = f"{'from' if said.platform.carrier is None else 'by'} {said.platform.name}"
    if said.sensor is None or (said.platform is not None and said.sensor.name == said.platform.name):
        return platform
    sensor = f"the {said.sensor.name} sensor"
    if said.platform is None or said.platform.carrier is None:
        return f"{platform} with {sensor}".strip()
    name = said.platform.name
    forms = (
        f"by {name} with {sensor}",
        f"by {sensor} of {name}",
        f"by {sensor} aboard {name}",
        f"by {name} ({said.sensor.name} sensor)",
        f"with {sensor} on {name}",
        f"by {said.sensor.name} on {name}",
    )
    return draw.pick(forms)


def say_conditions(said: Statements, draw: Draw) -> str:
    """Name platform, sensor and date, then some other conditions, then the weather; empty where none is known."""
    others = _list_conditions(said, draw)
    while len(others) > _MAX_CONDITIONS:
        del others[draw.below(len(others))]
    if draw.below(2):
        others.reverse()
    when = say_on_date(said.acquired, draw) if said.acquired is not None else ""
    if said.season is not None and draw.below(2):
        when = f"{when} ({said.season.season.value})" if when else f"in {said.season.season.value}"
    head = " ".join(part for part in (say_source(said, draw), when) if part)
    weather = say_weather(said.weather, draw) if said.weather is not None else ""
    return ", ".join(part for part in (head, " and ".join(others), weather) if part)


def can_say_observation(said: Statements) -> bool:
    """Tell whether anything is known of how an image was made but for its sampling, its date and added weather."""
    month = said.acquired.month if said.acquired is not None else None
    weather = None if said.weather is None or said.weather.is_simulated else said.weather
    facts = (month, said.season, said.sun, said.view, said.polarisation, said.looks, weather)
    return any(fact is not None for fact in facts) or has_source(said)


def say_observation(said: Statements, draw: Draw) -> str:
    """Name platform and sensor, month or season, geometry and weather: no date, no coordinates, no sampling."""
    head = [part for part in (say_source(said, draw), say_time_of_year(said, draw)) if part]
    if len(head) > 1 and draw.below(3) == 0:
        head.reverse()
    others = []
    if said.polarisation is not None:
        others.append(say_polarisation(said.polarisation, draw))
    if said.sun is not None:
        others.append(say_sun(said.sun, draw))
    if said.view is not None:
        others.append(say_view_angle(said.view, draw))
    if said.looks is not None:
        others.append(say_looks(said.looks, draw))
    weather = say_weather(said.weather, draw) if said.weather is not None else ""
    return ", ".join(part for part in (" ".join(head), " and ".join(others[:2]), weather) if part)


def _list_conditions(said: Statements, draw: Draw) -> list[str]:
    conditions = []
    if said.resolution is not None:
        conditions.append(say_at_gsd(said.resolution, draw))
    if said.polarisation is not None:
        conditions.append(say_polarisation(said.polarisation, draw))
    if said.looks is not None:
        conditions.append(say_looks(said.looks, draw))
    if said.sun is not None:
        conditions.append(say_sun(said.sun, draw))
    if said.view is not None:
        conditions.append(say_view_angle(said.view, draw))
    return conditions


def say_acquisition(said: Statements, made: str, draw: Draw) -> str:
    """Name platform, sensor and date: `acquired by Sentinel-2 with the MSI sensor on 4 September 2019`."""
    when = say_on_date(said.acquired, draw) if said.acquired is not None else ""
    return " ".join(part for part in (made, say_source(said, draw), when) if part)
