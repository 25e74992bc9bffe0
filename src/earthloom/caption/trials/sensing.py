"""Claims for the trials about platform, sensor, modality and resolution."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from earthloom.caption.checks import Check
from earthloom.caption.facts.statements import Statements
from earthloom.caption.trials.wording import Claim, name_image
from earthloom.core.records import Modality
from earthloom.geo.platforms import Carrier

_OTHER_PLATFORMS = {
    Modality.SAR: ("TerraSAR-X", "RADARSAT-2", "ICEYE", "Capella"),
    Modality.RGB: ("Landsat-5", "WorldView-2", "PlanetScope", "SPOT 5", "QuickBird", "Sentinel-3"),
    Modality.NIR: ("Landsat-5", "WorldView-2", "RapidEye", "Sentinel-2"),
}
_PLATFORM = (
    "The {image}, captured by {platform}, features {subject} across the frame.",
    "Acquired by {platform}, the {image} shows {subject} from above.",
)


def _claim_platforms(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    if said.platform is not None:
        words = {"image": name_image(said, rng), "subject": subject}
        phrase = rng.choice(_PLATFORM)
        name = said.platform.name
        spelt = rng.choice((name, name.replace("Landsat ", "Landsat-")))
        others = [other for other in _OTHER_PLATFORMS[said.signal.modality] if other != name]
        false = phrase.format(platform=rng.choice(others), **words)
        yield Claim(phrase.format(platform=spelt, **words), false, Check.PLATFORM)
    if said.sensor is not None:
        sensor = said.sensor.name
        phrase = "The {sensor} sensor recorded this scene, which contains {subject} throughout."
        other = rng.choice(("OLI", "AVHRR", "ETM+", "ASTER"))
        yield Claim(
            phrase.format(sensor=sensor, subject=subject),
            phrase.format(sensor=other, subject=subject),
            Check.PLATFORM,
        )
    carrier = said.platform.carrier if said.platform is not None else None
    if carrier is not None and said.signal.modality is not Modality.SAR:
        kinds = ("satellite image", "aerial photo" if rng.random() < 0.3 else "drone image")
        true, false = kinds if carrier is Carrier.SATELLITE else ("aerial image", "satellite image")
        phrase = "{kind} of {subject} that extend over much of the frame"
        yield Claim(
            phrase.format(kind=f"a {true}".replace("a aerial", "an aerial"), subject=subject),
            phrase.format(kind=f"a {false}", subject=subject),
            Check.PLATFORM,
        )


_MODALITIES = {
    Modality.RGB: (
        "RGB image",
        ("SAR image", "radar backscatter image", "near-infrared image", "C-band radar scene"),
    ),
    Modality.NIR: ("near-infrared image", ("SAR image", "RGB image", "true-color image", "radar image")),
    Modality.SAR: ("SAR image", ("RGB image", "optical image", "multispectral image", "true-color image")),
}


_COLOURS = ("Green", "Blue", "Reddish brown")


def _claim_modality(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    name, others = _MODALITIES[said.signal.modality]
    phrase = rng.choice(
        (
            "This {kind} shows {subject} distributed over the whole frame.",
            "In the {kind}, {subject} form many patches of their own.",
        )
    )
    yield Claim(
        phrase.format(kind=name, subject=subject),
        phrase.format(kind=rng.choice(others), subject=subject),
        Check.MODALITY,
    )
    if said.signal.modality is not Modality.RGB:
        shade = "Bright" if said.signal.modality is Modality.SAR else "Light grey"
        yield Claim(
            f"{shade} patches of {subject} stand out against darker ground in this scene.",
            f"{rng.choice(_COLOURS)} patches of {subject} stand out against darker ground here.",
            Check.MODALITY,
        )
    if said.polarisation is not None:
        other = rng.choice([name for name in ("VV", "VH", "HH") if name != said.polarisation.name])
        phrase = "Recorded in {p} polarization, the radar scene distinguishes {subject} by their brightness."
        yield Claim(
            phrase.format(p=said.polarisation.name, subject=subject),
            phrase.format(p=other, subject=subject),
            Check.MODALITY,
        )


def _claim_resolution(said: Statements, subject: str, rng: Random) -> Iterator[Claim]:
    if said.resolution is None:
        return
    gsd_m = said.resolution.gsd_m
    right = "very high" if gsd_m < 1 else "high" if gsd_m < 5 else "moderate" if gsd_m < 60 else "low"
    wrong = {
        "very high": ("low", "moderate"),
        "high": ("low",),
        "moderate": ("very high",),
        "low": ("high", "very high"),
    }
    phrase = rng.choice(
        ("This {level}-resolution image shows {subject} in a single frame.",
         "The {level} spatial resolution of the scene lets the viewer see {subject} from above.")
    )  # fmt: skip
    false = rng.choice(wrong[right])
    yield Claim(
        phrase.format(level=right.replace(" ", "-"), subject=subject),
        phrase.format(level=false.replace(" ", "-"), subject=subject),
        Check.RESOLUTION,
    )


SENSING_CLAIMS = (_claim_platforms, _claim_modality, _claim_resolution)
