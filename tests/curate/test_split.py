import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from earthloom.curate import CurateSettings, assign_split

GROUPS = [f"naip:m_{i}.tif" for i in range(4000)]


def test_shares_are_met_within_three_standard_deviations() -> None:
    settings = CurateSettings(seed=7)
    splits = [assign_split(group, settings) for group in GROUPS]
    for split, share in settings.split.items():
        spread = math.sqrt(share * (1 - share) / len(GROUPS))
        assert abs(splits.count(split) / len(GROUPS) - share) < 3 * spread


@given(st.text(), st.integers())
def test_a_group_has_one_split_whatever_else_there_is(group: str, seed: int) -> None:
    settings = CurateSettings(seed=seed)
    assert assign_split(group, settings) == assign_split(group, CurateSettings(seed=seed))
    assert assign_split(group, settings) in {"train", "val", "test"}


def test_more_training_data_takes_from_the_others_and_gives_nothing_back() -> None:
    few = CurateSettings(split={"train": 0.5, "val": 0.25, "test": 0.25})
    many = CurateSettings(split={"train": 0.8, "val": 0.1, "test": 0.1})
    for group in GROUPS[:500]:
        if assign_split(group, few) == "train":
            assert assign_split(group, many) == "train"


def test_another_seed_gives_another_division() -> None:
    a, b = CurateSettings(seed=1), CurateSettings(seed=2)
    moved = sum(assign_split(g, a) != assign_split(g, b) for g in GROUPS)
    # Two independent draws agree with probability 0.7^2 + 0.1^2 + 0.2^2 = 0.54.
    assert abs(moved / len(GROUPS) - 0.46) < 0.03


def test_a_share_of_zero_gets_nothing_even_at_the_last_edge() -> None:
    settings = CurateSettings(split={"train": 1.0, "val": 0.0, "test": 0.0})
    assert {assign_split(group, settings) for group in GROUPS[:200]} == {"train"}


@pytest.mark.parametrize("split", [{"train": 0.7}, {"train": 1.2, "val": -0.2}, {"rest": 1.0}])
def test_shares_that_make_no_sense_are_refused(split: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        CurateSettings(split=split)  # type: ignore[arg-type]
