"""Requests as batch files, answers from batch files: OpenAI's batch API, at half the price and within a day.

A conversation goes one question further with each batch: `write_batch` leads every one as far as the answers in the
ledger go and writes what is missing; `read_batch` puts the answers into the ledger; and so on until nothing is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from earthloom.caption.asking import BrokenTalkError, Request, Talk
from earthloom.caption.config import ChatSettings
from earthloom.caption.endpoint.batch_answers import AnswerFile, BatchRead
from earthloom.caption.endpoint.batch_file import BatchFiles, adopt_files, release
from earthloom.caption.endpoint.completion import encode_request
from earthloom.caption.ledger import Ledger, find_missing
from earthloom.caption.ledger.prices import highest_cost
from earthloom.caption.ledger.rows import Outcome
from earthloom.core.errors import RecordError, UsageError

_TOGETHER = 64
"""Requests that are reserved at once; what waits is without its picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchFile:
    """What `write_batch` wrote, and where the conversations stand."""

    paths: tuple[Path, ...] = ()
    n_bytes: int = 0
    n_requests: int = 0
    """In these files."""
    n_out: int = 0
    """Conversations that wait for a request of an earlier file, or for one that another has put into these."""
    n_ended: int = 0
    """Conversations that need no more answers."""
    n_failed: int = 0
    """Conversations that ended in a refusal, and those whose picture could not be read."""
    cost: float = 0.0
    """The most that the requests can cost, at the price of batches."""
    stopped: Literal["budget", "requests"] | None = None
    """Which limit kept requests out of the files."""


def write_batch(
    talks: Iterable[Talk],
    ledger: Ledger,
    settings: ChatSettings,
    folder: Path,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> BatchFile:
    """Write the requests that the conversations need next into `folder/NNN-requests.jsonl`, each once.

    What is written counts as sent, at its highest cost, until `read_batch` brings its answer; meanwhile it is not
    written again, but for what `Ledger.release_batches` gave up.

    Raises:
        WriteError: the disk is full or not writable; a file is whole or absent, and what is absent is not reserved.

    """
    adopt_files(folder, ledger)
    settings = _at_batch_price(settings)
    with BatchFiles(folder, ledger) as files:
        writing = _Writing(files=files, ledger=ledger, settings=settings)
        missing = writing.find_missing(talks, advance)
        while writing.stopped is None and (chunk := list(islice(missing, _TOGETHER))):
            writing.write(chunk)
    return BatchFile(
        paths=tuple(files.paths),
        n_bytes=files.n_bytes,
        n_requests=writing.n_requests,
        n_out=writing.n_out,
        n_ended=writing.n_ended,
        n_failed=writing.n_failed,
        cost=writing.cost,
        stopped=writing.stopped,
    )


@dataclass(kw_only=True, slots=True)
class _Writing:
    """One call of `write_batch`, and what it has come to."""

    files: BatchFiles
    ledger: Ledger
    settings: ChatSettings
    n_requests: int = 0
    n_out: int = 0
    n_ended: int = 0
    n_failed: int = 0
    cost: float = 0.0
    stopped: Literal["budget", "requests"] | None = None
    seen: set[bytes] = field(default_factory=set)

    def find_missing(
        self, talks: Iterable[Talk], advance: Callable[[int], None]
    ) -> Iterator[tuple[Talk, Request]]:
        for talk in talks:
            request = self._lead(talk)
            if request is not None:
                yield talk, request
            advance(1)

    def _lead(self, talk: Talk) -> Request | None:
        """The request to write; None where there is none, or where it is out or in these files already."""
        try:
            found = find_missing(talk, self.ledger)
        except (RecordError, BrokenTalkError):
            self.n_failed += 1
            return None
        if not isinstance(found, Request):
            self.n_ended += 1
            return None
        digest = bytes.fromhex(found.key)
        if digest in self.seen or self.ledger.is_out(found):
            self.n_out += 1
            return None
        self.seen.add(digest)
        return found

    def write(self, chunk: list[tuple[Talk, Request]]) -> None:
        factors = {request.model: self.ledger.factor(request.model) for _, request in chunk}
        priced = [
            (request, highest_cost(request, self.settings, factors[request.model])) for _, request in chunk
        ]
        reserved = self.ledger.reserve_all(priced, self.settings.limits)
        if not all(reserved):
            self.stopped = self.ledger.find_limit(self.settings.limits)
        within = [
            (*pair, cost) for pair, (_, cost), is_in in zip(chunk, priced, reserved, strict=True) if is_in
        ]
        n_done = 0
        try:
            for talk, request, cost in within:
                if self._write_one(talk, request):
                    self.n_requests += 1
                    self.cost += cost
                n_done += 1
        except BaseException:
            # Those before are in files, which see to them: some of them may be whole.
            keys = [request.key for _, request, _ in within[n_done:]]
            release(self.ledger, keys, "its batch file could not be written")
            raise

    def _write_one(self, talk: Talk, request: Request) -> bool:
        try:
            body = encode_request(request, talk)
        except RecordError as error:
            self.n_failed += 1
            self.ledger.settle([Outcome(question=request, why=str(error), tries=0)])
            return False
        self.files.add(request, body)
        return True


def read_batch(paths: Iterable[Path], ledger: Ledger, settings: ChatSettings) -> BatchRead:
    """Put the answers of batch output files, and the failures of error files, into the ledger.

    Files and lines may come in any order, and twice. What failed is asked again by the next `write_batch`, except what
    the endpoint would refuse each time (400, 413, 422). Lines that cannot be used are counted, and nothing else.
    Raises UsageError for a file that is not there, RunError where one cannot be read.
    """
    settings = _at_batch_price(settings)
    total = BatchRead()
    for path in paths:
        if not path.is_file():
            raise UsageError(f"Wanted a file of batch answers, got {path}, which is none. Check the path.")
        total += AnswerFile(path, ledger, settings).read()
    return total


def _at_batch_price(settings: ChatSettings) -> ChatSettings:
    return settings.model_copy(update={"batch": True})
