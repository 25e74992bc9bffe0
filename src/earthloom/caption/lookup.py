"""Answers for those who write captions and ask nobody: all of them come from the ledger."""

from __future__ import annotations

import hashlib

from earthloom.caption.asking import Answer, Request
from earthloom.caption.ledger import Ledger, find_outcome
from earthloom.core.errors import RecordError
from earthloom.core.records import Reason


class Lookup:
    """Finds the answer to a request; a shard uses one, so that it can say on which answers it stands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._hash = hashlib.sha256()

    def __call__(self, request: Request) -> Answer:
        """Give the answer, or raise RecordError: BAD_ANSWER where there will be none, UNREACHABLE where there may."""
        outcome = find_outcome(request, self._ledger)
        if outcome is None:
            raise RecordError(Reason.UNREACHABLE, f"{request.model} has not answered for this picture yet")
        said = outcome.detail if isinstance(outcome, RecordError) else outcome.text
        self._hash.update(f"{request.key} {said}\0".encode(errors="replace"))
        if isinstance(outcome, RecordError):
            raise outcome
        return outcome

    @property
    def digest(self) -> int:
        """A number that changes with the answers that were given, 0 to 2**48."""
        return int(self._hash.hexdigest()[:12], 16)
