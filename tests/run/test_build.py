"""The main job from recipe to release, on small made sources."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin

import earthloom
from earthloom.core.errors import LockedError, RecipeError, UsageError, WriteError
from earthloom.recipes import parse_recipe
from earthloom.run.build import build, lock_folder
from earthloom.run.progress import Silence
from earthloom.run.recipe import Recipe
from earthloom.store.layout import WorkFolder

RECIPE = """\
name: made
sources:
  - {kind: geotiff, path: rasters, bands: {rgb: [1, 2, 3], nir: [4]}, date: '_(\\d{8})\\.tif$', platform: NAIP}
  - {kind: images, path: chips, classes: true, gsd_m: 10, tile: {fit: whole}}
  - {kind: atlas, scenes: 1, size: 256, gsd_m: 5}
tile: {size: 128}
curate: {seed: 3}
export: {shard_pairs: 20}
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three rasters of four bands, forty chips in two classes, two files that are no images."""
    folder = tmp_path_factory.mktemp("sources")
    rng = np.random.default_rng(5)
    (folder / "rasters").mkdir()
    for year in (2015, 2017, 2019):
        path = folder / "rasters" / f"m_{year}0701.tif"
        profile = {
            "width": 300,
            "height": 280,
            "count": 4,
            "dtype": "uint8",
            "crs": "EPSG:26914",
            "driver": "GTiff",
        }
        with rasterio.open(path, "w", transform=from_origin(485900, 5209247, 5, 5), **profile) as file:
            file.write(rng.integers(1, 255, (4, 280, 300), dtype=np.uint8))
    for name in ("SeaLake", "Forest"):
        (folder / "chips" / name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "chips" / name / f"{name}_{i}.png")
    (folder / "chips" / "Forest" / "empty.jpg").touch()
    (folder / "chips" / "Forest" / "text.png").write_text("no image")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def recipe(sources: Path) -> Recipe:
    return parse_recipe(RECIPE, base=sources)


@pytest.fixture(scope="module")
def built(
    sources: Path, recipe: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, earthloom.Summary]:
    work = tmp_path_factory.mktemp("work")
    return work, build(recipe, work, base=sources, workers=0)


def hash_tree(folder: Path) -> dict[str, str]:
    """Relative path to SHA-256 of every file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_summary_adds_up_and_lies_in_run_json(built: tuple[Path, earthloom.Summary]) -> None:
    work, summary = built
    value = json.loads((work / "run.json").read_text())
    counts = value["counts"]
    assert counts["in"] == 3 + 42 + 1
    assert counts["stages"]["ingest"]["refused"] == {"empty": 1, "not_an_image": 1}
    # 300 x 280 gives 3 x 3 shifted windows in each of RGB and NIR; a chip one tile; the atlas 2 x 2 in 3 modalities.
    assert counts["stages"]["tile"]["planned"] == 3 * 2 * 9 + 40 + 3 * 4
    assert counts["out"] == summary.n_out == counts["stages"]["tile"]["written"]
    for stage in counts["stages"].values():
        assert stage["planned"] == stage["written"] + sum(stage["refused"].values()) + stage["failed"]
    assert counts["failed"] == 0


def test_the_release_holds_what_the_summary_says(built: tuple[Path, earthloom.Summary]) -> None:
    work, summary = built
    table = duckdb.sql(f"select * from '{work}/release/data/*.parquet'")
    rows = table.fetchall()
    names = table.columns
    assert len(rows) == summary.n_out
    assert len({row[names.index("id")] for row in rows}) == len(rows)
    groups: dict[str, set[str]] = {}
    for row in rows:
        groups.setdefault(row[names.index("group")], set()).add(row[names.index("split")])
    assert all(len(splits) == 1 for splits in groups.values())
    assert {row[names.index("acquired")] for row in rows if row[names.index("source")] == "rasters"} == {
        "2015-07-01",
        "2017-07-01",
        "2019-07-01",
    }
    refused = pq.read_table(work / "release" / "refused.parquet").to_pylist()
    assert sorted((row["stage"], row["reason"]) for row in refused) == [
        ("ingest", "empty"),
        ("ingest", "not_an_image"),
    ]
    assert str(work) not in json.dumps(refused, default=str)


def test_nothing_in_a_release_names_the_machine(built: tuple[Path, earthloom.Summary], sources: Path) -> None:
    work, _ = built
    for path in (work / "release").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert str(sources).encode() not in data, path
            assert str(work).encode() not in data, path


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_gives_the_same_bytes(
    built: tuple[Path, earthloom.Summary], sources: Path, recipe: Recipe, workers: int, tmp_path: Path
) -> None:
    build(recipe, tmp_path, base=sources, workers=workers)
    assert hash_tree(tmp_path / "release") == hash_tree(built[0] / "release")


def test_a_second_run_does_nothing_twice(sources: Path, recipe: Recipe, tmp_path: Path) -> None:
    build(recipe, tmp_path, base=sources, workers=0)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("0*/*")}
    again = build(recipe, tmp_path, base=sources, workers=0)
    assert all(stage.n_reused == stage.n_shards for stage in again.stages.values())
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("0*/*")} == before


def test_a_changed_setting_makes_its_stage_and_the_later_ones_stale(
    sources: Path, recipe: Recipe, tmp_path: Path
) -> None:
    build(recipe, tmp_path, base=sources, workers=0)
    order = ["ingest", "tile", "caption", "curate", "export"]
    changes = {
        "tile": {"tile": recipe.tile.model_copy(update={"min_valid": 0.5})},
        "caption": {"caption": recipe.caption.model_copy(update={"per_image": 2})},
        "curate": {"curate": recipe.curate.model_copy(update={"seed": 4})},
        "export": {"export": recipe.export.model_copy(update={"shard_pairs": 30})},
    }
    changed = recipe
    for stage in reversed(changes):
        changed = changed.model_copy(update=changes[stage])
        summary = build(changed, tmp_path, base=sources, workers=0)
        reused = [name for name in order if summary.stages[name].n_reused == summary.stages[name].n_shards]
        assert reused == order[: order.index(stage)]
    total = duckdb.sql(f"select count(*) from '{tmp_path}/release/data/*.parquet'").fetchall()
    assert total == [(summary.n_out,)]


def test_a_new_file_is_noticed(sources: Path, tmp_path: Path) -> None:
    chips = tmp_path / "chips"
    chips.mkdir()
    Image.fromarray(np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)).save(chips / "a.png")
    recipe = parse_recipe(
        "name: x\nsources: [{kind: images, path: chips}]\ntile: {size: 64}\n", base=tmp_path
    )
    assert build(recipe, tmp_path / "w", base=tmp_path, workers=0).n_out == 1
    Image.fromarray(np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)[::-1]).save(chips / "b.png")
    assert build(recipe, tmp_path / "w", base=tmp_path, workers=0).n_out == 2
    (chips / "a.png").unlink()
    summary = build(recipe, tmp_path / "w", base=tmp_path, workers=0)
    assert (summary.n_in, summary.n_out) == (1, 1)


def test_a_missing_path_is_a_fault_before_any_work(tmp_path: Path) -> None:
    recipe = Recipe.model_validate({"name": "x", "sources": [{"kind": "images", "path": "nowhere"}]})
    with pytest.raises(RecipeError, match=r"sources\[0\].path: there is no .*nowhere"):
        build(recipe, tmp_path / "w", base=tmp_path, workers=0)
    assert not (tmp_path / "w").exists()


def test_sources_without_anything_to_read_are_faults_before_any_work(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    text = "name: x\nsources: [{kind: atlas}, {kind: images, path: a}, {kind: geotiff, path: b}]\n"
    with pytest.raises(RecipeError) as caught:
        build(parse_recipe(text, base=tmp_path), tmp_path / "w", base=tmp_path, workers=0)
    assert [fault.place for fault in caught.value.faults] == ["sources[1]", "sources[2]"]
    assert not (tmp_path / "w").exists()


def test_a_work_folder_inside_a_source_is_refused(recipe: Recipe, sources: Path) -> None:
    with pytest.raises(UsageError, match="lies inside the source"):
        build(recipe, sources / "chips" / "w", base=sources, workers=0)
    assert not (sources / "chips" / "w").exists()


def test_two_runs_do_not_share_a_folder(recipe: Recipe, sources: Path, tmp_path: Path) -> None:
    with lock_folder(WorkFolder(tmp_path)), pytest.raises(LockedError, match="Another run works in"):
        build(recipe, tmp_path, base=sources, workers=0)


def test_a_full_disk_ends_the_run_and_a_later_one_completes_it(
    built: tuple[Path, earthloom.Summary], sources: Path, recipe: Recipe, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
    try:
        with pytest.raises(WriteError, match="run the same command again"):
            build(recipe, tmp_path, base=sources, workers=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.rglob("*.part"))
    build(recipe, tmp_path, base=sources, workers=0)
    assert hash_tree(tmp_path / "release") == hash_tree(built[0] / "release")


def _start(sources: Path, work: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "earthloom",
        "build",
        str(sources / "recipe.yaml"),
        "-o",
        str(work),
        "-w",
        "2",
    ]
    pipe = subprocess.PIPE
    ready = _hear_interrupts
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=ready)  # noqa: PLW1509


def _hear_interrupts() -> None:
    """A job that a shell puts into the background ignores SIGINT, and so do its children unless told otherwise."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait_for(path: Path, pattern: str, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not list(path.glob(pattern)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_cleanly_and_the_next_goes_on(
    built: tuple[Path, earthloom.Summary], sources: Path, tmp_path: Path, number: signal.Signals
) -> None:
    process = _start(sources, tmp_path)
    _wait_for(tmp_path, "01-ingest/*.json", process)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1, (out, err)
    assert "run the same command again" in err
    assert "Traceback" not in err
    assert not list(tmp_path.rglob("*.part"))
    again = _start(sources, tmp_path)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert hash_tree(tmp_path / "release") == hash_tree(built[0] / "release")


@pytest.mark.parametrize("limit", [3_000, 30_000, 80_000, 150_000, 250_000])
def test_a_limit_at_any_size_never_passes_for_a_fault_of_the_records(
    sources: Path, recipe: Recipe, tmp_path: Path, limit: int
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(WriteError):
            build(recipe, tmp_path, base=sources, workers=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.rglob("*.failed.parquet"))


@pytest.mark.slow
def test_twenty_kills_leave_the_same_bytes_as_none(
    built: tuple[Path, earthloom.Summary], sources: Path, tmp_path: Path
) -> None:
    wanted = hash_tree(built[0] / "release")
    rng = np.random.default_rng(2026)
    kills = finished = 0
    work = tmp_path / "0"
    while kills < 20:
        process = _start(sources, work)
        try:
            out, err = process.communicate(timeout=float(rng.uniform(0.3, 3.5)))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, (out, err)
        assert hash_tree(work / "release") == wanted
        finished += 1
        work = tmp_path / str(finished)
    last = _start(sources, work)
    out, err = last.communicate(timeout=120)
    assert last.returncode == 0, (out, err)
    assert hash_tree(work / "release") == wanted


def test_an_empty_release_says_so(tmp_path: Path) -> None:
    (tmp_path / "chips").mkdir()
    (tmp_path / "chips" / "a.png").touch()
    recipe = parse_recipe("name: x\nsources: [{kind: images, path: chips}]\n", base=tmp_path)
    summary = build(recipe, tmp_path / "w", base=tmp_path, workers=0, listener=Silence())
    assert (summary.n_in, summary.n_out) == (1, 0)
    assert summary.refused == {"empty": 1}
