"""Words for where, when and how an image was made."""

from __future__ import annotations

from earthloom.caption.english import MONTHS, say_about, say_date, say_number
from earthloom.caption.grammar import Draw
from earthloom.caption.statements import (
    Acquired,
    CloudCover,
    Country,
    Extent,
    Frame,
    InSeason,
    Looks,
    Polarisation,
    Position,
    Resolution,
    Statements,
    Sun,
    View,
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
_WITH_ARTICLE = frozenset(
    {"netherlands", "philippines", "bahamas", "maldives", "gambia", "seychelles", "comoros"}
)
_ARTICLE_STARTS = (
    "united ",
    "democratic republic",
    "republic ",
    "central african",
    "dominican republic",
    "isle of",
)
_ARTICLE_ENDS = (" islands", " territory", " territories", " antilles")
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
        f"with samples every {metres}",
        f"sampled at {metres}",
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


def say_when(acquired: Acquired, _draw: Draw) -> str:
    """`4 September 2019`, or as much of it as is known."""
    return say_date(acquired.year, acquired.month, acquired.day)


def say_on_date(acquired: Acquired, draw: Draw) -> str:
    """`on 4 September 2019` or `in 2019`."""
    return f"{'in' if acquired.day is None else 'on'} {say_when(acquired, draw)}"


def say_season(season: InSeason, _draw: Draw) -> str:
    """`autumn`."""
    return season.season.value


def say_time_of_year(said: Statements, draw: Draw) -> str:
    """Say month and season, no year and no day: `in September, in autumn`; empty where neither is known."""
    month = said.acquired.month if said.acquired is not None else None
    named = f"in {MONTHS[month - 1]}" if month is not None else ""
    if said.season is None:
        return named
    season = said.season.season.value
    if not named:
        return f"in {season}"
    return draw.pick((f"{named} ({season})", f"in the {season} month of {named[3:]}"))


def say_country(country: Country) -> str:
    """Give a country's name with the article that it takes: `the United States`, `Kenya`."""
    lower = country.name.lower()
    has_article = lower in _WITH_ARTICLE or lower.startswith(_ARTICLE_STARTS) or lower.endswith(_ARTICLE_ENDS)
    return f"the {country.name}" if has_article else country.name


def say_sun(sun: Sun, draw: Draw) -> str:
    """`with the sun 35° above the horizon`."""
    degrees = round(abs(sun.elevation_deg))
    if degrees == 0:
        return "with the sun at the horizon"
    side = "above" if sun.elevation_deg > 0 else "below"
    if side == "above" and draw.below(2):
        return f"with a sun elevation of {degrees}°"
    return f"with the sun {degrees}° {side} the horizon"


def say_view_angle(view: View, draw: Draw) -> str:
    """`12° off nadir`."""
    degrees = round(view.off_nadir_deg)
    if degrees == 0:
        return "looking straight down"
    return draw.pick(
        (f"at {degrees}° off nadir", f"looking {degrees}° off nadir", f"from {degrees}° off nadir")
    )


def say_geometry(said: Statements, draw: Draw) -> str:
    """`with the sun 35° above the horizon, looking 12° off nadir`, or what is known of it."""
    sun = [say_sun(said.sun, draw)] if said.sun is not None else []
    view = [say_view_angle(said.view, draw)] if said.view is not None else []
    return ", ".join([*sun, *view])


def say_cloud_cover(cover: CloudCover, draw: Draw) -> str:
    """`about 12 % cloud cover`, of the whole source image."""
    percent = f"about {100 * cover.share:.0f} %" if cover.share >= 0.01 else "under 1 %"
    if cover.share > 0.99:
        percent = "over 99 %"
    return draw.pick((f"{percent} cloud cover", f"a cloud cover of {percent}"))


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
    return draw.pick((f"by {name} with {sensor}", f"by {sensor} of {name}", f"by {sensor} aboard {name}"))


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
    return ", ".join(part for part in (head, " ".join(others), weather) if part)


def can_say_observation(said: Statements) -> bool:
    """Tell whether anything is known of how an image was made but for its sampling and its date."""
    month = said.acquired.month if said.acquired is not None else None
    facts = (month, said.season, said.sun, said.view, said.polarisation, said.looks, said.weather)
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


def say_location(said: Statements, draw: Draw) -> str:
    """`over North Dakota (47.02° N, 99.18° W)`, or what is known of it; empty where nothing is."""
    position = say_position(said.position, draw) if said.position is not None else ""
    named = say_whereabouts(said)
    if named:
        return named + (f" ({position})" if position else "")
    return f"{draw.pick(('centred at', 'at'))} {position}" if position else ""


def say_whereabouts(said: Statements) -> str:
    """`over Brasilia in Brazil`, or what is known of it in names; empty where nothing is."""
    if said.place is None:
        return f"over {say_country(said.country)}" if said.country is not None else ""
    country = f" in {say_country(said.country)}" if said.country is not None else ""
    return f"over {said.place.name}{country}"
