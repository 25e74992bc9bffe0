"""Words for what an image can mean: uses that follow from labels, and truths about its kind of measurement."""

from __future__ import annotations

from collections.abc import Sequence

from earthloom.caption.facts.statements import Resolution, Statements
from earthloom.caption.language.lexicon import find_noun
from earthloom.caption.language.lexicon_entries import USES
from earthloom.caption.rules.content import MIN_SHARE
from earthloom.caption.rules.grammar import Draw
from earthloom.core.records import Modality

_NOTABLE_SHARE = 6 * MIN_SHARE
"""A use is not drawn from a cover of under 3 %."""
_SPECKLE = 3
"""A radar image shows what an optical one does at about a third of its ground sample distance (our choice)."""
_DETAIL = (
    (0.5, ("single vehicles and small structures", "single trees and cars")),
    (1.5, ("single houses and large vehicles", "buildings and their outlines")),
    (5, ("buildings, roads and field edges", "houses, roads and field edges")),
    (15, ("fields, main roads and built-up blocks", "field patterns and wide rivers")),
    (60, ("large fields, lakes and whole settlements", "lakes, forests and whole towns")),
    (250, ("regional land-cover patterns", "large lakes, forests and cities")),
    (float("inf"), ("broad landscape patterns", "coastlines and large landforms")),
)
"""What can usually be told apart below a ground sample distance in metres: several samples across an object (our
choice, after the rule of thumb of interpretability scales). Said with `usually`, never of this image."""
_TRUTHS: dict[Modality, dict[str, tuple[str, ...]]] = {
    Modality.RGB: {
        "": (
            "its pixels hold the red, green and blue light of the visible spectrum",
            "its colours come from the red, green and blue bands of visible light",
            "only visible light, split into red, green and blue, enters a picture of this kind",
            "red, green and blue light is what the eye sees as well",
            "its bands lie side by side in the visible spectrum",
            "nothing beyond visible light enters it",
            "its colour channels cover the visible spectrum",
        ),
    },
    Modality.NIR: {
        "": (
            "grey levels stand for near-infrared reflectance, just beyond what the eye sees",
            "brighter pixels reflect more near-infrared radiation",
            "near-infrared radiation lies next to visible light in the spectrum",
            "what looks grey here is radiation that no eye sees",
            "darker pixels reflect less near-infrared radiation than others",
        ),
        "plants": (
            "green leaves usually look bright in the near infrared",
            "healthy vegetation generally reflects near-infrared light strongly",
        ),
        "water": ("open water usually looks dark in the near infrared",),
    },
    Modality.SAR: {
        "": (
            "bright pixels stand for strong radar echoes and dark ones for weak echoes",
            "radar brightness generally follows surface roughness, moisture and viewing angle",
            "the grain known as speckle is typical of coherent radar",
            "a radar brings its own illumination and needs no daylight",
            "each grey level tells how strongly radar pulses come back",
            "radar measures by echoes, not by daylight",
            "slopes that face a radar usually look brighter than others",
        ),
        "water": ("smooth water usually sends little radar energy back and looks dark",),
        "built": ("walls and roofs of buildings usually return strong radar echoes",),
        "plants": ("tree crowns and crops usually scatter radar waves in many directions",),
    },
}
"""True of a kind of measurement; those about a theme are said of images with labels of that theme alone."""
_TRUTH_THEMES = {
    "agriculture": "plants",
    "forest": "plants",
    "grass": "plants",
    "water": "water",
    "built": "built",
}


def list_themes(said: Statements) -> list[str]:
    """List the themes of all labels but small covers, each once, in the order of the labels."""
    names = [label.name for label in (*said.classes, *said.objects)]
    names += [cover.name for cover in said.covers if cover.share >= _NOTABLE_SHARE]
    return [theme for theme in dict.fromkeys(find_noun(name).theme for name in names) if theme]


def say_field(themes: Sequence[str], draw: Draw) -> str:
    """Name a field of work that a label suggests: `crop mapping`."""
    return draw.pick(USES[draw.pick(themes[:3])])


def say_fields(themes: Sequence[str], draw: Draw) -> str:
    """Name two fields of work, of different themes."""
    themes = themes[:4]
    first = draw.below(len(themes))
    second = (first + 1 + draw.below(len(themes) - 1)) % len(themes)
    return f"{draw.pick(USES[themes[first]])} and {draw.pick(USES[themes[second]])}"


def say_use(said: Statements, themes: Sequence[str], draw: Draw) -> str:
    """Name a use: a field of work or, for a landscape that exists nowhere, practice in it."""
    return _in_trial(said, draw) + say_field(themes, draw)


def say_uses(said: Statements, themes: Sequence[str], draw: Draw) -> str:
    """Name two uses of different themes."""
    return _in_trial(said, draw) + say_fields(themes, draw)


def _in_trial(said: Statements, draw: Draw) -> str:
    return draw.pick(("practice in ", "trials of ")) if said.synthetic is not None else ""


def say_detail(resolution: Resolution, modality: Modality, draw: Draw) -> str:
    """Name what a ground sample distance usually lets one tell apart."""
    gsd_m = resolution.gsd_m * (_SPECKLE if modality is Modality.SAR else 1)
    return draw.pick(next(things for below_m, things in _DETAIL if gsd_m < below_m))


def say_truth(said: Statements, themes: Sequence[str], draw: Draw) -> str:
    """Say something true of the kind of measurement."""
    truths = _TRUTHS[said.signal.modality]
    options = list(truths[""])
    for theme in dict.fromkeys(_TRUTH_THEMES.get(theme) for theme in themes):
        options += truths.get(theme, ()) if theme is not None else ()
    return draw.pick(options)
