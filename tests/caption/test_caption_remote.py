"""Asking an endpoint, against a real server on loopback with every fault that such servers have."""

from __future__ import annotations

import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from asking_talks import Board, find_answered, make_settings, make_talks
from fakes.chat_server import (
    CONTENT_FAULTS,
    FAULTS,
    TRANSPORT_FAULTS,
    Behaviour,
    read_log,
    run_chat,
    serve_chat,
    spread_rates,
)

from earthloom.caption.asking import Asked, Conversation, Talk
from earthloom.caption.config import ChatSettings
from earthloom.caption.endpoint.batch import write_batch
from earthloom.caption.endpoint.posting import Poster
from earthloom.caption.endpoint.remote import ask_remote
from earthloom.caption.ledger import Ledger
from earthloom.core.errors import RunError, WriteError

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
    with serve_chat(Behaviour(rates={fault: 0.4}, seed=3, key=KEY, retry_after="0.02")) as chat:
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


def test_all_faults_at_once(tmp_path: Path) -> None:
    board, n = Board(), 300
    rates = spread_rates(0.4, *FAULTS)
    with serve_chat(Behaviour(rates=rates, seed=5, key=KEY, retry_after="0.02", latency_s=0.01)) as chat:
        settings = make_settings(chat.url, timeout_s=0.3)
        began = time.monotonic()
        asked, n_ended = ask(tmp_path / "l", n, settings, board)
        assert time.monotonic() - began < 15
        assert n_ended == n == len(board.ends)
        assert set(board.ends.values()) <= {"written", "given up", "bad_answer", "unreachable"}
        assert asked.stopped is None
        assert asked.n_sent == asked.n_answered + asked.n_failed == len(chat.received)
        settled, before = find_answered(tmp_path / "l", n), chat.received.copy()
        assert len(settled) >= asked.n_answered
        ask(tmp_path / "l", n, settings, Board())
        assert settled.isdisjoint(chat.received - before)
    with Ledger(tmp_path / "l", read_only=True) as ledger:
        totals = ledger.totals().all
    assert totals.n_requests == totals.n_answered + totals.n_failed + totals.n_open
    assert totals.maybe == 0  # nothing is left under way


@pytest.mark.parametrize("at_once", [1, 7, 64])
@pytest.mark.parametrize("tokens_out", [250, 40])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_budget_is_exact_to_one_request(tmp_path: Path, at_once: int, tokens_out: int, seed: int) -> None:
    # A request may cost 1000 + 250 millionths and costs 1000 + tokens_out.
    budget, most, real = 0.1 + seed / 1000, 0.00125, (1000 + tokens_out) / 1e6
    behaviour = Behaviour(latency_s=0.005, spread=1.0, seed=seed, tokens_out=tokens_out)
    with serve_chat(behaviour) as chat:
        settings = make_settings(chat.url, priced=True, budget=budget, in_flight=at_once)
        asked, n_ended = ask(tmp_path / "l", 400, settings, Board())
        n_sent = chat.received.total()
    assert asked.stopped == "budget"
    assert n_sent == asked.n_sent == asked.n_answered == n_ended
    assert n_sent == math.floor((budget - most) / real + 1e-9) + 1
    with Ledger(tmp_path / "l", read_only=True) as ledger:
        totals = ledger.totals()
    assert totals.spent == pytest.approx(n_sent * real)
    assert totals.spent <= budget < totals.spent + most
    assert totals.maybe == 0


def test_a_budget_holds_though_tries_are_lost(tmp_path: Path) -> None:
    rates = {"reset_after": 0.2, "half_json": 0.2, "error_500": 0.1, "busy": 0.1}
    with serve_chat(Behaviour(rates=rates)) as chat:
        settings = make_settings(chat.url, priced=True, budget=0.05)
        asked, _ = ask(tmp_path / "l", 400, settings, Board())
        n_whole = chat.received.total() - sum(chat.faults[fault] for fault in ("error_500", "busy"))
    assert asked.stopped == "budget"
    with Ledger(tmp_path / "l", read_only=True) as ledger:
        totals = ledger.totals()
    # Whatever may be charged for, answers that were lost among it, is within the budget.
    assert n_whole * 0.00125 == pytest.approx(totals.spent)
    assert totals.spent <= 0.05 < totals.spent + 0.00125


@pytest.mark.parametrize("at_once", [1, 7, 64])
def test_the_number_of_requests_is_exact_over_runs(tmp_path: Path, at_once: int) -> None:
    with serve_chat(Behaviour(latency_s=0.002)) as chat:
        asked, n_ended = ask(
            tmp_path / "l", 300, make_settings(chat.url, requests=90, in_flight=at_once), Board()
        )
        assert (asked.stopped, asked.n_sent, n_ended, chat.received.total()) == ("requests", 90, 90, 90)
        asked, n_ended = ask(
            tmp_path / "l", 300, make_settings(chat.url, requests=120, in_flight=at_once), Board()
        )
        assert (asked.stopped, asked.n_sent, n_ended, chat.received.total()) == ("requests", 30, 120, 120)
        assert set(chat.received.values()) == {1}


def test_it_adapts_to_what_a_server_takes(tmp_path: Path) -> None:
    with serve_chat(Behaviour(at_once=10, latency_s=0.15)) as chat:
        settings = make_settings(chat.url, backoff_s=0.1, timeout_s=5)
        began = time.monotonic()
        asked, _ = ask(tmp_path / "l", 400, settings, Board())
        took = time.monotonic() - began
        assert asked.n_answered == 400
        # 0.8 of the capacity by the simulation of test_caption_pacing; here other tests run beside it.
        assert took <= 400 / 10 * 0.15 / 0.75
        assert chat.statuses[429] <= 50
        assert chat.busiest <= 20  # it doubles once over what is taken


def test_a_refused_key_ends_the_run_at_once(tmp_path: Path) -> None:
    board = Board()
    with serve_chat(Behaviour(key="another", latency_s=0.05)) as chat:
        with pytest.raises(RunError, match="environment variable TEST_KEY is not accepted") as caught:
            ask(tmp_path / "l", 500, make_settings(chat.url), board)
        assert chat.received.total() <= 4
        assert KEY not in str(caught.value)
    with serve_chat(Behaviour(key=KEY)) as chat:  # nothing of that is held against the requests
        asked, _ = ask(tmp_path / "l", 20, make_settings(chat.url), Board())
        assert asked.n_answered == 20


def test_what_is_under_way_when_the_run_fails_is_kept(tmp_path: Path) -> None:
    def talks() -> Iterator[Talk]:
        yield from make_talks(3, Board())
        time.sleep(1.0)  # long enough for all three to be sent, on a busy machine too
        raise OSError("the work folder is gone")

    with serve_chat(Behaviour(latency_s=2.0)) as chat:
        with Ledger(tmp_path / "l") as ledger, pytest.raises(OSError, match="work folder"):
            ask_remote(talks(), ledger, make_settings(chat.url, timeout_s=5), key=KEY, advance=lambda _: None)
        assert chat.answered.total() == 3
    assert len(find_answered(tmp_path / "l", 3)) == 3


def test_a_dead_server_is_given_up(tmp_path: Path) -> None:
    with serve_chat() as chat:
        url = chat.url
    settings = make_settings(url, tries=2, give_up_after=5)
    with pytest.raises(
        RunError, match=r"5 requests in a row failed.*Connection refused.*See that the server"
    ):
        ask(tmp_path / "l", 100, settings, Board())


def test_a_server_that_takes_no_such_requests_is_given_up(tmp_path: Path) -> None:
    with serve_chat(Behaviour(status=400, error={"message": "no pictures, please"})) as chat:
        with pytest.raises(RunError, match=r"50 requests in a row.*400 \(no pictures, please\)"):
            ask(tmp_path / "l", 500, make_settings(chat.url), Board())
        assert chat.received.total() < 50 + 64
    with serve_chat() as chat:  # the server was mended: nothing of that is held against the requests
        asked, _ = ask(tmp_path / "l", 120, make_settings(chat.url), Board())
        assert asked.n_answered == 120


def test_a_bug_about_one_picture_costs_no_other(tmp_path: Path) -> None:
    board = Board()

    def break_down(talk: Talk) -> Conversation:
        yield from talk.start()
        raise ZeroDivisionError

    def talks() -> Iterator[Talk]:
        for number, talk in enumerate(make_talks(20, board)):
            yield replace(talk, start=partial(break_down, talk)) if number == 7 else talk

    told: list[int] = []
    with serve_chat() as chat, Ledger(tmp_path / "l") as ledger:
        asked = ask_remote(talks(), ledger, make_settings(chat.url), key=KEY, advance=told.append)
    assert (asked.n_answered, sum(told)) == (20, 20)


def test_a_picture_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    def refuse() -> tuple[bytes, str]:
        raise OSError("no such file")

    def talks() -> Iterator[Talk]:
        for number, talk in enumerate(make_talks(20, Board())):
            yield replace(talk, read_picture=refuse) if number == 7 else talk

    with serve_chat() as chat, Ledger(tmp_path / "l") as ledger:
        asked = ask_remote(talks(), ledger, make_settings(chat.url), key=KEY, advance=lambda _: None)
    assert asked.n_answered == 19


def test_what_waits_in_a_batch_file_is_not_paid_for_twice(tmp_path: Path) -> None:
    with serve_chat() as chat, Ledger(tmp_path / "l") as ledger:
        settings = make_settings(chat.url)
        write_batch(make_talks(3, Board()), ledger, settings, tmp_path / "batches")
        with pytest.raises(RunError, match=r"wait in batch files.*--lost"):
            ask_remote(make_talks(3, Board()), ledger, settings, key=KEY, advance=lambda _: None)
        assert chat.received.total() == 0
        ledger.release_batches()
        asked = ask_remote(make_talks(3, Board()), ledger, settings, key=KEY, advance=lambda _: None)
        assert asked.n_answered == 3


def test_equal_questions_are_asked_once(tmp_path: Path) -> None:
    board = Board()
    with serve_chat(Behaviour(latency_s=0.02)) as chat:
        asked, n_ended = ask(tmp_path / "l", 200, make_settings(chat.url), board, n_pictures=10)
        assert (asked.n_sent, n_ended, chat.received.total()) == (10, 200, 10)
    assert set(board.ends.values()) == {"written"}
    assert len(board.ends) == 200


def test_equal_questions_share_a_failure(tmp_path: Path) -> None:
    board = Board()
    with serve_chat(Behaviour(status=500)) as chat:
        settings = make_settings(chat.url, tries=2, in_flight=64)
        ask(tmp_path / "l", 4, settings, board, n_pictures=1)
        assert chat.received.total() < 8
    assert set(board.ends.values()) == {"unreachable"}


def test_a_picture_that_was_changed_harms_no_other(tmp_path: Path) -> None:
    board = Board()

    def talks() -> Iterator[Talk]:
        for number, talk in enumerate(make_talks(20, board)):
            yield replace(talk, read_picture=lambda: (b"other", "jpg")) if number == 7 else talk

    with serve_chat() as chat, Ledger(tmp_path / "l") as ledger:
        asked = ask_remote(talks(), ledger, make_settings(chat.url), key=KEY, advance=lambda _: None)
    assert asked.n_answered == 19
    assert Counter(board.ends.values()) == {"written": 19, "unreadable": 1}


def test_a_full_disk_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def finish(*_: Any, **__: Any) -> None:
        raise WriteError("Could not write the ledger: no space left on device.")

    monkeypatch.setattr(Ledger, "finish", finish)
    with serve_chat() as chat, pytest.raises(WriteError, match="no space left"):
        ask(tmp_path / "l", 500, make_settings(chat.url), Board())
    with Ledger(tmp_path / "l", read_only=True) as ledger:
        assert ledger.totals().all.n_open > 0


def interrupt_after(seconds: float) -> threading.Timer:
    """Press Ctrl-C."""
    timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_ctrl_c_waits_for_what_is_under_way(tmp_path: Path) -> None:
    with serve_chat(Behaviour(latency_s=0.2)) as chat:
        timer = interrupt_after(0.5)
        with pytest.raises(KeyboardInterrupt):
            ask(tmp_path / "l", 500, make_settings(chat.url, timeout_s=5), Board())
        timer.join()
        assert 0 < chat.answered.total() == chat.received.total() < 500
        assert len(find_answered(tmp_path / "l", 500)) == chat.answered.total()


def test_ctrl_c_breaks_off_what_stays_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("earthloom.caption.endpoint.remote.GRACE_S", 0.2)
    with serve_chat(Behaviour(rates={"silence": 1.0})) as chat:
        timer = interrupt_after(0.3)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            ask(tmp_path / "l", 500, make_settings(chat.url, timeout_s=60), Board())
        timer.join()
        assert time.monotonic() - began < 3
        assert chat.received.total() == 4
    with Ledger(tmp_path / "l", read_only=True) as ledger:
        assert ledger.totals().all.n_open == 4


def test_ctrl_c_ends_a_long_pause(tmp_path: Path) -> None:
    with serve_chat(Behaviour(rates={"busy_retry_after": 1.0}, retry_after="3600")) as chat:
        timer = interrupt_after(0.3)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            ask(tmp_path / "l", 500, make_settings(chat.url, priced=True, budget=1.0), Board())
        timer.join()
        assert time.monotonic() - began < 3
        assert chat.received.total() <= 4
    with Ledger(tmp_path / "l", read_only=True) as ledger:
        assert (ledger.totals().spent, ledger.totals().maybe) == (0, 0)


def test_an_error_of_the_caller_leaves_no_thread(tmp_path: Path) -> None:
    def advance(_: int) -> None:
        raise ZeroDivisionError

    with serve_chat() as chat, Ledger(tmp_path / "l") as ledger, pytest.raises(ZeroDivisionError):
        ask_remote(make_talks(500, Board()), ledger, make_settings(chat.url), key=KEY, advance=advance)


def test_nothing_to_ask(tmp_path: Path) -> None:
    assert ask(tmp_path / "l", 0, make_settings("http://127.0.0.1:9/v1"), Board()) == (Asked(), 0)


def test_rates_are_kept(tmp_path: Path) -> None:
    with serve_chat() as chat:
        settings = make_settings(chat.url, requests_per_minute=1200)
        began = time.monotonic()
        ask(tmp_path / "l", 20, settings, Board())
        assert 0.95 <= time.monotonic() - began < 2  # 19 distances of 1/20 s


def test_the_key_is_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    board = Board()
    rates = spread_rates(0.5, *FAULTS)
    echo = {"status": 401, "error": {"message": f"Not this one: {KEY}"}}
    behaviours = (
        Behaviour(rates=rates, key=KEY, retry_after="0.02"),
        Behaviour(key="another"),
        Behaviour(**echo),
        Behaviour(**echo | {"status": 500}),
        Behaviour(**echo | {"status": 400}),
        Behaviour(**echo | {"status": 302, "location": "http://127.0.0.1:9/"}),
    )
    for number, behaviour in enumerate(behaviours):
        with serve_chat(behaviour, log=tmp_path / "log") as chat:
            settings = make_settings(chat.url, timeout_s=0.2, tries=2, give_up_after=20)
            try:
                said.append(repr(ask(tmp_path / f"l{number}", 60, settings, board)))
            except RunError as error:
                said.append("".join(traceback.format_exception(error)))
            assert any(headers.get("authorization") == f"Bearer {KEY}" for headers in chat.headers)
    with Ledger(tmp_path / "l0") as ledger:
        said += [repr(ledger), repr(ledger.totals())]
    said += [repr(settings), repr(board), caplog.text, repr(Poster(settings, KEY))]
    assert all(KEY not in text for text in said)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > len(behaviours)
    assert all(KEY.encode() not in path.read_bytes() for path in files)


def test_a_killed_run_asks_for_nothing_again_that_is_in_the_ledger(tmp_path: Path) -> None:
    n, path, log = 200, tmp_path / "l", tmp_path / "log"
    rates = spread_rates(0.3, *(fault for fault in FAULTS if fault not in {"silence", "drip", "flood"}))
    behaviour = Behaviour(rates=rates, latency_s=0.05, spread=0.5, retry_after="0.02")
    script = Path(__file__).with_name("asking_talks.py")
    with run_chat(behaviour, log=log) as chat:
        for run in range(3):
            settled, before = find_answered(path, n), read_log(log).received if log.exists() else Counter()
            with subprocess.Popen([sys.executable, script, chat.url, path, str(n)]) as process:
                while (read_log(log).received - before).total() < 30 + 20 * run:
                    assert process.poll() is None
                    time.sleep(0.01)
                process.kill()
            assert settled.isdisjoint(read_log(log).received - before)
            assert len(find_answered(path, n)) > len(settled)
        settled, before = find_answered(path, n), read_log(log).received
        board = Board()
        asked, n_ended = ask(path, n, make_settings(chat.url), board)
        assert n_ended == n == len(board.ends)
        assert asked.n_sent == asked.n_answered + asked.n_failed
        assert settled.isdisjoint(read_log(log).received - before)
