"""What a recipe may say about a source."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Quantity
from earthloom.core.settings import Settings
from earthloom.ingest.names import is_constant_date, parse_date


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}.") from error
    return pattern


def _check_group(pattern: str) -> str:
    if re.compile(_check_pattern(pattern)).groups < 1:
        raise ValueError(
            r"needs a group in parentheses around what it should capture, such as '_(\d{8})\.tif$'."
        )
    return pattern


def _check_date(text: str) -> str:
    if not is_constant_date(text):
        return _check_group(text)
    try:
        parse_date(text)
    except RecordError as error:
        raise ValueError(f"{error.detail}.") from error
    return text


Pattern = Annotated[str, AfterValidator(_check_pattern)]
"""A regular expression, searched for in an item's key (posix path relative to the source)."""
Capture = Annotated[str, AfterValidator(_check_group)]
"""A regular expression with at least one group."""

DateRule = Annotated[str, AfterValidator(_check_date)]
"""An ISO date, or a regular expression with a group that captures one."""

_WIDEST_M = 600_000.0

BAND_ROLES = {"rgb": 3, "nir": 1, "sar": 1, "vv": 1, "vh": 1, "hh": 1, "hv": 1, "alpha": 1}
"""Roles that bands can have, with the number of bands that each takes."""


class SourceSettings(Settings):
    """What every source can be told. Facts given here are recorded with origin `recipe`."""

    items_a_shard: ClassVar[int] = 1000
    """How many items make a shard of scenes: fewer where an item takes long."""

    name: str | None = Field(None, min_length=1, max_length=80, pattern=r"^[\w.\- ]+$")
    """Unique in the recipe; the last folder or file name of `path` when it is not given."""
    dataset: str | None = None
    """Title of the collection, as captions and the card should say it; the name when it is not given."""
    platform: str | None = None
    """Satellite, constellation or aircraft, such as `Sentinel-2`, where the files do not say it."""
    sensor: str | None = None
    """Instrument, such as `OLI`, where the files do not say it."""
    licence: str | None = None
    """Licence of the images, as an SPDX identifier where there is one."""
    credit: str | None = None
    """Whom to name when an image is shown."""
    place: str | None = None
    """Name of the place that all images show."""
    find_place: bool = False
    """Name the country of each scene whose coordinates are known, and the nearest town within 20 km where no place
    is, from GeoNames, offline."""
    date: DateRule | None = None
    """An ISO date for all (`2017`, `2017-08`, `2017-08-27`), or a regular expression that captures one in the
    key: one group of 4, 6 or 8 digits (separators - _ . allowed), a 7-digit year and day of year, or named
    groups `year`, `month`, `day`."""
    group: Capture | None = None
    """What it captures in the key names the group that is never split; each item is its own group otherwise."""
    pair: Capture | None = None
    """What it captures in the key pairs scenes of several modalities across sources with the same `dataset`;
    they also share a group."""
    limit: int | None = Field(None, ge=1)
    """Take this many items: a stable, seeded sample spread over the whole source, not its beginning."""


class FileSettings(SourceSettings):
    """A source that lies in files."""

    path: str = Field(min_length=1)
    """A file, folder or glob (`**` allowed), relative to the recipe."""
    gsd_m: float | None = Field(None, gt=0, le=100_000)
    """Ground sample distance in metres where the files do not carry one."""
    skip: Pattern | None = None
    """Items whose key contains this are not listed at all."""


class GeotiffSettings(FileSettings):
    """Rasters that rasterio opens: GeoTIFF, COG, JPEG 2000, ..."""

    items_a_shard: ClassVar[int] = 64
    kind: Literal["geotiff"]
    """What kind of source this is."""
    bands: dict[str, list[int] | list[str]] = Field(default_factory=dict)
    """Role to bands: `rgb: [1, 2, 3]`, `nir: [4]`, `sar: [1]`, `vv: [1]`, `alpha: [4]`; one scene for each of
    rgb, nir, sar, vv, ... With `pattern`, the captured band names: `rgb: [B4, B3, B2]`. When empty it is read
    from the file's colour interpretation (red, green, blue, alpha), and files without one are refused."""
    pattern: Capture | None = None
    """Joins one-file-per-band products: named group `band` and any of `date`, `lon`, `lat`; files whose name is
    equal outside of `band` are one item."""
    quantity: Quantity | None = None
    """What the numbers mean; `display` for 8-bit and `counts` otherwise, `db` for SAR in floats."""
    nodata: float | None = None
    """Overrides the header's."""
    scale: float | None = None
    """Physical value = scale * stored + offset; the header's when not given."""
    offset: float | None = None
    """Physical value = scale * stored + offset; the header's when not given."""
    looks: float | None = Field(None, gt=0)
    """Equivalent number of looks of SAR, where it is known."""

    @model_validator(mode="after")
    def _check_bands(self) -> GeotiffSettings:
        for role, wanted in self.bands.items():
            if role not in BAND_ROLES:
                raise ValueError(f"bands: unknown role {role!r}; roles are {', '.join(BAND_ROLES)}.")
            if len(wanted) != BAND_ROLES[role]:
                raise ValueError(f"bands: {role} takes {BAND_ROLES[role]} band(s), got {len(wanted)}.")
            if self.pattern is None and not all(isinstance(b, int) and b >= 1 for b in wanted):
                raise ValueError(
                    f"bands: {role} counts bands from 1; names need a `pattern` with a group `band`."
                )
        if self.pattern is not None and "band" not in re.compile(self.pattern).groupindex:
            raise ValueError("pattern: needs a named group, (?P<band>...), for the band.")
        if self.pattern is not None and not self.bands:
            raise ValueError("bands: say which captured band names make up `rgb`, `nir` or `sar`.")
        return self


class ImagesSettings(FileSettings):
    """Pictures without geo-reference: JPEG, PNG, WebP, TIFF, BMP, in folders or in a tar or zip."""

    kind: Literal["images"]
    """What kind of source this is."""
    modality: Modality = Modality.RGB
    """What was measured."""
    quantity: Quantity = Quantity.DISPLAY
    """What the numbers mean."""
    polarisation: Literal["VV", "VH", "HH", "HV"] | None = None
    """Of SAR: sent and received."""
    classes: bool = False
    """True: the folder of an image names its class (`AnnualCrop/AnnualCrop_1.jpg` is `annual crop`)."""
    class_names: dict[str, str] = Field(default_factory=dict)
    """Folder name to class name, where splitting CamelCase and underscores is not enough."""
    facts: str | None = None
    """A CSV or JSONL, relative to the recipe: `file` and any of `caption`, `captions`, `title`, `alt`, `article`,
    `lon`, `lat`, `date`, `gsd_m`, `platform`, `sensor`, `place`, `label`, `labels`, `licence`, `credit`. Captions go
    into the release; title, alternative text and article are what a model reads beside the picture
    (`docs/captions.md`)."""


class AtlasSettings(SourceSettings):
    """Built-in synthetic landscapes: RGB, NIR, SAR and a land-cover mask on one grid."""

    items_a_shard: ClassVar[int] = 2
    kind: Literal["atlas"]
    """What kind of source this is."""
    scenes: int = Field(8, ge=1, le=1_000_000)
    """How many landscapes."""
    size: int = Field(1024, ge=64, le=8192)
    """Pixels along each side of a scene."""
    gsd_m: float = Field(2.0, gt=0, le=1000)
    """Ground sample distance, metres."""
    seed: int = 0
    """Another seed, other landscapes."""
    modalities: tuple[Modality, ...] = (Modality.RGB, Modality.NIR, Modality.SAR)
    """Which views of each landscape to make."""
    looks: int = Field(4, ge=1, le=100)
    """Equivalent number of looks of the SAR speckle."""

    @model_validator(mode="after")
    def _check_views(self) -> AtlasSettings:
        if not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise ValueError("modalities: name at least one of rgb, nir, sar, and each at most once.")
        if self.size * self.gsd_m > _WIDEST_M:
            raise ValueError(
                f"size and gsd_m make a landscape {self.size * self.gsd_m / 1000:g} km wide; "
                f"one UTM zone has room for {_WIDEST_M / 1000:g} km."
            )
        return self
