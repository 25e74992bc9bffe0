"""Splits that do not leak: a group as a whole goes to one split."""

from __future__ import annotations

from earthloom.core.seeds import stable_uniform
from earthloom.curate.config import SPLITS, CurateSettings


def assign_split(group: str, settings: CurateSettings) -> str:
    """Choose the split of a group: `train`, `val` or `test`.

    A seeded hash of the group's name is laid on the shares' running sum. The choice depends on nothing else, so
    adding or removing data never moves another group, and variants, modalities and tiles of one scene, which
    share their group, never part. Shares are met in expectation: with n equal groups the standard deviation of
    a share p is sqrt(p (1 - p) / n).
    """
    draw = stable_uniform(settings.seed, "split", group)
    edge = 0.0
    chosen = ""
    for split in SPLITS:
        share = settings.split.get(split, 0.0)
        if share == 0.0:
            continue
        chosen = split
        edge += share
        if draw < edge:
            break
    return chosen
