"""Static catalogs and item files: walked as they are listed, each document read once and let go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Reason
from earthloom.ingest.listing import list_files, locate
from earthloom.ingest.stac.config import StacSettings
from earthloom.ingest.stac.document import Found, Json
from earthloom.ingest.stac.hrefs import explained, link_of, links_of, read_json, resolve
from earthloom.net.urls import is_remote, name_of

DEEPEST = 32
"""Levels of catalogs below each other: what is deeper is a mistake."""

Listed = Found | tuple[str, RecordError]
"""An item, or the place of one that cannot be read and why."""

_UNREADABLE = frozenset((Reason.MISSING, Reason.EMPTY, Reason.UNREADABLE, Reason.BAD_FACTS, Reason.TOO_LARGE))
"""What is wrong with one document; anything else is wrong with the source."""


def walk_catalog(settings: StacSettings, root: Path) -> Iterator[Listed]:
    """Walk a static catalog: the items of each catalog or collection, then its children, in the order of links.

    No document is read twice. An item that cannot be read costs itself; a catalog or a server that cannot be read
    is a UsageError or RunError.
    """
    assert settings.catalog is not None  # the kind of place that was given
    top = settings.catalog if is_remote(settings.catalog) else str(locate(settings.catalog, root).top)
    if Path(top).is_dir():
        top = str(Path(top) / "catalog.json")
    seen = {top}
    stack: list[tuple[str, Json | None, int]] = [(top, None, 0)]
    while stack:
        place, collection, depth = stack.pop()
        document = _read_catalog(settings, place)
        if document.get("type") == "Collection" or "extent" in document:
            collection = document
        for href in _follow(document, "item", place, seen):
            yield _read_item(settings, href, collection)
        if depth < DEEPEST:
            children = list(_follow(document, "child", place, seen))
            stack += ((href, collection, depth + 1) for href in reversed(children))


def _read_catalog(settings: StacSettings, place: str) -> Json:
    with explained(place):
        document: Json = read_json(settings, place)
        is_catalog = isinstance(document, dict) and isinstance(document.get("links"), list)
        if not is_catalog or document.get("type") == "Feature":
            raise RecordError(Reason.UNREADABLE, f"{name_of(place)}: wanted a STAC catalog or collection")
    return document


def _follow(document: Json, rel: str, place: str, seen: set[str]) -> Iterator[str]:
    """Links to documents that were not seen yet; links that lead nowhere are left to whoever reads them."""
    for link in links_of(document, rel):
        try:
            href = resolve(link["href"], place)
        except RecordError:
            href = link["href"]
        if href not in seen:
            seen.add(href)
            yield href


def _read_item(settings: StacSettings, place: str, collection: Json | None) -> Listed:
    try:
        return Found(item=read_json(settings, place), href=place, collection=collection)
    except RecordError as error:
        if error.reason in _UNREADABLE:
            return place, error
        with explained(place):
            raise


def list_item_files(settings: StacSettings, root: Path) -> Iterator[Listed]:
    """List item files, and the items of FeatureCollections, in the order of their paths.

    JSON that is neither (a catalog beside its items) is passed over. Raises UsageError where there is nothing at
    the place, RunError where a server does not answer.
    """
    assert settings.items is not None  # the kind of place that was given
    if is_remote(settings.items):
        with explained(settings.items):
            document = read_json(settings, settings.items)
        yield from _items_of(settings, document, settings.items)
        return
    start = locate(settings.items, root)
    empty = True
    for file in list_files(start, lambda name: name.lower().endswith((".json", ".geojson"))):
        empty = False
        if file.refused is not None:
            yield file.key, RecordError(file.refused, file.detail)
            continue
        (part,) = file.parts
        try:
            document = read_json(settings, part.uri)
        except RecordError as error:
            yield file.key, error
            continue
        yield from _items_of(settings, document, part.uri)
    if empty:
        raise UsageError(f"{settings.items}: there is no .json or .geojson file in it.")


def _items_of(settings: StacSettings, document: Any, place: str) -> Iterator[Found]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        for item in document["features"]:
            yield Found(item=item, href=place, collection=_find_collection(settings, item, place))
    elif kind == "Feature":
        yield Found(item=document, href=place, collection=_find_collection(settings, document, place))


def _find_collection(settings: StacSettings, item: object, place: str) -> Json | None:
    """The collection of an item file where it lies beside it; nobody else is asked for it."""
    href = link_of(item, "collection")
    if href is None or "://" in href or is_remote(place):
        return None
    try:
        collection = read_json(settings, resolve(href, place))
    except RecordError:
        return None
    return collection if isinstance(collection, dict) and collection.get("type") != "Feature" else None
