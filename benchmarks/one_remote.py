"""Ask an endpoint about pictures, 64 at a time: `one_remote.py earthloom|bare|idle URL N PICTURES LEDGER`.

Prints one line of JSON: CPU-seconds by part and memory in bytes. What is loaded before the first request is not
counted. `idle` does all that `earthloom` does but for the asking.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx2

from earthloom.caption.asking import PICTURE, Conversation, Request, Talk, Written
from earthloom.caption.config import ChatSettings
from earthloom.caption.endpoint.completion import inline_picture
from earthloom.caption.endpoint.remote import ask_remote
from earthloom.caption.ledger import Ledger
from earthloom.core.ids import hash_bytes

AT_ONCE = 64
ROLES = ("overview", "composition", "arrangement", "conditions", "interpretation")
PROMPT = "Describe the picture for people who cannot see it, in five captions. " * 60
"""As long as the prompts that ship with earthloom."""


def make_body(number: int, url: str) -> dict[str, object]:
    """The body of a chat completion; its number makes it differ from all others."""
    content = [
        {"type": "text", "text": f"{PROMPT}\nPicture {number}."},
        {"type": "image_url", "image_url": {"url": url, "detail": "high"}},
    ]
    captions = {"type": "object", "properties": {role: {"type": "string"} for role in ROLES}}
    schema = {"type": "object", "properties": {"captions": captions}}
    return {
        "model": "loopback",
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 900,
        "response_format": {"type": "json_schema", "json_schema": {"name": "captions", "schema": schema}},
    }


def converse(number: int, digest: str) -> Conversation:
    """One question about one picture."""
    yield Request(
        author="chat",
        purpose="captions",
        tile_id=f"{number:06d}",
        model="loopback",
        body=make_body(number, PICTURE + digest),
        picture=digest,
        tokens_in=1800,
        tokens_out=900,
    )
    return Written()


def read(path: Path) -> tuple[bytes, str]:
    """A picture and its media."""
    return path.read_bytes(), "jpg"


def make_talks(paths: list[Path], n: int) -> Iterator[Talk]:
    """Conversations about pictures that are read when they are sent; their hashes are known, as those of tiles are."""
    digests = [hash_bytes(path.read_bytes()) for path in paths]
    for number in range(n):
        which = number % len(paths)
        start = partial(converse, number, digests[which])
        yield Talk(id=str(number), start=start, read_picture=partial(read, paths[which]))


def ask_with_earthloom(url: str, n: int, paths: list[Path], ledger: Path) -> None:
    """The remote path: ledger, limits, retries and all."""
    settings = ChatSettings.model_validate(
        {
            "model": "loopback",
            "base_url": url,
            "prices": {"loopback": {"input": 2.5, "output": 10.0}},
            "limits": {"in_flight": AT_ONCE, "budget": 1000.0},
        }
    )
    with Ledger(ledger) as answers:
        asked = ask_remote(
            make_talks(paths, n), answers, settings, key="sk-benchmark", advance=lambda _: None
        )
    assert asked.n_answered == n, asked


def ask_bare(url: str, n: int, paths: list[Path], ledger: Path) -> None:
    """What anyone writes first: threads, a client of httpx2, base64, and every answer in memory."""
    del ledger
    numbers, lock = iter(range(n)), threading.Lock()
    answers: list[str] = []
    client = httpx2.Client(timeout=120, limits=httpx2.Limits(max_connections=None))

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            picture = base64.b64encode(paths[number % len(paths)].read_bytes()).decode()
            body = make_body(number, f"data:image/jpeg;base64,{picture}")
            answer = client.post(
                f"{url}/chat/completions", json=body, headers={"authorization": "Bearer sk-benchmark"}
            )
            answers.append(answer.json()["choices"][0]["message"]["content"])

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert len(answers) == n


def measure_encoding(n: int, paths: list[Path]) -> float:
    """CPU-seconds for reading and encoding alone: the hash, base64 and JSON of n pictures."""
    talks = list(make_talks(paths, n))
    start = time.process_time()
    for talk in talks:
        request = next(talk.start())
        inline_picture(request.body, *talk.read_picture())
    return time.process_time() - start


def read_memory(field: str) -> int:
    """A figure of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def main(who: str, url: str, n: int, pictures: Path, ledger: Path) -> None:
    """Ask, and print what it cost."""
    paths = sorted(pictures.glob("*.jpg"))
    ask = {"earthloom": ask_with_earthloom, "bare": ask_bare}[who]
    ask(url, 1, paths, ledger.with_suffix(".first"))  # the first request loads what is loaded late
    idle = read_memory("VmRSS")
    start, began = time.process_time(), time.perf_counter()
    ask(url, n, paths, ledger)
    cpu_s, wall_s = time.process_time() - start, time.perf_counter() - began
    peak = read_memory("VmHWM")
    figures = {
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "idle": idle,
        "peak": peak,
        "encoding_s": measure_encoding(n, paths),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
