"""The client against a real server with every fault that a server can have."""

from __future__ import annotations

import gzip
import io
import json
import logging
import socket
import time
from email.utils import formatdate
from typing import Any

import pytest
from loopback_server import CUT, DROP, ERROR, Answer, Loopback, Seen, json_answer, redirect
from net_clients import quick, quick_client, refusal

from earthloom.core.records import Reason
from earthloom.net.client import MAX_REDIRECTS, Ask, Client, Reply, get_client

DATA = bytes(range(256)) * 400


def fetch(client: Client, url: str) -> tuple[bytes, Reply]:
    file = io.BytesIO()
    reply = client.download(url, file)
    return file.getvalue(), reply


def test_a_download_is_what_the_server_has(loopback: Loopback) -> None:
    url = loopback.put("/a b.bin", DATA, "image/png")
    data, reply = fetch(quick_client(respect_robots=False), url)
    assert data == DATA
    assert (reply.status, reply.size, reply.headers["content-type"]) == (200, len(DATA), "image/png")
    (seen,) = loopback.seen
    assert seen.headers["user-agent"].startswith("earthloom/")
    assert seen.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, Reason.MISSING),
        (410, Reason.MISSING),
        (401, Reason.NO_PERMISSION),
        (403, Reason.NO_PERMISSION),
        (451, Reason.NO_PERMISSION),
        (400, Reason.UNREACHABLE),
        (418, Reason.UNREACHABLE),
    ],
)
def test_final_answers_are_not_asked_for_again(loopback: Loopback, status: int, reason: Reason) -> None:
    url = loopback.answer("/x", Answer(status=status, body=b"no"))
    got, said = refusal(quick_client().get_json, url)
    assert got is reason
    assert str(status) in said
    assert loopback.count("/x") == 1


@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=429),
        Answer(status=500),
        Answer(status=502),
        Answer(status=503),
        Answer(status=504),
        DROP,
        Answer(body=DATA, drop_after=1000),
        Answer(body=DATA[:-7], length=len(DATA)),
        Answer(body=DATA, header_delay_s=0.4),
        Answer(body=DATA, drip_s=0.4),
    ],
    ids=lambda fault: str(fault)[7:80],
)
def test_passing_faults_are_tried_again(loopback: Loopback, fault: Answer) -> None:
    url = loopback.put("/x", DATA)
    loopback.script("/x", fault, fault)
    data, _ = fetch(quick_client(respect_robots=False, timeout_s=0.15), url)
    assert data == DATA
    assert loopback.count("/x") == 3


def test_what_goes_on_failing_is_given_up_with_its_last_answer(loopback: Loopback) -> None:
    url = loopback.answer("/x", Answer(status=503))
    loopback.script("/x", Answer(status=500), Answer(status=429))
    reason, said = refusal(quick_client(tries=4).get_json, url + "?token=secret&a=1")
    assert reason is Reason.UNREACHABLE
    assert said == f"{url}?token=***&a=1: the server answered 503 Service Unavailable, after 4 tries"
    assert loopback.count("/x") == 4


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    reason, said = refusal(quick_client(tries=2).get_json, f"http://127.0.0.1:{port}/")
    assert reason is Reason.UNREACHABLE
    assert said.endswith("after 2 tries")


@pytest.mark.parametrize(
    "answer", [Answer(header_drip_s=0.03), Answer(body=DATA, drip_s=0.05)], ids=["header", "body"]
)
def test_a_server_that_drips_meets_the_limit_on_the_whole(loopback: Loopback, answer: Answer) -> None:
    url = loopback.answer("/x", answer)
    began = time.monotonic()
    reason, said = refusal(quick_client(timeout_s=0.2, total_s=0.4).get_json, url)
    assert reason is Reason.UNREACHABLE
    assert "time" in said.lower()
    assert 0.3 < time.monotonic() - began < 0.8


@pytest.mark.parametrize("has_date", [False, True])
def test_retry_after_is_honoured(loopback: Loopback, has_date: bool) -> None:
    now = 1_700_000_000  # a server's clock that is years behind
    headers = {"Retry-After": formatdate(now + 1, usegmt=True)} if has_date else {"Retry-After": "1"}
    url = loopback.route("/x", lambda _: json_answer(1))
    loopback.script(
        "/x",
        Answer(status=429, headers=headers | ({"Date": formatdate(now, usegmt=True)} if has_date else {})),
    )
    assert quick_client().get_json(url) == 1
    first, second = (seen.began for seen in loopback.seen)
    assert 0.95 < second - first < 1.6


def test_retry_after_beyond_the_limit_is_given_up_at_once(loopback: Loopback) -> None:
    url = loopback.answer("/x", Answer(status=503, headers={"Retry-After": "3600"}))
    began = time.monotonic()
    reason, said = refusal(quick_client(total_s=5).get_json, url)
    assert reason is Reason.UNREACHABLE
    assert "come back after 3600 s" in said
    assert time.monotonic() - began < 1


def test_sizes_are_bounded_whatever_is_announced(loopback: Loopback) -> None:
    loopback.answer("/endless", Answer(body=b"x" * 2**16, repeat=10_000, no_length=True))
    loopback.answer("/announced", Answer(body=b"x", length=2**40))
    client = quick_client(max_mb=1, respect_robots=False)
    for path in ("/endless", "/announced"):
        reason, said = refusal(fetch, client, loopback.url + path)
        assert reason is Reason.TOO_LARGE
        assert "at most 1 MiB" in said
        assert loopback.count(path) == 1


def test_a_compressed_bomb_is_bounded(loopback: Loopback) -> None:
    bomb = gzip.compress(bytes(80 * 2**20))
    url = loopback.put("/bomb.json", bomb, headers={"Content-Encoding": "gzip"})
    assert refusal(quick_client().get_json, url)[0] is Reason.TOO_LARGE


def test_json_is_read_by_get_and_post(loopback: Loopback) -> None:
    def search(seen: Seen) -> Answer:
        value = {"method": seen.method, "limit": seen.json()["limit"] if seen.body else None}
        body = gzip.compress(json.dumps(value).encode())
        return Answer(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    url = loopback.route("/search", search)
    client = quick_client()
    assert client.get_json(url, headers={"x-api-key": "k"}) == {"method": "GET", "limit": None}
    assert client.get_json(url, payload={"limit": 5}) == {"method": "POST", "limit": 5}
    assert loopback.seen[0].headers["x-api-key"] == "k"
    assert loopback.count("/robots.txt") == 0


def test_what_is_no_json_is_unreadable(loopback: Loopback) -> None:
    url = loopback.put("/x", b"<html>sorry</html>", "text/html")
    reason, said = refusal(quick_client().get_json, url)
    assert reason is Reason.UNREADABLE
    assert "<html>" in said


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(loopback: Loopback, status: int) -> None:
    loopback.route("/end", lambda seen: json_answer({"method": seen.method, "body": seen.body.decode()}))
    url = loopback.answer("/start", redirect("end?x=1", status))
    assert quick_client().get_json(url) == {"method": "GET", "body": ""}
    posted = quick_client().get_json(url, payload=[1])
    assert posted == ({"method": "POST", "body": "[1]"} if status >= 307 else {"method": "GET", "body": ""})


def test_redirects_are_bounded(loopback: Loopback) -> None:
    url = loopback.answer("/loop", redirect("/loop"))
    reason, said = refusal(quick_client().get_json, url)
    assert reason is Reason.UNREACHABLE
    assert f"more than {MAX_REDIRECTS} redirects" in said
    assert loopback.count("/loop") == MAX_REDIRECTS + 1


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://x"])
def test_redirects_lead_to_no_other_protocol(loopback: Loopback, target: str) -> None:
    url = loopback.answer("/x", redirect(target))
    assert refusal(quick_client().get_json, url)[0] is Reason.MISSING


def test_secrets_stay_with_their_origin(loopback: Loopback) -> None:
    other = loopback.url.replace("127.0.0.1", "localhost")
    loopback.route("/end", lambda seen: json_answer(dict(seen.headers)))
    loopback.answer("/away", redirect(other + "/end"))
    loopback.answer("/here", redirect("/end"))
    client = quick_client()
    keys = {"x-api-key": "k", "accept": "application/json"}
    secret = loopback.url.replace("//", "//me:pass%20word@")
    assert client.get_json(secret + "/end")["authorization"] == "Basic bWU6cGFzcyB3b3Jk"
    here, away = (client.get_json(secret + path, headers=keys) for path in ("/here", "/away"))
    assert here["x-api-key"] == "k"
    assert "x-api-key" not in away
    assert "authorization" not in away
    assert away["accept"] == "application/json"


def test_credentials_are_in_no_message_and_no_log(
    loopback: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = loopback.answer("/x", Answer(status=404)).replace("//", "//me:hunter2@") + "?sig=hunter2&b=1"
    _, said = refusal(quick_client().get_json, url)
    assert "b=1" in said
    assert "hunter2" not in said + caplog.text
    assert "me:" not in said


def test_an_answer_may_be_asked_for_again_for_what_it_says(loopback: Loopback) -> None:
    url = loopback.put("/x", b"good")
    loopback.script("/x", Answer(body=b"bad"))
    ask = Ask(url=url, max_bytes=10, find_fault=lambda reply: None if reply.body == b"good" else "it is bad")
    assert quick_client().send(ask).body == b"good"
    loopback.answer("/bad", Answer(body=b"bad"))
    ask = Ask(url=loopback.url + "/bad", max_bytes=10, find_fault=lambda _: "it is bad")
    assert refusal(quick_client().send, ask) == (Reason.UNREACHABLE, f"{ask.url}: it is bad, after 3 tries")


def test_one_in_five_failing_changes_nothing(loopback: Loopback) -> None:
    url = loopback.put("/x", DATA)
    loopback.fail_every(5, ERROR, CUT, DROP)
    client = quick_client(tries=4, respect_robots=False)
    assert all(fetch(client, url)[0] == DATA for _ in range(20))
    assert len(loopback.seen) == 24  # every fifth of 24 is one of the four that failed


def test_a_process_has_one_client_for_equal_settings() -> None:
    assert get_client(quick()) is get_client(quick())
    assert get_client(quick()) is not get_client(quick(tries=2))


def test_connections_are_used_again(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    url = loopback.put("/x", b"{}")
    loopback.script("/x", Answer(), Answer(status=503, body=b"busy"), Answer(status=404, body=b"gone"))
    client = quick_client()
    made: list[object] = []
    connect = socket.create_connection

    def count(*args: Any, **more: Any) -> socket.socket:
        made.append(args)
        return connect(*args, **more)

    monkeypatch.setattr(socket, "create_connection", count)
    refusal(client.get_json, url)
    refusal(client.get_json, url)
    client.get_json(url)
    assert len(made) == 1
