"""Chat completions on the wire, against OpenAI's documented objects and against everything that is none."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.caption.asking import PICTURE, Answer
from earthloom.caption.endpoint.completion import (
    dump_body,
    inline_picture,
    read_completion,
    read_error,
    read_json,
    url_of,
)
from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes
from earthloom.core.records import Reason

# The example of OpenAI's reference of the chat completion object, with the fields that matter here.
DOCUMENTED: dict[str, Any] = {
    "id": "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG",
    "object": "chat.completion",
    "created": 1741570283,
    "model": "gpt-4o-2024-08-06",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "A path.", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1117, "completion_tokens": 46, "total_tokens": 1163},
    "service_tier": "default",
    "system_fingerprint": "fp_fc9f1d7035",
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def with_message(message: Any, finish: Any = "stop", **fields: Any) -> dict[str, Any]:
    return {**DOCUMENTED, "choices": [{"message": message, "finish_reason": finish}], **fields}


def test_the_documented_object_is_read() -> None:
    assert read_completion(DOCUMENTED) == Answer(
        text="A path.", finish="stop", tokens_in=1117, tokens_out=46, served="gpt-4o-2024-08-06"
    )


@pytest.mark.parametrize(
    ("message", "text", "finish"),
    [
        ({"content": None, "refusal": "I cannot help."}, "I cannot help.", "refusal"),
        ({"content": "", "refusal": "No."}, "No.", "refusal"),
        ({"content": None}, "", "stop"),
        ({}, "", "stop"),
        ({"content": "", "reasoning_content": "hm"}, "", "stop"),
        ({"content": [{"type": "text", "text": "A "}, {"type": "text", "text": "port."}]}, "A port.", "stop"),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, "No.", "refusal"),
        ({"content": [{"type": "image_url"}, "x", {"text": None}]}, "", "stop"),
        ({"content": "half \ud83d pair"}, "half \ufffd pair", "stop"),
    ],
)
def test_contents_of_all_shapes(message: Mapping[str, Any], text: str, finish: str) -> None:
    answer = read_completion(with_message(message))
    assert (answer.text, answer.finish) == (text, finish)
    answer.text.encode()


@pytest.mark.parametrize(
    ("finish", "read"),
    [
        ("length", "length"), ("content_filter", "content_filter"), ("tool_calls", "tool_calls"),
        ("eos_token", "stop"), ("max_tokens", "length"), (None, "stop"), (3, "stop"), ("", "stop"),
        ("SAFETY", "safety"), ("a\nb" + "c" * 99, "a b" + "c" * 37),
    ],
)  # fmt: skip
def test_finish_reasons(finish: Any, read: str) -> None:
    assert read_completion(with_message({"content": "A."}, finish)).finish == read


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (None, (None, None)),
        ("many", (None, None)),
        ([], (None, None)),
        ({"prompt_tokens": 7}, (7, None)),
        ({"prompt_tokens": 0, "completion_tokens": 3.0}, (0, 3)),
        ({"prompt_tokens": -1, "completion_tokens": 2.5}, (None, None)),
        ({"prompt_tokens": True, "completion_tokens": "4"}, (None, None)),
        ({"prompt_tokens": 10**30, "completion_tokens": float("nan")}, (None, None)),
        ({"prompt_tokens": float("inf"), "completion_tokens": float("-inf")}, (None, None)),
    ],
)
def test_what_is_no_count_is_unknown(usage: Any, counts: tuple[int | None, int | None]) -> None:
    answer = read_completion({**DOCUMENTED, "usage": usage})
    assert (answer.tokens_in, answer.tokens_out) == counts


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "an object, got a list"),
        ("A path.", "got a text"),
        (None, "got null"),
        ({}, "list of choices"),
        ({"choices": []}, "list of choices"),
        ({"choices": {"0": {}}}, "list of choices"),
        ({"choices": ["A path."]}, "has a message, got null"),
        ({"choices": [{"message": "A path."}]}, "has a message, got a text"),
        ({"choices": [{"message": {"content": 5}}]}, "text, got a number"),
        ({"choices": [{"message": {"content": {"text": "A"}}}]}, "text, got an object"),
        ({"choices": [{"message": {"content": False}}]}, "text, got true or false"),
        ({"error": {"message": "busy\nnow", "code": 503}}, "got an error (503: busy now)"),
    ],
)
def test_anything_else_is_a_bad_answer(document: object, said: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_completion(document)
    assert caught.value.reason is Reason.BAD_ANSWER
    assert said in caught.value.detail


@given(document=json_values)
def test_no_json_raises_anything_else(document: object) -> None:
    read_error(document)
    with pytest.raises(RecordError, match="bad_answer"):
        read_completion(document)


@given(message=json_values, finish=json_values, usage=json_values, model=json_values)
def test_no_field_raises_anything_else(message: object, finish: object, usage: object, model: object) -> None:
    fields = {"usage": usage, "model": model}
    try:
        answer = read_completion(with_message({"content": message, "refusal": usage}, finish, **fields))
    except RecordError as error:
        assert error.reason is Reason.BAD_ANSWER
    else:
        answer.text.encode()
        assert answer.finish
        assert answer.finish.isprintable()


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"error": {"message": "Over quota.", "type": "insufficient_quota", "code": "insufficient_quota"}},
         ("insufficient_quota", "Over quota.")),
        ({"error": {"message": "Slow down.", "type": "requests", "code": None}}, ("requests", "Slow down.")),
        ({"error": "model not found"}, ("", "model not found")),
        ({"error": {"code": 429}}, ("429", "")),
        ({"object": "error", "message": "no such thing"}, ("", "")),
        ({"error": {"message": "x" * 5000}}, ("", "x" * 300)),
        ("<html>", ("", "")),
    ],
)  # fmt: skip
def test_error_objects(document: object, error: tuple[str, str]) -> None:
    assert read_error(document) == error


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"choices": [', b"\xff\xfe\x00", b"[" * 200_000, b"1" * 10_000]
)
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (json's own messages)
        read_json(body)


def body_for(picture: bytes, text: str = "Describe it.") -> dict[str, Any]:
    image = {"type": "image_url", "image_url": {"url": PICTURE + hash_bytes(picture), "detail": "high"}}
    return {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": [{"type": "text", "text": text}, image]}],
        "temperature": 0.4,
    }


@given(picture=st.binary(max_size=300), text=st.text(max_size=80), media=st.sampled_from(["jpg", "png"]))
def test_the_picture_is_put_in_place_and_nothing_else_is_changed(
    picture: bytes, text: str, media: str
) -> None:
    body = body_for(picture, text)
    sent = json.loads(inline_picture(body, picture, media))
    url = sent["messages"][0]["content"][1]["image_url"].pop("url")
    kind, _, data = url.partition(";base64,")
    assert kind == {"jpg": "data:image/jpeg", "png": "data:image/png"}[media]
    assert base64.b64decode(data, validate=True) == picture
    del body["messages"][0]["content"][1]["image_url"]["url"]
    assert sent == body


def test_a_text_that_looks_like_a_placeholder_stays_a_text() -> None:
    picture = b"\xff\xd8picture"
    trick = f'{PICTURE}{hash_bytes(picture)}","url":"{PICTURE}{hash_bytes(picture)}"'
    sent = json.loads(inline_picture(body_for(picture, trick), picture, "jpg"))
    assert sent["messages"][0]["content"][0]["text"] == trick


def test_another_picture_than_the_one_asked_about_is_refused() -> None:
    with pytest.raises(RecordError) as caught:
        inline_picture(body_for(b"one"), b"another", "jpg")
    assert caught.value.reason is Reason.UNREADABLE


def test_fields_keep_their_order_and_lone_surrogates_can_be_sent() -> None:
    body = {"b": 1, "a": {"d": "é\ud800", "c": 2}}
    assert list(json.loads(dump_body(body))["a"]) == ["d", "c"]
    assert json.loads(dump_body(body)) == body


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1/chat/completions"),
        ("https://x.example/d/gpt?api-version=2024-10-21", "https://x.example/d/gpt/chat/completions?api-version=2024-10-21"),
    ],
)  # fmt: skip
def test_urls(base: str, url: str) -> None:
    assert url_of(base) == url
