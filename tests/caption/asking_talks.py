"""Small conversations for tests of those who lead them: about random pictures, with a repair or two."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from earthloom.caption.asking import PICTURE, Answer, Conversation, Request, Talk, Written
from earthloom.caption.config import ChatSettings
from earthloom.caption.endpoint.completion import inline_picture
from earthloom.caption.endpoint.remote import ask_remote
from earthloom.caption.ledger import Ledger, find_outcome
from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes
from earthloom.core.records import Reason

ROLES = ("overview", "composition", "arrangement", "conditions", "interpretation")
PRICES = {"small": {"input": 1.0, "output": 1.0}}


@dataclass
class Board:
    """What became of each conversation."""

    ends: dict[str, str] = field(default_factory=dict)
    """`written`, `given up` or the reason of the error that was thrown in, by id."""
    answers: dict[str, list[Answer]] = field(default_factory=dict)


def make_settings(url: str, *, priced: bool = False, **limits: Any) -> ChatSettings:
    """Settings for a server, quick to try again."""
    quick = {"backoff_s": 0.02, "timeout_s": 0.5, "tries": 8}
    return ChatSettings.model_validate(
        {
            "model": "small",
            "base_url": url,
            "key_env": "TEST_KEY",
            "prices": PRICES if priced else {},
            "limits": quick | limits,
        }
    )


def make_picture(number: int, size: int = 2000) -> bytes:
    """Bytes that stand for a picture."""
    return random.Random(number).randbytes(size)


def make_request(picture: bytes, turn: int = 0, tokens_in: int = 1000, tokens_out: int = 250) -> Request:
    """A question about a picture."""
    digest = hash_bytes(picture)
    captions = {"type": "object", "properties": {role: {"type": "string"} for role in ROLES}}
    schema = {"type": "object", "properties": {"captions": captions}}
    form = {"type": "json_schema", "json_schema": {"name": "captions", "strict": True, "schema": schema}}
    text = "Describe it." if turn == 0 else f"Describe it. An earlier answer was no use, number {turn}."
    return Request(
        author="chat",
        purpose="captions" if turn == 0 else "repair",
        tile_id=digest[:8],
        model="small",
        body={
            "model": "small",
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": text},
                        {"type": "image_url", "image_url": {"url": PICTURE + digest, "detail": "low"}},
                    ],
                }
            ],
            "response_format": form,
        },
        picture=digest,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
    )


def converse(name: str, picture: bytes, board: Board, n_repairs: int = 2) -> Conversation:
    """Ask for captions, and again where the answer is no use."""
    answers = board.answers[name] = []
    for turn in range(1 + n_repairs):
        try:
            answer = yield make_request(picture, turn)
        except RecordError as error:
            board.ends[name] = error.reason.value
            if error.reason is Reason.UNREACHABLE:
                raise
            continue
        answers.append(answer)
        if is_useful(answer):
            board.ends[name] = "written"
            return Written()
    board.ends.setdefault(name, "given up")
    raise RecordError(Reason.BAD_ANSWER, "wanted five captions")


def is_useful(answer: Answer) -> bool:
    """Whether it holds five captions."""
    try:
        return answer.finish == "stop" and len(json.loads(answer.text)["captions"]) == len(ROLES)
    except (ValueError, KeyError, TypeError):
        return False


def make_talks(
    n: int, board: Board, *, read: Callable[[int], bytes] = make_picture, n_pictures: int | None = None
) -> Iterator[Talk]:
    """Conversations about pictures 0 to n - 1; fewer pictures are used several times."""
    for number in range(n):
        picture = read(number % (n_pictures or n))
        yield Talk(
            id=f"t{number}",
            start=partial(converse, f"t{number}", picture, board),
            read_picture=partial(_give, picture),
        )


def hash_sent(picture: bytes, turn: int = 0) -> str:
    """The SHA-256 of what is sent about a picture."""
    return hashlib.sha256(inline_picture(make_request(picture, turn).body, picture, "jpg")).hexdigest()


def find_answered(path: Path, n: int) -> set[str]:
    """The SHA-256 of what was sent, for the questions about pictures 0 to n - 1 that a ledger has settled for good."""
    with Ledger(path, read_only=True) as ledger:
        return {
            hash_sent(picture, turn)
            for picture in map(make_picture, range(n))
            for turn in range(3)
            if find_outcome(make_request(picture, turn), ledger) is not None
        }


def _give(picture: bytes) -> tuple[bytes, str]:
    return picture, "jpg"


def main(url: str, path: str, n: int) -> None:
    """Ask until killed: for tests that do so."""
    with Ledger(Path(path)) as ledger:
        ask_remote(
            make_talks(n, Board()), ledger, make_settings(url), key="sk-killed", advance=lambda _: None
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
