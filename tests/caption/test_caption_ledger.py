"""The ledger: nothing that was answered is lost, no budget is exceeded, nothing it meets is silent."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_requests import MODEL, make_answer, make_request, make_talk

from earthloom.caption.asking import Request, Written
from earthloom.caption.config import Limits
from earthloom.caption.ledger import Ledger, find_missing, find_outcome
from earthloom.caption.ledger import file as ledger_file
from earthloom.caption.ledger.committer import Committer
from earthloom.core.errors import RecordError, RunError, UsageError, WriteError
from earthloom.core.records import Reason

NO_LIMITS = Limits()
TESTS = Path(__file__).parent


def run_script(script: str, *values: object) -> subprocess.Popen[str]:
    """Run a script in a process of its own, with the tests' builders at hand."""
    head = f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
    arguments = [sys.executable, "-c", head + script, *map(str, values)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def count_rows(path: Path) -> tuple[int, int, int]:
    """Sums over the rows, beside which the running account must stand: billionths spent and reserved, times sent."""
    with sqlite3.connect(path) as connection:
        (sums,) = connection.execute(
            "SELECT TOTAL(cost_nano), TOTAL(reserved_nano), TOTAL(n_asked * (author = 'chat')) FROM request"
        )
        (account,) = connection.execute("SELECT spent_nano, reserved_nano, n_sent FROM account")
        (integrity,) = connection.execute("PRAGMA integrity_check")
    connection.close()
    assert integrity == ("ok",)
    assert tuple(map(int, sums)) == account
    return account


def test_an_answer_is_found_as_it_was_given_by_whoever_opens_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.sqlite"
    request, answer = make_request(1), make_answer("Zażółć 🛰 \x00 gęślą", finish="length")
    with Ledger(path) as ledger:
        assert ledger.find(request) is None
        assert ledger.reserve(request, 0.25, NO_LIMITS)
        assert ledger.find(request) is None
        ledger.finish(request, answer, cost=0.125, seconds=1.5, tries=2)
        assert ledger.find(request) == answer
    assert [file.name for file in path.parent.iterdir()] == ["ledger.sqlite"]
    with Ledger(path, read_only=True) as ledger:
        assert ledger.find(request) == answer
        assert ledger.why_not(request) is None
        assert ledger.totals().spent == 0.125
        assert ledger.totals().maybe == 0


def test_unknown_stays_unknown(tmp_path: Path) -> None:
    request = make_request(1)
    with Ledger(tmp_path / "l") as ledger:
        ledger.finish(
            request, make_answer(tokens_in=None, tokens_out=10**30, served=""), cost=0, seconds=0, tries=1
        )
        found = ledger.find(request)
    assert found is not None
    assert (found.tokens_in, found.tokens_out, found.served) == (None, None, "")


def test_a_missing_file_reads_as_empty_until_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "no" / "ledger.sqlite"
    request = make_request(1)
    with Ledger(path, read_only=True) as reader:
        assert reader.find(request) is None
        assert reader.totals().all.n_requests == 0
        assert not path.parent.exists()
        with Ledger(path) as writer:
            assert reader.find(request) is None
            writer.finish(request, make_answer(), cost=0, seconds=0, tries=1)
            assert reader.find(request) == make_answer()


def test_a_reader_cannot_write_and_a_closed_ledger_does_nothing(tmp_path: Path) -> None:
    writer, reader = Ledger(tmp_path / "l"), Ledger(tmp_path / "l", read_only=True)
    with writer, reader, pytest.raises(UsageError, match="read only"):
        reader.reserve(make_request(1), 0, NO_LIMITS)
    for ledger in (writer, reader):
        with pytest.raises(UsageError, match="closed"):
            ledger.find(make_request(1))
        ledger.close()


def test_it_reads_from_a_folder_that_cannot_be_written(tmp_path: Path, as_nobody: Any) -> None:
    folder = tmp_path / "shared"
    with Ledger(folder / "l") as ledger:
        ledger.finish(make_request(1), make_answer(), cost=0, seconds=0, tries=1)
    for above in (folder, *folder.parents):
        if above != Path("/tmp") and os.access(above, os.W_OK) and above.is_relative_to(tmp_path.parents[2]):
            above.chmod(0o755)
    with as_nobody(), Ledger(folder / "l", read_only=True) as ledger:
        assert ledger.find(make_request(1)) == make_answer()
        with pytest.raises(WriteError, match="permissions"):
            Ledger(folder / "new")


def test_failures_for_good_are_remembered_and_others_asked_again(tmp_path: Path) -> None:
    good, again = make_request(1), make_request(2)
    with Ledger(tmp_path / "l") as ledger:
        for request in (good, again):
            assert ledger.reserve(request, 0.5, NO_LIMITS)
        ledger.fail(good, "status 400: no such detail", cost=0.0, tries=1, is_final=True)
        ledger.fail(again, "time-out", cost=0.0, tries=6, is_final=False)
        assert (ledger.why_not(good), ledger.why_not(again)) == ("status 400: no such detail", None)
        outcome = find_outcome(good, ledger)
        assert isinstance(outcome, RecordError)
        assert outcome.reason is Reason.BAD_ANSWER
        assert find_outcome(again, ledger) is None
        totals = ledger.totals().all
    assert (totals.n_requests, totals.n_failed, totals.n_open, totals.maybe) == (2, 1, 1, 0.0)


def test_the_first_answer_stays_and_money_adds_up(tmp_path: Path) -> None:
    request = make_request(1)
    with Ledger(tmp_path / "l") as ledger:
        for text in ("first", "second"):
            assert ledger.reserve(request, 1.0, NO_LIMITS)
            ledger.finish(request, make_answer(text), cost=0.25, seconds=1, tries=1)
        ledger.fail(request, "too late", cost=0.5, tries=1, is_final=True)
        found = ledger.find(request)
        assert found is not None
        assert found.text == "first"
        assert ledger.why_not(request) is None
        assert ledger.totals().spent == 1.0
        assert ledger.totals().all.tokens_in == 900


def test_what_a_killed_run_left_counts_at_its_most_until_it_is_answered(tmp_path: Path) -> None:
    limits = Limits(budget=1.0)
    left, other = make_request(1), make_request(2)
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.reserve(left, 0.75, limits)
    with Ledger(tmp_path / "l") as ledger:
        assert (ledger.totals().maybe, ledger.totals().spent) == (0.75, 0.0)
        assert not ledger.reserve(other, 0.5, limits)
        assert ledger.reserve(left, 0.75, limits)
        ledger.finish(left, make_answer(), cost=0.25, seconds=1, tries=1)
        assert (ledger.totals().maybe, ledger.totals().spent) == (0.0, 0.25)
        assert ledger.reserve(other, 0.75, limits)
        assert not ledger.reserve(make_request(3), 1e-9, limits)
        assert ledger.find_limit(limits) == "budget"


def test_the_number_of_requests_is_a_limit_too_and_local_models_are_not_counted(tmp_path: Path) -> None:
    limits = Limits(requests=3)
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.reserve(make_request(0, author="blip2"), 0.0, limits)
        assert [ledger.reserve(make_request(index), 0.0, limits) for index in range(1, 6)] == [True] * 3 + [
            False
        ] * 2
        assert ledger.find_limit(limits) == "requests"
    with Ledger(tmp_path / "l") as ledger:
        assert not ledger.reserve(make_request(9), 0.0, limits)
        assert ledger.find(make_request(9)) is None
        assert ledger.totals().all.n_requests == 4


def test_a_budget_of_ten_tenths_holds_ten_tenths(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        requests = [(make_request(index), 0.1) for index in range(12)]
        assert ledger.reserve_all(requests, Limits(budget=1.0)) == [True] * 10 + [False] * 2


@pytest.mark.parametrize("cost", [-0.1, float("nan"), float("inf")])
def test_a_cost_that_is_none_is_refused(tmp_path: Path, cost: float) -> None:
    with Ledger(tmp_path / "l") as ledger:
        with pytest.raises(UsageError, match="cost"):
            ledger.reserve(make_request(1), cost, NO_LIMITS)
        with pytest.raises(UsageError, match="cost"):
            ledger.finish(make_request(1), make_answer(), cost=cost, seconds=0, tries=1)


def test_endless_text_is_cut_and_says_so(tmp_path: Path) -> None:
    request = make_request(1)
    long = make_request(2, body={"model": MODEL, "messages": ["x" * 300_000]})
    with Ledger(tmp_path / "l") as ledger:
        ledger.finish(request, make_answer("é" * 10_000_000), cost=0, seconds=0, tries=1)
        ledger.fail(long, "y" * 300_000, cost=0, tries=1, is_final=True)
        found = ledger.find(request)
        assert found is not None
        assert (found.text, found.finish) == ("é" * 32_768, "too_long")
        assert ledger.why_not(long) == "y" * 2000
    with sqlite3.connect(tmp_path / "l") as connection:
        (why,) = connection.execute("SELECT why FROM request WHERE key = ?", (request.key,)).fetchone()
        (body,) = connection.execute("SELECT body FROM request WHERE key = ?", (long.key,)).fetchone()
    connection.close()
    assert "10000000 letters" in why
    assert body.endswith("letters in all]")
    assert (tmp_path / "l").stat().st_size < 500_000


def test_halves_of_letters_are_mended(tmp_path: Path) -> None:
    request = make_request(
        1, body={"model": MODEL, "messages": ["\udc80"]}, tile_id="\ud800", purpose="summary"
    )
    with Ledger(tmp_path / "l") as ledger:
        ledger.finish(request, make_answer("a\ud83d b \ud83d\ude80 c\udc00"), cost=0, seconds=0, tries=1)
        found = ledger.find(request)
    assert found is not None
    assert (found.text, found.finish) == ("a\ufffd b \U0001f680 c\ufffd", "stop")


def test_answers_are_counted_by_the_pictures_that_have_them(tmp_path: Path) -> None:
    rng = random.Random(5)
    same: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    every: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    asked: list[tuple[Request, str]] = []
    with Ledger(tmp_path / "l") as ledger:
        for index in range(120):
            model, purpose = rng.choice(["a", "b"]), rng.choice(["captions", "repair", "summary"])
            picture = None if purpose == "summary" else f"{rng.randrange(30):064x}"
            body = {"index": index}
            request = make_request(index, model=model, purpose=purpose, picture=picture, body=body)
            text = rng.choice(["one", "two", "three"])
            ledger.finish(request, make_answer(text), cost=0, seconds=0, tries=1)
            same[model, purpose, text].add(picture or request.key)
            every[model, purpose].add(picture or request.key)
            asked.append((request, text))
        for request, text in asked:
            found = ledger.find(request)
            assert found is not None
            assert found.n_same == len(same[request.model, request.purpose, text])
            assert found.n_all == len(every[request.model, request.purpose])


def test_a_lookup_takes_less_than_a_tenth_of_a_millisecond(tmp_path: Path) -> None:
    requests = [make_request(index) for index in range(3000)]
    with Ledger(tmp_path / "l") as ledger:
        ledger.reserve_all([(request, 0.0) for request in requests], NO_LIMITS)
        for request in requests[::3]:  # all the same: the worst case for counting
            ledger.finish(request, make_answer(), cost=0, seconds=0, tries=1)
        best = 1.0
        for start in range(0, 3000, 600):
            begin = time.thread_time()
            for request in requests[start : start + 600]:
                ledger.find(request)
            best = min(best, (time.thread_time() - begin) / 600)
    assert best < 1e-4


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "finish", "fail", "fail_finally", "reopen"]),
        st.integers(0, 4),
        st.integers(0, 10**6),
    ),
    max_size=25,
)


@settings(max_examples=25)
@given(operations=OPERATIONS)
def test_the_account_is_the_sum_of_the_rows_whatever_happens(
    operations: list[tuple[str, int, int]], tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "l"
    limits = Limits(budget=2e-3)
    spent: Counter[int] = Counter()
    reserved: Counter[int] = Counter()
    ledger = Ledger(path)
    for verb, index, nano in operations:
        request, cost = make_request(index), nano / 1e9
        if verb == "reopen":
            ledger.close()
            ledger = Ledger(path)
        elif verb == "reserve":
            room = 2_000_000 - spent.total() - (reserved.total() - reserved[index])
            assert ledger.reserve(request, cost, limits) == (nano <= room)
            if nano <= room:
                reserved[index] = nano
        else:
            spent[index] += nano
            reserved[index] = 0
            if verb == "finish":
                ledger.finish(request, make_answer(), cost=cost, seconds=0, tries=1)
            else:
                ledger.fail(request, "why", cost=cost, tries=1, is_final=verb == "fail_finally")
    totals = ledger.totals()
    ledger.close()
    assert count_rows(path)[:2] == (spent.total(), reserved.total())
    assert (totals.spent, totals.maybe) == (spent.total() / 1e9, reserved.total() / 1e9)
    assert totals.all.n_requests == totals.all.n_answered + totals.all.n_failed + totals.all.n_open


def test_many_threads_share_flushes_and_all_is_kept(tmp_path: Path) -> None:
    requests = [make_request(index) for index in range(640)]

    def work(ledger: Ledger, part: list[Request]) -> None:
        for request in part:
            assert ledger.reserve(request, 0.001, NO_LIMITS)
            ledger.finish(request, make_answer(request.tile_id), cost=0.001, seconds=0, tries=1)
            found = ledger.find(request)
            assert found is not None
            assert found.text == request.tile_id

    with Ledger(tmp_path / "l") as ledger:
        threads = [threading.Thread(target=work, args=(ledger, requests[n::64])) for n in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.totals().all.n_answered == 640
    assert count_rows(tmp_path / "l") == (640 * 10**6, 0, 640)
    assert not [thread for thread in threading.enumerate() if thread.name == "ledger"]


SPEND = """
import sys, threading, random
from pathlib import Path
from ledger_requests import make_answer, make_request
from earthloom.caption.config import Limits
from earthloom.caption.ledger import Ledger
path, which, budget, most = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
limits = Limits(budget=budget)
def work(ledger, thread):
    rng, index, was_idle = random.Random(which * 64 + thread), 0, False
    while True:
        request = make_request(which * 10**6 + thread * 10**4 + index)
        if ledger.reserve(request, most, limits):
            ledger.finish(request, make_answer(), cost=most * rng.uniform(0.3, 1), seconds=0, tries=1)
            index, was_idle = index + 1, False
        elif was_idle:
            return
        else:
            was_idle = not ledger.totals().maybe
with Ledger(path) as ledger:
    threads = [threading.Thread(target=work, args=(ledger, n)) for n in range(64)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_two_processes_of_64_threads_spend_one_budget_to_the_last_request(tmp_path: Path) -> None:
    path, budget, most = tmp_path / "l", 1.0, 0.0031
    processes = [run_script(SPEND, path, which, budget, most) for which in (0, 1)]
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    with Ledger(path, read_only=True) as ledger:
        totals = ledger.totals()
    assert totals.maybe == 0
    assert totals.spent <= budget
    assert totals.spent + most > budget
    assert totals.all.n_answered == totals.all.n_requests > budget / most
    count_rows(path)


WRITE_FOR_EVER = """
import os, sys, threading
from pathlib import Path
from ledger_requests import make_answer, make_request
from earthloom.caption.config import Limits
from earthloom.caption.ledger import Ledger
path, log, start = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT), int(sys.argv[3])
def work(ledger, thread):
    index = start + thread * 10**5
    while True:
        request = make_request(index)
        ledger.reserve(request, 0.002, Limits())
        ledger.finish(request, make_answer(f"answer {index}" * 50), cost=0.001, seconds=0, tries=1)
        os.write(log, b"%d\\n" % index)
        index += 1
ledger = Ledger(path)
print("ready", flush=True)
for n in range(8):
    threading.Thread(target=work, args=(ledger, n)).start()
"""


def test_what_was_committed_survives_kills_at_any_moment(tmp_path: Path) -> None:
    path, log = tmp_path / "l", tmp_path / "log"
    rng = random.Random(11)
    for kill in range(4):
        process = run_script(WRITE_FOR_EVER, path, log, kill * 10**6)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.02, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    promised = [int(line) for line in log.read_text().split()]
    assert len(promised) > 20
    with Ledger(path, read_only=True) as ledger:  # beside the log that the killed left
        assert all(ledger.find(make_request(index)) for index in promised)
    with Ledger(path) as ledger:
        for index in promised:
            found = ledger.find(make_request(index))
            assert found is not None
            assert found.text == f"answer {index}" * 50
        totals = ledger.totals().all
    # Of each kill, eight threads had one request each under way.
    assert 0 <= totals.n_answered - len(promised) <= 4 * 8
    assert 0 <= totals.n_open <= 4 * 8
    assert totals.maybe == pytest.approx(totals.n_open * 0.002)
    count_rows(path)


FILL_UP = """
import resource, sys, threading
from pathlib import Path
from ledger_requests import make_answer, make_request
from earthloom.caption.config import Limits
from earthloom.caption.ledger import Ledger
from earthloom.core.errors import WriteError
kept, messages = [], []
def work(ledger, thread):
    for index in range(thread * 1000, thread * 1000 + 1000):
        try:
            ledger.finish(make_request(index), make_answer("z" * 5000), cost=0.001, seconds=0, tries=1)
        except WriteError as error:
            messages.append(str(error))
            return
        kept.append(index)
with Ledger(Path(sys.argv[1])) as ledger:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    threads = [threading.Thread(target=work, args=(ledger, n)) for n in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert len(messages) == 8, len(messages)
    assert all("full" in message and "run the same command again" in message for message in messages), messages
    assert all(ledger.find(make_request(index)) for index in kept)
    ledger.finish(make_request(10**6), make_answer(), cost=0.001, seconds=0, tries=1)
    print(len(kept) + 1)
"""


def test_a_full_disk_reaches_every_caller_and_harms_nothing(tmp_path: Path) -> None:
    process = run_script(FILL_UP, tmp_path / "l")
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    n_kept = int(printed)
    assert n_kept > 8
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.totals().all.n_answered == n_kept
    count_rows(tmp_path / "l")


def test_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path: Path) -> None:
    text, foreign = tmp_path / "notes.txt", tmp_path / "other.sqlite"
    text.write_text("Shopping: milk, bread. " * 100)
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE request (id INTEGER)")
    connection.close()
    before = [path.read_bytes() for path in (text, foreign)]
    for path, words in ((text, "no SQLite file"), (foreign, "another program")):
        for read_only in (True, False):
            with pytest.raises(UsageError, match=words):
                Ledger(path, read_only=read_only)
    with pytest.raises(WriteError):
        Ledger(tmp_path)
    assert text.read_bytes() == before[0]
    with sqlite3.connect(foreign) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("request",)]
    connection.close()


@pytest.mark.parametrize(("version", "word"), [(0, "older"), (99, "newer")])
def test_tables_of_another_version_are_refused_with_a_remedy(tmp_path: Path, version: int, word: str) -> None:
    Ledger(tmp_path / "l").close()
    with sqlite3.connect(tmp_path / "l") as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(UsageError, match=rf"{word} earthloom.*caption\.ledger"):
        Ledger(tmp_path / "l")


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "l"
    with Ledger(path) as ledger:
        for index in range(60):
            ledger.finish(make_request(index), make_answer("w" * 3000), cost=0, seconds=0, tries=1)
    whole = path.read_bytes()
    rng = random.Random(3)
    for keep in (len(whole) // 2, 4096, len(whole)):
        broken = bytearray(whole[:keep])
        for _ in range(200):
            broken[rng.randrange(200, len(broken))] ^= 0xFF
        path.write_bytes(broken)
        with pytest.raises((UsageError, RunError), match="ledger") as caught, Ledger(path) as ledger:
            for index in range(60):
                ledger.find(make_request(index))
                ledger.reserve(make_request(index + 1000), 0.0, NO_LIMITS)
            ledger.totals()
        assert (
            "Name another" in str(caught.value)
            or ".recover" in str(caught.value)
            or "again" in str(caught.value)
        )


def test_a_file_that_another_process_never_lets_go_of_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_file, "_BUSY_S", 0.05)
    with Ledger(tmp_path / "l") as ledger:
        ledger.finish(make_request(1), make_answer(), cost=0, seconds=0, tries=1)
        other = sqlite3.connect(tmp_path / "l", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RunError, match="Another process"):
            ledger.reserve(make_request(2), 0.0, NO_LIMITS)
        assert ledger.find(make_request(1)) is not None
        other.close()
        assert ledger.reserve(make_request(2), 0.0, NO_LIMITS)


def test_what_fails_in_one_transaction_reaches_its_caller_and_the_next_goes_on(tmp_path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE account SET spent_nano = 7")
        raise ZeroDivisionError

    committer = Committer(tmp_path / "l", ledger_file.open_to_write(tmp_path / "l"))
    with pytest.raises(ZeroDivisionError):
        committer.commit(fail)
    read = "SELECT spent_nano FROM account"
    assert committer.commit(lambda connection: connection.execute(read).fetchall()) == [(0,)]
    committer.close()
    with pytest.raises(UsageError, match="closed"):
        committer.commit(fail)


def test_many_may_make_the_file_at_once(tmp_path: Path) -> None:
    faults: list[Exception] = []

    def work(index: int) -> None:
        try:
            with Ledger(tmp_path / "l", read_only=index % 4 == 3) as ledger:
                if index % 4 != 3:
                    assert ledger.reserve(make_request(index), 0.001, NO_LIMITS)
                ledger.totals()
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert count_rows(tmp_path / "l") == (0, 12 * 10**6, 12)


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "l").touch()
    with Ledger(tmp_path / "l", read_only=True) as reader:
        assert reader.find(make_request(1)) is None
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.reserve(make_request(1), 0.0, NO_LIMITS)


def use_in_child(ledger: Ledger, path: Path) -> None:
    """Run in a forked process: the parent's ledger is refused and left whole, one of its own works."""
    with pytest.raises(UsageError, match="another process"):
        ledger.find(make_request(1))
    ledger.close()
    with Ledger(path) as own:
        assert own.find(make_request(1)) is not None
        own.finish(make_request(2), make_answer("from the child"), cost=0, seconds=0, tries=1)


def test_every_process_opens_its_own(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.finish(make_request(1), make_answer(), cost=0, seconds=0, tries=1)
        child = multiprocessing.get_context("fork").Process(
            target=use_in_child, args=(ledger, tmp_path / "l")
        )
        child.start()
        child.join(timeout=60)
        assert child.exitcode == 0
        assert ledger.find(make_request(2)) is not None
        ledger.finish(make_request(3), make_answer(), cost=0, seconds=0, tries=1)
        with pytest.raises(UsageError, match="another process"):
            pickle.dumps(ledger)
    count_rows(tmp_path / "l")


def test_factors_only_grow_and_start_at_one(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        factors = []
        for index, tokens_in in enumerate((None, 900, 1500, 1200, 0)):
            answer = make_answer(tokens_in=tokens_in)
            ledger.finish(make_request(index), answer, cost=0, seconds=0, tries=1)
            factors.append(ledger.factor(MODEL))
        assert factors == [1.0, 1.0, 1.5, 1.5, 1.5]
        assert ledger.factor("another") == 1.0


def test_conversations_are_led_as_far_as_answers_go(tmp_path: Path) -> None:
    first, second = make_request(1, purpose="summary", picture=None), make_request(2)
    talk = make_talk(2, lambda: [first, second])
    with Ledger(tmp_path / "l") as ledger:
        assert find_missing(talk, ledger) == first
        ledger.finish(first, make_answer("gist"), cost=0, seconds=0, tries=1)
        assert find_missing(talk, ledger) == second
        ledger.finish(second, make_answer("text"), cost=0, seconds=0, tries=1)
        written = find_missing(talk, ledger)
        assert isinstance(written, Written)
        assert [caption.text for caption in written.captions] == ["gist", "text"]
        ledger.fail(make_request(3), "status 400", cost=0, tries=1, is_final=True)
        with pytest.raises(RecordError, match="status 400"):
            find_missing(make_talk(3), ledger)


def test_a_request_that_is_no_json_fails_alone(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        with pytest.raises(ValueError, match="not JSON compliant"):
            ledger.reserve(make_request(1, body={"temperature": float("nan")}), 0.0, NO_LIMITS)
        assert ledger.reserve(make_request(2), 0.0, NO_LIMITS)
