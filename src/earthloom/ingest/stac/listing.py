"""Listing: from a search, a catalog or files to items, filtered, each once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Item, Reason
from earthloom.ingest.listing import choose, make_key, refuse
from earthloom.ingest.stac.api import search_items
from earthloom.ingest.stac.catalog import Listed, list_item_files, walk_catalog
from earthloom.ingest.stac.config import StacSettings
from earthloom.ingest.stac.document import Found, check_item, key_of
from earthloom.ingest.stac.filters import is_wanted
from earthloom.net.urls import is_remote, show_url


def list_items(settings: StacSettings, root: Path) -> Iterator[Item]:
    """List the items that the recipe asks for, in the order of the search, the catalog's links or the files' paths.

    The key is `COLLECTION/ID`; what is no item is yielded as refused (BAD_FACTS, or why it cannot be read), so is a
    second, different item of one key (DUPLICATE). Pages and catalogs are read as they are needed; some 200 bytes
    an item are held. Raises UsageError where nothing is listed or the place is wrong, RunError where a server does
    not answer.
    """
    items = _each_once(_make_items(settings, _find(settings, root)))
    return choose(_require(islice(items, settings.max_items), settings), None, settings.limit)


def _find(settings: StacSettings, root: Path) -> Iterator[Listed]:
    if settings.catalog is not None:
        return walk_catalog(settings, root)
    if settings.items is not None:
        return list_item_files(settings, root)
    return search_items(settings)


def _make_items(settings: StacSettings, found: Iterable[Listed]) -> Iterator[Item]:
    for number, listed in enumerate(found):
        if not isinstance(listed, Found):
            place, error = listed
            yield refuse(_name(place), error.reason, error.detail)
            continue
        try:
            item = check_item(listed.item)
        except RecordError as error:
            name = listed.item.get("id") if isinstance(listed.item, dict) else None
            yield refuse(str(name or f"{_name(listed.href)}#{number}"), error.reason, error.detail)
            continue
        try:
            if is_wanted(settings, item):
                yield Item(key=make_key(key_of(item)), parts=(), document=listed.to_text())
        except RecordError as error:
            yield refuse(key_of(item), error.reason, error.detail)


def _name(place: str) -> str:
    """A place as a key: the same on any machine."""
    return show_url(place) if is_remote(place) else PurePosixPath(place).name


def _each_once(items: Iterable[Item]) -> Iterator[Item]:
    """Drop repetitions, which pages of a search that moves on may hold; refuse what has another's key."""
    known: dict[str, bytes] = {}
    for item in items:
        digest = hashlib.blake2b(f"{item.document}\0{item.detail}".encode(), digest_size=16).digest()
        first = known.setdefault(item.key, digest)
        if first is not digest and first == digest:
            continue
        if first is digest:
            yield item
        else:
            yield refuse(item.key, Reason.DUPLICATE, "another item has the same collection and id")


def _require(items: Iterator[Item], settings: StacSettings) -> Iterator[Item]:
    empty = True
    for item in items:
        empty = False
        yield item
    if empty:
        place = show_url(settings.url or settings.catalog or settings.items or "")
        raise UsageError(
            f"{place}: no item is what the recipe asks for (collections, bbox, datetime, clouds)."
        )
