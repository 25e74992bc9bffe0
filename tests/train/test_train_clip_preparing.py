"""Samples prepared for dual encoders: crops, turns, captions and what duplicates are known by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from clip_folders import make_clip_recipe  # noqa: E402
from tiny_models.stable import make_clip_tokenizer  # noqa: E402

from earthloom.core.errors import RecordError  # noqa: E402
from earthloom.core.images import encode_png  # noqa: E402
from earthloom.core.records import Reason  # noqa: E402
from earthloom.models.clip.contrast import find_positives  # noqa: E402
from earthloom.models.clip.dual import Dual  # noqa: E402
from earthloom.models.clip.looks import Look  # noqa: E402
from earthloom.store.stream.samples import Sample, Words  # noqa: E402
from earthloom.train.batches import collate  # noqa: E402
from earthloom.train.clip.preparing import Preparing, draw_view, hash_text  # noqa: E402

LOOK = Look(side=16, load=16)


class Sized:
    """Stands for a network of which the longest text is asked."""

    class config:
        class text_config:
            max_position_embeddings = 12


def make_preparing(*, varies: bool = True, **changes: Any) -> Preparing:
    dual = Dual(network=Sized, tokenizer=make_clip_tokenizer(), look=LOOK, origin=None)
    return Preparing(dual=dual, settings=make_clip_recipe(**changes), varies=varies)


def make_sample(
    key: str, captions: list[str], picture: npt.NDArray[np.uint8] | None = None, **facts: Any
) -> Sample:
    if picture is None:
        picture = np.random.default_rng(sum(map(ord, key))).integers(0, 256, (20, 24, 3)).astype(np.uint8)
    usual: dict[str, Any] = {"base_key": key, "group": "all", "pair_key": None}
    words = tuple(Words(text=text, style="plain" if i else "short") for i, text in enumerate(captions))
    return Sample(key=key, image=encode_png(picture), captions=words, **(usual | facts))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_shapes() -> None:
    found = make_preparing(texts=4, known_texts=3)(
        make_sample("a", ["a forest", "the sea by the city"]), rng()
    )
    assert {name: value.shape for name, value in found.items()} == {
        "image": (3, 16, 16), "ids": (4, 12), "lengths": (4,), "n_cut": (), "marks": (3,), "texts": (4,),
        "known": (3,),
    }  # fmt: skip
    assert found["image"].dtype == np.uint8
    assert set(found["texts"]) == {
        hash_text("a forest"),
        hash_text("the sea by the city"),
    }  # each comes twice
    assert found["known"][2] == 0


def test_every_caption_is_drawn_and_five_of_five_are_all() -> None:
    texts = [f"number {i}" for i in range(5)]
    one = make_preparing(texts=1)
    drawn = [int(one(make_sample("a", texts), rng(seed))["texts"][0]) for seed in range(200)]
    counts = [drawn.count(hash_text(text)) for text in texts]
    assert sum(counts) == 200
    assert min(counts) > 20
    every = make_preparing(texts=5)(make_sample("a", texts), rng())
    assert sorted(every["texts"]) == sorted(map(hash_text, texts))


def test_fixed_ones_draw_nothing() -> None:
    sample = make_sample("a", ["first", "second"])
    one, two = (make_preparing(varies=False)(sample, rng(seed)) for seed in (1, 2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert one["texts"][0] == hash_text("first")
    assert np.array_equal(one["image"].transpose(1, 2, 0), LOOK.frame(sample.picture()))


def test_styles_choose_and_their_lack_is_a_refusal() -> None:
    sample = make_sample("a", ["one", "two", "three"])
    found = make_preparing(styles=["plain"], texts=4)(sample, rng())
    assert set(found["texts"]) == {hash_text("two"), hash_text("three")}
    with pytest.raises(RecordError, match="of the styles long was wanted, the sample has 3 others") as caught:
        make_preparing(styles=["long"])(sample, rng())
    assert caught.value.reason is Reason.NO_CAPTION


def test_views_are_the_eight_turns_of_a_square() -> None:
    picture = rng(3).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    settings = make_clip_recipe(zoom=[1, 1])
    seen = {draw_view(picture, LOOK, settings, rng(seed)).tobytes() for seed in range(100)}
    turned = [np.rot90(picture, k) for k in range(4)]
    assert seen == {view.tobytes() for turn in turned for view in (turn, turn[:, ::-1])}
    still = make_clip_recipe(zoom=[1, 1], turn=False)
    assert {draw_view(picture, LOOK, still, rng(seed)).tobytes() for seed in range(5)} == {picture.tobytes()}


def test_crops_stay_within_and_are_as_large_as_asked() -> None:
    # Each pixel tells its place, so a crop tells where it was taken from.
    y, x = np.mgrid[0:100, 0:200]
    picture = np.stack([y * 2, x, np.zeros_like(x)], -1).astype(np.uint8)
    settings = make_clip_recipe(zoom=[0.5, 0.8], turn=False)
    spans = []
    for seed in range(60):
        view = draw_view(picture, LOOK, settings, rng(seed)).astype(float)
        across, down = np.ptp(view[..., 1]), np.ptp(view[..., 0]) / 2
        assert across == pytest.approx(down, abs=2.5)  # square
        spans.append(across * 16 / 15)
    assert 48 <= min(spans) < 56
    assert 74 < max(spans) <= 83


@pytest.mark.parametrize(
    ("first", "second", "belong"),
    [
        ({}, {}, False),
        ({"base_key": "one"}, {"base_key": "one"}, True),
        ({"pair_key": "one"}, {"pair_key": "one"}, True),
        ({"group": "one"}, {"group": "one"}, False),  # places of one scene are different places
        ({"captions": ["A  forest."]}, {"captions": ["a forest"]}, True),
        ({"captions": ["a sea", "a forest"]}, {"captions": ["a forest", "a city"]}, True),
        ({"captions": ["a sea"]}, {"captions": ["a forest"]}, False),
        (
            {"picture": np.full((20, 20, 3), 9, np.uint8)},
            {"picture": np.full((20, 20, 3), 9, np.uint8)},
            True,
        ),
    ],
)
def test_what_belongs_together(first: dict[str, Any], second: dict[str, Any], belong: bool) -> None:
    prepare = make_preparing(varies=False, texts=2)
    samples = [
        make_sample(key, facts.pop("captions", [f"text of {key}"]), **facts)
        for key, facts in (("a", dict(first)), ("b", dict(second)))
    ]
    batch = collate([prepare(sample, rng()) for sample in samples])
    positives = find_positives(batch["marks"], batch["known"], batch["texts"])
    assert positives[0, :2].all()
    assert positives[1, 2:].all()
    assert bool(positives[0, 2:].any()) is belong
    assert bool(positives[1, :2].any()) is belong
