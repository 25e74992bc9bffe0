"""The verbs that tell of money: costs, the dry run and batch, as a person at a terminal meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from asking_recipes import write_recipe
from fakes.chat_server import Behaviour, serve_chat
from typer.testing import CliRunner, Result

from earthloom.caption import Answer, Request
from earthloom.caption.config import Limits
from earthloom.caption.ledger import Ledger
from earthloom.cli import app
from earthloom.core.errors import UsageError
from earthloom.run.costs import read_costs


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)


def ask(model: str, number: int) -> Request:
    return Request(
        author="chat",
        purpose="captions",
        tile_id=str(number),
        model=model,
        body={"model": model, "number": number},
        tokens_in=1000,
        tokens_out=100,
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Three answers of one model, a failure and an open request of another."""
    path = tmp_path / "answers.sqlite"
    with Ledger(path) as ledger:
        for number in range(3):
            request = ask("big", number)
            assert ledger.reserve(request, 0.5, Limits())
            answer = Answer(text=f"{number}", tokens_in=900, tokens_out=50)
            ledger.finish(request, answer, cost=0.25, seconds=1.0, tries=1)
        assert ledger.reserve(ask("small", 1), 0.125, Limits())
        ledger.fail(ask("small", 1), "refused", cost=0.0, tries=1, is_final=True)
        assert ledger.reserve(ask("small", 2), 0.125, Limits())
    return path


def test_costs_add_up_by_model(ledger: Path) -> None:
    found = read_costs(ledger).to_json()
    assert found["models"]["big"] == {
        "requests": 3, "answered": 3, "failed": 0, "open": 0, "tokens_in": 2700, "tokens_out": 150,
        "spent": 0.75, "maybe": 0.0,
    }  # fmt: skip
    small = found["models"]["small"]
    assert (small["requests"], small["failed"], small["open"], small["maybe"]) == (2, 1, 1, 0.125)
    assert found["all"]["spent"] == 0.75
    assert found["all"]["requests"] == 5


def test_costs_are_a_table_or_json(ledger: Path) -> None:
    lines = run("costs", ledger).stdout.splitlines()
    heads = ("model", "asked", "answered", "failed", "open", "tokens in", "tokens out", "spent", "maybe")
    assert lines[0].split() == " ".join(heads).split()
    assert lines[1].split() == ["big", "3", "3", "0", "0", "2,700", "150", "0.75", "0.00"]
    assert lines[3].split()[0] == "all"
    assert lines[4].startswith("maybe: requests that were sent")
    assert len({len(line) for line in lines[:4]}) == 1
    assert json.loads(run("costs", ledger, "--json").stdout)["all"]["answered"] == 3


def test_a_place_without_a_ledger_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no ledger at"):
        read_costs(tmp_path)


def test_a_dry_run_prints_what_captions_would_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", "sk")
    recipe = write_recipe(tmp_path, 4, "http://127.0.0.1:9/v1")
    said = run("build", recipe, "--dry-run", "-w", "0", "-q")
    assert said.exit_code == 0, said.output
    assert "missing now" in said.stdout
    assert "no budget" in said.stdout
    found = json.loads(run("build", recipe, "--dry-run", "-w", "0", "-q", "--json").stdout)
    assert found["n_talks"] == 4
    assert found["missing"]["n_requests"] == 4
    rules = recipe.with_name("rules.yaml")
    rules.write_text("name: r\nsources: [{kind: images, path: pictures}]\ntile: {size: 64, fit: whole}\n")
    assert "nothing to pay" in run("build", rules, "--dry-run", "-w", "0", "-q").stdout
    assert json.loads(run("build", rules, "--dry-run", "-w", "0", "-q", "--json").stdout) is None


def test_batch_wants_files_or_that_they_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", "sk")
    recipe = write_recipe(tmp_path, 2, "http://127.0.0.1:9/v1", batch=True)
    for wrong in (("batch", recipe), ("batch", recipe, "a.jsonl", "--lost")):
        assert isinstance(run(*wrong).exception, UsageError)
    early = run("batch", recipe, "a.jsonl").exception
    assert isinstance(early, UsageError)
    assert "has written no batch files" in str(early)
    run("build", recipe, "-w", "0", "-q")
    assert (
        run("batch", recipe, "--lost", "-o", tmp_path / "asked-work").stdout
        == "2 requests will be written again.\n"
    )
    answers = tmp_path / "a.jsonl"
    answers.write_text('{"custom_id": "strange"}\n')
    useless = run("batch", recipe, answers).exception
    assert isinstance(useless, UsageError)
    assert "None of 1 lines answers a request of this run" in str(useless)


def test_a_recipe_without_a_model_has_no_batches(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    rules = tmp_path / "rules.yaml"
    rules.write_text("name: r\nsources: [{kind: images, path: pictures}]\n")
    error = run("batch", rules, "a.jsonl").exception
    assert isinstance(error, UsageError)
    assert "asks no remote model" in str(error)


def test_a_build_says_which_captions_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", "sk")
    with serve_chat(Behaviour(rates={"invented": 1.0}, key="sk")) as chat:
        recipe = write_recipe(tmp_path, 3, chat.url, repairs=0)
        said = run("build", recipe, "-w", "0", "-q")
    assert said.exit_code == 0, said.output
    assert "captions that failed a check: 3 names" in said.stdout
    assert json.loads((tmp_path / "asked-work" / "run.json").read_text())["counts"]["dropped_captions"] == {
        "names": 3
    }
