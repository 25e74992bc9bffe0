"""The estimate of CLIP tokens beside the true numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.caption.language.tokens import count_clip_tokens

TRUE_COUNTS = {
    "a photo of a cat": 7,
    "Ordinary precision resolution, fog, a satellite image shows a large area of farmland, Sentinel-2": 21,
    (
        "High precision resolution, night, a satellite image shows a street in a residential area, "
        "Google Earth"
    ): 21,
    "Ultra-low precision resolution, fog, a satellite image shows a large mountain range, TG2": 21,
    "47.02° N, 99.18° W": 17,
    "Mount Yasur, Vanuatu": 7,
    "São Paulo, Brazil": 6,
    "Reykjavík": 7,
    "Владивосток": 13,
    "北京市": 9,
    "512 × 512 pixels at 0.594 m GSD": 19,
    "": 2,
    "...": 3,
    "2023-02-12T17:01:02Z": 22,
    "backscatter of -12.3 dB (VV)": 15,
    "San Antonio-class amphibious transport dock": 9,
    (
        "The frame of the image is square, as wide as it is high, seen from above and has one "
        "scale across its width."
    ): 28,
    (
        "Looking down, a near-infrared (NIR) satellite scene over China depicts farmland, forest "
        "and built-up land."
    ): 26,
    (
        "Generated in VV polarisation and with 4 looks, the synthetic scene has a very high "
        "spatial resolution of 4 m."
    ): 25,
    (
        "This scene could serve for farmland monitoring; its colours come from the red, green and "
        "blue bands of visible light."
    ): 25,
    (
        "The view has samples that each stand for 2 m on the ground, resampled from 0.594 m; "
        "slopes that face a radar usually look brighter than others."
    ): 38,
    (
        "Obtained by the MSI sensor aboard Sentinel-2 with samples every 10 m: an RGB satellite "
        "image; showing an industrial area."
    ): 28,
    "The parking lot or garage sits in the lower right of the scene.": 16,
    (
        "Seen from above over China: farmland, forest and built-up land, in a near-infrared (NIR) "
        "satellite scene that takes in about 2 km x 2 km."
    ): 37,
    "A tutorial on SAR imagery could begin with this image.": 13,
    "A Google Earth image of nine ships and two harbors, 512 by 512 pixels in size.": 25,
    'The scene label of the satellite image is "forest", for the whole of it.': 19,
    (
        "Across about 1 km by 1 km of ground over Mount Yasur, Vanuatu, a synthetic aperture radar "
        "(SAR) satellite scene records the Earth's surface."
    ): 34,
    "The cover mix of this synthetic scene: water (61 %), bare ground (31 %) and built-up land (8 %).": 30,
    "Herbaceous vegetation and grassland; deciduous needleleaf forest; unvegetated ground.": 21,
    "many buildings are arround a irregular pond with grean trees .": 15,
    "there are two baseball fields besides a long straight freeway .": 13,
    (
        "A Sentinel-2 RGB image over Zheleznodorozhnyy, Russia, acquired at 10 m ground sample "
        "distance with the MSI sensor."
    ): 35,
    "Zuwarah, Libya": 7,
    "Mahmutlar, Turkey": 7,
    "Daro": 4,
    "Belawan": 4,
    "NAIP, LC80460282016177LGN00": 24,
    "https://example.org/a_b?c=d": 15,
    "!!! ??? ***": 5,
}
"""Texts and their tokens, both ends counted, by CLIP's own byte pairs (`bpe_simple_vocab_16e6.txt.gz`)."""


@pytest.mark.parametrize(("text", "n"), TRUE_COUNTS.items())
def test_that_the_estimate_is_never_too_low_and_seldom_far_too_high(text: str, n: int) -> None:
    estimate = count_clip_tokens(text)
    assert estimate >= n
    if text.isascii():
        assert estimate <= 1.5 * n + 4


def test_that_the_estimate_is_close_on_average() -> None:
    ours = {text: n for text, n in TRUE_COUNTS.items() if text.endswith(".")}
    assert sum(map(count_clip_tokens, ours)) <= 1.15 * sum(ours.values())


@given(text=st.text(max_size=200))
def test_that_a_text_has_no_more_tokens_than_bytes(text: str) -> None:
    """Byte pairs join bytes and never split one."""
    assert 2 <= count_clip_tokens(text) <= 2 + len(text.encode())


@given(first=st.text(max_size=80), second=st.text(max_size=80))
def test_that_words_count_on_their_own(first: str, second: str) -> None:
    joined = count_clip_tokens(f"{first} {second}")
    assert joined == count_clip_tokens(first) + count_clip_tokens(second) - 2
