"""Pauses, Retry-After, URLs and settings: the parts that need no server."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from net_clients import quick, refusal
from pydantic import ValidationError

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.net.config import NetSettings
from earthloom.net.retry import LONGEST_PAUSE_S, Budget, TryAgain, find_pause, read_retry_after
from earthloom.net.urls import is_remote, name_of, origin_of, parse_url, show_url

SECRET = "s3cr3t"


@given(st.text(max_size=40), st.integers(1, 30), st.floats(0, 60))
def test_pauses_double_and_are_spread_and_bounded(url: str, n: int, backoff_s: float) -> None:
    pause = find_pause(url, n, backoff_s)
    assert pause == find_pause(url, n, backoff_s)
    plain = backoff_s * 2 ** (n - 1)
    assert min(plain / 2, LONGEST_PAUSE_S) <= pause <= min(plain * 1.5, LONGEST_PAUSE_S)


def test_pauses_of_many_urls_do_not_coincide() -> None:
    pauses = sorted(find_pause(f"https://a.example/{i}", 1, 1.0) for i in range(1000))
    assert max(b - a for a, b in pairwise(pauses)) < 0.02
    assert sum(pauses) / 1000 == pytest.approx(1.0, abs=0.03)


def test_tries_and_time_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    budget = Budget(quick(tries=20, backoff_s=1.0, total_s=30.0), "https://a.example/x")
    for _ in range(4):
        budget.pause(TryAgain("no"))
    budget.spend(10.0)
    reason, said = refusal(budget.pause, TryAgain("no"))
    assert reason is Reason.UNREACHABLE
    assert said.startswith("https://a.example/x: no, after 5 tries")
    assert "30 s" in said
    assert sum(slept) < 25
    assert budget.left_s == pytest.approx(20.0 - sum(slept))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("Fri, 31 Dec", None),
    ],
)
def test_retry_after_in_seconds(text: str, seconds: float | None) -> None:
    assert read_retry_after(httpx2.Headers({"Retry-After": text})) == seconds


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), st.integers(-1000, 100_000))
def test_retry_after_as_a_date_is_held_against_the_servers_clock(now: datetime, later: int) -> None:
    now = now.replace(tzinfo=UTC, microsecond=0)
    headers = httpx2.Headers(
        {
            "Date": format_datetime(now, usegmt=True),
            "Retry-After": format_datetime(now + timedelta(seconds=later), usegmt=True),
        }
    )
    assert read_retry_after(headers) == max(0, later)


def test_without_the_servers_clock_ours_is_taken() -> None:
    at = datetime.now(UTC) + timedelta(seconds=100)
    got = read_retry_after(httpx2.Headers({"Retry-After": format_datetime(at, usegmt=True)}))
    assert got is not None
    assert 97 < got <= 100


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://me:{SECRET}@a.example:8/b/c.tif#d", "https://a.example:8/b/c.tif"),
        (f"https://a.example/b?sv=2021&sig={SECRET}&se=1", "https://a.example/b?sv=2021&sig=***&se=1"),
        (f"https://a.example/b?X-Amz-Signature={SECRET}", "https://a.example/b?X-Amz-Signature=***"),
        (f"https://a.example/b?access_token={SECRET}&x=1", "https://a.example/b?access_token=***&x=1"),
        (f"https://a.example/b?apikey={SECRET}&subscription-key={SECRET}", "https://a.example/b?apikey=***&subscription-key=***"),
        (f"https://a.example/b?AWSAccessKeyId={SECRET}", "https://a.example/b?AWSAccessKeyId=***"),
        ("https://a.example/b?layers=roads&monkey=1", "https://a.example/b?layers=roads&monkey=1"),
        ("https://a.example/b?", "https://a.example/b"),
        ("https://a.example/p@q", "https://a.example/p@q"),
    ],
)  # fmt: skip
def test_urls_are_shown_without_secrets(url: str, shown: str) -> None:
    assert show_url(url) == shown


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_url_makes_showing_or_parsing_fail_otherwise(host: str, rest: str) -> None:
    url = f"https://me:{SECRET}@{host}/{rest}"
    if not set("/?#@") & set(host):
        assert SECRET not in show_url(url)
    try:
        parsed = parse_url(url)
    except RecordError as error:
        assert error.reason is Reason.MISSING
        assert len(str(error)) < 300
    else:
        assert parsed.scheme == "https"
        assert origin_of(parsed).startswith("https://")


@pytest.mark.parametrize(
    "url", ["", "a.tif", "/data/a.tif", "ftp://a.example/x", "https://", "http://a:99999/", "file:///x"]
)
def test_what_is_no_url_is_missing(url: str) -> None:
    assert refusal(parse_url, url)[0] is Reason.MISSING


def test_urls_and_paths_are_told_apart() -> None:
    assert is_remote("https://a.example/x.tif")
    assert is_remote("HTTP://a.example/x.tif")
    assert not is_remote("/data/https/x.tif")
    assert not is_remote("s3://bucket/x.tif")
    assert name_of(f"https://a.example/b/c.tif?sig={SECRET}") == "c.tif"
    assert name_of("/data/b/c.tif") == "c.tif"
    assert name_of("https://a.example/") == "a.example"


def test_origins_hold_scheme_host_and_port() -> None:
    origins = {
        "https://A.example/x": "https://a.example:443",
        "http://a.example:80/y": "http://a.example:80",
        "https://a.example:8443": "https://a.example:8443",
        "http://[::1]:9/": "http://[::1]:9",
    }
    assert {url: origin_of(parse_url(url)) for url in origins} == origins


@pytest.mark.parametrize(
    "fault",
    [
        {"per_host": 0}, {"tries": 0}, {"timeout_s": 0}, {"interval_s": -1}, {"max_mb": 0}, {"user_agent": "0/1"},
        {"user_agent": "näme/1"}, {"user_agent": "two words/1"}, {"refuse_tags": ("nofun",)}, {"per_hosts": 1},
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NetSettings(**fault)  # type: ignore[arg-type]


def test_we_say_who_we_are() -> None:
    assert NetSettings().agent.startswith("earthloom/")
    assert NetSettings().product == "earthloom"
    mine = NetSettings(user_agent="MyBot/2 (+https://me.example)")
    assert (mine.agent, mine.product) == ("MyBot/2 (+https://me.example)", "mybot")
