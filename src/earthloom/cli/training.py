"""Verbs that use a release: training, and drawing with what was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earthloom.cli.shared import Json, Quiet, app, epilog, to_json


@app.command(epilog=epilog("earthloom train snow.yaml", "earthloom train snow.yaml -o snow --fresh"))
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
    typer.echo(to_json(summary.to_json()) if as_json else summary.to_text())


@app.command(
    epilog=epilog(
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
    typer.echo(to_json(summary.to_json()) if as_json else summary.to_text())
    if summary.n_asked > 0 == summary.n_drawn + summary.n_kept:
        raise typer.Exit(1)
