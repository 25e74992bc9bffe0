"""The verbs: parse, then one call. Exit status 0 done, 1 the work failed, 2 the call or the recipe was wrong.

Nothing heavy is imported before a verb runs: `earthloom --help` stays under half a second.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from earthloom.core.errors import EarthloomError, RecipeError, UsageError

if TYPE_CHECKING:
    from earthloom.run.recipe import Recipe
    from earthloom.run.summary import Summary

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


def _epilog(*examples: str) -> str:
    return "Examples:  " + "  |  ".join(examples)


@app.command(epilog=_epilog("earthloom build recipe.yaml", "earthloom build recipe.yaml -o out --workers 2"))
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


@app.command(epilog=_epilog("earthloom demo", "earthloom demo -o somewhere --workers 1"))
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Work folder.")] = Path("earthloom-demo"),
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build a small dataset from the built-in synthetic landscapes: RGB, near infrared and SAR, no download."""
    from earthloom.recipes import load_named

    _build(load_named("demo"), output, Path.cwd(), workers, as_json=as_json, quiet=quiet)


@app.command(epilog=_epilog("earthloom train snow.yaml", "earthloom train snow.yaml -o snow --fresh"))
def train(
    recipe: Annotated[
        Path, typer.Argument(help="Training recipe in YAML; its paths are relative to its own folder.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder; NAME-training beside the recipe when not given."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, whatever the folder holds.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a network from pictures: weights, samples, losses. Run again, it goes on where it stopped."""
    from earthloom.core.extras import explain_missing_models
    from earthloom.recipes import load_training

    loaded = load_training(recipe)
    with explain_missing_models("Training needs"):
        from earthloom.train.training import train as run_training
    from earthloom.train.progress import Silence, choose_listener

    base = recipe.resolve().parent
    folder = output if output is not None else base / f"{loaded.name}-training"
    listener = Silence() if quiet else choose_listener()
    summary = run_training(loaded, folder, base=base, fresh=fresh, listener=listener)
    typer.echo(_to_json(summary.to_json()) if as_json else summary.to_text())


@app.command(
    epilog=_epilog(
        'earthloom generate tiny --prompt "a river between fields" --n 4 --seed 1',
        "earthloom generate tiny --release WORK --split test --style plain -o pictures",
        "earthloom generate PIPELINE --lora snow.safetensors --prompts prompts.csv -o pictures",
    )
)
def generate(
    model: Annotated[
        str,
        typer.Argument(
            help="`tiny`, which comes with earthloom; the folder of a training; or a Stable Diffusion: its folder, or "
            "its name where it lies in the Hub's cache."
        ),
    ],
    prompt: Annotated[list[str] | None, typer.Option("--prompt", "-p", help="May be repeated.")] = None,
    prompts: Annotated[
        str | None, typer.Option("--prompts", help="File of prompts: .txt, .jsonl, .csv, .yaml.")
    ] = None,
    release: Annotated[
        str | None, typer.Option("--release", help="Work folder or release whose captions are prompts.")
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="Of a release: train, val or test.")] = None,
    style: Annotated[
        str | None, typer.Option("--style", help="Of a release: captions of this style.")
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="Pictures of each prompt.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other pictures.")] = 0,
    negative: Annotated[str | None, typer.Option("--negative", help="What to lead away from.")] = None,
    gsd: Annotated[float | None, typer.Option("--gsd", help="Ground sample distance, metres.")] = None,
    modality: Annotated[str | None, typer.Option("--modality", help="rgb, nir or sar.")] = None,
    scene: Annotated[str | None, typer.Option("--scene", help="Weather or light, such as fog.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Class of the whole picture.")] = None,
    lon: Annotated[float | None, typer.Option("--lon", help="Degrees.")] = None,
    lat: Annotated[float | None, typer.Option("--lat", help="Degrees.")] = None,
    date: Annotated[str | None, typer.Option("--date", help="Such as 2023-07-14, or 2023-07.")] = None,
    cloud: Annotated[float | None, typer.Option("--cloud", help="Share that clouds cover, 0 to 1.")] = None,
    control: Annotated[
        str | None, typer.Option("--control", help="Picture of the same ground to draw from.")
    ] = None,
    control_modality: Annotated[
        str | None,
        typer.Option(
            "--control-modality", help="Of a release: draw from the co-registered picture of this one."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help="The model's own number when not given.")
    ] = None,
    guidance: Annotated[
        float | None, typer.Option("--guidance", help="How far to follow the prompt; 1 for no guidance.")
    ] = None,
    size: Annotated[str | None, typer.Option("--size", help="Pixels, such as 512 or 768x512.")] = None,
    lora: Annotated[
        list[str] | None,
        typer.Option("--lora", help="LoRA weights to lay over it, FILE or FILE:0.8; may be repeated."),
    ] = None,
    controlnet: Annotated[
        str | None, typer.Option("--controlnet", help="Folder of a ControlNet to lay over it.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", help="Stable Diffusion under an export, not the one that it names."),
    ] = None,
    revision: Annotated[str | None, typer.Option("--revision", help="Of a model of the Hub.")] = None,
    trust_pickles: Annotated[
        bool, typer.Option("--trust-pickles", help="Also load weights that are no safetensors.")
    ] = False,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder; or one file .png for one picture.")
    ] = Path("generated"),
    limit: Annotated[int | None, typer.Option("--limit", help="Prompts at most.")] = None,
    share: Annotated[
        str | None, typer.Option("--share", help="Draw a part alone, such as 0/4, the first of four.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", help="Pictures at once, on a GPU.")] = None,
    sheets: Annotated[
        int | None, typer.Option("--sheets", help="Sheets with prompts at most, 4 as a rule.")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="auto, cpu or cuda.")] = None,
    precision: Annotated[
        str | None, typer.Option("--precision", help="auto, float32, bfloat16 or float16.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw pictures from prompts, marked as generated, with their recipes. Run again, it goes on where it stopped."""
    from earthloom.generate.config import parse_settings
    from earthloom.generate.generating import generate as run_generation
    from earthloom.generate.progress import Silence, choose_listener

    settings = parse_settings(
        size=size, share=share, model=model, prompt=prompt or None, prompts=prompts, release=release, split=split,
        style=style, n=n, seed=seed, negative=negative, gsd_m=gsd, modality=modality, scene=scene, label=label,
        lon=lon, lat=lat, date=date, cloud_share=cloud, control=control, control_modality=control_modality,
        steps=steps, guidance=guidance, lora=lora or None, controlnet=controlnet, base=base, revision=revision,
        trust_pickles=trust_pickles, limit=limit, batch=batch, sheets=sheets, device=device, precision=precision,
    )  # fmt: skip
    summary = run_generation(settings, output, listener=Silence() if quiet else choose_listener())
    typer.echo(_to_json(summary.to_json()) if as_json else summary.to_text())
    if summary.n_asked > 0 == summary.n_drawn + summary.n_kept:
        raise typer.Exit(1)


@app.command(
    epilog=_epilog(
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
        typer.echo(_to_json(shown.to_json()) if as_json else shown.to_text())
        return
    from earthloom.export import describe

    description = describe(folder)
    typer.echo(_to_json(description.to_json()) if as_json else description.to_text())


@app.command(epilog=_epilog("earthloom batch recipe.yaml output.jsonl errors.jsonl"))
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
        typer.echo(_to_json({"released": n}) if as_json else f"{n:,} requests will be written again.")
        return
    found = read_answers(loaded, work, files or [], base=base)
    typer.echo(_to_json(found.to_json()) if as_json else found.to_text())


@app.command(epilog=_epilog("earthloom costs out", "earthloom costs answers.sqlite --json"))
def costs(
    place: Annotated[Path, typer.Argument(help="A work folder, or the file of a ledger.")],
    as_json: Json = False,
) -> None:
    """Say what language models were asked for captions so far, and what that cost."""
    from earthloom.run.costs import read_costs

    found = read_costs(place)
    typer.echo(_to_json(found.to_json()) if as_json else found.to_text())


@app.command(epilog=_epilog("earthloom report out", "earthloom report out/release"))
def report(
    folder: Annotated[Path, typer.Argument(help="A work folder or a release.")],
    as_json: Json = False,
) -> None:
    """Write the report of a release again, as one HTML page, with its dataset card."""
    from earthloom.export import find_release, write_card, write_report

    release = find_release(folder)
    card, page = write_card(release), write_report(release)
    typer.echo(_to_json({"card": str(card), "report": str(page)}) if as_json else f"{page}\n{card}")


sources = typer.Typer(
    help="List the kinds of sources, say what is known of one, or look at a download.",
    epilog=_epilog(
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
    typer.echo(_to_json(kinds.to_json()) if as_json else kinds.to_text())


@sources.command(epilog=_epilog("earthloom sources show gid", "earthloom sources show fmow --json"))
def show(
    kind: Annotated[str, typer.Argument(help="Kind of source, as in a recipe.")],
    as_json: Json = False,
) -> None:
    """Say what is known of a kind of source: its layout on disk, its terms, an entry for a recipe."""
    from earthloom.run.sources import describe_kind

    description = describe_kind(kind)
    typer.echo(_to_json(description.to_json()) if as_json else description.to_text())


@sources.command(
    epilog=_epilog(
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
    with _show_status() as tell:
        found = check_source(kind, path, told, sample=sample, tell=tell)
    typer.echo(_to_json(found.to_json()) if as_json else found.to_text())
    if not found.usable:
        raise typer.Exit(1)


effects = typer.Typer(
    help="List the effects that `synthesize` can lay over tiles, or look at them on your own tiles.",
    epilog=_epilog("earthloom effects", "earthloom effects sheet WORK -o sheet"),
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
        typer.echo(_to_json({name: kind.summary for name, kind in EFFECTS.items()}))
        return
    typer.echo("\n".join(f"{name:12} {kind.summary}" for name, kind in EFFECTS.items()))


@effects.command(
    epilog=_epilog(
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
    with _show_status() as tell:
        made = write_sheet(
            work, out, recipe=told, base=base, effects=effect or [], places=places, seed=seed, tell=tell
        )
    typer.echo(_to_json(made.to_json()) if as_json else made.to_text())


evaluate = typer.Typer(
    help="Measure what was made.",
    epilog=_epilog("earthloom evaluate scenes WORK --real fog=REAL_FOG -o evaluation"),
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(evaluate, name="evaluate")


@evaluate.callback()
def _evaluate() -> None:
    """Measure what was made."""


@evaluate.command(
    epilog=_epilog(
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
    from earthloom.evaluate import evaluate_scenes, parse_settings

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
    with _show_status() as show:
        report = evaluate_scenes(settings, folder, tell=(lambda text: None) if quiet else show)
    typer.echo(_to_json(report.to_json()) if as_json else report.to_text())


@app.callback(invoke_without_command=True)
def _start(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as find_version

        typer.echo(f"earthloom {find_version('earthloom')}")
        raise typer.Exit


def _build(
    recipe: Recipe, work: Path, base: Path, workers: int | None, *, as_json: bool, quiet: bool
) -> None:
    from earthloom.run.build import build as run_build
    from earthloom.run.progress import Silence, choose_listener

    listener = Silence() if quiet else choose_listener()
    summary = run_build(recipe, work, base=base, workers=workers, listener=listener)
    typer.echo(_to_json(summary.to_json()) if as_json else describe_summary(summary))
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
        typer.echo(_to_json(None if found is None else found.to_json()))
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


@contextmanager
def _show_status() -> Iterator[Callable[[str], None]]:
    """A line that changes, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


def _to_json(value: object) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


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
        typer.echo("earthloom: stopped.", err=True)
        sys.exit(1)
