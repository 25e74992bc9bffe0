"""Verbs that do several recipes in a row to answer one question."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earthloom.cli.shared import Json, Quiet, Workers, app, epilog, to_json

experiment = typer.Typer(
    help="Do several recipes in a row that answer one question.",
    epilog=epilog(
        "earthloom experiment list",
        "earthloom experiment run prompt_richness",
        "earthloom experiment run prompt_richness --size eurosat --set data=eurosat_rgb.tar",
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(experiment, name="experiment")


@experiment.callback()
def _experiment() -> None:
    """Do several recipes in a row that answer one question."""


@experiment.command("list", epilog=epilog("earthloom experiment list --json"))
def list_(as_json: Json = False) -> None:
    """List the experiments that come with earthloom, with the questions that they answer."""
    from earthloom.experiments.shipped import list_experiments

    found = list_experiments()
    typer.echo(to_json(found.to_json()) if as_json else found.to_text())


@experiment.command(epilog=epilog("earthloom experiment show finetune > mine.yaml"))
def show(name: Annotated[str, typer.Argument(help="Name of an experiment, or its file.")]) -> None:
    """Print the recipe of an experiment, to read it or to begin one of your own with."""
    from earthloom.experiments.shipped import read_experiment

    typer.echo(read_experiment(name), nl=False)


@experiment.command(
    epilog=epilog(
        "earthloom experiment run finetune",
        "earthloom experiment run finetune --size full --set data=my-release -o finetune",
    )
)
def run(
    name: Annotated[str, typer.Argument(help="Name of an experiment that comes with earthloom, or a file.")],
    size: Annotated[
        str | None,
        typer.Option("--size", help="One of its sizes, such as toy or full; its own when not given."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A value of the experiment, NAME=VALUE; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; NAME-SIZE when not given.")
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Begin trainings anew that are not done, whatever their folders hold."),
    ] = False,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build, train, draw and measure as an experiment says, and answer its question. Run again, it goes on."""
    from earthloom.core.extras import explain_missing_models
    from earthloom.experiments.shipped import parse_given

    given = parse_given(settings or [])
    with explain_missing_models("Experiments need"):
        from earthloom.experiments.running import run_experiment
    tell = (lambda text: None) if quiet else (lambda text: typer.echo(text, err=True))
    summary = run_experiment(
        name, size=size, given=given, folder=output, workers=workers, fresh=fresh, quiet=quiet, tell=tell
    )
    typer.echo(to_json(summary.to_json()) if as_json else summary.to_log())
