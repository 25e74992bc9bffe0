"""Files of requests in OpenAI's batch format, each whole or absent, and noted in the ledger once it is there.

Sources: OpenAI's reference of the batch API (one JSON object a line with `custom_id`, `method`, `url` and `body`; at
most 50,000 requests and 200 MB a file, all for one model).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from earthloom.caption.asking import Request
from earthloom.caption.ledger import Ledger
from earthloom.caption.ledger.rows import Outcome
from earthloom.core.errors import WriteError
from earthloom.store.atomic import TEMPORARY, open_atomic, translate_write_errors

MOST_REQUESTS = 50_000
MOST_BYTES = 180_000_000
"""Under the 200 MB of OpenAI's reference, as older endpoints count MiB and others less."""
_URL = "/v1/chat/completions"
_HEAD = '{"custom_id":"%s","method":"POST","url":"' + _URL + '","body":'
_KEY = re.compile(rb'\{"custom_id":"([0-9a-f]{32})"')
_NAME = re.compile(r"(\d{3,9})-requests\.jsonl")


def make_line(key: str, body: bytes) -> bytes:
    """The line that asks for one request, its picture in the body."""
    return (_HEAD % key).encode() + body + b"}\n"


class _OpenFile:
    """A file that is being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: list[str] = []
        self.n_bytes = 0
        self._open = ExitStack()
        self._file = self._open.enter_context(open_atomic(path))

    def has_room(self, line: bytes) -> bool:
        return not self.keys or (len(self.keys) < MOST_REQUESTS and self.n_bytes + len(line) <= MOST_BYTES)

    def write(self, key: str, line: bytes) -> None:
        with translate_write_errors(self.path):
            self._file.write(line)
        self.keys.append(key)
        self.n_bytes += len(line)

    def close(self) -> None:
        self._open.close()

    def abandon(self, error: BaseException) -> None:
        """Leave no file behind; `error` is the caller's to raise."""
        with suppress(type(error), WriteError):
            self._open.__exit__(type(error), error, error.__traceback__)


class BatchFiles:
    """Writes requests into files of a folder, one open for each model, and notes in the ledger what is in them."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        """Raises WriteError where the folder cannot be made."""
        self._folder = folder
        self._ledger = ledger
        self._open: dict[str, _OpenFile] = {}
        self.paths: list[Path] = []
        """Files that are whole, in the order of their numbers."""
        self.n_bytes = 0
        """Of those files."""
        with translate_write_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob(f"*-requests.jsonl.*{TEMPORARY}"):
                leftover.unlink(missing_ok=True)
        self._number = max((number for number, _ in _list_files(folder)), default=0)

    def add(self, request: Request, body: bytes) -> None:
        """Write one request. Raises WriteError."""
        line = make_line(request.key, body)
        file = self._open.get(request.model)
        if file is not None and not file.has_room(line):
            self._finish(request.model)
            file = None
        if file is None:
            self._number += 1
            file = _OpenFile(self._folder / f"{self._number:03d}-requests.jsonl")
            self._open[request.model] = file
        file.write(request.key, line)

    def _finish(self, model: str) -> None:
        file = self._open[model]
        file.close()
        del self._open[model]
        self._ledger.mark_batch(_identify(file.path), file.keys)
        self.paths.append(file.path)
        self.n_bytes += file.n_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                for model in list(self._open):
                    self._finish(model)
        except BaseException as failure:
            self._abandon(failure)
            raise
        if error is not None:
            self._abandon(error)
        self.paths.sort()

    def _abandon(self, error: BaseException) -> None:
        """Give back what was reserved for files that will never be there."""
        for file in self._open.values():
            file.abandon(error)
            release(self._ledger, file.keys, "its batch file could not be written")
        self._open.clear()


def release(ledger: Ledger, keys: list[str], why: str) -> None:
    """Note that requests were never sent, so that the next run asks them."""
    sent = (ledger.recall(key) for key in keys)
    ledger.settle(Outcome(question=question, why=why, tries=0) for question in sent if question is not None)


def adopt_files(folder: Path, ledger: Ledger) -> None:
    """Note what is in files that a run wrote just before it was killed, so that it is not written again."""
    for _, path in _list_files(folder):
        name = _identify(path)
        if not ledger.knows_batch(name):
            with path.open("rb") as lines:
                ledger.mark_batch(name, _read_keys(lines))


def _read_keys(lines: Iterator[bytes]) -> Iterator[str]:
    return (match[1].decode() for match in map(_KEY.match, lines) if match)


def _identify(path: Path) -> str:
    return str(path.resolve())


def _list_files(folder: Path) -> list[tuple[int, Path]]:
    if not folder.is_dir():
        return []
    found = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir() if path.is_file())
    return sorted((int(match[1]), path) for match, path in found if match)
