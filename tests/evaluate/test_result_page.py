"""The page of a result: what it says, that it is whole, and that it fits."""

from __future__ import annotations

import base64
import io
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_results import KD, make_grid, make_result, with_figure
from PIL import Image

from earthloom.evaluate.page import render_page
from earthloom.evaluate.page.charts import choose_ticks, draw_curve
from earthloom.evaluate.page.glossary import name_figure
from earthloom.evaluate.page.grids import MOST_BYTES, copy_picture, draw_grids
from earthloom.evaluate.page.scales import draw_scale, find_domain
from earthloom.evaluate.result import Figure, SetInfo

VOID = {"meta", "img", "line", "circle", "rect", "path", "polygon", "br"}


class Checker(HTMLParser):
    """Every element that is opened is closed in order; ids, links and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [str(found["id"])] if "id" in found else []
        self.links += [str(found["href"])] if "href" in found else []
        self.images += [found] if tag == "img" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing is left open."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def page() -> Checker:
    return Checker(render_page(make_result(), [make_grid()]))


def test_that_the_page_is_whole_and_its_links_lead_somewhere(page: Checker) -> None:
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    assert {link.removeprefix("#") for link in page.links} == set(page.ids)


@pytest.mark.parametrize(
    "said",
    [
        "Kernel distance", "0.031", "0.02 to 0.045", "1,000", "900 real",
        "not measured", "wants <weights>", "no such prompt", "river",
        "Mean db", "passed", "not passed", "wanted at most 1 dB",
        "Few pictures & fewer features.", "3 set aside", "to 64 px", "halves", "And 5 more",
        "Confusion", "FD by size", "row 1", "contents abcdef012345", "steps 20", "version 1",
    ],
)  # fmt: skip
def test_that_everything_is_said(page: Checker, said: str) -> None:
    assert said in page.text


def test_that_nothing_is_fetched_and_nothing_runs() -> None:
    text = render_page(make_result(), [make_grid()])
    assert "<script" not in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)


def test_that_every_picture_has_words(page: Checker) -> None:
    assert len(page.images) == 6
    assert all(image["alt"] for image in page.images)


def test_that_equal_results_give_equal_pages() -> None:
    assert render_page(make_result(), [make_grid()]) == render_page(make_result(), [make_grid()])


def test_that_markup_in_names_stays_text() -> None:
    assert "<b>bold</b>" not in render_page(make_result("<b>bold</b>"))


def test_that_small_pictures_are_copied_without_loss_and_large_ones_shrunk() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (32, 48, 3), dtype=np.uint8)
    kind, _, data = copy_picture(picture).partition(",")
    assert kind == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), picture)
    large = np.zeros((300, 600, 3), np.uint8)
    _, _, data = copy_picture(large).partition(",")
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (256, 128)


def test_that_the_key_of_a_line_is_drawn_as_the_line_is() -> None:
    (curve,) = make_result().curves
    drawn = draw_curve(curve)
    keys = re.findall(r'<line [^>]*class="(stroke line-\d)"/></svg>([^<]+)</li>', drawn)
    assert keys == [("stroke line-0", "measured"), ("stroke line-1", "fit")]
    assert [drawn.count(f'class="{name}"') for name, _ in keys] == [2, 2]


def test_that_details_of_a_set_are_words() -> None:
    told = SetInfo(
        name="real", place="x", n=180, details={"formats": {"PNG": 180}, "n_groups": 9, "sides": [48, 64]}
    )
    page = Checker(render_page(replace(make_result(), sets=(told,)))).text
    assert "180 of x, formats PNG 180, n groups 9, sides 48 64" in page


def test_that_a_page_does_not_grow_without_end() -> None:
    drawn = draw_grids([make_grid(n_rows=400, side=90)])
    assert len(drawn) < MOST_BYTES * 1.1
    left = re.search(r"([\d,]+) more rows would make this page too heavy", drawn)
    assert left is not None
    shown = drawn.count('class="row-label"')
    assert shown + int(left[1].replace(",", "")) == 400


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_that_ticks_are_round_few_and_within(low: float, span: float) -> None:
    high = low + span
    ticks = choose_ticks(low, high)
    assert len(ticks) <= 11
    near = 1e-6 * span + 4 * math.ulp(max(abs(low), abs(high)))  # floats so far from 0 lie that far apart
    assert all(low - near <= tick <= high + near for tick in ticks)
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[0], rtol=1e-3) if len(ticks) > 2 else True


def test_ticks_of_one_value() -> None:
    assert choose_ticks(2.0, 2.0) == [2.0]


def find_places(drawing: str) -> dict[str, float]:
    marks = dict(re.findall(r'<line x1="([\d.]+)"[^>]*class="mark (\w+)"', drawing))
    (dot,) = re.findall(r'<circle cx="([\d.]+)"', drawing)
    return {name: float(x) for x, name in marks.items()} | {"value": float(dot)}


def test_that_marks_lie_where_their_values_do() -> None:
    places = find_places(draw_scale(KD))
    share = (KD.value - KD.floor) / (KD.null - KD.floor)  # type: ignore[operator]
    got = (places["value"] - places["floor"]) / (places["null"] - places["floor"])
    assert got == pytest.approx(share, abs=0.002)


def test_that_a_mark_of_fewer_pictures_has_the_value_at_that_count_beside_it() -> None:
    """The floor of halves lies above the value of the whole, and below the value of as many pictures."""
    figure = replace(
        KD, value=2.0, low=1.5, high=2.5, floor=3.0, null=None, details={"floor_n": 450, "at_floor_n": 4.0}
    )
    drawn = draw_scale(figure)
    ring, dot = (float(x) for x in re.findall(r'<circle cx="([\d.]+)"', drawn))
    floor = float(re.findall(r'<line x1="([\d.]+)"[^>]*class="mark floor"', drawn)[0])
    assert (ring - floor) / (floor - dot) == pytest.approx(1.0, abs=0.02)
    assert re.findall(r'<path d="M([\d.]+),\d+ V\d+ H([\d.]+) V', drawn) == [(f"{floor:g}", f"{ring:g}")]
    assert ">at 450</text>" in drawn
    assert "floor 3 (value at 450: 4)" in drawn
    page = Checker(render_page(with_figure(make_result(), figure))).text
    assert "value at 450: 4" in page
    assert "a ring in the drawing" in page
    assert "floor 3 (value at 450: 4)" in with_figure(make_result(), figure).to_text()


def test_that_equal_values_at_two_counts_are_both_said() -> None:
    figure = replace(KD, value=0.0, details={"floor_n": 450, "at_floor_n": 0.0})
    assert [mark.at_n for mark in figure.marks] == [0.0, None]


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"floor_n": 450},
        {"floor_n": 450, "at_floor_n": None},  # what settling leaves of a number that was not finite
        {"floor_n": 1000, "at_floor_n": 0.031},  # as many as the value: it would be said twice
    ],
)
def test_that_a_mark_of_as_many_pictures_has_none(details: dict[str, object]) -> None:
    figure = replace(KD, details=details)
    assert [(mark.name, mark.value, mark.at_n) for mark in figure.marks] == [
        ("floor", 0.001, None),
        ("null", 0.4, None),
    ]
    assert draw_scale(figure).count("<circle") == 1
    assert "a ring in the drawing" not in Checker(render_page(with_figure(make_result(), figure))).text


@given(
    st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**6)
)
def test_that_words_never_run_into_each_other(
    value: float, floor: float, null: float, ceiling: float, at_n: float, n: int
) -> None:
    figure = Figure(
        name="x",
        value=value,
        floor=floor,
        null=null,
        ceiling=ceiling,
        details={"floor_n": n, "at_floor_n": at_n},
    )
    drawn = draw_scale(figure)
    rows: dict[str, list[tuple[float, str]]] = {}
    for x, y, word in re.findall(r'<text x="([\d.]+)" y="(\d+)">([^<]+)</text>', drawn):
        rows.setdefault(y, []).append((float(x), word))
    assert sum(map(len, rows.values())) == 3 + len([mark for mark in figure.marks if mark.at_n is not None])
    for row in rows.values():
        for (x, word), (other, next_word) in pairwise(sorted(row)):
            assert other - x >= 5.5 * (len(word) + len(next_word)) / 2
    (height,) = re.findall(r'viewBox="0 0 \d+ (\d+)"', drawn)
    assert max(map(int, rows)) + 3 < int(height)


def test_that_both_pages_share_one_sheet_and_repeat_none_of_it() -> None:
    sheets = {
        name: set(
            re.findall(r"^ *([^{}\n]+\{[^{}]*\})", (files("earthloom.evaluate") / name).read_text(), re.M)
        )
        for name in ("page/templates/base.css", "page/templates/result.css", "scenes/templates/scenes.css")
    }
    base, result, scenes = sheets.values()
    assert not base & result
    assert not base & scenes
    assert not result & scenes
    assert ".soft { color: var(--soft); }" in base
    page = render_page(make_result())
    assert all(rule in page for rule in base | result)


def test_that_a_value_without_anything_beside_it_is_not_drawn() -> None:
    assert "svg" not in draw_scale(Figure(name="x", value=1.0))


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5))
def test_that_a_domain_holds_all_values(values: list[float]) -> None:
    low, high = find_domain([Figure(name="x", value=value) for value in values])
    assert low < min(values) <= max(values) < high or max(map(abs, values)) > 1e8


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kd", "Kernel distance"),
        ("faithful:scene", "Faithful: scene"),
        ("new_one", "New one"),
        ("fid", "FID"),
    ],
)
def test_names_for_people(name: str, said: str) -> None:
    assert name_figure(name) == said
