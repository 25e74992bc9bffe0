"""A worker process: takes jobs from a pipe, does them, answers."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from earthloom.core.errors import EarthloomError, RunError, StoppedError

if TYPE_CHECKING:
    from earthloom.run.job import Job
    from earthloom.store.shards import Manifest

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Order:
    """A job to do, without the units that killed a worker before."""

    job: Job
    skip: dict[int, str]


@dataclass(frozen=True)
class Answer:
    """How a job ended: a manifest or an error that ends the run."""

    manifest: Manifest | None
    error: EarthloomError | None = None


@dataclass(frozen=True)
class Beat:
    """The number of the unit that a worker is about to work on."""

    unit: int


STOP = "stop"
"""Sent to a worker that shall give up its job at the next unit."""


def prepare_process() -> None:
    """Make libraries use one thread each: the run is parallel over shards, and equal shards must give equal bytes."""
    import cv2
    import pyarrow as pa

    cv2.setNumThreads(1)
    pa.set_cpu_count(1)


def do_job(job: Job, skip: dict[int, str], connection: Connection | None = None) -> Answer:
    """Do one job; errors that concern the whole run become the answer's error."""

    def tick(unit: int) -> None:
        if connection is None:
            return
        connection.send(Beat(unit))
        if connection.poll():
            raise StoppedError("The run was asked to stop.")

    try:
        return Answer(job.run(tick, skip))
    except EarthloomError as error:
        return Answer(None, error)
    except Exception:  # noqa: BLE001  the runner reports it with the shard's name
        return Answer(None, RunError(f"{job.stage} shard {job.name} failed:\n{traceback.format_exc()}"))


def _die_with_parent() -> None:
    """Ask Linux to end this process with its parent, so that a killed run leaves nobody who writes."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def serve(connection: Connection) -> None:
    """Do jobs until the other side hangs up or says stop."""
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while isinstance(order := connection.recv(), Order):
            answer = do_job(order.job, order.skip, connection)
            connection.send(answer)
            if isinstance(answer.error, StoppedError):
                return


def main() -> None:
    """Serve on the file descriptor named by the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    prepare_process()
    with Connection(int(sys.argv[1])) as connection:
        serve(connection)
