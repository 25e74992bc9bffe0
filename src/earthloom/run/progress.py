"""Progress of a run, for a terminal or for a log. The runner tells; what is shown is decided here."""

from __future__ import annotations

import sys
import time
from typing import IO, TYPE_CHECKING, Protocol

from earthloom.core.durations import format_seconds
from earthloom.store.shards import Counts

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_LOG_SECONDS = 10.0
"""Between two lines of one stage in a log."""

NOUNS = {
    "ingest": "items",
    "tile": "windows",
    "synthesize": "variants",
    "ask blip2": "tiles",
    "ask chat": "tiles",
    "caption": "tiles",
    "curate": "tiles",
    "export": "pairs",
}
"""What each stage counts."""


class Listener(Protocol):
    """Is told how a run goes on."""

    def start_stage(self, stage: str, total: int | None) -> None:
        """A stage begins; `total` planned units, None while unknown."""

    def advance(self, n: int) -> None:
        """`n` more units of the stage are accounted for."""

    def finish_stage(self, counts: Counts, seconds: float, n_reused: int) -> None:
        """The stage is done."""

    def close(self) -> None:
        """The run is over, well or badly."""


class Silence:
    """Shows nothing."""

    def start_stage(self, stage: str, total: int | None) -> None:
        """Show nothing."""

    def advance(self, n: int) -> None:
        """Show nothing."""

    def finish_stage(self, counts: Counts, seconds: float, n_reused: int) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


class LogLines:
    """Plain lines with rate and remaining time: for logs and pipes."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stderr
        self._begin("", None)

    def _begin(self, stage: str, total: int | None) -> None:
        self._stage, self._total, self._done = stage, total, 0
        self._start = self._last = time.monotonic()

    def start_stage(self, stage: str, total: int | None) -> None:
        """Remember the stage."""
        self._begin(stage, total)

    def advance(self, n: int) -> None:
        """Print a line now and then."""
        self._done += n
        now = time.monotonic()
        if now - self._last >= _LOG_SECONDS:
            self._last = now
            print(self._line(now), file=self._out, flush=True)

    def _line(self, now: float) -> str:
        rate = self._done / max(now - self._start, 1e-9)
        of = f"/{self._total:,}" if self._total else ""
        left = f", {format_seconds((self._total - self._done) / rate)} left" if self._total and rate else ""
        return f"{self._stage:10} {self._done:,}{of} {NOUNS[self._stage]}, {rate:,.0f}/s{left}"

    def finish_stage(self, counts: Counts, seconds: float, n_reused: int) -> None:
        """Print what became of the stage."""
        print(
            f"{self._stage:10} {describe_stage(self._stage, counts, seconds, n_reused)}",
            file=self._out,
            flush=True,
        )

    def close(self) -> None:
        """Nothing is left open."""


class Bars:
    """A bar a stage with rate and remaining time, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self._progress: Progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:10}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._progress.start()
        self._task: TaskID | None = None
        self._stage, self._start, self._done = "", 0.0, 0

    def start_stage(self, stage: str, total: int | None) -> None:
        """Add a bar."""
        self._stage, self._start, self._done = stage, time.monotonic(), 0
        self._task = self._progress.add_task(stage, total=total, note="")

    def advance(self, n: int) -> None:
        """Move the bar."""
        assert self._task is not None
        self._done += n
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        self._progress.update(self._task, advance=n, note=f"{rate:,.0f} {NOUNS[self._stage]}/s")

    def finish_stage(self, counts: Counts, seconds: float, n_reused: int) -> None:
        """Fill the bar and say what became of the stage."""
        assert self._task is not None
        total = max(counts.planned, 1)
        note = describe_stage(self._stage, counts, seconds, n_reused)
        self._progress.update(self._task, total=total, completed=total, note=note)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()


def describe_stage(stage: str, counts: Counts, seconds: float, n_reused: int) -> str:
    """One line on a finished stage."""
    words = [f"{counts.written:,} of {counts.planned:,} {NOUNS[stage]} in {format_seconds(seconds)}"]
    if refused := sum(counts.refused.values()):
        words.append(f"{refused:,} refused")
    if counts.failed:
        words.append(f"{counts.failed:,} FAILED")
    if n_reused:
        words.append(f"{n_reused:,} shards kept from before")
    return ", ".join(words)


def choose_listener() -> Listener:
    """Bars on a terminal, lines otherwise."""
    return Bars() if sys.stderr.isatty() else LogLines()
