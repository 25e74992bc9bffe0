"""Units: the planned things of a shard, done one after the other, each to its end or to the reason why not."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from earthloom.core.errors import AccountError, RecordError, RunError
from earthloom.core.records import Failed, Refused
from earthloom.core.text import mend
from earthloom.run.job import Job, Tick
from earthloom.store.layout import ShardFiles, WorkFolder
from earthloom.store.shards import Manifest, ShardWriter


@dataclass(frozen=True)
class Unit:
    """One planned thing of a shard, and how to do it."""

    id: str
    key: str
    n: int
    """How many planned units of the stage it stands for."""
    outcomes: Callable[[], Iterable[object]]
    yields_many: bool = False
    """True where one planned unit gives one or more records (an item its scenes)."""


def run_units(
    job: Job,
    record: type,
    units: Iterable[Unit],
    tick: Tick,
    skip: dict[int, str],
    hide: str = "",
    tally: Callable[[], dict[str, int]] = dict,
) -> Manifest:
    """Do every unit of a shard. One that fails costs itself alone and is kept with its traceback.

    `hide` is a folder that no message may name; `tally` gives what the manifest is to hold when all is done.
    """
    files = ShardFiles(WorkFolder(job.work).stage(job.stage), job.name)
    writer = ShardWriter(files, record, stage=job.stage, key=job.key)
    with writer:
        for number, unit in enumerate(units):
            tick(number)
            writer.counts.planned += unit.n
            if number in skip:
                writer.fail(Failed(id=unit.id, key=unit.key, traceback=skip[number], n=unit.n))
                continue
            _run_unit(unit, writer, hide)
        writer.tally.update(tally())
    return writer.finish()


def _run_unit(unit: Unit, writer: ShardWriter, hide: str) -> None:
    written = 0
    lost = 0
    for outcome in _outcomes(unit):
        if isinstance(outcome, RecordError):
            detail = _hide(outcome.detail, hide)
            n = unit.n - written - lost
            writer.refuse(Refused(id=unit.id, key=unit.key, reason=outcome.reason, detail=detail, n=n))
            lost += n
        elif isinstance(outcome, Broken):
            n = unit.n - written - lost
            writer.fail(Failed(id=unit.id, key=unit.key, traceback=outcome.traceback, n=n))
            lost += n
        elif isinstance(outcome, Refused):
            writer.refuse(replace(outcome, detail=_hide(outcome.detail, hide)))
            lost += outcome.n
        else:
            writer.write(outcome)
            written = 1 if unit.yields_many else written + 1
    if written + lost != unit.n:
        raise AccountError(
            f"{unit.key}: planned {unit.n}, but {written} written and {lost} refused or failed."
        )
    writer.counts.written += written


@dataclass(frozen=True)
class Broken:
    """A bug met while working on a unit."""

    traceback: str


def _outcomes(unit: Unit) -> Iterator[object]:
    """What a unit gives, its exceptions as values; errors of the one who writes the outcomes pass by."""
    try:
        yield from unit.outcomes()
    except RecordError as error:
        yield error
    except RunError:
        raise  # a full disk is no fault of the record
    except Exception:  # noqa: BLE001  the one place where a bug is kept with its record
        yield Broken(traceback.format_exc())


def _hide(detail: str, folder: str) -> str:
    """Take the recipe's folder out of a message: a release says nothing of the machine it was made on."""
    return mend(detail.replace(folder + "/", "") if folder else detail)
