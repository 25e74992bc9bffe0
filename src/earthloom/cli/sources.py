"""What sources there are, and a look at a download."""

from __future__ import annotations

from typing import Annotated

import typer

from earthloom.cli.shared import Json, app, epilog, show_status, to_json

sources = typer.Typer(
    help="List the kinds of sources, say what is known of one, or look at a download.",
    epilog=epilog(
        "earthloom sources", "earthloom sources show gid", "earthloom sources check inria DOWNLOADS"
    ),
    invoke_without_command=True,
    rich_markup_mode=None,
)


app.add_typer(sources, name="sources")


@sources.callback()
def list_sources(context: typer.Context, as_json: Json = False) -> None:
    """List the kinds of sources, say what is known of one, or look at a download."""
    if context.invoked_subcommand is not None:
        return
    from earthloom.run.sources import describe_kinds

    kinds = describe_kinds()
    typer.echo(to_json(kinds.to_json()) if as_json else kinds.to_text())


@sources.command(epilog=epilog("earthloom sources show gid", "earthloom sources show fmow --json"))
def show(
    kind: Annotated[str, typer.Argument(help="Kind of source, as in a recipe.")],
    as_json: Json = False,
) -> None:
    """Say what is known of a kind of source: its layout on disk, its terms, an entry for a recipe."""
    from earthloom.run.sources import describe_kind

    description = describe_kind(kind)
    typer.echo(to_json(description.to_json()) if as_json else description.to_text())


@sources.command(
    epilog=epilog(
        "earthloom sources check inria AerialImageDataset",
        "earthloom sources check mrssc2 MRSSC2.0 --set mode=vis",
    )
)
def check(
    kind: Annotated[str, typer.Argument(help="Kind of source, as in a recipe.")],
    path: Annotated[
        str, typer.Argument(help="What was downloaded: a folder, or a file; for STAC also a URL.")
    ],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the source, NAME=VALUE; may be repeated.")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="Items whose headers are read; all are listed.")] = 500,
    as_json: Json = False,
) -> None:
    """Look at a download: what is there, what is missing, what would be built. Builds nothing."""
    from earthloom.run.check import check_source
    from earthloom.run.sources import parse_settings

    told = parse_settings(settings or [])
    with show_status() as tell:
        found = check_source(kind, path, told, sample=sample, tell=tell)
    typer.echo(to_json(found.to_json()) if as_json else found.to_text())
    if not found.usable:
        raise typer.Exit(1)
