"""TGRS-HRRSD: 21,761 images of Google Earth and Baidu Map with boxes in 13 classes (Zhang et al. 2019, TGRS).

Boxes are PASCAL VOC's: pixels counted from 1, the last one included. The publisher's own COCO files confirm it: their x
is xmin - 1 and their width xmax - xmin + 1. Of the 57,137 boxes in all files none reaches beyond its image; twenty,
most of them on rotated copies of other images, begin at 0, a pixel before VOC's first, and are cut at the edge.
A box that is inverted, or wholly outside, refuses its image as BAD_FACTS (there is none in the set as
published): an image minus a bad box would say that nothing is there.

What an image's ground sample distance is and which of the two services it comes from is not stated: 0.15 to 1.2 m is
the range of the whole set. Six images are larger than what is decoded here and refused as TOO_LARGE. The labels in
`labels/` repeat the XML and are not read.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Literal

from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Label, Modality, Origin, Part, Reason, Scene
from earthloom.ingest.about import About
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.boxes import fit_box, read_flag, read_numbers
from earthloom.ingest.datasets.reading import check_size, make_dataset_scene, read_picture, read_xml
from earthloom.ingest.scenes import Facts


class HrrsdSettings(DatasetSettings):
    """TGRS-HRRSD: 21,761 pictures of Google Earth and Baidu Map, 152 to 10,569 pixels wide, boxes in 13 classes."""

    kind: Literal["hrrsd"]
    """What kind of source this is."""
    split_of: Literal["voc", "coco"] = "voc"
    """Whose split is the published one. The set has two that differ: that of ImageSets (5,401 train, 5,417 val,
    10,943 test), which the paper uses, and that of COCOFormat (4,352, 4,352 and 13,057). For `coco`, `path` is the
    folder that holds both OPT2017 and COCOFormat."""


ABOUT = About(
    title="TGRS-HRRSD",
    what="Google Earth and Baidu Map RGB, 152 x 162 to 10569 x 8935, 0.15 to 1.2 m; boxes in 13 classes",
    layout=(
        "OPT2017/JPEGImages/00001.jpg",
        "OPT2017/Annotations/00001.xml",
        "OPT2017/ImageSets/Main/{train,val,trainval,test}.txt",
        "COCOFormat/Anns/hrrsd_train_m-fld_4352_3084.txt    (and val, test; for split_of: coco)",
    ),
    whole=(("images", 21_761),),
    licence="MulanPSL-1.0",
    terms="The licence is the repository's; the images are Google's and Baidu's, under their terms of use.",
    credit="Zhang, Yuan, Feng, Lu 2019 (TGRS-HRRSD); imagery from Google Earth and Baidu Map",
    example="- {kind: hrrsd, path: TGRS-HRRSD-Dataset}\n",
    in_archives=True,
)

CLASSES = (
    "ship",
    "bridge",
    "ground track field",
    "storage tank",
    "basketball court",
    "tennis court",
    "airplane",
    "baseball diamond",
    "harbor",
    "vehicle",
    "crossroad",
    "t junction",
    "parking lot",
)
"""All real files spell them so, but for `T junction`; other tools write hyphens, underscores or capitals."""

_NAME = re.compile(
    r"(?P<base>(?:.*/)?)(?:JPEGImages/(?P<image>\d{5})(?P<suffix>\.jpe?g)|Annotations/(?P<note>\d{5})\.xml)",
    re.IGNORECASE,
)
_COCO = (
    ("train", "hrrsd_train_m-fld_4352_3084.txt"),
    ("val", "hrrsd_val_m-fld_4352_3084.txt"),
    ("test", "hrrsd_test_m-fld_13057_3084.txt"),
)
"""Train first: the list called val names the images of train, too."""
_SPELLINGS = {name.replace(" ", ""): name for name in CLASSES}
_BOX = ("bndbox/xmin", "bndbox/ymin", "bndbox/xmax", "bndbox/ymax")


def place(settings: HrrsdSettings, key: str) -> Place | None:
    """Image and annotation of one number."""
    match = _NAME.fullmatch(key)
    if match is None:
        return None
    base = match["base"]
    stem = match["image"] or match["note"]
    folder = f"{base}JPEGImages/"
    jpegs = tuple(f"{folder}{stem}{suffix}" for suffix in (".jpg", ".jpeg", ".JPG"))
    note = f"{base}Annotations/{stem}.xml"
    return Place(
        item=f"{base}{stem}",
        role="image" if match["image"] else "annotation",
        files={
            "image": tuple(dict.fromkeys((*jpegs, key))) if match["image"] else jpegs,
            "annotation": (note,) if match["image"] else tuple(dict.fromkeys((note, key))),
        },
        carriers=("image",),
        needed=("annotation",),
        lists=_find_lists(settings, base),
        name=stem,
    )


def _find_lists(settings: HrrsdSettings, base: str) -> tuple[tuple[str, str], ...]:
    if settings.split_of == "voc":
        return tuple(
            (word, f"{base}ImageSets/Main/{word}.txt") for word in ("train", "val", "test", "trainval")
        )
    above, slash, _ = base.rstrip("/").rpartition("/")
    return tuple((word, f"{above}{slash}COCOFormat/Anns/{name}") for word, name in _COCO)


def read(settings: HrrsdSettings, item: Item) -> list[Scene]:
    """One scene; without labels where the annotation is missing."""
    pixels = read_picture(item.parts[0], Modality.RGB)
    note = part_of(item, "annotation")
    labels: tuple[Label, ...] = ()
    if note is not None:
        size, labels = read_objects(note)
        check_size("what is annotated", size, pixels)
    split = Facts(origin=Origin.SIDECAR, published_split=item.document or None)
    return [make_dataset_scene(settings, item, ABOUT, pixels, (split,), labels=labels)]


def read_objects(part: Part) -> tuple[tuple[int, int], tuple[Label, ...]]:
    """Read an annotation: the size (width, height) of its image, and what is in it.

    Raises RecordError BAD_FACTS for what is broken, UNKNOWN_CLASS for a name that is none of the thirteen.
    """
    root = read_xml(part)
    if root.tag != "annotation":
        raise RecordError(Reason.BAD_FACTS, f"the annotation is a {root.tag!r}; wanted VOC's annotation")
    width, height = read_numbers(root, ("size/width", "size/height"), "the image")
    size = (int(width), int(height))
    found = enumerate(root.iter("object"), 1)
    return size, tuple(_read_object(element, number, size) for number, element in found)


def find_class(word: str) -> str:
    """Give the class of a name, however it is spelt. Raises RecordError UNKNOWN_CLASS."""
    found = _SPELLINGS.get(re.sub(r"[\s_-]+", "", word).lower())
    if found is None:
        raise RecordError(Reason.UNKNOWN_CLASS, f"{word!r} is no class; wanted one of {', '.join(CLASSES)}")
    return found


def _read_object(element: ET.Element, number: int, size: tuple[int, int]) -> Label:
    what = f"object {number}"
    xmin, ymin, xmax, ymax = read_numbers(element, _BOX, what)
    return Label(
        name=find_class(element.findtext("name") or ""),
        kind="object",
        origin=Origin.SIDECAR.value,
        box=fit_box((xmin - 1, ymin - 1, xmax, ymax), size, what),
        truncated=read_flag(element, "truncated", what),
        difficult=read_flag(element, "difficult", what),
    )


ADAPTER = Adapter(about=ABOUT, suffixes=frozenset((".jpg", ".jpeg", ".xml")), place=place, read=read)
