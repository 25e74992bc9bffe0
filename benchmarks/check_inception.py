"""Our graph of Inception beside torch-fidelity's, with the same random weights: features, logits and resizing.

An optional cross-check that brings its own peer: torch-fidelity is installed without its dependencies below
`benchmarks/.venvs`, and its graph is imported alone, since the rest of it wants torchvision. pytorch-fid's graph, from
which torch-fidelity's is derived, has the same blocks; its resizing and scaling are restated here in torch.

    python benchmarks/check_inception.py

About a minute, and 300 kB from the package index at the first time.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from earthloom.models.encoders.inception import Inception
from earthloom.models.encoders.inception_files import load_inception
from earthloom.models.encoders.resizing import CLEAN, LEGACY, Resize
from harness import VENVS

TOLERANCE = 1e-5
"""Relative to the largest value, as the target says."""
PEER, PEER_VERSION = "torch-fidelity", "0.3.0"
SIDES = ((299, 299), (64, 64), (300, 512))


def main() -> bool:
    """Compare, print, and tell whether all is equal."""
    theirs = import_peer()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.pth"
        torch.save(draw_weights(theirs), path)
        peer = open_peer(theirs, path)
        ours = {rule.name: load(path, rule) for rule in (CLEAN, LEGACY)}
        pictures = draw_pictures()
        differences = {
            "features of the same input": compare_features(ours["clean"], peer, pictures[:3]),
            "logits of the same input": compare_logits(ours["clean"], peer, pictures[:3], is_biased=True),
            "logits without bias": compare_logits(ours["clean"], peer, pictures[:3], is_biased=False),
            "resized and scaled as pytorch-fid": compare_legacy(ours["legacy"], peer, pictures),
        }
    print(
        f"\nInception-v3 of FID beside {PEER} {PEER_VERSION}, random weights, largest difference by largest value"
    )
    for what, difference in differences.items():
        print(f"  {what:36} {difference:.1e}   {'equal' if difference <= TOLERANCE else 'NOT EQUAL'}")
    return all(difference <= TOLERANCE for difference in differences.values())


def import_peer() -> Any:
    """The module of the peer's graph; its package is not run, since that imports all of it."""
    home = VENVS / f"{PEER}-{PEER_VERSION}"
    package = home / "torch_fidelity"
    if not package.is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--target", str(home), f"{PEER}=={PEER_VERSION}"], check=True)
    shell = ModuleType("torch_fidelity")
    shell.__path__ = [str(package)]
    sys.modules["torch_fidelity"] = shell
    return importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")


def draw_weights(theirs: Any) -> dict[str, Tensor]:
    """Weights by the peer's names: what passes through keeps its size, and every normalisation does something."""
    torch.manual_seed(0)
    shape = _bare_peer(theirs).state_dict()
    drawn = {}
    for name, value in shape.items():
        if name.endswith(("running_var", "bn.weight")):
            drawn[name] = torch.empty_like(value).uniform_(0.5, 1.5)
        elif name.endswith(("running_mean", "bias")):
            drawn[name] = torch.empty_like(value).normal_(0, 0.1)
        elif value.ndim > 1:
            drawn[name] = torch.empty_like(value).normal_(0, (2 / value[0].numel()) ** 0.5)
        else:
            drawn[name] = value
    return drawn


def _bare_peer(theirs: Any) -> nn.Module:
    """The peer's network before it looks for weights, which it would download."""
    found: list[nn.Module] = []

    class CaughtError(Exception):
        """Raised in place of loading."""

    class Bare(theirs.FeatureExtractorInceptionV3):  # type: ignore[misc]
        def load_state_dict(self, *_: Any, **__: Any) -> None:
            found.append(self)
            raise CaughtError

    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save({}, file.name)
        try:
            Bare("bare", ["2048"], feature_extractor_weights_path=file.name)
        except CaughtError:
            return found[0]
    raise AssertionError("the peer loads its weights in another way now")


def open_peer(theirs: Any, path: Path) -> nn.Module:
    """The peer's network with the weights of a file."""
    names = ["2048", "logits_unbiased", "logits"]
    peer: nn.Module = theirs.FeatureExtractorInceptionV3(
        "peer", names, feature_extractor_weights_path=str(path)
    )
    return peer.eval()


def load(path: Path, rule: Resize) -> Inception:
    """Ours with the same weights."""
    found = load_inception(path, rule, trust=True)
    assert isinstance(found, Inception)
    return found


def draw_pictures() -> list[np.ndarray]:
    """Noise of several sizes; the first three need no resizing."""
    rng = np.random.default_rng(0)
    sides = [SIDES[0]] * 3 + list(SIDES[1:])
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in sides]


def ask_peer(peer: nn.Module, pictures: list[np.ndarray]) -> list[Tensor]:
    """Features, logits without bias, logits."""
    batch = torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy())
    with torch.inference_mode():
        return [part.double() for part in peer(batch)]


def compare_features(ours: Inception, peer: nn.Module, pictures: list[np.ndarray]) -> float:
    return differ(torch.from_numpy(ours.describe(pictures)), ask_peer(peer, pictures)[0])


def compare_logits(ours: Inception, peer: nn.Module, pictures: list[np.ndarray], *, is_biased: bool) -> float:
    found = ours.classify(ours.describe(pictures), is_biased=is_biased)
    return differ(torch.from_numpy(found), ask_peer(peer, pictures)[2 if is_biased else 1])


def compare_legacy(ours: Inception, peer: nn.Module, pictures: list[np.ndarray]) -> float:
    """Every size through pytorch-fid's resizing and scaling into the peer's layers."""
    worst = 0.0
    for picture in pictures:
        levels = torch.from_numpy(picture.transpose(2, 0, 1).copy())[None].float() / 255
        scaled = 2 * functional.interpolate(levels, (299, 299), mode="bilinear", align_corners=False) - 1
        theirs = run_layers(peer, scaled)
        worst = max(worst, differ(torch.from_numpy(ours.describe([picture])), theirs))
    return worst


def run_layers(peer: nn.Module, images: Tensor) -> Tensor:
    """The peer's layers in their order, which is that of their definition, up to the last pooling."""
    with torch.inference_mode():
        for name, layer in peer.named_children():
            images = layer(images)
            if name == "AvgPool":
                break
    return images.flatten(1).double()


def differ(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference by largest value."""
    assert ours.shape == theirs.shape
    assert float(theirs.std()) > 1e-3, "random weights that let nothing through compare nothing"
    return float((ours - theirs).abs().max() / theirs.abs().max())


if __name__ == "__main__":
    sys.exit(not main())
