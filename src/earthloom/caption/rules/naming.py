"""What an image is called."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from earthloom.caption.facts.statements import CarriedBy
from earthloom.caption.language.english import give_article
from earthloom.core.records import Modality
from earthloom.geo.platforms import Carrier

_ADJECTIVES = {
    Modality.RGB: ("RGB", "colour", "optical"),
    Modality.NIR: ("near-infrared",),
    Modality.SAR: ("SAR", "radar"),
}
_KINDS = {
    Modality.RGB: ("colour", "optical"),
    Modality.NIR: ("near-infrared",),
    Modality.SAR: ("radar",),
}
_WRITTEN_OUT = {
    Modality.RGB: ("colour", "optical", "red-green-blue (RGB)"),
    Modality.NIR: ("near-infrared (NIR)", "near-infrared"),
    Modality.SAR: (),
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
    expanded: tuple[str, ...]
    """At first mention, with acronyms written out: `a synthetic aperture radar (SAR) image`."""
    imagery: tuple[str, ...]
    """The kind, in the plural: `RGB images`."""
    kind: tuple[str, ...]
    """The kind, in the plural and without acronyms: `colour images`."""
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
    nouns_again = ("image", "scene", "tile", "view", "picture", bare, f"{adjectives[-1]} image")
    plain = [f"the {mark}{noun}" for noun in nouns_again]
    return ImageNames(
        first=tuple(dict.fromkeys(give_article(kind) for kind in kinds)),
        again=tuple(dict.fromkeys([*plain, *(f"this {mark}{noun}" for noun in nouns_again[:5])])),
        this=tuple(f"this {mark}{noun}" for noun in ("view", "tile", "scene", "image", "picture", "example")),
        full=tuple(give_article(f"{mark}{adjective} {nouns[0]}") for adjective in full),
        expanded=_write_out(modality, platform, polarisation, mark),
        imagery=tuple(
            f"{adjective} {noun}" for adjective in _ADJECTIVES[modality] for noun in ("imagery", "images")
        ),
        kind=tuple(f"{adjective} {noun}" for adjective in _KINDS[modality] for noun in ("imagery", "images")),
        prompt=_name_in_prompt(modality, platform, mark),
    )


def _write_out(
    modality: Modality, platform: CarriedBy | None, polarisation: str | None, mark: str
) -> tuple[str, ...]:
    """`SAR` is written out where the first of its words is not the mark of an invented landscape as well."""
    carrier = platform.carrier if platform is not None else None
    nouns = _CARRIER_NOUNS[carrier]
    kinds = [f"{mark}{adjective} {noun}" for adjective in _WRITTEN_OUT[modality] for noun in nouns]
    if modality is Modality.SAR:
        prefix = f"{polarisation}-polarised " if polarisation is not None else ""
        kinds = [f"{mark}{prefix}radar {noun}" for noun in nouns]
        if not mark:
            kinds += [f"{prefix}synthetic aperture radar (SAR) {noun}" for noun in nouns]
    return tuple(dict.fromkeys(give_article(kind) for kind in kinds))


def _name_in_prompt(modality: Modality, platform: CarriedBy | None, mark: str) -> str:
    """Name the modality unless the satellite word that follows in the prompt does, as MMM-RS has it."""
    adjective = {Modality.RGB: "", Modality.NIR: "near-infrared ", Modality.SAR: "SAR "}[modality]
    if platform is not None and platform.radar:
        adjective = ""
    carrier = platform.carrier if platform is not None else None
    noun = {Carrier.SATELLITE: "satellite", Carrier.AIRCRAFT: "aerial", None: "remote sensing"}[carrier]
    return give_article(f"{mark}{adjective}{noun} image")
