"""What is broken costs itself alone, and says why."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stream_sets import draw_png, make_members, open_stream, write_tar, write_webdataset

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
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
