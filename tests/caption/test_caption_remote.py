"""Asking an endpoint, against a real server on loopback with every fault that such servers have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking_talks import Board, find_answered, make_settings, make_talks
from fakes.chat_server import CONTENT_FAULTS, FAULTS, TRANSPORT_FAULTS, Behaviour, serve_chat

from earthloom.caption.asking import Asked
from earthloom.caption.config import ChatSettings
from earthloom.caption.ledger import Ledger
from earthloom.caption.remote import ask_remote

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def _leave_no_thread() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []


def ask(
    path: Path, n: int, settings: ChatSettings, board: Board, *, n_pictures: int | None = None
) -> tuple[Asked, int]:
    """Lead n conversations; gives what came of it and how many ended."""
    ended: list[int] = []
    with Ledger(path) as ledger:
        asked = ask_remote(
            make_talks(n, board, n_pictures=n_pictures), ledger, settings, key=KEY, advance=ended.append
        )
    return asked, sum(ended)


def test_a_sound_server_is_asked_once_for_each(tmp_path: Path) -> None:
    board = Board()
    with serve_chat(Behaviour(key=KEY, latency_s=0.01)) as chat:
        settings = make_settings(chat.url)
        asked, n_ended = ask(tmp_path / "l", 100, settings, board)
        assert (asked, n_ended) == (Asked(n_sent=100, n_answered=100), 100)
        assert set(board.ends.values()) == {"written"}
        assert set(chat.received.values()) == {1}
        again, n_ended = ask(tmp_path / "l", 100, settings, Board())
        assert (again, n_ended) == (Asked(), 100)
        assert chat.received.total() == 100


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone(tmp_path: Path, fault: str) -> None:
    board, n = Board(), 60
    with serve_chat(Behaviour(rates={fault: 0.4}, seed=3, key=KEY)) as chat:
        settings = make_settings(chat.url, timeout_s=0.25)
        asked, n_ended = ask(tmp_path / "l", n, settings, board)
        assert chat.faults[fault] > n / 10
        assert n_ended == n == len(board.ends)
        assert asked.n_sent == asked.n_answered + asked.n_failed == len(chat.received)
        settled = find_answered(tmp_path / "l", n)
        before = chat.received.copy()
        ask(tmp_path / "l", n, settings, Board())
        assert settled.isdisjoint(chat.received - before)
    if fault in TRANSPORT_FAULTS:
        assert asked.n_failed <= 2  # 0.4 ** 8 of the requests fail eight times
    if fault in CONTENT_FAULTS:
        assert asked.n_failed == 0
        assert max(before.values()) == 1
