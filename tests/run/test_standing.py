"""Shards that something could not be reached for are done again, and never end with less than they had."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from earthloom.core.records import Reason, Refused, Verdict
from earthloom.run.job import Tick
from earthloom.run.standing import Standing
from earthloom.store.layout import ShardFiles
from earthloom.store.shards import Manifest, ShardWriter
from earthloom.store.tables import read_records


@dataclass(frozen=True)
class Fetch:
    """A job whose units are reached or not as it is told."""

    work: Path
    name: str
    reached: tuple[str, ...]
    missed: tuple[str, ...] = ()
    key: str = "k"
    stage: str = "ingest"

    def run(self, tick: Tick, skip: dict[int, str]) -> Manifest:
        writer = ShardWriter(ShardFiles(self.work, self.name), Verdict, stage=self.stage, key=self.key)
        with writer:
            writer.counts.planned = len(self.reached) + len(self.missed)
            writer.counts.written = len(self.reached)
            for name in self.reached:
                writer.write(Verdict(id=name, split="train"))
            for name in self.missed:
                writer.refuse(Refused(id=name, key=name, reason=Reason.UNREACHABLE, detail="no answer"))
        return writer.finish()


def run(folder: Path, *jobs: Fetch) -> tuple[list[str], list[Manifest]]:
    """Do what is pending; the names of what was done, and the manifests of all."""
    ledger = Standing(folder, lambda n: None)
    done = []
    for job in ledger.pending(jobs):
        done.append(job.name)
        ledger.note(job.run(lambda n: None, {}))
    return done, ledger.in_order()


def ids(folder: Path, name: str) -> list[str]:
    return [verdict.id for verdict in read_records(ShardFiles(folder, name).rows, Verdict)]


def test_what_was_reached_is_done_once(tmp_path: Path) -> None:
    jobs = (Fetch(tmp_path, "a", ("1", "2")), Fetch(tmp_path, "b", ("3",)))
    assert run(tmp_path, *jobs)[0] == ["a", "b"]
    assert run(tmp_path, *jobs)[0] == []


def test_what_was_not_reached_is_asked_for_again_and_makes_later_stages_stale(tmp_path: Path) -> None:
    first = run(tmp_path, Fetch(tmp_path, "a", ("1",), ("2",)))[1]
    done, second = run(tmp_path, Fetch(tmp_path, "a", ("1", "2")))
    assert done == ["a"]
    assert ids(tmp_path, "a") == ["1", "2"]
    assert first[0].key == second[0].key == second[0].identity
    assert first[0].identity != second[0].identity
    assert not ShardFiles(tmp_path, "a").refused.exists()
    assert run(tmp_path, Fetch(tmp_path, "a", ("1", "2")))[0] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.parquet"]


def test_the_same_again_leaves_later_stages_as_they_are(tmp_path: Path) -> None:
    job = Fetch(tmp_path, "a", ("1",), ("2",))
    first, second = run(tmp_path, job)[1], run(tmp_path, job)[1]
    assert first[0].identity == second[0].identity


def test_a_worse_try_gives_way_to_the_old_one(tmp_path: Path) -> None:
    first = run(tmp_path, Fetch(tmp_path, "a", ("1", "2"), ("3",)))[1]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done, second = run(tmp_path, Fetch(tmp_path, "a", (), ("1", "2", "3")))
    assert done == ["a"]
    assert second == first
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_an_interrupted_try_left_does_no_harm(tmp_path: Path) -> None:
    job = Fetch(tmp_path, "a", ("1",), ("2",))
    run(tmp_path, job)
    ledger = Standing(tmp_path, lambda n: None)
    assert next(ledger.pending([job])) == job
    assert (tmp_path / "before").is_dir()
    assert run(tmp_path, Fetch(tmp_path, "a", ("1", "2")))[0] == ["a"]
    assert not (tmp_path / "before").exists()
