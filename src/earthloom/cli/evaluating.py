"""Verbs that measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earthloom.cli.shared import Json, Quiet, app, epilog, show_status, to_json

evaluate = typer.Typer(
    help="Measure what was made.",
    epilog=epilog(
        "earthloom evaluate run recipe.yaml -o result",
        "earthloom evaluate scenes WORK --real fog=REAL_FOG -o evaluation",
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)


app.add_typer(evaluate, name="evaluate")


@evaluate.callback()
def _evaluate() -> None:
    """Measure what was made."""


@evaluate.command(
    epilog=epilog("earthloom evaluate run recipe.yaml", "earthloom evaluate run recipe.yaml -o result --json")
)
def run(
    recipe: Annotated[
        Path,
        typer.Argument(help="Recipe of an evaluation in YAML; its paths are relative to its own folder."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder; NAME-evaluation beside the recipe when not given."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure what a recipe describes: result.json with every figure and its protocol, index.html to look at."""
    from earthloom.generate.progress import Silence, choose_listener
    from earthloom.recipes import load_evaluation
    from earthloom.run.evaluating import run_evaluation

    loaded = load_evaluation(recipe)
    base = recipe.resolve().parent
    folder = output if output is not None else base / f"{loaded.name}-evaluation"
    listener = Silence() if quiet else choose_listener()
    with show_status() as show:
        tell = (lambda text: None) if quiet else show
        result = run_evaluation(loaded, folder, base=base, tell=tell, listener=listener)
    typer.echo(
        to_json(result.to_json()) if as_json else f"{result.to_text()}\npage     {folder / 'index.html'}"
    )


@evaluate.command(
    epilog=epilog(
        "earthloom evaluate compare before after", "earthloom evaluate compare A.json B.json -o both.html"
    )
)
def compare(
    results: Annotated[
        list[Path], typer.Argument(help="Results: folders of evaluations, or their result.json.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Page to write; JSON is written beside it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Line up results of one kind, with a warning wherever their protocols differ."""
    from earthloom.evaluate.comparing import write_comparison

    found = write_comparison(results, output)
    typer.echo(to_json(found.to_json()) if as_json else found.to_text())


@evaluate.command(
    epilog=epilog(
        "earthloom evaluate scenes WORK --real fog=REAL_FOG --real snow=REAL_SNOW",
        "earthloom evaluate scenes --synthetic fog=FOG --clear CLEAR --real fog=REAL_FOG -o evaluation",
    )
)
def scenes(
    release: Annotated[
        Path | None,
        typer.Argument(help="Work folder or release whose RGB pairs with an effect are measured."),
    ] = None,
    synthetic: Annotated[
        list[str] | None,
        typer.Option("--synthetic", help="Instead of a release: pictures with an effect, EFFECT=FOLDER."),
    ] = None,
    clear: Annotated[
        str | None,
        typer.Option("--clear", help="With --synthetic: their clear originals, paired by file name."),
    ] = None,
    real: Annotated[
        list[str] | None,
        typer.Option("--real", help="Real pictures with such weather, EFFECT=FOLDER; may be repeated."),
    ] = None,
    real_clear: Annotated[
        str | None,
        typer.Option("--real-clear", help="Real clear pictures; else the clear originals stand in."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; `evaluation` when not given.")
    ] = None,
    encoder: Annotated[
        str, typer.Option("--encoder", help="classical (no weights), dinov2 or inception.")
    ] = "classical",
    weights: Annotated[
        str | None, typer.Option("--weights", help="Folder or file of the encoder's weights.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Pictures of each set at most.")] = None,
    seed: Annotated[int, typer.Option(help="Of random halves, folds and --limit.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure synthetic weather against real weather and its clear originals; write numbers and a page."""
    from earthloom.evaluate.scenes import evaluate_scenes, parse_settings

    settings = parse_settings(
        release=None if release is None else str(release),
        synthetic=synthetic or [],
        clear=clear,
        real=real or [],
        real_clear=real_clear,
        encoder=encoder,
        weights=weights,
        limit=limit,
        seed=seed,
    )
    folder = Path("evaluation") if output is None else output
    with show_status() as show:
        report = evaluate_scenes(settings, folder, tell=(lambda text: None) if quiet else show)
    typer.echo(to_json(report.to_json()) if as_json else report.to_text())
