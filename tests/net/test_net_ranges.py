"""Files read in parts equal the files, whatever the server does; what it lies about is found out."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback_server import CUT, DROP, ERROR, Answer, Loopback, redirect, serve
from net_clients import quick, quick_client, refusal

from earthloom.core.ids import fingerprint_file
from earthloom.core.records import Reason
from earthloom.net import ranges
from earthloom.net.client import configure
from earthloom.net.ranges import (
    BLOCK,
    LONGEST_RUN,
    N_KEPT,
    RemoteFile,
    fingerprint_remote,
    forget_remote,
    open_remote,
)

DATA = np.random.default_rng(0).bytes(5 * 2**20 + 123)
Part = tuple[int, int]


def asked(loopback: Loopback) -> list[str | None]:
    return [seen.headers.get("range") for seen in loopback.seen]


@pytest.fixture
def url(loopback: Loopback) -> str:
    return loopback.put("/a.tif", DATA)


def test_size_and_beginning_take_one_request(loopback: Loopback, url: str) -> None:
    file = RemoteFile(url, quick_client())
    assert file.size == len(DATA)
    assert file.read(0, 1000) == DATA[:1000]
    assert file.read(BLOCK - 5, 10) == DATA[BLOCK - 5 : BLOCK + 5]
    assert asked(loopback) == [f"bytes=0-{2 * BLOCK - 1}"]
    assert loopback.count("/robots.txt") == 0


def test_parts_come_in_few_requests(loopback: Loopback, url: str) -> None:
    file = RemoteFile(url, quick_client())
    parts = [(10 * BLOCK + 7, 100), (11 * BLOCK, 2 * BLOCK), (14 * BLOCK, 1), (40 * BLOCK, 50), (0, 10)]
    assert file.read_parts(parts) == [DATA[start : start + size] for start, size in parts]
    assert asked(loopback)[1:] == [
        f"bytes={10 * BLOCK}-{15 * BLOCK - 1}",  # the gap of one block costs less than a request
        f"bytes={40 * BLOCK}-{41 * BLOCK - 1}",
    ]
    assert file.read_parts(parts) == [DATA[start : start + size] for start, size in parts]
    assert len(loopback.seen) == 3


def test_a_long_read_comes_in_bounded_pieces(loopback: Loopback) -> None:
    data = DATA * 4
    file = RemoteFile(loopback.put("/big", data), quick_client())
    assert file.read(0, len(data)) == data
    sizes = [
        int(last) - int(first) + 1
        for first, last in (text[6:].split("-") for text in asked(loopback) if text)
    ]
    assert max(sizes) <= (LONGEST_RUN + 1) * BLOCK
    assert len(file._blocks) == N_KEPT


@given(
    st.lists(st.tuples(st.integers(0, len(DATA) + BLOCK), st.integers(0, 3 * BLOCK)), min_size=1, max_size=8)
)
@settings(max_examples=40)
def test_any_parts_equal_the_file(parts: list[Part]) -> None:
    with serve() as web:
        file = RemoteFile(web.put("/x", DATA), quick_client())
        for _ in range(2):
            assert file.read_parts(parts) == [DATA[start : start + size] for start, size in parts]


@pytest.mark.parametrize("size", [1, 100, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, 3 * BLOCK])
def test_files_of_all_sizes(loopback: Loopback, size: int) -> None:
    file = RemoteFile(loopback.put("/x", DATA[:size]), quick_client())
    assert file.size == size
    assert file.read(0, 10 * BLOCK) == DATA[:size]
    assert file.read(size, 5) == b""


def test_an_empty_file_is_empty(loopback: Loopback) -> None:
    url = loopback.put("/x", b"")
    assert refusal(RemoteFile, url, quick_client())[0] is Reason.EMPTY


def test_one_in_five_failing_changes_nothing(loopback: Loopback, url: str) -> None:
    loopback.fail_every(5, ERROR, CUT, DROP)
    client = quick_client(tries=6)
    for _ in range(10):
        file = RemoteFile(url, client)
        for start in range(0, len(DATA), 20 * BLOCK):
            assert file.read(start, BLOCK) == DATA[start : start + BLOCK]


def test_a_server_without_ranges_is_downloaded_from_once(loopback: Loopback) -> None:
    url = loopback.put("/x", DATA, ranges="ignored")
    file = RemoteFile(url, quick_client())
    assert file.size == len(DATA)
    assert file.read_parts([(5, 10), (4 * 2**20, 10)]) == [DATA[5:15], DATA[4 * 2**20 : 4 * 2**20 + 10]]
    assert len(loopback.seen) == 1


@pytest.mark.parametrize("lie", ["shifted", "short"])
def test_a_server_that_lies_about_ranges_is_downloaded_from(loopback: Loopback, lie: Any) -> None:
    url = loopback.put("/x", DATA, ranges=lie)
    file = RemoteFile(url, quick_client(tries=2))
    assert file.read(10 * BLOCK, 99) == DATA[10 * BLOCK : 10 * BLOCK + 99]
    assert asked(loopback) == [f"bytes=0-{2 * BLOCK - 1}"] * 2 + [None]


@pytest.mark.parametrize(
    "content_range", ["", "bytes 0-131071/*", "bytes 0-131071", "nonsense", "bytes 1-131071/9"]
)
def test_a_content_range_that_says_nothing_usable(loopback: Loopback, content_range: str) -> None:
    loopback.route(
        "/x",
        lambda seen: (
            Answer(status=206, body=DATA[: 2 * BLOCK], headers={"Content-Range": content_range})
            if "range" in seen.headers
            else Answer(body=DATA)
        ),
    )
    file = RemoteFile(loopback.url + "/x", quick_client(tries=2))
    assert (file.size, file.read(BLOCK, 9)) == (len(DATA), DATA[BLOCK : BLOCK + 9])


def test_a_lie_that_passes_is_asked_again(loopback: Loopback, url: str) -> None:
    file = RemoteFile(url, quick_client())
    wrong = Answer(
        status=206, body=DATA[:BLOCK], headers={"Content-Range": f"bytes 0-{BLOCK - 1}/{len(DATA)}"}
    )
    loopback.script("/a.tif", wrong)
    assert file.read(9 * BLOCK, BLOCK) == DATA[9 * BLOCK : 10 * BLOCK]


@pytest.mark.parametrize("kind", ["ignored", "shifted"])
def test_a_large_file_is_not_downloaded_for_a_window(loopback: Loopback, kind: Any) -> None:
    url = loopback.put("/x", DATA, ranges=kind)
    reason, said = refusal(RemoteFile, url, quick_client(max_mb=2, tries=2))
    assert reason is Reason.UNREADABLE
    assert "does not serve parts" in said
    assert "5.0 MiB" in said


def test_a_file_that_changes_is_not_mixed(loopback: Loopback, url: str) -> None:
    file = RemoteFile(url, quick_client())
    loopback.put("/a.tif", DATA[::-1], headers={"Last-Modified": "Mon, 14 Sep 2020 12:26:40 GMT"})
    reason, said = refusal(file.read, 30 * BLOCK, 10)
    assert reason is Reason.UNREADABLE
    assert "has changed" in said
    loopback.put("/a.tif", DATA + b"x")
    assert refusal(file.read, 30 * BLOCK, 10)[0] is Reason.UNREADABLE


def test_servers_behind_one_name_may_disagree_on_etags(loopback: Loopback, url: str) -> None:
    file = RemoteFile(url, quick_client())
    loopback.put("/a.tif", DATA, headers={"ETag": '"another"'})
    assert file.read(30 * BLOCK, 10) == DATA[30 * BLOCK : 30 * BLOCK + 10]


def test_a_failed_read_leaves_nothing_behind(loopback: Loopback, url: str) -> None:
    file = RemoteFile(url, quick_client())
    loopback.script("/a.tif", ERROR, ERROR, DROP)
    assert refusal(file.read, 9 * BLOCK, 10)[0] is Reason.UNREACHABLE
    assert file.read(9 * BLOCK, 10) == DATA[9 * BLOCK : 9 * BLOCK + 10]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=404), Reason.MISSING),
        (Answer(status=403), Reason.NO_PERMISSION),
        (Answer(status=500), Reason.UNREACHABLE),
        (DROP, Reason.UNREACHABLE),
        (redirect("http://[::1]:1/x"), Reason.UNREACHABLE),
    ],
)
def test_failures_have_their_reasons(loopback: Loopback, answer: Answer, reason: Reason) -> None:
    url = loopback.answer("/x", answer)
    assert refusal(RemoteFile, url, quick_client(tries=2))[0] is reason


def test_compressed_parts_are_no_parts(loopback: Loopback) -> None:
    url = loopback.put("/x", DATA, headers={"Content-Encoding": "br"})
    assert refusal(RemoteFile, url, quick_client(tries=2))[0] is Reason.UNREACHABLE


def test_a_file_is_opened_once(loopback: Loopback, url: str) -> None:
    configure(quick())
    assert open_remote(url) is open_remote(url)
    assert len(loopback.seen) == 1
    forget_remote(url)
    assert open_remote(url).read(0, 3) == DATA[:3]
    assert len(loopback.seen) == 2


def test_few_files_are_kept(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_MAX_OPEN", 3)
    configure(quick())
    for i in range(6):
        open_remote(loopback.put(f"/{i}", DATA[:1000]))
    assert len(ranges._open) <= 3


@pytest.mark.parametrize("size", [1000, 16 * 2**20, 16 * 2**20 + 1])
def test_fingerprints_equal_those_of_a_copy(loopback: Loopback, tmp_path: Path, size: int) -> None:
    configure(quick())
    copy = tmp_path / "copy"
    copy.write_bytes((DATA * 4)[:size])
    url = loopback.mount("/d", tmp_path) + "/copy"
    assert fingerprint_remote(url, exact=True) == fingerprint_file(copy)
    assert (fingerprint_remote(url) == fingerprint_file(copy)) == (size <= 16 * 2**20)


def test_a_stamp_stands_for_a_large_file(loopback: Loopback) -> None:
    configure(quick())
    data = DATA * 4
    first, again = (loopback.put(f"/{name}", data) for name in "ab")
    assert fingerprint_remote(first) == fingerprint_remote(again)
    other = loopback.put("/c", data[:-1] + b"\0" if data[-1] else data[:-1] + b"\1")
    assert fingerprint_remote(other) != fingerprint_remote(first)
    assert len(loopback.seen) == 3  # the first request of each file


def test_memory_stays_bounded(loopback: Loopback) -> None:
    file = RemoteFile(loopback.put("/x", DATA * 6), quick_client())
    tracemalloc.start()
    for start in range(0, file.size, 2**20):
        file.read(start, 2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < N_KEPT * BLOCK + 16 * 2**20
