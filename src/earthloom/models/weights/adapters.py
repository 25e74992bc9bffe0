"""LoRA weights (Hu et al., ICLR 2022) over a model of transformers, as peft saves them: found, and merged into it."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.models.weights.fingerprints import fingerprint_files
from earthloom.models.weights.headers import read_header
from earthloom.models.weights.places import read_json, refuse_pickles

if TYPE_CHECKING:
    from peft import PeftModel

_CONFIG, _WEIGHTS, _PICKLE = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"


@dataclass(frozen=True, kw_only=True, slots=True)
class AdapterFiles:
    """LoRA weights on disk."""

    config: Path
    weights: Path

    def fingerprint(self) -> str:
        """16 hexadecimal digits of the configuration and the weights."""
        return fingerprint_files([self.config, self.weights])


def find_adapter(adapter: str, *, trust_pickles: bool = False) -> AdapterFiles:
    """Find LoRA weights: a folder as peft saves it, or a `.safetensors` file with `adapter_config.json` beside it.

    Raises UsageError where something is missing.
    """
    given = Path(adapter)
    weights = given / _WEIGHTS if given.is_dir() else given
    if given.is_dir() and not weights.is_file() and (given / _PICKLE).is_file():
        weights = given / _PICKLE
    if not weights.is_file():
        raise UsageError(
            f"LoRA weights were wanted, there is no {weights}: give the folder that peft's save_pretrained wrote "
            f"({_CONFIG} and {_WEIGHTS}), or one .safetensors file with {_CONFIG} beside it."
        )
    config = weights.parent / _CONFIG
    if not config.is_file():
        raise UsageError(f"{weights} wants {_CONFIG} beside it, which says where LoRA weights belong.")
    if weights.suffix != ".safetensors" and not trust_pickles:
        raise refuse_pickles(weights)
    if weights.suffix == ".safetensors":
        read_header(weights)
    kind = read_json(config).get("peft_type")
    if kind != "LORA":
        raise UsageError(f"{config} is of an adapter of type {kind!r}, LORA was wanted.")
    return AdapterFiles(config=config, weights=weights)


def merge_adapter(network: Any, files: AdapterFiles) -> Any:
    """Add LoRA weights to those of a network and give it back; it is as fast as before.

    Raises UsageError where they belong to another model: layers that it lacks, or of another shape.
    """
    with explain_missing_models("LoRA weights want"):
        import peft  # noqa: F401  (asked for first, so that a missing library is told as such)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adapted = _lay_over(network, files)
            return adapted.merge_and_unload(safe_merge=True)
    except (ValueError, RuntimeError, TypeError, KeyError, OSError) as error:
        raise UsageError(
            f"The LoRA weights {files.weights} do not fit the model: {_shorten(str(error))} "
            "Give those that were trained for this very model."
        ) from error


def _lay_over(network: Any, files: AdapterFiles) -> PeftModel:
    from peft import PeftConfig, PeftModel

    config = PeftConfig.from_pretrained(str(files.config.parent))
    config.inference_mode = True
    config.base_model_name_or_path = None
    adapted = PeftModel(network, config, autocast_adapter_dtype=False)
    with tempfile.TemporaryDirectory() as place:
        # peft reads a folder with names of its own.
        folder = Path(place)
        (folder / f"adapter_model{_suffix(files)}").symlink_to(files.weights.resolve())
        mapping = getattr(network, "_checkpoint_conversion_mapping", {})
        found = adapted.load_adapter(place, "default", torch_device="cpu", key_mapping=mapping)
    odd = [*found.missing_keys, *found.unexpected_keys]
    if odd:
        raise ValueError(f"{len(odd)} weights are missing or belong to no layer of it, such as {odd[0]}.")
    return adapted


def _suffix(files: AdapterFiles) -> str:
    return ".safetensors" if files.weights.suffix == ".safetensors" else ".bin"


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:300]}..."
