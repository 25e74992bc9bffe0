"""Only public addresses are connected to, whatever names resolve to and wherever redirects lead."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpcore2
import httpx2
import pytest
from loopback_server import Answer, Loopback, json_answer, redirect
from net_clients import quick, quick_client, refusal

from earthloom.core.records import Reason
from earthloom.net import address
from earthloom.net.address import is_public, keep_deadline, resolve
from earthloom.net.transport import find_proxy

PUBLIC = ["8.8.8.8", "193.0.6.139", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "2001:4860:4860::8888",
          "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]  # fmt: skip
PRIVATE = {
    # IANA IPv4 and IPv6 Special-Purpose Address Registries: not "globally reachable", and multicast
    "0.0.0.0": "this host", "10.1.2.3": "RFC 1918", "172.16.0.1": "RFC 1918", "172.31.255.255": "RFC 1918",
    "192.168.0.1": "RFC 1918", "100.64.0.1": "CGNAT, RFC 6598", "127.0.0.1": "loopback", "127.255.1.1": "loopback",
    "169.254.169.254": "link-local: metadata of clouds", "192.0.2.1": "TEST-NET-1", "198.18.0.1": "benchmarks",
    "224.0.0.1": "multicast", "239.255.255.250": "multicast", "240.0.0.1": "reserved", "255.255.255.255": "broadcast",
    "::": "unspecified", "::1": "loopback", "fe80::1": "link-local", "fe80::1%eth0": "link-local with its zone",
    "fc00::1": "ULA", "fd12:3456::1": "ULA", "fec0::1": "site-local, RFC 3879", "ff02::1": "multicast",
    "2001:db8::1": "documentation", "::ffff:127.0.0.1": "IPv4-mapped", "::ffff:10.0.0.1": "IPv4-mapped",
    "64:ff9b::7f00:1": "NAT64 of 127.0.0.1", "2002:7f00:1::1": "6to4 of 127.0.0.1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe": "Teredo of 127.0.0.1",
}  # fmt: skip


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses(ip: str) -> None:
    assert is_public(ip)


@pytest.mark.parametrize("ip", PRIVATE)
def test_private_addresses(ip: str) -> None:
    assert not is_public(ip), PRIVATE[ip]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::1]"])
def test_spellings_of_this_machine_are_refused(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    real = socket.getaddrinfo
    known = {
        "127.1": "127.0.0.1",
        "2130706433": "127.0.0.1",
        "0x7f.0.0.1": "127.0.0.1",
    }  # as getaddrinfo has it
    monkeypatch.setattr(socket, "getaddrinfo", lambda h, *a, **k: real(known.get(h, h), *a, **k))
    url = f"http://{host}:{loopback.port}/x"
    reason, said = refusal(quick_client(allow_private=False).get_json, url)
    assert reason is Reason.PRIVATE_ADDRESS
    assert "allow_private" in said
    assert loopback.seen == []


def test_the_system_reads_odd_spellings_as_this_machine() -> None:
    """What the test above takes for granted, by the C library's own parser."""
    assert {socket.inet_ntoa(socket.inet_aton(name)) for name in ("127.1", "2130706433", "0x7f.0.0.1")} == {
        "127.0.0.1"
    }


def stand_in(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[tuple[Any, ...]]:
    """Let names resolve to addresses, differently each time; gives the connections that are then made."""
    left, made = list(answers), []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    def connect(where: tuple[str, int], *_: Any, **__: Any) -> Any:
        made.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", connect)
    return made


def test_the_judged_address_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stand_in(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])  # the second answer is for whoever asks again
    reason, _ = refusal(quick_client(allow_private=False, tries=1).get_json, "http://rebind.example/x")
    assert reason is Reason.UNREACHABLE
    assert made == [("8.8.8.8", 80)]


def test_a_name_that_turns_private_is_refused_at_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stand_in(monkeypatch, ["8.8.8.8"], ["10.0.0.7"])
    reason, said = refusal(quick_client(allow_private=False).get_json, "http://rebind.example/x")
    assert (reason, "10.0.0.7" in said) == (Reason.PRIVATE_ADDRESS, True)
    assert made == [("8.8.8.8", 80)]


def test_private_addresses_among_public_ones_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stand_in(monkeypatch, ["10.0.0.7", "8.8.8.8", "::1", "9.9.9.9"])
    refusal(quick_client(allow_private=False, tries=1).get_json, "http://mixed.example/x")
    assert made == [("8.8.8.8", 80), ("9.9.9.9", 80)]


def test_a_redirect_into_a_private_network_is_refused(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        address, "is_public", lambda ip: ip == "127.0.0.1"
    )  # this server plays the public one
    url = loopback.answer("/x", redirect(f"http://[::1]:{loopback.port}/secret"))
    loopback.answer("/meta", redirect("http://169.254.169.254/latest/meta-data"))
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, *args, **more: (
            [(2, 1, 6, "", (host, port))] if host == "169.254.169.254" else real(host, port, *args, **more)
        ),
    )
    client = quick_client(allow_private=False)
    assert refusal(client.get_json, url)[0] is Reason.PRIVATE_ADDRESS
    assert refusal(client.get_json, loopback.url + "/meta")[0] is Reason.PRIVATE_ADDRESS
    assert loopback.count("/secret") == 0


@pytest.mark.parametrize(("code", "n_asked"), [(socket.EAI_NONAME, 1), (socket.EAI_AGAIN, 3)])
def test_a_name_that_is_not_known_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, code: int, n_asked: int
) -> None:
    asked = []

    def getaddrinfo(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(code, "no")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    reason, said = refusal(quick_client(allow_private=False).get_json, "http://nobody.example/x")
    assert reason is Reason.UNREACHABLE
    assert "nobody.example" in said
    assert len(asked) == n_asked


def test_a_name_that_no_host_can_have_is_unreachable() -> None:
    assert refusal(resolve, "a" * 64 + ".example", 80, allow_private=True)[0] is Reason.UNREACHABLE


def test_the_deadline_ends_a_silent_wait(loopback: Loopback) -> None:
    backend = address.GuardedBackend(allow_private=True)
    stream = backend.connect_tcp("127.0.0.1", loopback.port)
    began = time.monotonic()
    with keep_deadline(began + 0.1), pytest.raises(httpcore2.ReadTimeout):
        stream.read(1, timeout=60)
    assert time.monotonic() - began < 1
    with keep_deadline(began), pytest.raises(httpcore2.WriteTimeout, match="time limit"):
        stream.write(b"x", timeout=60)
    stream.close()


def test_a_proxy_of_the_environment_is_asked_for_public_hosts_only(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", loopback.url.replace("//", "//me:pw@"))
    monkeypatch.setenv("NO_PROXY", "direct.example")
    loopback.route("/x", lambda seen: json_answer(seen.headers["host"]))
    stand_in_only = {"far.example": "8.8.8.8", "near.example": "10.0.0.1"}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: Any, **more: Any) -> Any:
        if host in stand_in_only:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (stand_in_only[host], port))]
        if host.endswith(".example"):
            raise socket.gaierror(socket.EAI_NONAME, "unknown here")
        return real(host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    client = quick_client(allow_private=False, use_proxy=True)
    assert client.get_json("http://far.example/x") == "far.example"
    assert client.get_json("http://hidden.example/x") == "hidden.example"  # the proxy may know it
    assert loopback.seen[0].headers["proxy-authorization"] == "Basic bWU6cHc="
    assert refusal(client.get_json, "http://near.example/x")[0] is Reason.PRIVATE_ADDRESS
    assert refusal(client.get_json, loopback.url + "/x")[0] is Reason.PRIVATE_ADDRESS
    assert len(loopback.seen) == 2
    assert find_proxy(httpx2.URL("http://direct.example/")) is None
    assert (
        refusal(quick_client(allow_private=False).get_json, "http://hidden.example/x")[0]
        is Reason.UNREACHABLE
    )


def test_this_machine_is_asked_without_the_proxy(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    url = loopback.answer("/x", Answer(body=b"1"))
    assert quick_client(use_proxy=True).get_json(url) == 1
    assert quick().use_proxy is False
