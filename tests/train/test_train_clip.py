"""Dual encoders trained: what is learnt, what is exported, and what a recipe may say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

from clip_folders import draw_batch, make_captioned, make_clip_recipe, take_gradients  # noqa: E402
from tiny_models.clip import SIDE, read_config, read_vectors, write_tiny_clip  # noqa: E402

from earthloom.models.clip.dual import open_dual  # noqa: E402
from earthloom.train.clip.config import ClipRecipe  # noqa: E402
from earthloom.train.logs import read_last_held  # noqa: E402
from earthloom.train.progress import Silence  # noqa: E402
from earthloom.train.training import train  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

FRESH = {"side": 32, "patch": 8, "width": 64, "layers": 2, "text_width": 64, "text_layers": 1, "features": 32,
         "words": 700, "length": 24}  # fmt: skip
INPUTS = {
    "pixel_values": torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)),
    "input_ids": torch.tensor([[3, 4, 5, 6], [7, 8, 9, 10]]),
}


class Ears(Silence):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model `tiny` and the folder `pictures`."""
    root = make_captioned(tmp_path_factory.mktemp("clip"))
    write_tiny_clip(root / "tiny")
    return root


def read_losses(folder: Path, name: str = "loss") -> list[float]:
    rows = [json.loads(line) for line in (folder / "losses.jsonl").read_text().splitlines()]
    return [row["losses"][name] for row in rows if "losses" in row]


def load_exported(folder: Path) -> Any:
    """The network that plain transformers finds in a folder of weights."""
    return transformers.CLIPModel.from_pretrained(folder).eval()


def logits(network: Any) -> Any:
    with torch.no_grad():
        return network(**INPUTS).logits_per_image


def test_all_weights(root: Path, tmp_path: Path) -> None:
    recipe = make_clip_recipe(validate={"folder": "pictures"}, steps=60, rate=5e-3, texts=3)
    summary = train(recipe, tmp_path, base=root)
    losses = read_losses(tmp_path)
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    assert summary.origins[0]["licence"] == "mit"
    held = read_last_held(tmp_path / "losses.jsonl")
    assert held["right_text"] > 0.4  # four kinds of ground, sixteen pictures: by chance 1 in 8 or less
    assert (tmp_path / "samples" / "step-000000012.png").is_file()
    weights = tmp_path / "weights"
    assert {path.name for path in weights.iterdir()} >= {"config.json", "model.safetensors", "earthloom.json"}
    told = json.loads((weights / "earthloom.json").read_bytes())
    assert (told["kind"], told["base"]["name"]) == ("clip", "tiny")
    dual = open_dual(str(weights))
    picture = cv2.imread(str(root / "pictures" / "0.png"))[:, :, ::-1].copy()  # a forest
    texts = ["a forest seen from above", "a sea seen from above", "a desert seen from above"]
    assert int((dual.describe_pictures([picture]) @ dual.describe_texts(texts).T).argmax()) == 0
    processor = transformers.CLIPImageProcessorPil.from_pretrained(weights)
    tokenizer = transformers.AutoTokenizer.from_pretrained(weights)
    with torch.no_grad():
        plain = load_exported(weights)(
            **processor([picture], return_tensors="pt"), **tokenizer(texts, padding=True, return_tensors="pt")
        )
    np.testing.assert_allclose(dual.describe_pictures([picture]), plain.image_embeds.numpy(), atol=1e-5)
    np.testing.assert_allclose(dual.describe_texts(texts), plain.text_embeds.numpy(), atol=1e-5)


def test_lora_in_plain_peft(root: Path, tmp_path: Path) -> None:
    recipe = make_clip_recipe(
        lora={"rank": 4, "alpha": 8, "targets": ["q_proj", "v_proj", "fc1"]}, steps=20, rate=0.01
    )
    train(recipe, tmp_path, base=root)
    losses = read_losses(tmp_path)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    plain = transformers.CLIPModel.from_pretrained(root / "tiny").eval()
    before = logits(plain)
    after = logits(peft.PeftModel.from_pretrained(plain, tmp_path / "weights" / "adapter"))
    assert not torch.allclose(before, after, atol=1e-2)
    torch.testing.assert_close(logits(load_exported(tmp_path / "weights")), after, rtol=1e-4, atol=1e-5)
    kept = [path.stat().st_size for path in (tmp_path / "checkpoints").iterdir()]
    assert (
        max(kept) < (root / "tiny" / "model.safetensors").stat().st_size
    )  # frozen weights are those of files


def test_from_scratch(root: Path, tmp_path: Path) -> None:
    recipe = make_clip_recipe(model=None, from_scratch=FRESH, steps=30, rate=3e-3, ema=0.9, drop_patches=0.25)
    summary = train(recipe, tmp_path, base=root)
    assert summary.origins == ()
    assert np.mean(read_losses(tmp_path)[-5:]) < 0.8 * np.mean(read_losses(tmp_path)[:5])
    dual = open_dual(str(tmp_path / "weights"))
    assert dual.tokenizer.tokenize("dense forest") == ["dense</w>", "forest</w>"]


@pytest.mark.parametrize("locked", ["image", "text"])
def test_a_locked_tower_stays(root: Path, tmp_path: Path, locked: str) -> None:
    train(make_clip_recipe(locked=locked, steps=2), tmp_path, base=root)
    before, after = read_vectors(root / "tiny"), read_vectors(tmp_path / "weights")
    same = {name for name in before if torch.equal(before[name], after[name])}
    parts = {"image": ("vision_model", "visual_projection"), "text": ("text_model", "text_projection")}
    assert {name for name in before if name.startswith(parts[locked])} <= same
    moved = {name for name in set(before) - same if not name.startswith("logit_scale")}
    assert moved
    assert all(not name.startswith(parts[locked]) for name in moved)


def test_a_patch_lies_between(root: Path, tmp_path: Path) -> None:
    for share in (1.0, 0.25):
        train(make_clip_recipe(patch=share, steps=3), tmp_path / str(share), base=root)
    before, tuned, patched = (
        read_vectors(folder)
        for folder in (root / "tiny", tmp_path / "1.0" / "weights", tmp_path / "0.25" / "weights")
    )
    for name, value in patched.items():
        torch.testing.assert_close(value, 0.75 * before[name] + 0.25 * tuned[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("long_text", ["cut", "stretch"])
def test_long_texts_are_told_of_or_read(root: Path, tmp_path: Path, long_text: str) -> None:
    make_captioned(tmp_path, 8, extra=" near the airport" * 30)
    ears = Ears()
    recipe = make_clip_recipe(model=str(root / "tiny"), long_text=long_text, length=120, steps=2)
    train(recipe, tmp_path / "out", base=tmp_path, listener=ears)
    cut = [text for text in ears.said if "lose their end" in text]
    config = read_config(tmp_path / "out" / "weights")
    if long_text == "cut":
        assert cut == [
            "24 of 24 captions looked at have more than 77 tokens and lose their end; see `long_text`."
        ]
        assert read_losses(tmp_path / "out", "cut") == [1.0, 1.0]
        assert config["text_config"]["max_position_embeddings"] == 77
    else:
        assert cut == []
        assert config["text_config"]["max_position_embeddings"] == 120
        assert (
            transformers.AutoTokenizer.from_pretrained(tmp_path / "out" / "weights").model_max_length == 120
        )


@pytest.mark.parametrize("texts", [1, 3])
def test_chunks_change_no_gradient(root: Path, texts: int) -> None:
    plain = make_clip_recipe(texts=texts)
    batch = draw_batch(root, plain)
    whole, loss = take_gradients(root, plain, batch)
    parts, again = take_gradients(root, make_clip_recipe(texts=texts, chunk=3), batch)
    assert again == pytest.approx(loss, abs=1e-6)
    assert parts.keys() == whole.keys()
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-5, atol=1e-6, msg=name)


def test_chunks_drop_the_same_patches_going_back(root: Path) -> None:
    recipe = make_clip_recipe(drop_patches=0.5, chunk=2)
    batch = draw_batch(root, recipe)
    found, loss = take_gradients(root, recipe, batch)
    # The slope along a gradient by finite differences, with the same seed: it would be off if patches differed.
    from clip_folders import Kept

    from earthloom.train.clip.step import ClipStep

    def loss_at(move: float) -> float:
        dual = open_dual(str(root / "tiny"))
        with torch.no_grad():
            for name, weight in dual.network.named_parameters():
                if name in found and name != "logit_scale":
                    weight.add_(found[name], alpha=move)
        kept = Kept()
        torch.manual_seed(5)
        ClipStep(recipe, dual).learn(batch, 1, kept)
        return float(kept.loss)

    squares = sum(
        float((value.double() ** 2).sum()) for name, value in found.items() if name != "logit_scale"
    )
    step = 0.01 / squares**0.5
    assert loss_at(0.0) == loss
    assert (loss_at(step) - loss_at(-step)) / (2 * step) == pytest.approx(squares, rel=0.02)


def test_plain_loss_is_that_of_transformers(root: Path) -> None:
    recipe = make_clip_recipe(batch=4, turn=False)
    batch = dict(draw_batch(root, recipe))
    batch["known"] = batch["texts"] = torch.arange(1, 5)[:, None]  # as if no two were alike
    batch["marks"] = torch.arange(12).reshape(4, 3)
    found, loss = take_gradients(root, recipe, batch)
    plain = transformers.CLIPModel.from_pretrained(root / "tiny")
    told = plain(
        pixel_values=open_dual(str(root / "tiny")).look.normalise(batch["image"]),
        input_ids=batch["ids"][:, 0],
        return_loss=True,
    )
    told.loss.backward()
    assert loss == pytest.approx(told.loss.item(), abs=1e-6)
    for name, weight in plain.named_parameters():
        torch.testing.assert_close(found[name], weight.grad, rtol=1e-4, atol=1e-6, msg=name)


def test_the_scale_is_held_under_its_bound(root: Path) -> None:
    from clip_folders import Kept

    from earthloom.train.clip.step import ClipStep

    dual = open_dual(str(root / "tiny"))
    with torch.no_grad():
        dual.network.logit_scale.fill_(7.0)
    told = ClipStep(make_clip_recipe(), dual).learn(draw_batch(root, make_clip_recipe()), 1, Kept())
    assert float(told["temperature"]) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": None}, "either `model` or `from_scratch`"),
        ({"from_scratch": FRESH}, "either `model` or `from_scratch`"),
        ({"model": None, "from_scratch": FRESH, "patch": 0.5}, "patch: goes with `model` only"),
        ({"model": None, "from_scratch": FRESH, "lora": {}}, "lora: goes with `model` only"),
        ({"model": None, "from_scratch": {**FRESH, "patch": 7}}, "divisor of `side`"),
        ({"zoom": [0.9, 0.5]}, "smaller share first"),
        ({"lora": {"targets": ["to_q"]}}, "q_proj"),
        ({"batch": 1}, "greater than or equal to 2"),
    ],
)
def test_what_a_recipe_may_not_say(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        make_clip_recipe(**changes)


def test_defaults_are_those_of_clip() -> None:
    recipe = ClipRecipe.model_validate({"train": "clip", "name": "x", "model": "m", "data": {"folder": "f"}})
    assert (recipe.betas, recipe.eps, recipe.texts, recipe.long_text) == ((0.9, 0.98), 1e-6, 1, "cut")
