"""MMM-RS's own JSON with the pictures that it hosts or that its scripts made.

Its schema is not fully published. Known are the prompt, `{level}, {weather}, {caption}, {satellite}` with the weather
left out when clear, and labels of the datasets underneath: `category`, `spatial_resolution`, `cloud_cover`. The level
is a word, from which no metres follow. What `spatial_resolution` counts in is not said: `fields: {gsd_m:
spatial_resolution}` takes it as metres.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field

from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Label, Modality, Origin, Reason, Scene
from earthloom.geo.platforms import Platform, find_platform
from earthloom.ingest.about import About
from earthloom.ingest.config import FileSettings
from earthloom.ingest.released.fields import USUAL, Columns, FactName, FieldsSettings, to_float
from earthloom.ingest.released.gallery import Gallery, is_picture, open_gallery
from earthloom.ingest.released.json_records import Record, iter_records
from earthloom.ingest.released.known import make_known_scene
from earthloom.ingest.released.listing import Row, list_rows, take_records
from earthloom.ingest.scenes import Facts


class MmmRsSettings(FileSettings, FieldsSettings):
    """MMM-RS as released: its JSON of prompts and labels, and the pictures."""

    kind: Literal["mmm_rs"]
    """What kind of source this is."""
    images: str | None = Field(None, min_length=1)
    """Folder, tar or zip of the pictures; None: they are looked for beside the JSON and in the folders there."""


ABOUT = About(
    title="MMM-RS",
    what="prompts of resolution level, weather, caption and satellite over pictures of nine datasets",
    layout=(
        "MMM-RS_fog_cleaned.json, MMM-RS_night_cleaned.json, MMM-RS_snowy_cleaned.json, fog/, night/, snowy/",
        "MMM-RS_WHU-OPT-SAR.json, WHU-OPT-SAR_dataset/{RGB_jpg,NIR_jpg,sar_jpg}/",
        "MMM-RS_Inria.json, Inria_dataset/",
    ),
    licence="CC BY-NC-SA",
    terms="Not for commercial use, to be shared alike; the nine datasets underneath have terms of their own.",
    credit="Luo et al. 2024 (MMM-RS)",
    example="""- {kind: mmm_rs, path: MMM-RS/weather}
# Where the JSON calls the picture and the prompt otherwise.
- {kind: mmm_rs, path: MMM-RS/MMM-RS_Inria.json, images: MMM-RS/Inria_dataset, fields: {image: img, caption: t}}
""",
    in_archives=True,
)

_WANTED = (
    "MMM-RS's JSON: objects with a prompt and the name of a picture; `fields: {image: ..., caption: ...}` "
    "says what they are called"
)
_COLUMNS: dict[FactName, tuple[str, ...]] = {
    **USUAL,
    "caption": ("prompt", "text", "caption", "captions"),
    "image": ("image", "image_path", "img_path", "img", "image_name", "file_name", "filename", "file", "path", "name",
              "target"),
}  # fmt: skip
_LEVEL = re.compile(r".*precision resolution\s*", re.IGNORECASE)
_WEATHER = {"fog": "fog", "foggy": "fog", "night": "night", "snow": "snow", "snowy": "snow"}
_MODALITIES = {"rgb": Modality.RGB, "nir": Modality.NIR, "sar": Modality.SAR}


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """The parts of a prompt; None for what it does not name."""

    level: str | None = None
    weather: str | None = None
    """`fog`, `night` or `snow`."""
    platform: Platform | None = None


def parse_prompt(text: str) -> Prompt:
    """Take a prompt apart; nothing is known of one that does not begin with a level of resolution."""
    first, *rest = (part.strip(" .") for part in text.split(","))
    if not _LEVEL.fullmatch(first) or not rest:
        return Prompt()
    platform = find_platform(rest[-1])
    return Prompt(level=first, weather=_WEATHER.get(rest[0].lower()), platform=platform)


def list_items(settings: MmmRsSettings, root: Path) -> Iterator[Item]:
    """List records, file after file. Raises UsageError for a path without such JSON in it."""
    gallery = None if settings.images is None else open_gallery(settings.images, root)
    return list_rows(settings, root, partial(_read_rows, Columns(settings, _COLUMNS), gallery), _WANTED)


def read_item(settings: MmmRsSettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Read one record: one scene. Raises RecordError."""
    row = json.loads(item.document)
    columns = Columns(settings, _COLUMNS)
    known = columns.read(row, item.key)
    prompt = parse_prompt(next((text.text for text in known.texts), ""))
    modality, pair = _find_modality(item, prompt)
    said = Facts(
        origin=Origin.SIDECAR,
        platform=None if prompt.platform is None else prompt.platform.name,
        cloud_share=_read_clouds(row),
    )
    known = replace(
        known,
        facts=(*known.facts, said),
        labels=(*known.labels, *_read_weather(prompt)),
        modality=known.modality or modality,
        pair=known.pair or pair,
    )
    return [make_known_scene(settings, item, item.parts[0], known, weaker=(ABOUT.facts(),))]


def _read_rows(columns: Columns, gallery: Gallery | None, path: Path, file: str) -> Iterator[Row]:
    beside = gallery or open_gallery(str(path.parent), path.parent)
    for record in take_records(iter_records(path), partial(_is_record, columns)):
        yield _read_row(columns, beside, record, file)


def _is_record(columns: Columns, fields: Mapping[str, object]) -> bool:
    return any(_name_pictures(columns, fields)) and columns.find(fields, "caption")[1] is not None


def _name_pictures(columns: Columns, fields: Mapping[str, object]) -> Iterator[str]:
    """The texts of a record that may name its picture: known columns first, then whatever ends like one."""
    for _, value in columns.find_all(fields, "image"):
        if isinstance(value, str):
            yield value
    for value in fields.values():
        if isinstance(value, str) and is_picture(value.strip()):
            yield value


def _read_row(columns: Columns, gallery: Gallery, record: Record, file: str) -> Row:
    names = list(dict.fromkeys(_name_pictures(columns, record.fields)))
    if record.fault or not names:
        detail = record.fault or "no field of it names a picture; `fields: {image: ...}` says which does"
        return Row(key=f"{file}#{record.number}", reason=Reason.BAD_FACTS, detail=detail)
    key, fault = f"{file}#{names[0]}", None
    for name in names:
        try:
            part = gallery.find(_shorten(name, file))
        except RecordError as error:
            fault = fault or error
            continue
        if part is not None:
            return Row(key=f"{file}#{name}", part=part, document=record.fields)
    if fault is not None:
        return Row(key=key, reason=fault.reason, detail=fault.detail)
    detail = f"the picture {names[0]!r} is not there; `images` says where pictures are"
    return Row(key=key, detail=detail)


def _shorten(name: str, file: str) -> Iterator[str]:
    """A path of the publisher's machine by its ends, longest first, and below the folder that the JSON's name tells."""
    steps = [step for step in re.split(r"[/\\]+", name.strip()) if step not in {"", "."}]
    words = re.split(r"[^A-Za-z]+", PurePosixPath(file).stem.lower())
    folder = next((word for word in words if word in _WEATHER), None)
    yield from ("/".join(steps[-n:]) for n in range(min(len(steps), 4), 1, -1))
    if folder is not None:
        yield f"{folder}/{steps[-1]}"
    yield steps[-1]


def _find_modality(item: Item, prompt: Prompt) -> tuple[Modality, str | None]:
    """Of a picture in a folder such as `NIR_jpg`, with what pairs it with its like in the folders beside it."""
    name = PurePosixPath(item.key.partition("#")[2].replace("\\", "/"))
    path = name if name.parent.name else PurePosixPath(item.parts[0].uri)
    for word in re.split(r"[^a-z]+", path.parent.name.lower()):
        if word in _MODALITIES:
            return _MODALITIES[word], f"{path.parent.parent.name}/{path.stem}"
    is_radar = prompt.platform is not None and prompt.platform.radar
    return (Modality.SAR if is_radar else Modality.RGB), None


def _read_weather(prompt: Prompt) -> Iterator[Label]:
    if prompt.weather is not None:
        yield Label(name=prompt.weather, kind="weather", origin=Origin.SIDECAR.value)


def _read_clouds(row: Mapping[str, object]) -> float | None:
    """Cloud cover as a share: fMoW counts whole per cent; other numbers are no known measure."""
    percent = to_float(row.get("cloud_cover"))
    return percent / 100 if percent is not None and percent.is_integer() and 0 <= percent <= 100 else None
