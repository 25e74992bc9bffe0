"""Articles, plurals, lists, numbers."""

from __future__ import annotations

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.caption.language.english import (
    capitalise,
    give_article,
    join_list,
    pluralise,
    say_count,
    say_date,
    say_number,
    singularise,
)


@pytest.mark.parametrize(
    ("phrase", "article"),
    [
        ("SAR image", "a"),
        ("RGB image", "an"),
        ("near-infrared image", "a"),
        ("NAIP image", "a"),
        ("VV-polarised radar image", "a"),
        ("HH SAR image", "an"),
        ("HV-polarised radar image", "an"),
        ("aerial image", "an"),
        ("Umbra image", "an"),
        ("IKONOS scene", "an"),
        ("urban area", "an"),
        ("university", "a"),
        ("European city", "a"),
        ("8-look image", "an"),
        ("USGS image", "a"),
        ("island", "an"),
        ("T junction", "a"),
    ],
)
def test_article(phrase: str, article: str) -> None:
    assert give_article(phrase) == f"{article} {phrase}"


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("airplane", "airplanes"),
        ("bus", "buses"),
        ("church", "churches"),
        ("water body", "water bodies"),
        ("railway", "railways"),
        ("storage tank", "storage tanks"),
        ("beach", "beaches"),
        ("overpass", "overpasses"),
        ("volcano", "volcanoes"),
    ],
)
def test_plural(one: str, many: str) -> None:
    assert pluralise(one) == many


@pytest.mark.parametrize(
    ("many", "one"),
    [("trees", "tree"), ("water bodies", "water body"), ("churches", "church"), ("houses", "house")],
)
def test_singular(many: str, one: str) -> None:
    assert singularise(many) == one


def test_that_aircraft_is_its_own_plural() -> None:
    assert pluralise("small aircraft") == "small aircraft"


def test_list() -> None:
    assert join_list(["a"]) == "a"
    assert join_list(["a", "b"]) == "a and b"
    assert join_list(["a", "b", "c"]) == "a, b and c"


def test_counts_are_words_up_to_twelve() -> None:
    assert [say_count(n) for n in (1, 12, 13)] == ["one", "twelve", "13"]


def test_dates_are_as_precise_as_known() -> None:
    assert say_date(2019, None, None) == "2019"
    assert say_date(2019, 9, None) == "September 2019"
    assert say_date(2019, 9, 4) == "4 September 2019"


def test_capitals_come_first_only() -> None:
    assert capitalise("a SAR image of Wales") == "A SAR image of Wales"


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.0, "2"), (0.594, "0.594"), (9.97, "9.97"), (0.1, "0.1"), (154.2, "154"), (1540.4, "1540")],
)
def test_number(value: float, text: str) -> None:
    assert say_number(value) == text


@given(st.floats(min_value=1e-4, max_value=1e5))
def test_that_numbers_keep_three_digits(value: float) -> None:
    said = Decimal(say_number(value))
    rounded = Context(prec=3).create_decimal_from_float(value)
    assert said == rounded or (value >= 999.5 and abs(said - Decimal(value)) <= Decimal("0.5"))
    assert "e" not in say_number(value)
