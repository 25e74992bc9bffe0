"""METEOR itself, where Java and its jar are at hand, against values that pycocoevalcap 1.2 printed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from earthloom.core.errors import UsageError
from earthloom.evaluate.captioning.meteor import Meteor, find_meteor, open_meteor
from earthloom.metrics.words import tokenize

AIRPORT = (
    [
        "Many planes are parked in an airport near a long building.",
        "A curved river is in a dark green forest.",
        "Many houses and green trees are in a dense residential area.",
    ],
    [
        ["Many planes are parked next to a long building in an airport.",
         "Some planes are parked in an airport near a terminal."],
        ["A river runs through a green forest.",
         "The dark green forest is on both sides of a curved river."],
        ["Many buildings and some green trees are in a dense residential area.",
         "Lots of houses with gray roofs are arranged densely."],
    ],
)  # fmt: skip
# The example of CLIPScore (Hessel et al., EMNLP 2021; its code is MIT).
CATS_AND_DOGS = [
    ["two cats are sleeping next to each other.",
     "a grey cat is cuddling with an orange cat on a blanket.",
     "the orange cat is happy that the black cat is close to it."],
    ["a dog is wearing ear muffs as it lies on a carpet.",
     "a black dog and an orange cat are looking at the photographer.",
     "headphones are placed on a dogs ears."],
]  # fmt: skip
GOOD = [
    "an orange cat and a grey cat are lying together.",
    "a black dog wearing headphones looks at the camera as an orange cat walks in the background.",
]
BAD = [
    "a calico cat and a white cat are lying together.",
    "a black dog wearing a hat looks at the camera as a tabby walks in the background.",
]


@pytest.fixture(scope="module")
def meteor() -> Iterator[Meteor]:
    """Started once: its tables take seconds to read."""
    try:
        jar = find_meteor()
    except UsageError as error:
        pytest.skip(str(error))
    with open_meteor(jar) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize(
    ("candidates", "references", "printed"),
    [(*AIRPORT, 0.4481), (GOOD, CATS_AND_DOGS, 0.3444), (BAD, CATS_AND_DOGS, 0.1861)],
)
def test_the_printed_examples(
    meteor: Meteor, candidates: list[str], references: list[list[str]], printed: float
) -> None:
    found = meteor.score(
        list(map(tokenize, candidates)), [list(map(tokenize, group)) for group in references]
    )
    assert found.value == pytest.approx(printed, abs=5.1e-5)
    assert len(found.each) == len(candidates)


@pytest.mark.slow
@pytest.mark.parametrize(("candidates", "printed"), [(GOOD, 0.3371), (BAD, 0.1916)])
def test_what_the_tokenizer_is_worth(meteor: Meteor, candidates: list[str], printed: float) -> None:
    """Captions as they stand, their periods part of the last words."""
    assert meteor.score(candidates, CATS_AND_DOGS).value == pytest.approx(printed, abs=5.1e-5)
