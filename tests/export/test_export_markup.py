"""Markup: data never becomes a tag."""

from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.markup import Html, element, join
from earthloom.export.charts import Bar, _nice_ceiling, draw_columns, draw_rows, short_number


@given(st.text(), st.text())
def test_text_and_attributes_are_escaped(text: str, attribute: str) -> None:
    made = element("p", text, title=attribute)
    assert made.count("<") == made.count(">") == 2
    inner = made.removesuffix("</p>").split(">", 1)
    assert html.unescape(inner[1]) == html.unescape(html.escape(text))
    assert html.escape(attribute) in inner[0]


def test_markup_is_kept_and_nested() -> None:
    assert element("p", "a & b", element("b", "<")) == "<p>a &amp; b<b>&lt;</b></p>"
    assert element("ul", [element("li", "1"), element("li", "2")]) == "<ul><li>1</li><li>2</li></ul>"
    assert join("<", Html("<br>")) == "&lt;<br>"


def test_attribute_names_and_absent_values() -> None:
    assert element("i", class_="x", aria_label="y", title=None) == '<i class="x" aria-label="y"></i>'
    assert element("line", x1=1, y1=0.1 + 0.2) == '<line x1="1" y1="0.3"/>'
    assert element("img", src="#") == '<img src="#">'


@given(st.integers(0, 10**9))
def test_axes_end_at_a_round_number_above(value: int) -> None:
    top = _nice_ceiling(value)
    assert value <= top <= max(2 * value, 2)
    assert top % 2 == 0
    assert len(str(top).rstrip("0")) <= 2


def test_short_numbers() -> None:
    assert [short_number(n) for n in (0, 950, 1200, 15_000, 2_500_000)] == ["0", "950", "1.2k", "15k", "2.5M"]


def test_heights_of_columns_are_in_proportion() -> None:
    import re

    drawn = draw_columns(
        [Bar(label="a", parts=(("rgb", 10), ("sar", 30))), Bar(label="b", parts=(("rgb", 20),))], "x"
    )
    heights = [float(h) for h in re.findall(r'height="([\d.]+)" class', drawn)]
    assert [round(h / heights[0], 2) for h in heights] == [1, 3, 2]


def test_widths_of_rows_are_in_proportion() -> None:
    drawn = draw_rows(
        [Bar(label="a", parts=(("accent", 50),)), Bar(label="b", parts=(("accent", 200),))], whole=400
    )
    assert "width:12.500%" in drawn
    assert "width:50.000%" in drawn
    assert draw_rows([]) == '<ul class="rows"></ul>'
