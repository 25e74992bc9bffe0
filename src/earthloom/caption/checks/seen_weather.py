"""Checks of weather and light that an author who sees the picture says to be there, or not to be there."""

from __future__ import annotations

from earthloom.caption.checks.reading import Check, Reading, Rule
from earthloom.caption.language.english import list_words

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
    is_clear_sky |= word == "clear" and not _SKIES.isdisjoint(reading.lower[max(i - 3, 0) : i])
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


CLEAR_WORDS = (*_CLEARS, "clear", *_DAYLIGHT)
WEATHER_RULES: dict[str, Rule] = {
    **dict.fromkeys(_CLAIMED, _check_weather),
    **dict.fromkeys((*_CLEARS, "clear"), _check_clear),
    **dict.fromkeys(("cloud", "clouds", "cloudy", "overcast"), _check_cloud),
    **dict.fromkeys(_DAYLIGHT, _check_daylight),
}
"""What words of weather and light need."""
