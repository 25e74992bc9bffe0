"""From a row of somebody else's table to facts: which column says what, under which of its usual names."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

from pydantic import Field

from earthloom.core.errors import RecordError
from earthloom.core.records import Label, Modality, Origin, Reason, Text
from earthloom.core.settings import Settings
from earthloom.ingest.names import check_degrees, name_class, parse_date
from earthloom.ingest.released.known import Known
from earthloom.ingest.scenes import Facts

FactName = Literal[
    "caption", "label", "lon", "lat", "date", "gsd_m", "platform", "sensor", "place", "country", "season",
    "cloud_share", "sun_azimuth_deg", "sun_elevation_deg", "view_azimuth_deg", "off_nadir_deg", "orbit",
    "polarisation", "modality", "licence", "terms", "credit", "split", "group", "pair", "id", "url", "image",
]  # fmt: skip
"""What a column can say; `id`, `url` and `image` find the picture."""

USUAL: dict[FactName, tuple[str, ...]] = {
    "caption": ("caption", "captions", "text", "texts", "description", "descriptions", "sentences"),
    "label": ("label", "labels", "class", "category"),
    "lon": ("lon", "longitude", "lng"),
    "lat": ("lat", "latitude"),
    "date": ("date", "acquired", "datetime", "timestamp", "acquisition_date", "capture_date"),
    "gsd_m": ("gsd_m", "gsd"),
    "platform": ("platform", "satellite"),
    "sensor": ("sensor", "instrument"),
    "place": ("place", "location"),
    "country": ("country", "country_code"),
    "season": ("season",),
    "cloud_share": ("cloud_share",),
    "sun_azimuth_deg": ("sun_azimuth_deg", "sun_azimuth"),
    "sun_elevation_deg": ("sun_elevation_deg", "sun_elevation"),
    "view_azimuth_deg": ("view_azimuth_deg",),
    "off_nadir_deg": ("off_nadir_deg", "off_nadir"),
    "orbit": ("orbit",),
    "polarisation": ("polarisation", "polarization"),
    "modality": ("modality",),
    "licence": ("licence", "license"),
    "terms": ("terms",),
    "credit": ("credit", "credits", "attribution"),
    "split": ("published_split", "split"),
    "group": (),
    "pair": (),
    "id": ("id", "key", "image_id"),
    "url": ("url", "image_url", "image_src"),
    "image": ("image", "img", "picture", "file_name", "filename", "file", "filepath", "path"),
}
"""Names under which columns are looked for, the first that holds something wins; captions add up."""

_TEXTS: tuple[FactName, ...] = (
    "platform",
    "sensor",
    "place",
    "country",
    "season",
    "orbit",
    "licence",
    "terms",
    "credit",
)
_RANGES: dict[FactName, tuple[float, float]] = {
    "cloud_share": (0, 1), "sun_azimuth_deg": (-180, 360), "sun_elevation_deg": (-90, 90),
    "view_azimuth_deg": (-180, 360), "off_nadir_deg": (-90, 90),
}  # fmt: skip
_METRES = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:m|metres?|meters?)?\s*", re.IGNORECASE)
_POLARISATIONS = {"VV", "VH", "HH", "HV"}


class FieldsSettings(Settings):
    """How a table's columns are understood."""

    fields: dict[FactName, str | tuple[str, ...] | None] = Field(default_factory=dict)
    """Fact to the column that holds it (`a.b` reaches into objects), or to several for captions; `null`: to none,
    whatever columns there are. Facts that are not named here are looked for under their usual names: `caption`,
    `captions`, `text`, `lon`, `longitude`, `lat`, `latitude`, `date`, `timestamp`, `gsd_m`, `gsd`, `platform`, ..."""
    class_names: dict[str, str] = Field(default_factory=dict)
    """Label as the table has it, a number as text included, to the class in plain words. A number without a name
    here, and without one in the file, is no label."""


class Columns:
    """Finds facts in rows."""

    def __init__(self, settings: FieldsSettings, usual: Mapping[FactName, tuple[str, ...]] = USUAL) -> None:
        self._class_names = settings.class_names
        self._names: dict[FactName, tuple[str, ...]] = {**usual}
        for fact, given in settings.fields.items():
            self._names[fact] = () if given is None else (given,) if isinstance(given, str) else given

    def names(self, fact: FactName) -> tuple[str, ...]:
        """The columns in which a fact is looked for."""
        return self._names[fact]

    def find_all(self, row: Mapping[str, object], fact: FactName) -> Iterator[tuple[str, object]]:
        """Give all columns of a fact that hold something, with their values."""
        for name in self._names[fact]:
            value = _reach(row, name)
            if not _is_blank(value):
                yield name, value

    def find(self, row: Mapping[str, object], fact: FactName) -> tuple[str, object]:
        """Give the first column of a fact that holds something; ("", None) where none does."""
        return next(self.find_all(row, fact), ("", None))

    def read(self, row: Mapping[str, object], where: str, label_names: tuple[str, ...] = ()) -> Known:
        """Read what a row says. Raises RecordError BAD_FACTS with `where` for what makes no sense.

        label_names: of the numbers in the label's column, from 0, where the file itself gives them.
        """
        try:
            return Known(
                facts=(self._read_facts(row),),
                texts=tuple(self._read_texts(row)),
                labels=tuple(self._read_labels(row, label_names)),
                modality=self._read_modality(row),
                group=self._read_text(row, "group"),
                pair=self._read_text(row, "pair"),
            )
        except RecordError as error:
            raise RecordError(error.reason, f"{where}: {error.detail}") from error

    def _read_facts(self, row: Mapping[str, object]) -> Facts:
        lon, lat = (self._read_number(row, name) for name in ("lon", "lat"))
        if (lon is None) != (lat is None):
            raise RecordError(Reason.BAD_FACTS, f"lon {lon}, lat {lat}; wanted both or none")
        gsd_m = self._read_gsd(row)
        texts = {str(name): self._read_text(row, name) for name in _TEXTS}
        return Facts(
            origin=Origin.SIDECAR,
            acquired=self._read_date(row),
            lon=None if lon is None else check_degrees("lon", lon, 180),
            lat=None if lat is None else check_degrees("lat", lat, 90),
            gsd_x_m=gsd_m,
            gsd_y_m=gsd_m,
            polarisation=self._read_polarisation(row),
            published_split=self._read_text(row, "split"),
            **{str(name): self._read_ranged(row, name) for name in _RANGES},  # type: ignore[arg-type]
            **texts,  # type: ignore[arg-type]
        )

    def _read_number(self, row: Mapping[str, object], fact: FactName) -> float | None:
        name, value = self.find(row, fact)
        if value is None:
            return None
        number = to_float(value)
        if number is None:
            raise _unfit(fact, name, value, "a number")
        return number

    def _read_ranged(self, row: Mapping[str, object], fact: FactName) -> float | None:
        number = self._read_number(row, fact)
        low, high = _RANGES[fact]
        if number is not None and not low <= number <= high:
            raise _unfit(fact, self.find(row, fact)[0], number, f"{low:g} to {high:g}")
        return number

    def _read_gsd(self, row: Mapping[str, object]) -> float | None:
        name, value = self.find(row, "gsd_m")
        if value is None:
            return None
        match = _METRES.fullmatch(value) if isinstance(value, str) else None
        gsd_m = float(match[1]) if match else to_float(value)
        if gsd_m is None or not 0 < gsd_m <= 100_000:
            raise _unfit("gsd_m", name, value, "metres, above 0 and up to 100,000")
        return gsd_m

    def _read_date(self, row: Mapping[str, object]) -> str | None:
        name, value = self.find(row, "date")
        if value is None:
            return None
        text = value.isoformat() if isinstance(value, date) else str(value)
        try:
            return parse_date(text)
        except RecordError as error:
            raise _unfit("date", name, value, "a date such as 2019, 201909 or 2019-09-04") from error

    def _read_text(self, row: Mapping[str, object], fact: FactName) -> str | None:
        name, value = self.find(row, fact)
        if value is None:
            return None
        if isinstance(value, list | dict | bytes):
            raise _unfit(fact, name, value, "text")
        return str(value).strip()

    def _read_polarisation(self, row: Mapping[str, object]) -> str | None:
        text = self._read_text(row, "polarisation")
        if text is not None and text.upper() not in _POLARISATIONS:
            raise _unfit("polarisation", self.find(row, "polarisation")[0], text, "VV, VH, HH or HV")
        return None if text is None else text.upper()

    def _read_modality(self, row: Mapping[str, object]) -> Modality | None:
        name, value = self.find(row, "modality")
        if value is None:
            return None
        word = str(value).strip().lower()
        if word not in list(Modality):
            raise _unfit("modality", name, value, "rgb, nir or sar")
        return Modality(word)

    def _read_texts(self, row: Mapping[str, object]) -> Iterator[Text]:
        for name, value in self.find_all(row, "caption"):
            yield from (Text(text=text, role="caption") for text in list_texts(value, name))

    def _read_labels(self, row: Mapping[str, object], label_names: tuple[str, ...]) -> Iterator[Label]:
        _, value = self.find(row, "label")
        names = (
            self._name_label(each, label_names) for each in (value if isinstance(value, list) else [value])
        )
        for name in dict.fromkeys(name for name in names if name):
            yield Label(name=name, kind="class", origin=Origin.SIDECAR.value)

    def _name_label(self, value: object, label_names: tuple[str, ...]) -> str | None:
        if isinstance(value, int) and 0 <= value < len(label_names):
            value = label_names[value]
        text = "" if _is_blank(value) or isinstance(value, dict | list) else str(value).strip()
        if text in self._class_names:
            return self._class_names[text]
        return name_class(text) if text and not re.fullmatch(r"[-+.\d]+", text) else None


def list_texts(value: object, name: str) -> Iterator[str]:
    """Give a text, a list of texts, or a list of objects that hold one each, as they stand; blank ones are none.

    Raises RecordError BAD_FACTS for anything else.
    """
    for each in value if isinstance(value, list) else [value]:
        text = each
        if isinstance(each, dict):
            text = next((each[key] for key in ("raw", "text", "caption") if key in each), None)
        if _is_blank(text):
            continue
        if not isinstance(text, str):
            raise RecordError(
                Reason.BAD_FACTS, f"{name} holds {str(each)[:80]!r}; wanted text or a list of texts"
            )
        yield text


def to_float(value: object) -> float | None:
    """Give a finite number, also one written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def read_cells(row: Mapping[str, object]) -> dict[str, object]:
    """Give the row of a CSV with the JSON lists that stand in its cells as lists."""
    return {name: _read_cell(value) for name, value in row.items()}


def _read_cell(value: object) -> object:
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, list) else value


def _reach(row: Mapping[str, object], name: str) -> object:
    """Give the value under a name, or, where there is none, under its parts between dots, one in the other."""
    if name in row or "." not in name:
        return row.get(name)
    value: object = row
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _is_blank(value: object) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    return isinstance(value, float) and math.isnan(value)  # how pandas writes what is unknown


def _unfit(fact: str, name: str, value: object, wanted: str) -> RecordError:
    remedy = f"; `fields: {{{fact}: null}}` leaves the column out"
    return RecordError(Reason.BAD_FACTS, f"{name} is {str(value)[:80]!r}; wanted {wanted}{remedy}")
