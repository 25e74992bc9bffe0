"""Captioning end to end: a folder of pictures, references, captions; what is measured and what is said of the rest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter, ValidationError
from tiny_models.clip import write_tiny_clip

from earthloom.core.errors import RunError, UsageError
from earthloom.evaluate.captioning import meteor as meteor_module
from earthloom.evaluate.captioning.config import CaptioningRecipe
from earthloom.evaluate.captioning.meteor import open_meteor
from earthloom.evaluate.captioning.scoring import _deal
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.kinds import EvaluationRecipe
from earthloom.evaluate.result import Result, read_result
from earthloom.metrics.words import NAMES, measure_captions

THINGS = ("river", "road", "harbour", "forest", "stadium", "airport", "desert", "bridge")


def say(place: int, words: str) -> str:
    thing, other = THINGS[place % len(THINGS)], THINGS[(place + 3) % len(THINGS)]
    return f"{words} a {thing} number {place} beside a {other}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Twelve pictures, three references each, a caption each."""
    (tmp_path / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for place in range(12):
        pixels = rng.integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{place}.png")
    references = {
        f"{place}.png": [say(place, "this is"), say(place, "there is"), say(place, "we see")]
        for place in range(12)
    }
    (tmp_path / "references.json").write_text(json.dumps(references))
    write_candidates(tmp_path, {f"{place}.png": say(place, "an image of") for place in range(12)})
    return tmp_path


def write_candidates(home: Path, told: dict[str, str]) -> None:
    rows = [json.dumps({"file": key, "caption": text}) for key, text in told.items()]
    (home / "captions.jsonl").write_text("\n".join(rows))


def measure(home: Path, **more: object) -> Result:
    plain = {
        "evaluate": "captioning",
        "name": "made captions",
        "pictures": {"folder": "pictures"},
        "candidates": "captions.jsonl",
        "references": "references.json",
        "meteor": False,
        "resamples": 100,
        **more,
    }
    recipe = TypeAdapter(EvaluationRecipe).validate_python(plain)
    evaluate(recipe, home / "out", base=home)
    return read_result(home / "out")


def test_that_figures_are_those_of_the_metrics(home: Path) -> None:
    result = measure(home)
    references = [[say(i, words) for words in ("this is", "there is", "we see")] for i in range(12)]
    wanted = measure_captions([say(i, "an image of") for i in range(12)], references).to_json()
    for name in NAMES:
        figure = result.find(name)
        assert figure.value == pytest.approx(wanted[name])
        assert figure.n == 12
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= figure.value <= figure.high + 1e-12
        # Dealt captions say less, and people, who differ in two words, say as much.
        assert figure.null is not None
        assert figure.null < figure.value
        assert figure.ceiling is not None
    assert result.refused == {}
    assert "do not compare" in result.protocol.rules["cider_d"]
    assert result.protocol.rules["candidates"] == "captions.jsonl"


def test_that_people_are_scored_against_each_other(home: Path) -> None:
    ceiling = result_ceiling = measure(home).find("rouge_l").ceiling
    words = ("this is", "there is", "we see")
    rounds = [
        measure_captions(
            [say(i, own) for i in range(12)],
            [[say(i, other) for other in words if other != own] for i in range(12)],
        ).rouge_l
        for own in words
    ]
    assert ceiling == pytest.approx(np.mean(rounds))
    assert result_ceiling is not None


def test_that_shuffled_captions_score_as_the_null(home: Path) -> None:
    write_candidates(home, {f"{place}.png": say((place + 5) % 12, "an image of") for place in range(12)})
    figure = measure(home).find("cider_d")
    assert figure.value is not None
    assert figure.null is not None
    assert figure.ceiling is not None
    assert figure.value < figure.ceiling / 3


def test_that_pictures_without_a_caption_are_on_record(home: Path) -> None:
    write_candidates(home, {"0.png": "a river", "3.png": "", "elsewhere.png": "a road"})
    result = measure(home)
    assert result.find("bleu_1").n == 2
    assert len(result.refused) == 10
    assert result.refused["1.png"]["reason"] == "missing"
    notes = " ".join(result.notes)
    assert "10 pictures have no caption" in notes
    assert "1 captions of captions.jsonl are of no picture" in notes
    assert "1 captions are empty" in notes


def test_that_scores_of_a_dual_encoder_are_its_own_and_long_captions_are_told(home: Path) -> None:
    import torch
    from transformers import AutoTokenizer, CLIPImageProcessorPil, CLIPModel

    write_tiny_clip(home / "clip")
    captions = {f"{i}.png": say(i, "an image of") for i in range(12)}
    captions["3.png"] = " and ".join(say(i, "here is") for i in range(12))
    write_candidates(home, captions)
    prefix = "A photo depicts "
    result = measure(home, clip={"model": "clip"}, cache="cache")
    told = result.protocol.rules
    assert told["clip_score"] == "2.5 x max(cosine, 0), the mean over pictures"
    assert told["prefix"] == repr(prefix)
    assert "1 of 48 texts were longer" in told["long texts"]
    del captions["3.png"]
    write_candidates(home, captions)
    result = measure(home, clip={"model": "clip"}, cache="cache")
    model = CLIPModel.from_pretrained(home / "clip").eval()
    tokenizer = AutoTokenizer.from_pretrained(home / "clip")
    places = [int(key.removesuffix(".png")) for key in captions]
    pictures = [Image.open(home / "pictures" / key).convert("RGB") for key in captions]

    def read(texts: list[str]) -> np.ndarray:
        words = tokenizer([prefix + text for text in texts], padding=True, return_tensors="pt")
        with torch.no_grad():
            found = model.get_text_features(**words).pooler_output.double().numpy()
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))

    with torch.no_grad():
        pixels = CLIPImageProcessorPil.from_pretrained(home / "clip")(pictures, return_tensors="pt")
        seen = model.get_image_features(**pixels).pooler_output.double().numpy()
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    said = read(list(captions.values()))
    people = [read([say(i, words) for i in places]) for words in ("this is", "there is", "we see")]
    scores = 2.5 * np.maximum((seen * said).sum(axis=1), 0)
    best = np.maximum(np.max([(said * one).sum(axis=1) for one in people], axis=0), 0)
    assert result.find("clip_score").value == pytest.approx(scores.mean(), abs=1e-5)
    both = 2 * scores * best / (scores + best)
    assert result.find("ref_clip_score").value == pytest.approx(both.mean(), abs=1e-5)
    again = measure(home, clip={"model": "clip"}, cache="cache", shuffles=50)
    for name in ("clip_score", "ref_clip_score"):
        nulls = [found.find(name).null for found in (result, again)]
        assert None not in nulls
        assert nulls[0] != nulls[1]
    write_candidates(home, {**captions, "5.png": " "})
    silent = measure(home, clip={"model": "clip"}, cache="cache")
    place = list(captions).index("5.png")
    for name, each in (("clip_score", scores), ("ref_clip_score", both)):
        wanted = (each.sum() - each[place]) / len(each)
        assert silent.find(name).value == pytest.approx(wanted, abs=1e-5)


def test_that_no_caption_at_all_is_an_error(home: Path) -> None:
    write_candidates(home, {"elsewhere.png": "a road"})
    with pytest.raises(RunError, match="None of 12 pictures"):
        measure(home)


def test_that_pictures_without_references_are_an_error(home: Path) -> None:
    with pytest.raises(UsageError, match="no picture has a reference"):
        measure(home, references=None)


def test_that_the_same_recipe_gives_the_same_figures(home: Path) -> None:
    assert measure(home).figures == measure(home).figures


@pytest.mark.parametrize("given", [{"candidates": None}, {"captioner": {"model": "x"}}])
def test_that_captions_come_from_a_file_or_a_model(home: Path, given: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="candidates"):
        measure(home, **given)


def test_that_a_recipe_says_where_captions_come_from() -> None:
    with pytest.raises(ValidationError, match="wants either `candidates`"):
        CaptioningRecipe.model_validate({"evaluate": "captioning", "name": "x", "pictures": {"folder": "."}})


def test_that_a_missing_meteor_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meteor_module, "find_spec", lambda name: None)
    figure = measure(home, meteor="auto").find("meteor")
    assert figure.value is None
    assert figure.reason is not None
    assert "earthloom[meteor]" in figure.reason
    with pytest.raises(UsageError, match="apt-get install default-jre-headless"):
        measure(home, meteor=True)


def test_that_a_missing_jar_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="METEOR wants"), open_meteor(tmp_path / "meteor-1.5.jar"):
        pass


def test_that_a_java_that_breaks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho no memory >&2\n")
    java.chmod(0o755)
    (tmp_path / "meteor-1.5.jar").touch()
    monkeypatch.setattr(meteor_module.shutil, "which", lambda name: str(java))
    with (
        pytest.raises(RunError, match="METEOR broke off: no memory"),
        open_meteor(tmp_path / "meteor-1.5.jar") as meteor,
    ):
        meteor.score(["a"], [["a"]])


def test_what_is_said_to_meteor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that speaks METEOR's protocol: statistics for SCORE, then each score and the corpus' for EVAL."""
    java = tmp_path / "java"
    java.write_text(
        "#!/bin/sh\n"
        'while read -r line; do echo "$line" >> said.txt; case "$line" in\n'
        'SCORE*) echo "1.0 2.0";;\nEVAL*) printf "0.25\\n0.75\\n0.6\\n";;\nesac; done\n'
    )
    java.chmod(0o755)
    (tmp_path / "meteor-1.5.jar").touch()
    monkeypatch.setattr(meteor_module.shutil, "which", lambda name: str(java))
    with open_meteor(tmp_path / "meteor-1.5.jar") as meteor:
        found = meteor.score(["a ||| b", "c"], [["a b", "b"], ["c"]])
    assert (found.value, found.each) == (0.6, [0.25, 0.75])
    said = (tmp_path / "said.txt").read_text().splitlines()
    assert said == ["SCORE ||| a b ||| b ||| a b", "SCORE ||| c ||| c", "EVAL ||| 1.0 2.0 ||| 1.0 2.0"]


@pytest.mark.parametrize("n", [2, 3, 50])
def test_that_no_caption_stays_with_its_picture(n: int) -> None:
    dealt = _deal(n, np.random.default_rng(n))
    assert sorted(dealt) == list(range(n))
    assert all(place != own for place, own in enumerate(dealt))


def test_a_model_that_captions_what_it_is_shown(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from fakes.tiny_captioners import SCENES, make_blip2, paint

    make_blip2(tmp_path / "blip2")
    (tmp_path / "pictures").mkdir()
    for place, colour in enumerate(SCENES):
        Image.fromarray(paint(colour)).save(tmp_path / "pictures" / f"{place}.png")
    (tmp_path / "pictures" / "broken.png").write_bytes(b"no picture")
    told = {f"{place}.png": [text, "something else"] for place, text in enumerate(SCENES.values())}
    (tmp_path / "references.json").write_text(json.dumps({**told, "broken.png": ["a hole"]}))
    result = measure(
        tmp_path,
        candidates=None,
        captioner={"model": "blip2", "max_new_tokens": 16, "batch": 2, "device": "cpu"},
        examples=2,
    )
    assert result.find("bleu_1").value == pytest.approx(1)
    assert result.find("rouge_l").value == pytest.approx(1)
    assert result.find("cider_d").n == len(SCENES)
    assert set(result.refused) == {"broken.png"}
    assert result.refused["broken.png"]["reason"] != "missing"
    assert "blip2" in result.protocol.rules["candidates"]
