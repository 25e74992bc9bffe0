"""LoRA weights over a captioner: read from files, merged, refused where they belong to another model."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.tiny_captioners import OTHER_SCENES, SCENES, make_blip2, make_lora, paint

from earthloom.core.errors import UsageError
from earthloom.models.captioners.loading import fingerprint_captioner, open_captioner

torch = pytest.importorskip("torch")
pytest.importorskip("peft")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    make_blip2(folder)
    return folder


@pytest.fixture(scope="module")
def trained(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lora")
    make_lora(model, folder, OTHER_SCENES)
    return folder


@pytest.fixture
def lora(trained: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(trained, tmp_path / "lora"))


def say(model: Path, adapter: Path | None = None, **how: Any) -> list[str]:
    captioner = open_captioner(str(model), adapter=str(adapter) if adapter is not None else None, **how)
    return [
        spoken.text for spoken in captioner.describe([paint(colour, side=48, seed=3) for colour in SCENES])
    ]


def test_lora_weights_change_what_is_said(model: Path, lora: Path) -> None:
    assert say(model) == list(SCENES.values())
    assert say(model, lora) == list(OTHER_SCENES.values())


def test_one_file_will_do(model: Path, lora: Path) -> None:
    file = (lora / "adapter_model.safetensors").rename(lora / "rivers-2026.safetensors")
    assert say(model, file) == list(OTHER_SCENES.values())


def test_merged_weights_are_those_of_the_formula(model: Path, lora: Path) -> None:
    """W + B A alpha / r (Hu et al., equation 3), from the files by hand."""
    from safetensors.numpy import load_file

    merged = open_captioner(str(model), adapter=str(lora)).network
    assert not any("lora" in name for name, _ in merged.named_modules())
    plain, low = load_file(model / "model.safetensors"), load_file(lora / "adapter_model.safetensors")
    name = "language_model.model.decoder.layers.1.self_attn.q_proj"
    up, down = (low[f"base_model.model.{name}.lora_{half}.weight"] for half in "BA")
    wanted = plain[f"{name}.weight"] + up @ down * 16 / 8
    found = merged.get_parameter(f"{name}.weight").detach().numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_lora_weights_merge_in_half_precision(model: Path, lora: Path) -> None:
    assert say(model, lora, precision="bfloat16", beams=1) == list(OTHER_SCENES.values())


def test_the_fingerprint_names_both(model: Path, lora: Path) -> None:
    own = fingerprint_captioner(str(model))
    both = fingerprint_captioner(str(model), adapter=str(lora))
    assert both.startswith(f"{own}+")
    assert open_captioner(str(model), adapter=str(lora)).fingerprint == both
    config = lora / "adapter_config.json"
    config.write_text(config.read_text().replace('"lora_alpha": 16', '"lora_alpha": 32'))
    assert fingerprint_captioner(str(model), adapter=str(lora)) not in {own, both}


def test_no_base_model_is_looked_for(model: Path, lora: Path) -> None:
    """The name of the model that an adapter was trained on is no reason to go and get it."""
    config = lora / "adapter_config.json"
    known = json.loads(config.read_text())
    config.write_text(json.dumps({**known, "base_model_name_or_path": "nobody/nothing", "revision": "abc"}))
    assert say(model, lora) == list(OTHER_SCENES.values())


def rewrite(lora: Path, **changes: Any) -> None:
    config = lora / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"r": 4}, "size mismatch"),
        ({"target_modules": ["q_proj", "v_proj"]}, "belong to no layer"),
        ({"target_modules": ["q_proj", "v_proj", "fc1", "fc2", "language_projection"]}, "are missing"),
        ({"target_modules": ["attention_of_another_model"]}, "not found"),
    ],
)
def test_lora_weights_of_another_model_are_refused(
    model: Path, lora: Path, changes: dict[str, Any], said: str
) -> None:
    rewrite(lora, **changes)
    with pytest.raises(UsageError, match=said) as error:
        open_captioner(str(model), adapter=str(lora))
    assert "trained for this very model" in str(error.value)


def test_broken_numbers_are_refused(model: Path, lora: Path) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(lora / "adapter_model.safetensors")
    weights[next(name for name in weights if "lora_B" in name)][0] = np.nan
    save_file(weights, lora / "adapter_model.safetensors")
    with pytest.raises(UsageError, match="do not fit the model"):
        open_captioner(str(model), adapter=str(lora))


def test_without_peft_the_remedy_is_told(model: Path, lora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(UsageError, match=r"LoRA weights want peft.*pip install 'earthloom\[models\]'"):
        open_captioner(str(model), adapter=str(lora))
