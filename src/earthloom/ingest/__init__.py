"""From sources to scenes: what is listed, what headers and sidecars say, and where each fact comes from.

A new kind of source is a module with `list_items` and `read_item`, its settings in `config.py`, and a case in the
two functions here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Scene
from earthloom.ingest import geotiff, images
from earthloom.ingest.config import AnySource, AtlasSettings, GeotiffSettings, ImagesSettings

INGEST_VERSION = "1"
"""Changes when the same source would give other scenes; makes earlier ones stale."""


def list_items(settings: AnySource, root: Path) -> Iterator[Item]:
    """List what a source holds, streaming and in a stable order; paths are relative to `root`.

    Nothing is opened but folders, archives and the sidecar. What listing alone shows to be unusable comes with
    `refused` set. Raises UsageError when there is no such source or nothing in it.
    """
    match settings:
        case GeotiffSettings():
            return geotiff.list_items(settings, root)
        case ImagesSettings():
            return images.list_items(settings, root)
        case AtlasSettings():
            from earthloom.ingest import atlas  # brings scipy's solvers, which every worker would pay for

            return atlas.list_items(settings, root)


def read_item(settings: AnySource, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Read the headers of one item: its scenes, one for each modality. Raises RecordError.

    `assets` is the folder for rasters that a source renders itself.
    """
    if item.refused is not None:
        raise RecordError(item.refused, item.detail)
    match settings:
        case GeotiffSettings():
            return geotiff.read_item(settings, item)
        case ImagesSettings():
            return images.read_item(settings, item, root)
        case AtlasSettings():
            from earthloom.ingest import atlas

            return atlas.read_item(settings, item, root, assets)


__all__ = ["INGEST_VERSION", "list_items", "read_item"]
