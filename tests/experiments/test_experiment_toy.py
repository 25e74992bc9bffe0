"""Every experiment that ships, at toy size, from one command: offline, without weights of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from earthloom.experiments.running import run_experiment
from earthloom.experiments.shipped import ORDER
from earthloom.store.layout import ExperimentFolder


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ORDER)
def test_a_toy_runs_from_one_command_and_answers(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    told: list[str] = []
    found = run_experiment(name, workers=0, tell=told.append)
    assert found.size == "toy"
    assert not any(step.is_kept for step in found.steps)
    for answer in found.answers:
        figures = [measured.figure for measured in answer.measured]
        assert all(figure.value is not None or figure.reason for figure in figures)
        assert any(figure.value is not None for figure in figures), answer.question.ask
        assert len(answer.differences) <= len(figures) - 1
    folder = ExperimentFolder(tmp_path / f"{name}-toy")
    before = folder.summary.read_bytes()
    assert json.loads(before)["experiment"] == name
    assert all(answer.question.ask in folder.text.read_text() for answer in found.answers)
    assert found.experiment.title in folder.page.read_text()
    again = run_experiment(name, workers=0)
    assert all(step.is_kept for step in again.steps)
    assert folder.summary.read_bytes() == before
