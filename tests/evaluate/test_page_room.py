"""A page has room for so much: of ten thousand groups it shows what tells most, and says what it leaves out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest
from made_results import KD, make_result, with_figure

from earthloom.evaluate.page import render_page
from earthloom.evaluate.page.choosing import (
    EACH,
    MOST,
    MOST_CHECKS,
    MOST_CLASSES,
    MOST_ROWS,
    choose_groups,
    shrink_table,
)
from earthloom.evaluate.page.protocol import draw_protocol
from earthloom.evaluate.result import Better, Figure, SetInfo, Table

N = 10_000


def make_groups(n: int, better: Better | None = "higher", floor: float | None = None) -> list[Figure]:
    """Values 0 to n - 1 in an order of no meaning; the more pictures the nearer to the middle."""
    return [
        Figure(
            name="recall", group=f"prompt {value}", value=float(value), better=better, floor=floor,
            low=value - 1.0, high=value + 1.0, n=n - abs(value - n // 2),
        )
        for value in sorted(range(n), key=lambda i: (i * 7919) % n)
    ]  # fmt: skip


def list_values(figures: tuple[Figure, ...]) -> list[float]:
    return [figure.value for figure in figures if figure.value is not None]


Row = tuple[str | float | int | None, ...]


def test_that_ten_thousand_groups_make_a_light_page() -> None:
    groups = make_groups(N)
    unknown = [Figure(name="recall", group=f"none {i}", value=None, reason="no picture") for i in range(5)]
    checks = [
        Figure(name="mean", group=f"g{i}", value=1.0, passed=i % 100 != 7, bound="at most 1")
        for i in range(N)
    ]
    table = Table(
        title="All", columns=("group", "value"), rows=tuple((f"row {i}", float(i)) for i in range(N))
    )
    plain = make_result()
    result = replace(plain, figures=(*plain.figures, *groups, *unknown, *checks), tables=(table,))
    start = process_time()
    page = render_page(result)
    assert process_time() - start < 2
    assert len(page.encode()) < 300_000
    assert (
        f"{N + 5 - 3 * EACH:,} of {N + 5:,} groups are left out, 5 of them not measured; result.json has all."
        in page
    )
    for value in (0, EACH - 1, N - 1, N - EACH, N // 2):
        assert f">prompt {value}</th>" in page
    assert ">prompt 2500</th>" not in page


def test_that_checks_that_failed_go_before_those_that_passed() -> None:
    checks = [
        Figure(name="mean", group=f"g{i}", value=1.0, passed=i % 100 != 7, bound="at most 1")
        for i in range(1000)
    ]
    page = render_page(replace(make_result(), figures=tuple(checks)))
    assert page.count("not passed</span>") == 10
    assert page.count('class="verdict">passed</span>') == MOST_CHECKS - 10
    assert f"10 of 1,000 checks failed. {1000 - MOST_CHECKS:,} are left out" in page


@pytest.mark.parametrize(
    ("better", "titles"),
    [("higher", ["worst", "best"]), ("lower", ["worst", "best"]), (None, ["lowest", "highest"])],
)
def test_that_the_worst_the_best_and_the_largest_are_shown(better: Better | None, titles: list[str]) -> None:
    parts = choose_groups(make_groups(1000, better))
    assert [part.title for part in parts] == [*titles, "of most pictures"]
    low, high = [float(i) for i in range(EACH)], [999.0 - i for i in range(EACH)]
    first, second, most = (list_values(part.figures) for part in parts)
    assert (first, second) == ((high, low) if better == "lower" else (low, high))
    assert sorted(most) == [float(i) for i in range(495, 505)] or sorted(most) == [
        float(i) for i in range(496, 506)
    ]


def test_that_nearer_is_meant_to_the_floor() -> None:
    far, near, _ = choose_groups(make_groups(1001, "nearer", floor=500.0))
    assert (far.title, near.title) == ("furthest from the floor", "nearest to the floor")
    assert {0.0, 1000.0} <= set(list_values(far.figures))
    assert near.figures[0].value == 500.0
    assert choose_groups(make_groups(1001, "nearer"))[0].title == "lowest"


def test_that_few_groups_stay_as_they_are() -> None:
    groups = make_groups(MOST)
    (part,) = choose_groups(groups)
    assert part.title is None
    assert list(part.figures) == groups


def test_that_no_group_is_shown_twice_and_none_is_lost_without_a_word() -> None:
    parts = choose_groups(make_groups(MOST + 1))
    shown = [figure.group for part in parts for figure in part.figures]
    assert len(shown) == len(set(shown)) == MOST
    unmeasured = [Figure(name="x", group=str(i), value=None) for i in range(MOST + 1)]
    assert choose_groups(unmeasured) == []
    page = render_page(replace(make_result(), figures=tuple(unmeasured)))
    assert f"{MOST + 1} of {MOST + 1} groups are left out, {MOST + 1} of them not measured" in page


def test_that_a_long_table_keeps_its_ends() -> None:
    table = Table(title="t", columns=("a", "b"), rows=tuple((str(i), float(i)) for i in range(500)))
    shown, told = shrink_table(table)
    assert len(shown.rows) == MOST_ROWS
    assert (shown.rows[0], shown.rows[79], shown.rows[80], shown.rows[-1]) == (
        ("0", 0.0), ("79", 79.0), ("480", 480.0), ("499", 499.0),
    )  # fmt: skip
    assert told == "The first 80 and the last 20 of 500 rows; result.json has all."
    short = replace(table, rows=table.rows[:MOST_ROWS])
    assert shrink_table(short) == (short, None)


def test_that_a_matrix_keeps_the_classes_that_are_told_worst() -> None:
    names = [f"class {i}" for i in range(300)]
    worst = {7, 100, 299}
    rows: tuple[Row, ...] = tuple(
        (name, *((0.1 if i in worst else 0.9) if i == j else 0.001 * (j + 1) for j in range(300)))
        for i, name in enumerate(names)
    )
    table = Table(title="t", columns=("true class", *names), rows=rows, is_matrix=True)
    shown, told = shrink_table(table)
    assert len(shown.rows) == len(shown.columns) - 1 == MOST_CLASSES
    kept = [str(row[0]) for row in shown.rows]
    assert kept == list(shown.columns[1:])
    assert {f"class {i}" for i in worst} <= set(kept)
    cell = shown.rows[kept.index("class 100")][1 + kept.index("class 299")]
    assert cell == pytest.approx(0.300)  # its own, however far it has moved
    assert told is not None
    assert "64 of 300 rows" in told
    assert len(render_page(replace(make_result(), tables=(table,)))) < 600_000
    counted = replace(table, rows=tuple((f"{row[0]} (1,060)", *row[1:]) for row in rows))
    assert [row[1:] for row in shrink_table(counted)[0].rows] == [row[1:] for row in shown.rows]


def test_that_a_matrix_whose_rows_are_no_columns_keeps_its_first_columns() -> None:
    rows: tuple[Row, ...] = tuple((f"asked {i}", *(0.5 for _ in range(200))) for i in range(5))
    table = Table(title="t", columns=("asked", *(f"read {i}" for i in range(200))), rows=rows, is_matrix=True)
    shown, told = shrink_table(table)
    assert len(shown.rows) == 5
    assert shown.columns[1:] == tuple(f"read {i}" for i in range(MOST_CLASSES))
    assert told is not None


def test_that_long_lists_of_a_set_are_cut_and_counted() -> None:
    scenes = SetInfo(name="real", place="x", n=1, details={"scenes": [f"s{i}" for i in range(N)]})
    drawn = draw_protocol(replace(make_result(), sets=(scenes,)))
    assert re.search(r"s19 and 9,980 more", drawn)
    assert "s20 " not in drawn


@pytest.mark.browser
def test_that_nothing_is_too_wide_for_a_telephone(tmp_path: Path, chromium: str) -> None:
    from playwright.sync_api import sync_playwright

    long = [
        replace(each, group=f"{each.group}, which says of its ground whatever it can" * 3)
        for each in make_groups(40)
    ]
    level = replace(KD, details={"floor_n": 450, "at_floor_n": 0.05})
    result = with_figure(replace(make_result(), figures=(*make_result().figures, *long)), level)
    (tmp_path / "page.html").write_text(render_page(result), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme="dark")
        view.goto((tmp_path / "page.html").as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") <= 400
        widths = view.evaluate(
            "[...document.querySelectorAll('.scale')].map(each => each.getBoundingClientRect().width)"
        )
        assert len(widths) == 1 + 1 + MOST
        assert min(widths) >= 220
        browser.close()
