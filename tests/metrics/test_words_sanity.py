"""Captions that are made worse score worse."""

from __future__ import annotations

import pytest

from earthloom.metrics.words import measure_captions

THINGS = ("river", "road", "harbour", "forest", "stadium", "airport", "desert", "bridge", "square", "viaduct")
SAID = [f"a photo of the {thing} and of a {THINGS[i - 1]} beside it" for i, thing in enumerate(THINGS)]
TRUTH = [
    [
        f"this is a photo of the {thing} and a {THINGS[i - 1]}",
        f"the {thing} lies with a {THINGS[i - 1]} beside it",
    ]
    for i, thing in enumerate(THINGS)
]


@pytest.mark.parametrize("name", ["bleu_2", "rouge_l", "cider_d"])
@pytest.mark.parametrize(
    "worse",
    [
        [*SAID[3:], *SAID[:3]],
        [" ".join(text.split()[:3]) for text in SAID],
        [" ".join([text] * 3) for text in SAID],
        ["a photo of it"] * len(SAID),
    ],
    ids=["shuffled", "cut short", "repeated", "all the same"],
)
def test_that_worse_captions_score_worse(name: str, worse: list[str]) -> None:
    assert (
        measure_captions(worse, TRUTH).to_json()[name] < 0.9 * measure_captions(SAID, TRUTH).to_json()[name]
    )
