"""Squares cut from pictures of any size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from earthloom.core.errors import RecordError
from earthloom.core.images import decode_image, encode_jpeg, encode_png
from earthloom.core.records import Reason
from earthloom.store.stream.samples import Sample
from earthloom.train.pictures import Square, crop_middle, scale_shorter, turn


def paint(height: int, width: int, channels: int = 3) -> npt.NDArray[np.uint8]:
    """Smooth waves: what a scaled decoder and an average of pixels agree on."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [np.sin(9 * x + c) + np.cos(7 * y - c) for c in range(channels)]
    return np.clip(128 + 50 * np.dstack(waves), 0, 255).astype(np.uint8)


def make_sample(image: bytes, *, is_linear: bool = False) -> Sample:
    return Sample(
        key="a", base_key="a", group="a", pair_key=None, image=image, captions=(), is_linear=is_linear
    )


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.sampled_from([1, 3]),
    st.integers(1, 40),
    st.booleans(),
    st.booleans(),
)
def test_that_every_picture_becomes_a_square(
    height: int, width: int, channels: int, side: int, scale: bool, is_random: bool
) -> None:
    sample = make_sample(encode_png(paint(height, width, channels)))
    square = Square(side=side, scale=scale, is_random=is_random, turn=True)
    assert square.read(sample, rng()).shape == (side, side, channels)
    assert square.show(sample, rng()).shape == (side, side, 3)


@pytest.mark.parametrize("side", [256, 128, 100, 64, 50])
def test_that_a_reduced_decoding_looks_like_a_whole_one(side: int) -> None:
    picture = paint(512, 520)
    sample = make_sample(encode_jpeg(picture, 95))
    found = Square(side=side).show(sample, rng())
    whole = Square(side=side).cut(np.asarray(decode_image(sample.image), np.uint8), rng())
    assert np.abs(found.astype(int) - whole).mean() < 1
    box = Image.fromarray(picture).resize((round(520 * side / 512), side), Image.Resampling.BOX)
    assert np.abs(found.astype(int) - crop_middle(np.asarray(box), side)).mean() < 2


@pytest.mark.parametrize(
    ("size", "at_least", "wanted"),
    [
        ((512, 512), 256, (256, 256)), ((512, 512), 257, (512, 512)), ((512, 513), 256, (256, 257)),
        ((512, 512), 100, (128, 128)), ((512, 512), 64, (64, 64)), ((512, 512), 1, (64, 64)),
        ((511, 900), 256, (511, 900)), ((300, 700), 150, (150, 350)), ((512, 512), 0, (512, 512)),
    ],
)  # fmt: skip
def test_that_a_jpeg_is_reduced_by_powers_of_two(
    size: tuple[int, int], at_least: int, wanted: tuple[int, int]
) -> None:
    assert decode_image(encode_jpeg(paint(*size), 90), at_least).shape == (*wanted, 3)
    assert decode_image(encode_png(paint(*size)), at_least).shape == (*size, 3)


def test_that_the_scale_is_kept_where_asked() -> None:
    picture = paint(60, 90)
    square = Square(side=32, scale=False)
    sample = make_sample(encode_png(picture))
    np.testing.assert_array_equal(square.show(sample, rng()), picture[14:46, 29:61])
    assert square.find_factor(sample) == 1
    assert Square(side=30).find_factor(sample) == 0.5
    assert Square(side=120, scale=False).find_factor(sample) == 2


def test_that_partners_are_cut_alike_with_equal_generators() -> None:
    first = paint(60, 90)
    second = 255 - first[:, :, :1]
    square = Square(side=20, scale=False, is_random=True, turn=True)
    for seed in range(20):
        one, two = (square.cut(p, np.random.default_rng(seed)) for p in (first, second))
        np.testing.assert_array_equal(255 - one[:, :, :1], two)


def test_that_crops_and_turns_reach_everything() -> None:
    places = np.arange(25, dtype=np.uint8).reshape(5, 5, 1)
    draws = np.random.default_rng(0)
    corners = {
        int(Square(side=4, scale=False, is_random=True).cut(places, draws)[0, 0, 0]) for _ in range(100)
    }
    assert corners == {0, 1, 5, 6}
    square = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
    turned = {tuple(turn(square, draws).ravel().tolist()) for _ in range(200)}
    assert len(turned) == 8


def test_that_linear_values_are_shown_brighter_and_read_as_they_are() -> None:
    sample = make_sample(encode_png(np.full((8, 8, 3), 55, np.uint8)), is_linear=True)
    assert Square(side=8).read(sample, rng())[0, 0, 0] == 55
    assert Square(side=8).show(sample, rng())[0, 0, 0] == round(
        255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055)
    )


def test_that_scaling_averages_on_the_way_down() -> None:
    checks = np.indices((8, 8)).sum(0)[..., None] % 2 * np.uint8(200)
    np.testing.assert_array_equal(scale_shorter(checks.astype(np.uint8), 4), np.full((4, 4, 1), 100))


def test_that_a_broken_picture_is_a_record_error() -> None:
    jpeg = encode_jpeg(paint(128, 128), 90)
    with pytest.raises(RecordError, match="unreadable"):
        Square(side=32).show(make_sample(jpeg[: len(jpeg) // 2]), rng())


def test_that_a_strip_which_would_fill_the_memory_is_refused() -> None:
    sample = make_sample(encode_png(np.zeros((1, 40_000, 1), np.uint8)))
    with pytest.raises(RecordError, match="40000 x 1 pixels become 20480000 x 512") as caught:
        Square(side=512).read(sample, rng())
    assert caught.value.reason is Reason.TOO_LARGE
