"""Stretched positions, patched weights and LoRA weights, each against a computation of another kind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_models.clip import write_tiny_clip

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

from earthloom.core.errors import UsageError  # noqa: E402
from earthloom.models.clip.adapting import adapt, save_adapted  # noqa: E402
from earthloom.models.clip.dual import open_dual  # noqa: E402
from earthloom.models.clip.patching import patch_weights  # noqa: E402
from earthloom.models.clip.positions import stretch_codes  # noqa: E402

# What peft itself asks of transformers' networks.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clip(tmp_path_factory.mktemp("clip") / "tiny")


def test_stretching_as_long_clip() -> None:
    codes = torch.randn(77, 5, generator=torch.Generator().manual_seed(0))
    found = stretch_codes(codes, 248).double()
    assert torch.equal(found[:20], codes[:20].double())
    places = 20 + np.arange(228) / 4  # 57 codes become 228
    for channel in range(5):
        line = np.interp(places, np.arange(77), codes[:, channel].double().numpy())
        np.testing.assert_allclose(found[20:245, channel], line[:225], atol=1e-6)
    # Beyond the last code, at 76, the line through the last two goes on.
    step = (codes[76] - codes[75]).double()
    for number, beyond in ((245, 0.25), (246, 0.5), (247, 0.75)):
        torch.testing.assert_close(found[number], codes[76].double() + beyond * step, rtol=0, atol=1e-6)


def test_a_straight_line_of_codes_stays_one() -> None:
    codes = torch.arange(40, dtype=torch.float32)[:, None]
    found = stretch_codes(codes, 120, kept=20)[:, 0]
    torch.testing.assert_close(found[20:], 20 + torch.arange(100) / 5)
    assert torch.equal(stretch_codes(codes, 40, kept=20), codes)


@pytest.mark.parametrize(("old", "length"), [(77, 76), (21, 40)])
def test_what_cannot_be_stretched(old: int, length: int) -> None:
    with pytest.raises(UsageError, match=f"{old} positions cannot be stretched to {length}"):
        stretch_codes(torch.zeros(old, 2), length)


def test_patching_by_hand() -> None:
    before = {"w": torch.tensor([1.0, -2.0]), "n": torch.tensor([3])}
    after = {"w": torch.tensor([3.0, 2.0]), "n": torch.tensor([5])}
    found = patch_weights(before, after, 0.25)
    assert found["w"].tolist() == [1.5, -1.0]
    assert found["n"].tolist() == [5]
    assert torch.equal(patch_weights(before, after, 0.0)["w"], before["w"])
    assert torch.equal(patch_weights(before, after, 1.0)["w"], after["w"])
    half = patch_weights({"w": torch.tensor([1.0])}, {"w": torch.tensor([1.5], dtype=torch.bfloat16)}, 0.5)
    assert half["w"].dtype == torch.bfloat16


def test_patching_of_what_does_not_fit() -> None:
    one = {"w": torch.ones(2)}
    for other in ({"v": torch.ones(2)}, {"w": torch.ones(3)}, {"w": torch.ones(2), "v": torch.ones(1)}):
        with pytest.raises(UsageError, match="one network before and after"):
            patch_weights(one, other, 0.5)
    with pytest.raises(UsageError, match="from 0 to 1"):
        patch_weights(one, one, 1.5)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_lora_begins_at_nothing_and_is_written_twice(folder: Path, tmp_path: Path, share: float) -> None:
    dual, plain = open_dual(str(folder)), transformers.CLIPModel.from_pretrained(folder).eval()
    inputs = {
        "pixel_values": torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)),
        "input_ids": torch.tensor([[3, 4, 5, dual.tokenizer.eos_token_id]]),
    }
    with torch.no_grad():
        before = plain(**inputs).logits_per_image
        adapted = adapt(
            dual.network, rank=3, alpha=6.0, targets=("q_proj", "fc1"), towers=("image", "text"), base="tiny"
        )
        torch.testing.assert_close(dual.network(**inputs).logits_per_image, before)
    trained = {name for name, weight in dual.network.named_parameters() if weight.requires_grad}
    assert len(trained) == 2 * 2 * 2 * 2  # towers, layers, targets, A and B
    for name, weight in dual.network.named_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(weight, std=0.3)
    merged = save_adapted(adapted, tmp_path / "adapter", share)
    read = peft.PeftModel.from_pretrained(plain, tmp_path / "adapter")
    with torch.no_grad():
        theirs = read(**inputs).logits_per_image
        torch.testing.assert_close(merged(**inputs).logits_per_image, theirs, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(theirs, before, atol=1e-2)
        if share == 1.0:
            torch.testing.assert_close(dual.network(**inputs).logits_per_image, theirs, rtol=1e-4, atol=1e-5)
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_bytes())
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (3, 6.0, "tiny")


def test_scaled_lora_is_the_patched_model(folder: Path, tmp_path: Path) -> None:
    dual = open_dual(str(folder))
    original = {name: value.clone() for name, value in dual.network.state_dict().items()}
    adapted = adapt(dual.network, rank=2, alpha=2.0, targets=("v_proj",), towers=("text",))
    for name, weight in dual.network.named_parameters():
        assert not weight.requires_grad or "text_model" in name
        if ".lora_B." in name:
            torch.nn.init.normal_(weight)
    whole = save_adapted(adapted, tmp_path / "whole", 1.0).state_dict()
    part = save_adapted(adapted, tmp_path / "part", 0.3).state_dict()
    for name, value in patch_weights(original, whole, 0.3).items():
        torch.testing.assert_close(part[name], value, rtol=1e-5, atol=1e-6)
