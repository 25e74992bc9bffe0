"""Inception Score, by the classifier of FID; by a head of our own network under another name."""

from __future__ import annotations

import numpy as np

from earthloom.core.seeds import make_rng
from earthloom.evaluate.generation.distances import FEW_HALVES, tell_interval
from earthloom.evaluate.generation.spaces import Draws, Space, draw_rows
from earthloom.evaluate.result import Figure
from earthloom.metrics.bootstrap import draw_halves, half_sample_interval
from earthloom.metrics.inception import SPLITS, inception_score_of_probabilities
from earthloom.models.encoders.encoder import Encoder, Features

HEAD = "cover"
"""Of our own network: classes of land cover."""


def measure_score(encoder: Encoder, space: Space, draws: Draws) -> Figure | None:
    """How sure a classifier is of each picture, and how many classes it finds; None for encoders that do not classify.

    It knows nothing of the real set, whose own score is the ceiling. A score grows with the count, so that the ceiling
    is taken at the smaller of both; what generated pictures come to at that count stands in the details.
    """
    both = [_classify(encoder, features) for features in (space.generated, space.real)]
    generated, real = both
    if generated is None or real is None:
        return None
    name = "is" if space.frechet == "fid" else f"is:{space.frechet.partition(':')[2]}"
    if min(len(generated), len(real)) < 2 * SPLITS:
        why = f"wants {2 * SPLITS} pictures of each set, got {len(generated)} and {len(real)}"
        return Figure(name=name, value=None, encoder=space.encoder, reason=why)
    found = inception_score_of_probabilities(generated)
    halves = min(FEW_HALVES, draws.halves) if generated.size > 10**7 else draws.halves
    sampled = [
        inception_score_of_probabilities(generated[rows]).value
        for rows in draw_halves(len(generated), halves, draws.seed, "score", space.generated_groups)
    ]
    rng, size = make_rng(draws.seed, "evaluate", "score"), min(len(generated), len(real))
    rows, drawn = (draw_rows(len(each), size, rng) for each in (real, generated))
    return Figure(
        name=name,
        value=found.value,
        better="higher",
        encoder=space.encoder,
        ceiling=inception_score_of_probabilities(real[rows]).value,
        null=1.0,
        n=found.n,
        n_real=len(real),
        details={
            "std": found.std,
            "splits": found.splits,
            "n_classes": found.n_classes,
            "ceiling_n": size,
            "at_ceiling_n": inception_score_of_probabilities(generated[drawn]).value,
        },
        **tell_interval(half_sample_interval(found.value, np.array(sampled), draws.level)),
    )


def _classify(encoder: Encoder, features: Features) -> Features | None:
    """Probabilities, N x K."""
    if encoder.name == "classical":  # it needs no torch, which the others bring
        return None
    from earthloom.models.encoders.inception import Inception
    from earthloom.models.encoders.ours import Loom

    if isinstance(encoder, Loom):
        return encoder.ask(HEAD, features)
    if isinstance(encoder, Inception):
        return _softmax(encoder.classify(features))
    return None


def _softmax(scores: Features) -> Features:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
