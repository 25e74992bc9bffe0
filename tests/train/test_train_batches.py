"""Batches of a stream: the same whatever the number of threads, processes and interruptions."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from earthloom.core.errors import RecordError, RunError
from earthloom.core.images import encode_png
from earthloom.core.records import Reason
from earthloom.store.selection import Selection
from earthloom.store.stream.pairs import PairStream
from earthloom.store.stream.samples import Sample, Stream
from earthloom.train.batches import Arrays, StreamBatches, collate
from earthloom.train.step import Share


class Numbers:
    """A row of numbers in the place of samples: position p holds p, some of them are broken."""

    identity = "numbers"

    def __init__(self, broken: Sequence[int] = (), *, every: bool = False) -> None:
        self._broken = frozenset(broken)
        self._every = every

    def read(self, position: int) -> int:
        if self._every or position in self._broken:
            raise RecordError(Reason.UNREADABLE, f"{position} is broken")
        return position

    def key(self, position: int) -> str:
        return f"key-{position}"

    def first(self, n: int) -> list[int]:
        return [] if self._every else list(range(1000, 1000 + n))

    def known_count(self) -> int | None:
        return 17


def prepare(number: int, rng: np.random.Generator) -> Arrays:
    return {"number": np.array(number), "drawn": rng.integers(0, 2**31, 2)}


def make(
    row: Numbers | None = None, *, threads: int = 0, rank: int = 0, world: int = 1, n_held: int = 0
) -> StreamBatches[int]:
    return StreamBatches(
        row or Numbers(), prepare, batch=3, seed=5, share=Share(rank, world), threads=threads, n_shown=2,
        held=Numbers() if n_held else None, n_held=n_held,
    )  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_that_the_number_of_threads_changes_nothing(threads: int) -> None:
    plain, threaded = make(Numbers([4, 5])), make(Numbers([4, 5]), threads=threads)
    for number in (1, 2, 3, 4, 90, 91, 2, 3):  # also jumps, as after a resume
        one, other = plain.draw(number), threaded.draw(number)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert set(plain.refused["data"]) <= set(threaded.refused["data"])


@given(st.integers(1, 5), st.integers(1, 20))
@settings(max_examples=30)
def test_that_processes_share_the_row_without_gap_or_overlap(world: int, n: int) -> None:
    found = [
        int(value)
        for number in range(1, n + 1)
        for rank in range(world)
        for value in make(rank=rank, world=world).draw(number)["number"]
    ]
    assert found == list(range(3 * world * n))


def test_that_what_is_drawn_depends_on_the_position_alone() -> None:
    one, two = make(), make(world=3, rank=1)
    # Positions 3 to 5 are the second batch of one process, and the first one of the second of three.
    assert torch.equal(one.draw(2)["drawn"], two.draw(1)["drawn"])
    rows = torch.cat([make().draw(n)["drawn"] for n in range(1, 30)])
    assert len({tuple(row) for row in rows.tolist()}) == len(rows)


def test_that_a_broken_sample_is_replaced_by_a_later_one_and_told_of() -> None:
    whole, broken = make().draw(2), make(Numbers([4]))
    drawn = broken.draw(2)
    assert drawn["number"].tolist()[::2] == [3, 5]
    assert 4 < int(drawn["number"][1]) <= 4 + 63
    assert torch.equal(drawn["drawn"], whole["drawn"])  # what is drawn goes with the place
    assert broken.refused == {"data": {"key-4": "unreadable: 4 is broken"}}
    assert torch.equal(make(Numbers([4])).draw(2)["number"], drawn["number"])


def test_that_replacements_are_looked_for_further_and_further_away() -> None:
    batches = make(Numbers(range(1, 2000)))
    assert int(batches.draw(1)["number"][1]) >= 2000


@pytest.mark.parametrize("threads", [0, 2])
def test_that_a_hundred_broken_samples_are_too_many(threads: int) -> None:
    with pytest.raises(RunError, match=r"None of 100 samples drawn from `data`.*is broken"):
        make(Numbers(every=True), threads=threads).draw(1)
    with pytest.raises(RunError, match="None of 100"):
        make(Numbers(every=True)).show()


def test_that_shown_and_held_out_samples_are_always_the_same() -> None:
    batches = make(n_held=7)
    batches.draw(5)
    assert batches.show()["number"].tolist() == [1000, 1001]
    held = batches.held()
    assert [batch["number"].tolist() for batch in held] == [[1000, 1001, 1002], [1003, 1004, 1005], [1006]]
    again = make(n_held=7)
    assert all(torch.equal(a["drawn"], b["drawn"]) for a, b in zip(held, again.held(), strict=True))
    assert torch.equal(batches.show()["drawn"], again.show()["drawn"])
    assert make().held() == ()
    assert batches.counts == {"data": 17}
    assert batches.identity == again.identity != make().identity


def test_that_threads_prepare_at_the_same_time() -> None:
    gate = threading.Barrier(2, timeout=20)

    def wait(number: int, rng: np.random.Generator) -> Arrays:
        gate.wait()
        return {"number": np.array(number)}

    batches = StreamBatches(Numbers(), wait, batch=2, seed=0, share=Share(), threads=2)
    assert batches.draw(1)["number"].tolist() == [0, 1]


def test_that_arrays_keep_their_types_and_must_be_alike() -> None:
    batch = collate([{"p": np.zeros((4, 5, 3), np.uint8), "x": np.float32(i)} for i in range(2)])
    assert (batch["p"].shape, batch["p"].dtype) == ((2, 4, 5, 3), torch.uint8)
    assert batch["x"].tolist() == [0, 1]
    with pytest.raises(RunError, match=r"different shapes.*\(2,\), \(3,\)"):
        collate([{"p": np.zeros(2)}, {"p": np.zeros(3)}])
    with pytest.raises(RunError, match="different arrays"):
        collate([{"p": np.zeros(2)}, {"q": np.zeros(2)}])


def test_that_pictures_of_a_stream_and_of_pairs_come_in_batches(tmp_path: Path) -> None:
    for number in range(12):
        for kind, channel in (("rgb", 0), ("nir", 1)):
            folder = tmp_path / kind
            folder.mkdir(exist_ok=True)
            picture = np.full((6, 6, 3), number, np.uint8)
            picture[..., channel] = 200
            (folder / f"{number}.png").write_bytes(encode_png(picture))
    rgb = Stream(Selection(folder="rgb"), tmp_path, seed=0)
    batches = StreamBatches(
        rgb, lambda s, _: {"p": s.picture()}, batch=4, seed=0, share=Share(), threads=2, held=rgb, n_held=5
    )
    shown = torch.cat([batches.draw(number)["p"] for number in (1, 2, 3)])
    assert sorted(shown[:, 0, 0, 1].tolist()) == list(range(12))
    assert (shown[:, 0, 0, 0] == 200).all()
    assert [len(batch["p"]) for batch in batches.held()] == [4, 1]

    (tmp_path / "both").mkdir()
    for kind in ("rgb", "nir"):
        images = [(tmp_path / kind / f"{n}.png").read_bytes() for n in range(12)]
        facts = {
            "base_id": [f"{kind}{n}" for n in range(12)],
            "modality": [kind] * 12,
            "pair_id": [str(n) for n in range(12)],
        }
        pq.write_table(
            pa.table({"id": facts["base_id"], **facts, "image": images}), tmp_path / f"both/{kind}.parquet"
        )
    pairs = PairStream(Selection(release="both"), Selection(release="both", modality="nir"), tmp_path, seed=0)

    def show_both(pair: tuple[Sample, Sample], rng: np.random.Generator) -> Arrays:
        return {"from": pair[0].picture(), "to": pair[1].picture()}

    both = StreamBatches(pairs, show_both, batch=12, seed=0, share=Share(), threads=2).draw(1)
    assert torch.equal(both["from"][:, 0, 0, 1], both["to"][:, 0, 0, 0])
    assert sorted(both["from"][:, 0, 0, 1].tolist()) == list(range(12))


def test_that_broken_files_are_told_of_by_their_names(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(encode_png(np.full((6, 6, 3), number, np.uint8)))
    (tmp_path / "bad.png").write_bytes(b"\x89PNG and nothing else")
    stream = Stream(Selection(folder="."), tmp_path, seed=0)
    batches = StreamBatches(
        stream, lambda s, _: {"p": s.picture()}, batch=8, seed=0, share=Share(), threads=2
    )
    assert batches.draw(1)["p"].shape == (8, 6, 6, 3)
    assert list(batches.refused["data"]) == ["bad.png"]
    assert batches.refused["data"]["bad.png"].startswith("unreadable")
    json.dumps(batches.refused)


class Sparse(Numbers):
    """Of the first samples only a few can be used; those with odd numbers never."""

    def first(self, n: int) -> list[int]:
        return list(range(n))


def test_that_others_are_shown_where_the_first_ones_cannot_be_used() -> None:
    def prepare_rare(number: int, rng: np.random.Generator) -> Arrays:
        if number % 20 != 19:
            raise RecordError(Reason.NO_CAPTION, "a caption was wanted")
        return {"number": np.array(number)}

    batches = StreamBatches(
        Sparse(), prepare_rare, batch=3, seed=5, share=Share(), threads=0, n_shown=4, held=Sparse(), n_held=5
    )
    assert batches.show()["number"].tolist() == [19, 39, 59, 79]
    assert torch.cat([batch["number"] for batch in batches.held()]).tolist() == [19, 39, 59, 79, 99]


@pytest.mark.parametrize("threads", [2, 8])
def test_that_one_picture_is_enough(threads: int, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(np.full((4, 4, 3), 9, np.uint8)))
    stream = Stream(Selection(folder="."), tmp_path, seed=1)
    batches = StreamBatches(
        stream, lambda sample, _: {"x": sample.picture()}, batch=8, seed=0, share=Share(), threads=threads
    )
    for number in range(1, 120):
        assert bool((batches.draw(number)["x"] == 9).all())
