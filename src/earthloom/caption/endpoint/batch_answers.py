"""One file of batch answers, output or errors, read into the ledger line by line.

Sources: OpenAI's reference of the batch output object: `custom_id`, and either `response` (`status_code`, `body`) or
`error` (`code`, `message`, such as `batch_expired`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from earthloom.caption.asking import Answer
from earthloom.caption.config import ChatSettings
from earthloom.caption.endpoint.completion import read_completion, read_error, read_json
from earthloom.caption.ledger import Ledger
from earthloom.caption.ledger.prices import cost_of, show_money
from earthloom.caption.ledger.rows import Outcome, Sent
from earthloom.core.errors import RecordError, RunError

_LONGEST_LINE = 4 * 2**20
"""Longer ones are passed over: an answer of a few thousand tokens takes kilobytes."""
_TOGETHER = 256
_REFUSED_ALWAYS = frozenset({400, 413, 422})
"""The same request would fail the same way."""
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchRead:
    """What lines of answer files came to; every line is counted once."""

    n_answered: int = 0
    n_failed: int = 0
    """To be asked again, but for those that the endpoint would refuse each time."""
    n_repeated: int = 0
    """Of requests that had an answer, or had failed, before."""
    n_unknown: int = 0
    """With ids that are no request of this ledger."""
    n_bad: int = 0
    """No whole JSON, far too long, or without what an answer must have."""
    cost: float = 0.0
    """Of the answers, at the price of batches."""

    @property
    def n_lines(self) -> int:
        """All lines but empty ones."""
        return self.n_answered + self.n_failed + self.n_repeated + self.n_unknown + self.n_bad

    def to_json(self) -> dict[str, Any]:
        """All counts, and the cost."""
        return asdict(self) | {"n_lines": self.n_lines}

    def to_text(self) -> str:
        """One line for people."""
        others = (
            (self.n_failed, "failed and will be asked again or set aside"),
            (self.n_repeated, "known already"),
            (self.n_unknown, "of other runs"),
            (self.n_bad, "of no use"),
        )
        said = "".join(f", {n:,} {what}" for n, what in others if n)
        return f"{self.n_lines:,} lines: {self.n_answered:,} answers for {show_money(self.cost)}{said}."

    def __add__(self, other: BatchRead) -> BatchRead:
        names = [field.name for field in fields(self)]
        return BatchRead(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, slots=True)
class _Failure:
    why: str
    is_final: bool


class AnswerFile:
    """Reads one file."""

    def __init__(self, path: Path, ledger: Ledger, settings: ChatSettings) -> None:
        """`settings` are those of batches, for their price."""
        self._path = path
        self._ledger = ledger
        self._settings = settings
        self._waiting: dict[str, Outcome] = {}
        self._read = BatchRead()

    def read(self) -> BatchRead:
        """Read all lines. Raises RunError where the file cannot be read, and the ledger's errors."""
        try:
            with self._path.open("rb") as file:
                for line in _split(file):
                    self._take(line)
        except OSError as error:
            raise RunError(
                f"Could not read {self._path}: {error}. Remove the cause and read it again: what was read is kept."
            ) from error
        self._flush()
        return self._read

    def _take(self, line: bytes | None) -> None:
        try:
            if line is None:
                raise ValueError("too long")
            key, outcome = _parse(line)
        except ValueError:
            self._read += BatchRead(n_bad=1)
            return
        if key in self._waiting or len(self._waiting) >= _TOGETHER:
            self._flush()
        sent = self._ledger.recall(key) if _KEY.fullmatch(key) else None
        if sent is None:
            self._read += BatchRead(n_unknown=1)
        elif sent.status == "answered" or (sent.status == "failed" and isinstance(outcome, _Failure)):
            self._read += BatchRead(n_repeated=1)
        else:
            self._settle(sent, outcome)

    def _settle(self, sent: Sent, outcome: Answer | _Failure) -> None:
        if isinstance(outcome, _Failure):
            self._read += BatchRead(n_failed=1)
            self._waiting[sent.key] = Outcome(question=sent, why=outcome.why, is_final=outcome.is_final)
            return
        cost = cost_of(sent, outcome, self._settings)
        self._read += BatchRead(n_answered=1, cost=cost)
        self._waiting[sent.key] = Outcome(question=sent, answer=outcome, cost=cost)

    def _flush(self) -> None:
        if self._waiting:
            self._ledger.settle(self._waiting.values())
        self._waiting.clear()


def _split(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines that hold something; None for one that is too long to be an answer."""
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(_LONGEST_LINE)
            yield None
        elif line.strip():
            yield line


def _parse(line: bytes) -> tuple[str, Answer | _Failure]:
    """The id of a line and what it says of it. Raises ValueError."""
    document = read_json(line)
    if not isinstance(document, Mapping) or not isinstance(document.get("custom_id"), str):
        raise ValueError("wanted an object with a custom_id")
    key: str = document["custom_id"]
    response = document.get("response")
    if not isinstance(response, Mapping):
        if not isinstance(document.get("error"), Mapping | str):
            raise ValueError("wanted a response or an error")
        return key, _Failure(_explain("the batch", document), is_final=False)
    status = response.get("status_code")
    if status != 200:  # an error that a line brings along is the endpoint's own
        return key, _Failure(_explain(f"status {status!r:.20}", response.get("body")), _is_final(status))
    try:
        return key, read_completion(response.get("body"))
    except RecordError as error:
        return key, _Failure(error.detail, is_final=False)


def _is_final(status: object) -> bool:
    return isinstance(status, int) and status in _REFUSED_ALWAYS


def _explain(where: str, document: object) -> str:
    said = ": ".join(filter(None, read_error(document)))
    return f"{where}: {said or 'no reason given'}"
