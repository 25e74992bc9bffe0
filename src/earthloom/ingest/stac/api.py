"""STAC APIs: item search with its pages.

The request is a GET unless the server's landing page offers POST for searches. Pages are followed by their `next`
links, as GET with its address or as POST with its body, merged into the first one where the link says so (STAC API -
Item Search 1.0.0, "Paging"; docs/decisions/0014-a-pager-of-our-own-for-stac.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from earthloom.core.errors import RecordError, RunError
from earthloom.core.records import Reason
from earthloom.ingest.stac.config import StacSettings
from earthloom.ingest.stac.document import Found, Json
from earthloom.ingest.stac.hrefs import explained, link_of, links_of, read_json, resolve
from earthloom.ingest.stac.intervals import format_interval, parse_interval
from earthloom.net.client import get_client
from earthloom.net.urls import show_url

PAGE = 100
"""Items that are asked for at once: some megabytes of JSON."""


@dataclass(frozen=True, kw_only=True)
class _Request:
    url: str
    payload: Json | None = None
    """Body of a POST; None for a GET."""
    headers: Mapping[str, str] | None = None

    @property
    def identity(self) -> str:
        return json.dumps([self.url, self.payload, dict(self.headers or {})], sort_keys=True)


def search_items(settings: StacSettings) -> Iterator[Found]:
    """Search, page by page, in the server's order.

    Raises UsageError where the server is none that can be searched or rejects the question, RunError where it does
    not answer, however often it is asked.
    """
    assert settings.url is not None  # the kind of place that was given
    with explained(settings.url):
        landing = read_json(settings, settings.url)
        if not isinstance(landing, dict) or not isinstance(landing.get("links"), list):
            said = f"wanted the landing page of a STAC API, got {type(landing).__name__} without links"
            raise RecordError(Reason.UNREADABLE, said)
        first = _first_request(settings, landing)
    collections = _Collections(settings)
    for page, request in _iter_pages(settings, first):
        for item in page["features"]:
            with explained(settings.url):
                href = _self_of(item, request.url)
                collection = collections.find(item)
            yield Found(item=item, href=href, collection=collection)


def _first_request(settings: StacSettings, landing: Json) -> _Request:
    assert settings.url is not None  # as in search_items
    links = links_of(landing, "search")
    offered = {str(link.get("method", "GET")).upper(): link["href"] for link in reversed(links)}
    question = make_question(settings, _conformance(landing))
    url = resolve(
        offered.get("POST") or offered.get("GET") or f"{settings.url.rstrip('/')}/search", settings.url
    )
    if "POST" in offered:
        return _Request(url=url, payload=question)
    query = urlencode({name: _to_query(name, value) for name, value in sorted(question.items())})
    return _Request(url=f"{url}{'&' if '?' in url else '?'}{query}")


def make_question(settings: StacSettings, conformance: str) -> Json:
    """The body of a search. Cloud cover is asked for where the server says that it understands how."""
    question: Json = {"limit": min(PAGE, settings.max_items or PAGE)}
    if settings.collections:
        question["collections"] = list(settings.collections)
    if settings.bbox is not None:
        question["bbox"] = list(settings.bbox)
    if settings.datetime is not None:
        question["datetime"] = format_interval(parse_interval(settings.datetime))
    if settings.query is not None:
        question["query"] = dict(settings.query)
    if settings.filter is not None:
        question |= {"filter": settings.filter, "filter-lang": "cql2-json"}
    if settings.cloud_cover is not None and "item-search#query" in conformance:
        clouds = {"eo:cloud_cover": {"lte": settings.cloud_cover}}
        question["query"] = clouds | question.get("query", {})
    return question


def _conformance(landing: Json) -> str:
    classes = landing.get("conformsTo")
    return " ".join(map(str, classes)) if isinstance(classes, list) else ""


def _to_query(name: str, value: Any) -> str:
    """A value as a GET writes it: lists with commas, objects as JSON."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)


def _iter_pages(settings: StacSettings, request: _Request) -> Iterator[tuple[Json, _Request]]:
    client = get_client(settings.net)
    asked: set[str] = set()
    following: _Request | None = request
    while following is not None:
        request = following
        if request.identity in asked:
            raise RunError(f"{show_url(request.url)}: the pages of the search lead in a circle.")
        asked.add(request.identity)
        with explained(request.url):
            page = client.get_json(request.url, headers=request.headers, payload=request.payload)
            if not isinstance(page, dict) or not isinstance(page.get("features"), list):
                raise RecordError(Reason.UNREADABLE, "wanted a page of items (FeatureCollection)")
            following = _next_request(page, request)
        yield page, request


def _next_request(page: Json, request: _Request) -> _Request | None:
    link = next(iter(links_of(page, "next")), None)
    if link is None or not page["features"]:
        return None
    url = resolve(link["href"], request.url)
    headers = {str(name).lower(): str(value) for name, value in (link.get("headers") or {}).items()}
    if str(link.get("method", "GET")).upper() != "POST":
        return _Request(url=url, headers=headers)
    body = dict(link.get("body") or {})
    return _Request(
        url=url, headers=headers, payload={**(request.payload or {}), **body} if link.get("merge") else body
    )


def _self_of(item: object, page: str) -> str:
    """What the item's links refer to: where it says that it lies, else the address of the search."""
    address = page.partition("?")[0]  # the same for all pages, so that equal items stay equal
    href = link_of(item, "self")
    try:
        return address if href is None else resolve(href, address)
    except RecordError:
        return address


class _Collections:
    """The collections of items, each asked for once."""

    def __init__(self, settings: StacSettings) -> None:
        self._settings = settings
        self._known: dict[str, Json | None] = {}

    def find(self, item: object) -> Json | None:
        """The collection of an item; None where it has none or the server does not give it away."""
        name = item.get("collection") if isinstance(item, dict) else None
        if not isinstance(name, str):
            return None
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> Json | None:
        assert self._settings.url is not None  # as in search_items
        url = f"{self._settings.url.rstrip('/')}/collections/{quote(name, safe='')}"
        try:
            collection = read_json(self._settings, url)
        except RecordError as error:
            if error.reason in {Reason.MISSING, Reason.NO_PERMISSION}:
                return None
            raise
        return collection if isinstance(collection, dict) else None
