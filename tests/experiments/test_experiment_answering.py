"""Answers: which of two is better, told by intervals or prompt by prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from experiment_files import make_result

from earthloom.core.errors import UsageError
from earthloom.evaluate.attributes.measuring import READINGS
from earthloom.evaluate.result import Figure
from earthloom.experiments.answering import Answer, answer
from earthloom.experiments.bars import draw_bars
from earthloom.experiments.config import Question
from earthloom.experiments.pairing import compare_verdicts, read_verdicts
from earthloom.experiments.wording import write_answer, write_measured, write_number
from earthloom.store.layout import ExperimentFolder


def ask(first: Figure, second: Figure, folder: Path = Path("nowhere"), pair_by: str | None = None) -> Answer:
    question = Question(ask="Better?", figure=first.name, of={"one": "a", "two": "b"}, pair_by=pair_by)
    results = {"a": make_result([first]), "b": make_result([second])}
    return answer(question, results, ExperimentFolder(folder))


def make_figure(value: float | None, spread: float | None = 0.1, **more: object) -> Figure:
    ends = {} if value is None or spread is None else {"low": value - spread, "high": value + spread}
    return Figure(name="x", value=value, **{**ends, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (make_figure(0.5, better="higher"), make_figure(0.8, better="higher"), "better"),
        (make_figure(0.5, better="lower"), make_figure(0.8, better="lower"), "worse"),
        (make_figure(0.5), make_figure(0.8), "higher"),
        (make_figure(0.8), make_figure(0.5), "lower"),
        (make_figure(0.5, better="higher"), make_figure(0.65, better="higher"), "not told apart"),
        (make_figure(0.5, None, better="higher"), make_figure(0.9, better="higher"), "not told apart"),
        (
            make_figure(9.0, better="nearer", floor=4.0),
            make_figure(4.5, better="nearer", floor=4.0),
            "better",
        ),
        (make_figure(4.5, better="nearer", floor=4.0), make_figure(1.0, better="nearer", floor=4.0), "worse"),
    ],
)
def test_outcomes_follow_from_intervals(first: Figure, second: Figure, outcome: str) -> None:
    (difference,) = ask(first, second).differences
    assert difference.outcome == outcome
    assert first.value is not None
    assert second.value is not None
    assert difference.value == pytest.approx(second.value - first.value)


def test_figures_of_different_encoders_are_not_compared() -> None:
    (difference,) = ask(make_figure(0.1, encoder="loom@1"), make_figure(0.9, encoder="loom@2")).differences
    assert difference.outcome == "not told apart"
    assert "loom@1 and loom@2, which do not compare" in difference.how


def test_what_was_not_measured_has_no_difference() -> None:
    found = ask(make_figure(None, reason="no weights"), make_figure(0.5))
    assert not found.differences
    assert next(iter(write_answer(found))) == "one: not measured, for no weights."


def write_readings(folder: Path, shown: Sequence[bool], asked: Sequence[str] | None = None) -> None:
    """Readings as an evaluation leaves them, of a prompt each."""
    names = ["fog"] * len(shown) if asked is None else asked
    rows = [
        {
            "key": f"p{i}.png",
            "prompt": f"pair-{i}",
            "trait": "scene",
            "asked": name,
            "read": name if ok else "?",
        }
        for i, (name, ok) in enumerate(zip(names, shown, strict=True))
    ]
    folder.mkdir(exist_ok=True)
    (folder / READINGS).write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_pairs_tell_apart_what_intervals_cannot(tmp_path: Path) -> None:
    """Ten prompts of which only the second set shows what was asked for, and none the other way round."""
    write_readings(tmp_path / "a", [i < 60 for i in range(100)])
    write_readings(tmp_path / "b", [i < 70 for i in range(100)])
    figures = (
        make_figure(0.6, 0.1, better="higher"),
        make_figure(0.7, 0.1, better="higher"),
    )
    assert ask(*figures, tmp_path).differences[0].outcome == "not told apart"
    (paired,) = ask(*figures, tmp_path, "scene").differences
    assert (paired.outcome, paired.n) == ("better", 100)
    assert paired.value == pytest.approx(0.1)
    assert paired.low is not None
    assert paired.high is not None
    # Ten of a hundred pairs differ: a binomial count, whose normal interval is 0.1 +- 1.96 * 0.03.
    assert (paired.low, paired.high) == pytest.approx((0.1 - 1.96 * 0.03, 0.1 + 1.96 * 0.03), abs=0.015)
    assert "over 100 prompts" in list(write_answer(ask(*figures, tmp_path, "scene")))[-1]


def test_the_difference_is_that_of_balanced_accuracies(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    asked = ["fog" if i < 30 else "clear" for i in range(120)]
    first, second = rng.random(120) < 0.6, rng.random(120) < 0.8
    for name, shown in {"a": first, "b": second}.items():
        write_readings(tmp_path / name, shown.tolist(), asked)
    verdicts = [read_verdicts(tmp_path / name, "scene") for name in ("a", "b")]
    found = compare_verdicts(*verdicts, resamples=400, seed=0, level=0.95)
    assert found is not None
    balanced = [np.mean([shown[:30].mean(), shown[30:].mean()]) for shown in (first, second)]
    assert found.value == pytest.approx(balanced[1] - balanced[0])
    assert found.interval.low < found.value < found.interval.high


def test_only_shared_prompts_are_paired(tmp_path: Path) -> None:
    write_readings(tmp_path, [True] * 40)
    many = read_verdicts(tmp_path, "scene")
    assert len(many) == 40
    assert read_verdicts(tmp_path, "class") == {}
    assert read_verdicts(tmp_path / "nowhere", "scene") == {}
    few = dict(list(many.items())[:19])
    assert compare_verdicts(few, many, resamples=100, seed=0, level=0.95) is None
    (tmp_path / READINGS).write_text('{"key": 1}\n')
    with pytest.raises(UsageError, match="no list of readings"):
        read_verdicts(tmp_path, "scene")


def test_words() -> None:
    found = ask(make_figure(0.5, floor=0.01, n=300), make_figure(0.8))
    assert write_measured(found.measured[0]) == "one: 0.5, 0.4 to 0.6 (real against real 0.01; 300 measured)."
    checked = ask(make_figure(3.0, None, unit="dB", passed=False, bound="within 1 dB"), make_figure(0.8))
    assert write_measured(checked.measured[0]) == "one: 3 dB. The check fails: within 1 dB."
    assert [write_number(x) for x in (-0.25, 12345.0, 0.00001, 0.0)] == ["−0.25", "12,345", "1.00e−05", "0"]


def test_bars_show_all_marks_within_the_drawing() -> None:
    found = ask(make_figure(0.5, floor=0.01, null=0.9), make_figure(None, reason="no"))
    drawn = draw_bars(found.measured)
    assert drawn is not None
    assert drawn.count('class="point"') == 1
    for mark, count in {
        "floor": 2,
        "null": 2,
        "ceiling": 0,
        "span": 2,
    }.items():  # each in the drawing and in its key
        assert drawn.count(f'class="{mark}"') == count
    places = [float(place) for place in re.findall(r' (?:x1|x2|cx)="([0-9.]+)"', drawn)]
    assert 0 <= min(places) <= max(places) <= 900
    assert draw_bars([found.measured[1]]) is None
