"""Pictures to measure with: made in code, the same on every machine, as hard to compress as real imagery.

A texture is power-law noise (the spectrum of natural scenes falls with the square of the frequency) over a patchwork
of fields with its own colours, plus sensor noise. A 640 px JPEG of quality 90 comes to 100-150 KB, as aerial
pictures of that size do.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
import simplejpeg
from numpy.typing import NDArray
from rasterio.transform import from_origin

CACHE = Path(__file__).resolve().parent / ".cache"
N_TEXTURES = 24
COM_MARKER = b"\xff\xfe"

Pixels = NDArray[np.uint8]


def make_texture(seed: int, side: int) -> Pixels:
    """One RGB picture of `side` x `side` pixels."""
    rng = np.random.default_rng(seed)
    relief = _power_law(rng, side, slope=2.4)
    fields = _patchwork(rng, side)
    palette = rng.uniform(60, 150, size=(24, 1)) * rng.uniform(
        [0.85, 0.95, 0.65], [1.1, 1.1, 0.9], size=(24, 3)
    )
    shade = 1 + 0.2 * relief[..., None]
    fine = rng.normal(0, 2.6, size=(side, side, 1)) + rng.normal(0, 1.0, size=(side, side, 3))
    return np.clip(palette[fields] * shade + fine, 0, 255).astype(np.uint8)


def _power_law(rng: np.random.Generator, side: int, slope: float) -> NDArray[np.float64]:
    """Noise with power proportional to frequency ** -slope, mean 0, deviation 1."""
    ky = np.fft.fftfreq(side)[:, None]
    kx = np.fft.rfftfreq(side)[None, :]
    k = np.hypot(ky, kx)
    k[0, 0] = np.inf
    noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(side, side))) * k ** (-slope / 2), s=(side, side))
    return (noise - noise.mean()) / noise.std()


def _patchwork(rng: np.random.Generator, side: int) -> NDArray[np.intp]:
    """Which of 24 fields each pixel belongs to: stripes of two directions, bent by noise."""
    bend = side / 12 * _power_law(rng, side, slope=3.5)
    y, x = np.mgrid[0:side, 0:side]
    across = ((x + bend) * 6 / side).astype(int) % 6
    down = ((y + bend.T) * 4 / side).astype(int) % 4
    return across * 4 + down


def vary(texture: Pixels, index: int) -> Pixels:
    """Another picture of the same statistics: rolled, mirrored, a little darker or brighter."""
    rng = np.random.default_rng(index)
    rolled = np.roll(texture, tuple(rng.integers(0, texture.shape[0], size=2)), axis=(0, 1))
    mirrored = rolled[:: rng.choice([1, -1]), :: rng.choice([1, -1])]
    return np.ascontiguousarray(np.clip(mirrored * rng.uniform(0.8, 1.15), 0, 255).astype(np.uint8))


def encode(pixels: Pixels, quality: int = 90) -> bytes:
    """A JPEG as cameras and map servers write it: 4:2:0."""
    data: bytes = simplejpeg.encode_jpeg(pixels, quality=quality, colorsubsampling="420")
    return data


def pictures(n: int, side: int) -> Iterator[bytes]:
    """Encode `n` different pictures."""
    textures = [make_texture(seed, side) for seed in range(N_TEXTURES)]
    for index in range(n):
        yield encode(vary(textures[index % N_TEXTURES], index))


def picture_folder(n: int, side: int = 640) -> Path:
    """A folder of `n` JPEGs, made once."""
    folder = CACHE / f"pictures-{side}-{n}"
    if not _is_made(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for index, data in enumerate(pictures(n, side)):
            (folder / f"{index:06d}.jpg").write_bytes(data)
        _mark_made(folder)
    return folder


def scene_folder(n_names: int, side: int = 8192) -> Path:
    """A folder with one tiled, uncompressed RGB GeoTIFF of `side` pixels under `n_names` names."""
    folder = CACHE / f"scenes-{side}-{n_names}"
    if not _is_made(folder):
        folder.mkdir(parents=True, exist_ok=True)
        first = folder / "scene-00.tif"
        _write_scene(first, side)
        for index in range(1, n_names):
            name = folder / f"scene-{index:02d}.tif"
            name.unlink(missing_ok=True)
            name.hardlink_to(first)
        _mark_made(folder)
    return folder


def _write_scene(path: Path, side: int, block: int = 1024) -> None:
    textures = [make_texture(100 + seed, block) for seed in range(8)]
    profile = {
        "driver": "GTiff", "width": side, "height": side, "count": 3, "dtype": "uint8", "tiled": True,
        "blockxsize": 512, "blockysize": 512, "photometric": "RGB", "interleave": "pixel",
        "crs": "EPSG:32632", "transform": from_origin(500_000, 5_400_000, 0.5, 0.5),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        for index in range((side // block) ** 2):
            row, col = divmod(index, side // block)
            window = rasterio.windows.Window(col * block, row * block, block, block)
            file.write(np.moveaxis(vary(textures[index % 8], index), 2, 0), window=window)


def record_tar(n: int, side: int = 64) -> Path:
    """A tar of `n` small JPEGs in class folders, no two with the same bytes."""
    path = CACHE / f"records-{side}-{n}.tar"
    if not _is_made(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        some = list(pictures(min(n, 500), side))
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for index in range(n):
                data = _with_comment(some[index % len(some)], f"{index:08d}".encode())
                info = tarfile.TarInfo(f"class_{index % 10}/{index:08d}.jpg")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        _mark_made(path)
    return path


def _with_comment(jpeg: bytes, comment: bytes) -> bytes:
    """The same picture with other bytes: a comment segment after the start marker."""
    return jpeg[:2] + COM_MARKER + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def _stamp(path: Path) -> Path:
    return path.with_name(path.name + ".made")


def _is_made(path: Path) -> bool:
    """Whether this very code has made it."""
    stamp = _stamp(path)
    return path.exists() and stamp.exists() and stamp.read_text() == _version()


def _mark_made(path: Path) -> None:
    _stamp(path).write_text(_version())


def _version() -> str:
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
