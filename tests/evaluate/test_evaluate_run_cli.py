"""`earthloom evaluate run` as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from earthloom.evaluate.result import Figure, align, say_number


def earthloom(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "earthloom", "evaluate", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def recipe(weather: Path, tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"evaluate: scenes\nname: weather\nsynthetic: {{fog: {weather}/fog}}\nclear: {weather}/clear\nlimit: 6\n"
    )
    return path


def test_that_a_recipe_becomes_a_result_and_a_page(recipe: Path, tmp_path: Path) -> None:
    done = earthloom("run", recipe.name, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    folder = tmp_path / "weather-evaluation"
    assert told == json.loads((folder / "result.json").read_text())
    assert told["kind"] == "scenes"
    assert {"skill", "gate", "structure"} & {figure["name"].split(":")[0] for figure in told["figures"]}
    assert (folder / "index.html").is_file()
    assert (folder / "scenes" / "index.html").is_file()


def test_that_a_wrong_recipe_exits_with_two_and_tells_every_fault(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("evaluate: scenes\nname: x\nreal: {fog: fog}\nseeds: 1\n")
    done = earthloom("run", "wrong.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert "Did you mean `seed`?" in done.stderr


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "1"),
        (0.123456, "0.1235"),
        (12345.0, "12,345"),
        (12345.6, "12,346"),
        (-1234.4, "-1,234"),
        (999.96, "1,000"),
        (99.996, "100"),
        (1e-9, "1e-09"),
        (2.5e12, "2.5e+12"),
        (-0.0, "0"),
    ],
)
def test_that_numbers_are_short(value: float, said: str) -> None:
    assert say_number(value) == said


def test_that_digits_are_those_that_are_asked_for() -> None:
    assert [say_number(0.123456, digits) for digits in (2, 3)] == ["0.12", "0.123"]
    assert say_number(123.4, 3) == "123"


def test_that_columns_stand_below_each_other() -> None:
    assert align([("a", "bb", ""), ("ccc", "d", "e")]) == ["a    bb", "ccc  d   e"]
    assert Figure(name="x", value=None).reason is None
