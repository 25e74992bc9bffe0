"""Checks of words by an author who sees the picture: what contradicts a fact fails, what only eyes can tell passes."""

from __future__ import annotations

from earthloom.caption.claims import BANNED_WORDS, check_banned
from earthloom.caption.english import list_words
from earthloom.caption.numbers import agrees, find_hedge
from earthloom.caption.reading import Check, Reading, Rule
from earthloom.caption.seen_numbers import find_seen_shares
from earthloom.core.records import Modality
from earthloom.geo.levels import find_level_word
from earthloom.geo.platforms import Carrier

# --- sensing -----------------------------------------------------------------------------------------------------

_RADAR_WORDS = list_words(
    "sar radar backscatter backscattered speckle synthetic-aperture polarimetric polsar insar microwave radar-based"
)
_COLOUR_WORDS = list_words(
    "rgb colour colours color colors coloured colored colourful colorful true-colour true-color natural-colour "
    "natural-color green blue red yellow brown orange purple pink turquoise beige teal reddish greenish bluish brownish"
)
_OPTICAL_WORDS = list_words("optical multispectral hyperspectral panchromatic")
_INFRARED_WORDS = list_words(
    "infrared near-infrared nir false-colour false-color thermal swir shortwave-infrared"
)
_RADAR_THINGS = list_words(
    "station stations dome domes antenna antennas tower towers dish dishes installation array"
)
"""Things on the ground that have `radar`, `satellite` or `thermal` in their names."""
_THINGS = _RADAR_THINGS | list_words(
    "power plant plants spring springs pool pools bath baths town city cities settlement campus tv television"
)


def _check_radar(reading: Reading, i: int) -> Check | None:
    if reading.at(i + 1) in _RADAR_THINGS or reading.is_denied(i):
        return None
    return reading.hold(Check.MODALITY, reading.known.modality is Modality.SAR)


def _check_colour(reading: Reading, i: int) -> Check | None:
    if reading.tokens[i][0].isupper() and not reading.is_first(i) and reading.lower[i] != "rgb":
        return None
    if reading.is_denied(i):
        return None
    return reading.hold(Check.MODALITY, reading.known.modality is Modality.RGB)


def _check_optical(reading: Reading, i: int) -> Check | None:
    if reading.is_denied(i):
        return None
    return reading.hold(Check.MODALITY, reading.known.modality is not Modality.SAR)


def _check_infrared(reading: Reading, i: int) -> Check | None:
    """Colours shown of an RGB picture may be infrared ones, where a text says so."""
    known, word = reading.known, reading.lower[i]
    if reading.at(i + 1) in _THINGS or reading.is_denied(i):
        return None
    is_grey = word not in {"false-colour", "false-color", "thermal"} and known.modality is Modality.NIR
    return reading.hold(Check.MODALITY, is_grey or known.modality is Modality.RGB and known.sources.has(word))


def _check_polarisation(reading: Reading, i: int) -> Check | None:
    if not reading.tokens[i][:2].isupper():
        return None
    known, name = reading.known, reading.lower[i][:2]
    return reading.hold(Check.MODALITY, name == known.polarisation)


def _check_polarised(reading: Reading, i: int) -> Check | None:
    """Check `cross-polarised`, `horizontally polarised`, `vertical polarisation`."""
    known, word = reading.known, reading.lower[i]
    if known.modality is not Modality.SAR:
        return None if reading.is_denied(i) else reading.hold(Check.MODALITY, is_right=False)
    name, before = known.polarisation, reading.at(i - 1)
    wanted = _POLARISED.get(f"{before.removesuffix('ly')} ") or _POLARISED.get(word.partition("-")[0])
    return None if wanted is None or name is None else reading.hold(Check.MODALITY, name in wanted)


_POLARISED = {
    "horizontal ": ("hh", "hv", "vh"),
    "vertical ": ("vv", "hv", "vh"),
    "cross ": ("vh", "hv"),
    "cross": ("vh", "hv"),
    "co": ("vv", "hh"),
}
_AERIAL_MEDIA = list_words(
    "image images imagery photo photos photograph photographs photography survey orthophoto orthophotos orthoimage "
    "campaign platform sensor mosaic"
)
"""An aerial image is taken from an aircraft; an aerial view is any from above."""


def _check_satellite(reading: Reading, i: int) -> Check | None:
    if reading.at(i + 1) in _THINGS or reading.is_denied(i) or reading.known.carrier is None:
        return None
    return reading.hold(Check.PLATFORM, reading.known.carrier is Carrier.SATELLITE)


def _check_aerial(reading: Reading, i: int) -> Check | None:
    is_medium = reading.lower[i] != "aerial" or reading.at(i + 1) in _AERIAL_MEDIA
    if not is_medium or reading.is_denied(i) or reading.known.carrier is None:
        return None
    return reading.hold(Check.PLATFORM, reading.known.carrier is Carrier.AIRCRAFT)


_RANGES_M = {
    "very high": (0.0, 4.0),
    "high": (0.0, 30.0),
    "moderate": (1.0, 300.0),
    "low": (5.0, 1e6),
}
"""GSD in metres from which and up to which a word is right by MMM-RS or by the Copernicus Contributing Missions
(very high to 4 m, high to 30 m, medium to 300 m, low beyond): what both deny is false. GAIA's four words have no
thresholds of their own."""
_LEVELS = {
    **dict.fromkeys(("high", "fine", "detailed"), "high"),
    **dict.fromkeys(
        ("very-high", "ultra-high", "ultrahigh", "sub-meter", "sub-metre", "submeter"), "very high"
    ),
    **dict.fromkeys(("moderate", "medium", "intermediate"), "moderate"),
    **dict.fromkeys(("low", "coarse", "poor"), "low"),
    **dict.fromkeys(("ultra-low", "very-low"), "low"),
}


def _check_resolution(reading: Reading, i: int) -> Check | None:
    """Check `high-resolution`, `very high spatial resolution`, and MMM-RS's `High precision resolution`."""
    resolution = reading.known.said.resolution
    level, is_published = _read_level(reading, i)
    if resolution is None or level is None or reading.is_denied(i):
        return None
    if is_published:
        return reading.hold(Check.RESOLUTION, find_level_word(level) is resolution.level)
    low, high = _RANGES_M[level]
    return reading.hold(Check.RESOLUTION, low <= resolution.gsd_m * 1.02 and resolution.gsd_m <= high * 1.02)


def _read_level(reading: Reading, i: int) -> tuple[str | None, bool]:
    """The word of level before `resolution`, and whether it is one of MMM-RS."""
    word = reading.lower[i]
    if word != "resolution":
        first = word.removesuffix("-resolution")
        is_very = reading.at(i - 1) == "very" and not first.startswith("very-")
        return _LEVELS.get(f"very-{first}" if is_very else first), False
    before = reading.at(i - 1)
    if before == "precision":
        return f"{reading.at(i - 2)} precision resolution", True
    j = i - 2 if before in {"spatial", "ground", "image"} else i - 1
    first = reading.at(j)
    return _LEVELS.get(f"very-{first}" if reading.at(j - 1) in {"very", "extremely"} else first), False


# --- where and when ----------------------------------------------------------------------------------------------


def _check_season(reading: Reading, i: int) -> Check | None:
    word, before = reading.lower[i], reading.at(i - 1)
    season = "autumn" if word == "fall" else word
    if (
        word == "fall"
        and not (before == "the" and reading.at(i - 2) in {"in", "during"})
        and reading.at(i + 1) not in {"season", "foliage", "colors", "colours", "scene", "day"}
    ):
        return None
    if word == "spring" and (before in {"hot", "water"} or reading.at(i + 1) in {"water", "fed"}):
        return None
    if reading.known.season is None or reading.is_denied(i):
        return None
    return reading.hold(Check.DATE, season == reading.known.season)


def _check_hemisphere(reading: Reading, i: int) -> Check | None:
    known, side = reading.known, reading.at(i - 1)
    if known.position is None:
        return reading.hold(Check.ZONE, known.sources.has(f"{side} hemisphere"))
    lon, lat = known.position
    sides = {"northern": lat > 0, "southern": lat < 0, "eastern": lon > 0, "western": lon < 0}
    return reading.hold(Check.ZONE, sides[side]) if side in sides else None


_ZONES_DEG = {
    **dict.fromkeys(("tropical", "tropics", "equatorial"), (0.0, 30.0)),
    **dict.fromkeys(("arctic",), (55.0, 90.0)),
    **dict.fromkeys(("antarctic", "antarctica"), (-90.0, -55.0)),
    **dict.fromkeys(("polar",), (55.0, 90.0)),
    **dict.fromkeys(("mid-latitude", "mid-latitudes"), (20.0, 70.0)),
}
"""Latitudes at which a word of zone is not plainly wrong: the belt and some 7 degrees around it (our choice)."""


def _check_zone(reading: Reading, i: int) -> Check | None:
    position, word = reading.known.position, reading.lower[i]
    if position is None:
        return None
    low, high = _ZONES_DEG[word]
    lat = position[1] if low < 0 or word == "arctic" else abs(position[1])
    return reading.hold(Check.ZONE, low <= lat <= high)


# --- weather and light -------------------------------------------------------------------------------------------

_FAMILIES = {
    "mist": list_words(
        "fog foggy haze hazy mist misty cloud clouds cloudy overcast smoke smoky dust dusty low-cloud"
    ),
    "snow": list_words("snow snowy snow-covered snowfall frost frosty ice icy snow-capped cloud clouds"),
    "night": list_words("night nighttime night-time dark darkness dusk twilight low-light"),
    "rain": list_words("rain rainy rainfall wet storm stormy cloud clouds cloudy overcast"),
}
_FAMILY_OF = {word: name for name, words in reversed(_FAMILIES.items()) for word in words}
_CLAIMED = {
    **dict.fromkeys(("fog", "foggy", "mist", "misty", "haze", "hazy"), "mist"),
    **dict.fromkeys(("snow", "snowy", "snow-covered", "snowfall", "frost"), "snow"),
    **dict.fromkeys(("rain", "rainy", "rainfall"), "rain"),
    **dict.fromkeys(("night", "nighttime", "night-time"), "night"),
}
_DAYLIGHT = list_words("sunny sunlit daylight daytime day-time sunlight sunshine midday noon")
_CLEARS = list_words("cloudless cloud-free fog-free haze-free snow-free mist-free unobscured")
_STRONG, _WEAK = (
    list_words("dense thick heavy heavily"),
    list_words("light thin faint slight slightly lightly"),
)


def _check_weather(reading: Reading, i: int) -> Check | None:
    """Check weather that is said to be there, or denied, against that of the image; where none is known, eyes tell."""
    known, word = reading.known, reading.lower[i]
    weather = known.said.weather
    claimed = _CLAIMED[word]
    family = None if weather is None else _find_family(weather.effect)
    if family is None:
        is_lit = claimed == "night" and known.said.sun is not None and known.said.sun.elevation_deg > 6
        return reading.hold(Check.WEATHER, is_right=False) if is_lit and not reading.is_denied(i) else None
    if reading.is_denied(i):
        return reading.hold(Check.WEATHER, claimed != family)
    is_labelled = word in known.words
    is_there = claimed == family or word in _FAMILIES[family] or is_labelled
    return reading.hold(Check.WEATHER, is_there and not _is_off(reading, i))


def _is_off(reading: Reading, i: int) -> bool:
    """Tell whether the strength that is said before a word of weather is the opposite of what was measured."""
    weather = reading.known.said.weather
    before = reading.lower[max(i - 2, 0) : i]
    if weather is None or weather.severity not in {"light", "heavy"}:
        return False
    return not (_STRONG if weather.severity == "light" else _WEAK).isdisjoint(before)


def _find_family(effect: str) -> str | None:
    return next((_FAMILY_OF[word] for word in effect.lower().split() if word in _FAMILY_OF), None)


def _check_clear(reading: Reading, i: int) -> Check | None:
    """Check `cloudless`, `clear sky`, `clear conditions`."""
    known, word = reading.known, reading.lower[i]
    is_clear_sky = word == "clear" and not _SKIES.isdisjoint(reading.lower[i + 1 : i + 3])
    is_clear_sky |= word == "clear" and not {"sky", "skies"}.isdisjoint(reading.lower[max(i - 3, 0) : i])
    if (word == "clear" and not is_clear_sky) or reading.is_denied(i):
        return None
    weather = known.said.weather
    if weather is not None and _find_family(weather.effect) in {"mist", "rain"}:
        return reading.hold(Check.WEATHER, is_right=False)
    if weather is not None and word == "snow-free":
        return reading.hold(Check.WEATHER, _find_family(weather.effect) != "snow")
    return reading.hold(Check.WEATHER, known.cloud[0] < _OVERCAST) if known.cloud else None


_SKIES = list_words("sky skies weather conditions atmosphere visibility day")
_OVERCAST, _CLOUDLESS = 0.9, 0.001
"""Cloud shares of the source beyond which a tile of it is not called cloudless or cloudy."""


def _check_cloud(reading: Reading, i: int) -> Check | None:
    known = reading.known
    if not known.cloud or known.said.weather is not None or "%" in reading.clause(i):
        return None
    if reading.is_denied(i):
        return reading.hold(Check.WEATHER, known.cloud[0] < _OVERCAST)
    return reading.hold(Check.WEATHER, known.cloud[0] > _CLOUDLESS or reading.lower[i] in known.words)


def _check_daylight(reading: Reading, i: int) -> Check | None:
    known = reading.known
    is_dark = known.said.weather is not None and _find_family(known.said.weather.effect) == "night"
    is_down = known.said.sun is not None and known.said.sun.elevation_deg < -6
    is_misty = known.said.weather is not None and _find_family(known.said.weather.effect) == "mist"
    if reading.lower[i] == "sunny" and is_misty and not reading.is_denied(i):
        return reading.hold(Check.WEATHER, is_right=False)
    if not (is_dark or is_down):
        return None
    return reading.hold(Check.WEATHER, reading.is_denied(i))


# --- amounts in words, and words that are not allowed ------------------------------------------------------------

_DOMINANCE_SLACK = 0.1
"""How much smaller than the largest a cover may be that is said to dominate (our choice)."""


def _check_dominance(reading: Reading, i: int) -> Check | None:
    named = [share for word in _find_main(reading, i) for share in reading.known.covers.get(word, ())]
    if not named or not reading.known.shares:
        return None
    return reading.hold(Check.SHARE, max(named) + _DOMINANCE_SLACK >= max(reading.known.shares))


def _find_main(reading: Reading, i: int) -> list[str]:
    """What dominates: the words after `dominated by`, else those before."""
    clause = (
        reading.lower[i + 2 : i + 6]
        if reading.at(i + 1) in {"by", "of"}
        else reading.lower[max(i - 4, 0) : i]
    )
    stop = next((j for j, word in enumerate(clause) if word in {",", ".", "and", "with"}), len(clause))
    return clause[:stop] if reading.at(i + 1) in {"by", "of"} else clause


_FRACTIONS = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "quarters": 0.75, "thirds": 2 / 3}
_FRACTION_SLACK = 0.12


def _check_fraction(reading: Reading, i: int) -> Check | None:
    """Check `half of the image is water`, for covers that are labelled; `left half` is a place."""
    word, before = reading.lower[i], reading.at(i - 1)
    if reading.at(i + 1) != "of" or (word != "half" and before not in {"a", "one", "two", "three"}):
        return None
    shares = (
        find_seen_shares(reading, i) if not reading.known.covers.keys().isdisjoint(reading.clause(i)) else ()
    )
    if not shares:
        return None
    return reading.hold(
        Check.SHARE, any(abs(share - _FRACTIONS[word]) <= _FRACTION_SLACK for share in shares)
    )


def _check_most(reading: Reading, i: int) -> Check | None:
    shares = [share for word in reading.clause(i) for share in reading.known.covers.get(word, ())]
    if reading.at(i + 1) != "of" or not shares:
        return None
    return reading.hold(Check.SHARE, max(shares) > 0.45)


def _check_comparison(reading: Reading, i: int) -> Check | None:
    """Check `more cropland than water`."""
    covers = reading.known.covers
    first = [share for word in reading.lower[max(i - 4, 0) : i] for share in covers.get(word, ())]
    second = [share for word in reading.lower[i + 1 : i + 4] for share in covers.get(word, ())]
    if not first or not second or _MORE.isdisjoint(reading.lower[max(i - 5, 0) : i]):
        return None
    return reading.hold(Check.SHARE, max(first) >= min(second))


_MORE = list_words("more larger greater bigger")


def _check_synthetic(reading: Reading, i: int) -> Check | None:
    says_picture = reading.at(i + 1) in {"image", "scene", "landscape", "imagery", "picture", "terrain"}
    if reading.lower[i] == "synthetic" and not says_picture:
        return None
    return reading.hold(Check.SYNTHETIC, reading.known.is_synthetic)


def _check_showcase(reading: Reading, i: int) -> Check | None:
    """`The image showcases:` is GAIA's fixed opening, which says nothing."""
    return Check.WORDS if reading.at(i + 1) == ":" and i <= 3 else None


def _check_hedge(reading: Reading, i: int) -> Check | None:
    """One hedge says how sure one is; two in a row say nothing."""
    return Check.WORDS if not _HEDGES.isdisjoint(reading.lower[i + 1 : i + 4]) else None


_HEDGES = list_words("possibly perhaps maybe probably presumably might seemingly apparently")

_OF_PLANTS = frozenset({"lush"})
"""Dense green can be seen."""

SEEN_RULES: dict[str, Rule] = {
    **dict.fromkeys(_FRACTIONS, _check_fraction),
    **dict.fromkeys(("most", "majority"), _check_most),
    "than": _check_comparison,
    **dict.fromkeys(("dominated", "dominates", "dominate", "predominantly", "dominating"), _check_dominance),
    **dict.fromkeys((*_HEDGES, "appears", "appear", "seems", "may", "could"), _check_hedge),
    **dict.fromkeys(("showcases", "showcase"), _check_showcase),
    **dict.fromkeys(("synthetic", "computer-generated", "cgi"), _check_synthetic),
    **dict.fromkeys(_RADAR_WORDS, _check_radar),
    **dict.fromkeys(_COLOUR_WORDS, _check_colour),
    **dict.fromkeys(_OPTICAL_WORDS, _check_optical),
    **dict.fromkeys(_INFRARED_WORDS, _check_infrared),
    **dict.fromkeys((f"{p}{s}" for p in ("vv", "vh", "hh", "hv") for s in ("", "-polarized", "-polarised")), _check_polarisation),
    **dict.fromkeys(
        (f"{p}{w}" for p in ("", "cross-", "co-", "cross", "copolari") for w in ("polarized", "polarised", "polarization", "polarisation")),
        _check_polarised,
    ),
    **dict.fromkeys(("satellite", "satellites", "spaceborne", "satellite-borne", "orbital"), _check_satellite),
    **dict.fromkeys(("aerial", "airborne", "drone", "drones", "uav", "drone-captured"), _check_aerial),
    "resolution": _check_resolution,
    **dict.fromkeys((f"{word}-resolution" for word in _LEVELS), _check_resolution),
    **dict.fromkeys(("winter", "spring", "summer", "autumn", "fall"), _check_season),
    **dict.fromkeys(("hemisphere",), _check_hemisphere),
    **dict.fromkeys(_ZONES_DEG, _check_zone),
    **dict.fromkeys(_CLAIMED, _check_weather),
    **dict.fromkeys((*_CLEARS, "clear"), _check_clear),
    **dict.fromkeys(("cloud", "clouds", "cloudy", "overcast"), _check_cloud),
    **dict.fromkeys(_DAYLIGHT, _check_daylight),
    **dict.fromkeys(BANNED_WORDS - _OF_PLANTS, check_banned),
}  # fmt: skip
"""What words need that can contradict a fact."""


def _unless_general(rule: Rule) -> Rule:
    """Excuse what a sentence says of images in general: `near-infrared values are often combined with red ones`."""
    return lambda reading, i: None if reading.is_general(i) else rule(reading, i)


CLOSED_RULES: dict[str, Rule] = {
    word: SEEN_RULES[word]
    for word in (
        *("resolution", *(f"{word}-resolution" for word in _LEVELS)),
        *(*_CLEARS, "clear", *_DAYLIGHT, *_OPTICAL_WORDS, "multispectral", "false-colour", "false-color"),
        *("showcases", "showcase", "dominated", "than"),
    )
} | dict.fromkeys(_COLOUR_WORDS, _unless_general(_check_colour))
"""Those of them that hold as well where nothing beyond the facts may be said."""
