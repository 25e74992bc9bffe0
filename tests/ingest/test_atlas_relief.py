"""Relief and water of the atlas: water runs downhill, drains everything, and nothing stands too steep."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.sparse.csgraph import dijkstra

from earthloom.ingest.atlas.frame import Frame
from earthloom.ingest.atlas.ground import Ground, lay_ground
from earthloom.ingest.atlas.relief import THETA, Drainage, Terms, grid_graph, grow_relief
from earthloom.ingest.atlas.water import river_width_m, trace_streams

NUMBERS = (0, 2, 3, 5, 6, 10, 12)
"""One scene of most archetypes."""


@pytest.fixture(scope="module", params=NUMBERS)
def ground(request: pytest.FixtureRequest) -> Ground:
    return lay_ground(Frame(288, 2.0, 0, request.param))


def follow(receiver: NDArray[np.int32], start: int) -> list[int]:
    """The way down from a cell, the plain way."""
    path = [start]
    while receiver[path[-1]] != path[-1]:
        path.append(int(receiver[path[-1]]))
        assert len(path) <= len(receiver)
    return path


def test_water_runs_downhill(ground: Ground) -> None:
    """From each cell to the next; level only across a lake."""
    z = ground.drainage.elevation_m.ravel()
    receiver = ground.drainage.receiver
    flows = receiver != np.arange(receiver.size)
    lakes, _ = label(ground.plan.hollow > 0, np.ones((3, 3)))
    lake = lakes.ravel()
    across = (lake > 0) & (lake[receiver] == lake)
    assert (z[receiver] == z)[across].all()
    assert (z[receiver] < z)[flows & ~across & (lake == 0)].all()
    assert (z[receiver] <= z)[flows].all()


def test_every_cell_drains_to_water_or_out(ground: Ground) -> None:
    receiver = ground.drainage.receiver
    sinks = ~np.isnan(ground.plan.base_m.ravel())
    for start in range(0, receiver.size, 997):
        assert sinks[follow(receiver, start)[-1]]


def test_neighbours_only(ground: Ground) -> None:
    n, receiver = ground.frame.n_coarse, ground.drainage.receiver
    own = np.arange(receiver.size)
    near = (np.abs(own // n - receiver // n) <= 1) & (np.abs(own % n - receiver % n) <= 1)
    assert (near | (ground.plan.hollow > 0).ravel()).all()


def test_all_rain_arrives(ground: Ground) -> None:
    receiver, area = ground.drainage.receiver, ground.drainage.area_m2.ravel().astype(np.float64)
    ends = receiver == np.arange(receiver.size)
    cell = ground.frame.cell_m**2
    assert area[ends].sum() == pytest.approx(receiver.size * cell, rel=1e-5)
    probe = int(np.argmax(np.where(ends, 0, area)))
    upstream = sum(probe in follow(receiver, start) for start in _around(ground.frame.n_coarse, probe, 14))
    assert area[probe] >= upstream * cell


def _around(n: int, cell: int, reach: int) -> list[int]:
    row, col = divmod(cell, n)
    return [
        r * n + c
        for r in range(max(0, row - reach), min(n, row + reach + 1))
        for c in range(max(0, col - reach), min(n, col + reach + 1))
    ]


def test_nothing_stands_much_steeper_than_it_can(ground: Ground) -> None:
    z = ground.drainage.elevation_m
    steep = np.abs(np.diff(z, axis=0)) / ground.frame.cell_m
    assert np.quantile(steep, 0.999) < 1.2


def test_lakes_are_level_and_the_sea_is_at_zero(ground: Ground) -> None:
    z, plan = ground.drainage.elevation_m, ground.plan
    lakes, count = label(plan.hollow > 0, np.ones((3, 3)))
    for k in range(1, count + 1):
        assert np.ptp(z[lakes == k]) == 0
    if plan.sea is not None:
        assert (z[plan.sea < 0] == 0).all()
        assert (z[plan.sea >= 0] >= 0).all()


def test_rivers_fall_towards_their_mouth(ground: Ground) -> None:
    for river in ground.plan.rivers[:1]:
        cells = np.round(ground.frame.to_cells(river.points)).astype(int)
        inside = ((cells >= 0) & (cells < ground.frame.n_coarse)).all(axis=1)
        base = ground.plan.base_m[cells[inside, 1], cells[inside, 0]]
        assert np.isfinite(base).all()
        assert np.polyfit(np.arange(len(base)), base, 1)[0] <= 0
        assert base[0] == base.max()


def test_streams_follow_the_valleys(ground: Ground) -> None:
    """The ground falls along each stream, and lies lower on it than to its sides."""
    frame = ground.frame
    deeper = []
    for course in trace_streams(frame, ground.drainage, 0.03):
        if len(course.points) < 20:
            continue
        z = frame.sample(ground.height_m, course.points)
        assert z[-1] < z[0]
        assert (np.diff(course.width_m) >= 0).all()
        tangent = np.gradient(course.points, axis=0)
        side = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
        side *= 5 * frame.cell_m / np.hypot(*side.T)[:, None]
        banks = (frame.sample(ground.height_m, course.points + s * side) for s in (-1, 1))
        deeper.append(float(np.mean(z < np.mean(list(banks), axis=0))))
    assert not deeper or np.mean(deeper) > 0.7


def make_terms(n: int, steepness: float) -> Terms:
    """A plain drained by its lower edge."""
    base = np.full((n, n), np.nan, np.float32)
    base[-1] = 0
    level = np.ones((n, n), np.float32)
    return Terms(
        cell_m=10.0,
        steepness=level * steepness,
        repose=level * 10,
        base_m=base,
        hollow=np.zeros((n, n), bool),
        roughness=np.random.default_rng(1).standard_normal((n, n)).astype(np.float32),
        grain=np.random.default_rng(2).standard_normal((n, n)).astype(np.float32),
        hillslope_m2=100.0,
    )


def test_slopes_follow_flints_law() -> None:
    """Where nothing slumps, ln slope against ln area has the slope -theta."""
    terms = make_terms(96, 3.0)
    drained = grow_relief(terms)
    z, area, receiver = drained.elevation_m.ravel(), drained.area_m2.ravel(), drained.receiver
    own = np.arange(z.size)
    n = 96
    far = np.hypot(own // n - receiver // n, own % n - receiver % n) * 10
    flows = (far > 0) & (area > 3000) & (z > z[receiver])
    slope = (z - z[receiver])[flows] / far[flows]
    fit = np.polyfit(np.log(area[flows] + 100), np.log(slope), 1)
    assert fit[0] == pytest.approx(-THETA, abs=0.08)
    assert np.exp(fit[1]) == pytest.approx(3.0, rel=0.5)


def test_steeper_terms_make_higher_ground() -> None:
    low, high = (grow_relief(make_terms(64, k)) for k in (1.0, 4.0))
    assert isinstance(low, Drainage)
    assert high.elevation_m.max() > 2.5 * low.elevation_m.max()


def test_the_graph_measures_ways_over_the_grid() -> None:
    """Against distances on a uniform grid: straight and diagonal steps."""
    rows, cols = 5, 7
    far = dijkstra(grid_graph(np.ones((rows, cols))), directed=False, indices=0)
    row, col = np.divmod(np.arange(rows * cols), cols)
    steps = np.abs(row - col) + np.minimum(row, col) * np.sqrt(2)
    np.testing.assert_allclose(far, steps)


@pytest.mark.parametrize(("area", "width"), [(1.0, 3.0), (1000.0, 47.5)])
def test_rivers_are_as_wide_as_their_basins_ask(area: float, width: float) -> None:
    assert river_width_m(area) == pytest.approx(width, rel=0.01)
