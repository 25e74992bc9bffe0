"""What servers ask of programs: robots.txt (RFC 9309) and the X-Robots-Tag header."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import httpx2
from protego import Protego

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.net.retry import AnswerError
from earthloom.net.urls import origin_of, show_url

MAX_ROBOTS_BYTES = 500 * 1024
"""What of a robots.txt is read: the least that RFC 9309, section 2.5, wants."""
LONGEST_CRAWL_DELAY_S = 600.0
"""A site that wants longer pauses is left alone: our own choice."""
_ASK_AGAIN_S = 300.0
"""How long the failure to get a robots.txt is remembered: our own choice."""
_TAGS_WITH_VALUES = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
"""Directives of X-Robots-Tag that hold a colon, which elsewhere ends the name of a robot."""


class Robots:
    """The rules of all origins, each asked for once; safe to share between threads."""

    def __init__(self, product: str, fetch: Callable[[str], bytes]) -> None:
        """product: the name we go by. fetch: gives the body at a URL or raises as `Client` does."""
        self._product = product
        self._fetch = fetch
        self._known: dict[str, _Rules] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def check(self, url: httpx2.URL) -> float:
        """Give the seconds that the site wants between requests, 0 where it does not say.

        Raises RecordError DISALLOWED where robots.txt forbids the URL, UNREACHABLE while it cannot be read, and
        PRIVATE_ADDRESS.
        """
        rules = self._get(origin_of(url))
        if rules.error is not None:
            raise rules.error
        if rules.parsed is None:
            return 0.0
        if not rules.parsed.can_fetch(str(url), self._product):
            raise RecordError(Reason.DISALLOWED, f"{show_url(str(url))}: disallowed by the site's robots.txt")
        delay_s = rules.parsed.crawl_delay(self._product) or 0.0
        if delay_s > LONGEST_CRAWL_DELAY_S:
            raise RecordError(
                Reason.DISALLOWED,
                f"{show_url(str(url))}: the site's robots.txt wants {delay_s:g} s between requests",
            )
        return delay_s

    def _get(self, origin: str) -> _Rules:
        with self._lock:
            lock = self._locks.setdefault(origin, threading.Lock())
        with lock:
            rules = self._known.get(origin)
            if rules is None or rules.is_stale():
                rules = self._known[origin] = self._ask(origin)
            return rules

    def _ask(self, origin: str) -> _Rules:
        try:
            body = self._fetch(f"{origin}/robots.txt")
        except AnswerError as error:
            if error.status is not None and 300 <= error.status < 500 and error.status != 429:
                return _Rules()  # "unavailable": everything may be asked for (section 2.3.1.3)
            said = f"robots.txt could not be read, so nothing is asked for: {error.detail}"
            return _Rules(error=RecordError(Reason.UNREACHABLE, said), asked=time.monotonic())
        except RecordError as error:
            return _Rules(error=error, asked=time.monotonic())
        return _Rules(parsed=Protego.parse(body.decode("utf-8-sig", "replace")))


@dataclass(frozen=True, kw_only=True)
class _Rules:
    """What is known of an origin: rules, or why there are none; neither where all is allowed."""

    parsed: Protego | None = None
    error: RecordError | None = None
    asked: float = 0.0

    def is_stale(self) -> bool:
        return self.error is not None and time.monotonic() - self.asked > _ASK_AGAIN_S


def check_tags(headers: httpx2.Headers, product: str, refused: Collection[str]) -> None:
    """Raise RecordError DISALLOWED where X-Robots-Tag says one of `refused` to all robots or to us.

    A value may begin with the name of the robot that it is for: `otherbot: noindex, noai`. `none` stands for noindex
    and nofollow.
    """
    for value in headers.get_list("X-Robots-Tag"):
        for tag in _read_tags(value, product):
            meant = "noindex" if tag == "none" else tag
            if meant in refused:
                raise RecordError(Reason.DISALLOWED, f"the server's X-Robots-Tag says {tag}")


def _read_tags(value: str, product: str) -> list[str]:
    tags, is_ours = [], True
    for part in value.lower().split(","):
        name, mark, rest = part.partition(":")
        if mark and name.strip() not in _TAGS_WITH_VALUES:
            is_ours = name.strip() in {product, "*"}
            tag = rest.strip()
        else:
            tag = name.strip()
        if is_ours:
            tags.append(tag)
    return tags
