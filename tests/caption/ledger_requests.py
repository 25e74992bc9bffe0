"""Requests, answers and conversations for tests of the ledger and what stands on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from earthloom.caption.asking import PICTURE, Answer, Conversation, Request, Talk, Written
from earthloom.caption.config import ChatSettings, Price
from earthloom.core.records import Caption

MODEL = "gpt-4o-2024-08-06"
PRICES = {MODEL: Price(input=2.5, output=10.0)}


def make_settings(**changes: Any) -> ChatSettings:
    """Settings of one model with a price."""
    return ChatSettings(**({"model": MODEL, "prices": PRICES} | changes))


def make_picture(index: int) -> bytes:
    """Bytes that stand for a picture."""
    return b"\xff\xd8 picture %d \xff\xd9" % index


def make_request(index: int, **changes: Any) -> Request:
    """A request about a picture of its own, 1,000 tokens in and at most 100 out."""
    picture = hashlib.sha256(make_picture(index)).hexdigest()
    fields: dict[str, Any] = {
        "author": "chat",
        "purpose": "captions",
        "tile_id": f"tile-{index}",
        "model": MODEL,
        "picture": picture,
        "tokens_in": 1000,
        "tokens_out": 100,
    } | changes
    url = (
        [{"type": "image_url", "image_url": {"url": PICTURE + fields["picture"]}}]
        if fields["picture"]
        else []
    )
    content = [{"type": "text", "text": f"Question {index}, {fields['purpose']}"}, *url]
    body = {"model": fields["model"], "messages": [{"role": "user", "content": content}]}
    return Request(**({"body": body} | fields))


def make_answer(text: str = "A river.", **changes: Any) -> Answer:
    """An answer whose tokens were counted."""
    return Answer(**({"text": text, "tokens_in": 900, "tokens_out": 50, "served": MODEL} | changes))


def make_talk(index: int, requests: Callable[[], list[Request]] | None = None) -> Talk:
    """A conversation that asks one request after the other and writes what was answered."""

    def start() -> Conversation:
        texts = []
        for request in requests() if requests is not None else [make_request(index)]:
            answer = yield request
            texts.append(answer.text)
        return Written(
            captions=tuple(Caption(text=text, style="plain", role="overview", author=MODEL) for text in texts)
        )

    return Talk(id=f"tile-{index}", start=start, read_picture=lambda: (make_picture(index), "jpg"))
