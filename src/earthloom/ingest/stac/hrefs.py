"""Links of STAC documents: where they lead, and the JSON behind them."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from earthloom.core.blobs import translate_read_errors
from earthloom.core.errors import RecordError, RunError, UsageError
from earthloom.core.records import Reason
from earthloom.ingest.stac.config import StacSettings
from earthloom.net.client import get_client
from earthloom.net.urls import is_remote, name_of, show_url

MAX_JSON_BYTES = 64 * 2**20
"""Largest local JSON file that is read; `net.client` sets the same limit for servers."""

_BAD_CALL = frozenset((Reason.MISSING, Reason.NO_PERMISSION, Reason.PRIVATE_ADDRESS, Reason.UNREADABLE))
"""Answers that will not be better another time."""


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn what a whole source met into an error of the call or of the run: nothing has been built yet."""
    try:
        yield
    except RecordError as error:
        said = f"{show_url(place)}: the catalog cannot be listed: {error.detail}."
        if error.reason in _BAD_CALL:
            raise UsageError(f"{said} Check the address and, where it wants one, the key.") from error
        raise RunError(f"{said} Nothing was built; run again when it answers.") from error


def resolve(href: object, base: str) -> str:
    """Make a link of the document at `base` absolute: a URL or a path.

    A document from a server may lead to servers only. Raises RecordError MISSING for what leads nowhere that is
    read here: another scheme (`s3:`, `ftp:`), a file of this machine named by a server.
    """
    if not isinstance(href, str) or not href.strip():
        raise RecordError(Reason.MISSING, f"wanted a link, got {href!r}")
    href = href.strip()
    if is_remote(base):
        href = urljoin(base, href)
    if is_remote(href):
        return href
    scheme = urlsplit(href).scheme
    if is_remote(base) or (scheme not in {"", "file"} and len(scheme) > 1):
        said = show_url(href)[:200]
        raise RecordError(Reason.MISSING, f"wanted an http or https URL, got {said}")
    path = unquote(urlsplit(href).path) if scheme == "file" else href
    return posixpath.normpath(path if path.startswith("/") else f"{Path(base).parent}/{path}")


def read_json(settings: StacSettings, place: str) -> Any:
    """Read JSON from a path or a URL. Raises RecordError as `net.client` does, TOO_LARGE, UNREADABLE."""
    if is_remote(place):
        return get_client(settings.net).get_json(place)
    with translate_read_errors(place):
        size = Path(place).stat().st_size
        if size > MAX_JSON_BYTES:
            raise RecordError(Reason.TOO_LARGE, f"{name_of(place)}: {size >> 20} MiB of JSON")
        data = Path(place).read_bytes()
    try:
        return json.loads(data)
    except ValueError as error:
        raise RecordError(Reason.UNREADABLE, f"{name_of(place)}: wanted JSON ({error})") from error


def link_of(document: Any, rel: str) -> str | None:
    """Give the first link of a relation as it is written; None where there is none."""
    return next((link["href"] for link in links_of(document, rel)), None)


def links_of(document: Any, rel: str) -> list[dict[str, Any]]:
    """Give the links of a relation that have a target, in their order."""
    links = document.get("links") if isinstance(document, dict) else None
    return [
        link
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, dict) and link.get("rel") == rel and isinstance(link.get("href"), str)
    ]
