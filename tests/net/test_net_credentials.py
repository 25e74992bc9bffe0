"""Secrets from the environment: to their host, in no message."""

from __future__ import annotations

import httpx2
import pytest
from loopback_server import Answer, Loopback, redirect

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.net.client import Client
from earthloom.net.config import Credential, NetSettings
from earthloom.net.credentials import add_credentials


def make_client(host: str = "127.0.0.1") -> Client:
    credential = Credential(host=host, env="SOME_SECRET")
    return Client(
        NetSettings(allow_private=True, interval_s=0, backoff_s=0, tries=1, credentials=(credential,))
    )


def test_a_query_signs_urls(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "?st=1&word=hidden")
    loopback.put("/a.json", b"{}")
    client = make_client()
    client.get_json(f"{loopback.url}/a.json?x=1")
    assert dict(loopback.seen[0].query) == {"x": ["1"], "st": ["1"], "word": ["hidden"]}
    loopback.answer("/b.json", Answer(status=404))
    with pytest.raises(RecordError) as caught:
        client.get_json(f"{loopback.url}/b.json")
    assert "hidden" not in str(caught.value)


def test_another_host_does_not_get_to_see_it(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "X-Key: hidden")
    loopback.answer("/a.json", redirect(f"http://localhost:{loopback.port}/b.json"))
    loopback.put("/b.json", b"{}")
    make_client().get_json(f"{loopback.url}/a.json")
    assert [seen.headers.get("x-key") for seen in loopback.seen] == ["hidden", None]


@pytest.mark.parametrize("value", [None, "", "no equals sign", "Naïve: x", "a b=c"])
def test_a_variable_that_holds_nothing_usable_is_named(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_SECRET", raising=False)
    if value is not None:
        monkeypatch.setenv("SOME_SECRET", value)
    credential = Credential(host="X.example", env="SOME_SECRET")
    with pytest.raises(RecordError, match="SOME_SECRET") as caught:
        add_credentials([credential], httpx2.URL("https://x.example/a"))
    assert caught.value.reason is Reason.NO_PERMISSION
