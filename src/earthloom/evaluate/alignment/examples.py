"""Pictures that fit their texts best and worst, to look at, each beside the real one of the same prompt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from earthloom.evaluate.alignment.scoring import Scored
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.work import Grid, Row, Work


def show_examples(scored: Scored, sources: Mapping[str, Entry], n: int, work: Work) -> list[Grid]:
    """Grids of the highest and the lowest scores, at most n rows each."""
    order = np.argsort(scored.score.scores, kind="stable")
    n = min(n, len(order) // 2)
    grids = []
    for title, rows in (("Fit best", order[::-1][:n]), ("Fit worst", order[:n])):
        shown = [row for place in rows.tolist() if (row := _show(scored, place, sources, work)) is not None]
        if shown:
            grids.append(Grid(title=title, rows=tuple(shown), note=f"By score, of {len(order):,} pairs."))
    return grids


def _show(scored: Scored, place: int, sources: Mapping[str, Entry], work: Work) -> Row | None:
    pair = scored.pairs[place]
    picture = work.read(pair.entry)
    if picture is None:
        return None
    null = scored.score.null_scores[place]
    beside = f", shuffled {null:.3f}" if np.isfinite(null) else ""
    pictures, captions = [picture], [f"score {scored.score.scores[place]:.3f}{beside}"]
    source = sources.get(pair.entry.prompt_key or "")
    real = None if source is None else work.read(source)
    if real is not None:
        pictures.append(real)
        captions.append("real picture of this prompt")
    return Row(label=pair.text, pictures=tuple(pictures), captions=tuple(captions))
