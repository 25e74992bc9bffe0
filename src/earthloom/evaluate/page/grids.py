"""Pictures on the page: small copies within it, as many as its weight allows."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np

from earthloom.core.images import encode_jpeg, encode_png
from earthloom.core.markup import Html, element, join
from earthloom.evaluate.sets import Picture
from earthloom.evaluate.work import Grid, Row

SIDE = 256
"""Longest side of a copy, pixels."""
MOST_BYTES = 8_000_000
"""Of all copies together."""
_QUALITY = 85
_SMALL = 96
"""Pictures up to this side are copied without loss: artefacts would be larger than what they show."""


def draw_grids(grids: Sequence[Grid]) -> Html:
    """All grids; rows that the page has no room for are left out, and counted."""
    left = MOST_BYTES
    cards: list[Html] = []
    for grid in grids:
        rows: list[Html] = []
        for row in grid.rows:
            sources = [copy_picture(picture) for picture in row.pictures]
            left -= sum(map(len, sources))
            if left < 0:
                break
            rows.append(_draw_row(row, sources))
        cards.append(_draw_grid(grid, rows))
    return join(*cards)


def copy_picture(picture: Picture) -> str:
    """A small copy as a `data:` address."""
    height, width = picture.shape[:2]
    factor = SIDE / max(height, width)
    if factor < 1:
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    if max(picture.shape[:2]) <= _SMALL:
        return "data:image/png;base64," + base64.b64encode(encode_png(picture)).decode()
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(picture, _QUALITY)).decode()


def _draw_grid(grid: Grid, rows: list[Html]) -> Html:
    missing = len(grid.rows) - len(rows)
    notes = [grid.note] if grid.note else []
    if missing:
        notes.append(f"{missing:,} more rows would make this page too heavy and are left out.")
    return element(
        "div",
        element("h3", grid.title),
        [element("p", note, class_="soft small") for note in notes],
        element("div", rows, class_="rows"),
        class_="card spaced",
    )


def _draw_row(row: Row, sources: list[str]) -> Html:
    captions = row.captions or ("",) * len(sources)
    figures = [
        element("figure", _draw_picture(row.label, caption, source), _draw_caption(caption))
        for source, caption in zip(sources, captions, strict=True)
    ]
    return element(
        "div",
        element("p", row.label, class_="row-label"),
        element("div", figures, class_="strip"),
        class_="row",
    )


def _draw_picture(label: str, caption: str, source: str) -> Html:
    small = "small-picture" if source.startswith("data:image/png") else None
    return element("img", src=source, alt=caption or label, loading="lazy", class_=small)


def _draw_caption(caption: str) -> Html | str:
    return element("figcaption", caption) if caption else ""
