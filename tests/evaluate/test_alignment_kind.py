"""Alignment end to end: scores checked by hand, nulls, ceilings by the same prompts, and which prompts are followed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes.benchmarks import draw, write_drawn, write_release
from pydantic import ValidationError
from tiny_models.clip import write_tiny_clip

from earthloom.core.errors import UsageError
from earthloom.evaluate.alignment.config import AlignmentRecipe
from earthloom.evaluate.alignment.mentions import find_mentions, list_topics
from earthloom.evaluate.alignment.pairs import pair_up
from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.result import Result, read_result
from earthloom.evaluate.sets import open_set

N = 24
_LONG = " The picture shows furrows, a road, two barns and a pond, all of them seen from above." * 6


def make_pair(i: int) -> dict[str, object]:
    """A real picture with a plain caption and one that says much."""
    return {
        "id": f"p{i}",
        "group": f"g{i}",
        "kind": i % 6,
        "number": i,
        "captions": [
            {"text": f"field {i}", "style": "plain", "role": None, "author": "rules"},
            {
                "text": f"a foggy field of kind {i % 6} at 10 m, number {i}{_LONG if i % 2 else ''}",
                "style": "enriched",
                "role": None,
                "author": "rules",
            },
        ],
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("alignment")
    write_tiny_clip(home / "clip")
    pairs = [make_pair(i) for i in range(N)]
    write_release(home / "release", pairs)
    drawn = [
        {"kind": i % 6, "number": 100 * copy + i, "prompt": _text(pairs[i], 1), "prompt_key": f"p{i}"}
        for i in range(N)
        for copy in (1, 2)
    ]
    write_drawn(home / "drawn", drawn)
    return home


def _text(pair: dict[str, object], place: int) -> str:
    return str(_list_captions(pair)[place]["text"])


def _list_captions(pair: dict[str, object]) -> list[dict[str, object]]:
    captions = pair["captions"]
    assert isinstance(captions, list)
    return captions


def measure(home: Path, **told: object) -> Result:
    """Evaluate by a recipe."""
    recipe = AlignmentRecipe.model_validate(
        {
            "evaluate": "alignment",
            "name": "a",
            "clip": {"model": "clip"},
            "cache": "cache",
            "resamples": 200,
            **told,
        }
    )
    return evaluate(recipe, home / "out", base=home)


def test_prompts_and_captions_without_words_are_left_out(tmp_path: Path) -> None:
    """The prefix alone would be scored: of pictures drawn from nothing it says nothing."""
    prompts = ["a lake", " ", "a field"]
    write_drawn(
        tmp_path / "drawn", [{"kind": 0, "number": i, "prompt": text} for i, text in enumerate(prompts)]
    )
    silent = {"text": "  ", "style": "plain", "role": None, "author": "rules"}
    pair = make_pair(0)
    write_release(tmp_path / "release", [{**pair, "captions": [silent, *_list_captions(pair)]}])
    recipe = AlignmentRecipe.model_validate(
        {
            "evaluate": "alignment",
            "name": "a",
            "clip": {"model": "clip"},
            "generated": {"folder": "drawn"},
            "captions": 1,
        }
    )
    drawn = open_set("generated", recipe.generated, tmp_path)
    assert [pair.text for pair in pair_up(drawn.entries, recipe, {})] == ["a lake", "a field"]
    real = open_set("real", PictureSet(release="release"), tmp_path)
    (found,) = pair_up(real.entries, recipe, {})
    assert (found.text, found.stratum) == ("field 0", "plain 1")


def test_scores_are_those_of_the_models_own_features(home: Path) -> None:
    import torch
    from transformers import AutoTokenizer, CLIPImageProcessorPil, CLIPModel

    result = measure(home, generated={"release": "release"}, styles=["plain"])
    assert read_result(home / "out").figures == result.figures
    model = CLIPModel.from_pretrained(home / "clip").eval()
    processor = CLIPImageProcessorPil.from_pretrained(home / "clip")
    tokenizer = AutoTokenizer.from_pretrained(home / "clip")
    pictures = [draw(i % 6, i) for i in range(N)]
    texts = [f"A photo depicts field {i}" for i in range(N)]
    with torch.no_grad():
        pixels = processor(pictures, return_tensors="pt")["pixel_values"]
        seen = model.get_image_features(pixel_values=pixels).pooler_output.double().numpy()
        read = model.get_text_features(**tokenizer(texts, padding=True, return_tensors="pt")).pooler_output
    words = read.double().numpy()
    cosines = (seen @ words.T) / np.linalg.norm(seen, axis=1)[:, None] / np.linalg.norm(words, axis=1)[None]
    scores = 2.5 * np.maximum(cosines, 0)
    found = result.find("clip_score")
    assert found.value == pytest.approx(np.diag(scores).mean(), abs=1e-5)
    off = (scores.sum() - np.trace(scores)) / (N * (N - 1))
    assert found.null == pytest.approx(off, abs=4 * scores.std() / np.sqrt(20 * N))
    assert result.find("clip_score:lift").value == pytest.approx(found.value - (found.null or 0))
    assert result.find("clip_score:wins").null == 0.5
    assert found.n == N
    assert any("No real pictures" in note for note in result.notes)


def test_drawn_pictures_stand_beside_the_real_ones_of_their_prompts(home: Path) -> None:
    result = measure(home, generated={"folder": "drawn"}, real={"release": "release"})
    found = result.find("clip_score")
    assert found.n == 2 * N
    assert found.n_real == N
    assert found.interval == f"bootstrap over {N} prompts"
    assert found.details["ceiling_is"] == "real pictures, by the same prompts"
    alone = measure(home, generated={"release": "release"}, styles=["enriched"])
    assert found.ceiling == pytest.approx(alone.find("clip_score").value)
    assert [info.n for info in result.sets] == [2 * N, N]
    assert result.sets[0].is_generated
    assert (home / "out" / "index.html").stat().st_size > 1000


def test_attributes_are_judged_where_they_are_asked_for(home: Path) -> None:
    classes = ["forest", "river", "farmland"]
    pairs = [
        {**make_pair(i), "kind": i % 3, "labels": [{"name": classes[i % 3], "kind": "class"}]}
        for i in range(60)
    ]
    write_release(home / "labelled", pairs)
    drawn = [
        # Every other picture shows another class than its prompt asked for.
        {
            "kind": i % 3 if i % 2 else (i + 1) % 3,
            "number": 500 + i,
            "prompt": _text(pairs[i], 1),
            "prompt_key": f"p{i}",
        }
        for i in range(40)
    ]
    write_drawn(home / "half", drawn)
    told = {"generated": {"folder": "half"}, "real": {"release": "labelled"}}
    result = measure(home, **told, attributes=True, probe_encoders=[{"name": "classical"}])
    found = result.find("faithful:class")
    assert found.value == pytest.approx(0.5, abs=0.1)
    assert found.ceiling is not None
    assert found.ceiling > 0.9
    assert result.find("clip_score").n == 40
    assert [(info.name, info.n, info.details.get("n_texts")) for info in result.sets] == [
        ("generated", 40, 40),
        ("real", 60, 40),
    ]
    told["real"] = {"release": "labelled", "limit": 30}
    probes = [{"release": "labelled"}]
    result = measure(home, **told, attributes=True, probes=probes, probe_encoders=[{"name": "classical"}])
    n_real = result.sets[1].n
    assert [(info.name, info.n) for info in result.sets] == [
        ("generated", 40),
        ("real", n_real),
        ("probes[0]", 60),
    ]
    assert any(f"ceiling lacks {40 - n_real} of 40 prompts" in note for note in result.notes)
    with pytest.raises(ValidationError, match="name `real` or `probes`"):
        measure(home, generated={"folder": "half"}, attributes=True)


def test_pictures_of_other_prompts_have_a_ceiling_by_their_own_captions(home: Path) -> None:
    drawn = [{"kind": i % 6, "number": 900 + i, "prompt": f"field {i} in snow"} for i in range(8)]
    write_drawn(home / "free", drawn)
    result = measure(home, generated={"folder": "free"}, real={"release": "release"})
    assert result.find("clip_score").details["ceiling_is"] == "real pictures, by their own captions"
    assert result.find("clip_score").n_real == 2 * N


def test_long_texts_are_counted_and_none_is_cut(home: Path) -> None:
    result = measure(home, generated={"release": "release"})
    rule = result.protocol.rules["long texts"]
    assert f"{N // 2} of {2 * N} texts were longer" in rule
    assert "none was cut" in rule


def test_styles_have_figures_of_their_own(home: Path) -> None:
    result = measure(home, generated={"release": "release"})
    both = result.find("clip_score")
    plain, enriched = (result.find("clip_score", group=style) for style in ("plain", "enriched"))
    assert plain.n == enriched.n == N
    assert both.value == pytest.approx(((plain.value or 0) + (enriched.value or 0)) / 2)
    assert result.find("clip_score:lift", group="plain").value is not None


def test_which_prompts_are_followed_is_told(home: Path) -> None:
    result = measure(home, generated={"release": "release"})
    lengths, mentions = result.tables
    assert sum(int(row[1] or 0) for row in lengths.rows) == 2 * N
    named = {row[0]: row for row in mentions.rows}
    assert named["weather or light"][1] == N
    assert named["ground sample distance"][5] == N
    assert [line.name for line in result.curves[0].lines] == ["measured"]


def test_one_prompt_for_all_has_no_null(home: Path) -> None:
    write_drawn(home / "same", [{"kind": 1, "number": i, "prompt": "a field"} for i in range(6)])
    result = measure(home, generated={"folder": "same"})
    found = result.find("clip_score")
    assert found.value is not None
    assert found.null is None
    assert "there is one text" in str(found.reason)
    assert result.find("clip_score:lift").value is None


def test_other_weights_and_prefixes_are_other_figures(home: Path) -> None:
    result = measure(home, generated={"release": "release"}, weight=100, prefix="")
    assert result.find("clip_score:x100").value is not None
    assert result.protocol.rules["prefix"] == "none"


def test_pictures_without_words_are_a_fault(home: Path) -> None:
    with pytest.raises(UsageError, match="of the styles poem were wanted"):
        measure(home, generated={"release": "release"}, styles=["poem"])


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("An RGB image at 0.5 m/px of a forest", {"modality", "ground sample distance"}),
        (
            "Sentinel-2 shows a town under snow in January 2021",
            {"sensor", "weather or light", "date or season"},
        ),
        ("two white planes near a building", {"counts", "colour", "position"}),
        ("a forest", set()),
        ("Cloudberry farm", set()),
    ],
)
def test_mentions(text: str, topics: set[str]) -> None:
    assert find_mentions(text) == topics
    assert topics <= set(list_topics())
