"""Copies of pictures are found through turns, scale and compression; other pictures are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from earthloom.core.errors import UsageError
from earthloom.metrics.thumbnails import (
    TURNS,
    find_nearest_turned,
    measure_picture_memorisation,
    shrink_pictures,
    turn,
)


def make_pictures(n: int, seed: int, side: int = 64) -> list[np.ndarray]:
    """Soft patches of ground, no two alike."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, side, side, 3)).astype(np.float32)
    soft = [cv2.GaussianBlur(one, (0, 0), 4) for one in noise]
    return [np.clip(128 + 400 * one, 0, 255).astype(np.uint8) for one in soft]


def test_a_thumbnail_is_the_mean_of_areas() -> None:
    picture = make_pictures(1, 0)[0]
    wanted = picture.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3)) / 255
    np.testing.assert_allclose(shrink_pictures([picture])[0], wanted, atol=1e-6)
    assert shrink_pictures([picture[:40]]).shape == (1, 32, 32, 3)


def test_eight_turns_are_eight_pictures() -> None:
    picture = shrink_pictures(make_pictures(1, 1))
    turned = [turn(picture, one) for one in TURNS]
    assert len({one.tobytes() for one in turned}) == 8
    np.testing.assert_array_equal(turned[0], picture)


def test_the_distance_is_the_root_mean_square() -> None:
    dark, light = np.full((32, 32, 3), 51, np.uint8), np.full((32, 32, 3), 204, np.uint8)
    found = find_nearest_turned(shrink_pictures([light]), shrink_pictures([dark]))
    assert found.distance[0] == pytest.approx(0.6, abs=1e-6)


@pytest.mark.parametrize("by", TURNS)
def test_a_turned_copy_is_found(by: tuple[int, bool]) -> None:
    train, made = make_pictures(40, 2), make_pictures(5, 3)
    made[3] = np.ascontiguousarray(turn(train[17][None], by)[0])
    found = find_nearest_turned(shrink_pictures(made), shrink_pictures(train))
    assert found.index[3] == 17
    assert found.distance[3] < 1e-6
    assert np.delete(found.distance, 3).min() > 0.02


def test_turned_copies_need_turns() -> None:
    train = make_pictures(60, 4)
    copies = [np.ascontiguousarray(np.rot90(picture)) for picture in train[:20]]
    assert measure_picture_memorisation(train, copies).under_1 == 1
    blind = measure_picture_memorisation(train, copies, turned=False)
    assert blind.under_1 < 0.2
    fresh = measure_picture_memorisation(train, make_pictures(60, 5))
    assert fresh.under_5 < 0.2
    assert fresh.authentic > 0.3 > measure_picture_memorisation(train, copies).authentic


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 32"):
        shrink_pictures(make_pictures(1, 6, side=16))
    with pytest.raises(UsageError, match="uint8"):
        shrink_pictures([np.zeros((64, 64), np.uint8)])
    with pytest.raises(UsageError, match="At least one picture"):
        shrink_pictures([])
    with pytest.raises(UsageError, match="At least one turn"):
        find_nearest_turned(np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2, 3)), turns=())
