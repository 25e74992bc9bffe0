"""How checks do on captions that were written without looking at them: what was reached once does not get worse."""

from __future__ import annotations

from collections import Counter

import pytest

from earthloom.caption.checks import Check
from earthloom.caption.trials import score_trials
from earthloom.caption.trials.heldout import Heldout, make_heldout_trials
from earthloom.caption.trials.heldout_patterns import FALSE, PAIRS, TRUE


@pytest.fixture(scope="module")
def heldout() -> list[Heldout]:
    """With another seed than the docs."""
    return list(make_heldout_trials(17))


def test_that_heldout_trials_are_many_varied_and_balanced(heldout: list[Heldout]) -> None:
    n_true = sum(made.trial.is_true for made in heldout)
    assert len(heldout) >= 1500
    assert 0.45 <= n_true / len(heldout) <= 0.55
    used = Counter((made.pattern, made.trial.is_true) for made in heldout)
    paired = [pattern for patterns in PAIRS.values() for pattern in patterns]
    assert len({pattern for pattern, is_true in used if is_true}) >= 60
    assert all(used[pattern, True] == used[pattern, False] > 0 for pattern in paired)
    assert all(used[pattern, True] and not used[pattern, False] for pattern in TRUE)
    assert all(used[pattern, False] and not used[pattern, True] for ps in FALSE.values() for pattern in ps)


def test_that_no_slot_and_no_reading_is_left_open(heldout: list[Heldout]) -> None:
    assert not [made.trial.text for made in heldout if set(made.trial.text) & set("{}[]|")]


def test_that_the_two_readings_differ(heldout: list[Heldout]) -> None:
    true = {(made.trial.tile.id, made.trial.text) for made in heldout if made.trial.is_true}
    false = {(made.trial.tile.id, made.trial.text) for made in heldout if not made.trial.is_true}
    assert not true & false


def test_precision_and_recall_of_heldout_trials(heldout: list[Heldout]) -> None:
    scores = score_trials((made.trial for made in heldout), "open")
    assert scores[None].precision >= 0.95
    assert scores[None].recall >= 0.94
    weak = {check for check, score in scores.items() if score.n_false and score.recall < 0.85}
    assert weak <= {Check.CONTENT}


def test_that_heldout_trials_depend_on_their_seed_alone(heldout: list[Heldout]) -> None:
    assert list(make_heldout_trials(17)) == heldout
    assert [made.trial.text for made in make_heldout_trials(18)] != [made.trial.text for made in heldout]
