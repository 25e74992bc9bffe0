"""GAIA (Orion-AI-Lab): captions and facts that GPT-4o wrote about pictures of the web, given by URL.

Only `image_src`, `image_alt` and `credits` are scraped; the rest is the output of a model, and is kept as such.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes
from earthloom.core.records import Item, Label, Modality, Origin, Part, Reason, Scene, Text
from earthloom.geo.modalities import find_modality
from earthloom.ingest.about import About
from earthloom.ingest.archives import is_archive
from earthloom.ingest.config import FileSettings
from earthloom.ingest.listing import list_files, locate
from earthloom.ingest.names import check_degrees
from earthloom.ingest.released.fields import list_texts, to_float
from earthloom.ingest.released.gallery import Gallery
from earthloom.ingest.released.json_records import Record, iter_records
from earthloom.ingest.released.known import Known, make_known_scene
from earthloom.ingest.released.listing import Row, find_split, list_rows, take_records
from earthloom.ingest.released.samples import index_samples
from earthloom.ingest.released.web import NetworkSettings, fetch_parts, localise, make_url_part
from earthloom.ingest.scenes import Facts
from earthloom.net.urls import is_remote

MODEL = "model:gpt-4o-2024-08-06"
"""Who wrote the captions and extracted the facts, by the publisher's notebook."""


class GaiaSettings(FileSettings, NetworkSettings):
    """GAIA: 41,000 web pictures with five machine-written captions each; JSON with URLs, no pixels."""

    items_a_shard: ClassVar[int] = 256
    kind: Literal["gaia"]
    """What kind of source this is."""
    images: str | None = Field(None, min_length=1)
    """Where the pictures are, if you have them: a folder (or tar, zip) of files named by `id`, or the tars that
    img2dataset wrote with the columns `id` and `captions`. None: they are downloaded from their URLs."""
    trust_coordinates: bool = False
    """True: take `lat` and `lon` as facts. They were not measured: the publisher calls them synthetically generated,
    and an early version of its notebook let a language model guess them."""
    labels: bool = True
    """Take the tags, free words of a language model, as labels of the whole picture."""


ABOUT = About(
    title="GAIA",
    what="web pictures of many satellites, five captions each written by GPT-4o; by URL, or as you downloaded them",
    layout=(
        "train_data.json, val_data.json, test_data.json    (also GAIA_train_data.json, ...)",
        '[{"id": ..., "image_src": URL, "image_alt": ..., "credits": ..., "captions": [...], "tag": [...], ...}]',
        '{"id": [...], "image_src": [...], ...}             (columns, as lists or by index)',
        "images: FOLDER/ID.png, or 00000.tar ... of img2dataset",
    ),
    licence=None,
    terms="The pictures belong to the sites that show them and are not licensed with the captions; ask those who "
    "are credited before you pass pictures on.",
    credit="GAIA (Orion-AI-Lab)",
    example="""# The pictures come from their URLs, politely: see `net`.
- {kind: gaia, path: GAIA, net: {user_agent: 'example-lab/1.0 (+https://example.org/crawl)'}}
# They are here already, as img2dataset left them.
- {kind: gaia, path: GAIA/test_data.json, images: gaia_test_tars}
""",
    in_archives=True,
)

_WANTED = (
    "GAIA's JSON: a list of objects, or an object of columns, with `id`, `image_src` and `captions`, such as "
    "train_data.json of its release"
)
Find = Callable[[str, str], Part | None]
"""(id, URL) to the picture; raises RecordError."""


def list_items(settings: GaiaSettings, root: Path) -> Iterator[Item]:
    """List records, file after file. Raises UsageError for a path without GAIA's JSON in it."""
    find = _open_images(settings.images, root)
    return list_rows(settings, root, partial(_read_rows, find), _WANTED)


def fetch_items(settings: GaiaSettings, items: Sequence[Item], root: Path, assets: Path) -> None:
    """Download the pictures of many items."""
    fetch_parts(settings, items, assets)


def read_item(settings: GaiaSettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Read one record: one scene. Raises RecordError."""
    row = json.loads(item.document)
    file = item.key.partition("#")[0]
    scraped = Facts(
        origin=Origin.SIDECAR,
        credit=_read_text(row, "credits"),
        published_split=find_split(file.rpartition("/")[2]),
    )
    known = Known(
        facts=(scraped,),
        texts=(*_read_captions(row), *_read_alt(row)),
        labels=tuple(_read_tags(row)) if settings.labels else (),
    )
    picture = localise(settings, item.parts[0], assets)
    weaker = (_read_extracted(row, trusts_place=settings.trust_coordinates), ABOUT.facts())
    return [make_known_scene(settings, item, picture, known, modality=_find_modality(row), weaker=weaker)]


def _open_images(images: str | None, root: Path) -> Find:
    if images is None:
        return lambda _, url: make_url_part(url)
    start = locate(images, root)
    tars = [file for file in list_files(start, is_archive) if is_archive(file.key)]
    gallery = Gallery(start)
    samples = index_samples(tars)
    if samples:
        return samples.find
    return lambda name, _: gallery.find_stem(name)


def _read_rows(find: Find, path: Path, file: str) -> Iterator[Row]:
    for record in take_records(iter_records(path), lambda fields: {"id", "image_src"} <= fields.keys()):
        yield _read_row(find, record, file)


def _read_row(find: Find, record: Record, file: str) -> Row:
    name, url = record.fields.get("id"), record.fields.get("image_src")
    if (
        record.fault
        or not isinstance(name, str)
        or not name
        or not isinstance(url, str)
        or not is_remote(url.strip())
    ):
        wanted = record.fault or f"`id` is {name!r}, `image_src` {str(url)[:80]!r}; wanted a text and a URL"
        return Row(key=f"{file}#{record.number}", reason=Reason.BAD_FACTS, detail=wanted)
    # Slugs come from many sites: two may be equal, so the URL is part of the key.
    key = f"{file}#{name}-{hash_bytes(url.strip().encode())[:8]}"
    try:
        part = find(name, url.strip())
    except RecordError as error:
        return Row(key=key, reason=error.reason, detail=error.detail)
    return Row(
        key=key, part=part, document=record.fields, detail=f"there is no picture of {name!r} among `images`"
    )


def _read_captions(row: Mapping[str, object]) -> Iterator[Text]:
    for text in list_texts(row.get("captions"), "captions"):
        yield Text(text=text, role="caption", author=MODEL)


def _read_alt(row: Mapping[str, object]) -> Iterator[Text]:
    for text in list_texts(row.get("image_alt"), "image_alt"):
        yield Text(text=text, role="alt")


def _read_tags(row: Mapping[str, object]) -> Iterator[Label]:
    for name in dict.fromkeys(" ".join(tag.lower().split()) for tag in list_texts(row.get("tag"), "tag")):
        yield Label(name=name, kind="class", origin=MODEL)


def _read_extracted(row: Mapping[str, object], *, trusts_place: bool) -> Facts:
    """What the model read out of the page: a satellite or sensor only where it names one."""
    lon, lat = (to_float(row.get(name)) for name in ("lon", "lat")) if trusts_place else (None, None)
    if lon is None or lat is None:
        lon = lat = None
    return Facts(
        origin=MODEL,
        platform=_read_only(row, "satellite"),
        sensor=_read_only(row, "sensor"),
        place=_read_text(row, "location"),
        lon=None if lon is None else check_degrees("lon", lon, 180),
        lat=None if lat is None else check_degrees("lat", lat, 90),
    )


def _read_only(row: Mapping[str, object], name: str) -> str | None:
    texts = list(dict.fromkeys(text.strip() for text in list_texts(row.get(name), name)))
    return texts[0] if len(texts) == 1 else None


def _read_text(row: Mapping[str, object], name: str) -> str | None:
    return next((text.strip() for text in list_texts(row.get(name), name)), None)


def _find_modality(row: Mapping[str, object]) -> Modality:
    """SAR where that is all that is named. Everything else is shown in colours made for the web: RGB.

    Thermal, near infrared and elevation come as colour maps there, which are no measurement of theirs.
    """
    words = list(list_texts(row.get("modalities", row.get("modality")), "modalities"))
    found = {entry.modality if (entry := find_modality(word)) else None for word in words}
    return Modality.SAR if found == {Modality.SAR} else Modality.RGB
