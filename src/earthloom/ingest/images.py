"""Pictures without geo-reference: JPEG, PNG, WebP, TIFF and BMP, in folders or straight out of a tar or zip.

Files with other suffixes are not listed. An archive given as `path` lends its members their own names as keys; one
found in a folder stands before them (`shard-00.tar/a.jpg`). Every picture is one scene; what it is (RGB, NIR, SAR)
the recipe says, by default RGB. Values are display values, but 16-bit ones are counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from earthloom.core.errors import UsageError
from earthloom.core.records import Item, Label, Origin, Reason, Scene, Text
from earthloom.ingest.archives import COMPRESSED_TARS, is_archive, list_members
from earthloom.ingest.config import ImagesSettings
from earthloom.ingest.datasets.reading import read_picture
from earthloom.ingest.listing import choose, list_files, locate, refuse
from earthloom.ingest.names import name_class
from earthloom.ingest.scenes import facts_of_name, facts_of_recipe, make_scene
from earthloom.ingest.sidecar import Notes, Sidecar, open_sidecar, resolve_facts

PICTURES = frozenset((".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp"))
"""Suffixes, in lower case, of files that are listed."""


def list_items(settings: ImagesSettings, root: Path) -> Iterator[Item]:
    """List pictures, in the order of their keys (of members within an archive).

    Rows of the sidecar from which no file name can be read are yielded as refused items under the sidecar's name
    and line; rows that name no picture are counted and logged at the end. Raises UsageError when `path` or
    `facts` is not there or cannot be used at all, or when nothing is listed.
    """
    start = locate(settings.path, root)
    if start.is_file and start.top.name.lower().endswith(COMPRESSED_TARS):
        raise UsageError(
            f"{settings.path}: a compressed tar cannot be read in place. Decompress it once to a plain .tar."
        )
    sidecar = None if settings.facts is None else open_sidecar(resolve_facts(settings.facts, root))
    is_wanted = _is_picture_or_archive
    items = _expand(list_files(start, is_wanted), is_alone=start.is_file)
    if sidecar is not None:
        items = _mark(items, sidecar)
    return choose(_require(items, settings.path), settings.skip, settings.limit)


def read_item(settings: ImagesSettings, item: Item, root: Path) -> list[Scene]:
    """Read one picture's header: one scene. Raises RecordError.

    A gray picture used as RGB shows its one channel three times; a colour picture used as NIR or SAR shows its
    first channel, since whether all are equal is not known before decoding.
    """
    (part,) = item.parts
    notes = _find_notes(settings, item.key, root)
    pixels = read_picture(part, settings.modality, settings.quantity)
    facts = (
        notes.facts,
        facts_of_name(settings, item.key),
        facts_of_recipe(settings, polarisation=settings.polarisation, modality=settings.modality),
    )
    return [
        make_scene(
            settings,
            item,
            pixels.fingerprint,
            pixels.layer,
            facts,
            labels=_find_labels(settings, item.key, notes),
            texts=(*(Text(text=text, role="caption") for text in notes.captions), *notes.texts),
        )
    ]


def find_class(key: str, class_names: dict[str, str]) -> str | None:
    """Give the class that a picture's folder names; None at the top of a source or of an archive."""
    folder = PurePosixPath(key).parent.name
    if not folder or is_archive(folder):
        return None
    return class_names.get(folder) or name_class(folder) or None


def _is_picture(name: str) -> bool:
    return name[name.rfind(".") :].lower() in PICTURES


def _is_picture_or_archive(name: str) -> bool:
    return _is_picture(name) or is_archive(name)


def _expand(files: Iterable[Item], *, is_alone: bool) -> Iterator[Item]:
    """Put the members of archives in their place."""
    for item in files:
        if item.refused is None and is_archive(item.key):
            prefix = "" if is_alone else f"{item.key}/"
            yield from list_members(item, prefix, _is_picture)
        else:
            yield item


def _mark(items: Iterable[Item], sidecar: Sidecar) -> Iterator[Item]:
    for stray in sidecar.strays:
        detail = f"line {stray.line}: {stray.detail}; which picture it is about is unknown"
        yield refuse(f"{sidecar.path.name}:{stray.line}", Reason.BAD_FACTS, detail)
    sidecar.unmark()
    for item in items:
        sidecar.mark(item.key)
        yield item
    sidecar.report_unused()


def _require(items: Iterable[Item], path: str) -> Iterator[Item]:
    empty = True
    for item in items:
        empty = False
        yield item
    if empty:
        suffixes = " ".join(sorted(PICTURES))
        raise UsageError(f"{path}: there are no pictures ({suffixes}) and no .tar or .zip in it.")


def _find_notes(settings: ImagesSettings, key: str, root: Path) -> Notes:
    if settings.facts is None:
        return Notes()
    return open_sidecar(resolve_facts(settings.facts, root)).find(key)


def _find_labels(settings: ImagesSettings, key: str, notes: Notes) -> tuple[Label, ...]:
    labels = [
        Label(
            name=settings.class_names.get(name) or name_class(name), kind="class", origin=Origin.SIDECAR.value
        )
        for name in notes.labels
    ]
    if settings.classes and (folder := find_class(key, settings.class_names)) is not None:
        labels.append(Label(name=folder, kind="class", origin=Origin.NAME.value))
    return tuple({label.name: label for label in reversed(labels)}.values())[::-1]
