"""Pairs pixel by pixel, and what a linear regression from RGB reaches on the same ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.seeds import stable_hash
from earthloom.evaluate.crossmodal.reading import Levels, Scale
from earthloom.metrics.paired import correlation, fit_band, psnr, rmse, ssim_terms
from earthloom.metrics.radar.decibels import from_levels, levels_to_db, power_to_db
from earthloom.metrics.structure import gmsd

Floats = npt.NDArray[np.float64]
FOLDS = 5
REGRESSION_SIDE = 3
"""Pixels around each that a regression sees."""
UNITS = {"rmse_db": "dB", "rmse_db_of_means": "dB", "psnr_db": "dB", "rmse": "levels"}
LOWER_IS_BETTER = frozenset({"rmse", "rmse_db", "rmse_db_of_means", "gmsd"})


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pair:
    """A drawn picture and the true one of its ground, of one size."""

    key: str
    true_key: str
    """Several may be drawn of one ground."""
    group: str
    drawn: Levels
    true: Levels
    scale: Scale | None = None
    """Of the true one; None for near infrared."""
    scale_drawn: Scale | None = None
    rgb: npt.NDArray[np.uint8] | None = None
    """H x W x 3, of the ground."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scores:
    """A number for each pair, by name."""

    of_drawn: Mapping[str, Floats]
    shuffled: Mapping[str, Floats] = field(default_factory=dict)
    """Against the true picture of another ground: what is reached without seeing this one."""


def score_pairs(pairs: Sequence[Pair], side: int) -> Scores:
    """Compare every pair, and every drawn picture with a true one of another ground."""
    score = _score_radar if pairs[0].scale is not None else _score_band
    own = [score(pair, pair, side) for pair in pairs]
    strangers = [score(pair, other, side) for pair, other in _find_strangers(pairs)]
    return Scores(of_drawn=_gather(own), shuffled=_gather(strangers))


def score_regression(pairs: Sequence[Pair]) -> Mapping[str, Floats] | None:
    """The same numbers for a linear regression from RGB, fitted to the other grounds in five folds.

    None with fewer than two grounds, or where a pair has no RGB.
    """
    groups = sorted({pair.group for pair in pairs}, key=lambda group: stable_hash(0, "fold", group))
    if len(groups) < 2 or any(pair.rgb is None for pair in pairs):
        return None
    fold_of = {group: number % FOLDS for number, group in enumerate(groups)}
    rows: list[Mapping[str, float]] = [{}] * len(pairs)
    for fold in range(min(FOLDS, len(groups))):
        others = {pair.true_key: pair for pair in pairs if fold_of[pair.group] != fold}.values()
        model = fit_band(((pair.rgb, pair.true) for pair in others if pair.rgb is not None), REGRESSION_SIDE)
        for number, pair in enumerate(pairs):
            if fold_of[pair.group] == fold and pair.rgb is not None:
                guess = np.clip(np.rint(model.predict(pair.rgb)), 0, 255).astype(np.uint8)
                rows[number] = _compare_band(guess, pair.true)
    return _gather(rows)


def _score_band(pair: Pair, other: Pair, side: int) -> Mapping[str, float]:
    return _compare_band(pair.drawn, other.true)


def _compare_band(drawn: Levels, true: Levels) -> Mapping[str, float]:
    return {
        "correlation": correlation(drawn, true),
        "rmse": rmse(drawn, true),
        "psnr_db": psnr(drawn, true, data_range=255),
        **_compare_structure(drawn, true),
    }


def _score_radar(pair: Pair, other: Pair, side: int) -> Mapping[str, float]:
    assert pair.scale_drawn is not None
    assert other.scale is not None
    drawn, true = pair.drawn, other.true
    a = levels_to_db(drawn, pair.scale_drawn.low_db, pair.scale_drawn.high_db)
    b = levels_to_db(true, other.scale.low_db, other.scale.high_db)
    means = [
        power_to_db(cv2.blur(from_levels(levels, scale.low_db, scale.high_db), (side, side)))
        for levels, scale in ((drawn, pair.scale_drawn), (true, other.scale))
    ]
    return {
        "correlation_of_means": correlation(*means),
        "rmse_db_of_means": rmse(*means),
        "correlation": correlation(a, b),
        "rmse_db": rmse(a, b),
        "psnr_db": psnr(a, b, data_range=other.scale.extent_db),
        **_compare_structure(turn_levels(drawn, pair.scale_drawn, other.scale), true),
    }


def turn_levels(levels: Levels, scale: Scale, wanted: Scale) -> Levels:
    """Levels of one scale as those of another: what is compared level by level has to mean the same decibels."""
    if scale == wanted:
        return levels
    decibels = levels_to_db(levels, scale.low_db, scale.high_db)
    turned = (decibels - wanted.low_db) / wanted.extent_db * 255
    return np.clip(np.rint(turned), 0, 255).astype(np.uint8)


def _compare_structure(drawn: Levels, true: Levels) -> Mapping[str, float]:
    terms = ssim_terms(drawn, true)
    return {
        "ssim": terms.ssim,
        "ssim_luminance": terms.luminance,
        "ssim_contrast": terms.contrast,
        "ssim_structure": terms.structure,
        "gmsd": gmsd(drawn, true),
    }


def _find_strangers(pairs: Sequence[Pair]) -> list[tuple[Pair, Pair]]:
    """Each pair with the next one of another ground and equal size."""
    found = []
    for number, pair in enumerate(pairs):
        others = (*pairs[number + 1 :], *pairs[:number])
        other = next((o for o in others if o.group != pair.group and o.true.shape == pair.drawn.shape), None)
        if other is not None:
            found.append((pair, other))
    return found


def _gather(rows: Sequence[Mapping[str, float]]) -> dict[str, Floats]:
    """Columns of rows; equal pictures have no finite PSNR, and count as 100 dB."""
    names: Sequence[str] = list(rows[0]) if rows else []
    return {name: np.minimum([row[name] for row in rows], _MOST_DB) for name in names}


_MOST_DB = 100.0
"""Far beyond the quantisation of 8 bits, about 59 dB."""
