"""One try of one request: what each answer of a server means."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from asking_talks import make_settings
from hypothesis import given
from hypothesis import strategies as st
from loopback_server import Answer, Loopback, json_answer, serve

from earthloom.caption.endpoint.posting import MAX_ANSWER_BYTES, NoAnswerError, Poster, find_wait
from earthloom.core.errors import RunError, UsageError

KEY = "sk-test-0123456789abcdef"
PATH = "/v1/chat/completions"
COMPLETION = {"model": "m", "choices": [{"message": {"content": "A port."}, "finish_reason": "stop"}]}


@pytest.fixture
def web() -> Iterator[Loopback]:
    with serve() as server:
        yield server


def post(web: Loopback, *, key: str | None = KEY, **limits: Any) -> Any:
    """What comes of one request: an answer or the error that it raised."""
    poster = Poster(make_settings(f"{web.url}/v1", **limits), key)
    try:
        return poster.post(b'{"model":"m"}')
    except (NoAnswerError, RunError) as error:
        return error
    finally:
        poster.close()


def test_a_request_goes_out_as_the_protocol_has_it(web: Loopback) -> None:
    web.answer(PATH, json_answer(COMPLETION))
    assert post(web).text == "A port."
    (seen,) = web.seen
    assert (seen.method, seen.body) == ("POST", b'{"model":"m"}')
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["user-agent"].startswith("earthloom/")
    post(web, key=None)
    assert "authorization" not in web.seen[-1].headers


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(web: Loopback, status: int) -> None:
    web.answer(PATH, json_answer({"error": {"message": "later"}}, status))
    error = post(web)
    assert isinstance(error, NoAnswerError)
    assert (error.again, error.may_cost, error.wait_s) == (True, False, None)
    assert error.is_pushed_back == (status in {429, 503, 529})
    assert error.said == f"{status} (later)"


@pytest.mark.parametrize("status", [400, 406, 413, 415, 422, 431])
def test_what_is_wrong_with_one_request_is_not(web: Loopback, status: int) -> None:
    web.answer(PATH, Answer(status=status, body=b"<html>no</html>"))
    error = post(web)
    assert isinstance(error, NoAnswerError)
    assert (error.again, error.may_cost) == (False, False)


@pytest.mark.parametrize(
    ("status", "error", "remedy"),
    [
        (401, {"message": f"Incorrect API key provided: {KEY}."}, "environment variable TEST_KEY is not accepted"),
        (403, {"message": "Not for you."}, "may not use the model small"),
        (404, {"message": "The model does not exist."}, "There is no model small"),
        (405, {}, "`base_url` is http://127.0.0.1"),
        (402, {"message": "Insufficient Balance"}, "no credit left"),
        (429, {"message": "You exceeded your quota.", "code": "insufficient_quota"}, "no credit left"),
        (429, {"message": "Quota.", "type": "insufficient_quota", "code": None}, "no credit left"),
        (308, {}, "Redirects are not followed"),
        (302, {}, "Redirects are not followed"),
    ],
)  # fmt: skip
def test_what_no_request_would_survive_ends_the_run(
    web: Loopback, status: int, error: dict[str, Any], remedy: str
) -> None:
    elsewhere = {"Location": f"{web.url}/elsewhere"} if status < 400 else {}
    web.answer(PATH, json_answer({"error": error}, status, **elsewhere))
    raised = post(web)
    assert isinstance(raised, RunError)
    assert remedy in str(raised)
    assert str(status) in str(raised)
    assert KEY not in f"{raised!r} {raised.__cause__!r} {raised.__context__!r}"
    assert len(web.seen) == 1


def test_a_missing_key_is_named(web: Loopback) -> None:
    web.answer(PATH, json_answer({}, 401))
    assert "set the environment variable TEST_KEY to it" in str(post(web, key=None))


@pytest.mark.parametrize("key", ["", "sk test", "sk-\ntest", "sk-é", "sk-\r\nX: 1"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(UsageError, match="TEST_KEY") as caught:
        Poster(make_settings("http://127.0.0.1:9/v1"), key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "may_cost"),
    [
        (Answer(body=b"<html>Log in</html>"), True),
        (Answer(body=b""), True),
        (Answer(body=json.dumps(COMPLETION).encode()[:40]), True),
        (Answer(body=b"[" * 100_000), True),
        (Answer(body=json.dumps(COMPLETION).encode(), drop_after=20), True),
        (Answer(hang_up=True), True),
        (json_answer({"error": {"code": 503, "message": "upstream"}}), False),
    ],
)
def test_answers_that_did_not_come_whole(web: Loopback, answer: Answer, may_cost: bool) -> None:
    web.answer(PATH, answer)
    error = post(web)
    assert isinstance(error, NoAnswerError)
    assert (error.again, error.may_cost) == (True, may_cost)


@pytest.mark.parametrize("slow", [{"header_delay_s": 2.0}, {"header_drip_s": 0.05}, {"drip_s": 0.2}])
def test_silence_and_drips_end_at_the_limit(web: Loopback, slow: dict[str, float]) -> None:
    web.answer(PATH, Answer(body=json.dumps(COMPLETION).encode() + b" " * 40_000, **slow))
    began = time.monotonic()
    error = post(web, timeout_s=0.3)
    assert time.monotonic() - began < 1.0
    assert isinstance(error, NoAnswerError)
    assert (error.said, error.again, error.may_cost) == ("no answer within 0.3 s", True, True)


def test_a_closed_port_costs_nothing_and_may_open() -> None:
    poster = Poster(make_settings("http://127.0.0.1:9/v1"), None)
    with pytest.raises(NoAnswerError, match="refused") as caught:
        poster.post(b"{}")
    assert (caught.value.again, caught.value.may_cost) == (True, False)


@pytest.mark.parametrize("no_length", [False, True])
def test_a_flood_is_not_read(web: Loopback, no_length: bool) -> None:
    web.answer(PATH, Answer(body=b"x" * 65_536, repeat=160, no_length=no_length))
    error = post(web)
    assert isinstance(error, NoAnswerError)
    assert (error.again, error.may_cost) == (False, True)
    assert "more than 1 MiB" in error.said


def test_the_longest_answer_is_read(web: Loopback) -> None:
    body = json.dumps(COMPLETION).encode()
    web.answer(PATH, Answer(body=body + b" " * (MAX_ANSWER_BYTES - len(body))))
    assert post(web).text == "A port."


def test_a_server_that_repeats_the_key_does_not_get_it_written_down(web: Loopback) -> None:
    choices = [{"message": {"content": f"Your key is {KEY}."}, "finish_reason": "stop"}]
    web.answer(PATH, json_answer({"model": f"m {KEY}", "choices": choices}))
    answer = post(web)
    assert (answer.text, answer.served) == ("Your key is ***.", "m ***")
    web.answer(PATH, Answer(status=500, body=json.dumps({"error": {"message": KEY}}).encode()))
    assert post(web).said == "500 (***)"
    web.answer(PATH, Answer(body=KEY.encode()))
    assert KEY not in post(web).said


@pytest.mark.parametrize("status", [200, 500])
def test_no_part_of_the_key_is_left_where_a_text_is_cut(web: Loopback, status: int) -> None:
    web.answer(PATH, Answer(status=status, body=b"x" * 33 + KEY.encode()))
    assert KEY[:5] not in post(web).said
    web.answer(PATH, json_answer({"error": {"message": "x" * 290 + KEY}}, 500))
    assert KEY[:5] not in post(web).said
    web.answer(PATH, json_answer(COMPLETION | {"model": "m" * 190 + KEY}))
    assert KEY[:5] not in post(web).served


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "1e999"}, 600.0),
        ({"Retry-After": "9" * 400}, 600.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After-Ms": "x", "Retry-After": "1"}, 1.0),
        ({"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
        ({"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2099 07:28:30 GMT"}, 600.0),
        ({"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2020 07:28:30 GMT"}, 0.0),
    ],
)
def test_when_a_server_wants_to_be_asked_again(headers: dict[str, str], wait_s: float | None) -> None:
    assert find_wait(httpx2.Headers(headers)) == wait_s


@given(text=st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_no_header_gives_a_wait_out_of_bounds(text: str) -> None:
    wait_s = find_wait(httpx2.Headers({"Retry-After": text, "Retry-After-Ms": text[1:]}))
    assert wait_s is None or 0 <= wait_s <= 600
