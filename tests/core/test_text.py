"""Texts of others: any string becomes one that files can hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.text import mend, to_line

ANY = st.text(st.characters(codec=None, exclude_categories=[]))


@given(text=ANY)
def test_what_is_mended_can_be_written_and_stays_so(text: str) -> None:
    mended = mend(text)
    assert mended.encode().decode() == mended
    assert mend(mended) == mended


@given(text=st.text())
def test_whole_letters_stay_as_they_are(text: str) -> None:
    assert mend(text) == text


@pytest.mark.parametrize(("escaped", "wanted"), [("\\ud83d!", "\ufffd!"), ("!\\udf0d", "!\ufffd")])
def test_halves_of_letters_are_replaced(escaped: str, wanted: str) -> None:
    assert mend(json.loads(f'"{escaped}"')) == wanted


def test_halves_that_fit_are_joined() -> None:
    assert mend("\ud83c" + "\udf0d") == "\U0001f30d"


@given(text=ANY)
def test_a_line_is_one_line(text: str) -> None:
    line = to_line(text)
    assert len(line.splitlines()) <= 1
    assert line.isprintable()
    assert line == " ".join(line.split())


def test_what_cannot_be_printed_parts_words() -> None:
    assert to_line(" A port\x00and\n\n a  ship.\u200b ") == "A port and a ship."
