"""Verbs that make a release and say what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earthloom.cli.shared import Json, Quiet, Workers, app, epilog, to_json
from earthloom.core.errors import UsageError

if TYPE_CHECKING:
    from earthloom.run.recipe import Recipe
    from earthloom.run.summary import Summary


@app.command(epilog=epilog("earthloom build recipe.yaml", "earthloom build recipe.yaml -o out --workers 2"))
def build(
    recipe: Annotated[Path, typer.Argument(help="Recipe in YAML; its paths are relative to its own folder.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Work folder; NAME-work beside the recipe when not given."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Stop before captions are paid for, and say what they would cost."),
    ] = False,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build a dataset: from the sources of a recipe to a release. Run again, it goes on where it stopped."""
    from earthloom.recipes import load_recipe

    loaded = load_recipe(recipe)
    base = recipe.resolve().parent
    work = output if output is not None else base / f"{loaded.name}-work"
    if dry_run:
        _estimate(loaded, work, base, workers, as_json=as_json, quiet=quiet)
        return
    _build(loaded, work, base, workers, as_json=as_json, quiet=quiet)


@app.command(epilog=epilog("earthloom demo", "earthloom demo -o somewhere --workers 1"))
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Work folder.")] = Path("earthloom-demo"),
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build a small dataset from the built-in synthetic landscapes: RGB, near infrared and SAR, no download."""
    from earthloom.recipes import load_named

    _build(load_named("demo"), output, Path.cwd(), workers, as_json=as_json, quiet=quiet)


@app.command(
    epilog=epilog(
        "earthloom inspect out",
        "earthloom inspect out/release --json",
        "earthloom inspect generated/lake.png",
    )
)
def inspect(
    folder: Annotated[Path, typer.Argument(help="A work folder, a release, or a generated picture.")],
    as_json: Json = False,
) -> None:
    """Say what is in a work folder or a release, or how a picture was generated."""
    if folder.suffix.lower() == ".png" and folder.is_file():
        from earthloom.generate.looking import look_at

        shown = look_at(folder)
        typer.echo(to_json(shown.to_json()) if as_json else shown.to_text())
        return
    from earthloom.export import describe

    description = describe(folder)
    typer.echo(to_json(description.to_json()) if as_json else description.to_text())


@app.command(epilog=epilog("earthloom batch recipe.yaml output.jsonl errors.jsonl"))
def batch(
    recipe: Annotated[Path, typer.Argument(help="The recipe whose requests these files answer.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of answers and errors, as the provider gave them.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Work folder; NAME-work beside the recipe when not given."),
    ] = None,
    lost: Annotated[
        bool,
        typer.Option(
            "--lost",
            help="The files were lost: the next build writes all requests again that the ledger has out.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Take the answers to batch files into the ledger; then build goes on. For recipes with `chat: {batch: true}`."""
    from earthloom.recipes import load_recipe
    from earthloom.run.asking import read_answers, release_batches

    if lost == bool(files):
        raise UsageError("Name the files of answers, or say --lost where the requests were lost.")
    loaded = load_recipe(recipe)
    base = recipe.resolve().parent
    work = output or base / f"{loaded.name}-work"
    if lost:
        n = release_batches(loaded, work, base=base)
        typer.echo(to_json({"released": n}) if as_json else f"{n:,} requests will be written again.")
        return
    found = read_answers(loaded, work, files or [], base=base)
    typer.echo(to_json(found.to_json()) if as_json else found.to_text())


@app.command(epilog=epilog("earthloom costs out", "earthloom costs answers.sqlite --json"))
def costs(
    place: Annotated[Path, typer.Argument(help="A work folder, or the file of a ledger.")],
    as_json: Json = False,
) -> None:
    """Say what language models were asked for captions so far, and what that cost."""
    from earthloom.run.costs import read_costs

    found = read_costs(place)
    typer.echo(to_json(found.to_json()) if as_json else found.to_text())


@app.command(epilog=epilog("earthloom report out", "earthloom report out/release"))
def report(
    folder: Annotated[Path, typer.Argument(help="A work folder or a release.")],
    as_json: Json = False,
) -> None:
    """Write the report of a release again, as one HTML page, with its dataset card."""
    from earthloom.export import find_release, write_card, write_report

    release = find_release(folder)
    card, page = write_card(release), write_report(release)
    typer.echo(to_json({"card": str(card), "report": str(page)}) if as_json else f"{page}\n{card}")


def _build(
    recipe: Recipe, work: Path, base: Path, workers: int | None, *, as_json: bool, quiet: bool
) -> None:
    from earthloom.run.build import build as run_build
    from earthloom.run.progress import Silence, choose_listener

    listener = Silence() if quiet else choose_listener()
    summary = run_build(recipe, work, base=base, workers=workers, listener=listener)
    typer.echo(to_json(summary.to_json()) if as_json else describe_summary(summary))
    if summary.n_out == 0:
        typer.echo("The release is empty: everything was refused; see the reasons above.", err=True)
        raise typer.Exit(1)


def _estimate(
    recipe: Recipe, work: Path, base: Path, workers: int | None, *, as_json: bool, quiet: bool
) -> None:
    from earthloom.run.build import estimate
    from earthloom.run.progress import Silence, choose_listener

    listener = Silence() if quiet else choose_listener()
    found = estimate(recipe, work, base=base, workers=workers, listener=listener)
    if as_json:
        typer.echo(to_json(None if found is None else found.to_json()))
    else:
        typer.echo("No remote model has to be asked: nothing to pay." if found is None else found.to_text())


def describe_summary(summary: Summary) -> str:
    """What a run did, as a few lines."""
    lines = [
        f"{summary.name}: {summary.n_in:,} source items gave {summary.n_out:,} pairs in {summary.seconds:.1f} s"
    ]
    for name, stage in summary.stages.items():
        counts = stage.counts
        refused = "".join(f", {n:,} {reason}" for reason, n in sorted(counts.refused.items()))
        failed = f", {counts.failed:,} FAILED" if counts.failed else ""
        lines.append(
            f"  {name:10} {counts.planned:>9,} planned = {counts.written:,} written{refused}{failed}"
        )
    if summary.dropped:
        dropped = ", ".join(f"{n:,} {check}" for check, n in summary.dropped.items())
        lines.append(f"  captions that failed a check: {dropped}")
    if summary.n_failed:
        lines.append(f"  tracebacks: {summary.work}/*/*.failed.parquet")
    lines.append(f"release  {summary.release}")
    page = summary.release / "report.html"
    if page.exists():
        lines.append(f"report   {page}")
    return "\n".join(lines)
