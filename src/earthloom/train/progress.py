"""Progress of a training, for a terminal or for a log. The loop tells; what is shown is decided here."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Protocol

from earthloom.core.durations import format_seconds

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_LOG_SECONDS = 10.0
"""Between two lines in a log."""
_BAR_SECONDS = 0.2
"""Between two changes of the losses beside the bar."""


class Listener(Protocol):
    """Is told how a training goes on."""

    def start(self, name: str, total: int, done: int) -> None:
        """Training begins: `total` steps in all, of which `done` were done before."""

    def advance(self, number: int, losses: Mapping[str, float]) -> None:
        """Step `number` is done."""

    def say(self, text: str) -> None:
        """Something worth a line has happened."""

    def close(self) -> None:
        """The run is over, well or badly."""


class Silence:
    """Shows nothing."""

    def start(self, name: str, total: int, done: int) -> None:
        """Show nothing."""

    def advance(self, number: int, losses: Mapping[str, float]) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


class LogLines:
    """Plain lines with rate, remaining time and losses: for logs and pipes."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stderr
        self._name, self._total, self._first = "", 0, 0
        self._start = self._last = 0.0

    def start(self, name: str, total: int, done: int) -> None:
        """Remember where training begins."""
        self._name, self._total, self._first = name, total, done
        self._start = self._last = time.monotonic()
        if done:
            self.say(f"goes on after step {done:,}")

    def advance(self, number: int, losses: Mapping[str, float]) -> None:
        """Print a line now and then."""
        now = time.monotonic()
        if now - self._last < _LOG_SECONDS:
            return
        self._last = now
        rate = (number - self._first) / max(now - self._start, 1e-9)
        left = format_seconds((self._total - number) / rate)
        self.say(f"{number:,}/{self._total:,} steps, {rate:.3g}/s, {left} left, {describe_losses(losses)}")

    def say(self, text: str) -> None:
        """Print a line."""
        print(f"{self._name}: {text}" if self._name else text, file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is left open."""


class Bar:
    """A bar with rate, remaining time and losses, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress: Progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None
        self._first, self._start, self._last = 0, 0.0, 0.0

    def start(self, name: str, total: int, done: int) -> None:
        """Show the bar."""
        self._first, self._start = done, time.monotonic()
        self._progress.start()
        self._task = self._progress.add_task(name, total=total, completed=done, note="")

    def advance(self, number: int, losses: Mapping[str, float]) -> None:
        """Move the bar."""
        assert self._task is not None
        now = time.monotonic()
        if now - self._last >= _BAR_SECONDS or number == self._progress.tasks[0].total:
            self._last = now
            rate = (number - self._first) / max(now - self._start, 1e-9)
            note = f"{rate:.3g} steps/s, {describe_losses(losses)}"
            self._progress.update(self._task, completed=number, note=note)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(text, highlight=False, markup=False)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()


def describe_losses(losses: Mapping[str, float]) -> str:
    """All losses with their names, in three digits."""
    return ", ".join(f"{name} {value:.3g}" for name, value in losses.items())


def choose_listener() -> Listener:
    """A bar on a terminal, lines otherwise."""
    return Bar() if sys.stderr.isatty() else LogLines()
