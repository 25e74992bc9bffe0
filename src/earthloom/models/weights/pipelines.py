"""A pipeline of diffusers in a folder: `model_index.json` and one folder for each part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from earthloom.core.errors import UsageError
from earthloom.models.weights.fingerprints import fingerprint_files
from earthloom.models.weights.folders import Weights, find_weights
from earthloom.models.weights.origins import Origin, find_licence
from earthloom.models.weights.places import Place, Wanted, find_place, read_json

INDEX = "model_index.json"
EXAMPLE = "stable-diffusion-v1-5/stable-diffusion-v1-5"

Group = Literal["unet", "vae", "text"]
GROUPS: tuple[Group, ...] = ("unet", "vae", "text")
"""What can be wanted alone: the denoiser with its scheduler, the autoencoder, text encoders with their tokenizers."""
_PREFIXES: Mapping[Group, tuple[str, ...]] = {
    "unet": ("unet", "scheduler"),
    "vae": ("vae",),
    "text": ("text_encoder", "tokenizer"),
}
_STEMS: Mapping[str, Literal["model", "diffusion_pytorch_model"]] = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}
_CONFIGS = {"scheduler": "scheduler_config.json"}
_TOKENIZERS = ("tokenizer.json", "vocab.json")
_NOT_NEEDED = ("*.bin", "*.msgpack", "*onnx*", "*openvino*", "*fp16*", "*non_ema*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of a pipeline."""

    folder: Path
    class_name: str
    """As the index names it, such as `UNet2DConditionModel`."""
    config: Mapping[str, Any]
    """Of a tokenizer what `tokenizer_config.json` says, if it has one."""
    weights: Weights | None
    """None for what has none: tokenizers and schedulers."""

    def list_files(self) -> list[Path]:
        """The files that decide what it does: its weights, and all that is small beside them."""
        small = {path for path in self.folder.iterdir() if path.suffix in {".json", ".txt"}}
        return sorted(small | set(self.weights.paths if self.weights else ()))


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineFiles:
    """A pipeline on disk, of which the wanted parts are whole."""

    place: Place
    class_name: str
    """As the index names it, such as `StableDiffusionPipeline`."""
    listed: tuple[str, ...]
    """Names of all parts that the index lists, wanted or not."""
    parts: Mapping[str, Part]
    """By their names in the index, such as `unet` and `text_encoder_2`; only those of the wanted groups."""

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.place.folder

    @property
    def origin(self) -> Origin:
        """Name, revision and licence, and the fingerprint of the parts that were wanted."""
        return Origin(
            name=self.place.name,
            revision=self.place.revision,
            licence=find_licence(self.folder),
            fingerprint=self.fingerprint(*GROUPS),
        )

    def fingerprint(self, *groups: Group) -> str:
        """16 hexadecimal digits of the parts of some groups: those of `vae` tell cached latents apart."""
        names = [name for name in sorted(self.parts) if any(_belongs(name, group) for group in groups)]
        return fingerprint_files([path for name in names for path in self.parts[name].list_files()])


def find_pipeline(
    model: str, revision: str = "", *, parts: Iterable[Group] = GROUPS, trust_pickles: bool = False
) -> PipelineFiles:
    """Find a pipeline in a folder, or by its name in the Hub's cache.

    Args:
        model: folder, or a name such as `stable-diffusion-v1-5/stable-diffusion-v1-5`.
        revision: commit, tag or branch of a model of the Hub as the cache knows it; empty for `main`.
        parts: what is wanted of it; the rest may be missing.
        trust_pickles: also take weights that are no safetensors.

    Raises:
        UsageError: it is not there, or what is wanted of it is not whole; says what to get from where.

    """
    groups = [group for group in GROUPS if group in set(parts)]
    wanted = Wanted(model=model, revision=revision, example=EXAMPLE, choice=_choose_files(groups))
    _check_no_single_file(model)
    place = find_place(wanted)
    if not (place.folder / INDEX).is_file():
        raise UsageError(
            f"A pipeline is a folder with {INDEX}, {place.folder} has none. {wanted.explain_download()}"
        )
    index = read_json(place.folder / INDEX)
    classes = _list_classes(index)
    listed = {name: kind for name, kind in classes.items() if any(_belongs(name, group) for group in groups)}
    lacking = [group for group in groups if not any(_belongs(name, group) for name in listed)]
    if lacking:
        raise UsageError(
            f"{place.folder / INDEX} lists no {' and no '.join(lacking)} "
            f"(it is a {index.get('_class_name')}): take a Stable Diffusion 1.x, 2.x or XL pipeline."
        )
    found = {
        name: _find_part(place.folder / name, name, class_name, wanted, trust_pickles=trust_pickles)
        for name, class_name in listed.items()
    }
    return PipelineFiles(
        place=place, class_name=str(index.get("_class_name")), listed=tuple(classes), parts=found
    )


def _belongs(name: str, group: Group) -> bool:
    """Numbered parts belong together: `text_encoder_2` is one of `text_encoder`."""
    return _strip_number(name) in _PREFIXES[group]


def _strip_number(name: str) -> str:
    stem, _, number = name.rpartition("_")
    return stem if number.isdigit() else name


def _list_classes(index: Mapping[str, Any]) -> dict[str, str]:
    """Parts to the names of their classes; what a pipeline leaves out stands as two nulls."""
    entries = {name: entry for name, entry in index.items() if isinstance(entry, list) and len(entry) == 2}
    return {name: entry[1] for name, entry in entries.items() if isinstance(entry[1], str)}


def _find_part(folder: Path, name: str, class_name: str, wanted: Wanted, *, trust_pickles: bool) -> Part:
    kind = _strip_number(name)
    if kind == "tokenizer":
        return Part(
            folder=folder, class_name=class_name, config=_read_tokenizer(folder, wanted), weights=None
        )
    path = folder / _CONFIGS.get(kind, "config.json")
    if not path.is_file():
        raise UsageError(f"{INDEX} lists {name}, {path} is missing. {wanted.explain_download()}")
    stem = _STEMS.get(kind)
    weights = None if stem is None else find_weights(folder, stem, wanted, trust_pickles=trust_pickles)
    return Part(folder=folder, class_name=class_name, config=read_json(path), weights=weights)


def _read_tokenizer(folder: Path, wanted: Wanted) -> dict[str, Any]:
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise UsageError(f"{folder} has no {' or '.join(_TOKENIZERS)}. {wanted.explain_download()}")
    path = folder / "tokenizer_config.json"
    return read_json(path) if path.is_file() else {}


def _choose_files(groups: list[Group]) -> str:
    """Options of `hf download` for what is wanted: configurations, and weights as safetensors in full precision."""
    folders = [f"{prefix}*/*" for group in groups for prefix in _PREFIXES[group]]
    patterns = {"include": ("*.md", INDEX, *folders), "exclude": _NOT_NEEDED}
    return " ".join(f'--{option} "{pattern}"' for option, listed in patterns.items() for pattern in listed)


def _check_no_single_file(model: str) -> None:
    if Path(model).is_file():
        raise UsageError(
            f"{model} is a single file, whose layers are named and cut otherwise than in diffusers. Take the folder of "
            "the pipeline, or make it once, on a machine with network and diffusers: "
            f"`StableDiffusionPipeline.from_single_file({Path(model).name!r}).save_pretrained('FOLDER')` "
            "(StableDiffusionXLPipeline for XL), then `model: FOLDER`."
        )
