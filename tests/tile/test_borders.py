"""Which classes touch, and how long their borders are: against a loop over pixels and against scikit-image."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scene_factory import scene_of, write_raster
from skimage.graph import RAG

from earthloom.core.images import decode_image
from earthloom.core.records import Band, ClassMask, Legend, Modality, Quantity, Stretch, Tile
from earthloom.tile import TileSettings, count_windows, cut_tiles
from earthloom.tile.borders import find_borders
from earthloom.tile.config import Encoding

Numbers = npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]
Shares = dict[tuple[str, ...], float]

LAND = tuple(Legend(value=v, name=n) for v, n in ((7, "water"), (1, "forest"), (2, "field"), (9, "forest")))
MANY = tuple(Legend(value=i, name=f"class {i % 290}") for i in range(300))


def shares(numbers: Numbers, legend: tuple[Legend, ...], valid: Mask | None = None) -> Shares:
    found = find_borders(numbers, legend, valid)
    ordered = [(-border.share, border.names) for border in found]
    assert ordered == sorted(ordered)
    assert all(0 < border.share <= 1 and list(border.names) == sorted(set(border.names)) for border in found)
    return {border.names: border.share for border in found}


def walk(numbers: Numbers, legend: tuple[Legend, ...], valid: Mask | None) -> Shares:
    """One pixel after the other, each with its neighbours to the right and below."""
    edges: Counter[tuple[str, ...]] = Counter()
    height, width = numbers.shape

    def name(y: int, x: int) -> str | None:
        is_known = numbers[y, x] < len(legend) and (valid is None or valid[y, x])
        return legend[numbers[y, x]].name if is_known else None

    for y in range(height):
        for x in range(width):
            for below, beside in ((y + 1, x), (y, x + 1)):
                if below < height and beside < width:
                    pair = (name(y, x), name(below, beside))
                    if None not in pair and pair[0] != pair[1]:
                        edges[tuple(sorted(str(one) for one in pair))] += 1
    total = sum(edges.values())
    return {pair: n / total for pair, n in edges.items()}


@given(
    numbers=arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 4)),
    seed=st.integers(0, 99),
)
def test_that_borders_are_those_of_a_walk_over_the_pixels(numbers: Numbers, seed: int) -> None:
    """One number more than the legend has, which is no class, and two numbers that share a name."""
    valid = np.random.default_rng(seed).random(numbers.shape) < 0.8
    for mask in (None, valid):
        assert shares(numbers, LAND, mask) == pytest.approx(walk(numbers, LAND, mask))


def test_that_hundreds_of_classes_are_counted_as_few_are() -> None:
    rng = np.random.default_rng(5)
    numbers = rng.integers(0, 301, (40, 40)).astype(np.uint16)
    valid = rng.random((40, 40)) < 0.9
    assert shares(numbers, MANY, valid) == pytest.approx(walk(numbers, MANY, valid))


def test_that_touching_classes_are_the_neighbours_of_a_region_graph() -> None:
    """scikit-image's region adjacency graph over the same mask, 4-connected."""
    rng = np.random.default_rng(2)
    numbers = np.kron(rng.integers(0, 10, (8, 8)), np.ones((64, 64))).astype(np.uint16)
    legend = tuple(Legend(value=i, name=str(i)) for i in range(10))
    graph = RAG(numbers.astype(int), connectivity=1)
    wanted = {tuple(sorted((str(one), str(other)))) for one, other in graph.edges}
    found = shares(numbers, legend)
    assert set(found) == wanted
    assert sum(found.values()) == pytest.approx(1)


def test_that_a_straight_border_and_a_square_have_the_lengths_that_they_have() -> None:
    """A lake of 10 x 10 has 40 edges to the forest; the forest has 64 to the field."""
    numbers = np.full((64, 64), 1, np.uint16)
    numbers[:, 40:] = 2
    numbers[5:15, 5:15] = 0
    found = find_borders(numbers, LAND, None)
    assert [(border.names, border.share) for border in found] == [
        (("field", "forest"), pytest.approx(64 / 104)),
        (("forest", "water"), pytest.approx(40 / 104)),
    ]


def test_that_one_class_and_no_class_have_no_borders() -> None:
    assert find_borders(np.zeros((8, 8), np.uint16), LAND, None) == ()
    assert find_borders(np.full((8, 8), 4, np.uint16), LAND, None) == ()
    striped = np.tile(np.array([1, 3], np.uint16), (8, 4))
    assert find_borders(striped, LAND, None) == (), "two values of one name"
    striped[:, ::2] = 0
    assert find_borders(striped, LAND, np.zeros((8, 8), bool)) == ()


def test_that_a_tile_knows_its_borders_and_how_bright_it_is(tmp_path: Path) -> None:
    """Classes over 255, which the tile's own mask cannot hold, and a strip without data that touches both of them."""
    height, width = 128, 96
    values = np.where(np.arange(width) < 40, 311, 523).astype(np.uint16)
    values = np.broadcast_to(values, (1, height, width)).copy()
    values[0, :30, :40] = 112
    legend = (
        Legend(value=112, name="built-up"),
        Legend(value=311, name="forest"),
        Legend(value=523, name="sea"),
    )
    mask = ClassMask(
        band=Band(uri=str(write_raster(tmp_path / "mask.tif", values)), index=1), legend=legend, origin="made"
    )
    levels = np.random.default_rng(8).integers(1, 256, (1, height, width)).astype(np.uint8)
    levels[:, :10] = 0
    path = write_raster(tmp_path / "a.tif", levels, nodata=0)
    settings = TileSettings(size=96, min_valid=0.5, encoding=Encoding(nir="png", sar="png"))
    scene = scene_of(path, Modality.NIR, mask=mask)
    tile, _ = (tile for tile in cut_tiles(scene, settings, 0, count_windows(scene, settings)))
    assert isinstance(tile, Tile)
    assert tile.crop.row == 0
    lengths = {("built-up", "forest"): 40, ("built-up", "sea"): 20, ("forest", "sea"): 66}
    assert {border.names: border.share for border in tile.borders} == pytest.approx(
        {pair: n / 126 for pair, n in lengths.items()}
    )
    found = tile.appearance
    assert found is not None
    wanted = np.percentile(decode_image(tile.image)[10:], [5, 50, 95]) / 255
    assert (found.low, found.median, found.high) == pytest.approx(tuple(wanted), abs=1e-6)


def test_that_a_radar_tile_is_told_in_decibels(tmp_path: Path) -> None:
    backscatter = np.random.default_rng(9).uniform(-30, 5, (1, 64, 64)).astype(np.float32)
    scene = scene_of(write_raster(tmp_path / "a.tif", backscatter), Modality.SAR, quantity=Quantity.DB)
    (tile,) = cut_tiles(scene, TileSettings(size=64), 0, 1)
    assert isinstance(tile, Tile)
    assert tile.stretch == Stretch(method="db", low=(-25.0,), high=(0.0,))
    found = tile.appearance
    assert found is not None
    assert found.unit == "dB"
    wanted = np.percentile(np.clip(backscatter, -25, 0), [5, 50, 95])
    assert (found.low, found.median, found.high) == pytest.approx(tuple(wanted), abs=0.5 * 25 / 255)
