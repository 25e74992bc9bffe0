"""From sources to scenes: what is listed, what headers and sidecars say, and where each fact comes from.

A new kind of source is a module with its settings, what is known of it, and how it is listed and read; `kinds.py`
names it. A published dataset is an adapter under `datasets/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Scene
from earthloom.ingest.kinds import KINDS, AnySource, Kind, find_kind

INGEST_VERSION = "3"
"""Changes when the same source would give other scenes; makes earlier ones stale."""


def list_items(settings: AnySource, root: Path) -> Iterator[Item]:
    """List what a source holds, streaming and in a stable order; paths are relative to `root`.

    Nothing is opened but folders, archives and tables; a STAC search asks its server. What listing alone shows to be
    unusable comes with `refused` set. Raises UsageError when there is no such source or nothing in it.
    """
    return find_kind(settings).list_items(settings, root)


def fetch_items(settings: AnySource, items: Sequence[Item], root: Path, assets: Path) -> None:
    """Bring what the items of a shard need from elsewhere into `assets`; nothing for sources on disk."""
    fetch = find_kind(settings).fetch_items
    if fetch is not None:
        fetch(settings, [item for item in items if item.refused is None], root, assets)


def read_item(settings: AnySource, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Read the headers of one item: its scenes, one for each modality. Raises RecordError.

    `assets` is the folder for images that a source renders or downloads.
    """
    if item.refused is not None:
        raise RecordError(item.refused, item.detail)
    return find_kind(settings).read_item(settings, item, root, assets)


__all__ = ["INGEST_VERSION", "KINDS", "AnySource", "Kind", "fetch_items", "list_items", "read_item"]
