"""Parquet and image folders as `datasets` writes and reads them."""

from __future__ import annotations

import gc
import hashlib
import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_contents import Contents, read_dataset, select
from fakes.released_gaia import write_csv
from fakes.released_pictures import decode, encode, serve_faults
from loopback_server import Loopback

import earthloom
from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Part, Reason
from earthloom.ingest.released.tables import read_row
from earthloom.recipes import parse_recipe

CLASSES = ["Forest", "SeaLake"]


def contents(path: Path, **settings: object) -> Contents:
    return read_dataset("parquet", path, **settings)


def pixels_of(path: str) -> bytes:
    return Path(path).read_bytes()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Six rows in two row groups, as `datasets` writes a split with images and class labels."""
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=CLASSES),
            "text": datasets.Value("string"),
            "lat": datasets.Value("float32"),
            "lon": datasets.Value("float32"),
        }
    )
    rows: dict[str, list[Any]] = {
        "image": [{"bytes": encode(i), "path": f"{i}.png"} for i in range(6)],
        "label": [i % 2 for i in range(6)],
        "text": [f"Text {i}." for i in range(6)],
        "lat": [float(i) for i in range(6)],
        "lon": [None, 1.0, 2.0, 3.0, 4.0, 5.0],
    }
    rows["lat"][0] = None
    path = tmp_path / "d" / "test-00000-of-00001.parquet"
    path.parent.mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(path), batch_size=4)
    return path


def test_what_datasets_writes(written: Path) -> None:
    found = contents(written.parent)
    assert found.refused == {}
    scenes = found.alone()
    assert list(scenes) == [f"test-00000-of-00001.parquet#{i}" for i in range(6)]
    for i, scene in enumerate(scenes.values()):
        assert pixels_of(scene.bands[0].uri) == encode(i)
        assert [text.text for text in scene.texts] == [f"Text {i}."]
        assert [label.name for label in scene.labels] == [("forest", "sea lake")[i % 2]]
        assert (scene.lon, scene.lat) == ((None, None) if i == 0 else (i, i))
        assert scene.published_split == "test"


def test_rows_are_read_in_any_order(written: Path) -> None:
    status = written.stat()
    part = Part(uri=str(written), size=status.st_size, mtime_ns=status.st_mtime_ns)
    for number in (5, 0, 3, 4, 1, 1, 2):
        assert read_row(part, number)["text"] == f"Text {number}."
    with pytest.raises(RecordError, match="row 6"):
        read_row(part, 6)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_a_column_of_bytes(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table(
        {"jpg": pa.array([encode(0), None, b"", b"no picture"], kind), "id": ["a", "b", "c", "d"]}
    )
    pq.write_table(table, tmp_path / "x.parquet")
    found = contents(tmp_path / "x.parquet", fields={"image": "jpg"})
    assert list(found.scenes) == ["x.parquet#a"]
    assert found.refused == {
        "x.parquet#b": Reason.MISSING,
        "x.parquet#c": Reason.EMPTY,
        "x.parquet#d": Reason.NOT_AN_IMAGE,
    }


def test_ids_are_keys_and_equal_ones_are_told_apart(tmp_path: Path) -> None:
    ids = ["a", "b", "a", None]
    pq.write_table(pa.table({"image": [encode(i) for i in range(4)], "id": ids}), tmp_path / "x.parquet")
    found = contents(tmp_path / "x.parquet")
    assert list(found.scenes) == ["x.parquet#a", "x.parquet#b", "x.parquet#a-2", "x.parquet#3"]
    assert found.refused == {}


def test_a_column_of_paths(tmp_path: Path) -> None:
    (tmp_path / "p/sub").mkdir(parents=True)
    (tmp_path / "p/sub/a.png").write_bytes(encode(0))
    table = pa.table({"file_name": ["sub/a.png", "gone.png", "../x.png", None], "caption": ["x"] * 4})
    pq.write_table(table, tmp_path / "p/t.parquet")
    for settings in ({}, {"images": "p"}):
        found = (
            contents(tmp_path / "p/t.parquet", **settings)
            if not settings
            else contents(tmp_path / "p", images="p")
        )
        assert list(found.scenes) == ["t.parquet#0"]
        reasons = [Reason.MISSING, Reason.UNSAFE_PATH, Reason.MISSING]
        assert list(found.refused.values()) == reasons


def test_damaged_files_are_named(written: Path) -> None:
    (written.parent / "cut.parquet").write_bytes(written.read_bytes()[:-50])
    (written.parent / "other.parquet").write_bytes(b"")
    pq.write_table(pa.table({"x": [1]}), written.parent / "z.parquet")
    found = contents(written.parent)
    assert len(found.scenes) == 6
    assert found.refused == {
        "cut.parquet": Reason.UNREADABLE,
        "other.parquet": Reason.UNREADABLE,
        "z.parquet": Reason.BAD_FACTS,
    }
    with pytest.raises(UsageError, match=r"it has x\. `fields"):
        contents(written.parent / "z.parquet")


def test_damage_within_a_row_group_costs_its_rows(written: Path) -> None:
    data = bytearray(written.read_bytes())
    column = pq.ParquetFile(written).metadata.row_group(1).column(0)
    middle = column.data_page_offset + column.total_compressed_size // 2
    data[column.data_page_offset : middle] = bytes(middle - column.data_page_offset)
    written.write_bytes(data)
    found = contents(written)
    assert len(found.scenes) == 4
    assert list(found.refused.values()) == [Reason.UNREADABLE] * 2


def test_urls_through_a_build(tmp_path: Path, loopback: Loopback) -> None:
    faults = serve_faults(loopback)
    urls = [loopback.put("/0.png", encode(0)), loopback.put("/1.png", encode(1)), *faults.values(), None]
    captions = [["One.", "Two."]] * len(urls)
    pq.write_table(pa.table({"link": urls, "captions": captions}), tmp_path / "t.parquet")
    text = """\
name: urls
sources:
  - {kind: parquet, path: t.parquet, fields: {url: link}, net: {allow_private: true, tries: 1, interval_s: 0}}
tile: {size: 64, encoding: {rgb: png}}
export: {formats: [parquet], report: false}
"""
    summary = earthloom.build(parse_recipe(text, base=tmp_path), tmp_path / "w", base=tmp_path, workers=0)
    assert summary.stages["ingest"].counts.refused == dict.fromkeys(faults, 1) | {"missing": 2}
    rows = select(tmp_path / "w", "image.bytes, captions", "order by source_key")
    assert [(decode(data) == decode(encode(i))).all() for i, (data, _) in enumerate(rows)] == [True, True]
    assert [c["text"] for c in rows[0][1] if c["style"] == "source"] == ["One.", "Two."]


def test_bytes_through_a_build_are_kept_once(written: Path, tmp_path: Path) -> None:
    text = """\
name: bytes
sources: [{kind: parquet, path: d, name: one}, {kind: parquet, path: d/*.parquet, name: two}]
tile: {size: 64, encoding: {rgb: png}}
export: {formats: [parquet], report: false}
"""
    summary = earthloom.build(parse_recipe(text, base=tmp_path), tmp_path / "w", base=tmp_path, workers=2)
    assert summary.n_out == 12
    kept = [path for path in (tmp_path / "w").rglob("released/*/*") if path.is_file()]
    assert {path.stem for path in kept} == {hashlib.sha256(encode(i)).hexdigest() for i in range(6)}
    assert len(kept) == 6


def folder(path: Path, **settings: object) -> Contents:
    return read_dataset("imagefolder", path, **settings)


def write_pictures(top: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(encode(number))


ROWS: list[dict[str, Any]] = [
    {"file_name": "1.png", "text": "A lake, blue.", "gsd_m": 0.5, "lon": 5.5, "lat": 50.5},
    {"file_name": "deep/2.png", "text": "A\nriver.", "gsd_m": 1.0, "lon": "", "lat": ""},
]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # `datasets` leaves CSV files open
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_metadata_is_what_datasets_reads(tmp_path: Path, form: str) -> None:
    top = tmp_path / "f"
    write_pictures(top, "train/1.png", "train/deep/2.png", "validation/1.png")
    for split in ("train", "validation"):
        rows = ROWS if split == "train" else [{**ROWS[0], "text": "Another."}]
        if form == "csv":
            write_csv(top / split / "metadata.csv", rows)
        else:
            plain = [{name: value for name, value in row.items() if value != ""} for row in rows]
            (top / split / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in plain))
    scenes = folder(top).alone()
    assert list(scenes) == ["train/1.png", "train/deep/2.png", "validation/1.png"]
    truth = datasets.load_dataset("imagefolder", data_dir=str(top), cache_dir=str(tmp_path / "cache"))
    theirs = {(split, text) for split in truth for text in truth[split]["text"]}
    del truth
    gc.collect()  # the files are closed here, within the test that ignores it, and not in one that comes later
    ours = {
        ({"val": "validation"}.get(str(scene.published_split), scene.published_split), scene.texts[0].text)
        for scene in scenes.values()
    }
    assert ours == theirs
    first = scenes["train/1.png"]
    assert (first.gsd_x_m, first.lon, first.lat, first.labels) == (0.5, 5.5, 50.5, ())
    assert scenes["train/deep/2.png"].lon is None


def test_folders_are_classes_where_there_is_no_metadata(tmp_path: Path) -> None:
    top = tmp_path / "f"
    write_pictures(top, "train/SeaLake/1.png", "train/Forest/1.png", "test/SeaLake/2.png", "train/0.png")
    scenes = folder(top).alone()
    assert {key: [label.name for label in scene.labels] for key, scene in scenes.items()} == {
        "train/SeaLake/1.png": ["sea lake"],
        "train/Forest/1.png": ["forest"],
        "test/SeaLake/2.png": ["sea lake"],
        "train/0.png": [],
    }
    assert scenes["test/SeaLake/2.png"].published_split == "test"
    assert all(not scene.labels for scene in folder(top, classes=False).alone().values())


def test_bad_rows_of_a_folder_cost_their_pictures(tmp_path: Path) -> None:
    top = tmp_path / "f"
    write_pictures(top, "1.png", "2.png", "3.png")
    lines = [
        '{"file_name": "1.png", "text": "fine"}',
        '{"file_name": "2.png", "text": "oops',
        '{"text": "whose?"}',
    ]
    (top / "metadata.jsonl").write_text("\n".join(lines))
    (top / "more.zip").write_bytes(b"PK")
    (top / "metadata.parquet").write_bytes(b"PAR1")
    found = folder(top)
    assert {key: len(scene.texts) for key, scene in found.alone().items()} == {"1.png": 1, "3.png": 0}
    assert found.refused == {
        "2.png": Reason.BAD_FACTS,
        "metadata.jsonl:3": Reason.BAD_FACTS,
        "more.zip": Reason.UNREADABLE,
        "metadata.parquet": Reason.UNREADABLE,
    }
    lines = [
        json.dumps({"file_name": "1.png", "text": text, "gsd_m": gsd_m})
        for text, gsd_m in (("a", 1), ("b", 1))
    ]
    (top / "metadata.jsonl").write_text("\n".join(lines))
    assert [text.text for text in folder(top).alone()["1.png"].texts] == ["a", "b"]
    (top / "metadata.jsonl").write_text("\n".join([*lines, lines[0].replace("1}", "2}")]))
    assert "an earlier row of this picture says 1.0" in folder(top).details["1.png"]
    with pytest.raises(UsageError, match="no pictures"):
        (tmp_path / "empty").mkdir()
        folder(tmp_path / "empty")


def test_an_image_folder_through_a_build(tmp_path: Path) -> None:
    write_pictures(tmp_path / "f", "train/1.png", "train/deep/2.png")
    write_csv(tmp_path / "f/train/metadata.csv", ROWS)
    text = "name: f\nsources: [{kind: imagefolder, path: f}]\ntile: {size: 64}\nexport: {report: false}\n"
    recipe = parse_recipe(text, base=tmp_path)
    earthloom.build(recipe, tmp_path / "w", base=tmp_path, workers=0)
    columns = "published_split, gsd_m, captions"
    rows = select(tmp_path / "w", columns, "order by source_key")
    assert [(split, gsd_m) for split, gsd_m, _ in rows] == [("train", 0.5), ("train", 1.0)]
    write_csv(tmp_path / "f/train/metadata.csv", [{**row, "text": "Changed."} for row in ROWS])
    earthloom.build(recipe, tmp_path / "w", base=tmp_path, workers=0)
    for _, _, captions in select(tmp_path / "w", columns):
        assert [c["text"] for c in captions if c["style"] == "source"] == ["Changed."]
