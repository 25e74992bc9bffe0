"""WebDataset tars, those of img2dataset and of earthloom's own releases among them, read in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError, UsageError
from earthloom.core.ids import hash_bytes
from earthloom.core.records import Item, Label, Origin, Part, Reason, Scene, Text
from earthloom.ingest.about import About
from earthloom.ingest.archives import is_archive
from earthloom.ingest.config import FileSettings
from earthloom.ingest.datasets.adapter import part_of
from earthloom.ingest.listing import Start, choose, list_files, locate, refuse
from earthloom.ingest.released.fields import Columns, FieldsSettings
from earthloom.ingest.released.known import Known, make_known_scene
from earthloom.ingest.released.listing import find_split
from earthloom.ingest.released.own import is_own, read_own
from earthloom.ingest.released.samples import Sample, find_failure, iter_samples, parse_facts
from earthloom.ingest.scenes import Facts


class WebDatasetSettings(FileSettings, FieldsSettings):
    """WebDataset tars: a picture, its text and its facts share a name; read without unpacking."""

    kind: Literal["webdataset"]
    """What kind of source this is."""
    picture: str | None = Field(None, min_length=1)
    """Which member is the picture, where samples hold several: `jpg`, `rgb.png`."""
    verify: bool = False
    """True: refuse a picture whose bytes do not have the `sha256` of its JSON. That of img2dataset is of what it
    downloaded, so that only pictures it did not resize or encode anew have it. Releases of earthloom are always
    verified."""


ABOUT = About(
    title="WebDataset",
    what="tars in which a picture, its caption and its facts share a name: img2dataset's, and earthloom's own releases",
    layout=(
        "00000.tar",
        "    000000000.jpg, 000000000.txt (a caption), 000000000.json (facts), 000000000.cls (a class)",
    ),
    example="""- {kind: webdataset, path: 'shards/*.tar'}
# Facts under names of their own.
- {kind: webdataset, path: shards, fields: {caption: blip_caption, date: meta.captured, credit: null}}
""",
    in_archives=True,
)


def list_items(settings: WebDatasetSettings, root: Path) -> Iterator[Item]:
    """List samples, tar after tar. Raises UsageError where there is no tar or no sample."""
    return choose(_list(settings, root), settings.skip, settings.limit)


def read_item(settings: WebDatasetSettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Read the facts of one sample and its picture's header: one scene. Raises RecordError."""
    (picture,) = (part for part in item.parts if part.role == "picture")
    row = {} if (part := part_of(item, "json")) is None else parse_facts(read_blob(part.uri, part.within))
    if (failure := find_failure(row)) is not None:
        raise RecordError(Reason.MISSING, failure)
    if is_own(row):
        known = read_own(row, read_blob(picture.uri, picture.within), item.key, assets)
    else:
        known = _read_sample(settings, item, row)
        if settings.verify:
            _verify(row, picture)
    tar = Facts(origin=Origin.NAME, published_split=find_split(Path(picture.uri).stem))
    return [make_known_scene(settings, item, picture, known, weaker=(tar,))]


def _list(settings: WebDatasetSettings, root: Path) -> Iterator[Item]:
    start = locate(settings.path, root)
    is_empty = True
    for item in _list_all(settings, start):
        is_empty = False
        yield item
    if is_empty:
        raise UsageError(
            f"{settings.path}: there is no WebDataset sample in it; wanted .tar files of samples."
        )


def _list_all(settings: WebDatasetSettings, start: Start) -> Iterator[Item]:
    for tar in list_files(start, is_archive):
        if tar.refused is not None:
            yield tar
        elif not is_archive(tar.key):
            yield refuse(tar.key, Reason.UNREADABLE, "no tar by its name; wanted .tar")
        else:
            for sample in iter_samples(tar, "" if start.is_file else f"{tar.key}/"):
                yield _make_item(settings, sample) if isinstance(sample, Sample) else sample


def _make_item(settings: WebDatasetSettings, sample: Sample) -> Item:
    pictures = sample.find_pictures() if settings.picture is None else [settings.picture.lower()]
    if not pictures or pictures[0] not in sample.members:
        return refuse(sample.key, Reason.MISSING, _explain_missing(sample, settings.picture))
    if len(pictures) > 1:
        detail = f"several pictures: {', '.join(pictures)}; `picture: {pictures[0]}` takes one"
        return refuse(sample.key, Reason.DUPLICATE, detail)
    parts = [replace(sample.members[pictures[0]], role="picture")]
    parts += [
        replace(sample.members[role], role=role) for role in ("json", "txt", "cls") if role in sample.members
    ]
    return Item(key=sample.key, parts=tuple(parts))


def _explain_missing(sample: Sample, wanted: str | None) -> str:
    try:
        failure = find_failure(sample.read_json())
    except RecordError as error:
        failure = error.detail
    names = ", ".join(sample.members)
    return failure or f"no {wanted or 'picture'} in the sample; it has {names[:200]}"


def _read_sample(settings: WebDatasetSettings, item: Item, row: dict[str, object]) -> Known:
    known = Columns(settings).read(row, item.key)
    texts = list(known.texts)
    caption = _read_text(part_of(item, "txt"))
    if caption.strip() and caption not in {text.text for text in texts}:
        texts.append(Text(text=caption, role="caption"))
    return replace(known, texts=tuple(texts), labels=known.labels or _read_class(settings, item))


def _read_class(settings: WebDatasetSettings, item: Item) -> tuple[Label, ...]:
    word = _read_text(part_of(item, "cls")).strip()
    known = Columns(settings).read({"label": word} if word else {}, item.key)
    return known.labels


def _read_text(part: Part | None) -> str:
    if part is None or part.size == 0 or (part.within is not None and part.within.size == 0):
        return ""
    try:
        return read_blob(part.uri, part.within).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordError(Reason.BAD_FACTS, f"the sample's {part.role} is no UTF-8 text") from error


def _verify(row: dict[str, object], picture: Part) -> None:
    wanted = row.get("sha256")
    if isinstance(wanted, str) and hash_bytes(read_blob(picture.uri, picture.within)) != wanted:
        raise RecordError(Reason.UNREADABLE, f"the picture's sha256 is not {wanted}: it was changed")
