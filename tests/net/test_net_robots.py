"""robots.txt and X-Robots-Tag, as RFC 9309 and the search engines describe them."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.robotparser import RobotFileParser

import httpx2
import pytest
from loopback_server import DROP, Answer, Loopback, redirect
from net_clients import quick_client, refusal

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.net.client import Client
from earthloom.net.robots import MAX_ROBOTS_BYTES, check_tags

RULES = b"""
User-agent: *
Disallow: /private/
Allow: /private/open/

User-agent: otherbot
Disallow: /

User-agent: earthloom
User-agent: friend
Disallow: /not-for-us/
Disallow: /*.tif$
"""


def get(client: Client, url: str) -> bytes:
    file = io.BytesIO()
    client.download(url, file)
    return file.getvalue()


def may_fetch(loopback: Loopback, path: str, agent: str | None = None) -> bool:
    url = loopback.put(path, b"x")
    try:
        return get(quick_client(user_agent=agent, tries=1), url) == b"x"
    except RecordError as error:
        assert error.reason is Reason.DISALLOWED
        assert "robots.txt" in error.detail
        return False


@pytest.mark.parametrize("agent", [None, "friend/2 (+https://friend.example)", "stranger/1", "OtherBot/1.0"])
@pytest.mark.parametrize("path", ["/a.jpg", "/private/a.jpg", "/private/open/a.jpg", "/not-for-us/a.jpg"])
def test_rules_are_read_for_our_name(loopback: Loopback, path: str, agent: str | None) -> None:
    loopback.put("/robots.txt", RULES, "text/plain")
    oracle = RobotFileParser()
    oracle.parse(
        RULES.decode()
        .replace("Disallow: /private/\nAllow: /private/open/", "Allow: /private/open/\nDisallow: /private/")
        .splitlines()
    )
    assert may_fetch(loopback, path, agent) == oracle.can_fetch((agent or "earthloom/0").split("/")[0], path)
    assert loopback.count("/robots.txt") == 1


def test_wildcards_are_understood(loopback: Loopback) -> None:
    loopback.put("/robots.txt", RULES, "text/plain")
    assert not may_fetch(loopback, "/deep/a.tif")
    assert may_fetch(loopback, "/deep/a.tif.jpg")
    assert may_fetch(loopback, "/deep/b.tif", "stranger/1")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 451])
def test_no_robots_txt_allows_everything(loopback: Loopback, status: int) -> None:
    loopback.answer("/robots.txt", Answer(status=status))
    assert may_fetch(loopback, "/x")


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(status=503), Answer(status=429), DROP])
def test_while_robots_txt_cannot_be_read_nothing_is_asked_for(loopback: Loopback, answer: Answer) -> None:
    loopback.answer("/robots.txt", answer)
    url = loopback.put("/x", b"x")
    client = quick_client(tries=2)
    for _ in range(2):
        reason, said = refusal(get, client, url)
        assert reason is Reason.UNREACHABLE  # asked for again by a later run, unlike DISALLOWED
        assert "robots.txt could not be read" in said
    assert (loopback.count("/robots.txt"), loopback.count("/x")) == (2, 0)


def test_robots_txt_may_lie_elsewhere(loopback: Loopback) -> None:
    loopback.answer("/robots.txt", redirect("/r1"))
    loopback.answer("/r1", redirect("/r2", 301))
    loopback.put("/r2", b"User-agent: *\nDisallow: /x", "text/plain")
    assert not may_fetch(loopback, "/x")


def test_robots_txt_that_redirects_for_ever_counts_as_none(loopback: Loopback) -> None:
    loopback.answer("/robots.txt", redirect("/robots.txt"))
    assert may_fetch(loopback, "/x")


@pytest.mark.parametrize(
    "text", [b"\xef\xbb\xbfUser-agent: *\nDisallow: /x", b"User-agent: *\r\nDisallow: /x\r\n\xff\xfe"]
)
def test_odd_encodings_are_read(loopback: Loopback, text: bytes) -> None:
    loopback.put("/robots.txt", text, "text/plain")
    assert not may_fetch(loopback, "/x")


def test_of_a_huge_robots_txt_the_beginning_counts(loopback: Loopback) -> None:
    head, padding = b"User-agent: *\nDisallow: /x\n", b"# comment\n" * (MAX_ROBOTS_BYTES // 10)
    loopback.put("/robots.txt", head + padding + b"Disallow: /y\n", "text/plain")
    assert not may_fetch(loopback, "/x")
    assert may_fetch(loopback, "/y")


def test_a_site_that_wants_hours_between_requests_is_left_alone(loopback: Loopback) -> None:
    loopback.put("/robots.txt", b"User-agent: *\nCrawl-delay: 86400", "text/plain")
    assert not may_fetch(loopback, "/x")


def test_redirects_meet_the_rules_of_where_they_lead(loopback: Loopback) -> None:
    loopback.put("/robots.txt", b"User-agent: *\nDisallow: /closed", "text/plain")
    loopback.put("/closed/x", b"x")
    url = loopback.answer("/open/x", redirect("/closed/x"))
    assert refusal(get, quick_client(), url)[0] is Reason.DISALLOWED
    assert loopback.count("/closed/x") == 0


def test_robots_may_be_left_aside(loopback: Loopback) -> None:
    loopback.put("/robots.txt", b"User-agent: *\nDisallow: /", "text/plain")
    url = loopback.put("/x", b"[1]")
    assert get(quick_client(respect_robots=False), url) == b"[1]"
    assert quick_client().get_json(url) == [1]  # an API
    assert loopback.count("/robots.txt") == 0


def test_an_origin_is_asked_once_by_many_threads(loopback: Loopback) -> None:
    loopback.put("/robots.txt", b"", "text/plain", header_delay_s=0.1)
    url = loopback.put("/x", b"x")
    client, gate = quick_client(per_host=8), threading.Barrier(8)

    def ask(_: int) -> bytes:
        gate.wait()
        return get(client, url)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [b"x"] * 8
    assert loopback.count("/robots.txt") == 1


TAGS = {
    "noai": True, "noindex": True, "NoIndex": True, "nofollow, noimageai": True, "none": True, "all": False,
    "nofollow": False, "earthloom: noai": True, "*: noindex": True, "otherbot: noindex": False,
    "otherbot: noindex, noai": False, "otherbot: noindex, earthloom: noai": True,
    "unavailable_after: 25 Jun 2030 15:00:00 PST": False, "max-snippet:-1, noindex": True, "": False,
}  # fmt: skip
"""X-Robots-Tag values to whether they keep us out: forms of Google's description of the header and of DeviantArt's."""


@pytest.mark.parametrize("value", TAGS)
def test_tags_keep_an_image_out(loopback: Loopback, value: str) -> None:
    url = loopback.put("/x", b"x", headers={"X-Robots-Tag": value})
    if not TAGS[value]:
        assert get(quick_client(), url) == b"x"
        return
    reason, said = refusal(get, quick_client(), url)
    assert reason is Reason.DISALLOWED
    assert "X-Robots-Tag" in said


def test_each_of_several_headers_is_read() -> None:
    headers = httpx2.Headers([("X-Robots-Tag", "otherbot: noindex"), ("X-Robots-Tag", "noai")])
    assert refusal(check_tags, headers, "earthloom", ["noai"])[0] is Reason.DISALLOWED
    check_tags(headers, "earthloom", ["noindex"])


def test_tags_to_heed_are_a_setting(loopback: Loopback) -> None:
    url = loopback.put("/x", b"x", headers={"X-Robots-Tag": "noindex"})
    assert get(quick_client(refuse_tags=("noai",)), url) == b"x"
    assert get(quick_client(refuse_tags=()), url) == b"x"
