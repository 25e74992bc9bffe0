"""A miniature of TGRS-HRRSD: JPEGs of uneven sizes, VOC annotations, two splits that differ."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fakes.fields import draw_picture
from PIL import Image

VARIANTS = ("both", "voc", "zip")


@dataclass(frozen=True, kw_only=True)
class Thing:
    word: str
    """As written."""
    name: str
    """In plain words."""
    pixels: tuple[int, int, int, int]
    """First column and row and last column and row that it covers, counted from 0."""
    truncated: bool = False
    difficult: bool = False


@dataclass(frozen=True, kw_only=True)
class View:
    stem: str
    size: tuple[int, int]
    voc: str
    coco: str
    things: tuple[Thing, ...]


@dataclass(frozen=True, kw_only=True)
class Truth:
    views: tuple[View, ...]
    prefix: str
    """Of keys."""


def _thing(
    word: str, *pixels: int, name: str | None = None, truncated: bool = False, difficult: bool = False
) -> Thing:
    x0, y0, x1, y1 = pixels
    return Thing(
        word=word,
        name=name or word.lower(),
        pixels=(x0, y0, x1, y1),
        truncated=truncated,
        difficult=difficult,
    )


VIEWS = (
    View(stem="00001", size=(152, 162), voc="train", coco="test", things=(_thing("airplane", 0, 0, 60, 71),)),
    View(
        stem="00002",
        size=(300, 220),
        voc="val",
        coco="train",
        things=(_thing("T junction", 10, 20, 99, 119), _thing("storage tank", 240, 160, 299, 219)),
    ),
    View(
        stem="00003",
        size=(520, 610),
        voc="test",
        coco="val",
        things=(
            _thing("ground_track_field", 5, 6, 400, 500, name="ground track field", truncated=True),
            _thing("Parking-Lot", 401, 501, 410, 520, name="parking lot", difficult=True),
        ),
    ),
    View(stem="21761", size=(640, 333), voc="test", coco="test", things=(_thing("vehicle", 30, 40, 34, 43),)),
)


def write(folder: Path, variant: str = "both") -> Truth:
    """Write four views. `both`: OPT2017 and COCOFormat; `voc`: what is in OPT2017; `zip`: `both` in an archive."""
    top = folder / "loose" if variant == "zip" else folder
    base = top if variant == "voc" else top / "OPT2017"
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (base / part).mkdir(parents=True)
    for seed, view in enumerate(VIEWS):
        Image.fromarray(draw(view, seed)).save(base / "JPEGImages" / f"{view.stem}.jpg", quality=95)
        (base / "Annotations" / f"{view.stem}.xml").write_text(describe(view))
    _write_voc_lists(base / "ImageSets/Main")
    if variant != "voc":
        _write_coco_lists(top / "COCOFormat/Anns")
    prefix = "" if variant == "voc" else "OPT2017/"
    if variant == "zip":
        prefix = "hrrsd.zip/OPT2017/"
        with zipfile.ZipFile(folder / "hrrsd.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(path for path in top.rglob("*") if path.is_file()):
                packed.write(path, path.relative_to(top))
        shutil.rmtree(top)
    return Truth(views=VIEWS, prefix=prefix)


def draw(view: View, seed: int) -> np.ndarray:
    """A picture whose things are bright blocks."""
    pixels: np.ndarray = (draw_picture(seed, view.size[1], view.size[0]) // 2).astype(np.uint8)
    for thing in view.things:
        x0, y0, x1, y1 = thing.pixels
        pixels[y0 : y1 + 1, x0 : x1 + 1] = 240
    return pixels


def describe(view: View) -> str:
    """The annotation, tabs and all. VOC counts from 1."""
    objects = "".join(
        f"\t<object>\n\t\t<name>{thing.word}</name>\n\t\t<pose>overlook</pose>\n"
        f"\t\t<truncated>{int(thing.truncated)}</truncated>\n\t\t<difficult>{int(thing.difficult)}</difficult>\n"
        f"\t\t<bndbox>\n\t\t\t<xmin>{thing.pixels[0] + 1}</xmin>\n\t\t\t<ymin>{thing.pixels[1] + 1}</ymin>\n"
        f"\t\t\t<xmax>{thing.pixels[2] + 1}</xmax>\n\t\t\t<ymax>{thing.pixels[3] + 1}</ymax>\n"
        "\t\t</bndbox>\n\t</object>\n"
        for thing in view.things
    )
    return (
        f"<annotation>\n\t<folder>OPTIMAL_Z</folder>\n\t<filename>{view.stem}.jpg</filename>\n"
        f"\t<size>\n\t\t<width>{view.size[0]}</width>\n\t\t<height>{view.size[1]}</height>\n\t\t<depth>3</depth>\n\t</size>\n"
        f"\t<segmented>0</segmented>\n{objects}</annotation>\n"
    )


def _write_voc_lists(folder: Path) -> None:
    for name, splits in (
        ("train", {"train"}),
        ("val", {"val"}),
        ("trainval", {"train", "val"}),
        ("test", {"test"}),
    ):
        stems = [view.stem for view in VIEWS if view.voc in splits]
        (folder / f"{name}.txt").write_text("".join(f"{stem}\n" for stem in stems))
        lines = [f"{view.stem} {1 if view.things[0].word == 'airplane' else -1}\n" for view in VIEWS]
        (folder / f"airplane_{name}.txt").write_text("".join(lines))


def _write_coco_lists(folder: Path) -> None:
    """Lists of paths on the publisher's machine; the one called val names the images of train, too."""
    folder.mkdir(parents=True)
    for name, count, splits in (
        ("train", 4352, {"train"}),
        ("val", 4352, {"train", "val"}),
        ("test", 13057, {"test"}),
    ):
        lines = [f"/data/a/OPT2017/Annotations/{view.stem}.xml\n" for view in VIEWS if view.coco in splits]
        (folder / f"hrrsd_{name}_m-fld_{count}_3084.txt").write_text("".join(lines))


def _lose_annotation(folder: Path) -> None:
    (folder / "OPT2017/Annotations/00002.xml").unlink()


def _add_class(folder: Path) -> None:
    """Someone added what they were interested in."""
    path = folder / "OPT2017/Annotations/00003.xml"
    path.write_text(path.read_text().replace("Parking-Lot", "swimming pool"))


def _invert_box(folder: Path) -> None:
    path = folder / "OPT2017/Annotations/00001.xml"
    path.write_text(path.read_text().replace("<xmin>1<", "<xmin>100<"))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "annotation missing": _lose_annotation,
    "class not in the table": _add_class,
    "box inverted": _invert_box,
}
"""For what `write` makes as `both`."""
