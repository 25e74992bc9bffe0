"""Variety over releases of thousands of images: within an image, and among captions of one role of different images.

Run with `-s` to see the figures.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from statistics import fmean

import numpy as np
import pytest
from caption_records import (
    make_airport,
    make_atlas,
    make_bare,
    make_eurosat,
    make_naip,
    make_rsicd,
    make_sentinel1,
    make_tile,
    make_umbra,
)
from test_caption_variety import distinct2, self_bleu4, split

from earthloom.caption import CaptionSettings, caption_tile
from earthloom.core.images import decode_image
from earthloom.core.records import Appearance, Band, Crop, Modality, Scene, Stretch, Tile
from earthloom.ingest import KINDS
from earthloom.metrics.appearance import measure_appearance

pytestmark = pytest.mark.slow

N_EUROSAT, N_OTHERS = 5000, 2000
MAX_SELF_BLEU = 0.6
MIN_DISTINCT = 0.5
N_SETS = 500
"""Of five captions of one role, of five images."""
Record = tuple[Scene, Tile]
Words = list[str]


def list_eurosat(real_data: Path) -> list[Record]:
    """The scenes of EuroSAT as its tar lists them: a class, 10 m, Sentinel-2, and how bright each picture is."""
    kind = KINDS["images"]
    settings = kind.settings.model_validate(
        {
            "kind": "images", "name": "eurosat", "path": "eurosat_rgb.tar", "classes": True, "gsd_m": 10,
            "platform": "Sentinel-2", "dataset": "EuroSAT", "limit": N_EUROSAT,
        }
    )  # fmt: skip
    base = real_data / "eurosat"
    scenes = [
        scene
        for item in kind.list_items(settings, base)
        for scene in kind.read_item(settings, item, base, base)
    ]
    return [(scene, cut_whole(scene)) for scene in scenes]


def cut_whole(scene: Scene) -> Tile:
    """The tile that shows all of a scene."""
    return make_tile(
        id=f"tile-{scene.id}",
        scene_id=scene.id,
        crop=Crop(col=0, row=0, width=scene.width, height=scene.height),
        width=scene.width,
        height=scene.height,
        native_gsd_m=scene.gsd_x_m,
        gsd_m=scene.gsd_x_m,
        pixel_m=scene.gsd_x_m,
        labels=scene.labels,
        appearance=look_at(scene.bands[0], scene.modality),
    )


def look_at(band: Band, modality: Modality) -> Appearance | None:
    """What the tile stage measures in the pixels of a picture in a tar."""
    assert band.within is not None
    with Path(band.uri).open("rb") as file:
        file.seek(band.within.offset)
        picture = decode_image(file.read(band.within.size))
    stretch = Stretch(method="none", low=(0.0,) * 3, high=(255.0,) * 3)
    return measure_appearance(np.asarray(picture, np.uint8), None, modality, stretch)


def list_atlas() -> list[Record]:
    """Landscapes with covers."""
    return [make_atlas(i) for i in range(N_OTHERS)]


def list_mixture() -> list[Record]:
    """Every kind of record that there is, as often as any other: with many facts, with few, and with none."""
    kinds: list[Callable[[], Record]] = [
        make_airport,
        make_eurosat,
        make_naip,
        partial(make_rsicd, "a river"),
        make_sentinel1,
        make_umbra,
        *(partial(make_bare, modality) for modality in Modality),
        *(partial(make_bare, modality, gsd_m=0.5, pixel_m=0.5) for modality in Modality),
    ]
    records = [kind() for kind in kinds]
    chosen = (records[i % len(records)] for i in range(N_OTHERS))
    return [(scene, replace(tile, id=f"{tile.id}-{i}")) for i, (scene, tile) in enumerate(chosen)]


@dataclass(frozen=True)
class Figures:
    """Variety of sets of five captions."""

    bleus: list[float]
    distincts: list[float]

    @property
    def share(self) -> float:
        """Of the sets that hold both limits."""
        pairs = zip(self.bleus, self.distincts, strict=True)
        return fmean(bleu < MAX_SELF_BLEU and distinct > MIN_DISTINCT for bleu, distinct in pairs)

    def __str__(self) -> str:
        return (
            f"self-BLEU-4 {fmean(self.bleus):.3f} (max {max(self.bleus):.3f}), "
            f"distinct-2 {fmean(self.distincts):.3f} (min {min(self.distincts):.3f}), {self.share:.2%} hold"
        )


def measure(sets: Sequence[Sequence[Words]]) -> Figures:
    return Figures([self_bleu4(one) for one in sets], [distinct2(one) for one in sets])


def write(records: list[Record], style: str) -> list[list[Words]]:
    """The five captions of each image, as words."""
    settings = CaptionSettings.model_validate({"styles": ["gaia"], "per_image": 5})
    captioned = (caption_tile(scene, tile, settings).captions for scene, tile in records)
    return [[split(caption.text) for caption in captions if caption.style == style] for captions in captioned]


RELEASES = ["eurosat", "atlas", "mixture"]


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> tuple[str, list[Record]]:
    if request.param == "eurosat":
        return request.param, list_eurosat(request.getfixturevalue("real_data"))
    return request.param, list_atlas() if request.param == "atlas" else list_mixture()


@pytest.mark.parametrize("style", ["plain", "gaia"])
def test_that_captions_vary_within_an_image_and_between_images(
    release: tuple[str, list[Record]], style: str
) -> None:
    """Between images, means hold for each role; of images of which next to nothing is known a few sets do not."""
    name, records = release
    written = write(records, style)
    assert all(len(captions) == 5 for captions in written)
    within = measure(written)
    rng = Random(5)
    between = [
        measure([[captions[role] for captions in rng.sample(written, 5)] for _ in range(N_SETS)])
        for role in range(5)
    ]
    sys.stdout.write(f"\n{name}, {style}, within {len(written)} images: {within}\n")
    for role, figures in enumerate(between):
        sys.stdout.write(f"{name}, {style}, role {role} of five images: {figures}\n")
    for figures in (within, *between):
        assert fmean(figures.bleus) < MAX_SELF_BLEU
        assert fmean(figures.distincts) > MIN_DISTINCT
    assert within.share > 0.99
    assert fmean(figures.share for figures in between) > 0.9
    assert min(figures.share for figures in between) > 0.75
