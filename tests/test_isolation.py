"""The tests themselves: what they start cannot reach the network."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

OUTSIDE = ("192.0.2.1", 80)  # TEST-NET-1 of RFC 5737: belongs to nobody


def test_a_test_cannot_reach_the_network() -> None:
    with socket.socket() as wire, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        wire.connect(OUTSIDE)
    with pytest.raises(RuntimeError, match=r"example\.org"):
        socket.getaddrinfo("example.org", 80)


def test_a_child_process_cannot_reach_the_network() -> None:
    code = f"import socket; socket.create_connection({OUTSIDE!r}, timeout=1)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 1
    assert "tests do not use the network" in child.stderr


def test_a_test_can_reach_this_machine() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5) as wire,
    ):
        assert wire.getpeername()[0] == "127.0.0.1"
