"""Texts of any length in the space of a dual encoder, against transformers' own way with texts that fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_models.clip import write_tiny_clip

from earthloom.core.errors import UsageError
from earthloom.evaluate.duals import DualSettings, OpenDual, open_dual_encoder

LENGTH = 24
LONG = (
    "A river runs through fields. Two roads cross near a town of red roofs. Ships lie in a harbour at noon. "
    * 3
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clip(tmp_path_factory.mktemp("clip"), length=LENGTH)


@pytest.fixture(scope="module")
def dual(weights: Path) -> OpenDual:
    return open_dual_encoder(DualSettings(model=weights.name), weights.parent)


def test_texts_that_fit_are_described_as_the_model_does(dual: OpenDual) -> None:
    texts = ["a lake", "two roads cross", "a lake", ""]
    found = dual.describe_texts(texts, "A photo depicts ")
    expected = dual.dual.describe_texts([f"A photo depicts {text}" for text in texts])
    np.testing.assert_allclose(found.features, expected, atol=1e-6)
    assert (found.features[0] == found.features[2]).all(), "equal texts tie"
    assert found.n_long == 0
    assert found.tokens.tolist()[0] == len(dual.dual.tokenizer("A photo depicts a lake")["input_ids"]) - 2


def test_long_texts_are_read_whole(dual: OpenDual) -> None:
    found = dual.describe_texts([LONG, LONG + "Snow lies on a mountain.", "a lake"])
    assert found.n_long == 2
    lengths = np.linalg.norm(found.features, axis=1)
    assert lengths[2] == pytest.approx(1.0)
    assert lengths[0] < 1.0
    cut = dual.dual.describe_texts([LONG, LONG + "Snow lies on a mountain."])
    np.testing.assert_array_equal(cut[0], cut[1])
    assert np.abs(found.features[0] - found.features[1]).max() > 1e-3, "the end of the text counts"
    ids = dual.dual.tokenizer(LONG)["input_ids"]
    assert found.tokens[0] == len(ids) - 2 > LENGTH


def test_a_long_text_is_the_mean_of_its_parts(dual: OpenDual) -> None:
    sentence = "A river runs through fields."
    n = len(dual.dual.tokenizer(sentence)["input_ids"]) - 2
    room = LENGTH - 2
    assert room // n >= 1
    alone = dual.describe_texts([" ".join([sentence] * (room // n))]).features[0]
    twice = dual.describe_texts([" ".join([sentence] * (2 * (room // n)))])
    assert twice.n_long == 1
    np.testing.assert_allclose(twice.features[0], alone, atol=1e-6)


def test_a_stretched_tower_reads_more(weights: Path) -> None:
    settings = DualSettings(model=str(weights), long_text="stretch", length=400)
    found = open_dual_encoder(settings, Path())
    texts = found.describe_texts([LONG])
    assert texts.n_long == 0
    assert "stretched to 400 tokens" in found.tell_rules("", 0, 1)["long texts"]


def test_rules_say_how_many_were_long(dual: OpenDual) -> None:
    rules = dual.tell_rules("A photo depicts ", 3, 40)
    assert rules["prefix"] == "'A photo depicts '"
    assert "3 of 40 texts were longer" in rules["long texts"]
    assert dual.tell_rules("", 0, 1)["prefix"] == "none"


def test_a_prefix_that_fills_the_tower_is_a_fault(dual: OpenDual) -> None:
    with pytest.raises(UsageError, match="shorter prefix"):
        dual.describe_texts(["a"], "word " * LENGTH)


def test_a_model_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        open_dual_encoder(DualSettings(model="nobody/nothing"), tmp_path)
