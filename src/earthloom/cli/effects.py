"""What effects there are, and a look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earthloom.cli.shared import Json, app, epilog, show_status, to_json

effects = typer.Typer(
    help="List the effects that `synthesize` can lay over tiles, or look at them on your own tiles.",
    epilog=epilog("earthloom effects", "earthloom effects sheet WORK -o sheet"),
    invoke_without_command=True,
    rich_markup_mode=None,
)


app.add_typer(effects, name="effects")


@effects.callback()
def list_effects(context: typer.Context, as_json: Json = False) -> None:
    """List the effects that `synthesize` can lay over tiles, or look at them on your own tiles."""
    if context.invoked_subcommand is not None:
        return
    from earthloom.synthesize import EFFECTS

    if as_json:
        typer.echo(to_json({name: kind.summary for name, kind in EFFECTS.items()}))
        return
    typer.echo("\n".join(f"{name:12} {kind.summary}" for name, kind in EFFECTS.items()))


@effects.command(
    epilog=epilog(
        "earthloom effects sheet WORK", "earthloom effects sheet WORK --effect fog --effect snow --places 8"
    )
)
def sheet(
    work: Annotated[Path, typer.Argument(help="Work folder in which `earthloom build` has cut tiles.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; WORK/sheet when not given.")
    ] = None,
    effect: Annotated[
        list[str] | None, typer.Option("--effect", "-e", help="An effect to show; all when not given.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help="Recipe whose `synthesize` says how; else the defaults.")
    ] = None,
    places: Annotated[int, typer.Option(min=1, help="How many places.")] = 4,
    seed: Annotated[int, typer.Option(help="Another seed shows other places and other weather.")] = 0,
    as_json: Json = False,
) -> None:
    """Lay every effect at every strength over some places, side by side: look before you make thousands."""
    from earthloom.recipes import load_recipe
    from earthloom.run.sheet import write_sheet

    told = None if recipe is None else load_recipe(recipe)
    base = Path.cwd() if recipe is None else recipe.resolve().parent
    out = work / "sheet" if output is None else output
    with show_status() as tell:
        made = write_sheet(
            work, out, recipe=told, base=base, effects=effect or [], places=places, seed=seed, tell=tell
        )
    typer.echo(to_json(made.to_json()) if as_json else made.to_text())
