"""What is broken costs itself alone, and says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stream_sets import draw_png, make_members, open_stream, write_tar, write_webdataset

from earthloom.core.errors import RecordError, RunError
from earthloom.core.records import Reason
from earthloom.store.selection import Selection
from earthloom.store.stream.counts import CountBook
from earthloom.store.stream.deck import Deck
from earthloom.store.stream.order import Spot
from earthloom.store.stream.samples import Stream


def read_all(stream: Stream) -> tuple[list[str], dict[str, RecordError]]:
    """Keys of what can be read, and by key the errors of what cannot."""
    good, bad = [], {}
    for position in range(stream.count()):
        try:
            good.append(stream.read(position).key)
        except RecordError as error:
            bad[stream.key(position)] = error
    return sorted(good), bad


def test_that_a_tar_that_is_cut_short_gives_what_is_whole(tmp_path: Path) -> None:
    folder = write_webdataset(tmp_path, [6, 6])
    path = folder / "00001.tar"
    path.write_bytes(path.read_bytes()[: 2 * 512 * 6 + 512 + 30])
    good, bad = read_all(open_stream(folder))
    assert good == [f"00000/{n:06d}" for n in range(6)] + ["00001/000006", "00001/000007"]
    assert {key: error.reason for key, error in bad.items()} == {
        "000008": Reason.UNREADABLE,
        "00001.tar": Reason.UNREADABLE,
    }
    assert "cut short" in bad["00001.tar"].detail


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("00001.tar", b"no tar at all" * 50, Reason.UNREADABLE),
        ("00001.tar", b"", Reason.UNREADABLE),
    ],
)
def test_that_a_broken_shard_counts_as_one_sample(
    tmp_path: Path, name: str, data: bytes, reason: Reason
) -> None:
    folder = write_webdataset(tmp_path, [4])
    (folder / name).write_bytes(data)
    stream = open_stream(folder)
    good, bad = read_all(stream)
    assert len(good) == 4
    assert {key: error.reason for key, error in bad.items()} == {name: reason}
    assert len(stream.first(5)) == 4


def test_that_a_broken_parquet_and_one_without_pictures_do_not_stop_others(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [draw_png(1), None]}), tmp_path / "good.parquet")
    pq.write_table(pa.table({"words": ["a"]}), tmp_path / "words.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    good, bad = read_all(open_stream(tmp_path))
    assert good == ["good/0"]
    assert {key: error.reason for key, error in bad.items()} == {
        "good/1": Reason.MISSING, "words.parquet": Reason.MISSING, "broken.parquet": Reason.UNREADABLE
    }  # fmt: skip


def test_that_a_broken_row_group_costs_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"image": [draw_png(n) for n in range(6)]}), path, row_group_size=3, compression="zstd"
    )
    data = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(1).column(0).data_page_offset
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    good, bad = read_all(open_stream(tmp_path))
    assert good == ["a/0", "a/1", "a/2"]
    assert {error.reason for error in bad.values()} == {Reason.UNREADABLE}
    assert sorted(bad) == ["a/3", "a/4", "a/5"]


def test_that_samples_without_picture_or_with_broken_facts_are_named(tmp_path: Path) -> None:
    broken = [(name, b"{" if name.endswith("json") else data) for name, data in make_members(1)]
    listed = [(name, b"[1]" if name.endswith("json") else data) for name, data in make_members(2)]
    write_tar(tmp_path / "a.tar", [*make_members(0), *broken, *listed, ("000003.txt", b"only words")])
    good, bad = read_all(open_stream(tmp_path))
    assert good == ["a/000000"]
    assert {key: error.reason for key, error in bad.items()} == {
        "000001": Reason.BAD_FACTS, "000002": Reason.BAD_FACTS, "000003": Reason.MISSING
    }  # fmt: skip


def test_that_facts_which_cannot_be_read_do_not_pass_silently(tmp_path: Path) -> None:
    broken = [(name, b"{" if name.endswith("json") else data) for name, data in make_members(1)]
    write_tar(
        tmp_path / "a.tar", [*make_members(0, {"label": "sea"}), *broken, *make_members(2, {"label": "land"})]
    )
    good, bad = read_all(open_stream(tmp_path, labels=("sea",)))
    assert (good, list(bad)) == (["a/000000"], ["000001"])


def test_that_a_shard_that_goes_away_is_missing(tmp_path: Path) -> None:
    folder = write_webdataset(tmp_path, [2])
    stream = open_stream(folder)
    stream.read(0)
    (folder / "00000.tar").unlink()
    with pytest.raises(RecordError) as caught:
        stream.read(1)
    assert caught.value.reason is Reason.MISSING


def test_that_a_shard_with_another_number_of_samples_ends_the_run(tmp_path: Path) -> None:
    """Every position after it would mean another sample, in silence."""
    folder = write_webdataset(tmp_path, [4, 4, 4])
    deck = Deck(Selection(release=str(folder)), Path(), room=1, beside=None, cache=None)
    assert [sum(chunk.n for chunk in deck.chunks(shard)) for shard in range(3)] == [4, 4, 4]
    (folder / "00000.tar").unlink()
    with pytest.raises(RunError, match=r"00000\.tar had 4 samples .* now it has 1 \(missing: .*Put it back"):
        deck.read(Spot(0, 0, 2))
    write_webdataset(tmp_path, [5])
    with pytest.raises(RunError, match=r"had 4 samples .* now it has 5"):
        deck.key(Spot(0, 0, 2))
    write_webdataset(tmp_path, [4])
    assert deck.read(Spot(0, 0, 2)).key == "00000/000002"


@pytest.mark.parametrize(
    "told",
    [
        {"effect": "fog"},
        {"effect": {"name": "fog"}},
        {"labels": "sea"},
        {"labels": [1]},
        {"gsd_m": "0.5"},
        {"modality": ["rgb"]},
        {"captions": "a sea"},
        {"captions": [{"text": 7}]},
        {"acquired": 2020},
        {"group": ["a"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("filters", [{}, {"gsd_m": (0, 2)}, {"limit": 1}], ids=str)
def test_that_facts_of_another_form_cost_their_sample_alone(
    told: dict[str, Any], filters: dict[str, Any], tmp_path: Path
) -> None:
    own = {"id": "000001", "base_id": "000001", "modality": "rgb", "gsd_m": 1.0}
    good = make_members(0, own | {"id": "000000", "base_id": "000000"})
    write_tar(tmp_path / "a.tar", [*good, *make_members(1, own | told)])
    found, broken = read_all(open_stream(tmp_path, **filters))
    assert {error.reason for error in broken.values()} <= {Reason.BAD_FACTS}
    if "limit" in filters:  # the other one may have been drawn
        assert {*found, *broken} <= {"000000", "000001"}
        assert "000001" not in found
    else:
        assert (found, list(broken)) == (["000000"], ["000001"])


def test_that_the_count_of_what_cannot_be_opened_is_not_written_down(tmp_path: Path) -> None:
    book = CountBook(tmp_path / "counts.jsonl")
    book.note(0, 7)
    book.note(1, 1, is_lasting=False)
    assert (book.find(0), book.find(1)) == (7, 1)
    again = CountBook(tmp_path / "counts.jsonl")
    assert (again.find(0), again.find(1)) == (7, None)
