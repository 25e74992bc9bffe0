"""Stable Diffusion's parts, loaded by diffusers and transformers from a whole pipeline on this machine.

Versions 1.x and 2.x (Rombach et al., CVPR 2022) and XL (Podell et al., ICLR 2024), told apart by the number of their
text encoders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.models.weights.origins import Origin
from earthloom.models.weights.pipelines import GROUPS, Group, Part, PipelineFiles, find_pipeline
from earthloom.models.weights.quiet import quiet

_NETWORKS = {
    "UNet2DConditionModel": "diffusers",
    "AutoencoderKL": "diffusers",
    "CLIPTextModel": "transformers",
    "CLIPTextModelWithProjection": "transformers",
}
"""Classes of the networks to their libraries."""
_BREAKS = (ImportError, KeyError, OSError, RuntimeError, TypeError, ValueError)
"""What the libraries raise for files that they cannot make a network of."""


@dataclass(frozen=True, kw_only=True)
class Stable:
    """A Stable Diffusion whose wanted parts are loaded: frozen, in evaluation mode, on one device."""

    unet: Any
    """diffusers' UNet2DConditionModel; None where it was not wanted."""
    vae: Any
    """diffusers' AutoencoderKL; None where it was not wanted."""
    text_encoders: tuple[Any, ...]
    """One, or the two of XL; empty where they were not wanted."""
    tokenizers: tuple[Any, ...]
    scheduler_config: Mapping[str, Any]
    """Of the noise that it was trained with; empty where the UNet was not wanted."""
    files: PipelineFiles
    """`files.fingerprint("vae")` tells latents apart that are kept, that of `text` the states of texts."""

    @property
    def is_xl(self) -> bool:
        """Whether it is of the shape of XL: two text encoders, sizes and the pooled text as conditions."""
        return "text_encoder_2" in self.files.listed

    @property
    def origin(self) -> Origin:
        """Name, revision, licence and fingerprint of what was loaded."""
        return self.files.origin


def open_stable(
    model: str,
    revision: str = "",
    *,
    parts: Sequence[Group] = GROUPS,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    trust_pickles: bool = False,
) -> Stable:
    """Load a Stable Diffusion 1.x, 2.x or XL. Nothing is downloaded.

    Args:
        model: folder of a pipeline as diffusers saves it, or its name on the Hub where it lies in the cache.
        revision: commit, tag or branch of a model of the Hub.
        parts: what is wanted of it; the rest may be missing on disk.
        dtype: of the weights. An autoencoder that overflows in float16 by its own account is kept in float32.
        device: where they go.
        trust_pickles: also load weights that are no safetensors.

    Raises:
        UsageError: it is not there, not whole, or no Stable Diffusion; diffusers or transformers is not installed.

    """
    files = find_pipeline(model, revision, parts=parts, trust_pickles=trust_pickles)
    with explain_missing_models(f"The model {files.place.name} wants"):
        import diffusers  # noqa: F401  (asked for first, so that a missing library is told as such)
        import transformers  # noqa: F401

        with quiet("diffusers"):
            networks = {
                name: _load_network(name, part, _choose_dtype(part, dtype)).to(device)
                for name, part in files.parts.items()
                if part.weights is not None
            }
            tokenizers = [_load_tokenizer(part) for name, part in _list_kind(files, "tokenizer")]
    scheduler = files.parts.get("scheduler")
    return Stable(
        unet=networks.get("unet"),
        vae=networks.get("vae"),
        text_encoders=tuple(networks[name] for name, _ in _list_kind(files, "text_encoder")),
        tokenizers=tuple(tokenizers),
        scheduler_config=dict(scheduler.config) if scheduler is not None else {},
        files=files,
    )


def _list_kind(files: PipelineFiles, kind: str) -> list[tuple[str, Part]]:
    """Parts of one kind, the first before the second."""
    return sorted((name, part) for name, part in files.parts.items() if name.startswith(kind))


def _choose_dtype(part: Part, dtype: torch.dtype) -> torch.dtype:
    """What `force_upcast` says, which stands for an overflow in float16, and is true where nothing is said."""
    is_fragile = part.class_name == "AutoencoderKL" and part.config.get("force_upcast", True)
    return torch.float32 if is_fragile and dtype == torch.float16 else dtype


def _load_network(name: str, part: Part, dtype: torch.dtype) -> Any:
    library = _NETWORKS.get(part.class_name)
    if library is None or part.weights is None:
        raise UsageError(
            f"{part.folder} holds a {part.class_name}, {' or '.join(_NETWORKS)} was wanted: take a Stable Diffusion "
            "1.x, 2.x or XL pipeline."
        )
    with _translate_errors(name, part):
        kind = getattr(_import(library), part.class_name)
        network, told = kind.from_pretrained(
            str(part.folder),
            local_files_only=True,
            use_safetensors=part.weights.is_safe,
            variant=part.weights.variant,
            output_loading_info=True,
            **{"torch_dtype" if library == "diffusers" else "dtype": dtype},
        )
    # Both libraries fill what is missing with noise.
    missing = sorted(told["missing_keys"])
    if missing:
        raise UsageError(
            f"The weights in {part.folder} lack {len(missing)} of the network's tensors, such as {missing[0]}: take "
            "the whole model."
        )
    return network.requires_grad_(requires_grad=False).eval()


def _load_tokenizer(part: Part) -> Any:
    with _translate_errors("tokenizer", part):
        from transformers import CLIPTokenizer

        return CLIPTokenizer.from_pretrained(str(part.folder), local_files_only=True)


@contextmanager
def _translate_errors(name: str, part: Part) -> Iterator[None]:
    try:
        yield
    except _BREAKS as error:
        raise UsageError(
            f"The {name} in {part.folder} cannot be loaded as {part.class_name}: {' '.join(str(error).split())[:300]}"
        ) from error


def _import(library: str) -> Any:
    if library == "diffusers":
        import diffusers

        return diffusers
    import transformers

    return transformers
