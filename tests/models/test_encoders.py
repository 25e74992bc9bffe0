"""Encoders against random networks of the published interfaces, and what they are given against others' rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from earthloom.core.errors import UsageError
from earthloom.models.encoders import load_encoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from earthloom.models.encoders.dinov2 import IMAGENET_MEAN, IMAGENET_STD, prepare_dinov2  # noqa: E402


def make_pictures(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (64 + 16 * i, 96, 3), dtype=np.uint8) for i in range(n)]


@pytest.fixture(scope="module")
def dinov2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dinov2")
    torch.manual_seed(0)
    config = transformers.Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=70, patch_size=14, mlp_ratio=2
    )
    transformers.Dinov2Model(config).save_pretrained(folder)
    return folder


class ScriptedInception(torch.nn.Module):
    """Stands in for NVIDIA's file: the same call, with moments of the picture for features."""

    def forward(self, img: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        assert img.shape[1:] == (3, 299, 299)
        features = torch.zeros(img.shape[0], 2048, dtype=img.dtype)
        features[:, :3] = img.mean(dim=(2, 3))
        features[:, 3:6] = img.amax(dim=2).amax(dim=2)
        if not return_features:
            features = torch.softmax(features, dim=1)
        return features


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inception") / "inception-2015-12-05.pt"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(ScriptedInception()).save(str(path))
    return path


def test_dinov2_gives_the_class_token_of_each_picture(dinov2_folder: Path) -> None:
    encoder = load_encoder("dinov2", dinov2_folder)
    pictures = make_pictures(18)  # more than one batch
    features = encoder.describe(pictures)
    assert features.shape == (18, 32)
    assert features.dtype == np.float64
    network = transformers.Dinov2Model.from_pretrained(dinov2_folder).eval()
    with torch.inference_mode():
        alone = network(torch.from_numpy(prepare_dinov2(pictures[17]))[None]).pooler_output
    np.testing.assert_allclose(features[17], alone[0].numpy(), atol=1e-5)
    assert encoder.describe([]).shape == (0, 32)
    assert (encoder.width, encoder.frechet, encoder.kernel) == (32, "FD-DINOv2", "KD-DINOv2")
    assert encoder.resize.endswith("rounded to whole grey steps, 224 x 224 px")


def test_dinov2_is_prepared_as_transformers_prepares_it() -> None:
    processor = transformers.BitImageProcessorPil(
        size={"height": 224, "width": 224},
        resample=3,
        do_center_crop=False,
        image_mean=list(IMAGENET_MEAN),
        image_std=list(IMAGENET_STD),
    )
    picture = make_pictures(1)[0]
    theirs = processor(picture, return_tensors="np")["pixel_values"][0]
    np.testing.assert_allclose(prepare_dinov2(picture), theirs, atol=2e-6)


def test_version_is_that_of_the_weights(dinov2_folder: Path, tmp_path: Path) -> None:
    first = load_encoder("dinov2", dinov2_folder)
    assert first.version == load_encoder("dinov2", dinov2_folder).version
    torch.manual_seed(1)
    network = transformers.Dinov2Model.from_pretrained(dinov2_folder)
    with torch.no_grad():
        network.layernorm.weight.add_(0.1)
    network.save_pretrained(tmp_path)
    assert load_encoder("dinov2", tmp_path).version != first.version


def test_inception_is_given_values_of_0_to_255_at_299_pixels(inception_file: Path) -> None:
    encoder = load_encoder("inception", inception_file)
    flat = [np.full((80, 50, 3), (10, 128, 250), np.uint8) for _ in range(20)]
    features = encoder.describe(flat)
    assert features.shape == (20, 2048)
    np.testing.assert_allclose(features[:, :3], [[10, 128, 250]] * 20, atol=1e-3)
    assert (encoder.name, encoder.frechet, encoder.kernel, encoder.width) == ("inception", "FID", "KID", 2048)
    assert encoder.resize.startswith("clean@1: ")
    assert encoder.resize.endswith("299 x 299 px")
    assert len(encoder.version) == 16
    assert encoder.describe([]).shape == (0, 2048)


def test_wrong_weights_are_told_with_a_remedy(tmp_path: Path, dinov2_folder: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.json"):
        load_encoder("dinov2", tmp_path)
    with pytest.raises(UsageError, match=r"inception-2015-12-05\.pt"):
        load_encoder("inception", tmp_path)
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"PK\x03\x04 no network")
    with pytest.raises(UsageError, match="TorchScript"):
        load_encoder("inception", broken)
    other = tmp_path / "vit"
    transformers.ViTConfig().save_pretrained(other)
    (other / "model.safetensors").write_bytes((dinov2_folder / "model.safetensors").read_bytes())
    with pytest.raises(UsageError, match="DINOv2"):
        load_encoder("dinov2", other)


def test_scripts_of_another_interface_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(torch.nn.Identity()).save(str(path))
    with pytest.raises(UsageError, match="return_features"):
        load_encoder("inception", path)


def test_pictures_of_another_type_are_refused() -> None:
    with pytest.raises(UsageError, match="uint8"):
        prepare_dinov2(np.zeros((32, 32, 3)))


def test_names_and_paths_that_cannot_be_are_told() -> None:
    with pytest.raises(UsageError, match="ours, inception, dinov2, clip"):
        load_encoder("vgg")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="wants a path of its weights"):
        load_encoder("dinov2")


def test_that_naming_an_encoder_does_not_load_torch() -> None:
    code = "import sys, earthloom.models.encoders; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_extra_is_told_with_a_remedy(dinov2_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError, match=r"pip install 'earthloom\[models\]'"):
        load_encoder("dinov2", dinov2_folder)
