"""Batch files: each request once, every answer kept, and nothing that a bad file holds does harm."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_requests import MODEL, PRICES, make_picture, make_request, make_settings, make_talk

from earthloom.caption.asking import Conversation, Talk, Written
from earthloom.caption.config import Limits, Price
from earthloom.caption.endpoint import batch_file
from earthloom.caption.endpoint.batch import read_batch, write_batch
from earthloom.caption.ledger import Ledger
from earthloom.caption.ledger.prices import highest_cost
from earthloom.core.errors import RecordError, UsageError, WriteError
from earthloom.core.records import Reason

SETTINGS = make_settings()
MOST = highest_cost(make_request(0), make_settings(batch=True))

# A line as OpenAI's servers write it, in all its fields.
OUTPUT = """{"id": "batch_req_66c3", "custom_id": "%s", "response": {"status_code": 200, "request_id": "af0bac0d",
"body": {"id": "chatcmpl-A1Ef", "object": "chat.completion", "created": 1724858089, "model": "gpt-4o-2024-08-06",
"choices": [{"index": 0, "message": {"role": "assistant", "content": %s, "refusal": null}, "logprobs": null,
"finish_reason": "stop"}], "usage": {"prompt_tokens": 800, "completion_tokens": 40, "total_tokens": 840},
"system_fingerprint": "fp_f33667828e"}}, "error": null}""".replace("\n", " ")
EXPIRED = """{"id": "batch_req_123", "custom_id": "%s", "response": null, "error": {"code": "batch_expired",
"message": "This request could not be executed before the completion window expired."}}""".replace("\n", " ")
REFUSED = """{"id": "batch_req_9", "custom_id": "%s", "response": {"status_code": %d, "request_id": "",
"body": {"error": {"message": "Invalid image.", "type": "invalid_request_error", "param": null, "code": null}}},
"error": null}""".replace("\n", " ")


def answer_line(key: str, text: str = "A river.") -> str:
    return OUTPUT % (key, json.dumps(text))


def read_lines(paths: tuple[Path, ...]) -> list[dict[str, Any]]:
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def talks(n: int) -> list[Talk]:
    return [make_talk(index) for index in range(n)]


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger(tmp_path / "ledger") as opened:
        yield opened


def test_requests_are_written_as_the_reference_has_them(tmp_path: Path, ledger: Ledger) -> None:
    written = write_batch(talks(3), ledger, SETTINGS, tmp_path / "batches")
    assert [path.name for path in written.paths] == ["001-requests.jsonl"]
    assert written.n_bytes == written.paths[0].stat().st_size
    assert (written.n_requests, written.n_ended, written.stopped) == (3, 0, None)
    for index, line in enumerate(read_lines(written.paths)):
        assert list(line) == ["custom_id", "method", "url", "body"]
        assert line["custom_id"] == make_request(index).key
        assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
        url = line["body"]["messages"][0]["content"][1]["image_url"]["url"]
        head, data = url.split(",")
        assert head == "data:image/jpeg;base64"
        assert base64.b64decode(data) == make_picture(index)
    assert ledger.totals().maybe == pytest.approx(3 * MOST)
    assert written.cost == pytest.approx(3 * MOST)


def test_what_is_out_is_not_written_again(tmp_path: Path, ledger: Ledger) -> None:
    folder = tmp_path / "batches"
    write_batch(talks(3), ledger, SETTINGS, folder)
    written = write_batch(talks(5), ledger, SETTINGS, folder)
    assert [line["custom_id"] for line in read_lines(written.paths)] == [
        make_request(index).key for index in (3, 4)
    ]
    assert [path.name for path in written.paths] == ["002-requests.jsonl"]
    assert (written.n_requests, written.n_out) == (2, 3)
    nothing = write_batch(talks(5), ledger, SETTINGS, folder)
    assert (nothing.paths, nothing.n_out) == ((), 5)
    assert ledger.release_batches() == 5
    once_more = write_batch(talks(5), ledger, SETTINGS, folder)
    assert once_more.n_requests == 5
    assert ledger.totals().maybe == pytest.approx(5 * MOST)


def test_equal_requests_are_written_once(tmp_path: Path, ledger: Ledger) -> None:
    written = write_batch([make_talk(1), make_talk(1)], ledger, SETTINGS, tmp_path / "batches")
    assert (written.n_requests, written.n_out) == (1, 1)
    assert len(read_lines(written.paths)) == 1


def test_a_conversation_goes_one_question_further_with_each_batch(tmp_path: Path, ledger: Ledger) -> None:
    summary = make_request(7, purpose="summary", picture=None)
    talk = make_talk(7, lambda: [summary, make_request(7), make_request(7, purpose="repair")])
    asked = []
    for number in range(1, 5):
        written = write_batch([talk], ledger, SETTINGS, tmp_path / "batches")
        lines = read_lines(written.paths)
        if not lines:
            break
        asked += [line["custom_id"] for line in lines]
        output = tmp_path / f"{number}.jsonl"
        output.write_text("".join(answer_line(line["custom_id"], f"text {number}") + "\n" for line in lines))
        assert read_batch([output], ledger, SETTINGS).n_answered == 1
    assert asked == [summary.key, make_request(7).key, make_request(7, purpose="repair").key]
    assert (written.n_ended, written.n_requests) == (1, 0)
    # 800 tokens in at 2.5, 40 out at 10 for a million, half of it in a batch: three times.
    assert ledger.totals().spent == pytest.approx(3 * (800 * 2.5 + 40 * 10) / 2e6)
    assert ledger.totals().maybe == 0


def test_answers_come_in_any_order_with_all_that_can_be_wrong(tmp_path: Path, ledger: Ledger) -> None:
    keys = [make_request(index).key for index in range(8)]
    write_batch(talks(8), ledger, SETTINGS, tmp_path / "batches")
    output, errors = tmp_path / "output.jsonl", tmp_path / "errors.jsonl"
    output.write_text(
        "\n".join(
            [
                answer_line(keys[3], "third"),
                "",
                answer_line(keys[0], "first"),
                answer_line(keys[0], "first, again"),
                answer_line("f" * 32),
                answer_line("request-1"),
                REFUSED % (keys[1], 500),
                answer_line(keys[1], "after all"),
                REFUSED % (keys[2], 400),
                json.dumps({"custom_id": keys[4], "response": {"status_code": 200, "body": {}}}),
                answer_line(keys[6])[:200],
            ]
        )
    )
    errors.write_text("\n".join([EXPIRED % keys[5], EXPIRED % keys[3]]) + "\n")
    read = read_batch([errors, output], ledger, SETTINGS)
    assert (read.n_answered, read.n_failed, read.n_repeated, read.n_unknown, read.n_bad) == (3, 5, 1, 2, 1)
    assert read.n_lines == 12
    found = [ledger.find(make_request(index)) for index in range(8)]
    assert [answer and answer.text for answer in found] == [
        "first",
        "after all",
        None,
        "third",
        None,
        None,
        None,
        None,
    ]
    assert found[0] is not None
    assert (found[0].tokens_in, found[0].tokens_out, found[0].served) == (800, 40, "gpt-4o-2024-08-06")
    assert ledger.why_not(make_request(2)) == "status 400: invalid_request_error: Invalid image."
    # 4 and 5 are asked again; 6 and 7 are still out; 2 has failed for good.
    again = write_batch(talks(8), ledger, SETTINGS, tmp_path / "batches")
    assert [line["custom_id"] for line in read_lines(again.paths)] == [keys[4], keys[5]]
    assert (again.n_out, again.n_ended, again.n_failed) == (2, 3, 1)


def test_reading_twice_changes_nothing(tmp_path: Path, ledger: Ledger) -> None:
    write_batch(talks(3), ledger, SETTINGS, tmp_path / "batches")
    output = tmp_path / "output.jsonl"
    output.write_text(answer_line(make_request(0).key) + "\n" + EXPIRED % make_request(1).key)
    read_batch([output], ledger, SETTINGS)
    before = ledger.totals()
    assert read_batch([output, output], ledger, SETTINGS).n_repeated == 4
    assert ledger.totals() == before


@settings(max_examples=60)
@given(
    lines=st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.recursive(
                st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
            ).map(lambda value: json.dumps(value).encode()),
            st.fixed_dictionaries(
                {
                    "custom_id": st.sampled_from([make_request(0).key, "f" * 32, "\ud800", 7, None]),
                    "response": st.sampled_from(
                        [
                            None,
                            3,
                            {},
                            {"status_code": True},
                            {"status_code": 10**400},
                            {"status_code": 200, "body": {"choices": [{"message": {"content": ["x"]}}]}},
                            {"status_code": 200, "body": {"choices": [{"message": {"content": "\udfff"}}]}},
                            {"status_code": [200], "body": {"error": "\ud8ff"}},
                        ]
                    ),
                    "error": st.sampled_from([None, "no", {"code": 5}, {"message": {"a": 1}}, []]),
                }
            ).map(lambda value: json.dumps(value).encode()),
        ),
        max_size=8,
    )
)
def test_any_file_is_read_without_an_error(lines: list[bytes], tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / "output.jsonl"
    path.write_bytes(b"\n".join(lines))
    n_lines = sum(bool(line.strip()) for line in path.read_bytes().split(b"\n"))
    with Ledger(folder / "ledger") as ledger:
        ledger.reserve(make_request(0), MOST, Limits())
        assert read_batch([path], ledger, SETTINGS).n_lines == n_lines
        assert ledger.totals().all.n_requests == 1


def test_a_line_without_end_and_a_nest_without_bottom_are_passed_over(tmp_path: Path, ledger: Ledger) -> None:
    write_batch(talks(1), ledger, SETTINGS, tmp_path / "batches")
    path = tmp_path / "output.jsonl"
    good = answer_line(make_request(0).key)
    path.write_text("x" * 9_000_000 + "\n" + "[" * 100_000 + "\n" + good)
    read = read_batch([path], ledger, SETTINGS)
    assert (read.n_bad, read.n_answered) == (2, 1)


def test_a_file_that_is_not_there_says_so(tmp_path: Path, ledger: Ledger) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(UsageError, match="Check the path"):
            read_batch([path], ledger, SETTINGS)


def test_the_budget_keeps_requests_out(tmp_path: Path, ledger: Ledger) -> None:
    limited = make_settings(limits=Limits(budget=3.5 * MOST))
    written = write_batch(talks(200), ledger, limited, tmp_path / "batches")
    assert (written.n_requests, written.stopped) == (3, "budget")
    counted = make_settings(limits=Limits(requests=5))
    written = write_batch(talks(200), ledger, counted, tmp_path / "batches")
    assert (written.n_requests, written.stopped) == (2, "requests")


def test_each_model_has_files_of_its_own(tmp_path: Path, ledger: Ledger) -> None:
    """OpenAI refuses files that mix models."""
    small = [make_request(index, model="small", purpose="summary", picture=None) for index in range(3)]
    mixed = [make_talk(index, lambda index=index: [small[index]]) for index in range(3)] + talks(2)
    prices = PRICES | {"small": Price(input=0.15, output=0.6)}
    written = write_batch(mixed[::-1], ledger, make_settings(prices=prices), tmp_path / "batches")
    models = [{line["body"]["model"] for line in read_lines((path,))} for path in written.paths]
    assert models == [{MODEL}, {"small"}]
    assert written.n_requests == 5


def test_files_are_no_larger_than_an_endpoint_takes(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_file, "MOST_REQUESTS", 4)
    written = write_batch(talks(10), ledger, SETTINGS, tmp_path / "by_number")
    assert [len(read_lines((path,))) for path in written.paths] == [4, 4, 2]
    monkeypatch.setattr(batch_file, "MOST_BYTES", 1000)
    written = write_batch(
        [make_talk(index) for index in range(10, 20)], ledger, SETTINGS, tmp_path / "by_size"
    )
    sizes = [path.stat().st_size for path in written.paths]
    assert max(sizes) <= 1000
    assert min(sizes[:-1]) > 500
    assert len(read_lines(written.paths)) == 10


def test_a_picture_that_cannot_be_read_costs_one_conversation(tmp_path: Path, ledger: Ledger) -> None:
    def fail(error: Exception) -> Any:
        raise error

    lost = Talk(
        id="lost",
        start=make_talk(1).start,
        read_picture=lambda: fail(RecordError(Reason.UNREADABLE, "truncated")),
    )
    gone = Talk(id="gone", start=make_talk(2).start, read_picture=lambda: fail(FileNotFoundError("shard")))
    swapped = Talk(id="swapped", start=make_talk(3).start, read_picture=lambda: (b"another", "jpg"))

    def refuse() -> Conversation:
        if not refuse:
            yield make_request(0)
        raise RecordError(Reason.BAD_ANSWER, "nothing")

    refused = Talk(id="refused", start=refuse, read_picture=lambda: (b"", "jpg"))
    advanced: list[int] = []
    written = write_batch(
        [lost, gone, swapped, refused, make_talk(4)],
        ledger,
        SETTINGS,
        tmp_path / "batches",
        advance=advanced.append,
    )
    assert (written.n_requests, written.n_failed, sum(advanced)) == (1, 4, 5)
    assert ledger.totals().maybe == pytest.approx(MOST)
    assert ledger.why_not(make_request(1)) is None


def test_a_disk_that_is_full_leaves_nothing_reserved(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, key: str, line: bytes) -> None:
        if len(self.keys) == 2:
            raise WriteError("The disk is full.")
        keep(self, key, line)

    keep = batch_file._OpenFile.write
    monkeypatch.setattr(batch_file._OpenFile, "write", refuse)
    with pytest.raises(WriteError, match="full"):
        write_batch(talks(5), ledger, SETTINGS, tmp_path / "batches")
    assert list((tmp_path / "batches").iterdir()) == []
    monkeypatch.undo()
    assert ledger.totals().maybe == 0
    assert write_batch(talks(5), ledger, SETTINGS, tmp_path / "batches").n_requests == 5


def test_what_is_in_a_whole_file_stays_out_when_the_next_one_fails(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, key: str, line: bytes) -> None:
        if self.path.name == "002-requests.jsonl":
            raise WriteError("The disk is full.")
        keep(self, key, line)

    keep = batch_file._OpenFile.write
    with monkeypatch.context() as patch:
        patch.setattr(batch_file._OpenFile, "write", refuse)
        patch.setattr(batch_file, "MOST_REQUESTS", 2)
        with pytest.raises(WriteError, match="full"):
            write_batch(talks(5), ledger, SETTINGS, tmp_path / "batches")
    (whole,) = (tmp_path / "batches").iterdir()
    assert len(read_lines([whole])) == 2
    assert ledger.totals().maybe == pytest.approx(2 * MOST)
    again = write_batch(talks(5), ledger, SETTINGS, tmp_path / "batches")
    assert (again.n_requests, again.n_out) == (3, 2)


def test_a_file_that_cannot_get_its_name_leaves_nothing_reserved(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(WriteError, match="The disk is full"):
            write_batch(talks(5), ledger, SETTINGS, tmp_path / "batches")
    assert list((tmp_path / "batches").iterdir()) == []
    assert ledger.totals().maybe == 0


def test_an_interruption_leaves_nothing_reserved(tmp_path: Path, ledger: Ledger) -> None:
    def interrupted() -> Iterator[Talk]:
        yield from talks(100)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_batch(interrupted(), ledger, SETTINGS, tmp_path / "batches")
    assert list((tmp_path / "batches").iterdir()) == []
    assert ledger.totals().maybe == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from ledger_requests import make_settings, make_talk
from earthloom.caption.endpoint.batch import write_batch
from earthloom.caption.ledger import Ledger
folder, moment = Path(sys.argv[1]), sys.argv[2]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if moment == "between":
    Ledger.mark_batch = die
def talks():
    for index in range(200):
        if moment == "within" and index == 150:
            die()
        yield make_talk(index)
write_batch(talks(), Ledger(folder / "ledger"), make_settings(), folder / "batches")
"""


@pytest.mark.parametrize(("moment", "n_again"), [("within", 200), ("between", 0)])
def test_a_kill_loses_no_request_and_doubles_none(tmp_path: Path, moment: str, n_again: int) -> None:
    """Killed before the file has its name, all is written again; killed just after, nothing is."""
    head = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    script = [sys.executable, "-c", head + KILLED, str(tmp_path), moment]
    done = subprocess.run(script, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with Ledger(tmp_path / "ledger") as ledger:
        written = write_batch(talks(200), ledger, SETTINGS, tmp_path / "batches")
        assert written.n_requests == n_again
        assert ledger.totals().maybe == pytest.approx(200 * MOST)
    names = [path.name for path in (tmp_path / "batches").iterdir()]
    assert names == ["001-requests.jsonl"]
    keys = [line["custom_id"] for line in read_lines((tmp_path / "batches" / names[0],))]
    assert keys == [make_request(index).key for index in range(200)]


def test_memory_does_not_grow_with_the_pictures(tmp_path: Path, ledger: Ledger) -> None:
    large = b"\xff\xd8" + bytes(200_000)
    digest = hashlib.sha256(large).hexdigest()

    def ask(index: int) -> Talk:
        def start() -> Conversation:
            yield make_request(index, picture=digest)
            return Written()

        return Talk(id=str(index), start=start, read_picture=lambda: (large, "jpg"))

    tracemalloc.start()
    written = write_batch(map(ask, range(300)), ledger, SETTINGS, tmp_path / "batches")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert written.n_requests == 300
    assert written.n_bytes > 300 * 200_000
    assert peak < 8_000_000
