"""Opening a Stable Diffusion with all that lies over it: LoRA, metadata tokens, a ControlNet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from earthloom.core.errors import UsageError
from earthloom.models.generators.briefs import About
from earthloom.models.generators.choices import Device, Over, Precision
from earthloom.models.generators.devices import choose_device
from earthloom.models.generators.stable import StableGenerator
from earthloom.models.precision import NAMES, choose_dtype
from earthloom.models.stable.control import SIDE, check_fit, check_side, count_channels, load_controlnet
from earthloom.models.stable.drawing import SAMPLER, check_unet
from earthloom.models.stable.exports import Export, read_export
from earthloom.models.stable.latents import pixels_per_latent
from earthloom.models.stable.lora import Factors, lay_lora
from earthloom.models.stable.lora_files import DIFFUSERS_NAME, read_lora
from earthloom.models.stable.metadata import METADATA_NAME, MetadataTokens, load_metadata_tokens
from earthloom.models.stable.parts import Stable, open_stable
from earthloom.models.weights.fingerprints import fingerprint_files
from earthloom.models.weights.origins import Origin, find_licence
from earthloom.models.weights.places import Wanted, find_place

_STEPS, _GUIDANCE = 25, 7.5
"""Usual with DPM-Solver++ and Stable Diffusion."""
_TOLD = frozenset({"gsd_m", "lon", "lat", "date", "cloud_share"})
"""Facts that a LoRA with metadata is trained with."""
_BATCH = 8
"""Pictures at once on a GPU: 512 px take about 1 GB each in bfloat16 (an estimate, not measured here)."""


def open_stack(
    place: str,
    kind: Literal["lora", "controlnet", "pipeline"],
    *,
    over: Over,
    revision: str,
    device: Device,
    precision: Precision,
    trust_pickles: bool,
) -> StableGenerator:
    """Open a pipeline, or an export of ours with the pipeline it lies over.

    Raises:
        UsageError: something of it is not there, not whole, or does not fit the rest.

    """
    stack = _Stack.of(place, kind, over)
    where = choose_device(device)
    dtype = choose_dtype(precision, where)
    stable = open_stable(
        stack.model,
        revision or stack.revision,
        dtype=dtype,
        device=where,
        trust_pickles=trust_pickles,
    )
    check_unet(stable)
    lora = [_read_lora(path, strength, stable) for path, strength in stack.lora]
    for network, factors in _join(lora).items():
        lay_lora(_list_networks(stable)[network], factors)
    tokens = None if stack.tokens is None else load_metadata_tokens(stack.tokens).to(where)
    controlnet = None
    if stack.controlnet is not None:
        check_side(stable)
        controlnet = load_controlnet(stack.controlnet, dtype=dtype, device=where)
        check_fit(stable, controlnet, torch.empty(1, count_channels(controlnet), SIDE, SIDE))
    return StableGenerator(
        about=_describe(stack, stable, controlnet, tokens, NAMES[dtype], where),
        stable=stable,
        controlnet=controlnet,
        tokens=tokens,
        says_facts=tokens is None or any(export.metadata == "both" for export in stack.exports),
    )


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """What lies over what."""

    model: str
    revision: str
    lora: tuple[tuple[Path, float], ...]
    tokens: Path | None
    controlnet: str | None
    exports: tuple[Export, ...]

    @classmethod
    def of(cls, place: str, kind: str, over: Over) -> _Stack:
        lora = [(_find_lora(Path(path)), strength) for path, strength in over.lora]
        controlnet = over.controlnet
        if kind == "pipeline":
            if over.base is not None:
                raise UsageError(
                    f"--base goes with a LoRA or a ControlNet of ours, {place} is a pipeline itself."
                )
            model, revision = place, ""
        else:
            own = _read_own(Path(place))
            model = over.base or own.model
            revision = "" if over.base or Path(model).is_dir() else own.base.revision or ""
            if kind == "lora":
                lora.insert(0, (_find_lora(Path(place)), 1.0))
            elif controlnet is not None:
                raise UsageError(
                    f"--controlnet: {place} is a ControlNet already; one can be laid over a model."
                )
            else:
                controlnet = place
        folders = [path.parent for path, _ in lora]
        if controlnet is not None:
            folders.append(Path(controlnet))
        exports = [export for folder in folders if (export := read_export(folder)) is not None]
        tokens = [path for folder, _ in lora if (path := folder.parent / METADATA_NAME).is_file()]
        if len(tokens) > 1:
            raise UsageError(
                "Two LoRA were trained with metadata as tokens: only one of them can be told them."
            )
        return cls(
            model=model,
            revision=revision,
            lora=tuple(lora),
            tokens=tokens[0] if tokens else None,
            controlnet=controlnet,
            exports=tuple(exports),
        )

    @property
    def modality(self) -> str | None:
        """What all that lies over the model was trained to draw."""
        drawn = {export.modality for export in self.exports if export.modality is not None}
        return drawn.pop() if len(drawn) == 1 else None

    @property
    def facts(self) -> frozenset[str]:
        """What a part of it was trained with."""
        was_told = any(export.metadata != "none" for export in self.exports)
        return _TOLD if was_told else frozenset()

    def list_origins(self) -> Iterator[Origin]:
        """Origins of all that lies over the model."""
        for path, strength in self.lora:
            beside = self.tokens
            files = [path, beside] if beside is not None and beside.parent == path.parent else [path]
            share = "" if strength == 1.0 else f" x {strength:g}"
            folder = path.parent if path.name == DIFFUSERS_NAME else None
            name = path.stem if folder is None else self._find_name(folder, folder.resolve().name)
            yield _make_origin(f"{name}{share}", files)
        if self.controlnet is not None:
            place = find_place(Wanted(model=self.controlnet, example=self.controlnet))
            origin = _make_origin(
                self._find_name(place.folder, place.name), sorted(place.folder.glob("*.safetensors"))
            )
            yield replace(origin, revision=place.revision, licence=find_licence(place.folder))

    @staticmethod
    def _find_name(folder: Path, otherwise: str) -> str:
        """As the training was called that made it."""
        export = read_export(folder)
        return str((None if export is None else export.training.get("name")) or otherwise)


def _read_own(folder: Path) -> Export:
    export = read_export(folder)
    assert export is not None, "it was found by what it says of itself"
    return export


def _find_lora(path: Path) -> Path:
    """A file, or the one in a folder as diffusers names it."""
    if path.is_dir():
        path = path / DIFFUSERS_NAME
    if not path.is_file():
        raise UsageError(f"--lora: there is no file {path}.")
    if path.suffix != ".safetensors":
        raise UsageError(
            f"--lora: {path} is no safetensors file, and a pickle can run any code on this machine."
        )
    return path


def _list_networks(stable: Stable) -> dict[str, Any]:
    names = ("text_encoder", "text_encoder_2")
    return {"unet": stable.unet, **dict(zip(names, stable.text_encoders, strict=False))}


def _read_lora(path: Path, strength: float, stable: Stable) -> dict[str, dict[str, Factors]]:
    """Factors whose alpha counts their strength in."""
    found = read_lora(path, _list_networks(stable))
    return {
        network: {name: replace(entry, alpha=entry.alpha * strength) for name, entry in factors.items()}
        for network, factors in found.items()
    }


def _join(several: Sequence[dict[str, dict[str, Factors]]]) -> dict[str, dict[str, Factors]]:
    """Several LoRA as one: the sum of their products is the product of their factors, one behind the other."""
    joined: dict[str, dict[str, Factors]] = {}
    for found in several:
        for network, factors in found.items():
            layers = joined.setdefault(network, {})
            for name, entry in factors.items():
                layers[name] = _add(layers[name], entry) if name in layers else entry
    return joined


def _add(first: Factors, second: Factors) -> Factors:
    rank = first.rank + second.rank
    ups = [entry.up * (entry.alpha / entry.rank) for entry in (first, second)]
    return Factors(down=torch.cat([first.down, second.down]), up=torch.cat(ups, dim=1), alpha=float(rank))


def _make_origin(name: str, files: Sequence[Path]) -> Origin:
    return Origin(name=name, revision=None, licence=None, fingerprint=fingerprint_files(files))


def _describe(
    stack: _Stack,
    stable: Stable,
    controlnet: Any | None,
    tokens: MetadataTokens | None,
    precision: str,
    device: torch.device,
) -> About:
    side = int(stable.unet.config.sample_size) * pixels_per_latent(stable.vae)
    if stack.exports:
        side = stack.exports[0].size
    return About(
        kind="stable diffusion",
        origins=(stable.origin, *stack.list_origins()),
        sampler=SAMPLER,
        precision=precision,
        device=device.type,
        steps=_STEPS,
        guidance=_GUIDANCE,
        size=(side, side),
        batch=1 if device.type == "cpu" else _BATCH,
        facts=stack.facts,
        modality=stack.modality,
        names={},
        gsd_of="pixel" if stack.facts else "record",
        control_channels=0 if controlnet is None else count_channels(controlnet),
        notes=tuple(_list_notes(stack, stable)),
    )


def _list_notes(stack: _Stack, stable: Stable) -> Iterator[str]:
    for export in stack.exports:
        if export.base.fingerprint != stable.origin.fingerprint:
            yield (
                f"The {export.kind} was trained over {export.base.name} ({export.base.fingerprint}), and lies over "
                f"{stable.origin.name} ({stable.origin.fingerprint}) now."
            )
