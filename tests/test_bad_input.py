"""Everything that goes wrong with files, in one run: each is refused with its reason or handled, the rest goes on."""

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine

from earthloom.recipes import parse_recipe
from earthloom.run.build import build

RNG = np.random.default_rng(11)
GRID = Affine(10, 0, 500_000, 0, -10, 5_000_000)
HUGE = 60_000
ODD_NAMES = [
    "with space.png",
    "new\nline.png",
    "северный лес.png",
    "森林 🌲.png",
    "quote'\".png",
    "-dash.png",
    "%41.png",
]


def _pixels(*shape: int, dtype: str = "uint8") -> np.ndarray:
    return RNG.integers(1, np.iinfo(dtype).max, shape, dtype=dtype)


def _encode(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _write_raster(path: Path, pixels: np.ndarray, **profile: object) -> None:
    count, height, width = pixels.shape
    base = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": pixels.dtype.name}
    with rasterio.open(path, "w", crs="EPSG:32633", transform=GRID, **(base | profile)) as file:
        file.write(pixels)


def _make_pictures(folder: Path) -> dict[str, str]:
    """Pictures, good and bad; file name to the reason for which it is refused, or to ''."""
    folder.mkdir()
    rgb = Image.fromarray(_pixels(80, 80, 3))
    jpeg, png = _encode(rgb, "JPEG", quality=90), _encode(rgb, "PNG")
    frames = [Image.fromarray(_pixels(80, 80)) for _ in range(3)]
    files = {
        "good.jpg": (jpeg, ""),
        "truncated.jpg": (jpeg[: len(jpeg) // 2], "unreadable"),
        "truncated.png": (png[: len(png) // 2], "unreadable"),
        "empty.jpg": (b"", "empty"),
        "text.png": (b"this is no image, whatever its name says", "not_an_image"),
        "png inside.jpg": (png, ""),
        "one pixel.png": (_encode(rgb.crop((0, 0, 1, 1)), "PNG"), "too_small"),
        "grey16.png": (_encode(Image.fromarray(_pixels(80, 80, dtype="uint16")), "PNG"), ""),
        "cmyk.jpg": (_encode(rgb.convert("CMYK"), "JPEG"), ""),
        "palette.png": (_encode(rgb.quantize(32), "PNG"), ""),
        "animated.webp": (_encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]), "animated"),
        "animated.png": (_encode(frames[0], "PNG", save_all=True, append_images=frames[1:]), "animated"),
        "flat.png": (_encode(Image.new("RGB", (80, 80), (9, 9, 9)), "PNG"), "flat"),
        "clear.png": (_encode(Image.new("RGBA", (80, 80), (9, 9, 9, 0)), "PNG"), "no_valid_pixels"),
    }
    for name in ODD_NAMES:
        files[name] = (_encode(Image.fromarray(_pixels(80, 80, 3)), "PNG"), "")
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    reasons = {name: reason for name, (_, reason) in files.items()}
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "itself.png").symlink_to(folder / "itself.png")
    (folder / "gone.png").symlink_to(folder / "was here once.png")
    return reasons | {"loop": "unsafe_path", "itself.png": "unsafe_path", "gone.png": "missing"}


def _make_rasters(folder: Path) -> dict[str, str]:
    folder.mkdir()
    _write_raster(folder / "good.tif", _pixels(3, 80, 80), photometric="RGB")
    _write_raster(folder / "nodata.tif", np.zeros((3, 80, 80), "uint8"), nodata=0, photometric="RGB")
    _write_raster(folder / "nan.tif", np.full((3, 80, 80), np.nan, "float32"), photometric="RGB")
    _write_raster(folder / "complex.tif", np.ones((3, 80, 80), "complex64"))
    _write_raster(folder / "one pixel.tif", _pixels(3, 1, 1), photometric="RGB")
    whole = (folder / "good.tif").read_bytes()
    (folder / "truncated.tif").write_bytes(whole[: len(whole) // 3])
    (folder / "empty.tif").touch()
    (folder / "text.tif").write_text("no raster")
    sparse = {"driver": "GTiff", "count": 3, "height": HUGE, "width": HUGE, "dtype": "uint8", "nodata": 0}
    with rasterio.open(
        folder / "sparse.tif", "w", crs="EPSG:32633", transform=GRID, tiled=True, blockxsize=512, blockysize=512,
        SPARSE_OK=True, photometric="RGB", BIGTIFF="YES", **sparse,
    ):  # fmt: skip
        pass
    return {
        "good.tif": "",
        "nodata.tif": "no_valid_pixels",
        "nan.tif": "no_valid_pixels",
        "complex.tif": "unsupported_pixels",
        "one pixel.tif": "too_small",
        "truncated.tif": "unreadable",
        "empty.tif": "empty",
        "text.tif": "not_an_image",
        "sparse.tif": "no_valid_pixels",
    }


def _make_archive(path: Path) -> dict[str, str]:
    members = {
        "ok.png": "",
        "../out.png": "unsafe_path",
        "/root.png": "unsafe_path",
        "a/../../b.png": "unsafe_path",
    }
    with tarfile.open(path, "w") as tar:
        for name in members:
            data = _encode(Image.fromarray(_pixels(80, 80, 3)), "PNG")
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return members


PEAK_OF_CHILDREN = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
"""Linux counts the peak of whoever starts a process as that process's own, so something small has to start it."""


@dataclass(frozen=True)
class Zoo:
    """One run over everything."""

    counts: dict[str, Any]
    """As in `run.json`."""
    release: Path
    wanted: dict[tuple[str, str], str]
    """What should become of each file: (source, key) to reason."""
    peak_bytes: int
    """Resident memory of the largest process of the run."""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    folder = tmp_path_factory.mktemp("zoo")
    made = {
        "pictures": _make_pictures(folder / "pictures"),
        "rasters": _make_rasters(folder / "rasters"),
        "archive.tar": _make_archive(folder / "archive.tar"),
    }
    (folder / "recipe.yaml").write_text(
        "name: zoo\nsources:\n  - {kind: images, path: pictures}\n"
        "  - {kind: geotiff, path: rasters, bands: {rgb: [1, 2, 3]}}\n"
        "  - {kind: images, path: archive.tar}\ntile: {size: 512}\n"
    )
    command = [sys.executable, "-m", "earthloom", "build", "recipe.yaml", "-o", "work", "-w", "2", "--quiet"]
    watched = [sys.executable, "-c", PEAK_OF_CHILDREN, *command]
    peak = subprocess.run(watched, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
    wanted = {(source, name): reason for source, files in made.items() for name, reason in files.items()}
    counts = json.loads((folder / "work" / "run.json").read_text())["counts"]
    return Zoo(counts, folder / "work" / "release", wanted, int(peak) * 1024)


def test_each_file_is_refused_with_its_reason_or_handled(zoo: Zoo) -> None:
    refused: dict[tuple[str, str], set[str]] = {}
    for row in pq.read_table(zoo.release / "refused.parquet").to_pylist():
        source, _, key = row["key"].partition(":")
        refused.setdefault((source, key), set()).add(row["reason"])
    kept = set(
        duckdb.sql(f"select distinct source, source_key from '{zoo.release}/data/*.parquet'").fetchall()
    )
    got = dict.fromkeys(kept, "") | {name: "+".join(sorted(reasons)) for name, reasons in refused.items()}
    assert got == zoo.wanted
    assert zoo.counts["failed"] == 0


def test_every_window_of_the_sparse_giant_is_accounted_for(zoo: Zoo) -> None:
    counts = zoo.counts["stages"]["tile"]
    assert counts["planned"] == counts["written"] + sum(counts["refused"].values())
    assert counts["refused"]["no_valid_pixels"] >= (-(-HUGE // 512)) ** 2


def test_memory_stays_bounded(zoo: Zoo) -> None:
    assert zoo.peak_bytes < 600 * 2**20  # the giant alone would be 10 GB


def test_a_file_that_may_not_be_read_costs_itself_alone(
    as_nobody: Callable[[], AbstractContextManager[None]],
) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "in").mkdir()
        for picture in ("a.png", "b.png"):
            Image.fromarray(_pixels(80, 80, 3)).save(folder / "in" / picture)
        recipe = parse_recipe("name: x\nsources: [{kind: images, path: in}]\ntile: {size: 64}\n", base=folder)
        whole = build(recipe, folder / "before", base=folder, workers=0)
        (folder / "in" / "a.png").chmod(0)
        with as_nobody():
            summary = build(recipe, folder / "after", base=folder, workers=0)
    assert whole.refused == {}
    assert summary.refused == {"no_permission": 1}
    assert summary.n_out == whole.n_out // 2
