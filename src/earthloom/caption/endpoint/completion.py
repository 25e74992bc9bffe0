"""OpenAI's chat completions on the wire: what is sent, and what of an answer is used.

Servers that speak the protocol differ in what they leave away, so that an answer is read leniently where nothing is
lost by it, and refused where a caption could come of what the model did not say. Sources: the reference of
`POST /chat/completions` (platform.openai.com) and what vLLM, Ollama and text-generation-inference send.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from earthloom.caption.asking import PICTURE, Answer, Request, Talk
from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes
from earthloom.core.records import Reason
from earthloom.core.text import mend, to_line

_PATH = "/chat/completions"
_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
_STOPS = {
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
}
"""Other servers' words for why an answer ended."""
_MOST_TOKENS = 10**9
"""A count over this is no count."""
_LONGEST_NAME = 200
_LONGEST_REASON = 40
_LONGEST_MESSAGE = 300


def url_of(base_url: str) -> str:
    """The URL of chat completions for a base such as `http://localhost:8000/v1`; a query stays at the end."""
    address, mark, query = base_url.partition("?")
    address = address.rstrip("/")
    path = "" if address.endswith(_PATH) else _PATH
    return f"{address}{path}{mark}{query}"


def dump_body(body: Mapping[str, Any]) -> bytes:
    """The JSON of a request as it is sent, without a picture; fields keep their order, which models may heed."""
    return json.dumps(dict(body), separators=(",", ":"), allow_nan=False).encode("ascii")


def inline_picture(body: Mapping[str, Any], picture: bytes, media: str) -> bytes:
    """The JSON of a request as it is sent, its `PICTURE` placeholder replaced by the picture as a data URL.

    media: `jpg` or `png`. Only the value of a field `url` is replaced, so that a text that holds a placeholder stays
    as it is. Raises RecordError UNREADABLE where the body asks for another picture than the one given.
    """
    marker = f'"url":"{PICTURE}{hash_bytes(picture)}"'.encode()
    parts = dump_body(body).split(marker)
    if len(parts) == 1:
        raise RecordError(
            Reason.UNREADABLE,
            "wanted the picture whose hash is in the request, got other bytes: the work folder's picture was changed",
        )
    data_url = b'"url":"data:%s;base64,%s"' % (_MEDIA_TYPES[media].encode(), base64.b64encode(picture))
    return data_url.join(parts)


def encode_request(request: Request, talk: Talk) -> bytes:
    """What is sent for a request, the picture of its talk read where it asks about one.

    Raises RecordError UNREADABLE where that cannot be read, or is not the one that is asked about.
    """
    if request.picture is None:
        return dump_body(request.body)
    try:
        picture, media = talk.read_picture()
    except OSError as error:
        raise RecordError(Reason.UNREADABLE, f"the tile's picture cannot be read: {error}") from error
    return inline_picture(request.body, picture, media)


def read_json(body: bytes) -> object:
    """Parse the body of a server's answer. Raises ValueError where it is no whole JSON document."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_completion(document: object) -> Answer:
    """Take the answer out of a `chat.completion` object, parsed from JSON.

    A refusal, an empty text and an answer that was cut off are answers, as they were paid for: `Answer.finish` tells.
    A missing `finish_reason` counts as `stop`. Raises RecordError BAD_ANSWER for what is no such object.
    """
    if not isinstance(document, Mapping):
        raise _bad(f"a completion is an object, got {_name_type(document)}")
    message, finish = _first_choice(document)
    text, is_refusal = _read_content(message)
    usage = document.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    served = document.get("model")
    return Answer(
        text=mend(text),
        finish="refusal" if is_refusal else finish,
        tokens_in=_read_count(usage.get("prompt_tokens")),
        tokens_out=_read_count(usage.get("completion_tokens")),
        served=to_line(served[:_LONGEST_NAME]) if isinstance(served, str) else "",
    )


def read_error(document: object) -> tuple[str, str]:
    """The code and the message of an error object, each empty where the document gives none.

    The code is OpenAI's word for it, such as `insufficient_quota`, or a number as text where a server gives that.
    """
    error = document.get("error") if isinstance(document, Mapping) else None
    if isinstance(error, str):
        return "", to_line(error[:_LONGEST_MESSAGE])
    if not isinstance(error, Mapping):
        return "", ""
    codes = (error.get("code"), error.get("type"))
    code = next((str(code) for code in codes if isinstance(code, str | int) and code), "")
    message = error.get("message")
    shown = to_line(message[:_LONGEST_MESSAGE]) if isinstance(message, str) else ""
    return to_line(code[:_LONGEST_NAME]), shown


def _first_choice(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        error = ": ".join(filter(None, read_error(document)))
        said = f", got an error ({error})" if error else ""
        raise _bad(f"a completion has a list of choices{said}")
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise _bad(f"a choice has a message, got {_name_type(message)}")
    reason = choice.get("finish_reason")
    finish = (to_line(reason[:_LONGEST_REASON]).lower() if isinstance(reason, str) else "") or "stop"
    return message, _STOPS.get(finish, finish)


def _read_content(message: Mapping[str, Any]) -> tuple[str, bool]:
    """The text of a message and whether it is a refusal."""
    content, refusal = message.get("content"), message.get("refusal")
    if isinstance(content, str) and content:
        return content, False
    if isinstance(content, list):
        texts, refusals = _join_parts(content, "text"), _join_parts(content, "refusal")
        return (texts, False) if texts or not refusals else (refusals, True)
    if content is not None and content != "":
        raise _bad(f"the content of a message is text, got {_name_type(content)}")
    return (refusal, True) if isinstance(refusal, str) and refusal else ("", False)


def _join_parts(parts: list[Any], field: str) -> str:
    texts = (part.get(field) for part in parts if isinstance(part, Mapping))
    return "".join(text for text in texts if isinstance(text, str))


def _read_count(value: object) -> int | None:
    """A number of tokens; None for anything that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= _MOST_TOKENS and value == int(value) else None


def _name_type(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _bad(said: str) -> RecordError:
    return RecordError(Reason.BAD_ANSWER, f"wanted a chat completion: {said}")
