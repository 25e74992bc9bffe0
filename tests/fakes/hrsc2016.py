"""A miniature of HRSC2016: ships drawn as bright oriented rectangles, XML as published, images without XML."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from fakes.fields import draw_picture
from PIL import Image

WIDTH, HEIGHT = 400, 300
SHIP_GRAY = 250
VARIANTS = ("full", "split", "jpg", "zip", "tar")


@dataclass(frozen=True, kw_only=True)
class Ship:
    number: int
    """Of its class."""
    name: str
    centre: tuple[float, float]
    size: tuple[float, float]
    degrees: float
    """From the x axis towards the y axis, which is down."""
    upright: tuple[int, int, int, int]
    """xmin, ymin, xmax, ymax, as written."""
    truncated: bool = False
    difficult: bool = False


@dataclass(frozen=True, kw_only=True)
class View:
    stem: str
    split: str
    ships: tuple[Ship, ...] = ()
    place_id: str = ""
    location: str = ""
    """As written: latitude and a longitude without sign."""
    lonlat: tuple[float, float] | None = None
    """True ones."""
    harbour: str | None = None
    date: str = ""
    gsd: str = ""
    has_xml: bool = True


@dataclass(frozen=True, kw_only=True)
class Truth:
    views: tuple[View, ...]
    prefix: dict[str, str]
    """Of keys, by stem."""


VIEWS = (
    View(
        stem="100000001",
        split="train",
        place_id="100000001",
        location="69.040297,33.070036",
        lonlat=(33.070036, 69.040297),
        harbour="Murmansk",
        date="2014-07-01",
        gsd="1.07",
        ships=(
            Ship(
                number=13,
                name="kuznetsov-class aircraft carrier",
                centre=(180.5, 130.25),
                size=(220, 42),
                degrees=-25,
                upright=(72, 65, 289, 196),
            ),
            Ship(
                number=24, name="yacht", centre=(330, 220), size=(60, 18), degrees=70, upright=(311, 188, 349, 252)
            ),
        ),
    ),
    View(
        stem="100000002",
        split="val",
        place_id="100000006",
        location="32.712900,117.175200",
        lonlat=(-117.1752, 32.7129),
        harbour="San Diego, California",
        date="2013-11-09",
        gsd="0.5",
        ships=(
            Ship(
                number=5,
                name="nimitz-class aircraft carrier",
                centre=(200, 150),
                size=(300, 60),
                degrees=0,
                upright=(50, 120, 350, 180),
            ),
        ),
    ),
    View(stem="100000003", split="test", place_id="100000005", location="36.951,76.327", lonlat=(-76.327, 36.951),
         harbour="Norfolk, Virginia", date="2012-03-01", gsd="1.07"),
    View(stem="100000004", split="test", has_xml=False),
    View(
        stem="100000005",
        split="train",
        place_id="100000002",
        ships=(
            Ship(
                number=30,
                name="car carrier",
                centre=(385, 40),
                size=(60, 20),
                degrees=45,
                upright=(358, 15, 412, 68),
                truncated=True,
                difficult=True,
            ),
        ),
    ),
    View(stem="100000006", split="test", place_id="100000002", location="0,0", date="2014-01-31", gsd="0"),
)  # fmt: skip


def corners_of(ship: Ship) -> np.ndarray:
    """Four corners, as OpenCV has them."""
    return np.asarray(cv2.boxPoints((ship.centre, ship.size, ship.degrees)))


def write(folder: Path, variant: str = "full") -> Truth:
    """Write six views.

    `full`: FullDataSet and ImageSets, with masks beside; `split`: Train and Test; `jpg`: `full` as JPEG in
    JPEGImages; `zip` and `tar`: `full` in one archive.
    """
    packed = variant in {"zip", "tar"}
    top = folder / "loose/HRSC2016" if packed else folder
    key = f"HRSC2016.{variant}/HRSC2016/" if packed else ""
    prefix = {}
    for seed, view in enumerate(VIEWS):
        base = "FullDataSet"
        if variant == "split":
            base = "Test" if view.split == "test" else "Train"
        _write_view(top / base, view, seed, variant)
        prefix[view.stem] = f"{key}{base}/"
    if variant != "split":
        _write_lists(top)
    if packed:
        _pack(folder / "loose", folder / f"HRSC2016.{variant}")
        shutil.rmtree(folder / "loose")
    if variant != "split":
        return Truth(views=VIEWS, prefix=prefix)
    halves = tuple(replace(view, split="test" if view.split == "test" else "train") for view in VIEWS)
    return Truth(views=halves, prefix=prefix)


def draw(view: View, seed: int) -> np.ndarray:
    """Dark water with bright ships."""
    pixels: np.ndarray = (draw_picture(seed, HEIGHT, WIDTH) // 3).astype(np.uint8)
    for ship in view.ships:
        cv2.fillConvexPoly(pixels, corners_of(ship).round().astype(np.int32), (SHIP_GRAY,) * 3)
    return pixels


def _write_view(base: Path, view: View, seed: int, variant: str) -> None:
    images = base / ("JPEGImages" if variant == "jpg" else "AllImages")
    for folder in (images, base / "Annotations", base / "Segmentations", base / "LandMask"):
        folder.mkdir(parents=True, exist_ok=True)
    suffix = "jpg" if variant == "jpg" else "bmp"
    Image.fromarray(draw(view, seed)).save(images / f"{view.stem}.{suffix}")
    mask = Image.new("L", (WIDTH, HEIGHT))
    mask.save(base / "Segmentations" / f"{view.stem}.png")
    mask.save(base / "LandMask" / f"{view.stem}_lndmsk.png")
    if view.has_xml:
        (base / "Annotations" / f"{view.stem}.xml").write_text(_describe(view))


def _describe(view: View) -> str:
    objects = "".join(_describe_ship(ship) for ship in view.ships)
    return (
        f"<HRSC_Image>\n<Img_ID>{view.stem}</Img_ID>\n<Place_ID>{view.place_id}</Place_ID>\n"
        f"<Source_ID>100000001</Source_ID>\n<Img_NO>{view.stem}</Img_NO>\n<Img_FileName>{view.stem}</Img_FileName>\n"
        f"<Img_FileFmt>bmp</Img_FileFmt>\n<Img_Date>{view.date}</Img_Date>\n<Img_CusType>sealand</Img_CusType>\n"
        f"<Img_Des></Img_Des>\n<Img_Location>{view.location}</Img_Location>\n<Img_SizeWidth>{WIDTH}</Img_SizeWidth>\n"
        f"<Img_SizeHeight>{HEIGHT}</Img_SizeHeight>\n<Img_SizeDepth>3</Img_SizeDepth>\n"
        f"<Img_Resolution>{view.gsd}</Img_Resolution>\n<Img_Resolution_Layer>18</Img_Resolution_Layer>\n"
        f"<Img_Scale>100</Img_Scale>\n<segmented>0</segmented>\n<Img_Rotation>090d</Img_Rotation>\n"
        f"<Annotated>{int(bool(view.ships))}</Annotated>\n<HRSC_Objects>\n{objects}</HRSC_Objects>\n</HRSC_Image>\n"
    )


def _describe_ship(ship: Ship) -> str:
    edges = zip(("xmin", "ymin", "xmax", "ymax"), ship.upright, strict=True)
    return (
        f"<HRSC_Object>\n<Object_ID>100000001</Object_ID>\n<Class_ID>1000000{ship.number:02d}</Class_ID>\n"
        f"<Object_NO>100000001</Object_NO>\n<truncated>{int(ship.truncated)}</truncated>\n"
        f"<difficult>{int(ship.difficult)}</difficult>\n"
        + "".join(f"<box_{tag}>{value}</box_{tag}>\n" for tag, value in edges)
        + f"<mbox_cx>{ship.centre[0]}</mbox_cx>\n<mbox_cy>{ship.centre[1]}</mbox_cy>\n<mbox_w>{ship.size[0]}</mbox_w>\n"
        f"<mbox_h>{ship.size[1]}</mbox_h>\n<mbox_ang>{np.deg2rad(ship.degrees):.7f}</mbox_ang>\n"
        "<segmented>0</segmented>\n<seg_color></seg_color>\n<header_x>1</header_x>\n<header_y>1</header_y>\n"
        "</HRSC_Object>\n"
    )


def _write_lists(top: Path) -> None:
    lists = top / "ImageSets"
    lists.mkdir(parents=True)
    for name, splits in (("train", "train"), ("val", "val"), ("trainval", "train val"), ("test", "test")):
        stems = [view.stem for view in VIEWS if view.split in splits.split()]
        (lists / f"{name}.txt").write_text("\r\n".join(stems))


def _pack(loose: Path, archive: Path) -> None:
    files = sorted(path for path in loose.rglob("*") if path.is_file())
    if archive.suffix == ".tar":
        with tarfile.open(archive, "w") as tar:
            for path in files:
                tar.add(path, path.relative_to(loose))
        return
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            packed.write(path, path.relative_to(loose))


def _use_a_gap(folder: Path) -> None:
    """A class number that the publisher left out."""
    path = folder / "FullDataSet/Annotations/100000001.xml"
    path.write_text(path.read_text().replace("100000013", "100000021"))


def _cut_short(folder: Path) -> None:
    path = folder / "FullDataSet/Annotations/100000002.xml"
    path.write_bytes(path.read_bytes()[:700])


def _leave_half_unpacked(folder: Path) -> None:
    """The second of two RAR parts with images was not unpacked."""
    (folder / "FullDataSet/AllImages/100000005.bmp").unlink()
    (folder / "HRSC2016.part02.rar").write_bytes(b"Rar!\x1a\x07\x01\x00" + bytes(200))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "class not in the table": _use_a_gap,
    "annotation cut short": _cut_short,
    "half unpacked": _leave_half_unpacked,
}
"""For what `write` makes as `full`."""
