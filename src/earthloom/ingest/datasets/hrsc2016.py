"""HRSC2016: ships in six harbours, with oriented boxes, in Google Earth imagery (Liu et al. 2017, ICPRAM).

Images without an annotation file are part of the set: of 1,680 images 1,061 are annotated. So are annotation files
that say `Annotated` 0 and hold no ship: that an image carries no label does not say that no ship is there.
Not read: the ship masks (Segmentations), the land masks (LandMask), and where a ship's bow is (header_x, header_y).

A ship has one label, its most specific class; what is more generic (`warship`, `ship`) follows from the name. Its
upright box is taken as edges in the same pixel coordinates as the oriented one, which is sub-pixel: whether
the publisher counted pixels from 0 or from 1 is unknown, an error of one pixel at most. The oriented box turns
clockwise as seen (x towards y, y down) by `mbox_ang` radians, as mmrotate and OpenCV read it; in the publisher's first
image that puts the bow where header_x, header_y have it.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from pathlib import PurePosixPath
from typing import Literal

from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Label, Modality, Origin, Reason, Scene
from earthloom.ingest.about import About
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.boxes import find_corners, fit_box, read_flag, read_numbers
from earthloom.ingest.datasets.hrsc2016_classes import CLASS_BASE, CLASSES, find_harbour
from earthloom.ingest.datasets.reading import (
    Pixels,
    check_size,
    make_dataset_scene,
    read_picture,
    read_xml,
    to_number,
)
from earthloom.ingest.names import parse_date
from earthloom.ingest.scenes import Facts


class Hrsc2016Settings(DatasetSettings):
    """HRSC2016: ships in six harbours with upright and oriented boxes, Google Earth images, BMP with XML."""

    kind: Literal["hrsc2016"]
    """What kind of source this is."""
    resolution: Literal["stated", "unknown"] = "stated"
    """Whether to believe `Img_Resolution`, metres a pixel. It is a nominal value: in the publisher's first image it
    is 1.07, but the carrier Kuznetsov, 305 m long, spans 778 pixels there, which is 0.39. With `unknown`, images have
    no ground sample distance but what `gsd_m` says."""


ABOUT = About(
    title="HRSC2016",
    what="Google Earth RGB of six harbours, 300 x 300 to 1500 x 900; ships in 31 classes, upright and oriented boxes",
    layout=(
        "HRSC2016/FullDataSet/AllImages/100000001.bmp    (also jpg, png; also JPEGImages)",
        "HRSC2016/FullDataSet/Annotations/100000001.xml",
        "HRSC2016/ImageSets/{train,val,trainval,test}.txt",
        "HRSC2016/Train/AllImages/100000001.bmp, Train/Annotations/100000001.xml, Test/...    (the same by split)",
    ),
    whole=(("images", 1680), ("annotated images", 1061)),
    licence=None,
    terms="The publisher states no licence that was found; the images are Google Earth's, under its terms of use.",
    credit="Liu, Yuan, Weng, Yang 2017 (HRSC2016); imagery from Google Earth",
    example="- {kind: hrsc2016, path: HRSC2016}\n",
    in_archives=True,
)

_NAME = re.compile(
    r"(?P<base>(?:.*/)?)(?P<folder>AllImages|JPEGImages|Annotations)/(?P<stem>\d{9})"
    r"(?P<suffix>\.(?:bmp|jpe?g|png|xml))",
    re.IGNORECASE,
)
_IMAGES = tuple(
    f"{folder}/{{stem}}{suffix}"
    for folder in ("AllImages", "JPEGImages")
    for suffix in (".bmp", ".jpg", ".png", ".jpeg")
)
_SPLITS = ("train", "val", "test", "trainval")
_LOCATION = re.compile(r"\s*([^,;\s]+)\s*[,;]\s*([^,;\s]+)\s*")
_DOCUMENTED = Facts(origin=Origin.DOCUMENTATION, platform="Google Earth")


def place(settings: Hrsc2016Settings, key: str) -> Place | None:
    """Image and annotation of one number; the masks in other folders are no part of it."""
    match = _NAME.fullmatch(key)
    if match is None or (match["folder"] == "Annotations") != (match["suffix"].lower() == ".xml"):
        return None
    base, stem, suffix = match.group("base", "stem", "suffix")
    is_image = suffix.lower() != ".xml"
    images = tuple(base + image.format(stem=stem) for image in _IMAGES)
    note = f"{base}Annotations/{stem}.xml"
    above, _, folder = base.rstrip("/").rpartition("/")
    split = folder.lower() if folder.lower() in _SPLITS else ""
    tops = (f"{above}/" if above else "", base)
    return Place(
        item=f"{base}{stem}",
        role="image" if is_image else "annotation",
        files={
            "image": tuple(dict.fromkeys((*images, key))) if is_image else images,
            "annotation": (note,) if is_image else tuple(dict.fromkeys((note, key))),
        },
        carriers=("image",),
        document=split,
        lists=tuple((word, f"{top}ImageSets/{word}.txt") for word in _SPLITS for top in tops),
        name=stem,
    )


def read(settings: Hrsc2016Settings, item: Item) -> list[Scene]:
    """One scene, without labels where there is no annotation. All images of a harbour share a group.

    The publisher's lists of splits mix harbours, whose images overlap, so they are no guide to independence.
    """
    pixels = read_picture(item.parts[0], Modality.RGB)
    split = _read_split(item)
    note = part_of(item, "annotation")
    if note is None:
        return [make_dataset_scene(settings, item, ABOUT, pixels, (split,), documented=(_DOCUMENTED,))]
    root = read_xml(note)
    if root.tag != "HRSC_Image":
        raise RecordError(Reason.BAD_FACTS, f"the annotation is a {root.tag!r}; wanted an HRSC_Image")
    place_id = _text(root, "Place_ID")
    scene = make_dataset_scene(
        settings,
        item,
        ABOUT,
        pixels,
        (split, _read_facts(settings, root), *_read_location(_text(root, "Img_Location"))),
        documented=(_DOCUMENTED,),
        labels=_read_ships(root, pixels),
        group=f"place {place_id}" if place_id else None,
    )
    return [scene]


def _read_split(item: Item) -> Facts:
    """The publisher's split: the folder says it, or a list of names."""
    folder = PurePosixPath(item.key).parent.name.lower()
    origin = Origin.NAME if folder == item.document else Origin.SIDECAR
    return Facts(origin=origin, published_split=item.document or None)


def _text(element: ET.Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _read_facts(settings: Hrsc2016Settings, root: ET.Element) -> Facts:
    """What the file states of the image. A resolution of 0 is how some of them say that it is unknown."""
    stated = to_number(_text(root, "Img_Resolution"), "Img_Resolution", 0, 1000)
    gsd_m = stated if settings.resolution == "stated" and stated else None
    date = _text(root, "Img_Date")
    return Facts(
        origin=Origin.SIDECAR, gsd_x_m=gsd_m, gsd_y_m=gsd_m, acquired=parse_date(date) if date else None
    )


def _read_location(text: str) -> tuple[Facts, ...]:
    """Facts of `lat,lon`, whose longitude has no sign. What lies near none of the six harbours is unknown."""
    if not text:
        return ()
    match = _LOCATION.fullmatch(text)
    if match is None:
        raise RecordError(Reason.BAD_FACTS, f"Img_Location is {text!r}; wanted latitude,longitude")
    lat, lon = (to_number(part, "Img_Location", -180, 180) for part in match.groups())
    harbour = None if lat is None or lon is None else find_harbour(lon, lat)
    if harbour is None or lon is None:
        return ()
    return (
        Facts(origin=Origin.SIDECAR, lat=lat),
        Facts(origin=Origin.COMPUTED, lon=math.copysign(lon, harbour.lon)),
        Facts(origin=Origin.DOCUMENTATION, place=harbour.name, country=harbour.country),
    )


def _read_ships(root: ET.Element, pixels: Pixels) -> tuple[Label, ...]:
    ships = root.findall("HRSC_Objects/HRSC_Object")
    size = (pixels.layer.width, pixels.layer.height)
    stated = tuple(to_number(_text(root, f"Img_Size{side}"), side) for side in ("Width", "Height"))
    if ships and all(stated):
        check_size("what is annotated", (int(stated[0] or 0), int(stated[1] or 0)), pixels)
    return tuple(_read_ship(ship, number, size) for number, ship in enumerate(ships, 1))


def _read_ship(ship: ET.Element, number: int, size: tuple[int, int]) -> Label:
    what = f"ship {number}"
    class_id = _text(ship, "Class_ID")
    name = CLASSES.get(int(class_id) - CLASS_BASE) if class_id.isascii() and class_id.isdigit() else None
    if name is None:
        raise RecordError(
            Reason.UNKNOWN_CLASS, f"Class_ID of {what} is {class_id!r}; wanted 100000001 to 100000033"
        )
    upright = read_numbers(ship, ("box_xmin", "box_ymin", "box_xmax", "box_ymax"), what)
    oriented = read_numbers(ship, ("mbox_cx", "mbox_cy", "mbox_w", "mbox_h", "mbox_ang"), what)
    if oriented[2] <= 0 or oriented[3] <= 0:
        raise RecordError(
            Reason.BAD_FACTS, f"the oriented box of {what} is {oriented[2]:g} x {oriented[3]:g}"
        )
    return Label(
        name=name,
        kind="object",
        origin=Origin.SIDECAR.value,
        box=fit_box(upright, size, what),
        corners=find_corners(*oriented),
        truncated=read_flag(ship, "truncated", what),
        difficult=read_flag(ship, "difficult", what),
    )


ADAPTER = Adapter(
    about=ABOUT, suffixes=frozenset((".bmp", ".jpg", ".jpeg", ".png", ".xml")), place=place, read=read
)
