"""Copies are known by their patterns through light, compression and turns; other ground is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from test_thumbnails import make_pictures

from earthloom.core.errors import UsageError
from earthloom.metrics.patterns import (
    COPY_DISTANCE,
    SIDE,
    WIDTH,
    Patterns,
    find_nearest_patterns,
    make_patterns,
    shrink_grey,
)
from earthloom.metrics.thumbnails import TURNS, Picture, turn


def describe(pictures: list[Picture]) -> Patterns:
    return make_patterns(np.stack([shrink_grey(picture) for picture in pictures]))


def test_a_thumbnail_is_the_mean_of_grey_areas() -> None:
    picture = make_pictures(1, 0)[0]
    grey = picture @ np.array([0.299, 0.587, 0.114])  # Rec. 601, as Pillow and OpenCV have it
    wanted = grey.reshape(SIDE, 4, SIDE, 4).mean(axis=(1, 3)).ravel()
    np.testing.assert_allclose(shrink_grey(picture), wanted, atol=1e-3)
    assert shrink_grey(picture[:9, :40]).shape == (WIDTH,)


def test_distances_are_those_of_correlations() -> None:
    """Against NumPy's coefficient of correlation, the largest of eight turns."""
    queries, references = make_pictures(7, 1), make_pictures(30, 2)
    greys = np.stack([shrink_grey(picture) for picture in references])
    found = find_nearest_patterns(describe(queries), describe(references))
    for row, picture in enumerate(queries):
        turned = [shrink_grey(np.ascontiguousarray(turn(picture[None], by)[0])) for by in TURNS]
        correlations = np.array([[np.corrcoef(one, grey)[0, 1] for grey in greys] for one in turned])
        assert found.index[row] == correlations.max(axis=0).argmax()
        assert found.distance[row] == pytest.approx(np.sqrt(2 - 2 * correlations.max()), abs=1e-4)


@pytest.mark.parametrize("by", TURNS)
@pytest.mark.parametrize("change", ["none", "brighter", "jpeg", "paler"])
def test_changed_copies_are_found_in_every_turn(by: tuple[int, bool], change: str) -> None:
    train = make_pictures(40, 3)
    copy = np.ascontiguousarray(turn(train[17][None], by)[0])
    if change == "brighter":
        copy = np.clip(copy * 1.05, 0, 255).astype(np.uint8)
    elif change == "paler":
        copy = (copy * 0.5 + 60).astype(np.uint8)
    elif change == "jpeg":
        decoded = cv2.imdecode(
            cv2.imencode(".jpg", copy, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR
        )
        assert decoded is not None
        copy = decoded.astype(np.uint8)
    found = find_nearest_patterns(describe([copy, *make_pictures(20, 4)]), describe(train))
    assert found.index[0] == 17
    assert found.distance[0] < COPY_DISTANCE / 2
    assert found.distance[1:].min() > 2 * COPY_DISTANCE
    if change == "none":
        assert found.distance[0] < 1e-5


def test_pictures_of_one_owner_are_no_neighbours() -> None:
    pictures = make_pictures(12, 5)
    patterns = describe([*pictures, *pictures[:3]])  # the last three are the first three again
    alone = np.arange(15)
    doubled = find_nearest_patterns(patterns, patterns, (alone, alone))
    assert doubled.index[[0, 1, 2, 12, 13, 14]].tolist() == [12, 13, 14, 0, 1, 2]
    assert doubled.distance[:3].max() < 1e-6
    owners = np.array([*range(12), 0, 1, 2])
    found = find_nearest_patterns(patterns, patterns, (owners, owners))
    assert (owners[found.index] != owners).all()
    assert found.distance.min() > COPY_DISTANCE
    with pytest.raises(UsageError, match="another owner"):
        find_nearest_patterns(patterns, patterns, (np.zeros(15, np.int64), np.zeros(15, np.int64)))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, references = describe(make_pictures(11, 6)), describe(make_pictures(30, 7))
    whole = find_nearest_patterns(queries, references)
    monkeypatch.setattr("earthloom.metrics.patterns._ENTRIES", 90)
    parts = find_nearest_patterns(queries, references)
    np.testing.assert_array_equal(parts.index, whole.index)
    np.testing.assert_allclose(parts.distance, whole.distance, atol=1e-6)


def test_flat_pictures_are_compared_with_nothing() -> None:
    rng = np.random.default_rng(8)
    sea = [np.clip(rng.normal(60, 4, (64, 64, 3)), 0, 255).astype(np.uint8) for _ in range(3)]
    ground = make_pictures(2, 9)
    patterns = describe([sea[0], ground[0], sea[1], ground[1], sea[2], np.full((64, 64, 3), 9, np.uint8)])
    assert patterns.rows.tolist() == [1, 3]
    assert (patterns.n, patterns.n_flat) == (6, 4)
    np.testing.assert_allclose(np.linalg.norm(patterns.units, axis=1), 1, atol=1e-6)
    nothing = describe(sea)
    assert len(find_nearest_patterns(nothing, patterns).index) == 0
    with pytest.raises(UsageError, match="got none"):
        find_nearest_patterns(patterns, nothing)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="uint8"):
        shrink_grey(np.zeros((64, 64, 3)))
    with pytest.raises(UsageError, match="N x 256"):
        make_patterns(np.zeros((2, 3)))
