from __future__ import annotations

import math
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scene_factory import picture_scene

from earthloom.core.records import Reason, Scene
from earthloom.tile.config import TileSettings
from earthloom.tile.planning import find_native_gsd, plan_scene
from earthloom.tile.windows import Lattice, Refusal, Window


def scene(width: int, height: int, gsd: tuple[float, float] | None = None) -> Scene:
    made = picture_scene(Path("nowhere.png"), width, height)
    return made if gsd is None else replace(made, gsd_x_m=gsd[0], gsd_y_m=gsd[1])


def windows(made: Scene, settings: TileSettings) -> list[Window]:
    plan = plan_scene(made, settings)
    units = [plan.unit(i) for i in range(plan.n)]
    assert all(isinstance(unit, Window) for unit in units), units
    return units


def columns(made: Scene, **settings) -> list[float]:
    return [window.crop.col for window in windows(made, TileSettings(**settings)) if window.crop.row == 0]


def refusal(made: Scene, **settings) -> Refusal:
    plan = plan_scene(made, TileSettings(**settings))
    assert plan.n == 1
    unit = plan.unit(0)
    assert isinstance(unit, Refusal)
    return unit


@pytest.mark.parametrize(
    ("edges", "starts"), [("drop", [0, 512]), ("shift", [0, 512, 688]), ("pad", [0, 512, 1024])]
)
def test_the_remainder_is_dropped_shifted_or_padded(edges, starts):
    assert columns(scene(1200, 512), edges=edges) == starts


@pytest.mark.parametrize("edges", ["drop", "shift", "pad"])
def test_a_scene_of_whole_tiles_has_no_remainder(edges):
    assert columns(scene(1536, 1024), edges=edges) == [0, 512, 1024]


def test_native_windows_keep_the_grid_as_it_is():
    for window in windows(scene(700, 600, (2.0, 3.0)), TileSettings()):
        assert (window.crop.width, window.crop.height) == (512, 512)
        assert (window.step_x, window.step_y, window.detail_x, window.detail_y) == (1, 1, 1, 1)


def test_requested_distances_have_square_pixels_on_the_ground():
    window = windows(scene(4000, 4000, (4.448, 4.536)), TileSettings(gsd_m=(10.0,)))[0]
    assert (window.step_x * 4.448, window.step_y * 4.536) == pytest.approx((10, 10))
    assert (window.crop.width * 4.448, window.crop.height * 4.536) == pytest.approx((5120, 5120))


@pytest.mark.parametrize("native", [0.9996, 1.0, 1.0004])
def test_a_ratio_that_a_projection_bent_is_whole(native):
    window = windows(scene(4000, 4000, (native, native)), TileSettings(gsd_m=(2.0,)))[0]
    assert window.step_x == 2.0
    assert window.crop.width == 1024


def test_a_request_near_the_native_distance_is_the_native_grid():
    for gsd_m in (0.991, 1.0, 1.0015):
        assert windows(scene(600, 600, (1.0, 1.0)), TileSettings(gsd_m=(gsd_m,)))[0].step_x == 1


def test_finer_than_native_on_either_axis_is_refused_once():
    for gsd in ((1.0, 1.0), (0.5, 1.0), (1.0, 0.5)):
        got = refusal(scene(6000, 6000, gsd), gsd_m=(0.98,))
        assert got.reason is Reason.FINER_THAN_NATIVE
        assert "0.98 m" in got.detail


def test_a_requested_distance_needs_a_known_one():
    assert refusal(scene(600, 600), gsd_m=(10.0,)).reason is Reason.NO_GSD
    assert len(windows(scene(600, 600), TileSettings())) == 4, "native needs none"


def test_the_distance_may_come_from_the_grid():
    made = replace(scene(1000, 1000), crs="EPSG:32633", transform=(2.0, 0.0, 5e5, 0.0, -2.0, 5e6))
    assert find_native_gsd(made) == pytest.approx((2.0008, 2.0008), abs=1e-4), "UTM's scale is 0.9996 there"


def test_a_grid_that_cannot_be_used_is_a_refusal_of_the_plan():
    made = replace(scene(600, 600), crs="EPSG:4326", transform=(2.0, 0.0, 5e5, 0.0, -2.0, 5e6))
    assert refusal(made, gsd_m=(10.0,)).reason is Reason.BAD_GRID


def test_each_request_is_planned_on_its_own():
    plan = plan_scene(scene(2048, 2048, (1.0, 1.0)), TileSettings(gsd_m=("native", 0.5, 2.0, 4.0)))
    assert [part.n if isinstance(part, Lattice) else part.reason.value for part in plan.parts] == [
        16, "finer_than_native", 4, 1,
    ]  # fmt: skip
    units = [plan.unit(i) for i in range(plan.n)]
    assert [unit.request for unit in units] == ["native"] * 16 + [0.5] + [2.0] * 4 + [4.0]
    with pytest.raises(IndexError):
        plan.unit(22)


def test_a_small_scene_is_enlarged_padded_or_refused():
    made = scene(400, 1000)
    enlarged = windows(made, TileSettings())
    assert [(w.crop.col, w.crop.row, w.crop.width, w.crop.height) for w in enlarged] == [
        (0, 0, 400, 400), (0, 400, 400, 400), (0, 600, 400, 400),
    ]  # fmt: skip
    assert (enlarged[0].step_x, enlarged[0].detail_x) == (400 / 512, 1.0)
    padded = windows(made, TileSettings(small="pad"))
    assert [(w.crop.row, w.crop.width, w.step_x) for w in padded] == [(0, 512, 1), (488, 512, 1)]
    assert refusal(made, small="drop").reason is Reason.TOO_SMALL
    assert "400 x 1000" in refusal(made, small="drop").detail


def test_a_scene_too_short_for_a_coarse_distance_is_averaged_and_then_enlarged():
    (window,) = windows(scene(1000, 1000, (1.0, 1.0)), TileSettings(gsd_m=(4.0,)))
    assert (window.crop.width, window.step_x, window.detail_x) == (1000, 1000 / 512, 4.0)


def test_too_few_pixels_are_refused_at_the_distance_asked_for():
    assert refusal(scene(31, 5000)).reason is Reason.TOO_SMALL
    assert refusal(scene(1, 1), min_side=2).reason is Reason.TOO_SMALL
    got = refusal(scene(1000, 1000, (1.0, 1.0)), gsd_m=(100.0,))
    assert got.reason is Reason.TOO_SMALL
    assert "10 x 10" in got.detail


@pytest.mark.parametrize(
    ("size", "settings", "wanted"),
    [
        ((1024, 768), {}, (128, 0, 768)),
        ((769, 1000), {}, (0, 115, 769)),
        ((100, 300), {}, (0, 100, 100)),
        ((100, 300), {"small": "pad"}, (-206, -106, 512)),
        ((4000, 5000), {"gsd_m": (1.2,)}, (976, 1476, 2048)),
        ((4000, 5000), {"gsd_m": (0.6,)}, (1488, 1988, 1024)),
        ((1000, 700), {"gsd_m": (1.2,)}, (150, 0, 700)),
    ],
)
def test_whole_takes_one_centred_square(size, settings, wanted):
    """The nested centres of MMM-RS's Inria crops are `whole` with several distances."""
    (window,) = windows(scene(*size, (0.3, 0.3)), TileSettings(fit="whole", **settings))
    assert (window.crop.col, window.crop.row, window.crop.width) == wanted
    assert window.crop.height == window.crop.width


def test_whole_refuses_what_is_too_small_when_told():
    assert refusal(scene(511, 2000), fit="whole", small="drop").reason is Reason.TOO_SMALL


def test_sixty_thousand_pixels_a_side_are_planned_without_listing():
    plan = plan_scene(scene(60_000, 60_000, (0.1, 0.1)), TileSettings(size=16))
    assert plan.n == 3750**2
    assert sys.getsizeof(plan.parts) < 200
    assert plan.unit(plan.n - 1).crop.col == 60_000 - 16
    assert plan.unit(3750 + 1).crop == plan.unit(3751).crop
    assert (plan.unit(3751).crop.col, plan.unit(3751).crop.row) == (16, 16)


SETTINGS = st.builds(
    TileSettings,
    size=st.integers(16, 96),
    gsd_m=st.lists(st.one_of(st.just("native"), st.floats(0.5, 12)), min_size=1, max_size=3, unique=True).map(
        tuple
    ),
    fit=st.sampled_from(["windows", "whole"]),
    edges=st.sampled_from(["drop", "pad", "shift"]),
    small=st.sampled_from(["enlarge", "pad", "drop"]),
    min_side=st.integers(1, 20),
)
SCENES = st.builds(
    scene, st.integers(1, 700), st.integers(1, 700), st.tuples(st.floats(0.5, 4), st.floats(0.5, 4))
)


def covered(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Union of spans that touch."""
    merged: list[list[float]] = []
    for low, high in sorted(set(spans)):
        if merged and low <= merged[-1][1] + 1e-6:
            merged[-1][1] = max(merged[-1][1], high)
        else:
            merged.append([low, high])
    return [tuple(m) for m in merged]


@given(SCENES, SETTINGS)
@example(scene(512, 700), TileSettings())
@example(scene(96, 96, (1.0, 1.0)), TileSettings(size=96, gsd_m=(1.0003,), edges="drop"))
def test_windows_keep_their_promises(made, settings):
    plan = plan_scene(made, settings)
    units = [plan.unit(i) for i in range(plan.n)]
    for request in dict.fromkeys(unit.request for unit in units):
        of_request = [unit for unit in units if unit.request == request]
        if isinstance(of_request[0], Refusal):
            continue
        steps = {(w.step_x, w.step_y, w.detail_x, w.detail_y) for w in of_request}
        assert len(steps) == 1
        check_scale(made, settings, of_request[0])
        for length, spans in (
            (made.width, [(w.crop.col, w.crop.col + w.crop.width) for w in of_request]),
            (made.height, [(w.crop.row, w.crop.row + w.crop.height) for w in of_request]),
        ):
            check_axis(length, sorted(set(spans)), settings)


def check_scale(made: Scene, settings: TileSettings, window: Window) -> None:
    assert window.crop.width == pytest.approx(window.step_x * settings.size)
    assert window.crop.height == pytest.approx(window.step_y * settings.size)
    assert window.detail_x >= max(1, window.step_x)
    assert window.detail_y >= max(1, window.step_y)
    if window.request != "native":
        ground = (window.detail_x * made.gsd_x_m, window.detail_y * made.gsd_y_m)
        assert ground == pytest.approx((window.request,) * 2, rel=0.0102)
        assert window.step_x * made.gsd_x_m == pytest.approx(window.step_y * made.gsd_y_m, rel=0.021)


def check_axis(length: int, spans: list[tuple[float, float]], settings: TileSettings) -> None:
    span = spans[0][1] - spans[0][0]
    fits = span <= length * (1 + 1e-9)
    assert fits or settings.small == "pad"
    if settings.fit == "whole" or not fits:
        assert len(spans) == 1
        if fits:
            assert -1e-6 <= spans[0][0] <= spans[0][1] <= length + 1e-6
        return
    if settings.edges in {"drop", "shift"}:
        assert spans[0][0] >= -1e-6
        assert spans[-1][1] <= length + 1e-6
    if settings.edges in {"drop", "pad"}:
        assert all(a[1] <= b[0] + 1e-6 for a, b in pairwise(spans)), "disjoint"
    if settings.edges in {"shift", "pad"}:
        ((low, high),) = covered(spans)
        assert low <= 1e-6
        assert high >= length - 1e-6
    if settings.edges == "drop":
        assert length - spans[-1][1] < span * (1 + 1e-6), "no more than a remainder is dropped"


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.integers(16, 1024))
def test_counting_is_arithmetic(width, height, size):
    assume(min(width, height) >= max(size, 32))
    plan = plan_scene(scene(width, height), TileSettings(size=size, edges="pad"))
    assert plan.n == math.ceil(width / size) * math.ceil(height / size)
    last = plan.unit(plan.n - 1)
    assert last.crop.col + size >= width
    assert last.crop.row + size >= height
