from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from earthloom.core.records import Band, ByteRange, Item, Modality, Part, Quantity, Reason, Scene
from earthloom.run.jobs import TileJob
from earthloom.run.plan import Shape, _describe, count_scene_windows, pack_windows, plan_tile
from earthloom.run.recipe import AtlasEntry, GeotiffEntry, ImagesEntry, Recipe
from earthloom.store.layout import ShardFiles, WorkFolder
from earthloom.store.shards import Manifest, ShardWriter
from earthloom.tile import TileSettings


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 17))
def test_windows_are_packed_whole_in_order_and_evenly(counts: list[int], size: int) -> None:
    runs = [list(run.spans(counts[run.first_row : run.last_row + 1])) for run in pack_windows(counts, size)]
    windows = [(row, window) for spans in runs for row, first, stop in spans for window in range(first, stop)]
    assert windows == [(row, window) for row, count in enumerate(counts) for window in range(count)]
    sizes = [sum(stop - first for _, first, stop in spans) for spans in runs]
    assert all(n == size for n in sizes[:-1])
    assert not sizes or 0 < sizes[-1] <= size


@pytest.fixture
def scenes(tmp_path: Path) -> Manifest:
    """A shard of five pictures of 64 x 64, of which the third is wider, and what it says of itself."""
    (tmp_path / "01-ingest").mkdir()
    writer = ShardWriter(ShardFiles(tmp_path / "01-ingest", "s-000000"), Scene, stage="ingest", key="k")
    with writer:
        for i, width in enumerate((64, 64, 64 * 9, 64, 64)):
            noise = np.random.default_rng(i).integers(0, 255, (64, width, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / f"{i}.png")
            band = Band(uri=str(tmp_path / f"{i}.png"), index=1)
            writer.write(
                Scene(
                    id=f"scene{i}", item_id="i", source="s", source_key=f"{i}.png", dataset="d",
                    modality=Modality.RGB, quantity=Quantity.DISPLAY,
                    bands=tuple(replace(band, index=index) for index in (1, 2, 3)),
                    width=width, height=64, dtype="uint8", group="g", pair_key=f"{i}",
                )
            )  # fmt: skip
    return writer.finish()


def plan_shards(scenes: Manifest, work: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> list[TileJob]:
    monkeypatch.setattr("earthloom.run.plan.TILES_A_SHARD", size)
    value = {"name": "x", "sources": [{"kind": "images", "path": "/", "name": "s"}], "tile": {"size": 64}}
    return plan_tile(Recipe.model_validate(value), work, work, [scenes]).jobs


def test_jobs_cut_what_was_planned_however_it_is_divided(
    scenes: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job counts the windows of its scenes again: shards of any size hold the same tiles, each once, in order."""
    found = []
    for size in (1, 4, 256):
        jobs = plan_shards(scenes, tmp_path, size, monkeypatch)
        assert len({job.key for job in jobs}) == len(jobs)
        ids = []
        for job in jobs:
            manifest = job.run(lambda _: None, {})
            assert manifest.counts.planned == manifest.counts.written <= size
            rows = ShardFiles(WorkFolder(tmp_path).stage("tile"), job.name).rows
            ids += pq.read_table(rows, columns=["id"])["id"].to_pylist()
        found.append(ids)
    assert len(found[0]) == len(set(found[0])) == 4 + 9
    assert found[0] == found[1] == found[2]


def test_a_unit_that_killed_a_worker_costs_what_it_holds_of_its_scene(
    scenes: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = plan_shards(scenes, tmp_path, 7, monkeypatch)
    ticks: list[int] = []
    manifest = first.run(ticks.append, {2: "killed"})
    assert ticks == [0, 1, 2]
    assert (manifest.counts.planned, manifest.counts.written, manifest.counts.failed) == (7, 2, 5)
    manifest = second.run(ticks.append, {0: "killed"})
    assert (manifest.counts.planned, manifest.counts.written, manifest.counts.failed) == (6, 2, 4)


def test_counts_are_remembered_within_bounds(
    scenes: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("earthloom.run.plan._MAX_KNOWN", 1)
    known: dict[Shape, int] = {}
    rows = ShardFiles(WorkFolder(tmp_path).stage("ingest"), scenes.name).rows
    assert count_scene_windows(rows, TileSettings(size=64), known) == [1, 1, 9, 1, 1]
    assert len(known) == 1


def test_a_changed_file_changes_what_the_key_is_made_of() -> None:
    part = Part(uri="/a", size=3, mtime_ns=5, within=ByteRange(offset=0, size=3))
    item = Item(key="a", parts=(part,))
    for other in (
        Item(key="a", parts=(Part(uri="/a", size=4, mtime_ns=5, within=part.within),)),
        Item(key="a", parts=(Part(uri="/a", size=3, mtime_ns=6, within=part.within),)),
        Item(key="a", parts=(Part(uri="/a", size=3, mtime_ns=5, within=ByteRange(offset=1, size=3)),)),
        Item(key="a", parts=(part,), refused=Reason.UNSAFE_PATH),
        Item(key="b", parts=(part,)),
    ):
        assert _describe(other) != _describe(item)
    assert _describe(Item(key="a", parts=(part,))) == _describe(item)


def test_slow_items_come_in_small_shards() -> None:
    path = str(Path())
    sizes = [
        AtlasEntry(kind="atlas").items_a_shard,
        GeotiffEntry(kind="geotiff", path=path).items_a_shard,
        ImagesEntry(kind="images", path=path).items_a_shard,
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
