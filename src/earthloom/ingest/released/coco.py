"""COCO captions: images and annotations in one JSON, joined by the image's id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from earthloom.core.records import Item, Origin, Reason, Scene, Text
from earthloom.ingest.about import About
from earthloom.ingest.config import FileSettings
from earthloom.ingest.released.fields import list_texts
from earthloom.ingest.released.gallery import Gallery, open_gallery
from earthloom.ingest.released.json_records import iter_entries
from earthloom.ingest.released.known import Known, make_known_scene
from earthloom.ingest.released.listing import Row, find_split, list_rows, try_find
from earthloom.ingest.released.web import NetworkSettings, fetch_parts, localise, make_url_part
from earthloom.ingest.scenes import Facts
from earthloom.net.urls import is_remote


class CocoSettings(FileSettings, NetworkSettings):
    """Captions in COCO's form: `images` and `annotations` in one JSON."""

    items_a_shard: ClassVar[int] = 256
    kind: Literal["coco"]
    """What kind of source this is."""
    images: str | None = Field(None, min_length=1)
    """Folder, tar or zip of the pictures. None: they are downloaded from `coco_url` or `url` where the file gives
    one, and looked for beside the file where it does not."""


ABOUT = About(
    title="COCO captions",
    what="pictures with several captions each, as COCO and what is modelled on it come",
    layout=(
        "annotations/captions_train2017.json",
        '{"images": [{"id": 1, "file_name": ...}], "annotations": [{"image_id": 1, "caption": ...}]}',
        "train2017/FILE_NAME",
    ),
    terms="Each picture has the licence that the file names for it, if it names one.",
    example="- {kind: coco, path: annotations/captions_val.json, images: val}\n",
    in_archives=True,
)

_WANTED = (
    'COCO captions: {"images": [{"id": ..., "file_name": ...}], '
    '"annotations": [{"image_id": ..., "caption": ...}]}'
)
_URLS = ("coco_url", "url", "flickr_url")


@dataclass(slots=True)
class _Tables:
    """A file, joined: small beside the pictures, so that it is held whole."""

    images: list[object] = field(default_factory=list)
    captions: dict[object, list[object]] = field(default_factory=dict)
    """By the image's id."""
    licences: dict[object, str] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)
    """Why an annotation cannot be used."""


def list_items(settings: CocoSettings, root: Path) -> Iterator[Item]:
    """List pictures in the order of the file. Raises UsageError where there is no such file."""
    gallery = None if settings.images is None else open_gallery(settings.images, root)
    return list_rows(settings, root, partial(_read_rows, gallery), _WANTED)


def fetch_items(settings: CocoSettings, items: Sequence[Item], root: Path, assets: Path) -> None:
    """Download the pictures of many items."""
    fetch_parts(settings, items, assets)


def read_item(settings: CocoSettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Read one picture's header: one scene. Raises RecordError."""
    row = json.loads(item.document)
    file = item.key.partition("#")[0].rpartition("/")[2]
    facts = Facts(origin=Origin.SIDECAR, licence=row["licence"])
    name = Facts(
        origin=Origin.NAME, published_split=find_split(file.replace("2014", " ").replace("2017", " "))
    )
    texts = tuple(Text(text=text, role="caption") for text in list_texts(row["captions"], "caption"))
    picture = localise(settings, item.parts[0], assets)
    return [make_known_scene(settings, item, picture, Known(facts=(facts, name), texts=texts))]


def _read_rows(gallery: Gallery | None, path: Path, file: str) -> Iterator[Row]:
    tables = _read_tables(path)
    beside = open_gallery(str(path.parent), path.parent)
    if tables.captions:
        yield from (
            _read_row(tables, gallery, beside, image, file, i) for i, image in enumerate(tables.images)
        )
        known = {image.get("id") for image in tables.images if isinstance(image, dict)}
        lost = [f"its image {name!r} is not in the file" for name in tables.captions if name not in known]
        for number, detail in enumerate([*tables.strays, *lost]):
            yield Row(key=f"{file}#annotation-{number}", reason=Reason.BAD_FACTS, detail=detail)


def _read_tables(path: Path) -> _Tables:
    tables = _Tables()
    for entry in iter_entries(path):
        value = entry.value
        if entry.field == "images" and entry.number is not None:
            tables.images.append(value)
        elif entry.field == "annotations" and entry.number is not None:
            _add_annotation(tables, value, entry.number)
        elif entry.field == "licenses" and isinstance(value, dict) and isinstance(value.get("name"), str):
            tables.licences[value.get("id")] = value["name"]
    return tables


def _add_annotation(tables: _Tables, value: object, number: int) -> None:
    if isinstance(value, dict) and isinstance(value.get("image_id"), int | str):
        if "caption" in value:
            tables.captions.setdefault(value["image_id"], []).append(value["caption"])
    else:
        tables.strays.append(f"annotation {number} has no `image_id`")


def _read_row(
    tables: _Tables, gallery: Gallery | None, beside: Gallery, image: object, file: str, number: int
) -> Row:
    record = image if isinstance(image, dict) else {}
    name, identity = record.get("file_name"), record.get("id")
    if not isinstance(name, str) or not name.strip() or not isinstance(identity, int | str):
        detail = f"`file_name` is {name!r}, `id` {identity!r}; wanted both"
        return Row(key=f"{file}#{number}", reason=Reason.BAD_FACTS, detail=detail)
    key = f"{file}#{name}"
    licence = record.get("license")
    document = {
        "captions": tables.captions.get(identity, []),
        "licence": tables.licences.get(licence) if isinstance(licence, int | str) else None,
    }
    urls = (record.get(column) for column in _URLS)
    url = next((each for each in urls if isinstance(each, str) and is_remote(each.strip())), None)
    if gallery is None and url is not None:
        return Row(key=key, part=make_url_part(url), document=document)
    part, reason, detail = try_find((gallery or beside).find, [name])
    return Row(key=key, part=part, document=document, reason=reason, detail=detail)
