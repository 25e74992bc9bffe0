"""A real web server on 127.0.0.1 for tests, with every fault that a server can have.

    with serve() as web:                                  # or the fixture `loopback`, which is the same
        web.put("/a.jpg", data)                           # 200, Range requests honoured, ETag, Last-Modified
        web.mount("/data", folder)                        # the files of a folder, likewise
        web.script("/b.jpg", Answer(status=503), Answer(status=429, headers={"Retry-After": "1"}))
        web.fail_every(5)                                 # every 5th request fails: 500 and drops by turns
        web.route("/search", lambda asked: json_answer({"features": []}))     # a small API; POST too
        get(web.url + "/a.jpg")
        assert [seen.path for seen in web.seen] == ["/a.jpg"]

`put` says what a path answers; `script` puts answers before that, each given once, in order. An `Answer` has its
faults as fields: see there. `web.seen` lists the requests that came, with method, path, query, headers and body,
and the time at which they began; `web.busiest` is the largest number of requests that were served at once.

`url` is of the form http://127.0.0.1:PORT. It needs `allow_private` in what asks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mimetypes
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

_CHUNK = 4096


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    """Without the query, decoded."""
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    began: float
    """`time.monotonic()`."""

    def json(self) -> Any:
        """The body of a POST as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a path answers, faults included."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Content-Type and whatever else; Content-Length is set by the server, see `length`."""
    ranges: Literal["honoured", "ignored", "shifted", "short"] = "honoured"
    """How a Range request is met: 206 with what was asked for; 200 with everything; 206 whose bytes and
    Content-Range begin one later; 206 with half of it, said so in Content-Range."""
    header_delay_s: float = 0.0
    """Silence before the status line."""
    drip_s: float = 0.0
    """Pause before each piece of 4 KiB of the body."""
    header_drip_s: float = 0.0
    """Pause before each of the first bytes of the header, of which it sends 40 in this way."""
    drop_after: int | None = None
    """Close the connection after this many bytes of the body; 0: right after the header."""
    hang_up: bool = False
    """Close the connection without any answer."""
    length: int | None = None
    """Content-Length as claimed; None: the true one."""
    no_length: bool = False
    """Leave Content-Length away and close the connection at the end."""
    repeat: int = 1
    """Send the body this many times over: a huge answer that needs no memory."""


DROP = Answer(hang_up=True)
ERROR = Answer(status=500, body=b"<html>out of order</html>", headers={"Content-Type": "text/html"})
CUT: Final = "cut"
"""For `fail_every`: the true answer, but the connection is closed in the middle of its body."""

Fault = Answer | Literal["cut"]
Route = Callable[[Seen], Answer]


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer of JSON."""
    return Answer(
        status=status,
        body=json.dumps(value).encode(),
        headers={"Content-Type": "application/json", **headers},
    )


def redirect(to: str, status: int = 302) -> Answer:
    """An answer that sends the client elsewhere."""
    return Answer(status=status, headers={"Location": to})


class Loopback:
    """The server; thread-safe to ask, to be set up before it is asked."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.busiest = 0
        self._busy = 0
        self._lock = threading.Lock()
        self._routes: dict[str, Route] = {}
        self._scripts: dict[str, list[Answer]] = {}
        self._mounts: dict[str, Path] = {}
        self._faults: tuple[int, tuple[Fault, ...], str] | None = None
        self._n_counted = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.loopback = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    def put(self, path: str, body: bytes, content_type: str | None = None, **faults: Any) -> str:
        """Let a path answer 200 with a body; gives its URL. Faults are fields of `Answer`."""
        headers = {**_describe(path, body, content_type), **dict(faults.pop("headers", {}))}
        answer = Answer(body=body, headers=headers, **faults)
        return self.route(path, lambda _: answer)

    def answer(self, path: str, answer: Answer) -> str:
        """Let a path give one answer, always; gives its URL."""
        return self.route(path, lambda _: answer)

    def route(self, path: str, route: Route) -> str:
        """Let a function answer for a path; gives its URL."""
        self._routes[path] = route
        return self.url + quote(path)

    def script(self, path: str, *answers: Answer) -> str:
        """Let a path give these answers first, each once; gives its URL."""
        self._scripts.setdefault(path, []).extend(answers)
        return self.url + quote(path)

    def mount(self, prefix: str, folder: Path) -> str:
        """Serve the files of a folder below a prefix; gives the prefix' URL."""
        self._mounts[prefix.rstrip("/") + "/"] = folder
        return self.url + prefix

    def fail_every(self, n: int, *faults: Fault, below: str = "/") -> None:
        """Let every n-th request below a path fail, with each of the faults by turns (500, cut, hang-up)."""
        self._faults = (n, faults or (ERROR, CUT, DROP), below)

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(seen.path == path for seen in self.seen)

    def close(self) -> None:
        """Stop; connections that are still open are closed."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up_all()
        self._server.server_close()

    def begin(self, seen: Seen) -> None:
        """Note a request that is being answered."""
        with self._lock:
            self.seen.append(seen)
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)

    def end(self) -> None:
        """Note that it was."""
        with self._lock:
            self._busy -= 1

    def decide(self, seen: Seen) -> Answer:
        """Find the answer to a request."""
        with self._lock:
            script = self._scripts.get(seen.path)
            scripted = script.pop(0) if script else None
            fault = self._next_fault(seen.path)
        if scripted is not None:
            return scripted
        if isinstance(fault, Answer):
            return fault
        answer = self._find(seen)
        return replace(answer, drop_after=_middle(seen, answer)) if fault == CUT else answer

    def _find(self, seen: Seen) -> Answer:
        route = self._routes.get(seen.path)
        if route is not None:
            return route(seen)
        for prefix, folder in self._mounts.items():
            path = folder / seen.path.removeprefix(prefix)
            if seen.path.startswith(prefix) and path.is_file():
                body = path.read_bytes()
                return Answer(body=body, headers=_describe(seen.path, body, None))
        return Answer(status=404, body=b"not here", headers={"Content-Type": "text/plain"})

    def _next_fault(self, path: str) -> Fault | None:
        if self._faults is None or not path.startswith(self._faults[2]):
            return None
        n, faults, _ = self._faults
        self._n_counted += 1
        n_failed, rest = divmod(self._n_counted, n)
        return faults[(n_failed - 1) % len(faults)] if rest == 0 else None


@contextlib.contextmanager
def serve() -> Iterator[Loopback]:
    """Run a server for the time of a block."""
    web = Loopback()
    try:
        yield web
    finally:
        web.close()


def _describe(path: str, body: bytes, content_type: str | None) -> dict[str, str]:
    kind = content_type or mimetypes.guess_type(path)[0] or "application/octet-stream"
    digest = hashlib.sha256(body).hexdigest()[:16]
    return {
        "Content-Type": kind,
        "ETag": f'"{digest}"',
        "Last-Modified": formatdate(1_600_000_000, usegmt=True),
    }


def _middle(seen: Seen, answer: Answer) -> int:
    part = _find_range(seen, answer)
    size = len(answer.body) if part is None else part[1] - part[0]
    return size // 2


def _find_range(seen: Seen, answer: Answer) -> tuple[int, int] | None:
    """The half-open range that was asked for, clipped to the body; None for the whole body."""
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", seen.headers.get("range", ""))
    if asked is None or answer.ranges == "ignored" or answer.status != 200:
        return None
    first, last = asked.groups()
    size = len(answer.body)
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1 if last else size, size)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    loopback: Loopback

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up_all(self) -> None:
        for wire in list(self._open):
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        began = time.monotonic()
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        seen = Seen(
            method=self.command,
            path=unquote(address.path),
            query=parse_qs(address.query, keep_blank_values=True),
            headers=headers,
            body=body,
            began=began,
        )
        self.server.loopback.begin(seen)
        try:
            self._send(seen, self.server.loopback.decide(seen))
        finally:
            self.server.loopback.end()

    def _send(self, seen: Seen, answer: Answer) -> None:
        time.sleep(answer.header_delay_s)
        if answer.header_drip_s:
            self._drip_header(answer.header_drip_s)
        if answer.hang_up:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, body, extra = _apply_range(seen, answer)
        self.send_response_only(status)
        length = answer.length if answer.length is not None else len(body) * answer.repeat
        if answer.no_length:
            self.close_connection = True
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        always = {"Date": self.date_time_string(), "Accept-Ranges": "bytes"}
        for name, value in {**always, **answer.headers, **extra}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(answer, body)

    def _drip_header(self, pause_s: float) -> None:
        for letter in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 15:
            self.connection.sendall(bytes([letter]))
            time.sleep(pause_s)

    def _send_body(self, answer: Answer, body: bytes) -> None:
        left = answer.drop_after
        if left is not None or (answer.length or 0) > len(body) * answer.repeat:
            self.close_connection = True
        for _ in range(answer.repeat):
            piece = body if left is None else body[:left]
            step = _CHUNK if answer.drip_s else max(len(piece), 1)
            for start in range(0, len(piece), step):
                time.sleep(answer.drip_s)
                self.wfile.write(piece[start : start + step])
            if left is not None:
                left -= len(piece)


def _apply_range(seen: Seen, answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    part = _find_range(seen, answer)
    if part is None:
        return answer.status, answer.body, {}
    (start, stop), size = part, len(answer.body)
    if start >= stop:
        return 416, b"", {"Content-Range": f"bytes */{size}"}
    if answer.ranges == "shifted":
        start, stop = min(start + 1, size - 1), min(stop + 1, size)
    if answer.ranges == "short":
        stop = start + max(1, (stop - start) // 2)
    body = answer.body[start:stop]
    return 206, body, {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}
