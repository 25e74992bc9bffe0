"""The weights in a folder: one file, or shards by their index, in full or in half precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earthloom.core.errors import UsageError
from earthloom.models.weights.headers import read_header
from earthloom.models.weights.places import Wanted, read_json, refuse_pickles

Stem = Literal["model", "diffusion_pytorch_model"]
"""How transformers and diffusers call the file of weights."""
VARIANTS = (None, "fp16", "bf16")
"""Full precision is preferred to what was rounded."""
_PICKLE_STEMS: dict[Stem, str] = {
    "model": "pytorch_model",
    "diffusion_pytorch_model": "diffusion_pytorch_model",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Files that hold the tensors of one network."""

    paths: tuple[Path, ...]
    variant: str | None
    """What stands in their names for a precision, such as `fp16`."""

    @property
    def is_safe(self) -> bool:
        """Whether they are safetensors."""
        return self.paths[0].suffix == ".safetensors"


def find_weights(folder: Path, stem: Stem, wanted: Wanted, *, trust_pickles: bool) -> Weights:
    """Find what transformers or diffusers would load, in their order of preference; safetensors are looked into.

    Raises UsageError where there are none, or they are not whole, or are pickles that are not trusted.
    """
    for variant in VARIANTS:
        paths = _find_safetensors(folder, stem, variant, wanted)
        if paths:
            for path in paths:
                read_header(path)
            return Weights(paths=tuple(paths), variant=variant)
    pickles = next(_list_pickles(folder, stem), None)
    if pickles is None:
        names = f"{stem}.safetensors and no {stem}.safetensors.index.json"
        raise UsageError(f"{folder} has no {names}. {wanted.explain_download()}")
    if not trust_pickles:
        raise refuse_pickles(pickles.paths[0])
    return pickles


def _find_safetensors(folder: Path, stem: Stem, variant: str | None, wanted: Wanted) -> list[Path]:
    mark = f".{variant}" if variant else ""
    single = folder / f"{stem}{mark}.safetensors"
    if single.is_file():
        return [single]
    index = folder / f"{stem}.safetensors.index{mark}.json"
    return _list_shards(folder, index, wanted.explain_download) if index.is_file() else []


def _list_shards(folder: Path, index: Path, explain: Callable[[], str]) -> list[Path]:
    listed = read_json(index).get("weight_map")
    names = sorted(set(map(str, listed.values()))) if isinstance(listed, dict) else []
    if not names or any(Path(name).name != name or not name.endswith(".safetensors") for name in names):
        raise UsageError(f"{index} lists no weights.")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"{folder} lacks {', '.join(missing)}, which its index lists. {explain()}")
    return [folder / name for name in names]


def _list_pickles(folder: Path, stem: Stem) -> Iterator[Weights]:
    name = _PICKLE_STEMS[stem]
    for variant in VARIANTS:
        mark = f".{variant}" if variant else ""
        for pattern in (f"{name}{mark}.bin", f"{name}{mark}-*.bin"):
            if paths := sorted(folder.glob(pattern)):
                yield Weights(paths=tuple(paths), variant=variant)
