"""What the verbs share: the application, options, and how things are shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

app = typer.Typer(
    name="earthloom",
    help="Turn remote-sensing imagery into text-image datasets that can be trusted.",
    epilog="Start with: earthloom demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)

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
    """A line that changes, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


def to_json(value: object) -> str:
    """A value as text for machines."""
    import json

    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
