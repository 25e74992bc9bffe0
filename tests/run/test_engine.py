import os
import time
from pathlib import Path

import pytest
from engine_jobs import FakeJob

from earthloom.core.errors import RunError, WriteError
from earthloom.run.engine import Engine, InlineEngine, ProcessEngine, make_engine


@pytest.fixture(autouse=True)
def _workers_find_the_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(Path(__file__).parent / "jobs_for_tests")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")]))


def _engines() -> list[Engine]:
    return [InlineEngine(), ProcessEngine(1), ProcessEngine(2)]


@pytest.mark.parametrize("engine", _engines(), ids=["here", "one worker", "two workers"])
def test_every_job_is_done_once(engine: Engine, tmp_path: Path) -> None:
    jobs = [FakeJob(f"s-{i}", tmp_path, units=i) for i in range(9)]
    with engine:
        done = list(engine.run(iter(jobs)))
        again = list(engine.run(iter(jobs[:2])))
    assert sorted(m.name for m in done) == [job.name for job in jobs]
    assert {m.name: m.counts.written for m in done} == {f"s-{i}": i for i in range(9)}
    assert len(again) == 2


def test_jobs_are_taken_as_workers_become_free(tmp_path: Path) -> None:
    taken = []

    def jobs():  # type: ignore[no-untyped-def]
        for i in range(20):
            taken.append(i)
            yield FakeJob(f"s-{i}", tmp_path)

    with ProcessEngine(2) as engine:
        results = engine.run(jobs())
        next(results)
        assert len(taken) <= 4
        assert len(list(results)) == 19


def test_a_unit_that_kills_its_worker_twice_is_set_aside(tmp_path: Path) -> None:
    jobs = [FakeJob("bad", tmp_path, units=5, behaviour="kill", at=3), FakeJob("good", tmp_path)]
    with ProcessEngine(1) as engine:
        done = {m.name: m for m in engine.run(jobs)}
    assert done["bad"].counts.failed == 1
    assert done["bad"].counts.written == 4
    assert done["bad"].counts.adds_up
    assert done["good"].counts.written == 4
    assert len(set((tmp_path / "bad.tries").read_text().split())) == 2
    assert "SIGKILL (out of memory?)" in (tmp_path / "bad.skipped").read_text()


def test_a_worker_that_dies_by_chance_costs_nothing(tmp_path: Path) -> None:
    with ProcessEngine(2) as engine:
        (done,) = engine.run([FakeJob("once", tmp_path, behaviour="kill once", at=2)])
    assert done.counts.failed == 0
    assert done.counts.written == 4


def test_workers_that_cannot_even_start_end_the_run(tmp_path: Path) -> None:
    with ProcessEngine(1) as engine, pytest.raises(RunError, match=r"keep dying.*status 3.*--workers 0"):
        list(engine.run([FakeJob("s", tmp_path, behaviour="die at once")]))


@pytest.mark.parametrize("engine", _engines(), ids=["here", "one worker", "two workers"])
@pytest.mark.parametrize(
    ("behaviour", "error", "words"),
    [
        ("disk full", WriteError, "disk is full"),
        ("bug", RunError, "tile shard s failed:(?s:.*)ZeroDivisionError"),
    ],
)
def test_errors_that_concern_the_run_end_it(
    engine: Engine, behaviour: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    with engine, pytest.raises(error, match=words):
        list(engine.run([FakeJob("s", tmp_path, behaviour=behaviour)]))


def test_leaving_early_stops_the_workers_at_their_next_unit(tmp_path: Path) -> None:
    start = time.monotonic()
    with ProcessEngine(2) as engine:
        results = engine.run([FakeJob("a", tmp_path), FakeJob("b", tmp_path, units=10**7)])
        assert next(results).name == "a"
    assert time.monotonic() - start < 15


def test_zero_workers_is_this_process() -> None:
    assert isinstance(make_engine(0), InlineEngine)
    assert isinstance(make_engine(3), ProcessEngine)
