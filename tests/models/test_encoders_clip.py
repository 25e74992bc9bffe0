"""The image tower of a dual encoder as an encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from earthloom.core.errors import UsageError
from earthloom.models.encoders import load_encoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from earthloom.models.clip.fresh import Shape, Tower, make_dual  # noqa: E402

PICTURES = [np.random.default_rng(i).integers(0, 256, (50 + 9 * i, 70, 3), dtype=np.uint8) for i in range(18)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    tower = Tower(width=64, layers=1)
    shape = Shape(side=32, patch=16, image=tower, text=tower, features=24, words=600, length=16)
    path = tmp_path_factory.mktemp("clip")
    make_dual(shape, ["a river", "a forest by a river"]).save(path)
    return path


def test_features_are_those_of_transformers_with_length_1(folder: Path) -> None:
    encoder = load_encoder("clip", folder)
    found = encoder.describe(PICTURES)
    network = transformers.CLIPModel.from_pretrained(folder).eval()
    processor = transformers.CLIPImageProcessorPil.from_pretrained(folder)
    with torch.inference_mode():
        pixels = processor(PICTURES[17], return_tensors="pt")["pixel_values"]
        wanted = network.get_image_features(pixel_values=pixels).pooler_output[0].double()
    np.testing.assert_allclose(found[17], (wanted / wanted.norm()).numpy(), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
    assert (encoder.name, encoder.width, encoder.kernel) == ("clip", 24, "CMMD")
    assert encoder.resize == (
        "clip@1: Pillow bicubic, antialiased, rounded to whole grey steps, shorter side 32 px, "
        "then the middle 32 x 32 px"
    )
    assert encoder.describe([]).shape == (0, 24)


def test_what_is_no_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.json"):
        load_encoder("clip", tmp_path)
