"""GID, the Gaofen Image Dataset: Gaofen-2 scenes with land cover in 5 or 15 classes (Tong et al. 2020).

The coarse and the fine set, the zip of the GID-15 challenge and the patches in class folders are told apart by their
folders. The same scene comes in several of them: all of it shares a group. Patches with four bands have no layout
that is known, so they are strays here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath
from typing import ClassVar, Literal

from pydantic import Field

from earthloom.core.errors import RecordError
from earthloom.core.records import Band, ClassMask, Item, Modality, Origin, Part, Quantity, Reason, Scene
from earthloom.ingest.about import About
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.folders import find_class, label_class
from earthloom.ingest.datasets.gid_classes import COARSE, FINE, FINE_BY_ORDER, PATCH_CLASSES, IndexOrder
from earthloom.ingest.datasets.reading import (
    Pixels,
    check_size,
    declare_gsd,
    make_dataset_scene,
    open_part,
    take_bands,
)
from earthloom.ingest.rasters import Raster
from earthloom.ingest.scenes import Facts


class GidSettings(DatasetSettings):
    """GID: Gaofen-2 scenes of 7200 x 6800 pixels with land cover in 5 or 15 classes, RGB and near infrared."""

    items_a_shard: ClassVar[int] = 8
    kind: Literal["gid"]
    """What kind of source this is."""
    gsd_m: float | None = Field(4.0, gt=0, le=100_000)
    """Ground sample distance, metres; null for unknown. Sources conflict: torchgeo says 3, others 0.8 (that of the
    panchromatic camera) or 0.8 to 10. The names say MSS, the multispectral camera, which is specified with 4."""
    nir_band: Literal[1, 2, 3, 4] = 1
    """Which band of image_NirRGB is the near infrared; the others are R, G, B in this order, as the folder's name
    has it. The publisher does not state the order; public code reads it as NIR, R, G, B."""
    index_order: IndexOrder = "torchgeo"
    """What the numbers of a fifteen-class label of one band mean: torchgeo's order (0 unlabelled, 1 industrial
    land ... 15 pond), in which the challenge's labels are read by several projects, or SOLC's (0 paddy field ...
    14 pond, 15 unlabelled). Labels in colours do not need it."""


ABOUT = About(
    title="GID",
    what="Gaofen-2 RGB and near infrared, 150 scenes of 7200 x 6800, 8-bit TIFF; land cover in 5 and 15 classes",
    layout=(
        "Large-scale Classification_5classes/image_RGB/GF2_PMS1__L1A0000564539-MSS1.tif",
        "Large-scale Classification_5classes/image_NirRGB/GF2_PMS1__L1A0000564539-MSS1.tif",
        "Large-scale Classification_5classes/label_5classes/GF2_PMS1__L1A0000564539-MSS1_label.tif    (or .png)",
        "Fine Land-cover Classification_15classes/{image_RGB,image_NirRGB,label_15classes}/...",
        "GID/img_dir/{train,val,test}/NAME.tif with GID/ann_dir/{train,val}/NAME_15label.png    (the challenge)",
        "RGB_15_train/CLASS/NAME.tif    (patches of 56 x 56 and more)",
    ),
    whole=(("scenes", 150),),
    licence=None,
    terms="The publisher's pages state no licence that was found; not stated is not permission.",
    credit="Tong et al. 2020 (GID, Wuhan University); Gaofen-2 images",
    example="- {kind: gid, path: GID}\n",
)

_SCENE = re.compile(
    r"(?P<base>(?:.*/)?)(?P<folder>image_RGB|image_NirRGB|label_(?:5|15)classes)/"
    r"(?P<stem>[^/]+?)(?P<label>_label)?\.(?P<format>tiff?|png)"
)
_CHALLENGE = re.compile(
    r"(?P<base>(?:.*/)?)(?P<folder>img_dir|ann_dir)/(?P<split>train|val|test)/"
    r"(?P<stem>[^/]+?)(?P<label>_15label)?\.(?P<format>tiff?|png)"
)
_PATCH = re.compile(r"(?:.*/)?RGB_15_(?P<split>[a-z]+)/[^/]+/[^/]+\.tiff?")
_SATELLITE = re.compile(r"GF2_(?P<sensor>PMS\d)_+L1A\d+-MSS\d")
_TIFFS = (".tif", ".tiff")
_DOCUMENTED = Facts(origin=Origin.DOCUMENTATION, platform="Gaofen-2")


def place(settings: GidSettings, key: str) -> Place | None:
    """Pairs by name: images and labels of a scene lie in sibling folders."""
    if match := _SCENE.fullmatch(key):
        return _place_scene(settings, match)
    if match := _CHALLENGE.fullmatch(key):
        return _place_challenge(match)
    if match := _PATCH.fullmatch(key):
        split = match["split"]
        return Place(item=key, role="patch", files={"patch": (key,)}, carriers=("patch",), document=split)
    return None


def _place_scene(settings: GidSettings, match: re.Match[str]) -> Place | None:
    base, folder, stem = match.group("base", "folder", "stem")
    is_label = folder.startswith("label")
    if not _fits(match, is_label=is_label):
        return None
    is_fine = folder == "label_15classes" or (not is_label and "15class" in f"{settings.path}/{base}".lower())
    label_folders = ("label_5classes", "label_15classes")[:: -1 if is_fine else 1]
    return Place(
        item=f"{base}{stem}",
        role={"image_RGB": "rgb", "image_NirRGB": "nir"}.get(folder, "label"),
        files={
            "rgb": tuple(f"{base}image_RGB/{stem}{suffix}" for suffix in _TIFFS),
            "nir": tuple(f"{base}image_NirRGB/{stem}{suffix}" for suffix in _TIFFS),
            "label": tuple(
                f"{base}{labels}/{stem}_label{suffix}"
                for labels in label_folders
                for suffix in (*_TIFFS, ".png")
            ),
        },
        carriers=("rgb", "nir"),
        needed=("label",),
    )


def _fits(match: re.Match[str], *, is_label: bool) -> bool:
    """Whether a file is named as one of its folder: labels have a suffix of their own, and images are TIFF."""
    return is_label == (match["label"] is not None) and (is_label or match["format"] != "png")


def _place_challenge(match: re.Match[str]) -> Place | None:
    base, folder, split, stem = match.group("base", "folder", "split", "stem")
    if not _fits(match, is_label=folder == "ann_dir"):
        return None
    return Place(
        item=f"{base}{split}/{stem}",
        role="label" if folder == "ann_dir" else "rgb",
        files={
            "rgb": tuple(f"{base}img_dir/{split}/{stem}{suffix}" for suffix in _TIFFS),
            "label": tuple(f"{base}ann_dir/{split}/{stem}_15label{suffix}" for suffix in (".png", *_TIFFS)),
        },
        carriers=("rgb",),
        needed=() if split == "test" else ("label",),  # the test labels are not published
        document=split,
    )


def read(settings: GidSettings, item: Item) -> list[Scene]:
    """The RGB and the near infrared of a scene, or one of both, each with its mask; or one patch with its class."""
    patch = part_of(item, "patch")
    if patch is not None:
        return [_read_patch(settings, item, patch)]
    rgb, nir, label = (part_of(item, role) for role in ("rgb", "nir", "label"))
    views = [] if rgb is None else [_view_rgb(open_part(rgb))]
    if nir is not None:
        raster = open_part(nir)
        views += [] if rgb is not None else [_view_others(settings, raster)]
        views.append(_view_nir(settings, raster))
    for pixels, _ in views[1:]:
        check_size("image_NirRGB", (pixels.layer.width, pixels.layer.height), views[0][0])
    mask = None if label is None else _read_mask(settings, label, views[0][0])
    return [_make_scene(settings, item, pixels, said, mask) for pixels, said in views]


def _make_scene(
    settings: GidSettings, item: Item, pixels: Pixels, said: Facts, mask: ClassMask | None
) -> Scene:
    name, group = _read_name(item)
    return make_dataset_scene(
        settings,
        item,
        ABOUT,
        pixels,
        (name, said, declare_gsd(settings)),
        documented=(_DOCUMENTED,),
        mask=mask,
        group=group or item.key.rpartition("/")[2],
        pair=item.key,
    )


def _read_patch(settings: GidSettings, item: Item, part: Part) -> Scene:
    folder, _, _ = item.key.rpartition("/")
    label = label_class(find_class(folder.rpartition("/")[2], PATCH_CLASSES))
    name, group = _read_name(item)
    pixels, said = _view_rgb(open_part(part))
    facts = (name, said, declare_gsd(settings))
    return make_dataset_scene(
        settings, item, ABOUT, pixels, facts, documented=(_DOCUMENTED,), labels=(label,), group=group
    )


def _read_name(item: Item) -> tuple[Facts, str | None]:
    """Facts of a name, and the satellite's own name of the scene, which all sets of GID share."""
    match = _SATELLITE.search(item.key.rpartition("/")[2])
    facts = Facts(
        origin=Origin.NAME,
        platform=None if match is None else "Gaofen-2",
        sensor=None if match is None else match["sensor"],
        published_split=item.document or None,
    )
    return facts, None if match is None else match.group()


def _view_rgb(raster: Raster) -> tuple[Pixels, Facts]:
    pixels = take_bands(raster, Modality.RGB, (1, 2, 3), _quantity(raster))
    if raster.n_bands == 4 and raster.colours[3] == "alpha":
        alpha = Band(uri=raster.uri, index=4)
        pixels = replace(pixels, layer=replace(pixels.layer, alpha=alpha))
    return pixels, Facts(origin=Origin.NAME, modality=Modality.RGB)


def _view_others(settings: GidSettings, raster: Raster) -> tuple[Pixels, Facts]:
    """The R, G, B of an image_NirRGB. A header that calls its fourth band an alpha knows no better."""
    bands = [band for band in (1, 2, 3, 4) if band != settings.nir_band]
    return take_bands(raster, Modality.RGB, bands, _quantity(raster)), _say_order(settings, Modality.RGB)


def _view_nir(settings: GidSettings, raster: Raster) -> tuple[Pixels, Facts]:
    pixels = take_bands(raster, Modality.NIR, (settings.nir_band,), _quantity(raster))
    return pixels, _say_order(settings, Modality.NIR)


def _say_order(settings: GidSettings, modality: Modality) -> Facts:
    is_told = "nir_band" in settings.model_fields_set
    return Facts(origin=Origin.RECIPE if is_told else Origin.DOCUMENTATION, modality=modality)


def _quantity(raster: Raster) -> Quantity:
    return Quantity.DISPLAY if raster.dtypes[0] == "uint8" else Quantity.COUNTS


def _read_mask(settings: GidSettings, part: Part, pixels: Pixels) -> ClassMask:
    raster = open_part(part)
    check_size("the label", (raster.width, raster.height), pixels)
    path = PurePath(part.uri)
    is_coarse = path.parent.name == "label_5classes"
    has_indices = path.stem.endswith("_15label")  # of a palette's numbers and colours, the numbers
    by_colour = raster.n_bands >= 3 or (raster.colours == ("palette",) and not has_indices)
    if is_coarse and not by_colour:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"a five-class label of {raster.n_bands} band(s); wanted the publisher's colours in R, G, B",
        )
    fine = FINE if by_colour else FINE_BY_ORDER[settings.index_order]
    return ClassMask(
        band=Band(uri=part.uri, index=1),
        legend=COARSE if is_coarse else fine,
        origin=Origin.SIDECAR.value,
        by_colour=by_colour,
    )


ADAPTER = Adapter(about=ABOUT, suffixes=frozenset((*_TIFFS, ".png")), place=place, read=read)
