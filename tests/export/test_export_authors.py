"""What a card says about who wrote the captions."""

from __future__ import annotations

from earthloom.export.authors import describe_authors
from earthloom.export.statistics import Captions


def test_every_author_is_counted_once() -> None:
    kinds = {
        ("mmm_rs", "prompt", "rules@2"): 10,
        ("plain", "overview", "rules@2"): 1_000,
        ("mmm_rs", "prompt", "rules@2+blip2-opt-2.7b@ab/unprompted"): 5,
        ("plain", "overview", "blip2-opt-2.7b@ab/unprompted"): 7,
        ("mmm_rs", "prompt", "rules@2+blip2-opt-2.7b@ab+12345678/unprompted"): 2,
        ("plain", "overview", "blip2-opt-2.7b@ab+12345678/unprompted"): 1,
        ("gaia", "overview", "gpt-4o/gaia-1"): 30,
        ("source", "caption", "model:GPT-4o"): 3,
    }
    said = describe_authors(Captions(total=1_058, words={}, mean_words=0.0, kinds=kinds))
    assert said == (
        "1,010 are by rules and say only what the facts of the picture hold. 45 are by models "
        "(blip2-opt-2.7b@ab+12345678/unprompted, blip2-opt-2.7b@ab/unprompted, gpt-4o/gaia-1): what facts can judge in "
        "them was checked, what only eyes can tell was not. 3 come from the sources and are kept as they came."
    )


def test_an_empty_release_says_nothing() -> None:
    assert describe_authors(Captions(total=0, words={}, mean_words=0.0, kinds={})) == ""
