"""Which texts a picture is learnt with, and how often each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.models.stable.metadata import PictureFacts, write_clause
from earthloom.store.stream.sample import Sample
from earthloom.train.lora.config import LoraSettings
from earthloom.train.lora.cutting import find_pixel_factor


@dataclass(frozen=True, slots=True)
class Prompt:
    """One text for a picture."""

    text: str
    share: float
    """How often it is drawn; those of a picture add up to 1."""


def list_prompts(sample: Sample, settings: LoraSettings) -> tuple[Prompt, ...]:
    """Every text that a picture may be learnt with, in the order of its captions.

    A style's weight is shared among its captions, and styles that a picture lacks leave theirs to the others. With
    metadata as text, each caption comes with what is known at its end, and for `metadata_drop` of the draws without.

    Raises:
        RecordError: NO_CAPTION, there is no caption, or none of these styles.

    """
    shares = _share_captions(sample, settings)
    clause = write_clause(read_facts(sample, settings)) if settings.metadata in {"text", "both"} else ""
    if not clause:
        return tuple(Prompt(text, share) for text, share in shares.items())
    drop = settings.metadata_drop
    split = [
        (Prompt(_add_clause(text, clause), share * (1 - drop)), Prompt(text, share * drop))
        for text, share in shares.items()
    ]
    return tuple(prompt for both in split for prompt in both if prompt.share > 0)


def draw_prompt(prompts: Sequence[Prompt], rng: np.random.Generator) -> int:
    """Draw the index of a text."""
    heights = np.cumsum([prompt.share for prompt in prompts])
    drawn = int(np.searchsorted(heights, rng.random() * heights[-1], side="right"))
    return min(drawn, len(prompts) - 1)


def read_facts(sample: Sample, settings: LoraSettings) -> PictureFacts:
    """What is known of the square of a picture besides its words: scaling changes its ground sample distance.

    Raises `RecordError` where the picture has no header that can be read, and BAD_FACTS for a distance of 0 or less, or
    numbers that are none.
    """
    gsd_m = sample.gsd_m
    if gsd_m is not None and not 0 < gsd_m < math.inf:
        raise RecordError(Reason.BAD_FACTS, f"wanted a ground sample distance of more than 0 m, got {gsd_m}")
    for name in ("lon", "lat", "cloud_share"):
        if (value := getattr(sample, name)) is not None and not math.isfinite(value):
            raise RecordError(Reason.BAD_FACTS, f"wanted a finite {name}, got {value}")
    return PictureFacts(
        gsd_m=None if gsd_m is None else gsd_m * find_pixel_factor(sample, settings),
        lon=sample.lon,
        lat=sample.lat,
        date=sample.acquired,
        cloud_share=sample.cloud_share,
    )


def _share_captions(sample: Sample, settings: LoraSettings) -> dict[str, float]:
    """Texts and how often each is drawn; a text that stands twice counts twice."""
    chosen = [words for words in sample.captions if not settings.styles or words.style in settings.styles]
    if not chosen:
        wanted = f" of style {' or '.join(settings.styles)}" if settings.styles else ""
        raise RecordError(Reason.NO_CAPTION, f"wanted a caption{wanted}, got {_describe(sample)}")
    counts = {style: sum(words.style == style for words in chosen) for style in {w.style for w in chosen}}
    weights = [
        settings.styles[words.style or ""] / counts[words.style] if settings.styles else 1.0
        for words in chosen
    ]
    shares: dict[str, float] = {}
    for words, weight in zip(chosen, weights, strict=True):
        shares[words.text] = shares.get(words.text, 0.0) + weight / sum(weights)
    return shares


def _describe(sample: Sample) -> str:
    styles = sorted({words.style or "no style" for words in sample.captions})
    return f"captions of {', '.join(styles)}" if styles else "none"


def _add_clause(text: str, clause: str) -> str:
    return f"{text.rstrip().rstrip('.').rstrip()}, {clause}"
