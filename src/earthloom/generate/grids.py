"""Sheets of pictures with their prompts under them, to look at."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from earthloom.models.generators.briefs import Picture

MAX_PICTURES = 64
"""On one sheet."""
_ROW = 8
"""Pictures beside each other at most."""
_SIDE, _LEAST = 256, 160
"""Longest side of a picture on a sheet, and what small ones are enlarged to at least, pixels."""
_GAP, _MARGIN = 12, 20
_LETTER, _SMALL = 15, 12
"""Heights of letters, pixels."""
_LINES = 5
"""Lines of a prompt before the rest is left out."""
_INK, _FAINT, _PAPER = (20, 20, 20), (110, 110, 110), (255, 255, 255)

_KNOWN = "·…°‘’“”±"
"""Letters beyond ASCII that Pillow's font has."""
_FOLDED = {
    "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "–": "-", "—": "-", "×": "x",
    "µ": "u", "€": "EUR",
}  # fmt: skip
"""Letters that Unicode does not take apart."""

Measure = Callable[[str], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One picture on a sheet."""

    prompt_key: str
    """Pictures of equal ones stand side by side, with the prompt once."""
    prompt: str
    facts: str
    """What else was asked for, in a few words."""
    picture: Picture


def draw_sheet(shown: Sequence[Shown]) -> Picture:
    """Lay out up to `MAX_PICTURES` pictures, H x W x C each, in their order: H x W x 3, 8-bit sRGB, on white.

    Several pictures of one prompt get rows of their own; prompts with one picture each share rows.
    """
    assert 0 < len(shown) <= MAX_PICTURES
    groups = [list(group) for _, group in groupby(shown, key=lambda one: one.prompt_key)]
    side = max(_show_side(one.picture) for one in shown)
    is_single = all(len(group) == 1 for group in groups)
    columns = min(_ROW, _squarish(len(shown)) if is_single else max(map(len, groups)))
    rows = list(_cut([[one for group in groups for one in group]] if is_single else groups, columns))
    width = 2 * _MARGIN + columns * (side + _GAP) - _GAP
    strips = [_draw_row(row, side, width, each=is_single, ends=ends) for row, ends in rows]
    top = np.full((_MARGIN, width, 3), 255, np.uint8)
    return np.concatenate([top, *strips])


def _squarish(n: int) -> int:
    """Columns of a sheet that is about as high as wide; captions make cells higher than wide."""
    return max(1, round(math.sqrt(n * 1.4)))


def _cut(groups: Sequence[Sequence[Shown]], columns: int) -> Iterator[tuple[Sequence[Shown], bool]]:
    """Rows of pictures, and whether a row ends its group."""
    for group in groups:
        for start in range(0, len(group), columns):
            yield group[start : start + columns], start + columns >= len(group)


def _draw_row(row: Sequence[Shown], side: int, width: int, *, each: bool, ends: bool) -> Picture:
    """A row of pictures, and under it one text for each, or one for all at the end of their group."""
    cell = side if each else width - 2 * _MARGIN
    texts = [_wrap_caption(one, cell) for one in (row if each else row[:1] if ends else [])]
    pictures = [_scale(one.picture, side) for one in row]
    above = max(picture.shape[0] for picture in pictures)
    height = above + max((_height_of(text) for text in texts), default=0) + _GAP
    canvas = Image.new("RGB", (width, height), _PAPER)
    for number, picture in enumerate(pictures):
        canvas.paste(Image.fromarray(picture), (_MARGIN + number * (side + _GAP), 0))
    pen = ImageDraw.Draw(canvas)
    for number, text in enumerate(texts):
        _write(pen, text, _MARGIN + number * (side + _GAP), above + 5)
    return np.asarray(canvas, np.uint8)


@dataclass(frozen=True, slots=True)
class _Caption:
    prompt: Sequence[str]
    facts: Sequence[str]


def _wrap_caption(one: Shown, width: int) -> _Caption:
    most = _LINES * width  # letters: none is narrower than a pixel, and prompts may be whole books
    prompt, facts = make_legible((one.prompt or "(no prompt)")[:most]), make_legible(one.facts[:most])
    return _Caption(
        wrap(prompt, width, _font(_LETTER).getlength, _LINES),
        wrap(facts, width, _font(_SMALL).getlength, _LINES),
    )


def make_legible(text: str) -> str:
    """Make a text of letters that Pillow's font has: accents go, and what has no plain letter under it becomes `?`."""
    folded = "".join(_FOLDED.get(letter, letter) for letter in text)
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(letter)
    )
    return "".join(letter if letter.isascii() or letter in _KNOWN else "?" for letter in plain)


def wrap(text: str, width: int, measure: Measure, n_lines: int) -> list[str]:
    """Break a text into lines of at most `width`; words that are longer are cut, and what is too much ends in `…`."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}".strip()
        if measure(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while measure(line) > width and len(line) > 1:
            n = _count_fitting(line, width, measure)
            lines.append(line[:n])
            line = line[n:]
    lines += [line] if line else []
    if len(lines) <= n_lines:
        return lines
    last = lines[n_lines - 1]
    while last and measure(f"{last}…") > width:
        last = last[:-1]
    return [*lines[: n_lines - 1], f"{last.rstrip()}…"]


def _count_fitting(word: str, width: int, measure: Measure) -> int:
    """How many letters of a word that is too long fit, at least 1."""
    fit, too_many = 1, len(word)
    while too_many - fit > 1:
        middle = (fit + too_many) // 2
        fit, too_many = (middle, too_many) if measure(word[:middle]) <= width else (fit, middle)
    return fit


def _height_of(caption: _Caption) -> int:
    return len(caption.prompt) * (_LETTER + 4) + len(caption.facts) * (_SMALL + 3) + 14


def _write(pen: ImageDraw.ImageDraw, caption: _Caption, x: int, y: int) -> None:
    for line in caption.prompt:
        pen.text((x, y), line, font=_font(_LETTER), fill=_INK)
        y += _LETTER + 4
    for line in caption.facts:
        pen.text((x, y), line, font=_font(_SMALL), fill=_FAINT)
        y += _SMALL + 3


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font: no files of the system, so that sheets look alike everywhere."""
    return ImageFont.load_default(size)


def _show_side(picture: Picture) -> int:
    """The longer side on a sheet: small pictures by a whole factor, so that their pixels stay square."""
    longest = int(max(picture.shape[:2]))
    return min(_SIDE, longest) if longest >= _LEAST else longest * -(-_LEAST // longest)


def _scale(picture: Picture, side: int) -> Picture:
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    how = cv2.INTER_NEAREST if factor >= 2 else cv2.INTER_AREA
    scaled = np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
    scaled = scaled.reshape(size[1], size[0], -1)
    return np.ascontiguousarray(np.broadcast_to(scaled, (size[1], size[0], 3)))
