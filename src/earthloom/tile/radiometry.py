"""How measured values become 8-bit pictures: one stretch for all tiles of a scene, recorded with each."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.light import to_display
from earthloom.core.records import Quantity, Reason, Scene, Stretch
from earthloom.tile.config import Percentile, Radiometry, Range, Stretching
from earthloom.tile.light import POWER, Array, Floats, Valid, from_linear, is_display, measure
from earthloom.tile.pixels import Bounds, ScenePixels

Image = npt.NDArray[np.uint8]
"""HxWxC, C = 1 or 3."""

DB_CLIPS = {"VV": (-25.0, 0.0), "HH": (-25.0, 0.0), "VH": (-32.0, -5.0), "HV": (-32.0, -5.0)}
"""Limits of a SAR picture, dB: those of dsen2-cr for co-polarised, 7 dB lower for cross-polarised backscatter.
Fixed, so that a brightness means the same in every tile."""
DB_CLIP = DB_CLIPS["VV"]
"""Where the polarisation is unknown."""
PERCENTILES = Percentile(percentile=(2, 98))
MAX_MEDIAN_DB = 5.0
"""A scene of natural surfaces lies far below; values above are power or amplitude, or are not calibrated."""
_SAMPLE_WHOLE = 2**20
"""Pixels up to which a scene is sampled whole."""
_SAMPLE_GRIDS = ((8, 128), (32, 32))
"""(blocks along each side, pixels along a block): a million pixels in 64 places, or in 1,024 places where the
first holds nearly no data."""
_ENOUGH = 10_000


def choose_stretch(scene: Scene, radiometry: Radiometry, pixels: ScenePixels) -> Stretch:
    """Find the one stretch of a scene.

    Looks at a bounded, fixed sample of the scene where limits depend on values, so tiles cut by several
    workers share them. Raises RecordError UNSUPPORTED_PIXELS where the rule and the pixels contradict each
    other, NO_VALID_PIXELS where limits are to be found in a scene without data.
    """
    rule = radiometry.of(scene.modality)
    if rule == "none" or (rule == "auto" and is_display(scene)):
        return _keep_values(scene)
    sample = _sample_scene(scene, pixels) if _needs_sample(rule, scene) else None
    if scene.quantity is Quantity.DB and sample is not None:
        _check_db(sample)
    if rule == "auto":
        rule = _choose_rule(scene, sample)
    if isinstance(rule, Range):
        is_clip = scene.quantity in POWER and radiometry.of(scene.modality) == "auto"
        return _limit("db" if is_clip else "range", rule.pairs(), len(scene.bands))
    assert isinstance(rule, Percentile)
    assert sample is not None
    return _limit("percentile", _find_limits(sample, rule), len(scene.bands))


class Renderer:
    """Draws the pixels of a scene with its stretch; invalid pixels come out black."""

    def __init__(self, scene: Scene, stretch: Stretch) -> None:
        self._scene = scene
        self.stretch = stretch

    @property
    def keeps_values(self) -> bool:
        """True when stored values are the picture."""
        return self.stretch.method == "none"

    def render_stored(self, values: Array, valid: Valid) -> Image:
        """Draw stored values, HxWxC."""
        if self.keeps_values:
            return _black_out(values, valid)
        if values.dtype.kind in "ui" and values.dtype.itemsize <= 2:
            return _black_out(self._look_up(values), valid)
        return self.render_measured(measure(values, self._scene), valid)

    def render_linear(self, linear: npt.NDArray[np.float32], valid: Valid) -> Image:
        """Draw linear values, HxWxC."""
        if self.keeps_values and self._scene.quantity is Quantity.DISPLAY:
            return _black_out(to_display(linear), valid)
        return self.render_measured(from_linear(linear, self._scene), valid)

    def render_measured(self, measured: Floats, valid: Valid) -> Image:
        """Draw measured values, HxWxC, in the unit of the stretch."""
        low = np.array(self.stretch.low, measured.dtype)
        levels = measured - low
        levels *= 255
        levels /= np.array(np.subtract(self.stretch.high, self.stretch.low), measured.dtype)
        if valid is not None:
            levels[~valid] = 0
        return np.rint(np.clip(levels, 0, 255, out=levels), out=levels).astype(np.uint8)

    def _look_up(self, values: Array) -> Image:
        index = values.view(f"u{values.dtype.itemsize}")
        if values.dtype.itemsize == 1:
            looked_up: Image = cv2.LUT(index, self._table[None])
            return looked_up.reshape(values.shape)
        planes = [self._table[:, i].take(index[:, :, i]) for i in range(values.shape[2])]
        return np.stack(planes, axis=2) if len(planes) == 1 else cv2.merge(planes)

    @cached_property
    def _table(self) -> Image:
        """The drawn level of every stored value (rows) in every channel (columns)."""
        dtype = np.dtype(self._scene.dtype)
        unsigned: Any = np.dtype(f"u{dtype.itemsize}")
        stored = np.arange(256**dtype.itemsize, dtype=unsigned).view(dtype)
        measured = measure(np.repeat(stored[:, None, None], len(self.stretch.low), axis=2), self._scene)
        return self.render_measured(np.nan_to_num(measured, neginf=-1e9), None)[:, 0]


def _keep_values(scene: Scene) -> Stretch:
    if scene.dtype != "uint8" or scene.quantity in POWER or (scene.scale, scene.offset) != (1, 0):
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"radiometry `none` wants 8-bit values that are a picture, got {scene.dtype} {scene.quantity.value} "
            f"(scale {scene.scale:g}, offset {scene.offset:g}); use a range or percentiles",
        )
    return Stretch(method="none", low=(0.0,) * len(scene.bands), high=(255.0,) * len(scene.bands))


def _needs_sample(rule: Stretching, scene: Scene) -> bool:
    return rule == "auto" or isinstance(rule, Percentile) or scene.quantity is Quantity.DB


def _choose_rule(scene: Scene, sample: list[Floats] | None) -> Range | Percentile:
    """What `auto` means for a scene that is no 8-bit picture."""
    if scene.quantity not in POWER or (sample is not None and _is_uncalibrated(sample)):
        return PERCENTILES
    return Range(range=DB_CLIPS.get(scene.polarisation or "", DB_CLIP))


def _is_uncalibrated(sample: list[Floats]) -> bool:
    """Whether power or amplitude cannot be backscatter: digital numbers have an unknown offset in dB."""
    return sample[0].size > 0 and float(np.median(sample[0])) > MAX_MEDIAN_DB


def _check_db(sample: list[Floats]) -> None:
    """Refuse values that cannot be decibels: a median over 5, or none below 0."""
    if sample[0].size == 0:
        return
    median, lowest = float(np.median(sample[0])), float(sample[0].min())
    if median > MAX_MEDIAN_DB or lowest >= 0:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"the scene is said to be in dB, but its median is {median:.4g} and its minimum {lowest:.4g}; "
            "use `quantity: intensity` for linear power, `quantity: amplitude` for its square root",
        )


def _sample_scene(scene: Scene, pixels: ScenePixels) -> list[Floats]:
    """Collect valid measured values, one array a channel, from fixed places all over a scene."""
    if scene.width * scene.height <= _SAMPLE_WHOLE:
        return _collect(scene, pixels, [(0, 0, scene.width, scene.height)])
    for n, side in _SAMPLE_GRIDS:
        sample = _collect(scene, pixels, _spread_blocks(scene, n, side))
        if sample[0].size >= _ENOUGH:
            break
    return sample


def _spread_blocks(scene: Scene, n: int, side: int) -> list[Bounds]:
    """Find n x n blocks, centred in the cells of a regular division; long thin scenes get what fits."""
    width, height = min(side, scene.width), min(side, scene.height)
    cols = [int((i + 0.5) * scene.width / n - width / 2) for i in range(n)]
    rows = [int((i + 0.5) * scene.height / n - height / 2) for i in range(n)]
    inside_col, inside_row = scene.width - width, scene.height - height
    return [
        (min(max(col, 0), inside_col), min(max(row, 0), inside_row), width, height)
        for row in rows
        for col in cols
    ]


def _collect(scene: Scene, pixels: ScenePixels, blocks: list[Bounds]) -> list[Floats]:
    """Gather the valid values of blocks; a block that cannot be read is left out, unless none can."""
    found: list[Floats] = []
    problem: RecordError | None = None
    for block in blocks:
        try:
            values, valid = pixels.read(block)
        except RecordError as error:
            problem = error
            continue
        kept = values.reshape(-1, values.shape[2]) if valid is None else values[valid]
        found.append(measure(kept[None], scene)[0])
    if not found and problem is not None:
        raise problem
    everything = np.concatenate(found)
    return [everything[:, i] for i in range(everything.shape[1])]


def _find_limits(sample: list[Floats], rule: Percentile) -> tuple[tuple[float, float], ...]:
    channels = [np.concatenate(sample)] if rule.joint else sample
    if channels[0].size == 0:
        raise RecordError(
            Reason.NO_VALID_PIXELS,
            "no pixel of a sample spread over the scene holds data, so a stretch cannot be found",
        )
    return tuple(_find_pair(channel, rule.percentile) for channel in channels)


def _find_pair(values: Floats, percentile: tuple[float, float]) -> tuple[float, float]:
    """Two percentiles; the extremes where they agree; one unit where everything agrees."""
    low, high = (float(v) for v in np.percentile(values, percentile))
    if low == high:
        low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low, low + 1)


def _limit(method: str, pairs: tuple[tuple[float, float], ...], n_channels: int) -> Stretch:
    if len(pairs) not in {1, n_channels}:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"radiometry has {len(pairs)} pairs of limits for {n_channels} channel(s); give one, or one for each",
        )
    pairs = pairs * n_channels if len(pairs) == 1 else pairs
    return Stretch(method=method, low=tuple(low for low, _ in pairs), high=tuple(high for _, high in pairs))


def _black_out(image: Image, valid: Valid) -> Image:
    if valid is None:
        return image
    return np.where(valid[:, :, None], image, np.uint8(0))
