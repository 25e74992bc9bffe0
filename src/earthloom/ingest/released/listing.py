"""What every list of records shares: the files that hold it, records as items, and pictures that are not there."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Item, Part, Reason
from earthloom.core.text import is_whole, mend
from earthloom.ingest.config import FileSettings
from earthloom.ingest.listing import choose, list_files, locate, refuse
from earthloom.ingest.released.json_records import JsonDamage, Record

JSON_FILES = (".json", ".jsonl", ".ndjson")

_TRIED = 100
_SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A record on its way to an item, or why it cannot be one."""

    key: str
    part: Part | None = None
    """The picture; None where there is none."""
    document: object = None
    """What reading needs to know, as JSON."""
    reason: Reason = Reason.MISSING
    detail: str = ""
    """Why there is no picture."""


Reader = Callable[[Path, str], Iterator[Row]]
"""(file, its key) to rows, streaming. Raises JsonDamage where the file breaks off."""


def list_rows(settings: FileSettings, root: Path, read: Reader, wanted: str) -> Iterator[Item]:
    """List the records of all JSON files of a source as items, in the order of the files.

    A record without a picture and one whose key was there before are refused, a file that breaks off is refused after
    its last good record. Raises UsageError, saying what was `wanted`, where no file holds a single record.
    """
    return choose(_list(settings, root, read, wanted), settings.skip, settings.limit)


def take_records(
    records: Iterable[Record], is_wanted: Callable[[Mapping[str, object]], bool]
) -> Iterator[Record]:
    """Give all records of a file, bad ones too, if one of its first hundred is of the kind that `is_wanted`."""
    held: list[Record] = []
    is_ours = False
    for record in records:
        if is_ours:
            yield record
            continue
        held.append(record)
        if is_wanted(record.fields):
            is_ours = True
            yield from held
        elif len(held) == _TRIED:
            return


def find_split(name: str) -> str | None:
    """Read the publisher's split out of a file's or folder's name, as a word of its own: `train`, `val` or `test`."""
    words = re.split(r"[^a-z]+", name.lower())
    return next((_SPLITS[word] for word in words if word in _SPLITS), None)


def _list(settings: FileSettings, root: Path, read: Reader, wanted: str) -> Iterator[Item]:
    start = locate(settings.path, root)
    seen: set[int] = set()
    broken: list[Item] = []
    is_empty = True
    for file in list_files(start, lambda name: name.lower().endswith(JSON_FILES)):
        if file.refused is not None:
            broken.append(file)
            continue
        n_rows = 0
        try:
            for row in read(Path(file.parts[0].uri), file.key):
                n_rows += 1
                yield _make_item(row, seen)
        except (JsonDamage, OSError) as error:
            detail = f"the file breaks off after {n_rows} records: {error}"
            broken.append(refuse(file.key, Reason.UNREADABLE, detail))
        else:
            if n_rows == 0:
                _log.warning("%s: there are no records in it of the kind that is read here", file.key)
        is_empty = is_empty and n_rows == 0
    if is_empty:
        why = "; ".join(f"{item.key}: {item.detail}" for item in broken) or "there are no such records in it"
        raise UsageError(f"{settings.path}: wanted {wanted}; {why}.")
    yield from broken


def _make_item(row: Row, seen: set[int]) -> Item:
    if not is_whole(row.key):
        row = replace(row, key=mend(row.key))
    mark = hash(row.key)  # 64 bits instead of the key: a million records take 100 MB less
    if mark in seen:
        return refuse(row.key, Reason.DUPLICATE, "a record of this key came before")
    seen.add(mark)
    if row.part is None:
        return refuse(row.key, row.reason, row.detail)
    document = "" if row.document is None else json.dumps(row.document, ensure_ascii=False)
    return Item(key=row.key, parts=(row.part,), document=document)


def try_find(
    find: Callable[[Iterable[str]], Part | None], names: list[str]
) -> tuple[Part | None, Reason, str]:
    """Look for a picture: the part, or why there is none. No file has a name with half a letter in it."""
    try:
        part = find([name for name in names if is_whole(name)])
    except RecordError as error:
        return None, error.reason, error.detail
    return (
        part,
        Reason.MISSING,
        "" if part else f"the picture is not there; looked for {mend(' and '.join(names))[:300]}",
    )
