"""The checks refuse false captions and let true ones stand: by trials that code makes, and the docs say how well."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from doc_generators import load_generator

from earthloom.caption.checks import Check
from earthloom.caption.trials import Score, Trial, judge_trials, make_trials, score_trials
from earthloom.caption.trials.records import make_trial_records

N_RECORDS = 90


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    """With another seed than the docs."""
    return list(make_trials(make_trial_records(N_RECORDS, 11), 11))


def test_that_trials_are_many_and_balanced(trials: list[Trial]) -> None:
    assert len(trials) > 3000
    assert len({trial.text for trial in trials}) > 2000
    made = [trial for trial in trials if trial.check is not None]
    assert sum(trial.is_true for trial in made) * 2 == len(made)
    false = Counter(trial.check for trial in made if not trial.is_true)
    assert set(false) == set(Check) - {Check.CONTENT, Check.SYNTHETIC, Check.ALIKE}
    assert {trial.needs for trial in trials} == {"facts", "texts", "eyes"}


def test_that_no_trial_is_both_true_and_false(trials: list[Trial]) -> None:
    true = {(trial.tile.id, trial.text) for trial in trials if trial.is_true}
    false = {(trial.tile.id, trial.text) for trial in trials if not trial.is_true}
    assert not true & false


@pytest.mark.parametrize("mode", ["open", "closed"])
def test_precision_and_recall(trials: list[Trial], mode: str) -> None:
    scores = score_trials(trials, mode)  # type: ignore[arg-type]
    assert scores[None].precision >= 0.97
    assert scores[None].recall >= 0.93
    weak = {check: score for check, score in scores.items() if min(score.precision, score.recall) < 0.85}
    assert set(weak) <= ({Check.GENERIC} if mode == "closed" else {Check.TALK, Check.GENERIC})


def test_that_a_record_is_judged_by_its_own_facts(trials: list[Trial]) -> None:
    mixed = trials[::7] + trials[1::7]
    verdicts = {(t.tile.id, t.text): refused for t, refused in judge_trials(mixed, "open")}
    assert all(verdicts[t.tile.id, t.text] is refused for t, refused in judge_trials(reversed(mixed), "open"))


def test_that_trials_depend_on_their_seed_alone(trials: list[Trial]) -> None:
    again = list(make_trials(make_trial_records(N_RECORDS, 11), 11))
    assert again == trials
    assert [t.text for t in make_trials(make_trial_records(9, 12), 12)] != [t.text for t in trials[:9]]


def test_scores() -> None:
    score = Score(n_true=90, n_false=10, n_caught=8, n_accused=2)
    assert (score.precision, score.recall) == (0.8, 0.8)
    assert Score(0, 0, 0, 0).precision == Score(0, 0, 0, 0).recall == 1.0


def test_that_the_docs_are_up_to_date(repository: Path) -> None:
    module = load_generator("make_checks_reference")
    page = (repository / "docs/captions.md").read_text(encoding="utf-8")
    assert page == module.render(page), "run python docs/make_checks_reference.py"
    table = [line.split("|") for line in module.make_table()[2:]]
    assert len(table) > 15
    precision, recall = (float(table[-1][i]) for i in (3, 4))
    assert precision >= 0.95
    assert recall >= 0.90
