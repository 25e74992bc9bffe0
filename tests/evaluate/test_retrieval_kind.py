"""Retrieval end to end, with a tiny CLIP whose ranks are counted once more by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fakes.benchmarks import write_karpathy, write_lines, write_release
from tiny_models.clip import write_tiny_clip

from earthloom.core.errors import RecipeError, RunError, UsageError
from earthloom.evaluate.benchmarks.captions import list_captioned
from earthloom.evaluate.benchmarks.names import find_benchmark
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.result import Result, read_result
from earthloom.evaluate.retrieval.config import RetrievalRecipe
from earthloom.evaluate.retrieval.measuring import DISTINCT
from earthloom.metrics.retrieval import expect_chance
from earthloom.recipes import parse_evaluation

N = 30
_ROUNDING = 1e-5
"""Of logits."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("retrieval")
    write_tiny_clip(home / "clip")
    write_karpathy(home / "rsicd", "dataset_rsicd.json", "RSICD_images", {"train": 2, "test": N})
    return home


def measure(home: Path, **told: object) -> Result:
    """Evaluate by a recipe."""
    recipe = RetrievalRecipe.model_validate(
        {
            "evaluate": "retrieval",
            "name": "r",
            "clip": {"model": "clip"},
            "cache": "cache",
            "resamples": 200,
            **told,
        }
    )
    return evaluate(recipe, home / "out", base=home)


def test_a_benchmark_end_to_end(home: Path) -> None:
    result = measure(home, test="rsicd", path="rsicd")
    assert read_result(home / "out").figures == result.figures
    at_1, chance = result.find("to_text@1"), expect_chance(5, 5 * N, 1)
    assert at_1.null == pytest.approx(chance)
    assert at_1.value is not None
    assert at_1.low is not None
    assert at_1.high is not None
    assert at_1.low <= at_1.value <= at_1.high
    assert at_1.n == N
    assert result.find("to_picture@10").n == 5 * N
    assert result.find("to_picture@10").null == pytest.approx(10 / N)
    mean = np.mean([result.find(f"{way}@{k}").value for way in ("to_text", "to_picture") for k in (1, 5, 10)])
    assert result.find("mean_recall").value == pytest.approx(mean)
    assert result.find("mean_recall").null == pytest.approx(
        np.mean([expect_chance(5, 5 * N, k) for k in (1, 5, 10)] + [k / N for k in (1, 5, 10)])
    )
    assert result.find("to_picture:median_rank").null == N / 2
    null = result.find("to_text:median_rank").null
    assert null is not None
    assert expect_chance(5, 5 * N, int(null)) >= 0.5 > expect_chance(5, 5 * N, int(null) - 1)
    assert [info.n for info in result.sets] == [N]
    assert any("1,093 pictures as published, 30 are there" in note for note in result.notes)
    assert any("share pictures" in note for note in result.notes)
    assert (home / "out" / "index.html").stat().st_size > 1000


def test_the_ranks_are_those_of_the_models_own_features(home: Path) -> None:
    """Counted by a loop over transformers' own towers."""
    import torch
    from transformers import AutoTokenizer, CLIPImageProcessorPil, CLIPModel

    result = measure(home, test="rsicd", path="rsicd")
    entries = [e for e in list_captioned(find_benchmark("rsicd"), home / "rsicd") if e.shown.split == "test"]
    model = CLIPModel.from_pretrained(home / "clip").eval()
    processor = CLIPImageProcessorPil.from_pretrained(home / "clip")
    tokenizer = AutoTokenizer.from_pretrained(home / "clip")
    texts = [words.text for entry in entries for words in entry.captions]
    with torch.no_grad():
        pixels = processor([entry.read() for entry in entries], return_tensors="pt")["pixel_values"]
        tokens = tokenizer(texts, padding=True, return_tensors="pt")
        found = model(pixel_values=pixels, **tokens).logits_per_image.double().numpy()
    wrong = np.arange(5 * N)[None] // 5 != np.arange(N)[:, None]
    best = np.where(wrong, -np.inf, found).max(axis=1, keepdims=True)
    for k in (1, 5, 10):
        # Equal captions of others tie, and the towers round in single precision: between both ways to see a tie.
        most, least = (
            float(((wrong & (found > best + slack)).sum(axis=1) < k).mean())
            for slack in (_ROUNDING, -_ROUNDING)
        )
        value = result.find(f"to_text@{k}").value
        assert value is not None
        assert least <= value <= most
        assert most - least < 0.3
    positions = [int((found[:, t] > found[t // 5, t]).sum()) for t in range(5 * N)]
    assert result.find("to_picture@5").value == pytest.approx(np.mean(np.array(positions) < 5), abs=1e-9)


def test_shared_captions_are_told_and_left_out_beside(home: Path) -> None:
    result = measure(home, test="rsicd", path="rsicd")
    distinct = result.find("to_picture@1", group=DISTINCT)
    assert distinct.n == 4 * N, "one in five captions stands with several pictures"
    assert any("30 of 150 captions stand elsewhere" in note for note in result.notes)
    lines = write_lines(home / "few", "test", 4)
    rows = [{"file": f"lake_{i}.jpg", "captions": ["a lake", "water"]} for i in range(1, 5)]
    (lines / "captions_test.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    same = measure(home, test="rsicd", path="few")
    assert same.find("to_text@1").value == 0.0, "nothing tells them apart: ties count against the model"
    assert same.find("to_text@1").details["tied"] == 1.0
    assert not [figure for figure in same.figures if figure.group == DISTINCT]


def test_a_release_by_its_styles_with_a_broken_picture(home: Path) -> None:
    pairs = [
        {
            "id": f"p{i}",
            "group": f"g{i // 2}",
            "kind": i % 5,
            "number": i,
            "captions": [
                {"text": f"plain {i}", "style": "plain", "role": None, "author": "rules"},
                {"text": f"a rich text of number {i}", "style": "rich", "role": None, "author": "rules"},
            ],
        }
        for i in range(12)
    ]
    pairs[3]["captions"] = []
    write_release(home / "release", pairs)
    result = measure(home, pictures={"release": "release"}, styles=["rich"], prefix="a satellite image of ")
    assert result.find("to_text@1").n == 11
    assert result.find("to_text@1").interval == "Wilson's score interval over 6 grounds"
    assert result.protocol.rules["prefix"] == "'a satellite image of '"
    assert any("1 pictures have no caption" in note for note in result.notes)
    with pytest.raises(UsageError, match="of the styles none"):
        measure(home, pictures={"release": "release"}, styles=["none"])


def test_pictures_that_cannot_be_read_are_counted(home: Path) -> None:
    write_karpathy(home / "broken", "dataset.json", "imgs", {"test": 6}, ending=".tif")
    (home / "broken" / "imgs" / "2.tif").write_bytes(b"II*\0")
    (home / "broken" / "imgs" / "4.tif").unlink()
    result = measure(home, test="ucm-captions", path="broken")
    assert result.sets[0].n == 4
    assert result.sets[0].n_refused == 2
    assert {told["reason"] for told in result.refused.values()} >= {"missing"}
    for path in (home / "broken" / "imgs").glob("*.tif"):
        path.write_bytes(b"")
    with pytest.raises(RunError, match="None of 6 pictures"):
        measure(home, test="ucm-captions", path="broken")


def test_a_recipe_is_checked_before_anything_is_read(home: Path) -> None:
    text = "evaluate: retrieval\nname: r\ntest: rsicd\npath: {}\nclip: {{model: openai/clip}}\n"
    assert isinstance(parse_evaluation(text.format("rsicd"), base=home), RetrievalRecipe)
    with pytest.raises(RecipeError, match="line 4: path"):
        parse_evaluation(text.format("nowhere"), base=home)


def test_equal_settings_give_equal_results(home: Path) -> None:
    first, again = (measure(home, test="rsicd", path="rsicd", examples=2) for _ in range(2))
    assert first.figures == again.figures
    assert first.protocol == again.protocol
    other = measure(home, test="rsicd", path="rsicd", capitalize=True)
    assert other.protocol != first.protocol
