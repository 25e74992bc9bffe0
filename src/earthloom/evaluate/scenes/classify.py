"""What a classifier learns from synthetic weather, and whether it can tell it from the real one.

Crossed training and testing (Czerkawski et al., Remote Sensing 15:4138, 2023): a probe that is trained on real
{clear, weather} is tested on synthetic, and the other way round. Every test picture shows ground that the probe did not
see in training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.seeds import make_rng
from earthloom.evaluate.scenes.realism import LEAST_PICTURES, Described
from earthloom.metrics.probe import auc, balanced_accuracy, cross_validate, deal_folds, fit_probe

_CLEAR, _WEATHER = "clear", "weather"
_HALVES = 5
"""Random splits of the real pictures from which the floor is a mean."""
Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """How well {clear, weather} was told apart."""

    balanced_accuracy: float
    """One half for guessing."""
    auc: float
    n: int
    """Pictures that were tested."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Crossed:
    """Trained here, tested there."""

    encoder: str
    real_to_real: Answers | None = None
    """The mark for `synthetic_to_real`."""
    real_to_synthetic: Answers | None = None
    synthetic_to_real: Answers | None = None
    synthetic_to_synthetic: Answers | None = None
    """The mark for `real_to_synthetic`."""
    reason: str | None = None
    """Why it was not measured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """AUC with which synthetic weather is told from real weather; one half is best."""

    encoder: str
    score: float | None = None
    floor: float | None = None
    """Two halves of the real pictures."""
    ceiling: float | None = None
    """Clear pictures from real weather."""
    reason: str | None = None


def cross_classify(
    encoder: str,
    synthetic: Described,
    originals: Described,
    real: Described,
    clear: Described,
    *,
    folds: int,
    seed: int,
) -> Crossed:
    """Train a probe on real pictures and test it on synthetic ones, and the reverse.

    Args:
        encoder: name and version of the features.
        synthetic: with the effect.
        originals: their clear originals, each once.
        real: with such weather.
        clear: real clear pictures, or the originals again where there are none; equal groups never lie on both sides.
        folds: of the cross-validation.
        seed: of the folds.

    """
    sets = {"synthetic": synthetic, "clear original": originals, "real": real, "real clear": clear}
    lacking = _explain_lack(sets)
    if lacking is not None:
        return Crossed(encoder=encoder, reason=lacking)
    features = np.concatenate([described.features for described in sets.values()])
    kind = np.repeat(np.arange(len(sets)), [len(described) for described in sets.values()])
    groups = np.array([group for described in sets.values() for group in described.groups], np.str_)
    labels = np.where(np.isin(kind, (0, 2)), _WEATHER, _CLEAR)
    home = deal_folds(np.array(list(sets))[kind], groups, folds, seed)
    made, seen = kind <= 1, kind >= 2

    def test(train: Rows, judged: Rows) -> Answers:
        return _answer(features, labels, home, train, judged)

    return Crossed(
        encoder=encoder,
        real_to_real=test(seen, seen),
        real_to_synthetic=test(seen, made),
        synthetic_to_real=test(made, seen),
        synthetic_to_synthetic=test(made, made),
    )


def _answer(
    features: npt.NDArray[np.float64],
    labels: npt.NDArray[np.str_],
    home: npt.NDArray[np.int64],
    train: Rows,
    judged: Rows,
) -> Answers:
    chance = np.full(len(labels), np.nan)
    for fold in np.unique(home[judged]):
        held, rest = judged & (home == fold), train & (home != fold)
        chance[held] = fit_probe(features[rest], labels[rest]).probabilities(features[held])[:, 1]
    chance, names = chance[judged], labels[judged]
    predicted = np.where(chance > 0.5, _WEATHER, _CLEAR)
    return Answers(
        balanced_accuracy=balanced_accuracy(predicted, names),
        auc=auc(chance, names == _WEATHER),
        n=int(judged.sum()),
    )


def tell_apart(
    encoder: str, synthetic: Described, real: Described, clear: Described, *, folds: int, seed: int
) -> Told:
    """Train a probe to tell synthetic weather from real weather, by cross-validation over grounds."""
    lacking = _explain_lack({"synthetic": synthetic, "real": real})
    if lacking is not None:
        return Told(encoder=encoder, reason=lacking)
    halves = [_split(real, seed, number) for number in range(_HALVES)]
    enough = len(clear) > 0 and _explain_lack({"clear": clear}) is None
    return Told(
        encoder=encoder,
        score=_tell(synthetic, real, folds, seed),
        floor=float(np.mean([_tell(one, other, folds, seed) for one, other in halves])),
        ceiling=_tell(clear, real, folds, seed) if enough else None,
    )


def _tell(one: Described, other: Described, folds: int, seed: int) -> float:
    features = np.concatenate([one.features, other.features])
    labels = ["one"] * len(one) + ["other"] * len(other)
    found = cross_validate(features, labels, [*one.groups, *other.groups], folds, seed).auc
    assert found is not None  # there are two classes
    return found


def _split(described: Described, seed: int, number: int) -> tuple[Described, Described]:
    """Halves by group."""
    names = np.unique(np.asarray(described.groups, np.str_))
    chosen = make_rng(seed, "half", str(number)).permutation(names)[: len(names) // 2]
    first = np.isin(np.asarray(described.groups, np.str_), chosen)
    return _take(described, first), _take(described, ~first)


def _take(described: Described, rows: Rows) -> Described:
    groups = tuple(group for group, taken in zip(described.groups, rows, strict=True) if taken)
    return Described(features=described.features[rows], groups=groups)


def _explain_lack(sets: dict[str, Described]) -> str | None:
    for kind, described in sets.items():
        if described.n_groups < LEAST_PICTURES:
            return f"wants {LEAST_PICTURES} {kind} pictures of different ground, got {described.n_groups}"
    return None
