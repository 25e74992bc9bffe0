"""Samples of every form of data, held against readers that others wrote."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import datasets
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import webdataset as wds
from stream_sets import (
    draw_png,
    make_members,
    open_stream,
    read_epoch,
    read_number,
    write_tar,
    write_webdataset,
)

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Reason
from earthloom.recipes import parse_recipe
from earthloom.run.build import build
from earthloom.store.selection import Selection, select
from earthloom.store.stream import deck, parquet
from earthloom.store.stream import samples as samples_module
from earthloom.store.stream.samples import Stream
from earthloom.store.stream.shard import list_rows
from earthloom.store.stream.tars import TarShard

RECIPE = """\
name: streamed
sources:
  - {kind: atlas, name: fine, scenes: 4, size: 128, gsd_m: 2, seed: 3}
  - {kind: atlas, name: coarse, scenes: 4, size: 128, gsd_m: 20, seed: 4}
tile: {size: 64}
synthesize: [{effect: fog, share: 0.5, severity: [heavy]}]
export: {shard_pairs: 10, report: false}
curate: {split: {train: 0.5, test: 0.5}, seed: 2}
"""
leaves_files_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Of webdataset, which waits for the garbage collector."""
SAME = (
    "modality", "gsd_m", "lon", "lat", "acquired", "cloud_share", "platform", "sensor", "country", "season", "source",
    "split", "polarisation",
)  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streamed")
    build(parse_recipe(RECIPE, base=folder), folder, workers=0)
    return folder


@pytest.fixture(scope="module")
def tars(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streamed-tars")
    (folder / "data").mkdir()
    for path in (work / "release/data").glob("*.tar"):
        shutil.copy(path, folder / "data")
    return folder


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"modality": "sar"},
        {"split": ("test",)},
        {"effects": ("clear",)},
        {"effects": ("fog",), "severity": ("heavy",)},
        {"source": ("fine",)},
        {"gsd_m": (10, 30)},
        {"labels": ("forest",)},
        {"limit": 5},
        {"limit": 7, "seed": 3, "labels": ("water",)},
        {"limit": 100_000},
    ],
)
def test_that_a_stream_holds_what_select_lists(work: Path, tars: Path, filters: dict[str, Any]) -> None:
    wanted = [shown.key for shown in select(Selection(release=str(work), **filters), Path())]
    for place in (work, work / "release", tars):
        stream = Stream(Selection(release=str(place), **filters), Path(), seed=0, shuffle=16)
        assert stream.count() == len(wanted)
        assert sorted(sample.key for sample in read_epoch(stream)) == sorted(wanted)


def test_that_every_fact_is_that_of_the_release(work: Path, tars: Path) -> None:
    rows = duckdb.sql(
        f"select * from '{work}/release/data/*.parquet' where modality = 'rgb'"
    ).to_arrow_table()
    wanted = {row["id"]: row for row in rows.to_pylist()}
    for place in (work, tars):
        for sample in read_epoch(open_stream(place)):
            row = wanted[sample.key]
            assert {name: getattr(sample, name) for name in SAME} == {name: row[name] for name in SAME}
            assert (sample.base_key, sample.group, sample.pair_key) == (
                row["base_id"],
                row["group"],
                row["pair_id"],
            )
            assert sample.image == row["image"]["bytes"]
            told = [(words.text, words.style, words.role, words.author) for words in sample.captions]
            assert told == [(c["text"], c["style"], c["role"], c["author"]) for c in row["captions"]]
            assert [(label.name, label.share) for label in sample.labels] == [
                (label["name"], label["share"]) for label in row["labels"]
            ]
            assert (sample.effect and sample.effect.name) == (row["effect"] and row["effect"]["name"])
            assert sample.extra == {}


def test_that_radar_is_read_as_it_is_stored(work: Path) -> None:
    shown = {one.key: one for one in select(Selection(release=str(work), modality="sar"), Path())}
    for sample in read_epoch(open_stream(work, modality="sar"))[:3]:
        assert not sample.is_linear
        assert sample.levels().shape == (64, 64, 1)
        np.testing.assert_array_equal(sample.picture(), np.repeat(sample.levels(), 3, axis=2))
        np.testing.assert_array_equal(sample.picture(), shown[sample.key].show())


@leaves_files_open
def test_that_a_webdataset_is_read_as_its_own_library_reads_it(tmp_path: Path) -> None:
    folder = write_webdataset(tmp_path / "set", [7, 1, 5])
    samples = read_epoch(open_stream(folder))
    urls = sorted(str(path) for path in folder.glob("*.tar"))
    theirs = {}
    for sample in wds.WebDataset(urls, shardshuffle=False):
        shard = Path(sample["__url__"]).stem
        theirs[f"{shard}/{sample['__key__']}"] = (sample["png"], sample["txt"].decode())
    assert {one.key: (one.image, one.captions[0].text) for one in samples} == theirs
    assert all(len(one.captions) == 1 for one in samples)  # the text and the facts say the same


def test_that_what_the_library_itself_writes_is_read(tmp_path: Path) -> None:
    with wds.TarWriter(str(tmp_path / "a.tar"), mtime=12.5) as writer:
        for number in range(5):
            writer.write(
                {"__key__": f"deep/er/{number}", "rgb.png": draw_png(number), "nir.png": draw_png(number + 50),
                 "json": {"captions": ["one", {"raw": "two"}], "longitude": 200.5, "lat": "1.25", "gsd": "nan"},
                 "vectors.npy": np.arange(3)}
            )  # fmt: skip
    samples = sorted(read_epoch(open_stream(tmp_path)), key=lambda sample: sample.key)
    assert [sample.key for sample in samples] == [f"a/deep/er/{number}" for number in range(5)]
    sample = samples[1]
    assert {read_number(sample), read_number(samples[4])} <= {1, 4, 51, 54}
    assert [words.text for words in sample.captions] == ["one", "two"]
    assert (sample.lon, sample.lat, sample.gsd_m) == (200.5, 1.25, None)
    assert "vectors.npy" in sample.extra
    assert len(sample.extra) == 2


@pytest.mark.parametrize("nested", [False, True])
def test_that_parquet_of_hugging_face_is_read_as_its_own_library_reads_it(
    tmp_path: Path, nested: bool
) -> None:
    rows = {
        "image": [{"bytes": draw_png(n), "path": f"{n}.png"} for n in range(9)],
        "captions": [[f"a {n}", f"b {n}"] for n in range(9)],
        "label": [n % 2 for n in range(9)],
    }
    features = datasets.Features(
        {"image": datasets.Image(), "captions": datasets.List(datasets.Value("string")),
         "label": datasets.ClassLabel(names=["Annual_Crop", "sea"])}
    )  # fmt: skip
    made = datasets.Dataset.from_dict(rows, features=features)
    folder = tmp_path / "data" if nested else tmp_path
    folder.mkdir(exist_ok=True)
    made.to_parquet(folder / "train-00000-of-00001.parquet", batch_size=4)
    samples = read_epoch(open_stream(tmp_path))
    back = datasets.load_dataset(
        "parquet", data_files=str(folder / "*.parquet"), split="train", cache_dir=tmp_path / "c"
    )
    wanted = [(np.asarray(row["image"])[0, 0, 0], row["captions"]) for row in back]
    found = sorted((read_number(s), [w.text for w in s.captions]) for s in samples)
    assert found == sorted(wanted)
    assert {s.labels[0].name for s in samples if read_number(s) % 2 == 0} == {"annual crop"}
    assert {s.split for s in samples} == {"train"}
    assert open_stream(tmp_path, split=("train",)).count() == 9
    with pytest.raises(UsageError, match="no picture that was asked for"):
        open_stream(tmp_path, split=("val",)).read(0)


def test_that_plain_binary_columns_and_single_captions_do(tmp_path: Path) -> None:
    table = pa.table(
        {"jpg": [draw_png(n) for n in range(4)], "text": ["a", None, "c", "d"], "gsd": [1.5, None, -1.0, 3.0],
         "date": ["2019-09", None, None, "2020"], "satellite": ["Sentinel-2", None, "", None]}
    )  # fmt: skip
    pq.write_table(table, tmp_path / "part.parquet", row_group_size=3)
    samples = sorted(read_epoch(open_stream(tmp_path)), key=read_number)
    assert [s.key for s in samples] == [f"part/{n}" for n in range(4)]
    assert [[w.text for w in s.captions] for s in samples] == [["a"], [], ["c"], ["d"]]
    assert [s.gsd_m for s in samples] == [1.5, None, None, 3.0]
    assert [s.acquired for s in samples] == ["2019-09", None, None, "2020"]
    assert [s.platform for s in samples] == ["Sentinel-2", None, None, None]


def test_that_a_folder_has_words_beside_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for number, name in enumerate(["a.png", "b.png", "sub/c.png", "sub/d.v2.png"]):
        (tmp_path / name).write_bytes(draw_png(number))
    (tmp_path / "a.txt").write_text("words of a\n")
    (tmp_path / "b.json").write_text(json.dumps({"sentences": [{"raw": "words of b"}], "lat": 12}))
    rows = [{"file_name": "c.png", "text": "words of c"}, {"file_name": "d.v2.png", "caption": "words of d"}]
    (tmp_path / "sub/metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    stream = Stream(Selection(folder="."), tmp_path, seed=0)
    samples = {sample.key: sample for sample in read_epoch(stream)}
    assert sorted(samples) == [shown.key for shown in select(Selection(folder="."), tmp_path)]
    assert {key: [w.text for w in s.captions] for key, s in samples.items()} == {
        "a.png": ["words of a"], "b.png": ["words of b"], "sub/c.png": ["words of c"], "sub/d.v2.png": ["words of d"]
    }  # fmt: skip
    assert samples["b.png"].lat == 12
    back = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "sub"), split="train", cache_dir=tmp_path / "c"
    )
    theirs = {row["text"] for row in back if row["text"] is not None}
    assert theirs == {"words of c"}
    few = Stream(Selection(folder=".", limit=2), tmp_path, seed=0)
    assert {s.key for s in read_epoch(few)} == {
        s.key for s in select(Selection(folder=".", limit=2), tmp_path)
    }


def test_that_words_must_be_words(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", make_members(0, {"captions": [3, 4]}))
    with pytest.raises(RecordError) as caught:
        open_stream(tmp_path).read(0)
    assert caught.value.reason is Reason.BAD_FACTS


def test_that_parquet_is_read_before_tars_and_trees_are_searched(tmp_path: Path) -> None:
    write_webdataset(tmp_path / "deep/er", [2])
    assert open_stream(tmp_path).count() == 2
    pq.write_table(pa.table({"image": [draw_png(1)]}), tmp_path / "one.parquet")
    assert open_stream(tmp_path).count() == 1


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"folder": "nowhere"}, "no folder"),
        ({"release": "nowhere"}, "no folder"),
        ({"release": "."}, "no release"),
    ],
)
def test_that_nothing_to_read_is_an_error_with_a_remedy(
    tmp_path: Path, selection: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        Stream(Selection(**selection), tmp_path, seed=0)


def test_that_the_first_ones_are_a_fixed_choice(tmp_path: Path) -> None:
    folder = write_webdataset(tmp_path, [30, 30, 30])
    stream = open_stream(folder)
    keys = [sample.key for sample in stream.first(6)]
    assert len(set(keys)) == 6
    stream.read(70)
    assert [sample.key for sample in stream.first(6)] == keys
    assert [sample.key for sample in open_stream(folder).first(6)] == keys
    assert len(stream.first(1000)) == 90


def test_that_the_identity_changes_with_what_is_read_and_not_with_where(tmp_path: Path) -> None:
    one = write_webdataset(tmp_path / "one", [3, 4])
    two = shutil.copytree(one, tmp_path / "two")
    assert open_stream(one).identity == open_stream(two).identity
    others = [
        open_stream(one, seed=1),
        open_stream(one, shuffle=17),
        open_stream(one, limit=2),
        open_stream(write_webdataset(tmp_path / "three", [4, 3])),
    ]
    assert len({stream.identity for stream in [open_stream(one), *others]}) == 5


def test_that_no_row_group_is_read_twice_in_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for shard in range(3):
        images = [draw_png(n, side=32) for n in range(60)]
        pq.write_table(
            pa.table({"image": images}), tmp_path / f"{shard}.parquet", row_group_size=6, compression="none"
        )
    held = pq.read_metadata(tmp_path / "0.parquet").row_group(0).total_byte_size
    read: list[tuple[str, int]] = []
    real = parquet._read_group

    def note(group: parquet.GroupId) -> parquet.RowGroup:
        read.append((group.path.name, group.number))
        return real(group)

    monkeypatch.setattr(parquet, "_read_group", note)
    monkeypatch.setattr(deck, "MIXED_BYTES", 5 * held)
    monkeypatch.setattr(samples_module, "MIXED_BYTES", 5 * held)
    stream = open_stream(tmp_path, shuffle=1000)
    keys = [sample.key for sample in read_epoch(stream)]
    assert len(set(keys)) == 180
    assert len(read) == len(set(read)) == 30
    near = {key.split("/")[0] for key in keys[:30]}
    assert len(near) > 1  # row groups of several shards are mixed


def test_that_what_is_not_asked_for_is_forgotten(tmp_path: Path) -> None:
    members = [m for n in range(40) for m in make_members(n, {"label": "sea" if n % 20 == 7 else "land"})]
    write_tar(tmp_path / "a.tar", members)
    stream = open_stream(tmp_path, labels=("sea",))
    assert {sample.key: read_number(sample) for sample in read_epoch(stream)} == {
        "a/000007": 7,
        "a/000027": 27,
    }
    shard = TarShard(tmp_path / "a.tar", "a")
    listed = list_rows(shard, "a", Selection(release=".", labels=("sea",)), None)
    assert shard.chunks()[0].n == listed.n == 2
    assert [listed.key(0, row) for row in range(2)] == ["000007", "000027"]


def test_that_a_real_tar_of_pictures_is_read(real_data: Path) -> None:
    folder = real_data / "eurosat"
    with tarfile.open(folder / "eurosat_rgb.tar") as tar:
        wanted = {f"eurosat_rgb/{m.name.rpartition('.')[0]}": m.size for m in tar if m.name.endswith(".jpg")}
    stream = open_stream(folder, shuffle=100)
    assert stream.count() == len(wanted)
    for sample in stream.first(40):
        assert len(sample.image) == wanted[sample.key]
        assert sample.picture().shape == (64, 64, 3)
