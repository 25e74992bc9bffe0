"""Captions by a remote model through a whole build: faults, kills, budgets, dry runs and batch files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from asking_recipes import write_recipe
from fakes.chat_answers import answer_like_a_model
from fakes.chat_server import Behaviour, read_log, run_chat, serve_chat

import earthloom
from earthloom.caption import Request, open_authors
from earthloom.caption.asking import Answer, Conversation, resume
from earthloom.caption.endpoint.completion import encode_request
from earthloom.caption.facts.statements import Statements
from earthloom.caption.ledger import Ledger, find_outcome
from earthloom.core.errors import RecipeError, RecordError, RunError, StoppedError, UsageError
from earthloom.recipes import load_recipe
from earthloom.run.asking import read_answers, release_batches
from earthloom.run.build import estimate
from earthloom.run.costs import read_costs
from earthloom.run.reading import find_scenes, iter_tile_groups

SECRET = "sk-toy-0123456789"
FAULTS = {
    "silence": 0.004, "drip": 0.004, "busy": 0.03, "busy_retry_after": 0.01, "error_500": 0.02, "error_502": 0.01,
    "error_503": 0.01, "reset_before": 0.01, "reset_after": 0.01, "half_json": 0.02, "html": 0.01,
    "wrong_schema": 0.02, "empty": 0.02, "null_refusal": 0.01, "content_filter": 0.01, "cut_by_length": 0.02,
    "same": 0.02, "prose_refusal": 0.02, "invented": 0.05, "flood": 0.002, "bad_request": 0.01, "no_completion": 0.01,
}  # fmt: skip


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", SECRET)


def build(recipe: Path, **options: object) -> earthloom.Summary:
    work = recipe.parent / "work"
    return earthloom.build(load_recipe(recipe), work, base=recipe.parent, workers=0, **options)


def captions_of(recipe: Path) -> list[dict[str, str]]:
    tables = [pq.read_table(path) for path in sorted(recipe.parent.glob("work/release/data/*.parquet"))]
    return [caption for table in tables for row in table["captions"].to_pylist() for caption in row]


def release_of(recipe: Path) -> dict[str, str]:
    files = sorted((recipe.parent / "work/release").rglob("*.parquet"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def find_secret(folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if SECRET.encode() in path.read_bytes()]


def test_five_captions_of_five_roles_with_their_author(tmp_path: Path) -> None:
    with serve_chat(Behaviour(key=SECRET)) as chat:
        recipe = write_recipe(tmp_path, 24, chat.url)
        summary = build(recipe)
        assert summary.n_out == 24
        assert not summary.dropped
        n_received = chat.received.total()
        captions = captions_of(recipe)
        by_model = [c for c in captions if c["author"] == "toy-vision/gaia-1"]
        assert Counter(c["role"] for c in by_model) == dict.fromkeys(
            ("overview", "composition", "arrangement", "conditions", "interpretation"), 24
        )
        assert {c["style"] for c in by_model} == {"gaia"}
        assert sum(c["author"] == "rules@2" for c in captions) == 24
        assert n_received == 24 + 3  # articles of three pictures are condensed first
        before = release_of(recipe)
        shutil.rmtree(tmp_path / "work" / "release")
        shutil.rmtree(tmp_path / "work" / "04-caption")
        build(recipe)
        assert chat.received.total() == n_received
        assert release_of(recipe) == before
    assert not find_secret(tmp_path)


def test_every_fault_at_once(tmp_path: Path) -> None:
    """Nothing is lost and nothing is silent: every picture has captions of the model, or the reason why not."""
    with serve_chat(Behaviour(rates=FAULTS, key=SECRET)) as chat:
        recipe = write_recipe(
            tmp_path, 160, chat.url, limits={"timeout_s": 0.5, "backoff_s": 0.02, "tries": 6}
        )
        summary = build(recipe)
        assert summary.stages["caption"].counts.planned == 160
        written = {c["id"] for c in _by_model(recipe)}
        unwritten = {row["id"]: row for row in _captioned(recipe) if row["id"] not in written}
        for row in unwritten.values():
            assert [
                d for d in row["dropped"] if d["author"] in {"chat", "toy-vision/gaia-1"} and d["evidence"]
            ], row
        assert len(unwritten) < 16
        assert len(chat.faults) > 15
        assert summary.dropped["answer"] > 3
        n_received = chat.received.total()
        assert _paid_twice(chat.answered, spoilt=chat.faults) == 0
        unreachable = sum(d["check"] == "unreachable" for row in unwritten.values() for d in row["dropped"])
        again = build(recipe)
        assert chat.received.total() - n_received <= 10 * unreachable
        assert again.n_out == summary.n_out
    assert not find_secret(tmp_path)


def _captioned(recipe: Path) -> list[dict]:
    files = sorted(recipe.parent.glob("work/04-caption/*.parquet"))
    return [row for path in files if "refused" not in path.name for row in pq.read_table(path).to_pylist()]


def _by_model(recipe: Path) -> list[dict]:
    return [row for row in _captioned(recipe) if any(c["author"].startswith("toy") for c in row["captions"])]


def _paid_twice(answered: Counter[str], spoilt: Counter[str]) -> int:
    """Answers given again for the same body; a flood is cut off by us and may be tried again."""
    return max(0, sum(n - 1 for n in answered.values()) - 6 * spoilt["flood"])


def test_a_budget_stops_the_run_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    """24 pictures of about 0.03 each at most: the run stops when the next could exceed the budget, and says so."""
    with serve_chat(Behaviour(key=SECRET, tokens_in=1000, tokens_out=250)) as chat:
        recipe = write_recipe(tmp_path, 24, chat.url, limits={"budget": 0.06})
        with pytest.raises(StoppedError, match=r"budget of 0\.06 is used up.*nothing that was answered"):
            build(recipe)
        spent = read_costs(tmp_path / "work").totals
        assert 0.04 < spent.spent <= 0.06
        assert spent.maybe == 0
        assert spent.spent == pytest.approx(spent.all.n_answered * (1000 * 2.5 + 250 * 10) / 1e6)
        assert spent.all.n_answered == chat.answered.total()
        recipe.write_text(recipe.read_text().replace("budget: 0.06", "budget: 10.0"))
        assert build(recipe).n_out == 24
        assert max(chat.received.values()) == 1
        assert read_costs(tmp_path / "work").totals.all.n_answered == 27


def test_a_dry_run_asks_nothing_and_counts_right(tmp_path: Path) -> None:
    with serve_chat(Behaviour(key=SECRET)) as chat:
        recipe = write_recipe(tmp_path, 16, chat.url)
        loaded = load_recipe(recipe)
        found = estimate(loaded, tmp_path / "work", base=tmp_path, workers=0)
        assert found is not None
        assert (found.n_talks, found.n_ended) == (16, 0)
        assert found.missing.n_requests + found.later.n_requests == 16 + 2
        assert chat.received.total() == 0
        assert found.missing.live is not None
        build(recipe)
        spent = read_costs(tmp_path / "work").totals.spent
        assert 0 < spent <= found.most.live
        assert estimate(loaded, tmp_path / "work", base=tmp_path, workers=0) is None


def test_recaptioning_touches_no_pixels_and_asks_only_what_is_new(tmp_path: Path) -> None:
    with serve_chat(Behaviour(key=SECRET)) as chat:
        recipe = write_recipe(tmp_path, 8, chat.url)
        build(recipe)
        tiles = {path: path.stat().st_mtime_ns for path in (tmp_path / "work/02-tile").iterdir()}
        n_received = chat.received.total()
        text = recipe.read_text()
        recipe.write_text(text.replace("input: 2.5", "input: 3.5"))
        assert build(recipe).stages["caption"].n_reused == 1
        recipe.write_text(text.replace("- mmm_rs", "- enriched"))
        build(recipe)
        assert chat.received.total() == n_received
        assert {c["style"] for c in captions_of(recipe)} == {"gaia", "enriched"}
        recipe.write_text(text.replace("model: toy-vision", "model: toy-vision\n    temperature: 0.9"))
        build(recipe)
        assert chat.received.total() == 2 * n_received
        assert {path: path.stat().st_mtime_ns for path in tiles} == tiles


def test_a_missing_key_is_a_fault_of_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOY_KEY")
    recipe = write_recipe(tmp_path, 1, "http://127.0.0.1:9/v1")
    with pytest.raises(
        RecipeError, match=r"key_env: the environment variable TOY_KEY is not set.*key_env: null"
    ):
        build(recipe)
    assert not (tmp_path / "work").exists()


def test_a_key_is_wanted_only_where_something_is_to_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_chat(Behaviour(key=SECRET)) as chat:
        recipe = write_recipe(tmp_path, 2, chat.url)
        build(recipe)
        monkeypatch.delenv("TOY_KEY")
        assert build(recipe).n_out == 2
        recipe.write_text(
            recipe.read_text().replace("model: toy-vision", "model: toy-vision\n    temperature: 0.9")
        )
        with pytest.raises(RecipeError, match="TOY_KEY is not set"):
            build(recipe)


def test_a_refused_key_stops_at_once_and_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", "sk-wrong-4711")
    with serve_chat(Behaviour(key=SECRET)) as chat:
        recipe = write_recipe(tmp_path, 40, chat.url)
        with pytest.raises(RunError, match="TOY_KEY") as caught:
            build(recipe)
        assert "4711" not in str(caught.value)
        assert chat.received.total() < 10
    files = (path for path in (tmp_path / "work").rglob("*") if path.is_file())
    assert not [path for path in files if b"4711" in path.read_bytes()]


def test_batch_files_there_and_back(tmp_path: Path) -> None:
    """Articles are condensed in a first batch, captions come in the next, and then the release is built."""
    recipe = write_recipe(tmp_path, 16, "http://127.0.0.1:9/v1", batch=True)
    loaded = load_recipe(recipe)
    done: list[Path] = []
    n_requests = []
    for _ in range(5):
        try:
            summary = build(recipe)
            break
        except StoppedError as stopped:
            assert "earthloom batch" in str(stopped)
        fresh = [
            path for path in sorted((tmp_path / "work/batches").glob("*-requests.jsonl")) if path not in done
        ]
        done += fresh
        answers = tmp_path / f"answers-{len(done)}.jsonl"
        if not n_requests:
            fresh = _lose(loaded, tmp_path, fresh)
            done += fresh
        n_requests.append(_answer_batch(fresh, answers))
        found = read_answers(loaded, tmp_path / "work", [answers], base=tmp_path)
        assert found.n_answered == n_requests[-1]
    assert n_requests == [16, 2]
    assert summary.n_out == 16
    assert sum(c["author"] == "toy-vision/gaia-1" for c in captions_of(recipe)) == 80
    spent = read_costs(tmp_path / "work").totals
    assert spent.spent == pytest.approx(18 * (1000 * 2.5 + 250 * 10) / 1e6 / 2)
    assert spent.maybe == 0


def test_a_bug_about_one_picture_is_kept_with_it_and_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from earthloom.caption.chat import conversation

    def break_on_tasmania(said: Statements) -> str:
        if said.place is not None and said.place.name == "Tasmania":
            raise ZeroDivisionError("in this picture")
        return list_facts(said)

    list_facts = conversation.list_facts
    monkeypatch.setattr(conversation, "list_facts", break_on_tasmania)
    with serve_chat(Behaviour(key=SECRET)) as chat:
        summary = build(write_recipe(tmp_path, 10, chat.url))
    assert (summary.n_out, summary.n_failed) == (8, 2)
    (failed,) = (tmp_path / "work/04-caption").glob("*.failed.parquet")
    for row in pq.read_table(failed).to_pylist():
        assert "ZeroDivisionError: in this picture" in row["traceback"]
        assert "break_on_tasmania" in row["traceback"]


def test_files_that_answer_nothing_of_this_run_are_a_wrong_call(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, 2, "http://127.0.0.1:9/v1", batch=True)
    with pytest.raises(StoppedError):
        build(recipe)
    other = tmp_path / "other.jsonl"
    other.write_text(
        json.dumps({"custom_id": "0" * 32, "response": None, "error": {"code": "expired"}}) + "\n{\n"
    )
    with pytest.raises(UsageError, match=r"None of 2 lines.*1 belong to other runs, 1 are no answers"):
        read_answers(load_recipe(recipe), tmp_path / "work", [other], base=tmp_path)
    other.write_text("")  # a provider's file of errors, where there were none
    assert read_answers(load_recipe(recipe), tmp_path / "work", [other], base=tmp_path).n_lines == 0


def test_a_switch_to_live_requests_pays_for_no_batch_twice(tmp_path: Path) -> None:
    with serve_chat(Behaviour(key=SECRET)) as chat:
        recipe = write_recipe(tmp_path, 2, chat.url, batch=True)
        with pytest.raises(StoppedError):
            build(recipe)
        recipe.write_text(recipe.read_text().replace("batch: true", "batch: false"))
        with pytest.raises(RunError, match="wait in batch files"):
            build(recipe)
        assert chat.received.total() == 0
        assert release_batches(load_recipe(recipe), tmp_path / "work", base=tmp_path) == 2
        assert build(recipe).n_out == 2


def _lose(loaded: earthloom.Recipe, folder: Path, lost: list[Path]) -> list[Path]:
    """Nothing is written while requests are out; once they are given up, all of them are."""
    work = folder / "work"
    with pytest.raises(StoppedError, match=r"wait for the answers to batch files.*earthloom batch"):
        earthloom.build(loaded, work, base=folder, workers=0)
    assert release_batches(loaded, work, base=folder) == 16
    with pytest.raises(StoppedError, match="16 requests wait in"):
        earthloom.build(loaded, work, base=folder, workers=0)
    return [path for path in sorted((work / "batches").glob("*-requests.jsonl")) if path not in lost]


def _answer_batch(requests: list[Path], answers: Path) -> int:
    """What a provider does with batch files, in OpenAI's form."""
    lines = [json.loads(line) for path in requests for line in path.read_text().splitlines()]
    with answers.open("w") as file:
        for line in reversed(lines):
            completion = {
                "object": "chat.completion",
                "model": "toy-vision",
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": answer_like_a_model(line["body"])},
                    }
                ],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 250},
            }
            response = {"status_code": 200, "request_id": "r", "body": completion}
            row = {"id": "x", "custom_id": line["custom_id"], "response": response, "error": None}
            file.write(json.dumps(row) + "\n")
    return len(lines)


# --- kills --------------------------------------------------------------------------------------------------------


def _start(recipe: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "earthloom",
        "build",
        str(recipe),
        "-o",
        str(recipe.parent / "work"),
        "-w",
        "1",
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def _bodies_with_answers(recipe: Path) -> Iterator[str]:
    """SHA-256 of every body, as it goes over the wire, whose answer the ledger holds."""
    work = recipe.parent / "work"
    models = open_authors(load_recipe(recipe).caption_settings(), recipe.parent)
    scenes = sorted(
        path for path in (work / "01-ingest").glob("*.parquet") if path.stem.isalnum() or "-" in path.stem
    )
    scenes = [path for path in scenes if "refused" not in path.name and "failed" not in path.name]
    with Ledger(work / "ledger.sqlite", read_only=True) as ledger:
        for tiles in sorted((work / "02-tile").glob("*.parquet")):
            if "refused" in tiles.name or "failed" in tiles.name:
                continue
            known = find_scenes([tiles], scenes)
            for pictures, group in iter_tile_groups(tiles):
                for row, tile in enumerate(group):
                    talk = models.talk(
                        "chat", known[tile.scene_id], tile, lambda p=pictures, r=row: p.read(r)
                    )
                    for request in _answered_requests(talk.start(), ledger):
                        yield hashlib.sha256(encode_request(request, talk)).hexdigest()


def _answered_requests(conversation: Conversation, ledger: Ledger) -> Iterator[Request]:
    outcome: Answer | RecordError | None = None
    while True:
        try:
            request = resume(conversation, outcome)
        except (StopIteration, RecordError):
            return
        outcome = find_outcome(request, ledger)
        if outcome is None:
            conversation.close()
            return
        if isinstance(outcome, Answer):
            yield request


def _kill_and_check(recipe: Path, log: Path, n_images: int, waits: list[int]) -> Counter[str]:
    """Kill a run each time that the server has so many more answers; give how often each body was answered."""
    safe: set[str] = set()
    n_before = Counter[str]()
    for wait in waits:
        process = _start(recipe)
        goal = read_log(log).answered.total() + wait if log.exists() else wait
        while process.poll() is None and (not log.exists() or read_log(log).answered.total() < goal):
            time.sleep(0.05)
        assert process.poll() is None, process.communicate()[0]
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        counts = read_log(log)
        for digest in safe:
            assert counts.received[digest] == n_before[digest], "asked again although its answer was kept"
        safe = set(_bodies_with_answers(recipe))
        assert len(safe) > wait // 2
        n_before = counts.received
    process = _start(recipe)
    out, _ = process.communicate(timeout=280)
    assert process.returncode == 0, out
    counts = read_log(log)
    for digest in safe:
        assert counts.received[digest] == n_before[digest], "asked again although its answer was kept"
    rows = _captioned(recipe)
    assert len(rows) == n_images
    for row in rows:
        has_captions = sum(c["author"].startswith("toy") for c in row["captions"]) > 0
        assert has_captions or [
            d for d in row["dropped"] if d["author"] in {"chat", "toy-vision/gaia-1"} and d["evidence"]
        ]
    return counts.answered


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("n", "waits"), [(150, [20, 30, 30]), pytest.param(2000, [300, 500, 400], marks=pytest.mark.slow)]
)
def test_three_kills_pay_for_nothing_twice(tmp_path: Path, n: int, waits: list[int]) -> None:
    """Every fault is on. What the ledger holds at a kill is never asked again, by the server's count."""
    log = tmp_path / "log"
    with run_chat(Behaviour(rates=FAULTS, latency_s=0.05, spread=0.5, key=SECRET), log=log) as chat:
        limits = {"timeout_s": 0.8, "backoff_s": 0.02, "tries": 6}
        recipe = write_recipe(tmp_path, n, chat.url, limits=limits)
        answered = _kill_and_check(recipe, log, n, waits)
    twice = sum(count - 1 for count in answered.values())
    sys.stdout.write(
        f"{n} images, 3 kills: {answered.total():,} answers to {len(answered):,} requests, {twice} of them twice\n"
    )
    assert twice <= 3 * 64 + 0.02 * n  # on the wire at a kill; answers too long to be kept are tried again
    assert not find_secret(tmp_path)


# --- the example ---------------------------------------------------------------------------------------------------


def test_the_example_over_real_tiles(
    tmp_path: Path, repository: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`examples/captions.yaml` as it stands, but for the local model and the place of the endpoint and of the data."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    text = (repository / "examples/captions.yaml").read_text()
    without_blip2 = text.replace("with: [blip2, chat, rules]", "with: [chat, rules]")
    without_blip2 = re.sub(r"  blip2:\n(    .*\n)+", "", without_blip2)
    with serve_chat(Behaviour(key=SECRET)) as chat:
        asked = without_blip2.replace("    model: gpt-4o", f"    base_url: {chat.url}\n    model: gpt-4o")
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(asked.replace("../../shared/data", str(real_data)))
        summary = build(recipe)
    assert summary.n_out == 48
    assert not summary.dropped
    captions = captions_of(recipe)
    assert sum(c["author"] == "gpt-4o-2024-08-06/gaia-1" for c in captions) == 5 * 48
    assert sum("North Dakota" in c["text"] for c in captions if c["style"] == "gaia") >= 48
    assert not find_secret(tmp_path)
