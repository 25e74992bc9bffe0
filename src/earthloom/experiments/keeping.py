"""Which steps are done: each has a record, written last, of all that it was done by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from earthloom.core.ids import hash_json
from earthloom.experiments.loading import Step
from earthloom.store.atomic import write_json
from earthloom.store.layout import ExperimentFolder


def make_key(step: Step, keys: Mapping[str, str], version: str) -> str:
    """Hash of all that a step depends on.

    Args:
        step: with its recipe.
        keys: those of the steps before it.
        version: of earthloom.

    """
    return hash_json(
        {
            "kind": step.kind,
            "recipe": json.loads(json.dumps(step.plain, default=str)),
            "reads": {name: keys[name] for name in step.reads},
            "inputs": {str(path): _stamp(path) for path in step.inputs},
            "earthloom": version,
        }
    )


def read_done(folder: ExperimentFolder, step: Step, key: str) -> dict[str, Any] | None:
    """The summary of a step that was done by this key; None where it was not."""
    try:
        told = json.loads(folder.done(step.name).read_bytes())
        return dict(told["summary"]) if told["key"] == key and folder.step(step.name).is_dir() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_done(folder: ExperimentFolder, step: Step, key: str, summary: Mapping[str, Any]) -> None:
    """Record that a step is done."""
    write_json(folder.done(step.name), {"kind": step.kind, "key": key, "summary": dict(summary)})


def _stamp(path: Path) -> list[int] | None:
    """Size and time of a file; of a folder its time alone, of a pattern of names nothing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size if path.is_file() else 0, found.st_mtime_ns]
