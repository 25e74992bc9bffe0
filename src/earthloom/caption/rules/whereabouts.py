"""Words for where and when an image was made, and under which sun and from which angle."""

from __future__ import annotations

from earthloom.caption.facts.statements import (
    Acquired,
    CloudCover,
    Country,
    InSeason,
    Position,
    Statements,
    Sun,
    View,
    Zone,
)
from earthloom.caption.language.english import MONTHS, say_date
from earthloom.caption.rules.grammar import Draw

_ZONES = {
    Zone.ARCTIC: ("north of the Arctic Circle", "in the Arctic"),
    Zone.NORTH: ("in the northern hemisphere", "at mid-latitudes of the northern hemisphere"),
    Zone.TROPICS: ("in the tropics", "between the tropics"),
    Zone.SOUTH: ("in the southern hemisphere", "at mid-latitudes of the southern hemisphere"),
    Zone.ANTARCTIC: ("south of the Antarctic Circle", "in the Antarctic"),
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
    degrees = round(sun.elevation_deg)
    if degrees <= 0:
        return f"with the sun {'below' if degrees else 'at'} the horizon"
    return draw.pick((f"with a sun elevation of {degrees}°", f"with the sun {degrees}° above the horizon"))


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
