"""Names and seeds of pictures: what they depend on, and what they do not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_generators import make_settings

from earthloom.core.errors import UsageError
from earthloom.generate.config import Wish
from earthloom.generate.plan import Asked, Task, name_file, name_wish, plan_tasks

TEXTS = st.text(max_size=80)


def plan(wishes: list[Wish], **fields: object) -> list[Task]:
    asked = [Asked(wish=wish, place=f"line {number}") for number, wish in enumerate(wishes, 1)]
    return plan_tasks(asked, make_settings(prompts="p.txt", **fields), (64, 32))


def test_prompts_of_the_command_line_count_their_seeds_up() -> None:
    tasks = plan([Wish(prompt="A lake, wide", seed=5), Wish(prompt="b", seed=5)], n=3)
    assert [task.seed for task in tasks] == [5, 6, 7, 5, 6, 7]
    assert re.fullmatch(r"a-lake-wide-[0-9a-f]{8}-s5", tasks[0].key)
    # Another first seed meets the pictures that are there already.
    assert [task.key for task in plan([Wish(prompt="A lake, wide", seed=6)], n=2)] == [
        tasks[1].key,
        tasks[2].key,
    ]


def test_other_prompts_draw_their_seeds_from_the_run_and_their_names() -> None:
    wishes = [Wish(prompt="a"), Wish(prompt="b", key="mine"), Wish(prompt="c")]
    tasks = plan(wishes, n=2)
    assert len({task.seed for task in tasks}) == 6
    assert {task.key: task.seed for task in plan(wishes[::-1], n=2)} == {
        task.key: task.seed for task in tasks
    }
    assert plan(wishes[:1], n=1)[0].seed == tasks[0].seed
    assert {task.seed for task in plan(wishes, n=2, seed=1)}.isdisjoint(task.seed for task in tasks)
    assert [task.key for task in plan([wishes[1]])] == ["mine"]
    assert [task.key for task in tasks[2:4]] == ["mine-1", "mine-2"]
    assert all(task.seed < 2**32 for task in tasks)


def test_equal_prompts_are_other_pictures_of_one() -> None:
    tasks = plan([Wish(prompt="a"), Wish(prompt="b"), Wish(prompt="a")])
    assert tasks[2].prompt_key == tasks[0].prompt_key
    assert tasks[2].key == f"{tasks[0].key}-2"
    assert tasks[2].seed != tasks[0].seed


def test_names_that_meet_are_refused() -> None:
    wishes = [Wish(prompt="x", key="a"), Wish(prompt="x", key="a"), Wish(prompt="y", key="A-2")]
    with pytest.raises(UsageError, match="line 2 and line 3 both ask for a picture A-2"):
        plan(wishes)


@given(first=TEXTS, second=TEXTS, gsd=st.none() | st.floats(0.1, 100))
def test_wishes_have_equal_names_only_if_they_are_equal(first: str, second: str, gsd: float | None) -> None:
    try:
        one, two = Wish(prompt=first, gsd_m=gsd), Wish(prompt=second)
    except ValueError:
        return
    assert (name_wish(one) == name_wish(two)) == (one == two)
    assert re.fullmatch(r"[a-z0-9-]{8,60}", name_wish(one))
    assert name_wish(one.model_copy(update={"seed": 3})) == name_wish(one)


@given(first=st.text(min_size=1, max_size=200), second=st.text(min_size=1, max_size=80))
def test_names_of_files_are_safe_and_distinct(first: str, second: str) -> None:
    names = [name_file(key) for key in (first, second)]
    assert (names[0] == names[1]) == (first == second)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,170}", name)
