"""Sets of pictures with their features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from earthloom.evaluate.seeing import see_entries
from earthloom.evaluate.sets import Entry, OpenSet
from earthloom.evaluate.work import Work
from earthloom.models.encoders.encoder import Encoder, Features, name_encoder


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Gathered:
    """Those pictures of a set that can be used, with their features."""

    opened: OpenSet
    entries: tuple[Entry, ...]
    """N."""
    features: Mapping[str, Features]
    """`name@version` of each encoder to N x D."""
    resize: Mapping[str, str]
    """`name@version` of each encoder to its rule in words."""

    @property
    def groups(self) -> tuple[str, ...]:
        """N, what belongs together: the ground of a real picture, the prompt of a generated one."""
        return tuple(
            (entry.prompt_key or entry.key) if entry.is_generated else entry.group for entry in self.entries
        )


def gather(work: Work, opened: OpenSet, encoders: Sequence[Encoder], cache: str | None = None) -> Gathered:
    """Describe the pictures of a set; those that cannot be used are on record as refused.

    Args:
        work: under way.
        opened: the set.
        encoders: of different names or versions.
        cache: folder of features that are kept, as in the recipe.

    Raises:
        RunError: no picture can be used.

    """
    work.tell(f"looking at the set {opened.name}")
    entries, features = see_entries(opened.entries, encoders, work, cache)
    return Gathered(
        opened=opened,
        entries=tuple(entries),
        features=features,
        resize={name_encoder(encoder): encoder.resize for encoder in encoders},
    )
