"""Progress of a generation, for a terminal or for a log. The run tells; what is shown is decided here."""

from __future__ import annotations

import sys
import time
from typing import IO, TYPE_CHECKING, Protocol

from earthloom.core.durations import format_seconds

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_LOG_SECONDS = 10.0
"""Between two lines in a log."""


class Listener(Protocol):
    """Is told how a generation goes on."""

    def start(self, total: int) -> None:
        """Drawing begins: so many pictures are to be drawn."""

    def advance(self, n: int) -> None:
        """`n` more pictures are drawn."""

    def say(self, text: str) -> None:
        """Something worth a line."""

    def close(self) -> None:
        """The run is over, well or badly."""


class Silence:
    """Shows nothing."""

    def start(self, total: int) -> None:
        """Show nothing."""

    def advance(self, n: int) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


class LogLines:
    """Plain lines with rate and remaining time: for logs and pipes."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stderr
        self._total = self._done = 0
        self._start = self._last = 0.0

    def start(self, total: int) -> None:
        """Remember when drawing begins."""
        self._total = total
        self._start = self._last = time.monotonic()

    def advance(self, n: int) -> None:
        """Print a line now and then."""
        self._done += n
        now = time.monotonic()
        if now - self._last < _LOG_SECONDS:
            return
        self._last = now
        rate = self._done / max(now - self._start, 1e-9)
        left = format_seconds((self._total - self._done) / rate)
        self.say(f"{self._done:,}/{self._total:,} pictures, {rate:.3g}/s, {left} left")

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is left open."""


class Bar:
    """A bar with remaining time, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress: Progress = Progress(
            TextColumn("pictures"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None

    def start(self, total: int) -> None:
        """Show the bar."""
        self._progress.start()
        self._task = self._progress.add_task("", total=total)

    def advance(self, n: int) -> None:
        """Move the bar."""
        assert self._task is not None
        self._progress.update(self._task, advance=n)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(text, highlight=False, markup=False)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()


def choose_listener() -> Listener:
    """A bar on a terminal, lines otherwise."""
    return Bar() if sys.stderr.isatty() else LogLines()
