"""Folders of pictures that several tests compare, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scene_pictures import (
    Picture,
    lay_depth_fog,
    lay_ours,
    lay_real_fog,
    lay_real_snow,
    lay_street_snow,
    make_ground,
)

from earthloom.core.images import encode_jpeg

N = 24
"""Pictures in each folder."""


@pytest.fixture(scope="session")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clear ground, our effects on it, wrong ones on it, and weather of another make on other ground."""
    root = tmp_path_factory.mktemp("weather")
    grounds = [make_ground(seed) for seed in range(N)]
    others = [make_ground(1000 + seed) for seed in range(N)]
    write(root / "clear", grounds, lambda picture, seed: picture)
    write(root / "real-clear", others, lambda picture, seed: picture)
    write(root / "real-fog", others, lay_real_fog)
    write(root / "real-snow", others, lay_real_snow)
    for effect in ("fog", "snow"):
        write(root / effect, grounds, lambda picture, seed, effect=effect: lay_ours(picture, effect, seed)[0])
    write(root / "street-snow", grounds, lay_street_snow)
    write(root / "depth-fog", grounds, lay_depth_fog)
    shifted = grounds[1:] + grounds[:1]
    write(root / "shuffled-fog", shifted, lambda picture, seed: lay_ours(picture, "fog", seed)[0])
    write(root / "shuffled-snow", shifted, lambda picture, seed: lay_ours(picture, "snow", seed)[0])
    return root


def write(folder: Path, pictures: list[Picture], lay: Callable[[Picture, int], Picture]) -> None:
    folder.mkdir(parents=True)
    for seed, picture in enumerate(pictures):
        (folder / f"{seed:03d}.jpg").write_bytes(encode_jpeg(lay(picture, seed), 95))
