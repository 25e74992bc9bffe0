"""Tokens as Stanford's tokenizer gives them: a golden file by Java, published examples, and what holds of any text."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earthloom.metrics.words import tokenize
from earthloom.metrics.words.tokens import PUNCTUATION, tokenize_by_rules

GOLDEN = json.loads(
    (Path(__file__).parent.parent / "golden" / "ptb_tokens.json").read_text(encoding="utf-8")
)["sentences"]


@pytest.mark.parametrize(("text", "tokens"), GOLDEN)
def test_that_tokens_are_those_of_java(text: str, tokens: str) -> None:
    assert tokenize(text) == tokens


def test_that_the_golden_file_holds_what_is_hard() -> None:
    assert len(GOLDEN) >= 200
    texts = " ".join(text for text, _ in GOLDEN)
    for hard in ("VV/VH", "°N", "don't", "m²", "http", "1/2", "😀", "U.S.", "“", "GSD"):
        assert hard in texts


def test_the_published_tokens() -> None:
    # Java's, without the punctuation that pycocoevalcap removes.
    assert (
        tokenize("(VV/VH), GSD=0.5 m/px: don't ... 12.5%!")
        == "-lrb- vv/vh -rrb- gsd = 0.5 m/px do n't 12.5 %"
    )
    assert tokenize("37.5°N.") == "37.5 ° n."


@settings(max_examples=60)
@given(st.text())
def test_that_any_text_has_tokens(text: str) -> None:
    tokens = tokenize(text)
    assert not PUNCTUATION & set(tokens.split(" ")) or not tokens
    assert tokens == tokens.strip(" ")
    assert not any(char in tokens for char in "\n\r\t")


@settings(max_examples=50)
@given(st.text(st.sampled_from("abc XYZ.,-'\"()/&;:0123456789°½“”é<>@#$%_*=+~|\\[]{}!? "), max_size=40))
def test_that_texts_of_signs_have_tokens(text: str) -> None:
    assert "  " not in tokenize(text)


WORDS = st.lists(st.from_regex("[a-z]{2,9}", fullmatch=True), min_size=1)


@settings(max_examples=30)
@given(WORDS)
def test_that_tokens_of_plain_words_stay_as_they_are(words: list[str]) -> None:
    once = tokenize(" ".join(words))
    assert tokenize(once) == once


@settings(max_examples=30)
@given(WORDS)
def test_that_case_and_the_last_period_do_not_matter(words: list[str]) -> None:
    text = " ".join([*words, "field"])
    assert tokenize(text) == tokenize(f"{text.upper()}.") == tokenize(f"  {text} . ")


CHUNKS = (  # noqa: SIM905 (a list would fill seventy lines)
    "a A b x_x s the The No no. Fig mr Mr. St cannot Cannot gonna can't Don't DON'T isn't they've It's IT'S I'm "
    "ol o'o y's L's n't high_rise state-of-the-art non-smith anti-war sea,there a,b one,etc cannot,gonna ,neat 4 "
    "12 345 1/2 - . , ! ? -- ... ( word., word!. middle.There e.g. U.S. I. j'en till 'till cannot's s'mores C# "
    "art Art. https edu.com"
).split()
ENDS = ["", "", "", ".", ",", "!", "'s", "n't", "-", "_", ":", ".,", ".."]


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(CHUNKS), st.sampled_from(ENDS)), max_size=7))
def test_that_the_quick_way_gives_what_the_rules_give(chunks: list[tuple[str, str]]) -> None:
    text = " ".join(map("".join, chunks))
    assert tokenize(text) == tokenize_by_rules(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a word., then", "a word. then"),
        ("sea,there's", "sea there 's"),
        ("can't 4 x_x!", "ca n't 4 x_x"),
        ("b. Mr. Y", "b mr. y"),
    ],
)
def test_chunks_that_look_plainer_than_they_are(text: str, tokens: str) -> None:
    assert tokenize(text) == tokens  # as Java says


def test_that_line_breaks_are_spaces() -> None:
    assert tokenize("a river\nand\r\na road\u2028here") == "a river and a road here"


def test_that_nothing_is_left_of_punctuation() -> None:
    assert tokenize("") == tokenize(" . , ;") == tokenize("... -- '") == ""


@pytest.mark.parametrize(
    "sentence", ["a river (12.5 m wide) isn't far, e.g. no. 5. ", "many trees and a road . "]
)
def test_that_long_texts_take_time_in_proportion(sentence: str) -> None:
    def seconds(times: int) -> float:
        start = time.process_time()
        assert len(tokenize(sentence * times)) > 10 * times
        return time.process_time() - start

    seconds(100)
    # Eight times the text: of a square it would be 64 times the time.
    assert seconds(8 * 300) < 24 * max(seconds(300), 0.002)


def test_that_one_long_word_is_taken_at_once() -> None:
    start = time.process_time()
    assert tokenize("a" * 20_000) == "a" * 20_000
    assert tokenize("1" * 20_000) == "1" * 20_000
    assert time.process_time() - start < 5
