"""Folders of pictures that several tests compare, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from scene_pictures import (
    lay_depth_fog,
    lay_ours,
    lay_real_fog,
    lay_real_snow,
    lay_street_snow,
    make_ground,
    write_pictures,
)

N = 24
"""Pictures in each folder."""


@pytest.fixture(scope="session")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clear ground, our effects on it, wrong ones on it, and weather of another make on other ground."""
    root = tmp_path_factory.mktemp("weather")
    grounds = [make_ground(seed) for seed in range(N)]
    others = [make_ground(1000 + seed) for seed in range(N)]
    write_pictures(root / "clear", grounds, lambda picture, seed: picture)
    write_pictures(root / "real-clear", others, lambda picture, seed: picture)
    write_pictures(root / "real-fog", others, lay_real_fog)
    write_pictures(root / "real-snow", others, lay_real_snow)
    for effect in ("fog", "snow"):
        write_pictures(
            root / effect, grounds, lambda picture, seed, effect=effect: lay_ours(picture, effect, seed)[0]
        )
    write_pictures(root / "street-snow", grounds, lay_street_snow)
    write_pictures(root / "depth-fog", grounds, lay_depth_fog)
    shifted = grounds[1:] + grounds[:1]
    write_pictures(root / "shuffled-fog", shifted, lambda picture, seed: lay_ours(picture, "fog", seed)[0])
    write_pictures(root / "shuffled-snow", shifted, lambda picture, seed: lay_ours(picture, "snow", seed)[0])
    return root
