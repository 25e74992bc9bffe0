"""Inception as FID has it, from a state dict. benchmarks/check_inception.py holds the graph against another one."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from earthloom.core.errors import UsageError
from earthloom.models.encoders import load_encoder

torch = pytest.importorskip("torch")

from earthloom.models.encoders import inception_files  # noqa: E402
from earthloom.models.encoders.inception import Inception  # noqa: E402
from earthloom.models.encoders.inception_graph import InceptionV3, Mixed, Step  # noqa: E402

PICTURE = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """Weights that let signals through; older files lack the counters of batches, so these do too."""
    torch.manual_seed(0)
    network = InceptionV3()
    for name, value in network.named_parameters():
        if value.ndim == 4:
            torch.nn.init.kaiming_normal_(value, nonlinearity="relu")
        elif name.endswith("bn.bias"):
            torch.nn.init.normal_(value, std=0.1)
    return {
        name: value
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


@pytest.fixture(scope="module")
def weights(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def encoder(weights: Path) -> Inception:
    found = load_encoder("inception", weights, trust=True)
    assert isinstance(found, Inception)
    return found


def test_that_names_and_shapes_are_those_of_the_published_file(state: dict[str, torch.Tensor]) -> None:
    """Of the file: 94 convolutions with four tensors each of the normalisation, and the last layer."""
    assert len(state) == 94 * 5 + 2
    assert sum(value.numel() for name, value in state.items() if "running" not in name) == 23_850_960
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    assert shapes["Conv2d_1a_3x3.conv.weight"] == (32, 3, 3, 3)
    assert shapes["Mixed_5b.branch5x5_2.conv.weight"] == (64, 48, 5, 5)
    assert shapes["Mixed_6c.branch7x7dbl_2.conv.weight"] == (160, 160, 7, 1)
    assert shapes["Mixed_7c.branch3x3dbl_3a.conv.weight"] == (384, 384, 1, 3)
    assert shapes["Mixed_7b.branch_pool.bn.running_var"] == (192,)
    assert shapes["fc.weight"] == (1008, 2048)


def test_features_and_scores(encoder: Inception) -> None:
    features = encoder.describe([PICTURE, PICTURE[::-1]])
    assert features.shape == (2, 2048)
    assert features.dtype == np.float64
    assert features.min() >= 0  # means of what is not negative
    assert np.abs(features[0] - features[1]).max() > 1e-3
    weight, bias = (value.double().numpy() for value in (encoder.network.fc.weight, encoder.network.fc.bias))
    np.testing.assert_allclose(encoder.classify(features), features @ weight.T, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        encoder.classify(features, is_biased=True), features @ weight.T + bias, rtol=1e-4, atol=1e-4
    )


def test_that_pictures_are_scaled_about_the_middle_of_each_protocol(weights: Path) -> None:
    black = np.zeros((40, 40, 3), np.uint8)
    for resize, wanted in (("clean", (-1.0, 127 / 128)), ("legacy", (-1.0, 1.0))):
        found = load_encoder("inception", weights, trust=True, resize=resize)
        seen: list[tuple[float, float]] = []
        found.network.Conv2d_1a_3x3.register_forward_pre_hook(
            lambda _, given, seen=seen: seen.append((float(given[0].min()), float(given[0].max())))
        )
        found.describe([black, black + 255])
        assert seen == [pytest.approx(wanted, abs=1e-6)]
        assert found.resize.startswith(f"{resize}@1")


def test_other_weights_are_refused_unless_trusted_and_then_not_called_fid(
    weights: Path, encoder: Inception, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    with pytest.raises(UsageError, match=f"starts with {digest[:8]}.*6726825d.*trust"):
        load_encoder("inception", weights)
    assert (encoder.frechet, encoder.kernel) == ("FD-Inception", "KD-Inception")
    assert encoder.version == digest[:16]
    monkeypatch.setattr(inception_files, "_HASH", digest[:8])
    published = load_encoder("inception", weights)
    assert (published.frechet, published.kernel) == ("FID", "KID")


class Harmful:
    """Its pickle runs a command when it is loaded carelessly."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def test_that_a_pickle_runs_nothing(tmp_path: Path) -> None:
    path, marker = tmp_path / "harmful.pth", tmp_path / "marker"
    torch.save({"fc.bias": Harmful(marker)}, path)
    with pytest.raises(UsageError, match="no state dict"):
        load_encoder("inception", path, trust=True)
    path.write_bytes(pickle.dumps(Harmful(marker), protocol=2))
    with pytest.raises(UsageError, match="no state dict"):
        load_encoder("inception", path, trust=True)
    assert not marker.exists()


def test_another_network_is_told_by_its_layers(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({**state, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}, path)
    with pytest.raises(UsageError, match="another network: fc"):
        load_encoder("inception", path, trust=True)
    torch.save([1, 2], path)
    with pytest.raises(UsageError, match=r"another network: Conv2d_1a_3x3"):
        load_encoder("inception", path, trust=True)
    path.write_bytes(b"\x80\x02cut short")
    with pytest.raises(UsageError, match="no state dict"):
        load_encoder("inception", path, trust=True)


@pytest.mark.parametrize(("pool", "corner"), [("mean", 1.0), ("max", 1.0)])
def test_that_pools_count_no_pixels_beyond_the_border(pool: str, corner: float) -> None:
    """Of a white picture every mean is white; with the padding counted the corner would be 4/9."""
    block = Mixed(1, [[Step("branch1x1", 1, 1)]], pool, 1).eval()
    torch.nn.init.ones_(block.branch_pool.conv.weight)
    with torch.inference_mode():
        pooled = block(torch.ones(1, 1, 4, 4))[0, 1] * (1 + 1e-3) ** 0.5
    torch.testing.assert_close(pooled, torch.full((4, 4), corner))


def test_that_the_last_block_takes_the_maximum_and_the_one_before_the_mean() -> None:
    network = InceptionV3().eval()
    dot = torch.zeros(1, 2048, 8, 8)
    dot[:, :, 4, 4] = 1.0
    for block, before, expected in ((network.Mixed_7b, 1280, 1 / 9), (network.Mixed_7c, 2048, 1.0)):
        torch.nn.init.zeros_(block.branch_pool.conv.weight)
        block.branch_pool.conv.weight.data[0, 0] = 1.0
        with torch.inference_mode():
            pooled = block(dot[:, :before])[0, -192, 3:6, 3:6]
        torch.testing.assert_close(pooled, torch.full((3, 3), expected / (1 + 1e-3) ** 0.5))
