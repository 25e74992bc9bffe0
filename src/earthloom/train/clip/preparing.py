"""From a sample to what a dual encoder learns from: its picture, some of its captions, and what it is known by."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.models.clip.dual import Dual
from earthloom.models.clip.looks import Look, Picture
from earthloom.models.clip.tokens import tokenise
from earthloom.store.shown import decode_display
from earthloom.store.stream.samples import Sample
from earthloom.train.clip.config import ClipSettings
from earthloom.train.pictures import turn

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """Makes the arrays of one sample; see `__call__`."""

    dual: Dual
    settings: ClipSettings
    varies: bool
    """Whether crops, turns and captions are drawn; else they are the whole picture and the first captions."""

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        """Make the arrays of a sample.

        Returns:
            `image` uint8, 3 x S x S; `ids` int64, C x L, C being `texts`; `lengths` int64, C; `n_cut` int64, scalar,
            captions that lost their end; `marks` int64, 3: hashes of what the sample is a variant of, of its pair and
            of its pixels; `texts` int64, C, and `known` int64, `known_texts`: hashes of its captions.

        Raises:
            RecordError: it has no caption, or its picture cannot be decoded.

        """
        captions = list_captions(sample, self.settings.styles)
        picture = self._decode(sample)
        drawn = self._choose(captions, rng)
        tokens = tokenise(self.dual.tokenizer, drawn, self.dual.length)
        image = self._frame(picture, rng)
        return {
            "image": np.ascontiguousarray(image.transpose(2, 0, 1)),
            "ids": tokens.ids,
            "lengths": tokens.lengths,
            "n_cut": np.array(tokens.n_cut, np.int64),
            "marks": np.array([*_list_marks(sample), hash_bytes(picture.tobytes())], np.int64),
            "texts": np.array([hash_text(text) for text in drawn], np.int64),
            "known": self._list_known(captions),
        }

    def _decode(self, sample: Sample) -> Picture:
        """In no more detail than the smallest crop needs, where crops are drawn."""
        at_least = math.ceil(self.dual.look.side / self.settings.zoom[0]) if self.varies else 0
        return decode_display(sample.image, is_linear=sample.is_linear, at_least=at_least)

    def _choose(self, captions: Sequence[str], rng: np.random.Generator) -> list[str]:
        """As many captions as are wanted; where there are fewer, some come again."""
        order = rng.permutation(len(captions)) if self.varies else np.arange(len(captions))
        return [captions[i] for i in np.resize(order, self.settings.texts).tolist()]

    def _list_known(self, captions: Sequence[str]) -> npt.NDArray[np.int64]:
        found = [hash_text(text) for text in captions[: self.settings.known_texts]]
        return np.array(found + [0] * (self.settings.known_texts - len(found)), np.int64)

    def _frame(self, picture: Picture, rng: np.random.Generator) -> Picture:
        look = self.dual.look
        return draw_view(picture, look, self.settings, rng) if self.varies else look.frame(picture)


def draw_view(picture: Picture, look: Look, settings: ClipSettings, rng: np.random.Generator) -> Picture:
    """Draw a square crop of a picture, H x W x 3, and, if that is wanted, one of the eight turns of a square."""
    height, width = picture.shape[:2]
    side = rng.uniform(*settings.zoom) * min(height, width)
    x, y = rng.uniform(0, width - side), rng.uniform(0, height - side)
    view = look.cut(picture, (x, y, x + side, y + side))
    return turn(view, rng) if settings.turn else view


def list_captions(sample: Sample, styles: Sequence[str]) -> list[str]:
    """Captions of the styles that are wanted, empty for all. Raises `RecordError` where a sample has none."""
    found = [words.text for words in sample.captions if not styles or words.style in styles]
    if not found:
        of = f" of the styles {', '.join(styles)}" if styles else ""
        raise RecordError(
            Reason.NO_CAPTION, f"a caption{of} was wanted, the sample has {len(sample.captions)} others"
        )
    return found


def hash_text(text: str) -> int:
    """A hash of what a text reads like: neither case nor white space count, nor a stop at its end."""
    return hash_bytes(" ".join(text.lower().split()).rstrip(" .").encode())


def hash_bytes(data: bytes) -> int:
    """A signed hash of 64 bits that is never 0."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little", signed=True) or 1


def _list_marks(sample: Sample) -> tuple[int, int]:
    pair = sample.pair_key or sample.key
    return hash_bytes(f"base:{sample.base_key}".encode()), hash_bytes(f"pair:{pair}".encode())
