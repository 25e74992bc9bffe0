"""The feature network that comes with the package: its file, and what it has learnt."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from earthloom.core.errors import UsageError
from earthloom.models.encoders import load_encoder

torch = pytest.importorskip("torch")

from earthloom.models.encoders.ours import Loom  # noqa: E402
from earthloom.models.loom.files import SHIPPED, load_loom, save_loom  # noqa: E402
from earthloom.models.loom.network import LoomNet  # noqa: E402
from earthloom.models.weights.saving import save_tensors  # noqa: E402

ANSWERS = {"cover": ("forest", "river"), "modality": ("rgb", "nir", "sar")}
WIDTHS, BLOCKS = (8, 16), (1, 1)


def save_random(path: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    network = LoomNet(WIDTHS, BLOCKS, {head: len(names) for head, names in ANSWERS.items()})
    save_loom(
        path, network, widths=WIDTHS, blocks=BLOCKS, answers=ANSWERS, training={"licence": "Apache-2.0"}
    )
    return path


@pytest.fixture(scope="module")
def shipped() -> Loom:
    found = load_encoder("ours")
    assert isinstance(found, Loom)
    return found


@pytest.fixture(scope="module")
def eurosat(real_data: Path) -> list[tuple[str, np.ndarray]]:
    """Every 60th picture with its class."""
    found = []
    with tarfile.open(real_data / "eurosat" / "eurosat_rgb.tar") as archive:
        members = [member for member in archive.getmembers() if member.name.endswith(".jpg")]
        for member in members[::60]:
            file = archive.extractfile(member)
            assert file is not None
            picture = np.asarray(Image.open(io.BytesIO(file.read())))
            found.append((member.name.split("/")[-2], picture))
    return found


def test_equal_networks_give_equal_bytes(tmp_path: Path) -> None:
    first, second = (save_random(tmp_path / f"{name}.safetensors") for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_a_file_gives_back_its_network(tmp_path: Path) -> None:
    path = save_random(tmp_path / "one.safetensors")
    first, again = load_loom(path), load_encoder("ours", path)
    pictures = [np.random.default_rng(i).integers(0, 256, (32 + i, 90, 3), dtype=np.uint8) for i in range(70)]
    features = first.describe(pictures)
    assert features.shape == (70, 16)
    np.testing.assert_array_equal(features, again.describe(pictures))
    assert first.version == again.version
    assert first.version != load_loom(save_random(tmp_path / "other.safetensors", seed=1)).version
    chances = first.ask("modality", features)
    assert chances.shape == (70, 3)
    np.testing.assert_allclose(chances.sum(1), 1)
    head = first.network.heads["modality"]
    scores = features @ head.weight.double().numpy().T + head.bias.double().numpy()
    np.testing.assert_array_equal(chances.argmax(1), scores.argmax(1))
    with pytest.raises(UsageError, match="cover, modality"):
        first.ask("weather", features)


def test_that_loading_draws_nothing_from_the_generator_of_others(tmp_path: Path) -> None:
    path = save_random(tmp_path / "one.safetensors")
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    load_loom(path)
    assert torch.equal(torch.rand(1), before)


def test_files_that_are_no_network_are_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"make_encoder\.py"):
        load_encoder("ours", tmp_path / "missing.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no network")
    with pytest.raises(UsageError, match="safetensors"):
        load_encoder("ours", broken)
    save_tensors(broken, {"a": torch.zeros(1)}, {})
    with pytest.raises(UsageError, match="no weights of ours"):
        load_encoder("ours", broken)
    save_tensors(broken, {"a": torch.zeros(1)}, {"earthloom": json.dumps({"format": 9, "kind": "tiny"})})
    with pytest.raises(UsageError, match="format 9"):
        load_encoder("ours", broken)
    told = {"format": 1, "kind": "features", "answers": ANSWERS, "training": {}}
    told["architecture"] = {"widths": WIDTHS, "blocks": BLOCKS}
    save_tensors(broken, {"a": torch.zeros(1)}, {"earthloom": json.dumps(told)})
    with pytest.raises(UsageError, match="no feature network"):
        load_encoder("ours", broken)


def test_that_what_ships_says_what_it_is(shipped: Loom) -> None:
    assert (shipped.name, shipped.frechet, shipped.kernel) == ("earthloom-features", "FD-loom", "KD-loom")
    assert shipped.version.startswith("1-")
    assert shipped.resize.startswith("whole-grey@1")
    assert set(shipped.answers) == {"cover", "weather", "modality", "distance", "detail"}
    assert shipped.training["licence"] == "Apache-2.0"
    assert any("EuroSAT" in credit for credit in shipped.training["credit"])
    assert not any("rsicd" in name.lower() for name in shipped.training["learnt"])
    assert SHIPPED.stat().st_size < 5e6
    held_out = shipped.training["held_out"]
    for head in ("cover", "weather", "modality", "detail"):
        assert held_out[head]["balanced"] > 0.7
    assert held_out["distance"]["mean_error_octaves"] < 0.6


def test_that_what_ships_computes_the_same_alone_and_among_others(shipped: Loom) -> None:
    pictures = [np.random.default_rng(i).integers(0, 256, (64, 64, 3), dtype=np.uint8) for i in range(5)]
    alone = np.concatenate([shipped.describe([picture]) for picture in pictures])
    np.testing.assert_allclose(shipped.describe(pictures), alone, rtol=1e-4, atol=1e-5)


def test_that_what_ships_knows_land_cover(shipped: Loom, eurosat: list[tuple[str, np.ndarray]]) -> None:
    """Most of these it has seen; how it does on held-out ones stands in its file, and is about the same."""
    names = shipped.answers["cover"]
    wanted = ["".join(word.capitalize() for word in name.split()) for name in names]
    chances = shipped.ask("cover", shipped.describe([picture for _, picture in eurosat]))
    labels = np.array([wanted.index(label) for label, _ in eurosat])
    assert np.mean(chances.argmax(1) == labels) > 0.78


def test_that_blur_is_told_more_the_more_there_is(
    shipped: Loom, eurosat: list[tuple[str, np.ndarray]]
) -> None:
    pictures = [Image.fromarray(picture) for _, picture in eurosat[::4]]
    octaves = np.arange(len(shipped.answers["detail"]))
    found = []
    for radius in (0.0, 1.0, 2.0):
        blurred = [np.asarray(picture.filter(ImageFilter.GaussianBlur(radius))) for picture in pictures]
        found.append(float((shipped.ask("detail", shipped.describe(blurred)) @ octaves).mean()))
    assert found[0] < 0.4
    assert found[0] + 0.5 < found[1] < found[2]


def test_that_speckle_is_radar_and_colour_is_not(
    shipped: Loom, eurosat: list[tuple[str, np.ndarray]]
) -> None:
    rng = np.random.default_rng(0)
    radar = shipped.answers["modality"].index("sar")
    power = rng.gamma(4.0, 0.25, (20, 64, 64)) * rng.uniform(0.02, 0.2, (20, 1, 1))
    levels = np.clip((10 * np.log10(power) + 25) / 25 * 255, 0, 255).astype(np.uint8)
    speckled = [np.repeat(each[:, :, None], 3, axis=2) for each in levels]
    assert shipped.ask("modality", shipped.describe(speckled))[:, radar].mean() > 0.9
    colours = shipped.describe([picture for _, picture in eurosat])
    assert shipped.ask("modality", colours)[:, radar].mean() < 0.05
