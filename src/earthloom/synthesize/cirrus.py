"""Real fields: what a cirrus band saw of thin clouds, as the pattern of fog and haze (RS-Haze, IEEE TIP 2023).

A cirrus band (Landsat 8 B9, 1.37 um) lies where water vapour hides the ground, so that it shows the veil alone:

    rasters of a folder  ->  one file  ->  0 to 1  ->  turned, mirrored, cut out  ->  size of the picture
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Band, Reason
from earthloom.geo.raster import open_raster, read_window
from earthloom.synthesize.fields import make_power_law_field
from earthloom.synthesize.stack import Plane, View

SUFFIXES = frozenset({".tif", ".tiff", ".jp2", ".png"})
"""Of the files that are taken as fields."""
LEAST_PIXELS = 64
"""Side under which a raster shows no structure."""
_NOISE_PX = 0.8
"""Blur against sensor noise, standard deviation: B9 over thin veils varies by a few of its 2,000 steps a pixel."""
_LEAST_SIZE = 0.4
_LEAST_SPREAD = 0.15
"""Contrast of a cut-out, of the whole field's, under which its noise would be stretched into a pattern."""
_N_TRIES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class CirrusCut:
    """Which part of which field."""

    file: str
    """Name in the folder."""
    n_turns: int
    """Quarter turns, counter-clockwise, 0 to 3."""
    is_mirrored: bool
    """Left and right exchanged before turning."""
    size: float
    """Of the largest window of the picture's shape that the field holds, 0 to 1."""
    top: float
    """Where the window lies: 0 at the top of the turned field, 1 at its bottom."""
    left: float


def check_fields(place: Path) -> None:
    """Refuse a folder or a pattern of file names of which no fields can be made. Raises UsageError with the remedy."""
    remedy = "name single-band rasters, such as Landsat 8 cirrus bands (cirrus/*_B9.tiff)."
    files = list_fields(place)
    if not files:
        wanted = ", ".join(sorted(SUFFIXES))
        raise UsageError(f"fields: rasters ({wanted}) were wanted in {place}, got none: {remedy}")
    for file in files:
        try:
            dataset = open_raster(str(file))
        except RecordError as error:
            raise UsageError(f"fields: {file.name} cannot be read ({error}): {remedy}") from error
        if dataset.count != 1:
            raise UsageError(f"fields: one band was wanted, {file.name} has {dataset.count}: {remedy}")
        if min(dataset.width, dataset.height) < LEAST_PIXELS:
            raise UsageError(
                f"fields: at least {LEAST_PIXELS} x {LEAST_PIXELS} pixels were wanted, {file.name} has "
                f"{dataset.width} x {dataset.height}: {remedy}"
            )


@lru_cache(maxsize=8)
def list_fields(place: Path) -> tuple[Path, ...]:
    """The rasters of a folder, or those whose names match (`cirrus/*_B9.tiff`), in the order of their names."""
    found = place.iterdir() if place.is_dir() else place.parent.glob(place.name)
    return tuple(sorted(path for path in found if path.suffix.lower() in SUFFIXES))


@lru_cache(maxsize=32)
def read_field(path: Path) -> Plane:
    """Read one field: H x W, float32, 0 to 1, slightly blurred against noise; read only.

    Raises RecordError as `open_raster` does, TOO_LITTLE_VALID for a field with holes, FLAT for one without structure.
    """
    dataset = open_raster(str(path))
    height, width, nodata = dataset.height, dataset.width, dataset.nodata
    values = read_window([Band(uri=str(path), index=1)], 0, 0, width, height)[0]
    counts = np.asarray(values, np.float32)
    if not np.isfinite(counts).all() or (nodata is not None and (values == nodata).any()):
        raise RecordError(
            Reason.TOO_LITTLE_VALID, f"a field without holes was wanted, {path.name} has pixels without data"
        )
    field = _stretch(cv2.GaussianBlur(counts, (0, 0), _NOISE_PX), path.name)
    field.setflags(write=False)
    return field


def draw_cut(place: Path, view: View, rng: np.random.Generator) -> CirrusCut:
    """Choose a field and a part of it; of several tries the first with structure, or the best."""
    files = list_fields(place)
    file = files[int(rng.integers(len(files)))]
    tries = [
        CirrusCut(
            file=file.name,
            n_turns=int(rng.integers(4)),
            is_mirrored=bool(rng.integers(2)),
            size=float(rng.uniform(_LEAST_SIZE, 1)),
            top=float(rng.uniform()),
            left=float(rng.uniform()),
        )
        for _ in range(_N_TRIES)
    ]
    field = read_field(file)
    spreads = [float(np.ptp(_cut_window(field, cut, view.height, view.width))) for cut in tries]
    wide = (cut for cut, spread in zip(tries, spreads, strict=True) if spread >= _LEAST_SPREAD)
    return next(wide, tries[int(np.argmax(spreads))])


def cut_field(place: Path, cut: CirrusCut, height: int, width: int) -> Plane:
    """Part of a field as H x W, float32, stretched to 0 to 1: smaller by area means, larger without steps."""
    folder = place if place.is_dir() else place.parent
    window = np.ascontiguousarray(_cut_window(read_field(folder / cut.file), cut, height, width))
    if window.shape != (height, width):
        window = _resize(window, height, width)
    return _stretch(window, cut.file)


def make_pattern(
    view: View, beta: float | None, fields: str | None, cut: CirrusCut | None, rng: np.random.Generator
) -> Plane:
    """A pattern of a veil, H x W, 0 to 1: part of a real field where there is a cut, else a power-law field."""
    if fields is not None and cut is not None:
        return cut_field(Path(fields), cut, view.height, view.width)
    assert beta is not None
    return make_power_law_field(view.height, view.width, beta, rng)


def _resize(window: Plane, height: int, width: int) -> Plane:
    scale = height / window.shape[0]
    if scale <= 1:
        return np.asarray(cv2.resize(window, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    # Cubic interpolation as OpenCV has it bends an even slope by 30 % once a source pixel: stripes over smooth veils.
    larger = cv2.resize(window, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(larger, (0, 0), 0.5 * scale), np.float32)


def _cut_window(field: Plane, cut: CirrusCut, height: int, width: int) -> Plane:
    turned = np.rot90(field[:, ::-1] if cut.is_mirrored else field, cut.n_turns)
    rows, columns = turned.shape
    scale = cut.size * min(rows / height, columns / width)
    n_rows, n_columns = max(2, round(height * scale)), max(2, round(width * scale))
    row, column = round(cut.top * (rows - n_rows)), round(cut.left * (columns - n_columns))
    return turned[row : row + n_rows, column : column + n_columns]


def _stretch(field: Plane, name: str) -> Plane:
    low, high = float(field.min()), float(field.max())
    if high <= low:
        raise RecordError(Reason.FLAT, f"a field with structure was wanted, {name} has one value: {low:g}")
    return np.asarray((field - np.float32(low)) / np.float32(high - low), np.float32)
