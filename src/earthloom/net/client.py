"""One polite HTTP client in a process: for downloads, JSON and byte ranges.

Every request waits for its turn at its host, follows at most five redirects, each judged like the first URL, is
held to limits of time and size, and is tried again where that may help. What goes wrong leaves as a `RecordError`:

    MISSING          404, 410, no usable URL           TOO_LARGE        more bytes than allowed
    NO_PERMISSION    401, 403, 407, 451                DISALLOWED       robots.txt, X-Robots-Tag
    UNREACHABLE      everything else that failed, after as many tries as the settings allow
    PRIVATE_ADDRESS  the URL, or one that it redirects to, leads into a private network
"""

from __future__ import annotations

import io
import json
import os
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import httpx2

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.net.address import keep_deadline
from earthloom.net.config import NetSettings
from earthloom.net.credentials import add_credentials
from earthloom.net.pace import Pace
from earthloom.net.retry import RETRIED, AnswerError, Budget, TryAgain, read_retry_after
from earthloom.net.robots import MAX_ROBOTS_BYTES, Robots, check_tags
from earthloom.net.transport import TRANSPORT_ERRORS, Transport
from earthloom.net.urls import origin_of, parse_url, show_url

MAX_REDIRECTS = 5
MAX_JSON_BYTES = 64 * 2**20
"""Largest JSON document that is read."""

_REASONS = {
    401: Reason.NO_PERMISSION, 403: Reason.NO_PERMISSION, 404: Reason.MISSING, 407: Reason.NO_PERMISSION,
    410: Reason.MISSING, 451: Reason.NO_PERMISSION,
}  # fmt: skip
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GET_AFTER = frozenset({301, 302, 303})
"""Redirects after which a POST goes on as a GET, as all clients do (RFC 9110, section 15.4)."""
_FOR_EVERYONE = frozenset({"accept", "accept-encoding", "content-type", "if-match", "range"})
"""Headers that go along to another origin; keys and tokens stay."""
_DRAINED = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A request, with all its tries and redirects."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case. What may be a secret stays with the origin of `url`."""
    content: bytes = b""
    max_bytes: int
    """Longest body, bytes as decoded."""
    clips: bool = False
    """True: a longer body is cut there. False: it is refused with TOO_LARGE."""
    is_download: bool = False
    """True: robots.txt and X-Robots-Tag are heeded, as far as the settings say so."""
    accepts: frozenset[int] = frozenset()
    """Answers to give back although they are no success."""
    find_fault: Callable[[Reply], str | None] | None = None
    """Tells what is wrong with an answer, so that it is asked for again; None where nothing is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer whose body has come whole."""

    url: str
    """Where it came from in the end, secrets masked."""
    status: int
    headers: httpx2.Headers
    size: int
    """Length of the body, bytes."""
    body: bytes
    """Empty where the body went into a file."""


class Client:
    """Asks servers; safe to share between threads."""

    def __init__(self, settings: NetSettings, folder: Path | None = None) -> None:
        """folder: where the limits for each host are kept for all processes; None: for this process alone."""
        self.settings = settings
        self._transport = Transport(
            allow_private=settings.allow_private,
            use_proxy=settings.use_proxy,
            timeout_s=settings.timeout_s,
        )
        self._pace = Pace(settings.per_host, settings.interval_s, folder)
        self._robots = Robots(settings.product, self._fetch_robots)
        self.close = weakref.finalize(self, self._transport.close)
        """Close all connections; done at the latest when nobody holds the client any more."""

    def get_json(self, url: str, *, headers: Mapping[str, str] | None = None, payload: object = None) -> Any:
        """Ask an API for JSON: GET, or POST where there is a payload; no robots.txt is consulted.

        Raises RecordError UNREADABLE where the answer is no JSON, and as the module says.
        """
        accept = {"accept": "application/json, application/geo+json", "accept-encoding": "gzip"}
        ask = Ask(url=url, headers={**accept, **(headers or {})}, max_bytes=MAX_JSON_BYTES)
        if payload is not None:
            ask = replace(
                ask,
                method="POST",
                content=json.dumps(payload, sort_keys=True).encode(),
                headers={**ask.headers, "content-type": "application/json"},
            )
        reply = self.send(ask)
        try:
            return json.loads(reply.body)
        except ValueError as error:
            start = reply.body[:40]
            said = f"{show_url(url)}: wanted JSON ({error}), it starts with {start!r}"
            raise RecordError(Reason.UNREADABLE, said) from error

    def download(self, url: str, file: IO[bytes]) -> Reply:
        """Download a URL into a file that is open for writing and seeking; heeds robots.txt and X-Robots-Tag."""
        ask = Ask(url=url, max_bytes=self.settings.max_bytes, is_download=True)
        return self.send(ask, file)

    def send(self, ask: Ask, sink: IO[bytes] | None = None) -> Reply:
        """Ask until there is an answer, or raise as the module says; the body goes into `sink` where given."""
        budget = Budget(self.settings, ask.url)
        while True:
            try:
                reply = self._follow(ask, sink, budget)
                fault = ask.find_fault(reply) if ask.find_fault is not None else None
                if fault is None:
                    return reply
                raise TryAgain(fault, status=reply.status)
            except TryAgain as error:
                budget.pause(error)

    def _follow(self, ask: Ask, sink: IO[bytes] | None, budget: Budget) -> Reply:
        """One try: the request and the redirects that it meets."""
        url, status = parse_url(ask.url), 0
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._exchange(url, ask, sink, budget)
            if isinstance(answer, Reply):
                return answer
            target, status = parse_url(answer.headers["Location"], url), answer.status_code
            ask = _redirect(ask, status, is_same=origin_of(target) == origin_of(url))
            url = target
        said = f"{show_url(ask.url)}: more than {MAX_REDIRECTS} redirects"
        raise AnswerError(Reason.UNREACHABLE, said, status)

    def _exchange(
        self, url: httpx2.URL, ask: Ask, sink: IO[bytes] | None, budget: Budget
    ) -> Reply | httpx2.Response:
        """One request at one server: its answer, or the redirect that it gave."""
        heeds_robots = ask.is_download and self.settings.respect_robots
        delay_s = self._robots.check(url) if heeds_robots else 0.0
        host = f"{url.host}:{url.port or ''}"
        with (
            self._pace.turn(host, delay_s),
            _watch(budget),
            self._transport.exchange(self._request(url, ask)) as response,
        ):
            status = response.status_code
            if status in _REDIRECTS and "Location" in response.headers:
                _drain(response)
                return response
            if not (200 <= status < 300 or status in ask.accepts):
                _drain(response)
                raise self._explain(response, url, host)
            if ask.is_download:
                check_tags(response.headers, self.settings.product, self.settings.refuse_tags)
            return _read(response, url, ask, sink)

    def _request(self, url: httpx2.URL, ask: Ask) -> httpx2.Request:
        headers = {"user-agent": self.settings.agent, "accept-encoding": "identity", **ask.headers}
        if url.userinfo:
            userinfo = httpx2.BasicAuth(url.username, url.password)
            bare = httpx2.Request(ask.method, url.copy_with(userinfo=b""))
            headers["authorization"] = next(userinfo.auth_flow(bare)).headers["authorization"]
        target, secrets = add_credentials(self.settings.credentials, url.copy_with(userinfo=b""))
        return httpx2.Request(ask.method, target, headers=headers | secrets, content=ask.content or None)

    def _explain(self, response: httpx2.Response, url: httpx2.URL, host: str) -> Exception:
        """Why an answer is none: TryAgain or AnswerError."""
        status = response.status_code
        said = f"the server answered {status} {response.reason_phrase}".rstrip()
        if status not in RETRIED:
            reason = _REASONS.get(status, Reason.UNREACHABLE)
            return AnswerError(reason, f"{show_url(str(url))}: {said}", status)
        wait_s = read_retry_after(response.headers)
        if wait_s:
            self._pace.put_off(host, min(wait_s, self.settings.total_s))
            said += f" and to come back after {wait_s:.0f} s"
        return TryAgain(said, status=status, wait_s=wait_s)

    def _fetch_robots(self, url: str) -> bytes:
        return self.send(Ask(url=url, max_bytes=MAX_ROBOTS_BYTES, clips=True)).body


def _redirect(ask: Ask, status: int, *, is_same: bool) -> Ask:
    """The request as it goes on after a redirect."""
    if status in _GET_AFTER and ask.method == "POST":
        ask = replace(ask, method="GET", content=b"")
    if is_same:
        return ask
    kept = {name: value for name, value in ask.headers.items() if name.lower() in _FOR_EVERYONE}
    return replace(ask, headers=kept)


@contextmanager
def _watch(budget: Budget) -> Iterator[None]:
    """Hold an exchange to the time that is left and turn the failures of the wire into `TryAgain`."""
    began = time.monotonic()
    try:
        with keep_deadline(began + budget.left_s):
            yield
    except TRANSPORT_ERRORS as error:
        kind = type(error).__name__
        said = str(error).rstrip(".")
        raise TryAgain(f"the connection failed ({kind}{': ' if said else ''}{said})") from error
    finally:
        budget.spend(time.monotonic() - began)


def _read(response: httpx2.Response, url: httpx2.URL, ask: Ask, sink: IO[bytes] | None) -> Reply:
    """Read a body to its end or its limit; that it is as long as announced is seen to by the connection."""
    file: IO[bytes] = io.BytesIO() if sink is None else sink
    file.seek(0)
    file.truncate()
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > ask.max_bytes and not ask.clips:
        raise _too_large(ask, int(announced))
    size = 0
    for piece in response.iter_bytes():
        kept = piece[: ask.max_bytes - size] if ask.clips else piece
        size += len(kept)
        if size > ask.max_bytes:
            raise _too_large(ask, None)
        file.write(kept)
        if len(kept) < len(piece):
            break
    return Reply(
        url=show_url(str(url)),
        status=response.status_code,
        headers=response.headers,
        size=size,
        body=file.getvalue() if isinstance(file, io.BytesIO) and sink is None else b"",
    )


def _too_large(ask: Ask, size: int | None) -> AnswerError:
    limit = f"{ask.max_bytes / 2**20:g} MiB"
    got = "more than that came" if size is None else f"the server announces {size / 2**20:.1f} MiB"
    return AnswerError(Reason.TOO_LARGE, f"{show_url(ask.url)}: at most {limit} are read, {got}", None)


def _drain(response: httpx2.Response) -> None:
    """Read the short body of an answer that is not used, so that its connection can be used again."""
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) <= _DRAINED:
        with suppress(*TRANSPORT_ERRORS):
            response.read()


_default: tuple[NetSettings, Path | None] = (NetSettings(), None)


def configure(settings: NetSettings, folder: Path | None = None) -> None:
    """Say how this process asks for rasters whose URIs are URLs (`geo.raster`); a worker does it when it starts.

    folder: where the workers of a run keep the limits for each host together; see `Client`.
    """
    global _default  # noqa: PLW0603  (one setting a process, like the rasters that it holds open)
    _default = (settings, folder)


def default_client() -> Client:
    """The client that `configure` described; with all defaults where it was not called."""
    return get_client(*_default)


def get_client(settings: NetSettings, folder: Path | None = None) -> Client:
    """The one client of this process for some settings; connections and what is known of hosts are shared."""
    return _open_client(settings, folder, os.getpid())


@lru_cache(maxsize=8)
def _open_client(settings: NetSettings, folder: Path | None, _pid: int) -> Client:
    return Client(settings, folder)
