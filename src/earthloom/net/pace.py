"""Turns at a host: how many requests run at once and how far apart they start, over threads and processes.

Processes meet in a folder. A slot is a file that its holder locks: the lock goes when the holder dies, however it
dies. Another file, locked while it is read and written, holds the time before which no request may start.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LONGEST_WAIT_S = 900.0
"""A start is never put off longer, whatever a server or a clock that was set back says."""
_POLL_S = 0.005
_LONGEST_POLL_S = 0.05


class Pace:
    """The limits for all hosts."""

    def __init__(self, per_host: int, interval_s: float, folder: Path | None = None) -> None:
        """folder: where the processes that share the limits meet; None: they hold for this process alone."""
        self._per_host = per_host
        self._interval_s = interval_s
        self._folder = folder
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def turn(self, host: str, delay_s: float = 0.0) -> Iterator[None]:
        """Wait for a turn at a host and keep it during the block; `delay_s` is its own wish for the interval."""
        here = self._get(host)
        with here.slots, self._hold_slot(here):
            self._wait_for_start(here, max(self._interval_s, delay_s))
            yield

    def put_off(self, host: str, seconds: float) -> None:
        """Let no request to a host start for some time, since it asked for that."""
        here = self._get(host)
        with self._open_start(here) as start:
            start.set(max(start.get(), time.time() + seconds))

    def _get(self, host: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(host, _Host(host, self._per_host))

    @contextlib.contextmanager
    def _hold_slot(self, host: _Host) -> Iterator[None]:
        if self._folder is None:
            yield
            return
        with contextlib.ExitStack() as files:
            slots = [
                files.enter_context((self._folder / f"{host.name}.slot{number}").open("ab"))
                for number in range(self._per_host)
            ]
            pause = _POLL_S
            while not any(map(_try_lock, slots)):
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_POLL_S)
            yield  # closing the files gives the slot back

    def _wait_for_start(self, host: _Host, interval_s: float) -> None:
        """Sleep until a request may start, with the others waiting behind."""
        with self._open_start(host) as start:
            wait = min(start.get() - time.time(), LONGEST_WAIT_S)
            if wait > 0:
                time.sleep(wait)
            start.set(time.time() + interval_s)

    @contextlib.contextmanager
    def _open_start(self, host: _Host) -> Iterator[_Start]:
        with host.lock:
            if self._folder is None:
                yield host.start
                return
            with (self._folder / f"{host.name}.start").open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield _StartFile(file)


class _Start:
    """The time (`time.time()`) before which no request to a host may start."""

    def __init__(self) -> None:
        self._at = 0.0

    def get(self) -> float:
        return self._at

    def set(self, at: float) -> None:
        self._at = at


class _StartFile(_Start):
    """The same in a file that is open and locked."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def get(self) -> float:
        self._file.seek(0)
        try:
            return float(self._file.read(64))
        except ValueError:
            return 0.0  # new, or written by a process that was killed meanwhile

    def set(self, at: float) -> None:
        self._file.truncate(0)
        self._file.write(f"{at:.6f}".encode())
        self._file.flush()


class _Host:
    def __init__(self, host: str, n_slots: int) -> None:
        self.name = hashlib.blake2b(host.encode(), digest_size=12).hexdigest()
        self.slots = threading.BoundedSemaphore(n_slots)
        self.lock = threading.Lock()
        self.start = _Start()


def _try_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
