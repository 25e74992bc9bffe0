"""Image folders as Hugging Face `datasets` reads them: pictures in folders, facts in `metadata.csv` or `.jsonl`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Literal

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Item, Label, Origin, Part, Reason, Scene
from earthloom.ingest.about import About
from earthloom.ingest.archives import is_archive
from earthloom.ingest.config import FileSettings
from earthloom.ingest.datasets.adapter import Tree, part_of
from earthloom.ingest.images import find_class
from earthloom.ingest.listing import Start, choose, list_files, locate, refuse
from earthloom.ingest.released.fields import Columns, FieldsSettings, read_cells
from earthloom.ingest.released.gallery import is_picture
from earthloom.ingest.released.known import Known, make_known_scene
from earthloom.ingest.released.listing import find_split
from earthloom.ingest.scenes import Facts
from earthloom.ingest.sidecar import Sidecar, open_sidecar


class ImageFolderSettings(FileSettings, FieldsSettings):
    """Hugging Face image folders: `train/cat/1.png`, with captions and facts in `metadata.csv` or `metadata.jsonl`."""

    kind: Literal["imagefolder"]
    """What kind of source this is."""
    classes: bool | None = None
    """Whether folders name classes; None: where pictures have no metadata, as `datasets` has it."""


ABOUT = About(
    title="Image folder",
    what="pictures in folders by split and class, with metadata by file name, as Hugging Face `datasets` reads them",
    layout=(
        "train/metadata.csv      (or metadata.jsonl: file_name, text, ...)",
        "train/1.png",
        "train/river/1.png       (without metadata: the folder is the class)",
    ),
    example="- {kind: imagefolder, path: my_folder, gsd_m: 0.5}\n",
)

_METADATA = ("metadata.csv", "metadata.jsonl")
_UNREAD = "metadata.parquet"


def list_items(settings: ImageFolderSettings, root: Path) -> Iterator[Item]:
    """List pictures in the order of their names, each with the metadata of the nearest folder that has some.

    Rows that name no file are refused, as is every archive. Raises UsageError where there are no pictures.
    """
    start = locate(settings.path, root)
    if start.is_file:
        raise UsageError(f"{settings.path}: a file; an image folder is a folder of pictures.")
    return choose(_list(settings, start), settings.skip, settings.limit)


def read_item(settings: ImageFolderSettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Read one picture's header and its row: one scene. Raises RecordError."""
    picture, metadata = part_of(item, "image"), part_of(item, "metadata")
    assert picture is not None
    known = Known() if metadata is None else _read_metadata(settings, metadata, item.key, item.document)
    name = Facts(origin=Origin.NAME, published_split=find_split(_split_of(item.key)))
    has_classes = metadata is None if settings.classes is None else settings.classes
    if has_classes and not known.labels:
        known = replace(known, labels=_label(settings, item.key))
    return [make_known_scene(settings, item, picture, known, weaker=(name,))]


def _list(settings: ImageFolderSettings, start: Start) -> Iterator[Item]:
    nearest = _Nearest(start.top)
    is_empty = True
    for file in list_files(start, _is_wanted):
        is_empty = False
        if file.refused is not None:
            yield file
        elif is_picture(file.key):
            yield nearest.attach(file)
        else:
            yield refuse(file.key, Reason.UNREADABLE, _explain(file.key))
    if is_empty:
        raise UsageError(f"{settings.path}: there are no pictures in it; wanted an image folder.")
    yield from nearest.list_strays()


def _is_wanted(name: str) -> bool:
    return is_picture(name) or is_archive(name) or name == _UNREAD


def _explain(key: str) -> str:
    if is_archive(key):
        return "an archive in an image folder; unpack it there"
    return "metadata as Parquet is not read here; write it as metadata.csv or metadata.jsonl"


class _Nearest:
    """Finds the metadata of the nearest folder, asking the disk once a folder."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._tree = Tree(top)
        self._known: dict[str, tuple[str, Part] | None] = {}
        self._opened: dict[str, Sidecar] = {}

    def attach(self, file: Item) -> Item:
        """Give a picture its metadata; the document is the folder in which that lies."""
        parts = (replace(file.parts[0], role="image"),)
        found = self._find(file.key.rpartition("/")[0])
        if found is None:
            return replace(file, parts=parts)
        folder, part = found
        if folder not in self._opened:
            self._opened[folder] = open_sidecar(Path(part.uri))
            self._opened[folder].unmark()
        self._opened[folder].mark(_below(file.key, folder))
        return replace(file, parts=(*parts, replace(part, role="metadata")), document=folder)

    def list_strays(self) -> Iterator[Item]:
        """Refuse rows from which no file name can be read; rows whose file is not there are counted and logged."""
        for folder, sidecar in self._opened.items():
            for stray in sidecar.strays:
                key = f"{folder}/{sidecar.path.name}:{stray.line}".lstrip("/")
                yield refuse(key, Reason.BAD_FACTS, f"line {stray.line}: {stray.detail}; no picture is named")
            sidecar.report_unused()

    def _find(self, folder: str) -> tuple[str, Part] | None:
        if folder not in self._known:
            names = (f"{folder}/{name}".lstrip("/") for name in _METADATA)
            part = next((part for name in names if (part := self._tree.find(name)) is not None), None)
            if part is not None:
                self._known[folder] = (folder, part)
            else:
                self._known[folder] = self._find(folder.rpartition("/")[0]) if folder else None
        return self._known[folder]


def _below(key: str, folder: str) -> str:
    return key.removeprefix(f"{folder}/") if folder else key


def _read_metadata(settings: ImageFolderSettings, part: Part, key: str, folder: str) -> Known:
    sidecar = open_sidecar(Path(part.uri))
    columns = Columns(settings)
    rows = sidecar.find_rows(_below(key, folder))
    for row in rows:
        if row.fault is not None:
            raise RecordError(Reason.BAD_FACTS, f"{row.where}: {row.fault}")
    known = [columns.read(read_cells(row.value) if row.textual else row.value, row.where) for row in rows]
    for row, said in zip(rows[1:], known[1:], strict=False):
        _check_agreement(known[0], said, row.where)
    return _merge(known)


def _check_agreement(first: Known, other: Known, where: str) -> None:
    """Two rows of one picture may each say what the other does not, but not contradict each other."""
    for field in dataclasses.fields(Facts):
        before, now = (getattr(known.facts[0], field.name) for known in (first, other))
        if before is not None and now is not None and before != now:
            detail = f"{where}: {field.name} is {now!r}, an earlier row of this picture says {before!r}"
            raise RecordError(Reason.BAD_FACTS, detail)


def _merge(rows: Iterable[Known]) -> Known:
    """Join the rows of one picture: captions and labels add up."""
    merged = Known()
    for row in rows:
        merged = replace(
            merged,
            facts=(*merged.facts, *row.facts),
            texts=(*merged.texts, *row.texts),
            labels=tuple(dict.fromkeys((*merged.labels, *row.labels))),
            modality=merged.modality or row.modality,
            group=merged.group or row.group,
            pair=merged.pair or row.pair,
        )
    return merged


def _split_of(key: str) -> str:
    first, slash, _ = key.partition("/")
    return first if slash else ""


def _label(settings: ImageFolderSettings, key: str) -> tuple[Label, ...]:
    folders = PurePosixPath(key).parts[:-1]
    if not folders or (len(folders) == 1 and find_split(folders[0]) is not None):
        return ()
    name = find_class(key, settings.class_names)
    return () if name is None else (Label(name=name, kind="class", origin=Origin.NAME.value),)
