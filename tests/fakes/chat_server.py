"""A real server on 127.0.0.1 that speaks OpenAI's chat completions, with the faults of such servers at stated rates.

    with serve_chat(Behaviour(rates={"busy": 0.1, "silence": 0.02}, latency_s=0.05)) as chat:
        ask(chat.url)                         # the base URL, http://127.0.0.1:PORT/v1
        assert chat.received.total() == ...   # times each body came, by the SHA-256 of its bytes

    with run_chat(Behaviour(), log=tmp_path / "log") as chat:      # the same in a process of its own
        ...
        assert read_log(chat.log).answered == ...

    python tests/fakes/chat_server.py LOG [BEHAVIOUR as JSON]      # prints the URL, ends when its input is closed

Whether a request fails, and how, is drawn by the hash of its body, the number of times that it came and the seed:
runs are alike whatever the order of the requests. Answers come from `fakes.chat_answers`, unless told otherwise.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))

from fakes.chat_answers import INVENTED, ROLES, answer_like_a_model  # noqa: E402

FLOOD_BYTES = 10 * 2**20
PATH = "/v1/chat/completions"

TRANSPORT_FAULTS = (
    "silence", "drip", "busy", "busy_retry_after", "error_500", "error_502", "error_503", "reset_before",
    "reset_after", "half_json", "html",
)  # fmt: skip
"""No answer: silence, a byte now and then, 429 without and with Retry-After, 5xx, a connection reset before and after
the headers, JSON that ends in the middle, a page for people with status 200."""
CONTENT_FAULTS = (
    "wrong_schema", "empty", "null_refusal", "content_filter", "cut_by_length", "same", "prose_refusal", "invented",
)  # fmt: skip
"""Whole answers of no use: JSON of another form, nothing, `refusal` instead of content, a filter, JSON cut at the token
limit, one answer for all, a refusal in prose, a caption with facts that nobody told."""
FAULTS = (*TRANSPORT_FAULTS, *CONTENT_FAULTS, "flood", "bad_request", "no_completion")
"""And: 10 MB of text, 400 for this request, JSON that is no completion."""

SAME = json.dumps(
    {
        "metadata": {"tags": ["aerial"]}
        | dict.fromkeys(("location", "modality", "platform", "sensor", "resolution"), "unknown"),
        "captions": {
            role: f"The picture is much like any other, as its {role} goes to show." for role in ROLES
        },
    }
)

Answerer = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How the server behaves; all of it can be written as JSON."""

    rates: Mapping[str, float] = field(default_factory=dict)
    """Share of the requests that meet each of FAULTS; the sum is at most 1."""
    seed: int = 0
    latency_s: float = 0.0
    """Mean time before an answer begins."""
    spread: float = 0.0
    """Share of the latency that is exponentially distributed; the rest is constant."""
    at_once: int | None = None
    """More requests than this at a time get 429."""
    retry_after: str = "0.2"
    """What `busy_retry_after` says."""
    key: str | None = None
    """The key that is wanted; others get 401."""
    tokens_in: int | None = 1000
    tokens_out: int | None = 250
    """What `usage` says; None leaves it away."""
    status: int | None = None
    """Answer everything with this status."""
    location: str | None = None
    """Send redirects there."""
    error: Mapping[str, Any] | None = None
    """The `error` object of `status`."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What came and what was answered, times by SHA-256 of the body."""

    received: Counter[str]
    answered: Counter[str]
    """Whole completions, their last byte written."""


class ChatServer:
    """The server, in a thread; thread-safe to ask."""

    def __init__(self, behaviour: Behaviour, answer: Answerer, log: Path | None = None) -> None:
        unknown = set(behaviour.rates) - set(FAULTS)
        assert not unknown, f"no such faults: {unknown}"
        self.behaviour = behaviour
        self.received: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.headers: list[dict[str, str]] = []
        """Of the last requests, names in lower case."""
        self.busiest = 0
        self._n_busy = 0
        self._answer = answer
        self._lock = threading.Lock()
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if log is not None else None
        self._closing = threading.Event()
        self._wires: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def close(self) -> None:
        """Stop, whatever is under way."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._socket.close()
        with self._lock:
            wires = list(self._wires)
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        if self._log is not None:
            os.close(self._log)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                wire, _ = self._socket.accept()
            except OSError:
                return
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._wires.add(wire)
            thread = threading.Thread(target=self._serve, args=(wire,), daemon=True)
            self._threads = [other for other in self._threads if other.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, wire: socket.socket) -> None:
        """Answer the requests of one connection, one after the other."""
        try:
            while (request := _read_request(wire)) is not None and self._meet(wire, *request):
                pass
        except OSError:
            pass  # a client that hangs up is no error of the test
        finally:
            with self._lock:
                self._wires.discard(wire)
            wire.close()

    def _meet(self, wire: socket.socket, path: str, headers: dict[str, str], body: bytes) -> bool:
        """Answer one request; False where the connection ends with it."""
        digest = hashlib.sha256(body).hexdigest()
        with self._lock:
            self.received[digest] += 1
            n_times = self.received[digest]
            self._n_busy += 1
            n_busy = self._n_busy
            self.busiest = max(self.busiest, n_busy)
            self.headers = [*self.headers[-15:], headers]
        self._note("received", digest)
        try:
            fault = self._work(headers, digest, n_times, n_busy)
        finally:
            with self._lock:  # before the answer is out: a client may come back sooner than this thread
                self._n_busy -= 1
        return self._answer_one(wire, path, headers, fault, body, digest)

    def _work(self, headers: dict[str, str], digest: str, n_times: int, n_busy: int) -> str | None:
        """Take the time that an answer takes; gives the fault that it will have."""
        how = self.behaviour
        if how.status is not None or (
            how.key is not None and headers.get("authorization") != f"Bearer {how.key}"
        ):
            return None
        if how.at_once is not None and n_busy > how.at_once:
            return "too_many"
        fault = self._draw_fault(digest, n_times)
        self._closing.wait(_draw_latency(how, digest, n_times))
        return fault

    def _answer_one(
        self,
        wire: socket.socket,
        path: str,
        headers: dict[str, str],
        fault: str | None,
        body: bytes,
        digest: str,
    ) -> bool:
        how = self.behaviour
        if how.key is not None and headers.get("authorization") != f"Bearer {how.key}":
            given = headers.get("authorization", "").removeprefix("Bearer ")
            error = {"message": f"Incorrect API key provided: {given}.", "code": "invalid_api_key"}
            return self._send_json(wire, {"error": error}, 401)
        if how.status is not None:
            extra = f"Location: {how.location}\r\n" if how.location else ""
            return self._send_json(wire, {"error": how.error or {"message": "told to"}}, how.status, extra)
        if path.partition("?")[0] != PATH:
            return self._send_json(wire, {"error": {"message": f"no such path: {path}"}}, 404)
        return self._fail(wire, fault, body, digest)

    def _draw_fault(self, digest: str, n_times: int) -> str | None:
        point = _draw(self.behaviour.seed, digest, n_times, "fault")
        for fault, rate in self.behaviour.rates.items():
            point -= rate
            if point < 0:
                with self._lock:
                    self.faults[fault] += 1
                return fault
        return None

    def _fail(self, wire: socket.socket, fault: str | None, body: bytes, digest: str) -> bool:
        error = {"error": {"message": f"{fault}, on purpose"}}
        if fault == "silence":
            self._wait_for_hang_up(wire, 60.0)
            return False
        if fault in {"busy", "busy_retry_after", "too_many"}:
            extra = f"Retry-After: {self.behaviour.retry_after}\r\n" if fault == "busy_retry_after" else ""
            return self._send_json(wire, error, 429, extra)
        if fault == "bad_request":
            return self._send_json(wire, error, 400)
        if fault is not None and fault.startswith("error_"):
            return self._send_json(wire, error, int(fault.removeprefix("error_")))
        if fault == "reset_before":
            return _reset(wire)
        if fault == "html":
            return self._send(wire, b"<html><body>Welcome to this network. Please log in.</body></html>", 200)
        if fault == "no_completion":
            return self._send_json(wire, {"object": "list", "data": []}, 200)
        completion = json.dumps(self._complete(fault, body)).encode()
        if fault == "reset_after":
            wire.sendall(_head(200, len(completion)))
            return _reset(wire)
        if fault == "half_json":
            return self._send(wire, completion[: len(completion) // 2], 200)
        if fault == "drip":
            return self._drip(wire, completion)
        self._send(wire, completion, 200)
        with self._lock:
            self.answered[digest] += 1
        self._note("answered", digest)
        return True

    def _complete(self, fault: str | None, body: bytes) -> dict[str, Any]:
        """A completion, spoilt as the fault has it."""
        how = self.behaviour
        asked = json.loads(body)
        text: str | None = SAME if fault == "same" else self._answer(asked)
        assert text is not None
        message: dict[str, Any] = {"role": "assistant", "refusal": None}
        finish = "stop"
        if fault == "wrong_schema":
            text = '{"caption": ["A field."], "tags": 5}'
        elif fault == "empty":
            text = ""
        elif fault == "null_refusal":
            text, message["refusal"] = None, "I'm sorry, I can't assist with that request."
        elif fault == "content_filter":
            text, finish = None, "content_filter"
        elif fault == "cut_by_length":
            text, finish = text[: len(text) // 2], "length"
        elif fault == "prose_refusal":
            text = "I'm sorry, but I can't help with identifying what is shown in this image."
        elif fault == "invented":
            text = _invent(text)
        elif fault == "flood":
            text = "An endless field of words. " * (FLOOD_BYTES // 27)
        completion = {
            "id": "chatcmpl-loopback",
            "object": "chat.completion",
            "created": 1_741_570_283,
            "model": f"{asked.get('model')}-loopback",
            "choices": [{"index": 0, "message": message | {"content": text}, "finish_reason": finish}],
        }
        usage = {"prompt_tokens": how.tokens_in, "completion_tokens": how.tokens_out}
        return completion if how.tokens_in is None else completion | {"usage": usage}

    def _send_json(self, wire: socket.socket, value: Any, status: int, extra: str = "") -> bool:
        return self._send(wire, json.dumps(value).encode(), status, extra)

    def _send(self, wire: socket.socket, body: bytes, status: int, extra: str = "") -> bool:
        with self._lock:
            self.statuses[status] += 1
        wire.sendall(_head(status, len(body), extra) + body)
        return True

    def _drip(self, wire: socket.socket, body: bytes) -> bool:
        wire.sendall(_head(200, len(body)))
        for number in range(len(body)):
            if self._wait_for_hang_up(wire, 0.05):
                return False
            wire.sendall(body[number : number + 1])
        return True

    def _wait_for_hang_up(self, wire: socket.socket, seconds: float) -> bool:
        """True where the client, or the test, ends the connection within that time."""
        wire.settimeout(seconds)
        try:
            return not wire.recv(1)
        except TimeoutError:
            return False
        finally:
            wire.settimeout(None)

    def _note(self, what: str, digest: str) -> None:
        if self._log is not None:
            os.write(self._log, f"{what} {digest}\n".encode())


@contextlib.contextmanager
def serve_chat(
    behaviour: Behaviour | None = None, *, answer: Answerer = answer_like_a_model, log: Path | None = None
) -> Iterator[ChatServer]:
    """Run a server in this process for the time of a block."""
    server = ChatServer(behaviour or Behaviour(), answer, log)
    try:
        yield server
    finally:
        server.close()


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server in a process of its own."""

    url: str
    log: Path
    pid: int


@contextlib.contextmanager
def run_chat(behaviour: Behaviour | None = None, *, log: Path) -> Iterator[Running]:
    """Run a server in a process of its own for the time of a block; the log may be gone on with."""
    argv = [
        sys.executable,
        str(Path(__file__).resolve()),
        str(log),
        json.dumps(asdict(behaviour or Behaviour())),
    ]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Running(url=process.stdout.readline().strip(), log=log, pid=process.pid)
        finally:
            process.stdin.close()
            process.wait(timeout=30)


def read_log(log: Path) -> Counts:
    """What a server has written down, of all its runs."""
    lines = [line.split() for line in log.read_text().splitlines()]
    by_kind = {
        kind: Counter(digest for what, digest in lines if what == kind) for kind in ("received", "answered")
    }
    return Counts(received=by_kind["received"], answered=by_kind["answered"])


def spread_rates(total: float, *faults: str) -> dict[str, float]:
    """The same rate for each of the faults, `total` together."""
    return dict.fromkeys(faults, total / len(faults))


def _draw(seed: int, digest: str, n_times: int, what: str) -> float:
    """A number from 0 to 1."""
    mark = hashlib.blake2b(f"{seed}:{digest}:{n_times}:{what}".encode(), digest_size=8).digest()
    return int.from_bytes(mark) / 2**64


def _draw_latency(how: Behaviour, digest: str, n_times: int) -> float:
    tail = -math.log(1 - min(_draw(how.seed, digest, n_times, "latency"), 1 - 1e-9))
    return how.latency_s * (1 - how.spread + how.spread * tail)


def _invent(text: str) -> str:
    """The answer with one caption of invented facts."""
    try:
        answer = json.loads(text)
        captions = answer["captions"]
        captions[next(iter(captions))] = INVENTED
    except (ValueError, KeyError, TypeError, StopIteration):
        return INVENTED
    return json.dumps(answer)


def _read_request(wire: socket.socket) -> tuple[str, dict[str, str], bytes] | None:
    """Path, headers and body of the next request; None where the client has hung up."""
    data = bytearray()
    while (end := data.find(b"\r\n\r\n")) < 0:
        piece = wire.recv(65_536)
        if not piece:
            return None
        data += piece
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    size = end + 4 + int(headers.get("content-length", "0"))
    while len(data) < size:
        piece = wire.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return first.split(" ")[1], headers, bytes(data[end + 4 : size])


def _head(status: int, size: int, extra: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n{extra}\r\n"
    ).encode()


def _reset(wire: socket.socket) -> bool:
    """Close the connection so that the client sees it reset."""
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def main() -> None:
    """Serve until the standard input ends."""
    behaviour = replace(Behaviour(), **json.loads(sys.argv[2])) if len(sys.argv) > 2 else Behaviour()
    with serve_chat(behaviour, log=Path(sys.argv[1])) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
