"""Inria Aerial Image Labeling: 360 aerial images of ten places with masks of buildings (Maggiori et al. 2017).

The layout is that of the publisher's zip, which torchgeo's `inria.py` reads as well; a mirror has it below `data/`.
The publisher's parts are `train` and `test` (other cities, no masks). To validate on images 1 to 5 of each training
city is a recommendation and no part of the files: `published_split` is the folder's word.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from earthloom.core.records import Band, ClassMask, Item, Legend, Modality, Origin, Part, Quantity, Scene
from earthloom.ingest.about import About
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.reading import Pixels, check_size, make_dataset_scene, open_part, take_bands
from earthloom.ingest.scenes import Facts


class InriaSettings(DatasetSettings):
    """Inria Aerial Image Labeling: aerial RGB of 5000 x 5000 pixels at 0.3 m, with masks of buildings."""

    items_a_shard: ClassVar[int] = 8
    kind: Literal["inria"]
    """What kind of source this is."""
    group_by: Literal["city", "image"] = "city"
    """What is never divided between splits. The 36 images of a city adjoin, so that only whole cities leave nothing of
    a street in both; but they make ten groups, too few for exact shares. `image`: 360 groups, with neighbours in
    different splits."""


ABOUT = About(
    title="Inria Aerial Image Labeling",
    what="aerial RGB of ten places, 360 GeoTIFFs of 5000 x 5000, 0.3 m; masks of buildings for half of them",
    layout=(
        "AerialImageDataset/train/images/austin1.tif    (or data/train/...)",
        "AerialImageDataset/train/gt/austin1.tif",
        "AerialImageDataset/test/images/tyrol-e36.tif",
    ),
    whole=(("images", 360), ("masks", 180)),
    licence=None,
    terms="The sources that were read state no licence; not stated is not permission.",
    credit="Maggiori, Tarabalka, Charpiat, Alliez 2017 (Inria Aerial Image Labeling)",
    example="- {kind: inria, path: AerialImageDataset}\n",
)

CITIES = {
    "austin": ("Austin, Texas", "US"),
    "bellingham": ("Bellingham, Washington", "US"),
    "bloomington": ("Bloomington, Indiana", "US"),
    "chicago": ("Chicago, Illinois", "US"),
    "innsbruck": ("Innsbruck", "AT"),
    "kitsap": ("Kitsap County, Washington", "US"),
    "sfo": ("San Francisco, California", "US"),
    "tyrol-e": ("East Tyrol", "AT"),
    "tyrol-w": ("West Tyrol", "AT"),
    "vienna": ("Vienna", "AT"),
}
"""Place and country (ISO 3166-1 alpha-2) by the word that file names begin with."""
_NAME = re.compile(
    r"(?P<base>(?:.*/)?)(?P<split>train|test)/(?P<folder>images|gt)/"
    r"(?P<stem>(?P<city>[a-z]+(?:-[a-z]+)?)\d+)\.(?P<format>tiff?)"
)
_STEM = re.compile(r"([a-z-]+?)\d+")
_LEGEND = (Legend(value=0, name="background"), Legend(value=255, name="building"))
_DOCUMENTED = Facts(origin=Origin.DOCUMENTATION, gsd_x_m=0.3, gsd_y_m=0.3)


def place(settings: InriaSettings, key: str) -> Place | None:
    """Pairs by name: an image and its mask are called the same in sibling folders."""
    match = _NAME.fullmatch(key)
    if match is None or (match["split"] == "test" and match["folder"] == "gt"):
        return None
    base, split, stem = match.group("base", "split", "stem")
    files = {"image": tuple(f"{base}{split}/images/{stem}{suffix}" for suffix in (".tif", ".tiff"))}
    if split == "train":  # the publisher keeps the masks of the test images
        files["mask"] = tuple(f"{base}{split}/gt/{stem}{suffix}" for suffix in (".tif", ".tiff"))
    return Place(
        item=f"{base}{split}/{stem}",
        role="image" if match["folder"] == "images" else "mask",
        files=files,
        carriers=("image",),
        needed=("mask",) if split == "train" else (),
        document=split,
    )


def read(settings: InriaSettings, item: Item) -> list[Scene]:
    """One scene, with the mask of its buildings in the training part."""
    (image,) = (part for part in item.parts if part.role == "image")
    gt = part_of(item, "mask")
    raster = open_part(image)
    pixels = take_bands(raster, Modality.RGB, (1, 2, 3), _quantity(raster.dtypes[0]))
    stem = item.key.rpartition("/")[2]
    match = _STEM.fullmatch(stem)
    city = stem if match is None else match[1]
    name, country = CITIES.get(city, (None, None))
    said = Facts(origin=Origin.NAME, place=name, country=country, published_split=item.document)
    return [
        make_dataset_scene(
            settings,
            item,
            ABOUT,
            pixels,
            (said, Facts(origin=Origin.DOCUMENTATION, modality=Modality.RGB)),
            documented=(_DOCUMENTED,),
            mask=None if gt is None else _read_mask(gt, pixels),
            group=city if settings.group_by == "city" else stem,
        )
    ]


def _quantity(dtype: str) -> Quantity:
    return Quantity.DISPLAY if dtype == "uint8" else Quantity.COUNTS


def _read_mask(part: Part, pixels: Pixels) -> ClassMask:
    raster = open_part(part)
    check_size("the mask", (raster.width, raster.height), pixels)
    return ClassMask(band=Band(uri=part.uri, index=1), legend=_LEGEND, origin=Origin.SIDECAR.value)


ADAPTER = Adapter(about=ABOUT, suffixes=frozenset((".tif", ".tiff")), place=place, read=read)
