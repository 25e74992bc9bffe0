"""Variants of one place: nested windows and fixed crops, their centres, their links, their distances."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from scene_factory import picture_scene, scene_of, write_raster

from earthloom.core.records import Crop, Reason, Scene
from earthloom.tile import TileSettings, count_windows, cut_tiles
from earthloom.tile.config import Encoding, FixedCrop, TileOverrides
from earthloom.tile.planning import plan_scene
from earthloom.tile.windows import Lattice, Nest, Plan, Refusal, Window

INRIA = (
    FixedCrop(side=4096),
    FixedCrop(side=2048),
    FixedCrop(side=1024),
    *(FixedCrop(side=512, shift_x=x, shift_y=y) for y in (-256, 256) for x in (-256, 256)),
    FixedCrop(side=512),
)
"""MMM-RS, Inria.py: 2.4, 1.2 and 0.6 m about one centre, the quadrants of the innermost 1024 and its centre."""
FMOW = (
    FixedCrop(side=512),
    FixedCrop(side=512, across="left", down="bottom"),
    FixedCrop(side=512, across="right", down="top"),
)
"""MMM-RS, fMoW.py: `_center`, `_left_bottom`, `_right_top`."""


def scene(width: int, height: int, gsd: float | None = None) -> Scene:
    made = picture_scene(Path("nowhere.png"), width, height)
    return made if gsd is None else replace(made, gsd_x_m=gsd, gsd_y_m=gsd)


def plan(made: Scene, **settings: Any) -> Plan:
    return plan_scene(made, TileSettings(**settings))


def units(made: Scene, **settings: Any) -> list[Any]:
    """All windows and refusals of a plan."""
    planned = plan(made, **settings)
    return [planned.unit(i) for i in range(planned.n)]


def middle(crop: Crop) -> tuple[float, float]:
    return crop.col + crop.width / 2, crop.row + crop.height / 2


# Nested windows.


def test_every_distance_stands_about_one_centre_in_every_cell() -> None:
    got = units(scene(5000, 5000, 0.3), fit="nested", gsd_m=("native", 0.6, 1.2, 2.4), edges="drop")
    assert [(unit.request, unit.crop.col, unit.crop.width) for unit in got] == [
        ("native", 1792, 512), (0.6, 1536, 1024), (1.2, 1024, 2048), (2.4, 0, 4096),
    ]  # fmt: skip
    assert [unit.base for unit in got] == [None, got[0], got[0], got[0]]
    cells = units(scene(10_000, 5000, 0.3), fit="nested", gsd_m=(2.4, "native"), edges="shift")
    assert [(unit.crop.col, unit.crop.row) for unit in cells] == [
        (0, 0), (1792, 1792), (4096, 0), (5888, 1792), (5904, 0), (7696, 1792),
        (0, 904), (1792, 2696), (4096, 904), (5888, 2696), (5904, 904), (7696, 2696),
    ]  # fmt: skip
    assert [unit.base is None for unit in cells] == [False, True] * 6


@pytest.mark.parametrize(
    ("small", "reasons"),
    [("drop", [Reason.FINER_THAN_NATIVE, Reason.TOO_SMALL]), ("enlarge", [Reason.FINER_THAN_NATIVE])],
)
def test_what_the_scene_cannot_give_is_refused_once(small: Any, reasons: list[Reason]) -> None:
    got = units(scene(2100, 1100, 1.0), fit="nested", gsd_m=(0.4, "native", 2.0, 4.0), small=small)
    assert [unit.reason for unit in got if isinstance(unit, Refusal)] == reasons
    windows = [unit for unit in got if isinstance(unit, Window)]
    assert len(windows) % (4 - len(reasons)) == 0
    if small == "enlarge":
        coarse = [window for window in windows if window.request == 4.0]
        assert {(window.crop.width, window.step_x, window.detail_x) for window in coarse} == {
            (1100, 1100 / 512, 4.0)
        }
    assert units(scene(100, 100, 1.0), fit="nested", gsd_m=(0.4,))[0].reason is Reason.FINER_THAN_NATIVE


def test_a_padded_cell_is_centred_on_its_scene() -> None:
    got = units(scene(700, 700, 1.0), fit="nested", gsd_m=("native", 2.0), small="pad")
    assert [(unit.crop.col, unit.crop.width) for unit in got] == [(94, 512), (-162, 1024)]


@given(
    st.integers(40, 3000), st.integers(40, 3000), st.floats(0.2, 3), st.integers(16, 300),
    st.lists(st.one_of(st.just("native"), st.floats(0.5, 9)), min_size=1, max_size=4, unique=True),
    st.sampled_from(["drop", "pad", "shift"]), st.sampled_from(["enlarge", "pad", "drop"]),
)  # fmt: skip
def test_nested_windows_keep_their_promises(
    width: int, height: int, gsd: float, size: int, requests: list[Any], edges: Any, small: Any
) -> None:
    made = scene(width, height, gsd)
    settings = TileSettings(fit="nested", gsd_m=tuple(requests), size=size, edges=edges, small=small)
    planned = plan_scene(made, settings)
    got = [planned.unit(i) for i in range(planned.n)]
    windows = [unit for unit in got if isinstance(unit, Window)]
    refusals = [unit for unit in got if isinstance(unit, Refusal)]
    n_met = len(requests) - len(refusals)
    assert len({unit.request for unit in refusals}) == len(refusals)
    for i in range(0, len(windows), max(1, n_met)):
        cell = windows[i : i + n_met]
        assert len({window.request for window in cell}) == n_met
        coarsest = max(cell, key=lambda window: window.crop.width * window.crop.height)
        (finest,) = (window for window in cell if window.base is None)
        assert finest.detail_x == min(window.detail_x for window in cell)
        for window in cell:
            assert window is finest or window.base == finest
            off = np.subtract(middle(window.crop), middle(coarsest.crop))
            assert np.abs(off).max() <= 0.5 + 1e-6
            if window.crop.width == int(window.crop.width) and window is not coarsest:
                assert window.crop.col == int(window.crop.col)
            if edges != "pad" and small != "pad":
                assert window.crop.col >= -1e-6
                assert window.crop.col + window.crop.width <= width + 1e-6
            assert window.crop.width == pytest.approx(size * window.step_x)
            assert window.detail_x >= max(1, window.step_x)
    lone = TileSettings(fit="windows", gsd_m=tuple(requests), size=size, edges=edges, small=small)
    if windows and small != "pad":
        cells = max(
            (part for part in plan_scene(made, lone).parts if isinstance(part, Lattice)),
            key=lambda lattice: lattice.x.span * lattice.y.span,
        )
        assert len(windows) == n_met * cells.n, "the lattice is that of the coarsest on its own"


def test_a_nest_of_millions_is_planned_without_listing() -> None:
    planned = plan(scene(10**6, 10**6, 0.1), fit="nested", gsd_m=("native", 0.2, 0.4), size=16, edges="drop")
    assert planned.n == 3 * 15_625**2
    assert isinstance(planned.parts[0], Nest)
    assert sys.getsizeof(planned.parts) < 200
    last: Any = planned.unit(planned.n - 1)
    assert (last.crop.col, last.crop.width, last.base.crop.width) == (10**6 - 64, 64, 16)


# Fixed crops.


def test_inria_gives_eight_crops_about_one_centre() -> None:
    got = units(scene(5000, 5000, 0.3), fit="fixed", crops=INRIA)
    assert [(unit.crop.col, unit.crop.row, unit.crop.width) for unit in got] == [
        (452, 452, 4096), (1476, 1476, 2048), (1988, 1988, 1024),
        (1988, 1988, 512), (2500, 1988, 512), (1988, 2500, 512), (2500, 2500, 512), (2244, 2244, 512),
    ]  # fmt: skip
    assert [unit.step_x for unit in got] == [8, 4, 2, 1, 1, 1, 1, 1]
    assert [unit.base for unit in got] == [got[7]] * 3 + [None] * 5


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((1000, 800), [(244, 144, 512), (0, 288, 512), (488, 0, 512)]),
        ((513, 513), [(0, 0, 512), (0, 1, 512), (1, 0, 512)]),
        ((512, 900), [(0, 194, 512)]),
        ((900, 512), [(194, 0, 512)]),
        ((300, 400), [(0, 50, 300)]),
        ((5000, 300), [(2350, 0, 300)]),
    ],
)
def test_fmow_gives_three_crops_or_the_whole(
    size: tuple[int, int], wanted: list[tuple[int, int, int]]
) -> None:
    got = units(scene(*size, 0.5), fit="fixed", crops=FMOW, crops_above=512, gsd_m=(10.0,))
    assert [(unit.crop.col, unit.crop.row, unit.crop.width) for unit in got] == wanted
    assert {unit.base for unit in got} == {None}


def test_crops_that_do_not_fit_in_are_refused_each() -> None:
    got = units(scene(2000, 2000, 0.3), fit="fixed", crops=INRIA)
    refused = [unit for unit in got if isinstance(unit, Refusal)]
    assert [(unit.reason, unit.crop) for unit in refused] == [(Reason.TOO_SMALL, 0), (Reason.TOO_SMALL, 1)]
    assert "the crop of 4096 x 4096 at centre centre begins at column -1048, row -1048" in refused[0].detail
    assert len(got) == 8
    padded = units(scene(2000, 2000, 0.3), fit="fixed", crops=INRIA, small="pad")
    assert [unit.crop.col for unit in padded[:2]] == [-1048, -24]
    away = (FixedCrop(side=16, shift_x=5000),)
    assert units(scene(64, 64), fit="fixed", crops=away, small="pad")[0].reason is Reason.TOO_SMALL


def test_crops_that_coincide_are_cut_once() -> None:
    assert len(units(scene(512, 512), fit="fixed", crops=FMOW)) == 1
    assert len(units(scene(512, 600), fit="fixed", crops=FMOW)) == 3


def test_a_small_crop_is_enlarged_whatever_else_is_small() -> None:
    (window,) = units(scene(600, 600), fit="fixed", crops=(FixedCrop(side=256),), small="drop")
    assert (window.step_x, window.detail_x) == (0.5, 1.0)


@pytest.mark.parametrize("fields", [{"fit": "fixed"}, {"crops": (FixedCrop(side=64), FixedCrop(side=64))}])
def test_crops_that_cannot_be_meant_are_a_fault(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="crops"):
        TileSettings(**fields)
    with pytest.raises(ValidationError, match="crops"):
        TileOverrides(**fields).apply(TileSettings())


def test_whole_pictures_of_several_distances_are_linked() -> None:
    got = units(scene(5000, 5000, 0.3), fit="whole", gsd_m=("native", 0.2, 1.2, 0.6))
    assert [isinstance(unit, Refusal) for unit in got] == [False, True, False, False]
    assert [unit.base and unit.base.request for unit in got if isinstance(unit, Window)] == [0.6, 0.6, None]


# Tiles.


def textured(folder: Path, side: int) -> tuple[Scene, np.ndarray]:
    noise = np.random.default_rng(0).normal(size=(side, side, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    data = (120 + 50 * smooth / smooth.std()).clip(1, 254).astype(np.uint8).transpose(2, 0, 1)
    return scene_of(write_raster(folder / "a.tif", data), gsd_x_m=1.0, gsd_y_m=1.0), data


def cut(made: Scene, **settings: Any) -> list[Any]:
    """All tiles and refusals of a scene."""
    chosen = TileSettings(encoding=Encoding(rgb="png"), **settings)
    return list(cut_tiles(made, chosen, 0, count_windows(made, chosen)))


def test_tiles_of_a_nest_share_the_base_of_their_cell(tmp_path: Path) -> None:
    made, data = textured(tmp_path, 1100)
    got = cut(made, fit="nested", gsd_m=(4.0, "native", 2.0), size=128, edges="drop")
    assert len(got) == 4 * 3
    for cell in (got[i : i + 3] for i in range(0, 12, 3)):
        assert [tile.gsd_m for tile in cell] == pytest.approx([4, 1, 2], rel=1e-3)
        assert {tile.base_id for tile in cell} == {cell[1].id}
        assert [tile.resampling for tile in cell] == ["mtf", "none", "mtf"]
        places = np.array([[tile.lon, tile.lat] for tile in cell])
        assert np.ptp(places, axis=0).max() < 1e-9, "one centre on the ground"
        col, row = int(cell[1].crop.col), int(cell[1].crop.row)
        shown = np.asarray(Image.open(io.BytesIO(cell[1].image)))
        np.testing.assert_array_equal(shown, data[:, row : row + 128, col : col + 128].transpose(1, 2, 0))
    assert len({tile.base_id for tile in got}) == 4
    assert len({tile.id for tile in got}) == 12


def test_a_part_of_a_nest_has_the_tiles_of_the_whole(tmp_path: Path) -> None:
    made, _ = textured(tmp_path, 1100)
    chosen = TileSettings(fit="nested", gsd_m=("native", 2.0, 3.0, 30.0), size=128, small="drop")
    n = count_windows(made, chosen)
    everything: list[Any] = list(cut_tiles(made, chosen, 0, n))
    assert sum(getattr(outcome, "n", 1) for outcome in everything) == n
    assert everything[-1].reason is Reason.TOO_SMALL
    assert [*cut_tiles(made, chosen, 0, 7), *cut_tiles(made, chosen, 7, n)] == everything


def test_fixed_crops_are_linked_and_have_the_distances_of_their_sides(tmp_path: Path) -> None:
    made, _ = textured(tmp_path, 1100)
    crops = (FixedCrop(side=1024), FixedCrop(side=512), FixedCrop(side=128, shift_x=-64), FixedCrop(side=128))
    got = cut(made, fit="fixed", crops=(*crops, FixedCrop(side=2000)), size=128)
    *made_tiles, refused = got
    assert [tile.gsd_m for tile in made_tiles] == pytest.approx([8, 4, 1, 1], rel=1e-3)
    assert [tile.base_id for tile in made_tiles] == [got[3].id, got[3].id, got[2].id, got[3].id]
    assert refused.reason is Reason.TOO_SMALL
    two = cut(made, fit="fixed", crops=(FixedCrop(side=2000), FixedCrop(side=3000)), size=128)
    assert len({refused.id for refused in two}) == 2
