"""A learned look: weather or season as a network has seen it in pictures, not as a law says it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from earthloom.core.errors import RecordError
from earthloom.core.extras import explain_missing_models
from earthloom.core.light import Light, to_display, to_light
from earthloom.core.records import Modality, Reason
from earthloom.metrics.structure import light_luminance, structure_term
from earthloom.synthesize.config import EffectSettings, Severity
from earthloom.synthesize.stack import Layer, Mask, Measured, Outcome, Stack, View

if TYPE_CHECKING:
    from earthloom.models.translation.translator import Translator

_SEEN = 2.3
"""Mean colour difference (CIE 1976) that is just noticeable (Mahy et al., Color Res. Appl. 1994)."""
_MODERATE, _HEAVY = 10.0, 25.0
"""From these on a change is moderate or heavy. Our own choice: 10 is what two adjoining shades of a colour chart differ
by, 25 is a quarter of the way from black to white."""


class TranslationSettings(EffectSettings):
    """A look that a network has learned (`earthloom train`), such as real snow; for RGB alone.

    The network knows one strength: `severity` says what is asked for on record and changes nothing.
    """

    effect: Literal["translation"] = "translation"
    weights: str = Field(min_length=1)
    """The `translation.safetensors` that a training wrote."""
    word: str = Field(min_length=2, max_length=40, pattern=r"^[a-z]+(?:[ -][a-z]+)*$")
    """What captions call it, such as `snow` or `autumn`: lower-case words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Translation:
    """What was drawn for one place: nothing but the network is."""

    weights: str
    """Path of the file."""
    digest: str
    """SHA-256 of the file."""
    word: str


def check_translation(settings: TranslationSettings) -> None:
    """Raise UsageError where the weights that (resolved) settings name cannot be used, or torch is not installed."""
    _load(settings.weights)


def draw_translation(
    settings: TranslationSettings, view: View, severity: Severity, rng: np.random.Generator
) -> Translation:
    """Name the network; it draws nothing at random, and no strength can be asked of it."""
    return Translation(weights=settings.weights, digest=_load(settings.weights).digest, word=settings.word)


def add_translation(stack: Stack, translation: Translation, rng: np.random.Generator) -> Outcome:
    """Redraw the RGB picture of a stack by a network trained without pairs (Zhu et al. 2017, Park et al. 2020).

    The picture goes in and comes out as 8-bit sRGB, the scale on which networks learn here (`train/data.py`), however
    it is stored. Pixels without data are filled with the mean of the others, since the network looks at the picture as
    a whole. The severity is that of the mean colour difference (CIE 1976).

    Raises:
        RecordError: NO_EFFECT where there is no RGB picture, or another one beside it, or no change that can be seen.
        UsageError: the weights cannot be used.

    """
    layer = _find_rgb(stack)
    valid = stack.valid
    if valid is not None and not valid.any():
        raise RecordError(Reason.NO_EFFECT, f"{translation.word} wants pixels with data, and there are none")
    translator = _load(translation.weights)
    before = _fill(to_display(np.array(layer.light)), valid)
    light = to_light(translator.translate(before))
    measured = _measure(to_light(before), light, valid)
    return Outcome(
        layers=(light,),
        measured=measured,
        severity=_name_severity(float(measured["mean_colour_difference"] or 0), translation.word),
    )


def _load(weights: str) -> Translator:
    with explain_missing_models("A learned look wants"):
        from earthloom.models.translation.weights import load_translator
    return load_translator(Path(weights))


def _find_rgb(stack: Stack) -> Layer:
    layer = stack.find(Modality.RGB)
    others = [other.modality.value for other in stack.layers if other is not layer]
    if layer is None or others:
        raise RecordError(
            Reason.NO_EFFECT,
            "a network that has learned from RGB pictures wants a place with RGB alone, got "
            f"{', '.join(entry.modality.value for entry in stack.layers)}: what the near infrared would look like "
            "was never learnt",
        )
    return layer


def _fill(picture: npt.NDArray[np.uint8], valid: Mask | None) -> npt.NDArray[np.uint8]:
    if valid is not None and not valid.all():
        picture[~valid] = picture[valid].mean(axis=0).round().astype(np.uint8)
    return picture


def _measure(before: Light, after: Light, valid: Mask | None) -> Measured:
    where: Any = slice(None) if valid is None else valid
    difference = np.linalg.norm(_to_lab(after) - _to_lab(before), axis=2)[where]
    luminance = (light_luminance(after) - light_luminance(before))[where]
    structure = structure_term(before, after, valid)
    return {
        "mean_colour_difference": round(float(difference.mean()), 4),
        "mean_luminance_difference": round(float(np.abs(luminance).mean()), 6),
        "mean_luminance_change": round(float(luminance.mean()), 6),
        "structure_term": None if np.isnan(structure) else round(structure, 6),
    }


def _to_lab(light: Light) -> npt.NDArray[np.float32]:
    """CIE L*a*b* of linear light, H x W x 3."""
    clipped = np.ascontiguousarray(np.clip(light, 0, 1), np.float32)
    return np.asarray(cv2.cvtColor(clipped, cv2.COLOR_LRGB2Lab), np.float32)


def _name_severity(difference: float, word: str) -> Severity:
    if difference < _SEEN:
        raise RecordError(
            Reason.NO_EFFECT,
            f"{word} wants a mean colour difference of {_SEEN} to be seen, got {difference:.2f}",
        )
    if difference < _MODERATE:
        return "light"
    return "moderate" if difference < _HEAVY else "heavy"
