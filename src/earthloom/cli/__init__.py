"""The verbs: parse, then one call.

Exit status 0 done, 1 the work failed, 2 the call or the recipe was wrong, 130 it was stopped from outside.
Nothing heavy is imported before a verb runs: `earthloom --help` stays under half a second.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from earthloom.cli import building, effects, evaluating, experimenting, sources, training
from earthloom.cli.shared import app
from earthloom.core.errors import EarthloomError, RecipeError, UsageError

__all__ = ["app", "building", "effects", "evaluating", "experimenting", "main", "sources", "training"]


INTERRUPTED = 130
"""Exit status of what was stopped from outside, as shells have it."""


@app.callback(invoke_without_command=True)
def _start(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as find_version

        typer.echo(f"earthloom {find_version('earthloom')}")
        raise typer.Exit


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; every error of ours is one clear message, never a traceback."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except (RecipeError, UsageError) as error:
        typer.echo(f"earthloom: {error}", err=True)
        sys.exit(2)
    except EarthloomError as error:
        typer.echo(f"earthloom: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        _say_stopped()
        sys.exit(INTERRUPTED)
    except SystemExit as ended:  # Typer makes this of an interrupt inside a verb, and says nothing
        if ended.code == INTERRUPTED:
            _say_stopped()
        raise


def _say_stopped() -> None:
    typer.echo("earthloom: stopped.", err=True)
