"""Classification end to end: by words with a tiny CLIP, checked by hand, and by probes of features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes.benchmarks import draw, write_classes, write_eurosat, write_release, write_tar
from PIL import Image
from pydantic import ValidationError
from tiny_models.clip import write_tiny_clip

from earthloom.core.errors import RunError, UsageError
from earthloom.evaluate.benchmarks.words import list_folders
from earthloom.evaluate.classification.config import ClassificationRecipe
from earthloom.evaluate.evaluating import evaluate
from earthloom.evaluate.result import Result, read_result

N = 6


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("classification")
    write_tiny_clip(home / "clip")
    write_eurosat(home / "eurosat", list_folders("eurosat"), n=N)
    return home


def measure(home: Path, **told: object) -> Result:
    """Evaluate by a recipe."""
    recipe = ClassificationRecipe.model_validate(
        {"evaluate": "classification", "name": "c", "cache": "cache", "resamples": 200, **told}
    )
    return evaluate(recipe, home / "out", base=home)


def test_zero_shot_is_that_of_the_models_own_features(home: Path) -> None:
    import torch
    from transformers import AutoTokenizer, CLIPImageProcessorPil, CLIPModel

    result = measure(home, test="eurosat", path="eurosat", clip={"model": "clip"}, wording="plain")
    assert read_result(home / "out").figures == result.figures
    model = CLIPModel.from_pretrained(home / "clip").eval()
    processor = CLIPImageProcessorPil.from_pretrained(home / "clip")
    tokenizer = AutoTokenizer.from_pretrained(home / "clip")
    words = ["annual crop", "forest", "herbaceous vegetation", "highway", "industrial area", "pasture",
             "permanent crop", "residential area", "river", "sea or lake"]  # fmt: skip
    from fakes.benchmarks import SIDE

    with torch.no_grad():
        columns = []
        for word in words:
            said = [f"a centered satellite photo of {the}{word}." for the in ("", "a ", "the ")]
            texts = model.get_text_features(
                **tokenizer(said, padding=True, return_tensors="pt")
            ).pooler_output
            texts = texts / texts.norm(dim=1, keepdim=True)
            mean = texts.mean(0)
            columns.append(mean / mean.norm())
        hits, top = 0, 0
        for kind, folder in enumerate(list_folders("eurosat")):
            for number in range(1, N + 1):
                path = home / "eurosat" / "2750" / folder / f"{folder}_{number}.jpg"
                picture = np.asarray(Image.open(path))
                assert picture.shape == (SIDE, SIDE, 3)
                pixels = processor([picture], return_tensors="pt")["pixel_values"]
                seen = model.get_image_features(pixel_values=pixels).pooler_output[0]
                order = torch.argsort(torch.stack(columns) @ seen, descending=True).tolist()
                hits += order[0] == kind
                top += kind in order[:5]
    assert result.find("zero_shot:accuracy").value == pytest.approx(hits / (10 * N))
    assert result.find("zero_shot:accuracy@5").value == pytest.approx(top / (10 * N))
    assert result.find("zero_shot:accuracy").null == pytest.approx(0.1)
    balanced = result.find("zero_shot:balanced_accuracy")
    assert balanced.value == pytest.approx(hits / (10 * N)), "classes of equal size"
    assert result.protocol.rules["class names"] == "eurosat:plain@1"
    assert "clip-eurosat@1: 3" in result.protocol.rules["templates"]


def test_the_confusion_adds_up_and_classes_have_their_recall(home: Path) -> None:
    result = measure(home, test="eurosat", path="eurosat", clip={"model": "clip"})
    matrix = next(table for table in result.tables if table.is_matrix)
    assert len(matrix.rows) == 10
    for row in matrix.rows:
        assert sum(float(cell or 0) for cell in row[1:]) == pytest.approx(1.0)
    recalls = [figure.value for figure in result.figures if figure.name == "zero_shot:recall"]
    assert np.mean([value for value in recalls if value is not None]) == pytest.approx(
        result.find("zero_shot:balanced_accuracy").value
    )
    assert any("Published on EuroSAT" in table.title for table in result.tables)
    assert any("27,000 pictures as published, 60" in note for note in result.notes)


def test_probes_learn_what_features_hold_and_beat_chance(home: Path) -> None:
    result = measure(home, test="eurosat", path="eurosat", encoders=[{"name": "classical"}], folds=3)
    accuracy = result.find("probe:accuracy", encoder="classical")
    assert accuracy.value is not None
    assert accuracy.value > 0.9, "stripes of another colour, width and direction a class"
    assert accuracy.null == pytest.approx(0.1)
    assert accuracy.details["folds"] == 3
    assert not [figure for figure in result.figures if figure.name.startswith("zero_shot")]
    assert "3 folds" in result.protocol.rules["probe"]


def test_labels_that_are_shuffled_are_told_at_chance(home: Path) -> None:
    """The same pictures under labels that have nothing to do with them."""
    rng = np.random.default_rng(0)
    pairs = [
        {
            "id": f"p{i}",
            "kind": 0,
            "number": i,
            "labels": [{"name": str(rng.choice(list("ab"))), "kind": "class"}],
        }
        for i in range(60)
    ]
    write_release(home / "shuffled", pairs)
    result = measure(home, pictures={"release": "shuffled"}, encoders=[{"name": "classical"}])
    balanced = result.find("probe:balanced_accuracy")
    assert balanced.value == pytest.approx(0.5, abs=0.2)
    assert balanced.low is not None
    assert balanced.high is not None
    assert balanced.low < 0.5 < balanced.high
    assert not [figure for figure in result.figures if figure.name == "probe:accuracy@5"], "two classes"


def test_folders_of_ones_own_classes(home: Path) -> None:
    write_classes(home / "mine", ["StorageTanks", "bare_land"], "{number}.png", n=4)
    (home / "mine" / "loose.png").write_bytes((home / "mine" / "bare_land" / "1.png").read_bytes())
    result = measure(
        home,
        pictures={"folder": "mine"},
        clip={"model": "clip"},
        templates=["{} from above"],
        classes={"bare_land": "open soil"},
    )
    words = next(table for table in result.tables if table.title == "Classes in words")
    assert words.rows == (
        ("StorageTanks", "storage tanks", "storage tanks from above"),
        ("bare_land", "open soil", "open soil from above"),
    )
    assert result.sets[0].n == 8
    assert any("1 pictures have no class" in note for note in result.notes)


def test_several_labels_give_mean_average_precision(home: Path) -> None:
    pairs = [
        {
            "id": f"p{i}",
            "kind": i % 3,
            "number": i,
            "labels": [
                {"name": name, "kind": "class"} for name in (["water"], ["water", "urban"], ["field"])[i % 3]
            ],
        }
        for i in range(12)
    ]
    write_release(home / "several", pairs)
    result = measure(home, pictures={"release": "several"}, clip={"model": "clip"}, several=True)
    found = result.find("zero_shot:map")
    assert found.value is not None
    assert 0 < found.value <= 1
    assert found.null == pytest.approx((8 + 4 + 4) / 36)
    assert found.n == 12


def test_words_and_probes_judge_the_same_pictures(home: Path) -> None:
    """One picture is too small for `classical` and not for CLIP; the same CLIP is asked both ways."""
    write_classes(home / "odd", ["water", "field"], "{number}.png", n=6)
    Image.fromarray(draw(0, 9)[:20, :20]).save(home / "odd" / "water" / "small.png")
    (home / "odd" / "field" / "broken.png").write_bytes(b"no picture")
    result = measure(
        home,
        pictures={"folder": "odd"},
        clip={"model": "clip"},
        encoders=[{"name": "classical"}, {"name": "clip", "weights": "clip"}],
        folds=3,
    )
    accuracies = [figure for figure in result.figures if figure.name.endswith(":accuracy")]
    assert [figure.name for figure in accuracies] == [
        "zero_shot:accuracy",
        "probe:accuracy",
        "probe:accuracy",
    ]
    (info,) = result.sets
    assert (info.n, info.n_refused, len(result.refused)) == (12, 2, 2)
    assert {figure.n for figure in accuracies} == {12}
    recalls = [figure for figure in result.figures if figure.name == "zero_shot:recall"]
    assert {figure.group: figure.n for figure in recalls} == {"water": 6, "field": 6}


def test_classes_of_one_ground_are_left_out_of_probes(home: Path) -> None:
    classes = list_folders("eurosat")[:3]
    write_tar(home / "tar" / "eurosat.tar", classes, n=5)
    place = home / "thin"
    write_classes(place, classes[:2], "{folder}_{number}.jpg", n=5)
    write_classes(place, [classes[2]], "{folder}_{number}.jpg", n=1)
    result = measure(home, test="eurosat", path="thin", encoders=[{"name": "classical"}])
    assert result.find("probe:accuracy").n == 10
    assert any(f"left out: {classes[2]}" in note for note in result.notes)
    write_classes(home / "one", [classes[0]], "{folder}_{number}.jpg", n=5)
    with pytest.raises(RunError, match="two classes"):
        measure(home, test="eurosat", path="one", encoders=[{"name": "classical"}])


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"pictures": {"folder": "x"}}, "wants `clip`"),
        ({"pictures": {"folder": "x"}, "clip": {"model": "m"}, "several": True}, "on a release alone"),
        ({"test": "rsicd", "path": "x"}, "wants `clip`"),
    ],
)
def test_recipes_that_ask_for_nothing_are_faults(told: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ClassificationRecipe.model_validate({"evaluate": "classification", "name": "c", **told})


def test_a_set_with_captions_is_no_test_of_classes(home: Path) -> None:
    with pytest.raises(UsageError, match="has captions"):
        measure(home, test="rsicd", path="eurosat", encoders=[{"name": "classical"}])


def test_the_real_eurosat_is_told_by_colour_and_texture(home: Path, real_data: Path) -> None:
    result = measure(
        home,
        test="eurosat",
        path=str(real_data / "eurosat"),
        limit=150,
        encoders=[{"name": "classical"}],
        folds=3,
    )
    accuracy = result.find("probe:accuracy")
    assert accuracy.value is not None
    assert accuracy.value > 0.5
