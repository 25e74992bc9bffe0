"""Checks of what an author who sees the picture says of its sensor: modality, carrier, fineness."""

from __future__ import annotations

from earthloom.caption.checks.reading import Check, Reading, Rule
from earthloom.caption.language.english import list_words
from earthloom.core.records import Modality
from earthloom.geo.levels import find_level_word
from earthloom.geo.platforms import Carrier

_RADAR_WORDS = list_words(
    "sar radar backscatter backscattered speckle synthetic-aperture polarimetric polsar insar microwave "
    "radar-based"
)
COLOUR_WORDS = list_words(
    "rgb colour colours color colors coloured colored colourful colorful true-colour true-color "
    "natural-colour natural-color green blue red yellow brown orange purple pink turquoise beige teal "
    "reddish greenish bluish brownish"
)
OPTICAL_WORDS = list_words("optical multispectral hyperspectral panchromatic")
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


def check_colour(reading: Reading, i: int) -> Check | None:
    """Check a word of colour, which a grey picture has none of; `Red Sea` and `red light` are other things."""
    if reading.tokens[i][0].isupper() and not reading.is_first(i) and reading.lower[i] != "rgb":
        return None
    if reading.is_denied(i) or reading.at(i + 1) in _SPECTRUM or reading.is_general(i):
        return None
    return reading.hold(Check.MODALITY, reading.known.modality is Modality.RGB)


_SPECTRUM = list_words("light end edge band bands ones radiation part parts wavelengths")
"""What follows a colour that names wavelengths, not a shade of the picture."""


def _check_optical(reading: Reading, i: int) -> Check | None:
    if reading.is_denied(i):
        return None
    known = reading.known
    is_grey = reading.lower[i] == "panchromatic" and known.modality is Modality.RGB
    is_right = known.modality is not Modality.SAR and (not is_grey or known.sources.has("panchromatic"))
    return reading.hold(Check.MODALITY, is_right)


def _check_infrared(reading: Reading, i: int) -> Check | None:
    """Colours shown of an RGB picture may be infrared ones, where a text says so."""
    known, word = reading.known, reading.lower[i]
    if reading.at(i + 1) in _THINGS or reading.is_denied(i):
        return None
    is_grey = word not in {"false-colour", "false-color", "thermal"} and known.modality is Modality.NIR
    return reading.hold(
        Check.MODALITY, is_grey or (known.modality is Modality.RGB and known.sources.has(word))
    )


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
    "image images imagery photo photos photograph photographs photography survey orthophoto orthophotos "
    "orthoimage campaign platform sensor mosaic"
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
    "sub-metre": (0.0, 1.0),
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


_SUFFIXES = ("polarized", "polarised", "polarization", "polarisation")
_POLARISATIONS = tuple(f"{p}{s}" for p in ("vv", "vh", "hh", "hv") for s in ("", "-polarized", "-polarised"))
_POLARISED_WORDS = tuple(f"{p}{s}" for p in ("", "cross-", "co-") for s in _SUFFIXES)
RESOLUTION_WORDS = ("resolution", *(f"{word}-resolution" for word in _LEVELS))
SENSING_RULES: dict[str, Rule] = {
    **dict.fromkeys(_RADAR_WORDS, _check_radar),
    **dict.fromkeys(COLOUR_WORDS, check_colour),
    **dict.fromkeys(OPTICAL_WORDS, _check_optical),
    **dict.fromkeys(_INFRARED_WORDS, _check_infrared),
    **dict.fromkeys(_POLARISATIONS, _check_polarisation),
    **dict.fromkeys(_POLARISED_WORDS, _check_polarised),
    **dict.fromkeys(
        ("satellite", "satellites", "spaceborne", "satellite-borne", "orbital"), _check_satellite
    ),
    **dict.fromkeys(("aerial", "airborne", "drone", "drones", "uav", "drone-captured"), _check_aerial),
    **dict.fromkeys(RESOLUTION_WORDS, _check_resolution),
}
"""What words of sensing need."""
