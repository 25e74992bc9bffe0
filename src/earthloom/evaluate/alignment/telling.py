"""Scores as figures: each with null, lift and ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.alignment.config import AlignmentRecipe
from earthloom.evaluate.alignment.scoring import Scored
from earthloom.evaluate.averages import average
from earthloom.evaluate.result import Figure
from earthloom.metrics.clip_score import WEIGHT

_NO_NULL = "there is one text, or more than half of them are the same: they cannot be dealt to other pictures"
Flags = npt.NDArray[np.bool_]


def list_figures(
    scored: Scored, ceiling: Scored | None, ceiling_is: str | None, encoder: str, recipe: AlignmentRecipe
) -> Iterator[Figure]:
    """Score, lift and wins of all pairs; score and lift of each style where there are several."""
    yield from _tell(scored, ceiling, ceiling_is, None, encoder, recipe)
    styles = sorted({pair.style for pair in scored.pairs if pair.style is not None})
    if len(styles) > 1:
        for style in styles:
            figures = _tell(scored, ceiling, ceiling_is, style, encoder, recipe)
            yield from (figure for figure in figures if not figure.name.endswith("wins"))


def _tell(
    scored: Scored,
    ceiling: Scored | None,
    ceiling_is: str | None,
    style: str | None,
    encoder: str,
    recipe: AlignmentRecipe,
) -> Iterator[Figure]:
    score, chosen = scored.score, _choose(scored, style)
    dealt = chosen & score.has_null
    reason = None if dealt.any() else _NO_NULL
    common: dict[str, Any] = {
        "encoder": encoder,
        "group": style,
        "better": "higher",
        "units": "prompts" if any(pair.entry.prompt_key for pair in scored.pairs) else "grounds",
        "n_real": int(_choose(ceiling, style).sum()) if ceiling else None,
    }
    details = {
        "weight": recipe.weight,
        "draws": score.n_draws,
        "null_spread": score.null_spread if style is None else None,
        "ceiling_is": ceiling_is,
        "ceiling_null": _mean(ceiling, "null", style),
    }
    name = "clip_score" if recipe.weight == WEIGHT else f"clip_score:x{recipe.weight:g}"
    yield average(
        name,
        score.scores[chosen],
        _take(scored.grounds, chosen),
        recipe,
        null=float(score.null_scores[dealt].mean()) if dealt.any() else None,
        ceiling=_mean(ceiling, "score", style),
        reason=reason,
        details=details,
        **common,
    )
    for part, values, null in (("lift", scored.lifts, 0.0), ("wins", score.win_shares, 0.5)):
        yield average(
            f"{name}:{part}",
            values[dealt],
            _take(scored.grounds, dealt),
            recipe,
            null=null,
            ceiling=_mean(ceiling, part, style),
            reason=reason,
            **common,
        )


def _choose(scored: Scored, style: str | None) -> Flags:
    return np.array([style in {None, pair.style} for pair in scored.pairs], np.bool_)


def _take(grounds: Sequence[str], chosen: Flags) -> list[str]:
    return [ground for ground, is_chosen in zip(grounds, chosen, strict=True) if is_chosen]


def _mean(scored: Scored | None, part: str, style: str | None) -> float | None:
    """Of what is chosen; None where there is nothing."""
    if scored is None:
        return None
    values = {
        "score": scored.score.scores,
        "null": scored.score.null_scores,
        "lift": scored.lifts,
        "wins": scored.score.win_shares,
    }[part]
    chosen = values[_choose(scored, style) & np.isfinite(values)]
    return float(chosen.mean()) if len(chosen) else None
