"""MRSSC2.0: scenes of Tiangong-2 in four modes (Liu et al. 2022, Remote Sensing 14(18) 4635).

The four modes do not show the same ground. Which classes there are and how files are named is not published: a
picture's class is the folder that it lies in, its mode the nearest folder above that names one.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field

from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Modality, Origin, Reason, Scene
from earthloom.ingest.about import About
from earthloom.ingest.archives import is_archive
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.folders import folder_of, label_class
from earthloom.ingest.datasets.reading import declare_gsd, make_dataset_scene, read_picture
from earthloom.ingest.names import name_class
from earthloom.ingest.scenes import Facts

Mode = Literal["vis", "swi", "inf", "sar"]


class Mrssc2Settings(DatasetSettings):
    """MRSSC2.0: 256-pixel scenes of Tiangong-2 in class folders: visible, short-wave and thermal infrared, SAR."""

    kind: Literal["mrssc2"]
    """What kind of source this is."""
    gsd_m: float | None = Field(100.0, gt=0, le=100_000)
    """Ground sample distance, metres; null for unknown. The supplement of MMM-RS says 100 m of all pictures. The
    spectrometer itself sees short-wave infrared at 200 m and thermal infrared at 400 m: say so for such a source."""
    mode: Mode | None = None
    """Mode of the pictures below no folder that names one: visible, short-wave infrared, thermal infrared or SAR.
    Without it they are refused. MMM-RS called every picture RGB."""
    modes: dict[Literal["swi", "inf"], Literal["rgb", "nir"]] = Field(default_factory=dict)
    """What to take infrared pictures as, which are neither RGB nor near infrared and are refused otherwise:
    `modes: {swi: nir}`, or `{swi: rgb, inf: rgb}` as MMM-RS did. The sensor's name keeps what they are."""


ABOUT = About(
    title="MRSSC2.0",
    what="Tiangong-2, 256 x 256: visible, short-wave infrared, thermal infrared and SAR scenes in class folders",
    layout=(
        "VIS/city/NAME.png    (also SWI, INF, SAR; png, jpg or tif; any folder above the picture may name the mode)",
        "city/NAME.png    (with the setting `mode`)",
    ),
    licence=None,
    terms="No licence was found; not stated is not permission.",
    credit="Liu et al. 2022 (MRSSC2.0), China Manned Space Engineering",
    example="- {kind: mrssc2, path: MRSSC2.0}\n",
    in_archives=True,
)

_INFRARED = {"swi": "short-wave infrared", "inf": "thermal infrared"}
_SENSORS: dict[Mode, str] = {
    "vis": "WIS",
    "swi": f"WIS {_INFRARED['swi']}",
    "inf": f"WIS {_INFRARED['inf']}",
    "sar": "InIRA",
}
"""WIS is the wide-band imaging spectrometer; what users may call RGB or near infrared keeps its own name."""
_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


def place(settings: Mrssc2Settings, key: str) -> Place | None:
    """Every picture in a folder is an item."""
    folder = folder_of(key)
    if not folder or is_archive(folder):
        return None
    return Place(item=key, role="image", files={"image": (key,)}, carriers=("image",))


def find_mode(settings: Mrssc2Settings, key: str) -> tuple[Mode, Origin] | None:
    """Give the mode that the nearest folder above a picture names, the last of `path` included, or the recipe."""
    top = PurePosixPath(settings.path).name
    for folder in (*reversed(PurePosixPath(key).parent.parts), top):
        for word in name_class(folder).split():
            for mode in _SENSORS:
                if word == mode:
                    return mode, Origin.NAME
    return None if settings.mode is None else (settings.mode, Origin.RECIPE)


def find_class(key: str) -> str | None:
    """Give the class that a picture's folder names, in plain words; None where it names nothing but a mode."""
    words = [word for word in name_class(folder_of(key)).split() if word not in _SENSORS]
    return " ".join(words) or None


def read(settings: Mrssc2Settings, item: Item) -> list[Scene]:
    """One scene. Raises RecordError UNSUPPORTED_PIXELS for a mode that is unknown or has no modality here."""
    part = part_of(item, "image")
    assert part is not None
    found = find_mode(settings, item.key)
    if found is None:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            "no folder above names a mode (VIS, SWI, INF, SAR); set mode to vis, swi, inf or sar",
        )
    mode, origin = found
    modality, origin = _choose_modality(settings, mode, origin)
    said = Facts(origin=origin, modality=modality)
    name = find_class(item.key)
    documented = Facts(origin=Origin.DOCUMENTATION, platform="Tiangong-2", sensor=_SENSORS[mode])
    return [
        make_dataset_scene(
            settings,
            item,
            ABOUT,
            read_picture(part, modality),
            (said, declare_gsd(settings)),
            documented=(documented,),
            labels=() if name is None else (label_class(name),),
        )
    ]


def _choose_modality(settings: Mrssc2Settings, mode: Mode, origin: Origin) -> tuple[Modality, Origin]:
    if mode == "vis":
        return Modality.RGB, origin
    if mode == "sar":
        return Modality.SAR, origin
    chosen = settings.modes.get(mode)
    if chosen is None:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"{_INFRARED[mode]} is neither RGB nor near infrared; set modes to {{{mode}: nir}} to take it as such",
        )
    return Modality(chosen), Origin.RECIPE


ADAPTER = Adapter(about=ABOUT, suffixes=frozenset(_SUFFIXES), place=place, read=read)
