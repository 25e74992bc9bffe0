"""Where a model lies: a folder, or a name in the Hub's cache; and what to download where it is in neither."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DOWNLOADED = ".cache/huggingface/download"
"""Where `hf download --local-dir` notes, file by file, the commit that it took."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A model that is asked for."""

    model: str
    """Folder, or name on the Hub such as `Salesforce/blip2-opt-2.7b`."""
    revision: str = ""
    """Commit, tag or branch as the cache knows it; empty for `main`."""
    example: str
    """Name on the Hub to speak of where a folder was given."""
    choice: str = '--exclude "*.bin"'
    """What of it to download, as options of `hf download`."""

    def explain_download(self) -> str:
        """Say how to get it."""
        is_name = bool(_HUB_NAME.fullmatch(self.model)) and not Path(self.model).is_dir()
        return (
            f"On a machine with network: `hf download {self.model if is_name else self.example} "
            f"--revision {self.revision or 'COMMIT'} {self.choice} --local-dir FOLDER`, then `model: FOLDER`."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a model lies."""

    folder: Path
    name: str
    """Its name on the Hub, or that of its folder."""
    revision: str | None
    """The commit that was downloaded; None where nothing tells."""


def find_place(wanted: Wanted) -> Place:
    """Find a folder, or the snapshot of a model in the Hub's cache.

    Raises UsageError where it is in neither; the message says what to download.
    """
    given = Path(wanted.model)
    if given.is_dir():
        return Place(folder=given, name=given.resolve().name, revision=_find_commit(given.resolve()))
    folder = _find_in_cache(wanted)
    return Place(folder=folder, name=wanted.model, revision=_find_commit(folder))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises UsageError where it is none."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path} holds no JSON object.")
    return value


def refuse_pickles(path: Path) -> UsageError:
    """The error for weights that are no safetensors and are not trusted."""
    return UsageError(
        f"{path} is no safetensors file, and a pickle can run any code on this machine. Take safetensors (save the "
        "model again with save_pretrained), or set `trust_pickles: true` if you trust where it comes from."
    )


def _find_in_cache(wanted: Wanted) -> Path:
    if not _HUB_NAME.fullmatch(wanted.model):
        raise UsageError(f"There is no folder {wanted.model!r}.")
    with explain_missing_models("A model of the Hub wants"):
        from huggingface_hub import constants, snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    try:
        return Path(snapshot_download(wanted.model, revision=wanted.revision or None, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError) as error:
        at = f" at revision {wanted.revision}" if wanted.revision else ""
        raise UsageError(
            f"There is no folder {wanted.model!r}, and the Hub's cache ({constants.HF_HUB_CACHE}) has no model of that "
            f"name{at}. Nothing is downloaded here. {wanted.explain_download()}"
        ) from error


def _find_commit(folder: Path) -> str | None:
    """From the name of a snapshot of the cache, or from what `hf download` noted: None where the files differ in it."""
    if folder.parent.name == "snapshots" and _COMMIT.fullmatch(folder.name):
        return folder.name
    noted = {_read_first_line(path) for path in (folder / _DOWNLOADED).rglob("*.metadata")}
    commit = noted.pop() if len(noted) == 1 else ""
    return commit if _COMMIT.fullmatch(commit) else None


def _read_first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline(80).strip()
    except (OSError, ValueError):
        return ""
