"""Release shards: planned completely, written whole or not at all, the same bytes every time."""

from __future__ import annotations

import errno
import hashlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from release_inputs import expected_pairs, make_inputs, write_release

from earthloom.core.errors import WriteError
from earthloom.core.records import Modality
from earthloom.export import ExportSettings, TileShard, split_plan, write_release_shard
from earthloom.export.shards import ROWS
from earthloom.export.webdataset import TarSink

KINDS = [(split, modality) for split in ("train", "val", "test") for modality in ("rgb", "nir", "sar")]


def make_plan_input(name: int, pairs: dict[tuple[str, str], int]) -> TileShard:
    return TileShard(
        tiles=f"t{name}", captions=f"c{name}", verdicts=f"v{name}", scenes=(f"s{name}",), pairs=pairs
    )


@given(
    counts=st.lists(st.dictionaries(st.sampled_from(KINDS), st.integers(0, 40)), max_size=6),
    size=st.integers(1, 30),
)
def test_plan_takes_every_pair_once_and_in_order(counts: list[dict[tuple[str, str], int]], size: int) -> None:
    inputs = [make_plan_input(i, pairs) for i, pairs in enumerate(counts)]
    plan = split_plan(inputs, ExportSettings(shard_pairs=size))
    for kind in KINDS:
        shards = [shard for shard in plan if (shard.split, shard.modality) == kind]
        assert [shard.index for shard in shards] == list(range(len(shards)))
        assert all(shard.n_pairs == size for shard in shards[:-1])
        assert all(0 < shard.n_pairs <= size for shard in shards[-1:])
        taken = [
            (segment.tiles, segment.skip + i)
            for shard in shards
            for segment in shard.segments
            for i in range(segment.take)
        ]
        assert taken == [(f"t{i}", j) for i, pairs in enumerate(counts) for j in range(pairs.get(kind, 0))]


def test_plan_of_nothing_is_empty() -> None:
    assert split_plan([], ExportSettings()) == []
    assert split_plan([make_plan_input(0, {("train", "rgb"): 0})], ExportSettings()) == []


def test_names_sort_by_split_modality_and_number() -> None:
    plan = split_plan([make_plan_input(0, dict.fromkeys(KINDS, 3))], ExportSettings(shard_pairs=2))
    assert [shard.stem for shard in plan[:3]] == ["train-rgb-00000", "train-rgb-00001", "train-nir-00000"]
    assert len({shard.stem for shard in plan}) == len(plan) == 18


def test_files_and_counts(tmp_path: Path) -> None:
    inputs = make_inputs(6, 5)
    settings = ExportSettings(shard_pairs=7)
    plan = split_plan([inputs.write(tmp_path)], settings)
    written = {shard.stem: write_release_shard(shard, tmp_path / "data", settings) for shard in plan}
    assert written == {shard.stem: shard.n_pairs for shard in plan}
    assert sum(written.values()) == len(expected_pairs(inputs)) == 90
    assert {path.name for path in (tmp_path / "data").iterdir()} == {
        f"{stem}{suffix}" for stem in written for suffix in (".tar", ".parquet")
    }


@pytest.mark.parametrize(("form", "suffix"), [("parquet", ".parquet"), ("webdataset", ".tar")])
def test_one_form_alone(tmp_path: Path, form: str, suffix: str) -> None:
    both = write_release(tmp_path / "both", make_inputs(3, 2))
    one = write_release(tmp_path / "one", make_inputs(3, 2), formats=(form,))
    names = sorted(path.name for path in (one / "data").iterdir())
    assert names == sorted(path.name for path in (both / "data").iterdir() if path.suffix == suffix)
    assert all((one / "data" / name).read_bytes() == (both / "data" / name).read_bytes() for name in names)


def test_a_split_without_pairs_has_no_files(tmp_path: Path) -> None:
    release = write_release(tmp_path, make_inputs(4, 2, splits=("train", "test")))
    assert {path.name.split("-")[0] for path in (release / "data").iterdir()} == {"train", "test"}


def hash_files(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_equal_records_give_equal_bytes_wherever_they_lie(tmp_path: Path) -> None:
    first = write_release(tmp_path / "here", make_inputs(6, 4), shard_pairs=9)
    second = write_release(tmp_path / "some where/else", make_inputs(6, 4), shard_pairs=9)
    assert hash_files(first / "data") == hash_files(second / "data")


def test_no_path_of_this_machine_reaches_a_release(tmp_path: Path) -> None:
    release = write_release(tmp_path, make_inputs(3, 2))
    for path in (release / "data").iterdir():
        content = path.read_bytes()
        assert str(tmp_path).encode() not in content
        assert b"/data/field" not in content


def test_row_groups_hold_a_hundred_pairs(tmp_path: Path) -> None:
    release = write_release(tmp_path, make_inputs(10, 25, (Modality.RGB,), ("train",), side=4))
    with pq.ParquetFile(release / "data" / "train-rgb-00000.parquet") as file:
        rows = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert rows == [ROWS, ROWS, 50]


def test_a_full_disk_leaves_nothing_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ExportSettings()
    shard = split_plan([make_inputs(3, 2).write(tmp_path)], settings)[0]

    def fail(_: TarSink, __: pa.Table) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(TarSink, "write", fail)
        with pytest.raises(WriteError, match="disk is full"):
            write_release_shard(shard, tmp_path / "data", settings)
    assert list((tmp_path / "data").iterdir()) == []
    assert write_release_shard(shard, tmp_path / "data", settings) == shard.n_pairs


def test_memory_is_bounded_by_row_groups(tmp_path: Path) -> None:
    """2,000 pairs of 130 KB are 260 MB; at most a few row groups of them may be in memory at once."""
    script = f"""
    import dataclasses, resource, sys
    from pathlib import Path
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    import numpy as np
    from release_inputs import make_inputs
    from earthloom.core.records import Modality
    from earthloom.export import ExportSettings, split_plan, write_release_shard

    root = Path({str(tmp_path)!r})
    inputs = make_inputs(20, 100, (Modality.RGB,), ("train",), side=4)
    blob = np.random.default_rng(0).bytes(130_000)
    inputs.tiles = [dataclasses.replace(tile, image=blob) for tile in inputs.tiles]
    settings = ExportSettings(shard_pairs=2000)
    shard, = split_plan([inputs.write(root)], settings)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert write_release_shard(shard, root / "data", settings) == 2000
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 110, f"the shard took {done.stdout.strip()} MB more than its inputs"
    assert (tmp_path / "data" / "train-rgb-00000.tar").stat().st_size > 260e6
