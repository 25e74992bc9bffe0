"""Pictures to look at: which pairs, and small copies of them."""

from __future__ import annotations

import base64
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from earthloom.export.release import read_pictures
from earthloom.export.statistics import Pick

SIDES = (320, 240, 192, 128)
"""Pixels of a small copy: shown 140 wide in a mosaic and 320 wide when opened. The first at which all fit is used."""
_BUDGET = 4_500_000
"""Characters that all small copies of a page may take together; radar is noise, which JPEG cannot shrink."""
_QUALITY = 78
_STRIP_SIDE = 120
_STRIP_ROWS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A pair with a small copy of its picture."""

    pick: Pick
    thumbnail: Image.Image
    """RGB or grey, at most `SIDES[0]` pixels along its longer side."""
    uri: str
    """The same as a JPEG that a page can carry within."""


def choose_picks(picks: Iterable[Pick], n: int) -> list[Pick]:
    """Choose up to n pairs: the sources take turns, and within a source new groups and new scenes come first."""
    by_source: dict[str, list[Pick]] = defaultdict(list)
    for pick in picks:
        by_source[pick.pair.source].append(pick)
    turns = [_order_by_novelty(by_source[source]) for source in sorted(by_source)]
    longest = max(map(len, turns), default=0)
    return [turn[i] for i in range(longest) for turn in turns if i < len(turn)][:n]


def _order_by_novelty(picks: Sequence[Pick]) -> list[Pick]:
    """The first pair of every group, then the second of every group, and so on; the same for scenes within."""
    groups: Counter[str] = Counter()
    scenes: Counter[str] = Counter()
    ranked = []
    for pick in sorted(picks, key=lambda p: p.pair.id):
        ranked.append((scenes[pick.pair.scene_id], groups[pick.pair.group], pick.pair.id, pick))
        groups[pick.pair.group] += 1
        scenes[pick.pair.scene_id] += 1
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:3])]


def load_shown(picks: Sequence[Pick]) -> list[Shown]:
    """Read the pictures of some pairs, file by file, and keep small copies; in the order given."""
    rows: dict[Path, list[int]] = defaultdict(list)
    for pick in picks:
        rows[pick.file].append(pick.row)
    small = {
        (file, row): shrink(data, SIDES[0])
        for file in sorted(rows)
        for row, data in read_pictures(file, rows[file]).items()
    }
    images = [small[pick.file, pick.row] for pick in picks]
    uris = _encode_to_fit(images)
    return [Shown(pick=p, thumbnail=i, uri=u) for p, i, u in zip(picks, images, uris, strict=True)]


def _encode_to_fit(images: Sequence[Image.Image]) -> list[str]:
    for side in SIDES:
        uris = [to_data_uri(_limit(image, side)) for image in images]
        if sum(map(len, uris)) <= _BUDGET:
            break
    return uris


def _limit(image: Image.Image, side: int) -> Image.Image:
    copy = image.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    return copy


def shrink(data: bytes, side: int) -> Image.Image:
    """Decode a picture, at most `side` pixels along its longer side; grey stays grey."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft(None, (side * 2, side * 2))  # lets the JPEG decoder skip detail that is not shown
        small = image.convert("L" if image.mode == "L" else "RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return small


def to_data_uri(image: Image.Image) -> str:
    """The picture as a `data:` address that a page can carry within."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def weave_strip(rows: Sequence[Sequence[Shown]]) -> Image.Image | None:
    """One wide picture of many: `_STRIP_ROWS` rows, in which the modalities (one sequence each) take turns."""
    longest = max(map(len, rows), default=0)
    woven = [row[i] for i in range(longest) for row in rows if i < len(row)]
    columns = len(woven) // _STRIP_ROWS
    if columns < 6:
        return None
    strip = Image.new("RGB", (columns * _STRIP_SIDE, _STRIP_ROWS * _STRIP_SIDE))
    for i, shown in enumerate(woven[: columns * _STRIP_ROWS]):
        square = shown.thumbnail.convert("RGB").resize((_STRIP_SIDE, _STRIP_SIDE), Image.Resampling.LANCZOS)
        strip.paste(square, (i // _STRIP_ROWS * _STRIP_SIDE, i % _STRIP_ROWS * _STRIP_SIDE))
    return strip
