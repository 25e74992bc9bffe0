"""From what is written beside a picture to a sample: rows of our own releases, and those of anybody else."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from earthloom.core.errors import RecordError
from earthloom.core.records import Label, Modality, Origin, Reason
from earthloom.store.selection import is_linear, read_effect
from earthloom.store.stream.sample import Sample, Words
from earthloom.store.tables import from_rows

_MARK = "base_id"
"""A column that our own rows have and others do not."""
_CAPTIONS = ("captions", "caption", "text", "texts", "sentences", "description", "descriptions")
_LABELS = ("labels", "label", "class", "category")
_TEXT_FIELDS = {
    "modality": ("modality",),
    "acquired": ("acquired", "date", "datetime", "timestamp"),
    "platform": ("platform", "satellite"),
    "sensor": ("sensor", "instrument"),
    "country": ("country", "country_code"),
    "season": ("season",),
    "polarisation": ("polarisation", "polarization"),
    "source": ("source",),
    "split": ("split",),
    "group": ("group",),
    "pair_id": ("pair_id",),
}
_NUMBER_FIELDS: dict[str, tuple[tuple[str, ...], float, float]] = {
    "gsd_m": (("gsd_m", "gsd"), 1e-6, 1e5),
    "lon": (("lon", "longitude", "lng"), -180.0, 360.0),
    "lat": (("lat", "latitude"), -90.0, 90.0),
    "cloud_share": (("cloud_share",), 0.0, 1.0),
}
"""Names, and the least and the greatest value that makes sense."""

WANTED = frozenset(
    {"id", _MARK, "quantity", "effect", *_CAPTIONS, *_LABELS}
    | {name for names in _TEXT_FIELDS.values() for name in names}
    | {name for names, _, _ in _NUMBER_FIELDS.values() for name in names}
)
"""Every column of a table that is read, beside the picture."""
FILTERED = WANTED - set(_CAPTIONS)
"""Those of them that filters look at."""

_SPLIT = re.compile(r"(?:^|/)(train|val|test)(?:id|idation)?(?=[/_.-]|$)")
_OWN_NAME = re.compile(r"(?:.*/)?(train|val|test)-(rgb|nir|sar)-\d{5,}")


def read_own_name(stem: str) -> tuple[str, str] | None:
    """Split and modality that the name of a shard of our own settles for all of its pairs; None for other names."""
    match = _OWN_NAME.fullmatch(stem)
    return (match[1], match[2]) if match else None


def find_split(stem: str) -> str | None:
    """The split that a shard's name speaks of, such as `train-00000-of-00002`; None where it speaks of none."""
    match = _SPLIT.search(stem)
    return match[1] if match else None


def unify(facts: Mapping[str, Any], stem: str) -> Mapping[str, Any]:
    """Facts under the names of our own rows. Rows of others are read by usual names; what makes no sense is unknown.

    Raises `RecordError` BAD_FACTS where captions are neither text nor lists of text.
    """
    if _MARK in facts:
        return facts
    found: dict[str, Any] = {name: _find_text(facts, usual) for name, usual in _TEXT_FIELDS.items()}
    for name, (usual, low, high) in _NUMBER_FIELDS.items():
        found[name] = _find_number(facts, usual, low, high)
    modality = (found["modality"] or "").lower()
    found["modality"] = modality if modality in set(Modality) else None
    found["split"] = found["split"] or find_split(stem)
    found["captions"] = [{"text": text} for text in _find_captions(facts)]
    found["labels"] = [
        {"name": name, "kind": "class", "origin": Origin.SIDECAR.value} for name in _find_labels(facts)
    ]
    return found


def make_sample(
    facts: Mapping[str, Any],
    *,
    key: str,
    image: bytes,
    texts: Iterable[str] = (),
    extra: Mapping[str, bytes] | None = None,
) -> Sample:
    """Make a sample of unified facts. texts: further captions; those that the facts hold already are left out.

    Raises `RecordError` BAD_FACTS where facts do not have the form of a release.
    """
    try:
        _check_types(facts)
        own = str(facts.get("id") or key)
        return Sample(
            key=own,
            base_key=facts.get("base_id") or own,
            group=facts.get("group") or own,
            pair_key=facts.get("pair_id"),
            image=image,
            captions=tuple(_list_words(facts, texts)),
            effect=read_effect(facts),
            labels=tuple(from_rows(facts.get("labels") or (), Label)),
            is_linear=is_linear(facts),
            extra=extra or {},
            **{name: facts.get(name) for name in _SAME},
        )
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise RecordError(Reason.BAD_FACTS, f"facts are not those of a release: {error!r}") from error


def _check_types(facts: Mapping[str, Any]) -> None:
    """Raise `TypeError` where a fact is neither what it should be nor unknown."""
    for name in (*_SAME, "base_id", "group", "pair_id"):
        wanted = int | float if name in _NUMBER_FIELDS else str
        if not isinstance(facts.get(name), wanted | None):
            raise TypeError(
                f"{name} is {str(facts[name])[:80]!r}; wanted {'a number' if wanted is not str else 'text'}"
            )


_SAME = (
    "modality", "gsd_m", "lon", "lat", "acquired", "cloud_share", "platform", "sensor", "country", "season", "source",
    "split", "polarisation",
)  # fmt: skip


def with_extra(sample: Sample, more: Mapping[str, bytes]) -> Sample:
    """The sample with further members."""
    return replace(sample, extra={**sample.extra, **more}) if more else sample


def _list_words(facts: Mapping[str, Any], texts: Iterable[str]) -> Iterator[Words]:
    seen = set()
    for row in facts.get("captions") or ():
        if not isinstance(row["text"], str):
            raise TypeError(f"a caption is {str(row['text'])[:80]!r}; wanted text")
        seen.add(row["text"])
        yield Words(text=row["text"], style=row.get("style"), role=row.get("role"), author=row.get("author"))
    for text in texts:
        if text.strip() and text not in seen:
            seen.add(text)
            yield Words(text=text)


def _find(facts: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((facts[name] for name in names if facts.get(name) not in (None, "")), None)


def _find_text(facts: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    value = _find(facts, names)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return value.strip() or None if isinstance(value, str) else None


def _find_number(facts: Mapping[str, Any], names: tuple[str, ...], low: float, high: float) -> float | None:
    value = _find(facts, names)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and low <= number <= high else None


def _find_captions(facts: Mapping[str, Any]) -> Iterator[str]:
    seen = set()
    for name in _CAPTIONS:
        for text in _list_texts(facts.get(name), name):
            if text not in seen:
                seen.add(text)
                yield text


def _list_texts(value: Any, name: str) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        text = each
        if isinstance(each, Mapping):
            text = next((each[field] for field in ("raw", "text", "caption") if field in each), None)
        if text is None or (isinstance(text, str) and not text.strip()):
            continue
        if not isinstance(text, str):
            raise RecordError(
                Reason.BAD_FACTS, f"{name} holds {str(each)[:80]!r}; wanted text or a list of texts"
            )
        yield text


def _find_labels(facts: Mapping[str, Any]) -> Iterator[str]:
    value = _find(facts, _LABELS)
    for each in value if isinstance(value, list) else [value]:
        name = each.get("name") if isinstance(each, Mapping) else each
        if isinstance(name, str) and name.strip():
            yield " ".join(name.lower().replace("_", " ").split())
