"""Rows of a release that earthloom itself made, out of its tars or Parquet: every fact comes back with its origin."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pyarrow as pa
import shapely

from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes
from earthloom.core.records import Band, ClassMask, Label, Origin, Pair, Reason, Text
from earthloom.ingest.released.keep import keep
from earthloom.ingest.released.known import Known
from earthloom.ingest.scenes import Facts
from earthloom.store.tables import from_rows, schema_of

_SIGNS = frozenset(
    ("scene_id", "pair_id", "base_id", "source_key", "stretch", "provenance", "captions", "sha256")
)
"""Columns that together only a release of ours has."""
_SAME_GSD = 0.01
"""Relative difference up to which pixels are as far apart as the detail that they hold."""


def is_own(row: Mapping[str, object]) -> bool:
    """Tell a row of a release of ours."""
    return row.keys() >= _SIGNS


def read_own(row: Mapping[str, object], picture: bytes, where: str, assets: Path) -> Known:
    """Read a row, of JSON as the tars hold it or of Parquet, with the bytes of its picture.

    Raises RecordError BAD_FACTS, with `where`, for a row that is not of the types of a release; UNREADABLE where the
    picture is not the one that the row is about.
    """
    try:
        pair = _parse(row)
    except (ValueError, TypeError, KeyError, pa.ArrowException, shapely.errors.ShapelyError) as error:
        detail = f"{where}: no row of a release: {str(error).splitlines()[0][:200]}"
        raise RecordError(Reason.BAD_FACTS, detail) from error
    if pair.sha256 != hash_bytes(picture):
        raise RecordError(
            Reason.UNREADABLE, f"{where}: the picture's sha256 is not {pair.sha256}: it was changed"
        )
    return Known(
        facts=_find_facts(pair),
        texts=tuple(
            Text(text=said.text, role="caption", author=None if said.author == "source" else said.author)
            for said in pair.captions or ()
        ),
        labels=_find_labels(pair),
        modality=pair.modality,
        group=pair.group,
        pair=pair.pair_id,
        mask=_find_mask(pair, assets),
        alpha=None if pair.valid_mask is None else Band(uri=str(keep(pair.valid_mask, assets)), index=1),
        synthetic=bool(pair.synthetic),
    )


@cache
def _schema() -> pa.Schema:
    return pa.schema([pa.field(field.name, field.type) for field in schema_of(Pair) if field.name != "image"])


def _parse(row: Mapping[str, object]) -> Pair:
    """Check the types of a row against those of a release; columns that an older release lacks are unknown."""
    plain = {name: row.get(name) for name in _schema().names}
    for name in ("valid_mask", "class_mask"):
        if isinstance(text := plain[name], str):
            plain[name] = base64.b64decode(text, validate=True)
    if isinstance(footprint := plain["footprint"], dict):
        plain["footprint"] = _to_wkb(footprint)
    (checked,) = pa.RecordBatch.from_pylist([plain], schema=_schema()).to_pylist()
    (pair,) = from_rows([checked | {"image": None}], Pair)
    return pair


def _to_wkb(footprint: dict[str, object]) -> bytes:
    """A GeoJSON multi-polygon as WKB: a polygon where there is only one."""
    shape = shapely.from_geojson(json.dumps(footprint))
    parts = shapely.get_parts(shape)
    return bytes(shapely.to_wkb(parts[0] if len(parts) == 1 else shape))


def _find_facts(pair: Pair) -> tuple[Facts, ...]:
    """Sort the facts by their origin.

    Of pictures that were enlarged, pixels are closer than the detail that they hold: one number cannot say both, so
    their ground sample distance is left unknown.
    """
    gsd_m = pair.gsd_m
    if gsd_m is not None and pair.pixel_m is not None:
        gsd_m = gsd_m if math.isclose(gsd_m, pair.pixel_m, rel_tol=_SAME_GSD) else None
    values: dict[str, object] = {
        field.name: getattr(pair, field.name)
        for field in dataclasses.fields(Facts)
        if field.name != "origin" and hasattr(pair, field.name)
    }
    values |= {"gsd_x_m": gsd_m, "gsd_y_m": gsd_m, "published_split": pair.published_split or pair.split}
    origins = {known.fact: known.origin for known in pair.provenance or ()}
    sorted_facts: dict[str, dict[str, object]] = {}
    for name, value in values.items():
        if value is not None:
            sorted_facts.setdefault(origins.get(name, Origin.SIDECAR.value), {})[name] = value
    return tuple(Facts(origin=origin, **facts) for origin, facts in sorted_facts.items())  # type: ignore[arg-type]


def _find_labels(pair: Pair) -> tuple[Label, ...]:
    labels = tuple(pair.labels or ())
    if pair.effect is None:
        return labels
    return (*labels, Label(name=pair.effect.name, kind="weather", origin=Origin.SYNTHETIC.value))


def _find_mask(pair: Pair, assets: Path) -> ClassMask | None:
    if pair.class_mask is None:
        return None
    covers = (label.origin for label in pair.labels or () if label.kind == "cover")
    return ClassMask(
        band=Band(uri=str(keep(pair.class_mask, assets)), index=1),
        legend=tuple(pair.class_legend or ()),
        origin=next(covers, Origin.SIDECAR.value),
    )


__all__ = ["is_own", "read_own"]
