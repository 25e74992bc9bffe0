"""LoRA weights (Hu et al., ICLR 2022) over a model, as peft saves them, merged into it."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.models.captioners.files import AdapterFiles

if TYPE_CHECKING:
    from peft import PeftModel


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
