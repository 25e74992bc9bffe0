"""Checks of words that claim something: a name, a date, a place, a sensor, what is there and where."""

from __future__ import annotations

from collections.abc import Callable

from earthloom.caption.checks.known import Known
from earthloom.caption.checks.numbers import MONTH_NUMBERS
from earthloom.caption.checks.reading import SENTENCE_ENDS, Check, Reading, Rule
from earthloom.caption.facts.statements import Cell, Season, Zone
from earthloom.caption.language.english import FUNCTION_WORDS, list_words
from earthloom.caption.language.lexicon import CONTENT_WORDS
from earthloom.core.records import Modality
from earthloom.geo.platforms import Carrier, find_platform, list_platforms

# --- places, dates, names ----------------------------------------------------------------------------------------


def check_name(reading: Reading, i: int) -> Check | None:
    """Check a capitalised word within a sentence; `South Dakota` may not open one where `North Dakota` is known."""
    token = reading.tokens[i].removesuffix("'s")
    if token not in reading.known.capitals:
        return (
            reading.hold(Check.NAME, _is_spelling(reading.known, token))
            if token not in _COMMON_CAPITALS
            else None
        )
    reading.tried.add(Check.NAME)
    before = reading.tokens[i - 1]
    is_opening = i == 1 or reading.at(i - 2) in SENTENCE_ENDS
    if not is_opening or before == before.lower() or before in reading.known.capitals:
        return None
    return reading.hold(Check.NAME, before.lower() in FUNCTION_WORDS or reading.at(i - 1) in CLAIM_RULES)


_COMMON_CAPITALS = list_words("SAR RGB NIR GSD Earth N S E W UTC T dB Circle")


def _check_month(reading: Reading, i: int) -> Check | None:
    """`may` and `march` in lower case are no months."""
    if reading.tokens[i] == reading.lower[i]:
        return None
    return reading.hold(Check.DATE, MONTH_NUMBERS[reading.lower[i]] == reading.known.month)


def _check_season(reading: Reading, i: int) -> Check | None:
    return reading.hold(Check.DATE, reading.lower[i] == reading.known.season)


_ZONE_WORDS: dict[str, frozenset[Zone]] = {
    "arctic": frozenset({Zone.ARCTIC}),
    "antarctic": frozenset({Zone.ANTARCTIC}),
    "tropics": frozenset({Zone.TROPICS}),
    "tropical": frozenset({Zone.TROPICS}),
    "mid-latitudes": frozenset({Zone.NORTH, Zone.SOUTH}),
}


def _check_zone(reading: Reading, i: int) -> Check | None:
    return reading.hold(Check.ZONE, reading.known.zone in _ZONE_WORDS[reading.lower[i]])


def _check_hemisphere(reading: Reading, i: int) -> Check | None:
    position = reading.known.position
    if position is None:
        return reading.hold(Check.ZONE, is_right=False)
    lon, lat = position
    sides = {"northern": lat > 0, "southern": lat < 0, "eastern": lon > 0, "western": lon < 0}
    return reading.hold(Check.ZONE, sides.get(reading.at(i - 1), False))


# --- sensing -----------------------------------------------------------------------------------------------------

_RGB, _NIR, _SAR = frozenset({Modality.RGB}), frozenset({Modality.NIR}), frozenset({Modality.SAR})
_MODALITY_WORDS: dict[str, frozenset[Modality]] = {
    **dict.fromkeys(
        ("rgb", "colour", "colours", "color", "colors", "coloured", "colorful", "true-colour"), _RGB
    ),
    **dict.fromkeys(("true-color", "natural-colour", "natural-color"), _RGB),
    **dict.fromkeys(("nir", "near-infrared", "infrared"), _NIR),
    **dict.fromkeys(("optical",), _RGB | _NIR),
    **dict.fromkeys(("sar", "radar", "backscatter", "speckle", "synthetic-aperture", "polarisation"), _SAR),
    **dict.fromkeys(("polarization", "polarised", "polarized", "echoes", "microwave"), _SAR),
}


def _check_modality(reading: Reading, i: int) -> Check | None:
    return reading.hold(Check.MODALITY, reading.known.modality in _MODALITY_WORDS[reading.lower[i]])


def _check_polarisation(reading: Reading, i: int) -> Check | None:
    return reading.hold(Check.MODALITY, reading.lower[i][:2] == reading.known.polarisation)


_POLARISATIONS = ("vv", "vh", "hh", "hv")
_CARRIER_WORDS = {
    **dict.fromkeys(("satellite", "satellites", "spaceborne", "orbital", "orbit"), Carrier.SATELLITE),
    **dict.fromkeys(("aerial", "airborne", "drone", "uav"), Carrier.AIRCRAFT),
}


def _check_carrier(reading: Reading, i: int) -> Check | None:
    return reading.hold(Check.PLATFORM, reading.known.carrier is _CARRIER_WORDS[reading.lower[i]])


def _check_platform(reading: Reading, i: int) -> Check | None:
    token = reading.tokens[i]
    return reading.hold(Check.PLATFORM, token in reading.known.capitals or _is_spelling(reading.known, token))


def _is_spelling(known: Known, token: str) -> bool:
    """Tell whether a word is another spelling of the platform: `Landsat-8`."""
    platform = find_platform(token) if known.said.platform is not None else None
    return (
        platform is not None and known.said.platform is not None and platform.name == known.said.platform.name
    )


def _list_platform_words() -> frozenset[str]:
    """First words of platform names: `sentinel-1`, `landsat`, `naip`; not those that are words of captions too."""
    names = (
        name.split(" ")[0].lower()
        for platform in list_platforms()
        if not platform.ordinary
        for name in (platform.name, platform.word)
    )
    return frozenset(name for name in names if len(name) > 2)


# --- what is there -----------------------------------------------------------------------------------------------


def _has_content(known: Known, word: str) -> bool:
    return word in known.words


def _has_weather(known: Known, word: str) -> bool:
    return word in known.weather_words or word in known.words


def _check_content(reading: Reading, i: int) -> Check | None:
    return reading.hold(Check.CONTENT, _has_content(reading.known, reading.lower[i]) or reading.is_general(i))


def _check_weather(reading: Reading, i: int) -> Check | None:
    known, word = reading.known, reading.lower[i]
    is_measured = bool(known.cloud) and word in _CLOUDS and not _MEASURES.isdisjoint(reading.clause(i))
    is_right = is_measured or _has_weather(known, word) or reading.is_general(i)
    return reading.hold(Check.WEATHER, is_right)


def _check_simulated(reading: Reading, _i: int) -> Check | None:
    weather = reading.known.said.weather
    is_right = reading.known.is_synthetic or (weather is not None and weather.is_simulated)
    return reading.hold(Check.WEATHER, is_right)


_CLOUDS = frozenset({"cloud", "clouds"})
_MEASURES = frozenset({"cover", "covered", "%", "percent"})
"""What shows that a clause tells the cloud cover of the source, not what the picture shows."""


_WEATHER_WORDS = list_words(
    "fog foggy haze hazy mist misty snow snowy snow-covered cloud clouds cloudy overcast rain rainy storm "
    "stormy night nighttime night-time dusk smoke smoky dust dusty"
)


_PARTS = frozenset({"side", "part", "edge", "half"})


def _check_corner(reading: Reading, i: int) -> Check | None:
    """Check `upper left`, `lower side`, ..."""
    row, following = reading.lower[i], reading.at(i + 1)
    if following in {"left", "right"}:
        return _check_place(reading, i, f"{row} {following}")
    return _check_place(reading, i, row) if following in _PARTS else None


def _check_flank(reading: Reading, i: int) -> Check | None:
    """Check `left of the centre`, `right side`."""
    word, following = reading.lower[i], reading.at(i + 1)
    if reading.at(i - 1) in {"upper", "lower"}:
        return None
    if following == "of" and reading.at(i + 3) in {"centre", "center"}:
        return _check_place(reading, i, f"{word} of the centre")
    return _check_place(reading, i, word) if following in _PARTS else None


def _check_vertical(reading: Reading, i: int) -> Check | None:
    is_place = reading.at(i + 1) == "the" and reading.at(i + 2) in {"centre", "center"}
    return _check_place(reading, i, f"{reading.lower[i]} the centre") if is_place else None


def _check_centre(reading: Reading, i: int) -> Check | None:
    return _check_place(reading, i, Cell.CENTRE.value) if reading.at(i - 2) in {"in", "near"} else None


def _check_place(reading: Reading, i: int, place: str) -> Check | None:
    return reading.hold(Check.POSITION, place in reading.known.find_places(reading.clause(i)))


def check_banned(_reading: Reading, _i: int) -> Check | None:
    """Refuse a word in any caption."""
    return Check.WORDS


BANNED_WORDS = list_words(
    "photo photos photograph photographs photographic snapshot beautiful stunning breathtaking picturesque "
    "amazing majestic gorgeous lovely scenic impressive spectacular magnificent serene bustling charming "
    "idyllic striking mesmerizing captivating vibrant lush pristine"
)
"""Subjective words, and what calls a measurement a photograph (METHODS of GAIA's prompt ask the same)."""


def _check_synthetic(reading: Reading, i: int) -> Check | None:
    if reading.known.is_synthetic:
        return None
    is_aperture = reading.at(i + 1) == "aperture" and reading.known.modality is Modality.SAR
    return reading.hold(Check.SYNTHETIC, is_aperture)


CLAIM_RULES: dict[str, Rule] = {
    **dict.fromkeys(CONTENT_WORDS, _check_content),
    **dict.fromkeys(_WEATHER_WORDS, _check_weather),
    **dict.fromkeys(_list_platform_words(), _check_platform),
    **dict.fromkeys(MONTH_NUMBERS, _check_month),
    **dict.fromkeys((season.value for season in Season), _check_season),
    **dict.fromkeys(_ZONE_WORDS, _check_zone),
    **dict.fromkeys(_MODALITY_WORDS, _check_modality),
    **dict.fromkeys(
        (word for name in _POLARISATIONS for word in (name, f"{name}-polarised")), _check_polarisation
    ),
    **dict.fromkeys(_CARRIER_WORDS, _check_carrier),
    **dict.fromkeys(BANNED_WORDS, check_banned),
    **dict.fromkeys(("upper", "lower"), _check_corner),
    **dict.fromkeys(("left", "right"), _check_flank),
    **dict.fromkeys(("above", "below"), _check_vertical),
    **dict.fromkeys(("centre", "center", "middle"), _check_centre),
    "hemisphere": _check_hemisphere,
    "synthetic": _check_synthetic,
    "simulated": _check_simulated,
}
"""What words need that claim something."""
PART_RULES: dict[str, tuple[Check, Callable[[Known, str], bool]]] = {
    **dict.fromkeys(CONTENT_WORDS, (Check.CONTENT, _has_content)),
    **dict.fromkeys(_WEATHER_WORDS, (Check.WEATHER, _has_weather)),
}
"""What the parts of compounds need."""
