"""A model of transformers in a folder: its configuration, its weights and what reads its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earthloom.core.errors import UsageError
from earthloom.models.weights.fingerprints import fingerprint_files
from earthloom.models.weights.folders import find_weights
from earthloom.models.weights.origins import Origin, find_licence
from earthloom.models.weights.places import Place, Wanted, find_place, read_json

CONFIG = "config.json"
_IMAGE_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model")
_SPEAKING = (
    CONFIG, "generation_config.json", *_IMAGE_PROCESSORS, "tokenizer*", "special_tokens_map.json",
    "added_tokens.json", "vocab*", "merges.txt", "*.model", "chat_template*",
)  # fmt: skip
"""Files beside the weights that decide what a model says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TransformersFiles:
    """A whole model on disk."""

    place: Place
    config: Mapping[str, Any]
    weights: tuple[Path, ...]
    variant: str | None
    """What stands in the weights' names for a precision, such as `fp16`; to be handed to `from_pretrained`."""

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.place.folder

    @property
    def name(self) -> str:
        """Last part of its name on the Hub, or of its folder."""
        return self.place.name.rpartition("/")[2]

    @property
    def model_type(self) -> str:
        """What transformers calls the kind of model, such as `blip-2`."""
        return str(self.config["model_type"])

    @property
    def is_safe(self) -> bool:
        """Whether its weights are safetensors."""
        return self.weights[0].suffix == ".safetensors"

    @property
    def origin(self) -> Origin:
        """Name, revision, licence and fingerprint."""
        return Origin(
            name=self.place.name,
            revision=self.place.revision,
            licence=find_licence(self.folder),
            fingerprint=self.fingerprint(),
        )

    def fingerprint(self) -> str:
        """16 hexadecimal digits of all that decides what the model says: see `fingerprint_files`."""
        spoken = {path for pattern in _SPEAKING for path in self.folder.glob(pattern) if path.is_file()}
        return fingerprint_files(sorted(spoken | set(self.weights)))


def find_transformers(
    model: str,
    revision: str = "",
    *,
    trust_pickles: bool = False,
    example: str = "openai/clip-vit-base-patch32",
) -> TransformersFiles:
    """Find a model of pictures and text in a folder, or by its name in the Hub's cache.

    Args:
        model: folder, or a name such as `Salesforce/blip2-opt-2.7b`.
        revision: commit, tag or branch of a model of the Hub as the cache knows it; empty for `main`.
        trust_pickles: also take weights that are no safetensors.
        example: name on the Hub that a message speaks of where a folder was given.

    Raises:
        UsageError: it is not there, or not whole; says what to get from where.

    """
    wanted = Wanted(model=model, revision=revision, example=example)
    place = find_place(wanted)
    path = place.folder / CONFIG
    if not path.is_file():
        raise UsageError(
            f"A model is a folder with {CONFIG}, {place.folder} has none. {wanted.explain_download()}"
        )
    config = read_json(path)
    if not isinstance(config.get("model_type"), str):
        raise UsageError(f"{path} names no model_type: it is not the configuration of a transformers model.")
    weights = find_weights(place.folder, "model", wanted, trust_pickles=trust_pickles)
    _check_processors(place.folder, wanted)
    return TransformersFiles(place=place, config=config, weights=weights.paths, variant=weights.variant)


def _check_processors(folder: Path, wanted: Wanted) -> None:
    for what, patterns in (("image processor", _IMAGE_PROCESSORS), ("tokenizer", _TOKENIZERS)):
        if not any(path.is_file() for pattern in patterns for path in folder.glob(pattern)):
            raise UsageError(f"{folder} has no {what} ({' or '.join(patterns)}). {wanted.explain_download()}")
