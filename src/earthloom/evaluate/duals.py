"""Dual encoders of pictures and texts (CLIP, RemoteCLIP, GeoRSCLIP) as a recipe asks for them. No torch at import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from earthloom.core.settings import Settings
from earthloom.evaluate.seeing import see_entries
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.work import Work
from earthloom.metrics.clip_score import pool_windows
from earthloom.models.encoders.encoder import name_encoder

if TYPE_CHECKING:
    from earthloom.models.clip.dual import Dual
    from earthloom.models.encoders.clip import ClipImages

Features = npt.NDArray[np.float64]
"""N x D."""


class DualSettings(Settings):
    """Two towers that put pictures and texts into one space."""

    model: str = Field(min_length=1)
    """Folder of a CLIPModel as transformers saves it, or its name on the Hub where it lies in the cache. RemoteCLIP and
    GeoRSCLIP in transformers' form are such."""
    revision: str = ""
    """Commit, tag or branch of a model of the Hub."""
    long_text: Literal["windows", "stretch"] = "windows"
    """What to do with texts that are longer than the text tower reads, 77 tokens in most; none is cut. `windows`: read
    in parts that fit, each ending with a sentence or a word; features of a text are the mean of its parts', by their
    tokens. `stretch`: codes of position are interpolated (Long-CLIP: Zhang et al., ECCV 2024) so that it reads `length`
    tokens, and what is longer still is read in windows. Without training on such texts that is a makeshift."""
    length: int = Field(248, ge=3, le=4096)
    """Of `stretch`: tokens that the tower reads then."""
    trust_pickles: bool = False
    """Also load weights that are no safetensors."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """Texts in the common space."""

    features: Features
    """N x D: of length 1, of a text in several windows the mean of theirs, which is shorter."""
    n_long: int
    """Texts that took more than one window."""
    tokens: npt.NDArray[np.int64]
    """N, tokens of each with what was said before it; start and end are not counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenDual:
    """A dual encoder that is loaded."""

    encoder: ClipImages
    settings: DualSettings

    @property
    def name(self) -> str:
        """`clip@` and the fingerprint of its files."""
        return name_encoder(self.encoder)

    @property
    def dual(self) -> Dual:
        """Both towers."""
        return self.encoder.dual

    def describe_texts(self, texts: Sequence[str], prefix: str = "") -> Texts:
        """Describe texts, each after the same prefix; equal texts are read once and have equal features.

        Raises:
            UsageError: the prefix leaves no room.

        """
        from earthloom.models.clip.windows import split_texts

        distinct, places = np.unique(np.asarray(texts, np.str_), return_inverse=True)
        n_said = self._count([prefix])[0]
        windows = split_texts(distinct.tolist(), self._room - n_said, self._count)
        order = np.argsort(windows.weights, kind="stable")  # batches of like length are padded least
        read = self.dual.describe_texts([prefix + windows.texts[i] for i in order])
        features = np.empty_like(read)
        features[order] = read
        pooled = pool_windows(features, windows.owners, windows.weights, len(distinct))
        tokens = (
            np.bincount(windows.owners, windows.weights, minlength=len(distinct)).astype(np.int64) + n_said
        )
        is_long = np.bincount(windows.owners, minlength=len(distinct)) > 1
        return Texts(features=pooled[places], n_long=int(is_long[places].sum()), tokens=tokens[places])

    def tell_rules(self, prefix: str, n_long: int, n: int) -> dict[str, str]:
        """How texts were read, in words for a protocol."""
        room = f"{self.dual.length} tokens"
        tower = f"stretched to {room}" if self.settings.long_text == "stretch" else f"of {room}"
        return {
            "prefix": f"{prefix!r}" if prefix else "none",
            "long texts": (
                f"text tower {tower}; {n_long:,} of {n:,} texts were longer, read in windows that end with a sentence "
                "or a word, features averaged by tokens; none was cut"
            ),
        }

    @property
    def _room(self) -> int:
        """Tokens of a text between start and end."""
        return self.dual.length - len(self.dual.tokenizer("")["input_ids"])

    def _count(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        found = self.dual.tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"]
        ends = len(self.dual.tokenizer("")["input_ids"])
        return [len(ids) - ends for ids in found]


def open_dual_encoder(settings: DualSettings, base: Path) -> OpenDual:
    """Load what a recipe asks for, onto the CPU.

    Args:
        settings: of the recipe.
        base: folder that a path is relative to.

    Raises:
        UsageError: torch or transformers are missing, or there is no such model.

    """
    from earthloom.core.extras import explain_missing_models

    given = base / settings.model
    with explain_missing_models("A dual encoder wants"):
        from earthloom.models.clip.dual import open_dual
        from earthloom.models.encoders.clip import ClipImages

        dual = open_dual(
            str(given) if given.is_dir() else settings.model,
            settings.revision,
            long_text="stretch" if settings.long_text == "stretch" else "cut",
            length=settings.length,
            trust_pickles=settings.trust_pickles,
        )
    assert dual.origin is not None, "it was loaded from files"
    return OpenDual(encoder=ClipImages(version=dual.origin.fingerprint, dual=dual), settings=settings)


def see(
    entries: Sequence[Entry], dual: OpenDual, work: Work, cache: str | None
) -> tuple[list[Entry], Features]:
    """Pictures that can be used, in their order, and their features, each of length 1. Raises as `see_entries`."""
    kept, features = see_entries(entries, [dual.encoder], work, cache)
    return kept, features[dual.name]
