"""Engines: who does the jobs. Here, or in worker processes of this machine."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import wait
from types import TracebackType
from typing import Protocol, Self, cast

from earthloom.core.errors import RunError
from earthloom.run.job import Job
from earthloom.run.worker import STOP, Answer, Beat, Order, do_job, prepare_process
from earthloom.store.shards import Manifest

_DEATHS_BEFORE_SKIP = 2
"""A unit during which a worker died this often is set aside: once may be chance, twice is the unit."""
_DEATHS_BEFORE_GIVING_UP = 3
"""A job whose workers die before any unit this often ends the run: the machine, not a record, is at fault."""
_STOP_SECONDS = 20.0
"""How long a worker may take to reach the next unit when asked to stop."""
_WORKER = "from earthloom.run.worker import main; main()"
"""A fresh interpreter that never imports the caller's script: no `if __name__` guard is needed there."""


class Engine(Protocol):
    """Does jobs in any order and hands back their manifests as they finish."""

    def run(self, jobs: Iterable[Job]) -> Iterator[Manifest]:
        """Do all jobs; the first error that concerns the whole run is raised."""

    def __enter__(self) -> Self:
        """Start."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop whatever is still at work."""


class InlineEngine:
    """Does the jobs in this process, one after the other: for debugging and small runs."""

    def __enter__(self) -> Self:
        prepare_process()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def run(self, jobs: Iterable[Job]) -> Iterator[Manifest]:
        """Do all jobs in their order."""
        for job in jobs:
            yield _unwrap(do_job(job, {}))


@dataclass
class _Task:
    """A job with its history of dead workers."""

    job: Job
    skip: dict[int, str] = field(default_factory=dict)
    deaths: dict[int | None, int] = field(default_factory=dict)

    def note_death(self, unit: int | None, how: str) -> None:
        """Remember that a worker died at `unit`; raise when that cannot be a record's fault."""
        self.deaths[unit] = self.deaths.get(unit, 0) + 1
        if unit is not None and self.deaths[unit] >= _DEATHS_BEFORE_SKIP:
            self.skip[unit] = f"The worker process {how} twice while it worked on this."
        elif unit is None and self.deaths[unit] >= _DEATHS_BEFORE_GIVING_UP:
            raise RunError(
                f"Worker processes keep dying before they start on {self.job.stage} shard {self.job.name}"
                f" (the last one {how}). Try `--workers 0` to see the cause."
            )


class _Worker:
    """One worker process and the pipe to it."""

    def __init__(self) -> None:
        self.connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-c", _WORKER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.task: _Task | None = None
        self.unit: int | None = None

    def start(self, task: _Task) -> None:
        """Send a job."""
        self.task, self.unit = task, None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            # A worker that is already dead is noticed when its pipe is read.
            self.connection.send(Order(task.job, task.skip))

    def receive(self) -> Answer | None:
        """Take one message: an answer, or None for a beat. Raises EOFError when the process has died."""
        message = self.connection.recv()
        if isinstance(message, Beat):
            self.unit = message.unit
            return None
        self.task = None
        return cast("Answer", message)

    def bury(self) -> str:
        """Wait for the dead process and say how it died."""
        code = self._process.wait()
        self.connection.close()
        if code >= 0:
            return f"ended with status {code}"
        name = signal.Signals(-code).name
        return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")

    def stop(self) -> None:
        """Let the process end by itself, at the next unit; kill it if it does not."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, OSError):
            self.connection.send(STOP)
        self.connection.close()

    def join(self) -> None:
        """Wait until the process is gone."""
        try:
            self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ProcessEngine:
    """Does the jobs in worker processes. A worker that dies costs one record at most, never the run."""

    def __init__(self, n_workers: int) -> None:
        self._n_workers = n_workers
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        self._workers = [_Worker() for _ in range(self._n_workers)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.join()
        self._workers = []

    def run(self, jobs: Iterable[Job]) -> Iterator[Manifest]:
        """Do all jobs, a few in flight at a time; `jobs` is read as workers become free."""
        waiting = (_Task(job) for job in jobs)
        again: deque[_Task] = deque()
        self._feed(waiting, again)
        while busy := [worker for worker in self._workers if worker.task is not None]:
            ready = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection not in ready:
                    continue
                try:
                    answer = worker.receive()
                except (EOFError, ConnectionResetError):
                    again.append(self._replace(worker))
                    answer = None
                if answer is not None:
                    self._feed(waiting, again)
                    yield _unwrap(answer)
            self._feed(waiting, again)

    def _feed(self, waiting: Iterator[_Task], again: deque[_Task]) -> None:
        for worker in self._workers:
            if worker.task is None:
                task = again.popleft() if again else next(waiting, None)
                if task is None:
                    return
                worker.start(task)

    def _replace(self, dead: _Worker) -> _Task:
        """Put a fresh worker in the place of a dead one and give back the job that was lost."""
        task, unit = cast("_Task", dead.task), dead.unit
        how = dead.bury()
        self._workers[self._workers.index(dead)] = _Worker()
        task.note_death(unit, how)
        return task


def _unwrap(answer: Answer) -> Manifest:
    if answer.error is not None:
        raise answer.error
    assert answer.manifest is not None
    return answer.manifest


def make_engine(n_workers: int) -> Engine:
    """Worker processes, or this process itself for `n_workers` 0."""
    return ProcessEngine(n_workers) if n_workers else InlineEngine()
