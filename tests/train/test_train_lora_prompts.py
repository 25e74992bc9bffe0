"""Which texts are learnt, how pictures are cut, and what recipes may not say."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from lora_releases import make_recipe
from pydantic import ValidationError

pytest.importorskip("torch")

from earthloom.core.errors import RecordError
from earthloom.core.images import encode_png
from earthloom.store.stream.sample import Sample, Words
from earthloom.train.lora.cutting import cut_square, cut_variants
from earthloom.train.lora.prompts import draw_prompt, list_prompts, read_facts

WORDS = (
    Words(text="a river", style="plain"),
    Words(text="a river in a field.", style="plain"),
    Words(text="Low precision resolution, a river, GF1", style="mmm_rs"),
    Words(text="published", style="source"),
)


def make_sample(size: tuple[int, int] = (64, 64), **facts: Any) -> Sample:
    ramp = np.arange(size[0] * size[1] * 3, dtype=np.int64).reshape(*size, 3) % 251
    image = encode_png(ramp.astype(np.uint8))
    return Sample(key="k", base_key="k", group="k", pair_key=None, image=image, captions=WORDS, **facts)


def shares(sample: Sample, **changes: Any) -> dict[str, float]:
    return {prompt.text: prompt.share for prompt in list_prompts(sample, make_recipe(**changes))}


def test_all_captions_alike() -> None:
    assert shares(make_sample()) == pytest.approx({words.text: 0.25 for words in WORDS})


def test_styles_by_their_weights() -> None:
    assert shares(make_sample(), styles={"plain": 1, "mmm_rs": 3}) == pytest.approx(
        {"a river": 0.125, "a river in a field.": 0.125, WORDS[2].text: 0.75}
    )


def test_a_style_that_is_missing_leaves_its_weight_to_the_others() -> None:
    assert shares(make_sample(), styles={"gaia": 5, "source": 1}) == {"published": 1.0}


def test_without_a_caption_of_these_styles_it_is_refused() -> None:
    with pytest.raises(
        RecordError, match="wanted a caption of style gaia, got captions of mmm_rs, plain, source"
    ):
        shares(make_sample(), styles={"gaia": 1})


def test_a_clause_says_what_is_known() -> None:
    sample = make_sample(gsd_m=10.0, lon=12.34, acquired="2019-09-04")
    changes = {"metadata": "text", "metadata_drop": 0.1, "styles": {"plain": 1}}
    clause = "10 m per pixel, longitude 12.34, 2019-09-04"
    assert shares(sample, **changes) == pytest.approx(
        {
            f"a river, {clause}": 0.45,
            "a river": 0.05,
            f"a river in a field, {clause}": 0.45,
            "a river in a field.": 0.05,
        }
    )
    assert shares(make_sample(), **changes) == {"a river": 0.5, "a river in a field.": 0.5}


def test_texts_are_drawn_as_often_as_they_should() -> None:
    prompts = list_prompts(make_sample(), make_recipe(styles={"plain": 1, "mmm_rs": 3}))
    rng = np.random.default_rng(0)
    n = 20_000
    found = Counter(draw_prompt(prompts, rng) for _ in range(n))
    for i, prompt in enumerate(prompts):
        spread = (prompt.share * (1 - prompt.share) / n) ** 0.5
        assert abs(found[i] / n - prompt.share) < 4 * spread


def test_scaling_changes_the_ground_sample_distance() -> None:
    assert read_facts(make_sample(size=(128, 192), gsd_m=10.0), make_recipe()).gsd_m == 20.0
    assert read_facts(make_sample(), make_recipe()).gsd_m is None
    with pytest.raises(RecordError, match="more than 0 m"):
        read_facts(make_sample(gsd_m=0.0), make_recipe())


def test_squares() -> None:
    sample = make_sample(size=(64, 96))
    middle = cut_square(sample, make_recipe(), np.random.default_rng(0))
    np.testing.assert_array_equal(middle.pixels, sample.picture()[:, 16:80])
    assert middle.sizes.tolist() == [64, 96, 0, 16, 64, 64]
    anywhere = cut_square(sample, make_recipe(crop="random", cache="none"), np.random.default_rng(5))
    left = int(anywhere.sizes[3])
    assert left != 16
    np.testing.assert_array_equal(anywhere.pixels, sample.picture()[:, left : left + 64])


def test_variants_follow_from_seed_and_key() -> None:
    recipe = make_recipe(turn=True, variants=6)
    one, other = (cut_variants(make_sample(), recipe, seed) for seed in (1, 2))
    again = cut_variants(make_sample(), recipe, 1)
    assert len(one) == 6
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, again, strict=True))
    assert not all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other, strict=True))
    assert len({cut.pixels.tobytes() for cut in one}) > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"turn": True}, "say `variants: 4` to keep so many of each picture, or `cache: none`"),
        ({"crop": "random", "cache": "latents+texts"}, "`crop: random` draws other pictures every time"),
        ({"cache": "none", "turn": True, "variants": 4}, "variants: is of use with a cache"),
        ({"variants": 4}, "all would be equal"),
        ({"cache": "latents+texts", "text_encoder": True}, "texts cannot be encoded once"),
        ({"size": 500}, "multiple of 64"),
        ({"styles": {"plain": 0}}, "greater than 0"),
        ({"rank": 0}, "greater than or equal to 1"),
        ({"targets": []}, "at least 1"),
        ({"ranks": 4}, "Extra inputs"),
    ],
)
def test_what_recipes_may_not_say(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_recipe(**changes)


@pytest.mark.parametrize(
    ("name", "value"), [("gsd_m", 0.0), ("gsd_m", float("inf")), ("lon", float("nan")), ("lat", float("inf"))]
)
def test_numbers_that_are_none_are_refused(name: str, value: float) -> None:
    with pytest.raises(RecordError, match="wanted a"):
        read_facts(make_sample(**{name: value}), make_recipe())
