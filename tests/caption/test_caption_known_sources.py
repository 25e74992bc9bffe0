"""Texts that came with an image back what stands in them literally, as whole words, and nothing else."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.caption.checks.sources import MAX_LETTERS, Sources, read_sources

ARTICLE = read_sources(
    (
        "In March 2011, floods near Villefranche-sur-Saône covered\n1,240 hectares; 0.5 m of mud remained.",
        "A 30-meter dam, 12km2 of fields, and 7.25% growth.",
    )
)


@pytest.mark.parametrize(
    "phrase", ["March 2011", "villefranche-sur-saône", "2011", "hectares", "covered 1240"]
)
def test_that_a_text_has_its_words(phrase: str) -> None:
    assert ARTICLE.has(phrase)


@pytest.mark.parametrize("phrase", ["Mar", "ville", "201", "124", "remain", "5", "25", "", "  "])
def test_that_a_text_has_no_parts_of_its_words(phrase: str) -> None:
    assert not ARTICLE.has(phrase)


@pytest.mark.parametrize(
    ("number", "unit", "has"),
    [
        ("1240", "hectares", True),
        ("240", "hectares", False),
        ("0.5", "m", True),
        ("5", "m", False),
        ("30", "meter", True),
        ("30", "m", False),
        ("12", "km2", True),
        ("12", "km", False),
        ("7.25", "%", True),
        ("7", "%", False),
        ("25", "%", False),
        ("2011", "m", False),
    ],
)
def test_that_a_number_wants_its_unit(number: str, unit: str, has: bool) -> None:
    assert ARTICLE.has_number(number, (unit,)) is has


def test_that_no_text_backs_nothing() -> None:
    assert not Sources().has("anything")
    assert read_sources(("", "  \n ")) == Sources()


def test_that_what_lies_beyond_the_limit_backs_nothing() -> None:
    long = "x" * (MAX_LETTERS - 10) + " before"
    assert read_sources((long, "after")).has("before")
    assert not read_sources((long + " and much more", "after")).has("after")


@given(
    words=st.lists(st.from_regex(r"[a-z]{1,6}|\d{1,3}", fullmatch=True), max_size=12),
    wanted=st.text("ab1 ", max_size=4),
)
def test_against_a_regular_expression(words: list[str], wanted: str) -> None:
    text, phrase = " ".join(words), " ".join(wanted.split())
    unit = r"(?![^\W_])" if not phrase[-1:].isdecimal() else r"(?!\d)"
    expected = bool(phrase) and re.search(rf"(?<![^\W_]){re.escape(phrase)}{unit}", text) is not None
    assert read_sources((text,)).has(phrase) is expected


def test_that_a_long_text_is_searched_fast() -> None:
    sources = read_sources(("1 river and 2 fields. " * 45_000,))
    start = time.process_time()
    for i in range(50):
        sources.has(f"place {i}")
        sources.has_number("1", ("km",))
    assert time.process_time() - start < 0.5
