"""`earthloom train` as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from training_folders import make_folders, write_recipe
from training_steps import TinyStep, making

from earthloom import cli
from earthloom.train import training


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures and a recipe; what is trained is small."""
    monkeypatch.setattr(
        training.train, "__kwdefaults__", training.train.__kwdefaults__ | {"make": making(TinyStep)}
    )
    make_folders(tmp_path)
    write_recipe(tmp_path / "tiny.yaml", steps=6)
    return tmp_path


def run(*words: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command line in this process; its exit status."""
    monkeypatch.setattr(sys, "argv", ["earthloom", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def test_train_goes_beside_the_recipe_and_says_what_was_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("train", folder / "tiny.yaml", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    weights = folder / "tiny-training" / "weights" / "painter.safetensors"
    assert weights.is_file()
    assert "tiny: 6 steps" in said
    assert "from     5 samples" in said
    assert str(weights) in said


def test_train_reports_as_json_and_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("train", folder / "tiny.yaml", "-o", folder / "out", "--json", "--quiet")
    for resumed_from in (0, 6):
        assert run(*words, monkeypatch=monkeypatch) == 0
        shown = capsys.readouterr()
        told = json.loads(shown.out)
        assert (told["steps"], told["resumed_from"]) == (6, resumed_from)
        assert told["samples"] == {"from": 5, "to": 5}
        assert shown.err == ""
    assert json.loads((folder / "out" / "run.json").read_text()) == told
    assert run(*words, "--fresh", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["resumed_from"] == 0


def test_wrong_calls_are_status_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_recipe(folder / "bad.yaml", crop=7, method="gan")
    assert run("train", folder / "bad.yaml", monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err
    assert "has 2 faults" in said
    assert "line 7: crop" in said
    assert run("train", folder / "tiny.yaml", "-o", folder / "a" / "x", monkeypatch=monkeypatch) == 2
    assert "lies inside the pictures" in capsys.readouterr().err
    assert run("train", folder / "tiny.yaml", "-q", monkeypatch=monkeypatch) == 0
    write_recipe(folder / "tiny.yaml", steps=7)
    assert run("train", folder / "tiny.yaml", "-q", monkeypatch=monkeypatch) == 2
    assert "`steps` was 6 and is 7" in capsys.readouterr().err


def test_its_help_has_an_example(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "earthloom", "train", "--help"], capture_output=True, text=True, check=True
    )
    assert "earthloom train" in done.stdout.partition("Examples:")[2]


def test_without_torch_it_says_what_to_install(folder: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['earthloom', 'train', 'tiny.yaml']; "
        "from earthloom.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'earthloom[models]'" in done.stderr
    assert "Traceback" not in done.stderr
