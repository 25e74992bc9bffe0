"""What every column of a release means: the text of the card, and the types for loaders that ask for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from earthloom.export.join import pair_schema

MEANINGS = {
    "id": "Content-based id of the pair; the same wherever and whenever it is built",
    "image": "The picture: JPEG or PNG bytes and a file name",
    "modality": "`rgb`, `nir` (near infrared) or `sar` (radar)",
    "platform": "Satellite, aircraft or programme",
    "sensor": "Instrument",
    "gsd_m": "Effective ground sample distance in metres: the detail that is really there",
    "native_gsd_m": "Ground sample distance of the source in metres, at this place",
    "pixel_m": "Ground distance between neighbouring pixels in metres; below `gsd_m` only where enlarged",
    "acquired": "When it was taken: ISO 8601, as precise as known (`2019`, `2019-09`, `2019-09-04`, ...)",
    "lon": "Longitude of the centre, degrees, WGS 84",
    "lat": "Latitude of the centre, degrees, WGS 84",
    "footprint": "Outline on the ground: WKB polygon (two across 180°), degrees, OGC:CRS84; GeoJSON in the tars",
    "place": "Name of the place",
    "country": "ISO 3166-1 alpha-2 code, or the source's own word",
    "season": "Season, where the source states it instead of a date",
    "sun_azimuth_deg": "Direction to the sun, degrees from north",
    "sun_elevation_deg": "Height of the sun, degrees",
    "view_azimuth_deg": "Direction to the sensor, degrees from north",
    "off_nadir_deg": "Angle at the sensor between nadir and the target, degrees",
    "cloud_share": "Share of the whole source image under cloud, 0 to 1",
    "orbit": "`ascending` or `descending`",
    "licence": "Terms of the source image",
    "terms": "What the licence means for those who publish or train",
    "credit": "Whom to name",
    "published_split": "Split that the source's publisher gave the image; `split` is this release's own",
    "dataset": "Collection that the image comes from",
    "source": "Source in the recipe",
    "source_key": "File, archive member or product within the source",
    "scene_id": "Id of the image that the picture was cut from",
    "base_id": "Id of the picture that this one is a variant of; its own id when it is none",
    "pair_id": "Equal for pictures of several modalities that show the same ground at the same time",
    "group": "What was kept together when the splits were made",
    "effect": "Synthetic change to the scene, such as fog: `name`, measured `severity`, `is_visible`, `params`, `seed`",
    "labels": "What is known to be there: `name`, `kind` (`class`, `object`, `cover`, `weather`), `origin`, "
    "`box` (pixels), `corners` (of an oriented box), `share` (0 to 1)",
    "captions": "Texts: `text`, `style`, `role`, `author`, and `checks`, the names of the checks that each passed",
    "proposals": "What models say of the picture beside their captions, no facts: `fact`, `value`, `author`",
    "split": "`train`, `val` or `test`",
    "width": "Pixels across",
    "height": "Pixels down",
    "valid_share": "Share of pixels that hold data, 0 to 1",
    "crop": "Part of the source image that is shown: `col`, `row`, `width`, `height` in its pixels",
    "stretch": "How measured values became 8 bit: `method`, and `low` and `high` for each channel",
    "resampling": "How source pixels became these: `none`, `mtf`, `area`, `cubic` or `model:...`",
    "quantity": "What the source's numbers were: `display`, `counts`, `db`, `intensity`, `amplitude`",
    "polarisation": "Of radar: `VV`, `VH`, `HH` or `HV`",
    "looks": "Of radar: equivalent number of looks",
    "synthetic": "True for a landscape that exists nowhere",
    "valid_mask": "PNG, 255 where there is data and 0 elsewhere; null where all pixels are valid; base64 in the tars",
    "class_mask": "PNG of class values; null where there is none; base64 in the tars",
    "class_legend": "Names of the values of `class_mask`: `value`, `name`",
    "provenance": "Where each fact comes from: `fact`, `origin`",
    "sha256": "Of the picture's bytes",
}
"""In the order of `earthloom.core.records.Pair`."""


def describe_type(name: str) -> str:
    """A column's type in a word or two, for a person."""
    return "image" if name == "image" else _say(pair_schema().field(name).type)


def _say(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_say(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "struct"
    return {"double": "float", "int64": "integer", "bool": "boolean", "binary": "bytes"}.get(
        str(kind), str(kind)
    )


def tar_features(media: Iterable[str]) -> list[dict[str, Any]]:
    """Hugging Face features of the tars, as `dataset_info` in a card lists them.

    Without them `datasets` infers the types from the first few samples and stops where a fact that is null in
    those is known later on.
    """
    ring = pa.list_(pa.list_(pa.float64()))
    geojson = pa.struct({"type": pa.string(), "coordinates": pa.list_(pa.list_(ring))})
    as_text = {"valid_mask": pa.string(), "class_mask": pa.string(), "footprint": geojson}
    facts = [pa.field(f.name, as_text.get(f.name, f.type)) for f in pair_schema() if f.name != "image"]
    return [
        *({"name": suffix, "dtype": "image"} for suffix in sorted(media)),
        {"name": "json", "struct": [_feature(field) for field in facts]},
        *({"name": name, "dtype": "string"} for name in ("txt", "__key__", "__url__")),
    ]


def _feature(field: pa.Field) -> dict[str, Any]:
    return {"name": field.name, **_feature_type(field.type)}


def _feature_type(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_struct(kind):
        return {"struct": [_feature(child) for child in kind]}
    if pa.types.is_list(kind):
        inner = _feature_type(kind.value_type)
        return {"list": inner["dtype"] if set(inner) == {"dtype"} else inner.get("struct", inner)}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind))}
