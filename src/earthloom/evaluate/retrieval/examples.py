"""What was found, to look at: hits and misses of texts that look for pictures and of pictures that look for texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.sets import Entry, Picture
from earthloom.evaluate.work import Grid, Row, Work
from earthloom.metrics.retrieval import Ranks

Features = npt.NDArray[np.float64]
_SHOWN = 4
"""Pictures, or texts, that a query finds first."""
_HIT = 5
"""A query that finds something right among the first so many is a hit."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Gallery:
    """Pictures and texts, and what they find."""

    entries: Sequence[Entry]
    pictures: Features
    """N x D."""
    texts: Sequence[str]
    words: Features
    """M x D, of length 1."""
    owners: npt.NDArray[np.int64]
    ranks: Ranks


def show_examples(gallery: Gallery, n: int, work: Work) -> list[Grid]:
    """Grids of hits and misses, at most n rows each; empty grids are left out."""
    ranks = gallery.ranks
    chosen = (
        ("Texts that find their picture", "texts found", np.flatnonzero(ranks.to_picture < _HIT), _show_text),
        ("Texts that do not", "texts missed", np.flatnonzero(ranks.to_picture >= _HIT), _show_text),
        ("Pictures that find a text of theirs", "pictures found", np.flatnonzero(ranks.to_text < _HIT), _show_picture),
        ("Pictures that do not", "pictures missed", np.flatnonzero(ranks.to_text >= _HIT), _show_picture),
    )  # fmt: skip
    grids = []
    for title, purpose, places, show in chosen:
        drawn = work.rng(purpose).permutation(places)[:n]
        rows = [row for place in sorted(drawn.tolist()) if (row := show(gallery, place, work)) is not None]
        if rows:
            note = (
                f"{len(rows)} of {len(places):,}, drawn at random; found is what is among the first {_HIT}."
            )
            grids.append(Grid(title=title, rows=tuple(rows), note=note))
    return grids


def _show_text(gallery: Gallery, text: int, work: Work) -> Row | None:
    """A text, its own picture, and what it finds first."""
    own, rank = int(gallery.owners[text]), int(gallery.ranks.to_picture[text])
    first = np.argsort(-(gallery.pictures @ gallery.words[text]), kind="stable")[:_SHOWN]
    named = [(own, f"its own, rank {rank + 1:,}")]
    named += [(int(i), f"{place}{' (its own)' if i == own else ''}") for place, i in enumerate(first, 1)]
    read = [(work.read(gallery.entries[i]), words) for i, words in named]
    return _make_row(gallery.texts[text], read)


def _show_picture(gallery: Gallery, place: int, work: Work) -> Row | None:
    """A picture, and the texts that it finds first."""
    picture, rank = int(gallery.ranks.asking[place]), int(gallery.ranks.to_text[place])
    first = np.argsort(-(gallery.words @ gallery.pictures[picture]), kind="stable")[:_SHOWN]
    found = "; ".join(
        f"{number}. {gallery.texts[i]}{' (its own)' if gallery.owners[i] == picture else ''}"
        for number, i in enumerate(first, 1)
    )
    return _make_row(f"rank {rank + 1:,}", [(work.read(gallery.entries[picture]), found)])


def _make_row(label: str, read: Sequence[tuple[Picture | None, str]]) -> Row | None:
    shown = [(picture, words) for picture, words in read if picture is not None]
    if not shown:
        return None
    pictures, captions = zip(*shown, strict=True)
    return Row(label=label, pictures=tuple(pictures), captions=tuple(captions))
