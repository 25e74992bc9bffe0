"""Questions to models, as values: what is asked, what came back, and the conversations that lead from one to the other.

A conversation is a generator. It yields a `Request`, is sent the `Answer`, and returns what was written; it knows
neither network nor disk nor clock, so the same answers give the same captions wherever it runs. Whoever drives it
decides where answers come from: `earthloom.caption.endpoint` sends requests or writes them to batch files,
`earthloom.caption.local` runs a model, and the workers that write the shards find all of them in the ledger. A request
that cannot be answered is thrown into the conversation as a `RecordError`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_json
from earthloom.core.records import Caption, Dropped, Proposal

PICTURE = "picture:sha256:"
"""What stands in a request for a picture until it is sent: this and the SHA-256 of its bytes, in hex."""

Purpose = Literal["summary", "captions", "repair"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question to one model, complete but for the bytes of its picture."""

    author: Literal["blip2", "chat"]
    purpose: Purpose
    tile_id: str
    """What it is asked for, for people who read the ledger; no part of the key."""
    model: str
    revision: str = ""
    body: Mapping[str, Any] = field(hash=False)
    """What is sent, JSON: the body of a chat completion, or what a local model is run with. A picture stands in it as
    `PICTURE` and its hash."""
    picture: str | None = None
    """SHA-256 of the picture in the body; None for a question about text alone."""
    tokens_in: int = 0
    """Tokens that it will be charged for, an estimate that is rather too high."""
    tokens_out: int = 0
    """Most tokens that the answer may have."""

    @cached_property
    def key(self) -> str:
        """Hash of the body and of the model's revision: equal requests are asked once, whoever asks."""
        return hash_json([self.author, self.revision, self.body])

    def to_json(self) -> str:
        """The body as the ledger keeps it: without pixels."""
        return json.dumps(self.body, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a model said."""

    text: str
    finish: str = "stop"
    """Why it ended: `stop`, `length` (cut off), `content_filter`, `refusal`, ..."""
    tokens_in: int | None = None
    tokens_out: int | None = None
    """As the server counted them; None where it did not say."""
    served: str = ""
    """What the server says that it ran; empty where it does not."""
    n_same: int = 1
    """For how many different pictures the ledger holds this very answer of this model."""
    n_all: int = 1
    """For how many different pictures the ledger holds any answer of this model to a request of this purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What one author wrote about one tile."""

    captions: tuple[Caption, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    proposals: tuple[Proposal, ...] = ()


Conversation = Generator[Request, Answer, Written]


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """A conversation that can be started, as often as it is wanted, and the picture that it is about."""

    id: str
    """Of the tile."""
    start: Callable[[], Conversation]
    read_picture: Callable[[], tuple[bytes, str]]
    """Give the encoded picture and its media, `jpg` or `png`."""


class BrokenTalkError(Exception):
    """A bug met within a conversation: it costs its own picture, and no run."""


def follow(conversation: Conversation, find: Callable[[Request], Answer]) -> Written:
    """Lead a conversation to its end with answers that `find` gives; `RecordError`s of it go into the conversation.

    Raises what `resume` does, but for StopIteration, and what `find` does.
    """
    outcome: Answer | RecordError | None = None
    while True:
        try:
            request = resume(conversation, outcome)
        except StopIteration as end:
            written: Written = end.value
            return written
        try:
            outcome = find(request)
        except RecordError as error:
            outcome = error


def resume(conversation: Conversation, outcome: Answer | RecordError | None) -> Request:
    """Go on with a conversation to its next question; None begins it.

    Raises StopIteration where it ends, RecordError where nothing came of it, and BrokenTalkError for any other error,
    so that who drives it can tell a bug about one picture from one of its own.
    """
    try:
        if outcome is None:
            return next(conversation)
        if isinstance(outcome, RecordError):
            return conversation.throw(outcome)
        return conversation.send(outcome)
    except (StopIteration, RecordError):
        raise
    except Exception as error:
        raise BrokenTalkError(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What came of asking."""

    n_sent: int = 0
    """Requests that were sent, tries not counted."""
    n_answered: int = 0
    n_failed: int = 0
    """Requests without a usable answer from the server, for good."""
    stopped: Literal["budget", "requests"] | None = None
    """Which limit ended it before all conversations were at their end."""
