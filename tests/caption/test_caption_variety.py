"""Five captions of an image differ in their words, and images of one kind are not all captioned alike."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from caption_records import (
    make_airport,
    make_atlas,
    make_bare,
    make_dated_season,
    make_eurosat,
    make_fmow,
    make_gid,
    make_naip,
    make_radar_cover,
    make_rsicd,
    make_sentinel1,
    make_ships,
    make_umbra,
)

from earthloom.caption import CaptionSettings, caption_tile
from earthloom.core.records import Modality, Scene, Tile

Words = Sequence[str]


def split(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower())


def count_grams(words: Words, n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu4(candidate: Words, references: Sequence[Words]) -> float:
    """Sentence BLEU-4 with clipped counts and the closest reference length (Papineni et al. 2002), unsmoothed."""
    log_precision = 0.0
    for n in range(1, 5):
        grams = count_grams(candidate, n)
        most = Counter[tuple[str, ...]]()
        for reference in references:
            most |= count_grams(reference, n)
        matched = sum((grams & most).values())
        if matched == 0:
            return 0.0
        log_precision += math.log(matched / sum(grams.values())) / 4
    closest = min((abs(len(r) - len(candidate)), len(r)) for r in references)[1]
    return math.exp(min(0.0, 1 - closest / len(candidate)) + log_precision)


def self_bleu4(captions: Sequence[Words]) -> float:
    return sum(bleu4(c, [*captions[:i], *captions[i + 1 :]]) for i, c in enumerate(captions)) / len(captions)


def distinct2(captions: Sequence[Words]) -> float:
    grams = Counter(gram for caption in captions for gram in count_grams(caption, 2).elements())
    return len(grams) / sum(grams.values())


def caption(record: tuple[Scene, Tile], style: str = "plain") -> list[list[str]]:
    captions = caption_tile(*record, CaptionSettings(styles=("gaia",))).captions
    return [split(c.text) for c in captions if c.style == style]


def test_the_metrics_themselves() -> None:
    """The classic example of clipping, and the ends of both scales."""
    the = ["the"] * 7
    reference = ["the", "cat", "is", "on", "the", "mat"]
    assert count_grams(the, 1) & count_grams(reference, 1) == Counter({("the",): 2})
    assert self_bleu4([reference, reference]) == pytest.approx(1.0)
    assert self_bleu4([reference, list("abcdef")]) == 0.0
    assert distinct2([reference]) == 1.0
    assert distinct2([the]) == pytest.approx(1 / 6)


KINDS = [
    make_airport(),
    make_eurosat(),
    make_naip(),
    make_rsicd("a river"),
    make_sentinel1(),
    make_umbra(),
    make_dated_season(),
    make_fmow(),
    make_gid(),
    make_radar_cover(),
    make_ships(),
    *(make_bare(modality) for modality in Modality),
    *(make_bare(modality, gsd_m=0.5, pixel_m=0.5) for modality in Modality),
]
MANY = [
    (scene, replace(tile, id=f"{tile.id}-{k}-{i}"))
    for i, (scene, tile) in enumerate(KINDS)
    for k in range(12)
]


EUROSAT = [
    (scene, replace(tile, id=f"{name}-{k}"))
    for name in (
        "annual crop",
        "forest",
        "herbaceous vegetation",
        "highway",
        "industrial",
        "pasture",
        "river",
    )
    for scene, tile in [make_eurosat(name)]
    for k in range(30)
]


@pytest.mark.parametrize("style", ["plain", "gaia"])
@pytest.mark.parametrize(
    "records", [[make_atlas(i) for i in range(150)], MANY, EUROSAT], ids=["atlas", "kinds", "eurosat"]
)
def test_that_five_captions_of_an_image_differ(records: list[tuple[Scene, Tile]], style: str) -> None:
    sets = [caption(record, style) for record in records]
    assert all(len(captions) == 5 for captions in sets)
    bleus = [self_bleu4(captions) for captions in sets]
    distincts = [distinct2(captions) for captions in sets]
    assert sum(bleus) / len(bleus) < 0.2
    assert max(bleus) < 0.6
    assert sum(distincts) / len(distincts) > 0.8
    assert min(distincts) > 0.5


@pytest.mark.parametrize("style", ["plain", "gaia"])
@pytest.mark.parametrize(
    "records",
    [
        [make_atlas(i) for i in range(150)],
        MANY,
        EUROSAT,
        [(scene, replace(tile, id=str(k))) for scene, tile in [make_rsicd("a river")] for k in range(150)],
        [(scene, replace(tile, id=str(k))) for scene, tile in [make_bare(Modality.SAR)] for k in range(150)],
    ],
    ids=["atlas", "kinds", "eurosat", "rsicd", "bare radar"],
)
def test_that_captions_of_one_role_differ_from_image_to_image(
    records: list[tuple[Scene, Tile]], style: str
) -> None:
    """Sets of five by chance, in the means; the hardest are pictures of which nothing at all is known."""
    sets = [caption(record, style) for record in records]
    rng = random.Random(0)
    for role in range(5):
        fives = [[captions[role] for captions in rng.sample(sets, 5)] for _ in range(100)]
        assert sum(map(self_bleu4, fives)) / 100 < 0.6
        assert sum(map(distinct2, fives)) / 100 > 0.5


def test_that_a_release_is_not_one_caption_repeated() -> None:
    texts = [c.text for i in range(300) for c in caption_tile(*make_atlas(i), CaptionSettings()).captions]
    assert len(set(texts)) > 0.95 * len(texts)
    openings = Counter(" ".join(text.split()[:4]) for text in texts)
    assert openings.most_common(1)[0][1] < 0.2 * len(texts)


def test_that_images_of_one_class_are_captioned_in_many_ways() -> None:
    scene, tile = make_eurosat("forest")
    sets = [caption((scene, replace(tile, id=str(i)))) for i in range(200)]
    for role in range(5):
        assert len({" ".join(captions[role]) for captions in sets}) > 60
