"""Files of a saved model: found, checked for being whole, and told apart by their content, without loading torch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models

CONFIG = "config.json"
_SINGLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_PICKLES = ("pytorch_model.bin", "pytorch_model-*.bin")
_ADAPTER_CONFIG, _ADAPTER, _ADAPTER_PICKLE = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "adapter_model.bin",
)
_IMAGE_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model")
_SPEAKING = (
    CONFIG, "generation_config.json", *_IMAGE_PROCESSORS, "tokenizer*", "special_tokens_map.json",
    "added_tokens.json", "vocab*", "merges.txt", "*.model", "chat_template*",
)  # fmt: skip
"""Files beside the weights that decide what a model says."""
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_MAX_HEADER = 100 * 2**20
"""Longest header that the safetensors library reads."""
_SAMPLE = 2**13
_N_SAMPLES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFiles:
    """A whole model on disk."""

    folder: Path
    name: str
    """Last part of its name on the Hub, or of its folder."""
    config: Mapping[str, Any]
    weights: tuple[Path, ...]

    @property
    def model_type(self) -> str:
        """What transformers calls the kind of model, such as `blip-2`."""
        return str(self.config["model_type"])

    def fingerprint(self) -> str:
        """16 hexadecimal digits of all that decides what the model says.

        Of safetensors the header and eight spread samples of every tensor are read, so that 15 GB take a second and a
        fine-tuning of a few layers shows; weights of other formats are read whole.
        """
        spoken = {path for pattern in _SPEAKING for path in self.folder.glob(pattern) if path.is_file()}
        return _fingerprint(sorted(spoken | set(self.weights)))


@dataclass(frozen=True, kw_only=True, slots=True)
class AdapterFiles:
    """LoRA weights on disk."""

    config: Path
    weights: Path

    def fingerprint(self) -> str:
        """16 hexadecimal digits of the configuration and the weights."""
        return _fingerprint([self.config, self.weights])


def find_model(model: str, revision: str = "", *, trust_pickles: bool = False) -> ModelFiles:
    """Find a model in a folder, or by its name in the Hub's cache.

    Args:
        model: folder, or a name such as `Salesforce/blip2-opt-2.7b`.
        revision: commit, tag or branch of a model of the Hub as the cache knows it; empty for `main`.
        trust_pickles: also take weights that are no safetensors.

    Raises:
        UsageError: it is not there, or not whole; says what to get from where.

    """
    folder = Path(model) if Path(model).is_dir() else _find_in_cache(model, revision)
    path = folder / CONFIG
    if not path.is_file():
        raise UsageError(f"A model is a folder with {CONFIG}, {folder} has none. {_explain_download(model)}")
    config = read_json(path)
    if not isinstance(config.get("model_type"), str):
        raise UsageError(f"{path} names no model_type: it is not the configuration of a transformers model.")
    weights = _find_weights(folder, model, trust_pickles=trust_pickles)
    _check_processors(folder, model)
    name = Path(model).resolve().name if Path(model).is_dir() else model.rpartition("/")[2]
    return ModelFiles(folder=folder, name=name, config=config, weights=weights)


def find_adapter(adapter: str, *, trust_pickles: bool = False) -> AdapterFiles:
    """Find LoRA weights: a folder as peft saves it, or a `.safetensors` file with `adapter_config.json` beside it.

    Raises UsageError where something is missing.
    """
    given = Path(adapter)
    weights = given / _ADAPTER if given.is_dir() else given
    if given.is_dir() and not weights.is_file() and (given / _ADAPTER_PICKLE).is_file():
        weights = given / _ADAPTER_PICKLE
    if not weights.is_file():
        raise UsageError(
            f"LoRA weights were wanted, there is no {weights}: give the folder that peft's save_pretrained wrote "
            f"({_ADAPTER_CONFIG} and {_ADAPTER}), or one .safetensors file with {_ADAPTER_CONFIG} beside it."
        )
    config = weights.parent / _ADAPTER_CONFIG
    if not config.is_file():
        raise UsageError(
            f"{weights} wants {_ADAPTER_CONFIG} beside it, which says where LoRA weights belong."
        )
    if weights.suffix != ".safetensors" and not trust_pickles:
        raise _refuse_pickles(weights)
    if weights.suffix == ".safetensors":
        read_header(weights)
    kind = read_json(config).get("peft_type")
    if kind != "LORA":
        raise UsageError(f"{config} is of an adapter of type {kind!r}, LORA was wanted.")
    return AdapterFiles(config=config, weights=weights)


def read_header(path: Path) -> dict[str, dict[str, Any]]:
    """Read what a safetensors file holds: tensor name to `dtype`, `shape` and `data_offsets` from the header's end.

    Raises UsageError where the file is none, or is cut short.
    """
    with path.open("rb") as file:
        start, header = _read_header(file, path)
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    size = start + max((int(entry["data_offsets"][1]) for entry in tensors.values()), default=0)
    if (found := path.stat().st_size) != size:
        raise UsageError(f"{path} has {found:,} bytes instead of {size:,}: download it again.")
    return tensors


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises UsageError where it is none."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path} holds no JSON object.")
    return value


def _find_in_cache(model: str, revision: str) -> Path:
    if not _HUB_NAME.fullmatch(model):
        raise UsageError(f"There is no folder {model!r}.")
    with explain_missing_models("A model of the Hub wants"):
        from huggingface_hub import constants, snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    try:
        return Path(snapshot_download(model, revision=revision or None, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError) as error:
        at = f" at revision {revision}" if revision else ""
        raise UsageError(
            f"There is no folder {model!r}, and the Hub's cache ({constants.HF_HUB_CACHE}) has no model of that "
            f"name{at}. Nothing is downloaded here. {_explain_download(model, revision)}"
        ) from error


def _explain_download(model: str, revision: str = "") -> str:
    name = model if _HUB_NAME.fullmatch(model) and not Path(model).is_dir() else "Salesforce/blip2-opt-2.7b"
    return (
        f"On a machine with network: `hf download {name} --revision {revision or 'COMMIT'} "
        f'--exclude "*.bin" --local-dir FOLDER`, then `model: FOLDER`.'
    )


def _find_weights(folder: Path, model: str, *, trust_pickles: bool) -> tuple[Path, ...]:
    """The files that transformers would load, in its order of preference; safetensors are looked into."""
    weights: list[Path] = []
    if (folder / _SINGLE).is_file():
        weights = [folder / _SINGLE]
    elif (folder / _INDEX).is_file():
        weights = _list_shards(folder, model)
    for path in weights:
        read_header(path)
    if weights:
        return tuple(weights)
    pickles = sorted(path for pattern in _PICKLES for path in folder.glob(pattern))
    if not pickles:
        raise UsageError(f"{folder} has no {_SINGLE} and no {_INDEX}. {_explain_download(model)}")
    if not trust_pickles:
        raise _refuse_pickles(pickles[0])
    return tuple(pickles)


def _list_shards(folder: Path, model: str) -> list[Path]:
    listed = read_json(folder / _INDEX).get("weight_map")
    names = sorted(set(map(str, listed.values()))) if isinstance(listed, dict) else []
    if not names or any(Path(name).name != name for name in names):
        raise UsageError(f"{folder / _INDEX} lists no weights.")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise UsageError(
            f"{folder} lacks {', '.join(missing)}, which its index lists. {_explain_download(model)}"
        )
    return [folder / name for name in names]


def _refuse_pickles(path: Path) -> UsageError:
    return UsageError(
        f"{path} is no safetensors file, and a pickle can run any code on this machine. Take safetensors (save the "
        "model again with save_pretrained), or set `trust_pickles: true` if you trust where it comes from."
    )


def _check_processors(folder: Path, model: str) -> None:
    for what, patterns in (("image processor", _IMAGE_PROCESSORS), ("tokenizer", _TOKENIZERS)):
        if not any(path.is_file() for pattern in patterns for path in folder.glob(pattern)):
            raise UsageError(f"{folder} has no {what} ({' or '.join(patterns)}). {_explain_download(model)}")


def _fingerprint(paths: list[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in paths:
        found = path.stat()
        digest.update(f"{path.name}:{_fingerprint_file(path, found.st_size, found.st_mtime_ns)}\n".encode())
    return digest.hexdigest()


@lru_cache(maxsize=256)
def _fingerprint_file(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        if path.suffix != ".safetensors":
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        digest = hashlib.blake2b(digest_size=16)
        for part in _sample(file, path):
            digest.update(part)
        return digest.hexdigest()


def _sample(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """The header of a safetensors file, then each tensor: whole where it is small, else spread samples of it."""
    start, header = _read_header(file, path)
    yield json.dumps(header, sort_keys=True).encode()
    for name, entry in sorted(header.items()):
        if name == "__metadata__":
            continue
        first, stop = entry["data_offsets"]
        length = stop - first
        n = _N_SAMPLES if length > _N_SAMPLES * _SAMPLE else 1
        piece = _SAMPLE if n > 1 else length
        for i in range(n):
            file.seek(start + first + (length - piece) * i // max(n - 1, 1))
            yield file.read(piece)


def _read_header(file: BinaryIO, path: Path) -> tuple[int, dict[str, Any]]:
    """Where the tensors begin, and the header."""
    size = int.from_bytes(file.read(8), "little")
    try:
        if not 2 <= size <= _MAX_HEADER:
            raise ValueError(f"a header of {size} bytes")
        header = json.loads(file.read(size))
        if not isinstance(header, dict):
            raise ValueError("the header is no object")
        for name, entry in header.items():
            if name != "__metadata__":
                _check_entry(entry)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(f"{path} is no safetensors file, or broken ({error}): download it again.") from error
    return 8 + size, header


def _check_entry(entry: Any) -> None:
    first, stop = entry["data_offsets"]
    if not (
        isinstance(entry["dtype"], str)
        and 0 <= int(first) <= int(stop)
        and min(entry["shape"], default=0) >= 0
    ):
        raise ValueError("an entry is broken")
