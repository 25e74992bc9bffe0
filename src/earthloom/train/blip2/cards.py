"""Cards to look at: a picture, and beside it what a model says of it and what people say."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from earthloom.train.samples import to_tensor

_SIDE = 224
"""Of the picture, pixels."""
_WORDS = 560
"""Width of what is said, pixels."""
_MARGIN = 14
_SIZE = 17
_LINE = 23
_COLUMNS = 66
"""Letters in a line."""
_MAX_LINES = 4
"""Of each text; of longer ones the beginning is shown."""
_INK, _FAINT = (17, 24, 39), (107, 114, 128)


def draw_cards(
    pixels: Tensor, levels: tuple[Tensor, Tensor], said: Sequence[str], given: Sequence[str]
) -> Tensor:
    """Draw a card for each picture: float32, N x 3 x 224 x 784, -1 to 1.

    Args:
        pixels: N x 3 x H x W as a model's processor makes them.
        levels: what it makes of black and of white, 3 x 1 x 1 each.
        said: what the model says.
        given: a caption from the data.

    """
    pictures = show_pixels(pixels, levels)
    return to_tensor([_draw_card(*card) for card in zip(pictures, said, given, strict=True)])


def show_pixels(pixels: Tensor, levels: tuple[Tensor, Tensor]) -> npt.NDArray[np.uint8]:
    """The inverse of a processor's scaling of values: N x H x W x 3, 8 bits."""
    black, white = (level.to(pixels.device, torch.float32) for level in levels)
    light = ((pixels.float() - black) / (white - black)).clamp(0, 1)
    return np.asarray((light * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy(), np.uint8)


def _draw_card(picture: npt.NDArray[np.uint8], said: str, given: str) -> npt.NDArray[np.uint8]:
    card = Image.new("RGB", (_SIDE + _WORDS, _SIDE), "white")
    shown = Image.fromarray(picture)
    scale = _SIDE / max(shown.size)
    size = (max(1, round(shown.width * scale)), max(1, round(shown.height * scale)))
    card.paste(shown.resize(size, Image.Resampling.BICUBIC))
    drawing = ImageDraw.Draw(card)
    _write(drawing, 4, "the model", said or "(nothing)", _INK)
    _write(drawing, _SIDE // 2 + 2, "the data", given, _FAINT)
    return np.asarray(card, np.uint8)


def _write(
    drawing: ImageDraw.ImageDraw, top: int, title: str, text: str, colour: tuple[int, int, int]
) -> None:
    left = _SIDE + _MARGIN
    drawing.text((left, top), title, fill=_FAINT, font=ImageFont.load_default(12))
    lines = textwrap.wrap(_spell(text), _COLUMNS, max_lines=_MAX_LINES, placeholder=" ...")
    for number, line in enumerate(lines):
        drawing.text((left, top + 16 + number * _LINE), line, fill=colour, font=ImageFont.load_default(_SIZE))


def _spell(text: str) -> str:
    """In the letters that Pillow's own font has: accents are left out, and what is no Latin letter is a `?`."""
    plain = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() else "?" for letter in plain)
