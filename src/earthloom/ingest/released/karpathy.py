"""Caption files in Karpathy's form: RSICD, RSITMD, UCM-captions, Sydney-captions, and COCO's in his split."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Origin, Reason, Scene, Text
from earthloom.ingest.about import About
from earthloom.ingest.config import FileSettings
from earthloom.ingest.released.fields import list_texts
from earthloom.ingest.released.gallery import Gallery, open_gallery
from earthloom.ingest.released.json_records import Entry, JsonDamage, iter_entries
from earthloom.ingest.released.known import Known, make_known_scene
from earthloom.ingest.released.listing import Row, list_rows, try_find
from earthloom.ingest.scenes import Facts


class KarpathySettings(FileSettings):
    """Caption files in Karpathy's form, as RSICD, RSITMD, UCM-captions and Sydney-captions come."""

    kind: Literal["karpathy"]
    """What kind of source this is."""
    images: str | None = Field(None, min_length=1)
    """Folder, tar or zip of the pictures; None: they are looked for beside the caption file and in the folders there,
    `images` and `imgs` first."""


ABOUT = About(
    title="Karpathy-style captions",
    what="pictures with several captions each and a published split: RSICD, RSITMD, UCM-captions, Sydney-captions",
    layout=(
        "dataset_rsicd.json",
        '{"images": [{"filename": ..., "sentences": [{"raw": ...}, ...], "split": "train"}, ...], "dataset": "rsicd"}',
        "images/FILENAME",
    ),
    terms="Pictures of RSICD, RSITMD and Sydney-captions come from map services and are for research only; those of "
    "UC Merced are of the USGS and in the public domain.",
    example="""- {kind: karpathy, path: RSICD/dataset_rsicd.json, images: RSICD/RSICD_images}
""",
    in_archives=True,
)

_DOCUMENTED = Origin.DOCUMENTATION
_KNOWN: dict[str, Facts] = {
    "rsicd": Facts(
        origin=_DOCUMENTED,
        dataset="RSICD",
        credit="Lu, Wang, Zheng, Li 2018 (RSICD); Google Earth, Baidu Map, MapABC, Tianditu",
        terms="For research only: the pictures are of map services.",
    ),
    "rsitmd": Facts(
        origin=_DOCUMENTED,
        dataset="RSITMD",
        credit="Yuan et al. 2022 (RSITMD)",
        terms="For research only: the pictures are of map services.",
    ),
    "ucm": Facts(
        origin=_DOCUMENTED,
        dataset="UCM-captions",
        credit="Qu, Li, Tao, Lu 2016 (captions); Yang, Newsam 2010 (UC Merced); USGS National Map Urban Area Imagery",
        gsd_x_m=0.3048,  # one foot: Yang, Newsam 2010
        gsd_y_m=0.3048,
    ),
    "sydney": Facts(
        origin=_DOCUMENTED,
        dataset="Sydney-captions",
        credit="Qu, Li, Tao, Lu 2016 (captions); Zhang, Du, Zhang 2015 (pictures); Google Earth",
        terms="For research only: the pictures are of a map service.",
        platform="Google Earth",
        gsd_x_m=0.5,
        gsd_y_m=0.5,
    ),
}
"""By a word in the `dataset` of the file, or in its name. RSICD and RSITMD mix ground sample distances."""
_WANTED = 'captions in Karpathy\'s form: {"images": [{"filename": ..., "sentences": [{"raw": ...}]}]}'
_FOLDERS = ("images", "imgs", "Images", "image", "img")


def list_items(settings: KarpathySettings, root: Path) -> Iterator[Item]:
    """List pictures in the order of the file. Raises UsageError where there is no such file."""
    gallery = None if settings.images is None else open_gallery(settings.images, root)
    return list_rows(settings, root, partial(_read_rows, gallery), _WANTED)


def read_item(settings: KarpathySettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Read one picture's header: one scene. Raises RecordError."""
    row = json.loads(item.document)
    split = row.get("split")
    known = Known(
        facts=(Facts(origin=Origin.SIDECAR, published_split=str(split) if split else None),),
        texts=tuple(_read_sentences(row.get("sentences"))),
    )
    documented = _KNOWN.get(row["known"])
    weaker = () if documented is None else (documented,)
    return [make_known_scene(settings, item, item.parts[0], known, weaker=weaker)]


def _read_rows(gallery: Gallery | None, path: Path, file: str) -> Iterator[Row]:
    name = _find_name(path)
    beside = gallery or open_gallery(str(path.parent), path.parent)
    for entry in iter_entries(path):
        if entry.field == "images" and entry.number is not None:
            yield _read_row(beside, entry, file, name)


def _find_name(path: Path) -> str:
    """Tell which of the known datasets a file is; it may say so behind all of its images."""
    said = ""
    with contextlib.suppress(
        JsonDamage
    ):  # what is there before the damage is listed, and the damage told, later
        said = next((str(entry.value) for entry in iter_entries(path) if entry.field == "dataset"), "")
    words = f"{said} {path.stem}".lower()
    return next((name for name in _KNOWN if name in words), "")


def _read_row(gallery: Gallery, entry: Entry, file: str, name: str) -> Row:
    record = entry.value if isinstance(entry.value, dict) else {}
    filename = record.get("filename")
    if not isinstance(filename, str) or not filename.strip():
        detail = f"`filename` is {filename!r}; wanted the name of a picture"
        return Row(key=f"{file}#{entry.number}", reason=Reason.BAD_FACTS, detail=detail)
    folder = record.get("filepath")
    names = [f"{folder}/{filename}", filename] if isinstance(folder, str) and folder else [filename]
    placed = [f"{place}/{each}" for place in _FOLDERS for each in names]
    part, reason, detail = try_find(gallery.find, [*names, *placed])
    document = {"sentences": record.get("sentences"), "split": record.get("split"), "known": name}
    if reason is Reason.MISSING and detail:
        detail = f"the picture {filename!r} is not there; `images` says where pictures are"
    return Row(key=f"{file}#{names[0]}", part=part, document=document, reason=reason, detail=detail)


def _read_sentences(value: object) -> Iterator[Text]:
    """The captions as published, duplicates too."""
    for sentence in value if isinstance(value, list) else [value]:
        if (
            isinstance(sentence, Mapping)
            and "raw" not in sentence
            and isinstance(sentence.get("tokens"), list)
        ):
            sentence = " ".join(map(str, sentence["tokens"]))  # noqa: PLW2901
        elif sentence is not None and not isinstance(sentence, Mapping | str):
            raise RecordError(Reason.BAD_FACTS, f"a sentence is {sentence!r}; wanted an object with `raw`")
        yield from (Text(text=text, role="caption") for text in list_texts(sentence, "sentences"))
