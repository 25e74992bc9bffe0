"""The numbers of a release equal those counted from the records that it was made from."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Small
from hypothesis import given
from hypothesis import strategies as st
from release_inputs import Inputs, encode, expected_pairs, make_inputs, write_release

from earthloom.core.errors import UsageError
from earthloom.core.records import Caption, Captioned, Label, Modality, Verdict
from earthloom.export import Statistics, collect_statistics
from earthloom.export.statistics import GSD_EDGES_M
from earthloom.export.tally import _bin_shares, _Sample


@pytest.fixture(scope="module")
def counted(small: Small) -> Statistics:
    return collect_statistics(small.folder)


def test_counts_equal_those_of_the_records(small: Small, counted: Statistics) -> None:
    rows = list(expected_pairs(*small.inputs).values())
    assert counted.pairs == len(rows)
    assert counted.splits == Counter((v.split, s.modality.value) for s, _, _, v in rows)
    assert counted.platforms == Counter(s.platform for s, _, _, _ in rows)
    assert counted.polarisations == Counter(s.polarisation for s, _, _, _ in rows)
    assert counted.media == Counter((s.modality.value, t.media) for s, t, _, _ in rows)
    assert counted.sizes == {(16, 16): len(rows)}
    assert counted.scenes == len({s.id for s, _, _, _ in rows})
    assert counted.groups == len({s.group for s, _, _, _ in rows})
    assert counted.labels == Counter((x.kind, x.name) for _, t, _, _ in rows for x in t.labels)
    assert counted.captions.total == sum(len(c.captions) for _, _, c, _ in rows)
    assert counted.captions.kinds == Counter(
        (x.style, x.role, x.author) for _, _, c, _ in rows for x in c.captions
    )
    words = [len(x.text.split()) for _, _, c, _ in rows for x in c.captions]
    assert counted.captions.mean_words == pytest.approx(np.mean(words))
    assert counted.captions.words == Counter(n // 5 * 5 for n in words)
    assert counted.cells == Counter((math.floor(t.lon), math.floor(t.lat), False) for _, t, _, _ in rows)


def test_dates_equal_those_of_the_records(small: Small, counted: Statistics) -> None:
    dates = [s.acquired for s, _, _, _ in expected_pairs(*small.inputs).values()]
    known = [date for date in dates if date]
    assert counted.dates.years == Counter(int(date[:4]) for date in known)
    assert counted.dates.months == Counter(int(date[5:7]) for date in known if len(date) > 4)
    assert (counted.dates.first, counted.dates.last) == (min(known), max(known))
    assert counted.dates.unknown == dates.count(None)


def test_ground_sample_distances_fall_into_their_bins(small: Small, counted: Statistics) -> None:
    rows = expected_pairs(*small.inputs).values()
    wanted = Counter((s.modality.value, max(e for e in GSD_EDGES_M if e <= t.gsd_m)) for s, t, _, _ in rows)
    assert counted.gsd == wanted
    assert (counted.gsd_span.low, counted.gsd_span.high) == (10, 30)


def test_known_counts_nulls_and_empty_lists(small: Small, counted: Statistics) -> None:
    rows = list(expected_pairs(*small.inputs).values())
    assert counted.known["labels"] == sum(bool(t.labels) for _, t, _, _ in rows)
    assert counted.known["platform"] == sum(s.platform is not None for s, _, _, _ in rows)
    assert counted.known["effect"] == 0
    assert counted.known["id"] == len(rows)


def test_sources_carry_their_terms(tmp_path: Path) -> None:
    inputs = make_inputs(4, 1, (Modality.RGB,))
    changes = [
        {"licence": None, "credit": None},
        {"licence": "MIT", "credit": "B"},
        {"licence": "MIT", "credit": "A", "synthetic": True},
        {"licence": "MIT", "credit": "A"},
    ]
    inputs.scenes = [dataclasses.replace(s, **c) for s, c in zip(inputs.scenes, changes, strict=True)]
    counted = collect_statistics(write_release(tmp_path, inputs))
    got = [(s.licence, s.synthetic, s.pairs, s.credits) for s in counted.sources]
    assert got == [("MIT", False, 2, ("A", "B")), ("MIT", True, 1, ("A",)), (None, False, 1, ())]
    assert counted.licences() == {"MIT": 3, None: 1}
    assert counted.synthetic() == 1
    assert counted.by_source() == {"fields": 4}


def without_files(statistics: Statistics) -> Statistics:
    picks = tuple(dataclasses.replace(pick, file=Path(pick.file.stem)) for pick in statistics.picks)
    return dataclasses.replace(statistics, picks=picks, files={}, bytes={})


def test_tars_give_the_same_numbers_as_parquet(small: Small, tmp_path: Path, counted: Statistics) -> None:
    tars = collect_statistics(write_release(tmp_path, *small.inputs, shard_pairs=10, formats=("webdataset",)))
    assert without_files(tars) == without_files(counted)
    assert tars.files == {"webdataset": counted.files["webdataset"]}
    assert tars.bytes["webdataset"] == counted.bytes["webdataset"]


def test_shards_do_not_change_the_numbers(small: Small, tmp_path: Path, counted: Statistics) -> None:
    other = collect_statistics(write_release(tmp_path, *small.inputs, shard_pairs=1000))
    blank = {"picks": (), "files": {}, "bytes": {}}
    assert dataclasses.replace(other, **blank) == dataclasses.replace(counted, **blank)
    assert [pick.pair for pick in other.picks] == [pick.pair for pick in counted.picks]


def test_no_leaks_where_groups_are_kept_together(counted: Statistics) -> None:
    assert (counted.leaking_groups, counted.repeated_images) == (0, 0)


def test_leaks_are_found(tmp_path: Path) -> None:
    inputs = make_inputs(4, 3, (Modality.RGB,), ("train", "test"))
    torn = inputs.tiles[0].scene_id
    inputs.verdicts[0] = Verdict(id=inputs.tiles[0].id, split="val")
    twin = dataclasses.replace(inputs.tiles[4], image=inputs.tiles[0].image, sha256=inputs.tiles[0].sha256)
    inputs.tiles[4] = twin
    counted = collect_statistics(write_release(tmp_path, inputs))
    assert inputs.tiles[4].scene_id != torn
    assert counted.leaking_groups == 1
    assert counted.repeated_images == 1


def test_picks_are_read_from_where_they_say(small: Small, counted: Statistics) -> None:
    pairs = expected_pairs(*small.inputs)
    assert {pick.pair.id for pick in counted.picks} == set(pairs), "fewer pairs than candidates: all are kept"
    for pick in counted.picks:
        table = pq.read_table(pick.file, columns=["id"])
        assert table["id"][pick.row].as_py() == pick.pair.id
        assert pick.pair.image.bytes == b""


@given(st.lists(st.lists(st.text("abcdef0123456789", min_size=8, max_size=8), max_size=20), max_size=6))
def test_a_sample_is_the_smallest_ids_whatever_the_batches(batches: list[list[str]]) -> None:
    sample = _Sample(10)
    for ids in batches:
        sample.add(pa.table({"id": pa.array(ids, pa.string())}))
    assert [row["id"] for row in sample.rows()] == sorted(key for ids in batches for key in ids)[:10]


@given(st.integers(0, 20))
def test_shares_at_an_edge_belong_to_the_bin_above(step: int) -> None:
    assert _bin_shares(pa.chunked_array([[step * 0.05]])) == {step / 20: 1}
    assert _bin_shares(pa.chunked_array([[1.0, 0.999]])) == {1.0: 1, 0.95: 1}


def test_an_empty_release_has_no_numbers(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "refused.parquet")
    counted = collect_statistics(tmp_path)
    assert (counted.pairs, counted.groups, counted.captions.total, counted.picks) == (0, 0, 0, ())


@pytest.mark.parametrize("more", [0, 100, 512])
@pytest.mark.parametrize("name", ["train-rgb-00000.parquet", "train-rgb-00000.tar"])
def test_a_damaged_file_is_named(small: Small, tmp_path: Path, name: str, more: int) -> None:
    """Cut off anywhere, and for a tar also at a border of its blocks or right after a member."""
    data = tmp_path / "data"
    data.mkdir()
    whole = (small.folder / "data" / name).read_bytes()
    half = len(whole) // 1024 * 512
    (data / name).write_bytes(whole[: half + more])
    with pytest.raises(UsageError, match=rf"{name} cannot be read .* run `earthloom build` again"):
        collect_statistics(tmp_path)


def test_a_foreign_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "data" / "train-rgb-00000.parquet")
    with pytest.raises(UsageError, match=r"it has no column acquired, base_id"):
        collect_statistics(tmp_path)


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.csv").write_text("a,b\n")
    with pytest.raises(UsageError, match=r"is no release: wanted files such as data/train-rgb-00000.parquet"):
        collect_statistics(tmp_path)


def test_texts_and_labels_of_any_kind(tmp_path: Path) -> None:
    inputs: Inputs = make_inputs(1, 2, (Modality.RGB,), ("train",))
    twice = Label(name="road", kind="object", origin="x")
    inputs.tiles = [dataclasses.replace(tile, labels=(twice, twice)) for tile in inputs.tiles]
    texts = ("", "one\u00a0two\nthree  four")
    inputs.captions = [
        Captioned(id=c.id, captions=(Caption(text=text, style="source", role="caption", author="source"),))
        for c, text in zip(inputs.captions, texts, strict=True)
    ]
    counted = collect_statistics(write_release(tmp_path, inputs))
    assert counted.labels == {("object", "road"): 2}, "a pair counts once, however many boxes it has"
    assert counted.captions.words == {0: 2}
    assert encode(np.zeros((4, 4), np.uint8), "png")[:4] == b"\x89PNG"
