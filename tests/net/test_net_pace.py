"""Limits for each host hold over threads and over processes."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from loopback_server import Answer, Loopback
from net_clients import quick

from earthloom.net.client import Client
from earthloom.net.pace import LONGEST_WAIT_S, Pace

DATA = b"x" * 1000
ASK = """
import io, sys
from pathlib import Path
from earthloom.net.client import Client
from earthloom.net.config import NetSettings
url, folder, per_host, interval_s = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
limits = {"per_host": per_host, "interval_s": interval_s}
client = Client(NetSettings(allow_private=True, use_proxy=False, respect_robots=False, **limits), folder)
for _ in range(4):
    client.download(url, io.BytesIO())
"""


def gaps(loopback: Loopback) -> list[float]:
    began = sorted(seen.began for seen in loopback.seen)
    return [later - earlier for earlier, later in itertools.pairwise(began)]


@pytest.mark.parametrize("has_folder", [False, True])
@pytest.mark.parametrize("per_host", [1, 3])
def test_threads_share_the_slots_of_a_host(
    loopback: Loopback, tmp_path: Path, per_host: int, has_folder: bool
) -> None:
    url = loopback.put("/x", DATA, header_delay_s=0.02)
    client = Client(quick(per_host=per_host, respect_robots=False), tmp_path if has_folder else None)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.download(url, io.BytesIO()), range(16)))
    assert len(loopback.seen) == 16
    assert loopback.busiest == per_host


def assert_spaced(loopback: Loopback, interval_s: float) -> None:
    """By the server's clock, which sees requests a little after they start: single gaps shrink, their sums do not."""
    began = sorted(request.began for request in loopback.seen)
    assert all(later - began[0] > n * interval_s - 0.03 for n, later in enumerate(began))
    assert min(gaps(loopback)) > interval_s / 2


@pytest.mark.parametrize("has_folder", [False, True])
def test_threads_keep_the_interval(loopback: Loopback, tmp_path: Path, has_folder: bool) -> None:
    url = loopback.put("/x", DATA)
    client = Client(quick(interval_s=0.05, respect_robots=False), tmp_path if has_folder else None)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.download(url, io.BytesIO()), range(8)))
    assert_spaced(loopback, 0.05)


def test_processes_share_slots_and_interval(loopback: Loopback, tmp_path: Path) -> None:
    url = loopback.put("/x", DATA, header_delay_s=0.15)
    args = [sys.executable, "-c", ASK, url, str(tmp_path), "2", "0.05"]
    children = [subprocess.Popen(args) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert len(loopback.seen) == 12
    assert loopback.busiest == 2
    assert_spaced(loopback, 0.05)


def test_hosts_do_not_wait_for_each_other(tmp_path: Path) -> None:
    pace = Pace(1, 0.0, tmp_path)
    with pace.turn("a:80"), pace.turn("b:80"):
        pass


def test_a_slot_comes_back_when_its_holder_is_killed(tmp_path: Path) -> None:
    code = "import sys,time; from pathlib import Path; from earthloom.net.pace import Pace\n" + (
        "with Pace(1, 0.0, Path(sys.argv[1])).turn('a:80'): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        got = threading.Event()

        def wait() -> None:
            with Pace(1, 0.0, tmp_path).turn("a:80"):
                got.set()

        thread = threading.Thread(target=wait)
        thread.start()
        assert not got.wait(0.2)
        child.kill()
        assert got.wait(5)
        thread.join()


@pytest.mark.parametrize("has_folder", [False, True])
def test_a_host_that_asks_for_time_gets_it_from_all(tmp_path: Path, has_folder: bool) -> None:
    folder = tmp_path if has_folder else None
    pace = Pace(4, 0.0, folder)
    other = Pace(4, 0.0, folder) if has_folder else pace
    pace.put_off("a:80", 0.15)
    pace.put_off("a:80", 0.01)  # the longer wish holds
    began = time.monotonic()
    with other.turn("a:80"):
        assert 0.1 < time.monotonic() - began < 1


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-1", b"\xff\xfe", b"nan"])
def test_what_is_found_in_the_folder_is_not_trusted(tmp_path: Path, text: bytes) -> None:
    pace = Pace(1, 0.0, tmp_path)
    with pace.turn("a:80"):
        (start,) = tmp_path.glob("*.start")
    start.write_bytes(text)
    with pace.turn("a:80"):
        pass
    assert float(start.read_bytes()) <= time.time()


def test_a_clock_that_was_set_back_costs_a_bounded_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    pace = Pace(1, 0.0, tmp_path)
    monkeypatch.setattr(time, "sleep", slept.append)
    pace.put_off("a:80", 1e9)
    with pace.turn("a:80"):
        pass
    assert slept == [LONGEST_WAIT_S]


def test_a_crawl_delay_widens_the_interval(loopback: Loopback) -> None:
    loopback.put("/robots.txt", b"User-agent: *\nCrawl-delay: 0.2\n", "text/plain")
    url = loopback.put("/x", DATA)
    client = Client(quick())
    for _ in range(3):
        client.download(url, io.BytesIO())
    began = [seen.began for seen in loopback.seen if seen.path == "/x"]
    assert min(later - earlier for earlier, later in itertools.pairwise(began)) > 0.18


def test_a_busy_answer_puts_off_the_host(loopback: Loopback) -> None:
    loopback.put("/y", b"2")
    url = loopback.put("/x", b"1")
    loopback.script("/x", Answer(status=503, headers={"Retry-After": "1"}))
    client = Client(quick(respect_robots=False))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.get_json, url)
        time.sleep(0.2)
        second = pool.submit(client.get_json, loopback.url + "/y")
        assert (first.result(), second.result()) == (1, 2)
    assert loopback.seen[1].began - loopback.seen[0].began > 0.95  # nothing was asked in between
