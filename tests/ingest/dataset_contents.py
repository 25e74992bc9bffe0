"""Reading a whole dataset in a test: its scenes by item, and what is refused with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason, Scene
from earthloom.ingest import KINDS


@dataclass(slots=True)
class Contents:
    """What a source gives."""

    scenes: dict[str, list[Scene]] = field(default_factory=dict)
    refused: dict[str, Reason] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)

    def alone(self) -> dict[str, Scene]:
        """The scenes of items that have one each."""
        return {key: scene for key, (scene,) in self.scenes.items()}


def read_dataset(kind: str, path: Path, **settings: object) -> Contents:
    """List a folder or archive as a kind of source and read every item."""
    found = KINDS[kind]
    made = found.settings.model_validate({"kind": kind, "name": "made", "path": path.name, **settings})
    contents = Contents()
    for item in found.list_items(made, path.parent):
        if item.refused is not None:
            contents.refused[item.key] = item.refused
            contents.details[item.key] = item.detail
            continue
        try:
            scenes = found.read_item(made, item, path.parent, path.parent)
        except RecordError as error:
            contents.refused[item.key] = error.reason
            contents.details[item.key] = error.detail
        else:
            assert item.key not in contents.scenes, "two items of one key"
            contents.scenes[item.key] = scenes
    return contents


def origins_of(scene: Scene) -> dict[str, str]:
    """Where each fact of a scene comes from."""
    return {entry.fact: entry.origin for entry in scene.provenance}


def select(work: Path, what: str, rest: str = "") -> list[tuple[Any, ...]]:
    """Select from the rows of a release."""
    found = duckdb.sql(f"select {what} from '{work}/release/data/*.parquet' {rest}")
    assert found is not None
    return found.fetchall()
