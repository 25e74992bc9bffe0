"""Rules of resizing against torch's, which are written by others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from earthloom.core.errors import UsageError

torch = pytest.importorskip("torch")

from torch.nn.functional import interpolate  # noqa: E402

from earthloom.models.encoders.resizing import CLEAN, LEGACY, RULES, WHOLE_GREY  # noqa: E402

SIDES = st.integers(1, 400)


def draw_picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def by_torch(picture: np.ndarray, side: int, **options: object) -> np.ndarray:
    levels = torch.from_numpy(picture.transpose(2, 0, 1).copy())[None].float()
    return interpolate(levels, (side, side), **options)[0].numpy()


@settings(max_examples=10)
@given(height=SIDES, width=SIDES)
def test_legacy_is_bilinear_as_pytorch_fid_has_it(height: int, width: int) -> None:
    picture = draw_picture(height, width)
    wanted = by_torch(picture, 299, mode="bilinear", align_corners=False)
    found = LEGACY.resize(picture, 299)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=0.02)


@settings(max_examples=10)
@given(height=SIDES, width=SIDES)
def test_clean_is_bicubic_with_antialiasing_in_floats(height: int, width: int) -> None:
    picture = draw_picture(height, width)
    wanted = by_torch(picture, 299, mode="bicubic", antialias=True)
    found = CLEAN.resize(picture, 299)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=0.02)


@settings(max_examples=10)
@given(height=SIDES, width=SIDES)
def test_whole_grey_is_the_same_in_whole_steps(height: int, width: int) -> None:
    """Pillow goes along rows and columns, with whole grey steps in between; which comes first differs by version."""
    picture = draw_picture(height, width)
    found = WHOLE_GREY.resize(picture, 64)
    assert found.dtype == np.uint8
    differences = []
    for between in ((height, 64), (64, width)):
        wanted = torch.from_numpy(picture.transpose(2, 0, 1).copy())[None].float()
        for shape in (between, (64, 64)):
            wanted = interpolate(wanted, shape, mode="bicubic", antialias=True).clamp(0, 255).round()
        differences.append(np.abs(found - wanted[0].numpy()).max())
    assert min(differences) <= 1


def test_clean_keeps_what_lies_between_grey_steps_and_beyond_white() -> None:
    edge = np.zeros((50, 50, 3), np.uint8)
    edge[:, 25:] = 255
    found = CLEAN.resize(edge, 299)
    assert found.max() > 256
    assert np.abs(found - np.round(found)).max() > 0.3


def test_a_picture_of_the_right_size_stays_as_it_is() -> None:
    picture = draw_picture(64, 64)
    for rule in RULES.values():
        np.testing.assert_array_equal(rule.resize(picture, 64), picture.transpose(2, 0, 1))


def test_that_only_legacy_aliases() -> None:
    """Stripes of one pixel are grey from afar."""
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    assert CLEAN.resize(stripes, 64).std() < 8
    assert WHOLE_GREY.resize(stripes, 64).std() < 8
    shifted = np.zeros((632, 632, 3), np.uint8)
    shifted[:, ::2] = 255
    assert LEGACY.resize(shifted, 299)[0, :, 5:-5].std() > 30


def test_rules_are_told_with_name_version_and_side() -> None:
    for name, rule in RULES.items():
        assert rule.say(299).startswith(f"{name}@1: ")
        assert rule.say(299).endswith(", 299 x 299 px")
    assert len({rule.say(64) for rule in RULES.values()}) == 3


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 4), (0, 32, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    for rule in RULES.values():
        with pytest.raises(UsageError, match="H x W x 3 of uint8"):
            rule.resize(np.zeros(shape, np.uint8), 64)


def test_whole_grey_is_pillow_on_the_whole_picture() -> None:
    picture = draw_picture(100, 37)
    wanted = Image.fromarray(picture).resize((64, 64), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(WHOLE_GREY.resize(picture, 64).transpose(1, 2, 0), np.asarray(wanted))
