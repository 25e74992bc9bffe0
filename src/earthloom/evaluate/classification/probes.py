"""Classification by linear probes: what features hold of the classes that a straight cut can tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from earthloom.core.errors import RunError
from earthloom.evaluate.classification.config import ClassificationRecipe
from earthloom.evaluate.classification.telling import Judged, list_figures, tabulate
from earthloom.evaluate.classification.zero_shot import Part
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.work import Work
from earthloom.metrics.probe import PENALTY, cross_validate
from earthloom.models.encoders.encoder import Encoder, Features, name_encoder

_LEAST = 2
"""Grounds of a class, so that no fold tests what was never taught."""


def probe(
    kept: Sequence[Entry],
    features: Mapping[str, Features],
    encoders: Sequence[Encoder],
    recipe: ClassificationRecipe,
    work: Work,
) -> list[Part]:
    """Judge every picture by probes that saw nothing of its ground, for each encoder.

    Args:
        kept: pictures with a class, N.
        features: `name@version` of each encoder to N x D.
        encoders: whose features are read.
        recipe: folds, and how often is drawn for intervals.
        work: is told how far the work is.

    Raises:
        RunError: fewer than two classes have two grounds.

    """
    if not encoders:
        return []
    rows, rare = _choose_taught(kept)
    if len({kept[i].label for i in rows}) < _LEAST:
        raise RunError(
            f"At least two classes with pictures of two grounds were wanted among {len(kept):,} pictures."
        )
    chosen = [kept[i] for i in rows]
    notes = (
        [f"Too few grounds for a probe, left out: {', '.join(rare)} ({len(kept) - len(rows):,} pictures)."]
        if rare
        else []
    )
    parts = []
    for encoder in encoders:
        work.tell(f"probing {encoder.name}")
        parts.append(_probe_one(chosen, features[name_encoder(encoder)][rows], encoder, recipe, notes))
    return parts


def _choose_taught(kept: Sequence[Entry]) -> tuple[list[int], list[str]]:
    """Rows of classes that can be taught and tested; the other classes."""
    grounds: dict[str, set[str]] = {}
    for entry in kept:
        grounds.setdefault(str(entry.label), set()).add(entry.group)
    rare = sorted(label for label, of in grounds.items() if len(of) < _LEAST)
    return [i for i, entry in enumerate(kept) if str(entry.label) not in rare], rare


def _probe_one(
    chosen: Sequence[Entry],
    features: Features,
    encoder: Encoder,
    recipe: ClassificationRecipe,
    notes: Sequence[str],
) -> Part:
    labels = np.array([str(entry.label) for entry in chosen])
    grounds = [entry.group for entry in chosen]
    found = cross_validate(features, labels, grounds, folds=recipe.folds, seed=recipe.seed)
    classes, truth = np.unique(labels, return_inverse=True)
    predicted = np.searchsorted(classes, found.predicted)
    own = np.take_along_axis(found.probabilities, truth[:, None], 1)
    judged = Judged(
        way="probe",
        encoder=name_encoder(encoder),
        classes=tuple(classes.tolist()),
        truth=truth,
        predicted=predicted,
        is_right=predicted == truth,
        is_in_top=(found.probabilities >= own).sum(axis=1) <= 5 if len(classes) >= 5 else None,
        grounds=grounds,
        details={"folds": found.n_folds},
    )
    rule = (
        f"logistic regression on standardised features, L2 penalty {PENALTY:g}; {found.n_folds} folds over grounds, "
        "each picture judged by a probe that saw nothing of its ground"
    )
    return Part(
        figures=tuple(list_figures(judged, recipe)),
        encoders={name_encoder(encoder): encoder.resize},
        rules={"probe": rule},
        tables=tabulate(judged),
        notes=notes,
    )
