"""The comparison on real pictures: snow of Greenland, clouds of Sentinel-2, real ground under weather of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scene_pictures import Picture, lay_depth_fog, lay_ours, lay_street_snow, write_pictures

from earthloom.core.errors import RecordError
from earthloom.core.images import encode_jpeg
from earthloom.evaluate.scenes import SceneSettings, evaluate_scenes
from earthloom.evaluate.scenes.report import EffectReport

rasterio = pytest.importorskip("rasterio")


def read_bands(paths: list[Path], bands: tuple[int, ...] = (1,)) -> npt.NDArray[np.float64]:
    """H x W x 3."""
    planes = []
    for path in paths:
        with rasterio.open(path) as raster:
            planes.append(raster.read(list(bands)))
    return np.moveaxis(np.concatenate(planes), 0, -1).astype(np.float64)


def stretch(values: npt.NDArray[np.float64]) -> Picture:
    seen = values[values.min(axis=2) > 0]
    low, high = np.percentile(seen, (1, 99.5), axis=0)
    return np.asarray(np.clip((values - low) / (high - low) * 255, 0, 255), np.uint8)


def cut(picture: Picture, side: int) -> Iterator[Picture]:
    """Whole tiles in which there is something to see."""
    for top in range(0, picture.shape[0] - side + 1, side):
        for left in range(0, picture.shape[1] - side + 1, side):
            tile = picture[top : top + side, left : left + side]
            if (tile.max(axis=2) == 0).mean() < 0.02 and tile.std() > 6:
                yield np.ascontiguousarray(tile)


def expose(tile: Picture) -> Picture:
    """Brighten to white, as a camera would: the sun stands low over Greenland in January."""
    return np.asarray(np.clip(tile * (235 / np.percentile(tile, 90)), 0, 255), np.uint8)


def find_bands(folder: Path, pattern: str) -> list[Path]:
    return [next(folder.glob(pattern.format(band))) for band in (4, 3, 2)]


@pytest.fixture(scope="module")
def naip(real_data: Path) -> list[Picture]:
    tiles = []
    for path in sorted((real_data / "naip").glob("*.tif"))[::2]:
        tiles += list(cut(np.asarray(read_bands([path], (1, 2, 3)), np.uint8), 176))[:12]
    return tiles


def lay_all(folder: Path, pictures: list[Picture], effect: str) -> None:
    """Ours on every picture that can have it."""
    folder.mkdir()
    for seed, picture in enumerate(pictures):
        try:
            write_one(folder, seed, lay_ours(picture, effect, seed)[0])
        except RecordError:
            continue  # such as snow on water alone: the effect says so, and there is no picture


def write_one(folder: Path, seed: int, picture: Picture) -> None:
    (folder / f"{seed:03d}.jpg").write_bytes(encode_jpeg(picture, 95))


def compare(base: Path, effect: str, made: str, real: str | None) -> EffectReport:
    settings = SceneSettings(
        synthetic={effect: made}, clear="clear", real={} if real is None else {effect: real}
    )
    return evaluate_scenes(settings, base / f"out-{made}", base=base).effects[0]


def gate(report: EffectReport, name: str) -> bool | None:
    return {gate.name: gate.passed for gate in report.gates}[name]


def keep(picture: Picture, seed: int) -> Picture:
    return picture


def test_street_snow_is_farther_from_the_snow_of_greenland_than_ours(
    naip: list[Picture], real_data: Path, tmp_path: Path
) -> None:
    greenland = stretch(read_bands(find_bands(real_data / "landsat8_30m", "*B{}.*")))
    write_pictures(tmp_path / "real", [expose(tile) for tile in cut(greenland, 176)], keep)
    write_pictures(tmp_path / "clear", naip, keep)
    lay_all(tmp_path / "ours", naip, "snow")
    write_pictures(tmp_path / "street", naip, lay_street_snow)
    ours, street = (compare(tmp_path, "snow", made, "real") for made in ("ours", "street"))
    assert gate(ours, "streaks") is True
    assert gate(street, "streaks") is False
    assert ours.structure["all"]["structure"].median > street.structure["all"]["structure"].median + 0.1
    for report in (ours, street):
        assert report.headline is not None
        assert report.headline.score is not None
    assert street.headline.score.value > 1.5 * ours.headline.score.value  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("lay", "name"), [(lay_depth_fog, "trend"), (None, "edges")], ids=["depth", "shuffled"]
)
def test_wrong_fog_on_real_ground_fails_where_ours_passes(
    naip: list[Picture], tmp_path: Path, lay: Callable[[Picture, int], Picture] | None, name: str
) -> None:
    write_pictures(tmp_path / "clear", naip, keep)
    lay_all(tmp_path / "ours", naip, "fog")
    if lay is not None:
        write_pictures(tmp_path / "wrong", naip, lay)
    else:
        lay_all(tmp_path / "wrong", naip[5:] + naip[:5], "fog")
    ours, wrong = (compare(tmp_path, "fog", made, None) for made in ("ours", "wrong"))
    assert gate(ours, name) is True
    assert gate(wrong, name) is False
    assert all(gate.passed is not False for gate in ours.gates)


def test_our_clouds_lie_nearer_to_real_clouds_than_clear_ground(real_data: Path, tmp_path: Path) -> None:
    """One chip of Sentinel-2 is half under cumulus: its pieces against clouds that are laid over the other chips."""
    chips = []
    for path in sorted((real_data / "ssl4eo").rglob("*.tif*")):
        reflectance = read_bands([path], (4, 3, 2)) / 10_000
        chips.append(np.asarray(np.clip(reflectance / 0.4, 0, 1) ** (1 / 2.2) * 255, np.uint8))
    cloudy = [chip for chip in chips if 0.2 < (chip.min(axis=2) > 235).mean() < 0.8]
    clear = [chip for chip in chips if (chip.min(axis=2) > 235).mean() < 0.01 and chip.std() > 12]
    write_pictures(tmp_path / "real", [piece for chip in cloudy for piece in cut(chip, 48)], keep)
    pieces = [piece for chip in clear for piece in cut(chip, 48)]
    write_pictures(tmp_path / "clear", pieces, keep)
    lay_all(tmp_path / "ours", pieces, "cloud")
    found = compare(tmp_path, "cloud", "ours", "real").headline
    assert found is not None
    assert found.skill is not None
    assert found.skill > 0.3
