"""Sheets: every picture is on it as it is, and its words are under it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_generators import make_settings

from earthloom.generate.config import Wish
from earthloom.generate.grids import MAX_PICTURES, Shown, draw_sheet, make_legible, wrap
from earthloom.generate.plan import Asked, plan_tasks
from earthloom.generate.sheets import fill_sheets, set_beside


def show(number: int, prompt_key: str, side: tuple[int, int] = (256, 256), channels: int = 3) -> Shown:
    picture = np.random.default_rng(number).integers(0, 255, (*side, channels), dtype=np.uint8)
    return Shown(prompt_key=prompt_key, prompt=f"prompt of {prompt_key}", facts="rgb · 10 m", picture=picture)


def find(sheet: np.ndarray, picture: np.ndarray) -> tuple[int, int] | None:
    """Where a picture is on a sheet, as OpenCV finds it; None where it is not."""
    scores = cv2.matchTemplate(sheet, picture, cv2.TM_SQDIFF_NORMED)
    low, _, (x, y), _ = cv2.minMaxLoc(scores)
    return (y, x) if low < 1e-4 else None


@pytest.mark.parametrize(("n", "of_each"), [(1, 1), (5, 1), (6, 3), (9, 8)])
def test_all_pictures_are_there_with_ink_under_them(n: int, of_each: int) -> None:
    shown = [show(number, f"p{number // of_each}", (40, 40)) for number in range(n)]
    sheet = draw_sheet(shown)
    factor = 4  # 40 pixels are enlarged to 160, so that they can be seen
    places = [
        find(sheet, cv2.resize(one.picture[:10, :10], None, fx=factor, fy=factor, interpolation=0))
        for one in shown
    ]
    assert None not in places
    assert len(set(places)) == n
    if of_each == 1:
        for place in places:
            assert place is not None
            under = sheet[place[0] + 162 : place[0] + 185, place[1] : place[1] + 160]
            assert (under < 100).sum() > 50
    else:  # in their order, row by row
        assert places == sorted(place for place in places if place is not None)


def test_gray_and_oblong_pictures_are_laid_out_without_gaps() -> None:
    sheet = draw_sheet([show(0, "a", (128, 256), channels=1)])
    picture = np.repeat(show(0, "a", (128, 256), channels=1).picture, 3, axis=2)
    assert find(sheet, picture) == (20, 20)
    assert sheet.shape[0] < 128 + 100


def test_what_is_drawn_stands_beside_what_it_was_drawn_from() -> None:
    first, second = show(0, "a", (32, 64), channels=1).picture, show(1, "a", (64, 64)).picture
    both = set_beside(first, second)
    assert both.shape == (64, 128 + 2 + 64, 3)
    np.testing.assert_array_equal(both[:, 130:], second)
    np.testing.assert_array_equal(both[::2, :128:2, 0], first[:, :, 0])


def test_large_pictures_are_made_smaller() -> None:
    sheet = draw_sheet([show(0, "a", (512, 768))])
    assert sheet.shape[1] == 256 + 2 * 20


def test_letters_that_the_font_lacks_are_replaced() -> None:
    assert make_legible("Zürich · São Paulo, Łódź – 10 µm × 3") == "Zurich · Sao Paulo, Lodz - 10 um x 3"
    assert make_legible("湖 lake") == "? lake"


@given(text=st.text(max_size=300), width=st.integers(1, 40), n_lines=st.integers(1, 6))
def test_wrapped_lines_fit_and_lose_nothing_but_the_end(text: str, width: int, n_lines: int) -> None:
    lines = wrap(text, width, len, n_lines)
    assert len(lines) <= n_lines
    assert all(len(line) <= width for line in lines)
    whole = "".join(text.split())
    told = "".join("".join(lines).split())
    if len(wrap(text, width, len, 10_000)) <= n_lines:
        assert told == whole
    else:
        assert told.endswith("…")
        assert whole.startswith(told[:-1])


@settings(max_examples=30)
@given(counts=st.lists(st.integers(1, 100), min_size=1, max_size=4))
def test_sheets_hold_all_pictures_in_order_and_split_no_prompt_that_fits(counts: list[int]) -> None:
    asked = [
        Asked(wish=Wish(prompt=str(number), key=f"k{number}.{i}"), place="", key=None)
        for number, n in enumerate(counts)
        for i in range(n)
    ]
    tasks = plan_tasks(asked, make_settings(prompts="p"), (8, 8))
    grouped = [task.__class__(**{**_fields(task), "prompt_key": task.asked.wish.prompt}) for task in tasks]
    sheets = list(fill_sheets(grouped))
    assert [task for sheet in sheets for task in sheet] == grouped
    assert all(0 < len(sheet) <= MAX_PICTURES for sheet in sheets)
    for number, n in enumerate(counts):
        holding = [sheet for sheet in sheets if any(task.prompt_key == str(number) for task in sheet)]
        assert n > MAX_PICTURES or len(holding) == 1


def _fields(task: object) -> dict[str, object]:
    return {name: getattr(task, name) for name in task.__slots__}  # type: ignore[attr-defined]


def test_a_word_as_long_as_a_book_is_cut_at_once() -> None:
    measured: list[int] = []

    def measure(text: str) -> float:
        measured.append(len(text))
        return 7.0 * len(text)

    lines = wrap("x" * 5000, 70, measure, 3)
    assert lines == ["x" * 10, "x" * 10, "x" * 9 + "…"]
    assert len(measured) < 5000 / 10 * 20
    shown = Shown(
        prompt_key="a", prompt="x" * 10**6, facts="y" * 10**6, picture=np.zeros((16, 16, 3), np.uint8)
    )
    assert draw_sheet([shown]).shape[0] < 600
