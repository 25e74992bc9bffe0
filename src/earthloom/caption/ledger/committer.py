"""One thread that writes for many: what has queued up while it wrote goes into the next transaction together.

Sixty-four threads that each wait for a disk share its flushes instead of queueing for them (group commit: DeWitt et
al., "Implementation techniques for main memory database systems", SIGMOD 1984).
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from earthloom.caption.ledger.file import explain, open_to_write
from earthloom.core.errors import UsageError

_MOST_TOGETHER = 1024

Work = Callable[[sqlite3.Connection], Any]
"""What to do within a transaction. It raises nothing but SQLite's errors."""


class _Job:
    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Lock()  # the cheapest thing that one thread can wait for and another release
        self.done.acquire()

    def settle(self, error: BaseException | None = None) -> None:
        self.error = error
        self.done.release()


class Committer:
    """Runs work within transactions on a connection of its own, in the order in which it comes."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """`connection` is the committer's from here on."""
        self._path = path
        self._connection: sqlite3.Connection | None = connection
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def commit(self, work: Work) -> Any:
        """Have `work` done and wait until it is on the disk.

        Raises:
            WriteError: the disk did not take it; nothing of it was kept.
            RunError: the file is damaged, or another process does not let go of it.
            UsageError: the committer is closed.

        """
        job = _Job(work)
        with self._closing:
            if self._is_closed:
                raise UsageError(f"The ledger {self._path} is closed. Open it again.")
            self._queue.put(job)
        job.done.acquire()
        if job.error is not None:
            raise job.error.with_traceback(None)
        return job.result

    def close(self) -> None:
        """Write what has queued up, then stop."""
        with self._closing:
            is_first, self._is_closed = not self._is_closed, True
        if is_first:
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open:
            jobs, is_open = self._collect()
            if jobs:
                self._commit_all(jobs)
        if self._connection is not None:
            self._connection.close()

    def _collect(self) -> tuple[list[_Job], bool]:
        """Wait for work, then take all that there is; False where the committer is to stop."""
        jobs: list[_Job] = []
        job = self._queue.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == _MOST_TOGETHER:
                return jobs, True
            try:
                job = self._queue.get_nowait()
            except Empty:
                return jobs, True
        return jobs, False

    def _commit_all(self, jobs: list[_Job]) -> None:
        try:
            self._transact(jobs)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._reopen_later()
            for job in jobs:
                job.settle(explain(self._path, error))
        except BaseException as error:  # noqa: BLE001  (it belongs to the callers, who wait)
            self._reopen_later()
            for job in jobs:
                job.settle(error)
        else:
            for job in jobs:
                job.settle()

    def _transact(self, jobs: list[_Job]) -> None:
        if self._connection is None:
            self._connection = open_to_write(self._path)
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            job.result = job.work(connection)
        connection.execute("COMMIT")

    def _reopen_later(self) -> None:
        """A connection that failed to write is not trusted again; closing it rolls back."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
