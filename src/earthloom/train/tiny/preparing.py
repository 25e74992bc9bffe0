"""From a sample to what the network learns from: a picture, words as numbers, facts as numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.models.tiny.facts import NAMES, Facts, encode_facts
from earthloom.models.tiny.shape import TinyShape
from earthloom.models.tiny.text import read_text
from earthloom.store.selection import CLEAR
from earthloom.store.stream.sample import Sample
from earthloom.train.pictures import Picture, Square

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Preparation:
    """How samples become arrays. Equal generators give equal arrays."""

    shape: TinyShape
    square: Square
    styles: tuple[str, ...] = ()
    """Of the captions to choose from; empty for all."""
    jitter: float = 0.0
    """Most by which levels of the other picture of a pair are changed, see `jitter_levels`; 0 for not at all."""

    def prepare(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        """The arrays of one sample: `image` (C x side x side, 8 bits), `tokens`, `names`, `measures`, `known`.

        Raises:
            RecordError: the picture cannot be decoded.

        """
        return {
            **self._tell(sample, rng),
            "image": self._draw(sample, self.shape.channels, rng),
        }

    def prepare_pair(self, pair: tuple[Sample, Sample], rng: np.random.Generator) -> Arrays:
        """The arrays of a sample, and as `control` the other picture of its ground, cut and turned alike.

        The other picture alone is jittered.

        Raises:
            RecordError: a picture cannot be decoded, or the two differ in size.

        """
        sample, other = pair
        told = self._tell(sample, rng)
        seed = int(rng.integers(2**63))
        image, control = (
            self._draw(each, channels, np.random.default_rng(seed))
            for each, channels in ((sample, self.shape.channels), (other, self.shape.control_channels))
        )
        return {**told, "image": image, "control": jitter_levels(control, self.jitter, rng)}

    def _tell(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        """Words and facts."""
        facts = encode_facts(gather_facts(sample, self.square.find_factor(sample), rng))
        text = self._choose_text(sample, rng)
        return {
            "tokens": read_text(text, self.shape.text_length, self.shape.buckets).tokens,
            "names": facts.names,
            "measures": facts.measures,
            "known": facts.known,
        }

    def _choose_text(self, sample: Sample, rng: np.random.Generator) -> str:
        """One of the captions; a sample without one is learnt from without words."""
        texts = [words.text for words in sample.captions if not self.styles or words.style in self.styles]
        choice = int(rng.integers(max(1, len(texts))))
        return texts[choice] if texts else ""

    def _draw(self, sample: Sample, channels: int, rng: np.random.Generator) -> Picture:
        picture = self.square.show(sample, rng) if channels == 3 else self.square.read(sample, rng)
        if picture.shape[2] != channels:
            raise RecordError(
                Reason.UNSUPPORTED_PIXELS, f"wanted {channels} channels, got {picture.shape[2]}"
            )
        return np.ascontiguousarray(picture.transpose(2, 0, 1))


def jitter_levels(picture: Picture, most: float, rng: np.random.Generator) -> Picture:
    """Change contrast and brightness of each channel of a picture, C x H x W, 8 bits, by itself.

    Contrast is multiplied or divided by up to e to the power of `most`, about the mean of the channel; brightness
    moves by up to `most` of half of the range. Levels beyond 0 and 255 are clipped. With `most` 0 nothing is
    changed and nothing drawn.
    """
    if most == 0.0:
        return picture
    n = len(picture)
    contrast, brightness = np.exp(rng.uniform(-most, most, n)), 127.5 * rng.uniform(-most, most, n)
    changed = np.empty_like(picture)
    for channel, levels in enumerate(picture):
        offset = (1.0 - contrast[channel]) * levels.mean() + brightness[channel]
        table = (np.arange(256) * contrast[channel] + offset).round().clip(0, 255).astype(np.uint8)
        changed[channel] = table[levels]
    return changed


def gather_facts(sample: Sample, factor: float, rng: np.random.Generator) -> Facts:
    """What is known of a sample; of several classes one is drawn.

    `factor` is how much finer the pixels are than those that are stored: scaling down makes what is seen coarser.
    Scaling up adds no detail, so the ground sample distance then stays.
    """
    labels = [label.name for label in sample.labels if label.kind == "class"]
    choice = int(rng.integers(max(1, len(labels))))
    return Facts(
        modality=sample.modality,
        scene=CLEAR if sample.effect is None else sample.effect.name,
        label=labels[choice] if labels else None,
        gsd_m=None if not sample.gsd_m else sample.gsd_m / min(1.0, factor),
        lon=sample.lon,
        lat=sample.lat,
        date=sample.acquired,
        cloud_share=sample.cloud_share,
    )


def list_names(samples: Iterable[Sample]) -> dict[str, list[str]]:
    """Every modality, scene and class of some samples, by the name of the fact, in alphabetical order."""
    found: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        facts = gather_facts(sample, 1.0, np.random.default_rng(0))
        classes = {label.name for label in sample.labels if label.kind == "class"}
        for field in NAMES:
            value = getattr(facts, field)
            found[field] |= classes if field == "label" else {value} - {None}
    return {field: sorted(values) for field, values in sorted(found.items())}
