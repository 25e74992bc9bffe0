"""The learning curve: every loss over the steps, as one picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from earthloom.core.images import encode_png
from earthloom.store.atomic import open_atomic

_PANEL = (520, 300)
"""Width and height of a panel with its axes, pixels."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 34
"""Margins around the plot of a panel."""
_MAX_COLUMNS = 2
_FINE = 2
"""Everything is drawn so many times larger and then reduced, which makes lines smooth."""
_INK, _FAINT, _GRID = (55, 65, 81), (107, 114, 128), (229, 231, 235)
_RAW, _SMOOTH, _HELD = (191, 219, 254), (37, 99, 235), (234, 88, 12)
_DECADE = 10.0
"""Ratio between high and low from which a loss is drawn on a logarithmic scale."""
_N_SMOOTH = 60
"""A smoothed loss is an average over about a thirtieth of the steps, half of it on either side."""
_MAX_BINS = 880
"""Of a long log so many steps are drawn as one: two for a pixel."""
_MOST = 1e100
"""Losses beyond it count as infinite, and those below its inverse as zero: their sums and ratios stay numbers."""
_EDGE = 0.005
"""Share of the raw losses that may lie above or below the scale: a few would flatten all the rest."""

Picture = npt.NDArray[np.uint8]
"""H x W x 3."""
Point = tuple[float, float]


def write_curve(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what `draw_curve` draws as a PNG. Raises `WriteError` where the disk is full or not writable."""
    with open_atomic(path) as file:
        file.write(encode_png(draw_curve(rows)))


def draw_curve(rows: Sequence[Mapping[str, Any]]) -> Picture:
    """Draw the losses of a log, one panel each: faint as they are, strong when smoothed, dots on held-out data.

    A loss that is positive and falls, smoothed, by more than a factor of ten has a logarithmic scale. Values that are
    not finite are left out.

    Args:
        rows: as `train.logs.read_log` gives them: `{"step", "losses"}` and `{"step", "held"}`.

    Returns:
        H x W x 3. A log without losses gives one panel that says so.

    """
    panels = _gather(rows) or [_Panel("no losses yet", np.empty((0, 2)), np.empty((0, 2)))]
    n_columns = min(len(panels), _MAX_COLUMNS)
    n_rows = math.ceil(len(panels) / n_columns)
    width, height = (side * _FINE for side in _PANEL)
    sheet = Image.new("RGB", (n_columns * width, n_rows * height), "white")
    for number, panel in enumerate(panels):
        row, column = divmod(number, n_columns)
        sheet.paste(_draw_panel(panel), (column * width, row * height))
    small = (sheet.width // _FINE, sheet.height // _FINE)
    return np.asarray(sheet.resize(small, Image.Resampling.BOX), np.uint8)


@dataclass(frozen=True)
class _Panel:
    """One loss."""

    name: str
    losses: npt.NDArray[np.float64]
    """N x 2: step and loss, in the order of the steps."""
    held: npt.NDArray[np.float64]
    """The same on held-out data."""


def _gather(rows: Sequence[Mapping[str, Any]]) -> list[_Panel]:
    names = dict.fromkeys(name for row in rows for kind in ("losses", "held") for name in row.get(kind, ()))
    return [_Panel(name, _collect(rows, "losses", name), _collect(rows, "held", name)) for name in names]


def _collect(rows: Sequence[Mapping[str, Any]], kind: str, name: str) -> npt.NDArray[np.float64]:
    found = [(row["step"], row[kind][name]) for row in rows if name in row.get(kind, ())]
    points = np.array(found, np.float64).reshape(-1, 2)
    points = points[np.abs(points[:, 1]) < _MOST]  # no comparison holds for what is no number
    points[np.abs(points[:, 1]) < 1 / _MOST, 1] = 0.0
    return points


def smooth(values: npt.NDArray[np.float64], reach: float) -> npt.NDArray[np.float64]:
    """Average N values, each with those on both sides of it, which weigh exp(-distance / reach).

    Being even to both sides it does not run behind a loss that falls; at the ends it averages over what there is.
    """
    fade = math.exp(-1.0 / max(reach, 1e-3))
    sums, weights = (_fade(each, fade) for each in (values, np.ones_like(values)))
    return sums / weights


def _fade(values: npt.NDArray[np.float64], fade: float) -> npt.NDArray[np.float64]:
    """Sums over both sides; what stands in the middle counts once."""
    total = -values
    for order in (slice(None), slice(None, None, -1)):
        carried, found = 0.0, np.empty_like(values)
        for i, value in enumerate(values[order]):
            carried = fade * carried + float(value)
            found[i] = carried
        total = total + found[order]
    return total


@dataclass(frozen=True)
class _Binned:
    """A loss, so many steps as one that there is one place for each in the picture."""

    means: npt.NDArray[np.float64]
    """N x 2: step and loss."""
    lows: npt.NDArray[np.float64]
    highs: npt.NDArray[np.float64]
    """N x 2 each: the least and the greatest loss of each bin."""


def _bin(points: npt.NDArray[np.float64]) -> _Binned:
    bins = [part for part in np.array_split(points, min(len(points), _MAX_BINS) or 1) if len(part)]
    steps = np.array([part[:, 0].mean() for part in bins])
    losses = [np.array([pick(part[:, 1]) for part in bins]) for pick in (np.mean, np.min, np.max)]
    means, lows, highs = (np.stack([steps, each], axis=1) for each in losses)
    return _Binned(means, lows, highs)


@dataclass(frozen=True)
class _Scale:
    """From a loss or a step to a place between 0 and 1."""

    low: float
    high: float
    is_log: bool = False

    def place(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        low, high = self._map(np.array([self.low, self.high]))
        held = np.maximum(values, self.low) if self.is_log else values
        return np.asarray((self._map(held) - low) / (high - low), np.float64)

    def _map(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.log10(values) if self.is_log else values

    def ticks(self) -> list[float]:
        """Round numbers within the scale, four to nine of them."""
        return _log_ticks(self.low, self.high) if self.is_log else _linear_ticks(self.low, self.high)


def _linear_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / 8
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * k for k in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten, and 2 and 5 times them where these are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    heads = (1, 2, 5) if last - first <= 3 else (1,)
    stride = max(1, (last - first) // 6)
    found = [head * 10.0**k for k in range(first, last + 1, stride) for head in heads]
    return [tick for tick in found if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]


def _choose_scale(panel: _Panel, smoothed: npt.NDArray[np.float64]) -> _Scale:
    """A scale that holds the smoothed loss, what was held out, and nearly all raw losses."""
    shown = np.concatenate([smoothed, panel.held[:, 1]])
    if not len(shown):
        return _Scale(0.0, 1.0)
    raw = panel.losses[:, 1] if len(panel.losses) else shown
    low = min(float(shown.min()), float(np.quantile(raw, _EDGE)))
    high = max(float(shown.max()), float(np.quantile(raw, 1 - _EDGE)))
    if low > 0 and shown.max() / shown.min() > _DECADE:
        return _Scale(low / 1.1, high * 1.1, is_log=True)
    is_flat = high - low < 1e-9 * abs(high)
    room = (0.1 * abs(high) if is_flat else 0.06 * (high - low)) or 1.0
    return _Scale(low - room if low < 0 or low > room else 0.0, high + room)


def _draw_panel(panel: _Panel) -> Image.Image:
    image = Image.new("RGB", (_PANEL[0] * _FINE, _PANEL[1] * _FINE), "white")
    drawing = ImageDraw.Draw(image)
    steps = np.concatenate([panel.losses[:, 0], panel.held[:, 0]])
    across = _Scale(0.0, max(float(steps.max(initial=1.0)), 1.0))
    binned = _bin(panel.losses)
    smoothed = binned.means.copy()
    smoothed[:, 1] = smooth(smoothed[:, 1], len(smoothed) / _N_SMOOTH)
    up = _choose_scale(panel, smoothed[:, 1])
    _draw_axes(drawing, panel, across, up)
    _draw_raw(drawing, *(_locate(edge, across, up) for edge in (binned.means, binned.lows, binned.highs)))
    _draw_line(drawing, _locate(smoothed, across, up), _SMOOTH, 2)
    held = _locate(panel.held, across, up)
    _draw_line(drawing, held, _HELD, 1)
    _draw_dots(drawing, held, _HELD)
    if len(smoothed) == 1:
        _draw_dots(drawing, _locate(smoothed, across, up), _SMOOTH)
    return image


def _locate(points: npt.NDArray[np.float64], across: _Scale, up: _Scale) -> list[Point]:
    """Pixels of steps and losses; what lies above the scale stands at its end."""
    width, height = _PANEL[0] - _LEFT - _RIGHT, _PANEL[1] - _TOP - _BOTTOM
    x = _LEFT + across.place(points[:, 0]) * width
    y = _TOP + (1.0 - np.clip(up.place(points[:, 1]), 0.0, 1.0)) * height
    return list(zip((x * _FINE).tolist(), (y * _FINE).tolist(), strict=True))


def _draw_line(
    drawing: ImageDraw.ImageDraw, points: list[Point], colour: tuple[int, int, int], width: int
) -> None:
    if len(points) > 1:
        drawing.line(points, fill=colour, width=width * _FINE, joint="curve")


def _draw_raw(
    drawing: ImageDraw.ImageDraw, means: list[Point], lows: list[Point], highs: list[Point]
) -> None:
    """A line through the means, and all that lies between least and greatest."""
    _draw_line(drawing, means, _RAW, 1)
    for low, high in zip(lows, highs, strict=True):
        drawing.line((low, high), fill=_RAW, width=1)


def _draw_dots(drawing: ImageDraw.ImageDraw, points: list[Point], colour: tuple[int, int, int]) -> None:
    radius = 3 * _FINE
    for x, y in points:
        drawing.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _draw_axes(drawing: ImageDraw.ImageDraw, panel: _Panel, across: _Scale, up: _Scale) -> None:
    left, right = _LEFT * _FINE, (_PANEL[0] - _RIGHT) * _FINE
    top, bottom = _TOP * _FINE, (_PANEL[1] - _BOTTOM) * _FINE
    ticks = up.ticks()
    for tick, (_, y) in zip(ticks, _locate(np.array([[0.0, t] for t in ticks]), across, up), strict=True):
        drawing.line((left, y, right, y), fill=_GRID, width=_FINE)
        _write(drawing, (left - 6 * _FINE, y), f"{tick:.4g}", "rm", _FAINT)
    ticks = [tick for tick in across.ticks() if tick == round(tick)]
    for tick, (x, _) in zip(ticks, _locate(np.array([[t, up.low] for t in ticks]), across, up), strict=True):
        drawing.line((x, bottom, x, bottom + 4 * _FINE), fill=_FAINT, width=_FINE)
        _write(drawing, (x, bottom + 6 * _FINE), _name_step(tick, across.high), "mt", _FAINT)
    drawing.line((left, top, left, bottom, right, bottom), fill=_FAINT, width=_FINE)
    _write(drawing, (left, 10 * _FINE), panel.name, "lt", _INK, size=15)
    _write(drawing, (right, bottom + 20 * _FINE), "steps", "rt", _FAINT)
    _draw_legend(drawing, panel, right, 12 * _FINE, is_log=up.is_log)


def _draw_legend(drawing: ImageDraw.ImageDraw, panel: _Panel, right: int, top: int, *, is_log: bool) -> None:
    """What the colours mean, from right to left."""
    entries: list[tuple[tuple[int, int, int] | None, str]] = []
    entries += [(_SMOOTH, "learnt from")] if len(panel.losses) else []
    entries += [(_HELD, "held out")] if len(panel.held) else []
    entries += [(None, "log scale")] if is_log else []
    x = float(right)
    for colour, text in reversed(entries):
        _write(drawing, (x, top), text, "rt", _FAINT)
        x -= drawing.textlength(text, font=_font(12))
        if colour is not None:
            drawing.rectangle((x - 16 * _FINE, top + 4 * _FINE, x - 6 * _FINE, top + 7 * _FINE), fill=colour)
            x -= 16 * _FINE
        x -= 14 * _FINE


def _name_step(tick: float, last: float) -> str:
    return f"{tick / 1000:g}k" if last >= 10_000 and tick else f"{tick:,.0f}"


def _write(
    drawing: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    anchor: str,
    colour: tuple[int, int, int],
    size: int = 12,
) -> None:
    drawing.text(at, text, fill=colour, font=_font(size), anchor=anchor)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * _FINE)
