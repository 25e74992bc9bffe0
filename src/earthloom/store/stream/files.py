"""A folder of picture files, with words beside them or in tables as Hugging Face's `imagefolder` has them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from earthloom.core.blobs import read_blob, translate_read_errors
from earthloom.core.errors import RecordError
from earthloom.core.ids import make_id
from earthloom.core.records import Reason
from earthloom.store.selection import PICTURES
from earthloom.store.stream.facts import make_sample, unify
from earthloom.store.stream.sample import Sample
from earthloom.store.stream.shard import Chunk, Rows

_TABLES = ("metadata.jsonl", "metadata.csv")
_NAMES = ("file_name", "filename", "image", "file", "path")
"""Columns of a table in which the name of a picture is looked for."""


class FolderShard:
    """The pictures of a folder and of all below it. Their paths are held in memory, some 200 bytes each."""

    def __init__(self, root: Path) -> None:
        """List the folder. Raises `RecordError` where a table in it cannot be read."""
        self._root = root
        self._paths: list[str] = []
        self._tables: dict[str, dict[str, Any]] = {}
        self._digest = make_id("folder")
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() in PICTURES and path.is_file():
                self._add(path.relative_to(root).as_posix(), path.stat().st_size)
            elif path.name in _TABLES:
                self._tables.update(_read_table(path, root))

    @property
    def identity(self) -> str:
        """Hash of all names and sizes."""
        return self._digest

    def _add(self, key: str, size: int) -> None:
        self._paths.append(key)
        self._digest = make_id(self._digest, key, size)

    def chunks(self) -> Sequence[Chunk]:
        """One of all pictures."""
        return (Chunk(len(self._paths), 0),)

    def facts(self, chunk: int) -> Sequence[Mapping[str, Any] | RecordError]:
        """What is needed of each for `limit`: its key."""
        return [{"id": key} for key in self._paths]

    def narrow(self, rows: Rows) -> Rows:
        """Nothing is forgotten: there is one folder only."""
        return rows

    def key(self, chunk: int, row: int) -> str:
        """Path below the folder."""
        return self._paths[row]

    def read(self, chunk: int, row: int) -> Sample:
        """Read a sample: the file, `NAME.txt` and `NAME.json` beside it, its row of a table.

        Raises `RecordError` as `read_blob`, and BAD_FACTS for what is no JSON object.
        """
        key = self._paths[row]
        path = self._root / key
        told = {**self._tables.get(key, {}), **_read_json(path.with_suffix(".json"))}
        facts = {**unify(told, key), "id": key}
        return make_sample(
            facts, key=key, image=read_blob(str(path)), texts=_read_text(path.with_suffix(".txt"))
        )


def _read_text(path: Path) -> Iterator[str]:
    if path.is_file():
        with translate_read_errors(str(path)):
            yield path.read_text("utf-8", errors="replace").strip()


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with translate_read_errors(str(path)):
        return _parse(path.read_text("utf-8", errors="replace"), path.name)


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(Reason.BAD_FACTS, f"{where} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise RecordError(Reason.BAD_FACTS, f"{where} holds a {type(value).__name__}; wanted an object")
    return value


def _read_table(path: Path, root: Path) -> dict[str, dict[str, Any]]:
    """Rows of a table by the path of their picture below the root; names are relative to the table's folder."""
    folder = path.parent.relative_to(root)
    with translate_read_errors(str(path)), path.open(encoding="utf-8", errors="replace", newline="") as file:
        if path.suffix == ".csv":
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
        else:
            rows = [_parse(line, f"{path.name}:{n}") for n, line in enumerate(file, 1) if line.strip()]
    found = {}
    for row in rows:
        name = next((row[column] for column in _NAMES if isinstance(row.get(column), str)), None)
        if name is not None:
            found[(folder / name).as_posix()] = row
    return found
