"""`earthloom evaluate scenes` as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from earthloom import cli


def run(*words: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command line in this process; its exit status."""
    monkeypatch.setattr(sys, "argv", ["earthloom", "evaluate", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def test_folders_are_compared(
    weather: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(weather)
    words = (
        "scenes",
        "--synthetic",
        "fog=fog",
        "--clear",
        "clear",
        "--real",
        "fog=real-fog",
        "-o",
        tmp_path / "out",
    )
    assert run(*words, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "fog       24 pictures, structure 0.9" in said.out
    assert "skill" in said.out
    assert str(tmp_path / "out" / "index.html") in said.out
    assert (tmp_path / "out" / "scenes.json").is_file()


def test_numbers_alone(
    weather: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "scenes",
        "--synthetic",
        f"snow={weather / 'snow'}",
        "--limit",
        "5",
        "-o",
        tmp_path,
        "--json",
        "--quiet",
    )
    assert run(*words, monkeypatch=monkeypatch) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["effects"][0]["n"] == 5
    assert told == json.loads((tmp_path / "scenes.json").read_text())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("scenes",), "wants either a release or --synthetic"),
        (("scenes", "nowhere"), "there is no folder"),
        (("scenes", "--synthetic", "fog"), "EFFECT=FOLDER"),
        (("scenes", "w", "--encoder", "dinov2"), "wants its weights"),
    ],
)
def test_wrong_calls_are_status_2(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*words, monkeypatch=monkeypatch) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_none_are_told_before_any_work(
    weather: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "scenes",
        "--synthetic",
        f"fog={weather / 'fog'}",
        "--encoder",
        "inception",
        "--weights",
        tmp_path / "x.pt",
    )
    assert run(*words, "-o", tmp_path / "out", monkeypatch=monkeypatch) == 2
    assert "inception-2015-12-05.pt" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_its_help_has_an_example() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "earthloom", "evaluate", "scenes", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "earthloom evaluate scenes" in done.stdout.partition("Examples:")[2]
