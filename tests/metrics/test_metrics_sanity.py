"""Each metric moves the right way when a set is made worse: the rows of docs/evaluation-sanity.md, in small."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))
from sanity import distances  # noqa: E402
from sanity.pictures import Halves, make_classes, read_eurosat  # noqa: E402
from sanity.rows import Row, render_rows  # noqa: E402

sys.path.remove(str(DOCS))


def expect_right(rows: list[Row], metrics: set[str]) -> None:
    wrong = [row for row in rows if not row.is_right]
    assert not wrong, "\n".join(render_rows(wrong))
    assert {row.metric for row in rows} == metrics


@pytest.fixture(scope="module")
def made() -> Halves:
    """Four classes that need no data, 30 of each as reference: more than there are features."""
    return make_classes(30)


@pytest.fixture(scope="module")
def eurosat(real_data: Path) -> Halves:
    """All ten classes, 12 of each as reference."""
    return read_eurosat(real_data, 12)


@pytest.fixture(params=["made", "eurosat"])
def halves(request: pytest.FixtureRequest) -> Halves:
    """Pictures of several classes."""
    found: Halves = request.getfixturevalue(request.param)
    return found


def test_worse_pictures_are_further_away(halves: Halves) -> None:
    rows = list(distances.measure_changes(halves))
    expect_right(rows, {*distances.RISE, *distances.FALL})
    assert len(rows) == len(distances.CHANGES) * 6


def test_lost_classes_and_collapse_cost_diversity_and_not_precision(halves: Halves) -> None:
    wanted = {*distances.RISE, "recall", "coverage", "Vendi", "Inception Score", "precision"}
    expect_right(list(distances.measure_losses(halves)), wanted)


def test_copies_are_told(halves: Halves) -> None:
    rows = list(distances.measure_copies(halves))
    expect_right(rows, {row.metric for row in rows})
    assert Counter(row.wanted for row in rows) == {"rises": 3, "falls": 2}


def test_a_row_is_right_only_where_it_moves_as_wanted() -> None:
    def judge(wanted: str, *values: float) -> bool:
        return Row(change="x", metric="y", values=values, wanted=wanted, within=0.1).is_right  # type: ignore[arg-type]

    assert judge("rises", 0, 1, 2)
    assert judge("rises", 0, 1, 1)
    assert not judge("rises", 0, 0, 1)
    assert not judge("rises", 0, 2, 1)
    assert judge("falls", 1, 0, 0)
    assert not judge("falls", 0, 1)
    assert judge("stays", 1, 1.05, 0.95)
    assert not judge("stays", 1, 1.2)
    assert "**wrong**" in render_rows([Row(change="x", metric="y", values=(0, 0), wanted="rises")])[-1]
