"""What an image is called."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from earthloom.caption.english import give_article
from earthloom.caption.statements import CarriedBy
from earthloom.core.records import Modality
from earthloom.geo.platforms import Carrier

_ADJECTIVES = {
    Modality.RGB: ("RGB", "colour", "optical"),
    Modality.NIR: ("near-infrared",),
    Modality.SAR: ("SAR", "radar"),
}
_CARRIER_NOUNS: dict[Carrier | None, tuple[str, ...]] = {
    Carrier.SATELLITE: ("satellite image", "satellite scene", "image"),
    Carrier.AIRCRAFT: ("aerial image", "airborne image", "image"),
    None: ("image", "scene", "view"),
}


@dataclass(frozen=True, slots=True)
class ImageNames:
    """What one kind of image may be called; each says `synthetic` where the landscape is."""

    first: tuple[str, ...]
    """At first mention: `a Sentinel-2 RGB image`."""
    again: tuple[str, ...]
    """Afterwards: `the image`, `the radar scene`, `this view`."""
    this: tuple[str, ...]
    """Set against images of its kind: `this view`."""
    full: tuple[str, ...]
    """At first mention, with modality and polarisation and without the platform."""
    imagery: tuple[str, ...]
    """The kind, in the plural: `RGB images`."""
    prompt: str
    """In an MMM-RS prompt: `a satellite image`."""


@lru_cache(maxsize=1024)
def name_images(
    modality: Modality, platform: CarriedBy | None, polarisation: str | None, is_synthetic: bool
) -> ImageNames:
    """List the ways to call an image of a kind."""
    adjectives = full = _ADJECTIVES[modality]
    if polarisation is not None:
        full = (f"{polarisation} SAR", f"{polarisation}-polarised radar", f"{polarisation}-polarised SAR")
        adjectives = (*adjectives, *full[:2])
    mark = "synthetic " if is_synthetic else ""
    nouns = _CARRIER_NOUNS[platform.carrier if platform is not None else None]
    kinds = [f"{mark}{adjective} {noun}" for adjective in adjectives for noun in nouns]
    if platform is not None and platform.name.count(" ") < 3:
        kinds += [f"{platform.name} {noun}" for noun in ("image", "scene", f"{adjectives[0]} image")]
        kinds += [f"{platform.name} {adjective} image" for adjective in adjectives]
    bare = nouns[0]
    plain = [f"the {mark}{noun}" for noun in ("image", "scene", "tile", bare, f"{adjectives[-1]} image")]
    return ImageNames(
        first=tuple(dict.fromkeys(give_article(kind) for kind in kinds)),
        again=tuple(dict.fromkeys([*plain, f"this {mark}image", f"this {mark}view"])),
        this=tuple(f"this {mark}{noun}" for noun in ("view", "tile", "scene")),
        full=tuple(give_article(f"{mark}{adjective} {nouns[0]}") for adjective in full),
        imagery=tuple(
            f"{adjective} {noun}" for adjective in _ADJECTIVES[modality] for noun in ("imagery", "images")
        ),
        prompt=_name_in_prompt(modality, platform, mark),
    )


def _name_in_prompt(modality: Modality, platform: CarriedBy | None, mark: str) -> str:
    """Name the modality unless the satellite word that follows in the prompt does, as MMM-RS has it."""
    adjective = {Modality.RGB: "", Modality.NIR: "near-infrared ", Modality.SAR: "SAR "}[modality]
    if platform is not None and platform.radar:
        adjective = ""
    carrier = platform.carrier if platform is not None else None
    noun = {Carrier.SATELLITE: "satellite", Carrier.AIRCRAFT: "aerial", None: "remote sensing"}[carrier]
    return give_article(f"{mark}{adjective}{noun} image")
