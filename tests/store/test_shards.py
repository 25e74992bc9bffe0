import json
import os
import resource
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from earthloom.core.errors import WriteError
from earthloom.core.records import Caption, Captioned, Crop, Failed, Reason, Refused, Stretch, Tile, Verdict
from earthloom.store.layout import ShardFiles, WorkFolder
from earthloom.store.shards import ROW_GROUP, Counts, Manifest, ShardWriter, file_sizes, read_manifest
from earthloom.store.tables import read_records


def _tile(i: int, size: int = 1000) -> Tile:
    return Tile(
        id=f"{i:024d}",
        scene_id="s",
        base_id="b",
        pair_id="p",
        crop=Crop(col=0, row=0, width=512, height=512),
        width=512,
        height=512,
        native_gsd_m=None,
        gsd_m=None,
        pixel_m=None,
        valid_share=1.0,
        lon=None,
        lat=None,
        footprint=None,
        stretch=Stretch(method="none", low=(), high=()),
        labels=(),
        image=os.urandom(size),
        media="jpg",
        valid_mask=None,
        class_mask=None,
        sha256="",
    )


def _write(files: ShardFiles, n: int, key: str = "k") -> Manifest:
    writer = ShardWriter(files, Tile, stage="tile", key=key)
    with writer:
        for i in range(n):
            writer.counts.planned += 1
            writer.counts.written += 1
            writer.write(_tile(i))
    return writer.finish()


def test_rows_refusals_failures_and_counts_come_back(tmp_path: Path) -> None:
    files = ShardFiles(tmp_path, "a-000000")
    writer = ShardWriter(files, Verdict, stage="curate", key="k")
    refused = Refused(id="r", key="s:x", reason=Reason.FLAT, detail="one value", n=3)
    failed = Failed(id="f", key="s:y", traceback="Traceback ...", n=2)
    with writer:
        writer.counts.planned = 6
        writer.write(Verdict(id="a", split="train"))
        writer.counts.written += 1
        writer.refuse(refused)
        writer.fail(failed)
        assert not files.rows.exists()
    manifest = writer.finish()
    assert read_records(files.rows, Verdict) == [Verdict(id="a", split="train")]
    assert read_records(files.refused, Refused) == [refused]
    assert read_records(files.failed, Failed) == [failed]
    assert manifest.counts == Counts(planned=6, written=1, refused={"flat": 3}, failed=2, records=1)
    assert manifest.counts.adds_up
    assert read_manifest(files.manifest, "k") == manifest
    assert read_manifest(files.manifest, "other") is None


def test_pixels_are_stored_as_they_are_and_facts_are_compressed(tmp_path: Path) -> None:
    files = ShardFiles(tmp_path, "a")
    _write(files, ROW_GROUP + 1)
    with pq.ParquetFile(files.rows) as file:
        assert file.num_row_groups == 2
        group = file.metadata.row_group(0)
        columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert columns["image"].compression == "UNCOMPRESSED"
    assert (
        columns["image"].encodings == ("PLAIN", "RLE") or "RLE_DICTIONARY" not in columns["image"].encodings
    )
    assert not columns["image"].is_stats_set
    assert columns["id"].compression == "ZSTD"
    assert columns["stretch.low.list.element"].compression == "ZSTD"


def test_large_pictures_make_small_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("earthloom.store.shards.ROW_GROUP_BYTES", 3500)
    files = ShardFiles(tmp_path, "a")
    _write(files, 10)  # of 1,000 bytes each
    with pq.ParquetFile(files.rows) as file:
        assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [4, 4, 2]


def test_equal_records_give_equal_bytes(tmp_path: Path) -> None:
    rows = [
        Captioned(id=str(i), captions=(Caption(text="é", style="s", role="r", author="a"),))
        for i in range(99)
    ]
    contents = []
    for name in "ab":
        writer = ShardWriter(ShardFiles(tmp_path, name), Captioned, stage="caption", key="k")
        with writer:
            for row in rows:
                writer.write(row)
        writer.finish()
        contents.append((tmp_path / f"{name}.parquet").read_bytes())
    assert contents[0] == contents[1]


def test_a_shard_without_its_files_at_full_length_does_not_exist(tmp_path: Path) -> None:
    files = ShardFiles(tmp_path, "a")
    manifest = _write(files, 3)
    assert read_manifest(files.manifest, "k") == manifest
    os.truncate(files.rows, files.rows.stat().st_size - 1)
    assert read_manifest(files.manifest, "k") is None
    _write(files, 3)
    files.rows.unlink()
    assert read_manifest(files.manifest, "k") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stage": "tile"}', '{"counts": {}}'])
def test_a_broken_manifest_is_no_manifest(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert read_manifest(path, "k") is None


def test_starting_again_takes_the_manifest_away_first(tmp_path: Path) -> None:
    files = ShardFiles(tmp_path, "a")
    _write(files, 3)
    writer = ShardWriter(files, Tile, stage="tile", key="k")
    with pytest.raises(ZeroDivisionError), writer:
        assert not files.manifest.exists()
        raise ZeroDivisionError
    assert read_manifest(files.manifest, "k") is None
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_refusals_of_an_earlier_try_do_not_stay(tmp_path: Path) -> None:
    files = ShardFiles(tmp_path, "a")
    writer = ShardWriter(files, Verdict, stage="curate", key="k")
    with writer:
        writer.refuse(Refused(id="r", key="s", reason=Reason.FLAT, detail=""))
    writer.finish()
    assert files.refused.exists()
    _write(files, 1)
    assert not files.refused.exists()


@pytest.mark.parametrize("n", [10, ROW_GROUP + 10])
def test_a_failed_write_is_one_clear_error_and_leaves_nothing(tmp_path: Path, n: int) -> None:
    files = ShardFiles(tmp_path, "a")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(WriteError, match=r"Could not write .*a\.parquet"):
            _write(files, n)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
    assert _write(files, n).counts.written == n


def test_file_sizes_are_named_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "y").write_bytes(b"123")
    assert file_sizes([tmp_path / "y"], tmp_path / "x") == {"../y": 3}


def test_counts_that_do_not_add_up_say_so() -> None:
    counts = Counts(planned=5, written=3, refused={"flat": 1})
    assert not counts.adds_up
    counts.add(Counts(planned=1, written=1, refused={"flat": 1, "empty": 0}))
    assert counts.adds_up
    assert list(counts.to_json()["refused"]) == ["empty", "flat"]


def test_the_work_folder_is_laid_out_as_documented(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path)
    names = [work.stage(stage).name for stage in ("ingest", "tile", "caption", "curate", "export")]
    assert names == sorted(names) == ["01-ingest", "02-tile", "04-caption", "06-curate", "07-export"]
    assert work.release.name == "release"
    assert json.loads(json.dumps(str(work.assets))).endswith("01-ingest/assets")
