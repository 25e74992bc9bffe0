"""What the verbs share: the application, options, and how things are shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

app = typer.Typer(
    name="earthloom",
    help="Build text-image datasets of satellite imagery, train models on them, measure the results.",
    epilog="Start with: earthloom demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)

LOG_SECONDS = 10.0
"""Between two lines of progress where there is no terminal."""

Workers = Annotated[
    int | None,
    typer.Option("--workers", "-w", min=0, help="Processes; 0 works in this one. All cores when not given."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def epilog(*examples: str) -> str:
    """Examples as the last line of a verb's help."""
    return "Examples:  " + "  |  ".join(examples)


@contextmanager
def show_status() -> Iterator[Callable[[str], None]]:
    """A line that changes, on a terminal; elsewhere, as in the log of a batch job, one now and then."""
    if not sys.stderr.isatty():
        yield _Log().tell
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


class _Log:
    """Lines, the first of them when a while has passed: what is done by then needs none."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def tell(self, text: str) -> None:
        now = time.monotonic()
        if now - self._last >= LOG_SECONDS:
            self._last = now
            typer.echo(text, err=True)


def to_json(value: object) -> str:
    """A value as text for machines."""
    import json

    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
