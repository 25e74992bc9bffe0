"""Features of pictures by several encoders: each picture once, networks from their weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scene_pictures import Picture, make_ground

from earthloom.core.images import encode_png
from earthloom.evaluate.scenes import SceneSettings, evaluate_scenes
from earthloom.evaluate.scenes.describe import Classical, Describer, name_encoder
from earthloom.evaluate.scenes.pictures import Reader
from earthloom.metrics.features import describe_picture
from earthloom.store.shown import Shown


class Mean:
    """Mean colour; counts what it is given."""

    name, version = "mean", "1"

    def __init__(self) -> None:
        self.n = 0

    def describe(self, pictures: Sequence[Picture]) -> npt.NDArray[np.float64]:
        self.n += len(pictures)
        return np.array([picture.mean(axis=(0, 1)) for picture in pictures])


def put(folder: Path, n: int) -> list[Shown]:
    shown = []
    for number in range(n):
        path = folder / f"{number}.png"
        path.write_bytes(encode_png(make_ground(number, 40)) if number != 3 else b"broken")
        shown.append(Shown(key=path.name, base_key=path.name, group=str(number), path=path))
    return shown


def test_each_picture_is_described_once_and_comes_out_in_order(tmp_path: Path) -> None:
    pictures, mean = put(tmp_path, 20), Mean()
    describer = Describer([Classical(), mean], Reader())
    for shown in [*pictures, *pictures]:
        describer.read(shown)
    asked = [(shown, f"ground {shown.group}") for shown in reversed(pictures)]
    found = describer.collect(asked)
    assert list(found) == ["classical@1", "mean@1"]
    assert mean.n == 19
    wanted = [n for n in reversed(range(20)) if n != 3]
    assert found["mean@1"].groups == tuple(f"ground {n}" for n in wanted)
    for row, n in enumerate(wanted):
        assert found["mean@1"].features[row] == pytest.approx(make_ground(n, 40).mean(axis=(0, 1)))
        assert found["classical@1"].features[row] == pytest.approx(describe_picture(make_ground(n, 40)))
    assert describer.find_side(pictures) == 40
    assert describer.find_side([]) is None


def test_nothing_usable_is_an_empty_set(tmp_path: Path) -> None:
    reader = Reader()
    describer = Describer([Classical()], reader)
    broken = put(tmp_path, 4)[3]
    describer.read(broken)
    (found,) = describer.collect([(broken, "x")]).values()
    assert len(found) == 0
    assert found.features.shape == (0, 76)
    assert reader.refused[str(broken.path)]["reason"] == "not_an_image"


def test_a_network_is_measured_beside_the_classical_features(weather: Path, tmp_path: Path) -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.Dinov2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=56, patch_size=28, mlp_ratio=2
    )
    transformers.Dinov2Model(config).save_pretrained(tmp_path / "dinov2")
    settings = SceneSettings(
        synthetic={"fog": str(weather / "fog")},
        clear=str(weather / "clear"),
        real={"fog": str(weather / "real-fog")},
        encoder="dinov2",
        weights="dinov2",
        subsets=10,
    )
    report = evaluate_scenes(settings, tmp_path / "out", base=tmp_path)
    assert report.encoders[0] == "classical@1" == name_encoder(Classical())
    assert report.encoders[1].startswith("dinov2@")
    (effect,) = report.effects
    assert [(d.name, d.encoder) for d in effect.distances] == [
        (name, encoder) for encoder in report.encoders for name in ("kid", "frechet")
    ]
    assert effect.headline is not None
    assert effect.headline.encoder == report.encoders[1]
    assert effect.headline.score is not None
    assert len(effect.crossed) == len(effect.told) == 2
