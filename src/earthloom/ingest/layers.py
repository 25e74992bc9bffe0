"""From bands of rasters to layers: what the bands of one scene must have in common, and what a role makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from earthloom.core.errors import RecordError
from earthloom.core.records import Band, Modality, Origin, Quantity, Reason
from earthloom.geo.grid import Grid
from earthloom.ingest.names import parse_date
from earthloom.ingest.rasters import Raster
from earthloom.ingest.scenes import Facts, Layer

POLARISATIONS = frozenset(("vv", "vh", "hh", "hv"))

_PIXELS = frozenset(
    ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")
)
_ALIGNED_PX = 0.01
"""Grids of one product may differ by this share of a pixel at any corner: rounding in their headers."""
_SAY_BANDS = "say which bands are what, such as `bands: {rgb: [4, 3, 2], nir: [8]}`"

Value = TypeVar("Value")


class PixelRules(Protocol):
    """What a recipe may say of the pixels of a source; None where it leaves that to the files."""

    @property
    def quantity(self) -> Quantity | None:
        """What the numbers mean."""

    @property
    def nodata(self) -> float | None:
        """The number of a pixel without data."""

    @property
    def scale(self) -> float | None:
        """Physical value = scale * stored + offset."""

    @property
    def offset(self) -> float | None:
        """Physical value = scale * stored + offset."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BandSource:
    """One band where it was found, and what its numbers mean."""

    raster: Raster
    index: int
    """From 1."""
    nodata: float | None
    scale: float
    offset: float
    """Physical value = scale * stored + offset."""

    @property
    def band(self) -> Band:
        """Where its pixels lie."""
        return Band(uri=self.raster.uri, index=self.index)

    @property
    def dtype(self) -> str:
        """NumPy's name of the stored type."""
        return self.raster.dtypes[self.index - 1]


def take_band(raster: Raster, index: int) -> BandSource:
    """Take a band, from 1, as the header describes it."""
    at = index - 1
    return BandSource(
        raster=raster,
        index=index,
        nodata=raster.nodata[at],
        scale=raster.scales[at],
        offset=raster.offsets[at],
    )


def make_layer(
    rules: PixelRules,
    role: str,
    bands: Sequence[BandSource],
    alpha: BandSource | None,
    quantity: Quantity | None = None,
) -> Layer:
    """Make the layer of one role; what the recipe's `rules` say goes before what the bands say.

    `quantity` is what the source states, if anything. Raises RecordError UNSUPPORTED_PIXELS where the bands differ
    in what a scene has one of, or hold complex numbers.
    """
    raster = bands[0].raster
    dtype = _agree("pixel type", bands, lambda band: band.dtype)
    if dtype not in _PIXELS:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS, f"{dtype} pixels; wanted real numbers, such as decibels for SAR"
        )
    modality = modality_of(role)
    return Layer(
        modality=modality,
        quantity=rules.quantity or quantity or _guess_quantity(modality, dtype),
        bands=tuple(band.band for band in bands),
        alpha=None if alpha is None else alpha.band,
        nodata=_choose(rules.nodata, "nodata", bands, lambda band: band.nodata),
        scale=_choose(rules.scale, "scale", bands, lambda band: band.scale) or 1.0,
        offset=_choose(rules.offset, "offset", bands, lambda band: band.offset) or 0.0,
        width=raster.width,
        height=raster.height,
        dtype=dtype,
        crs=raster.crs,
        transform=raster.transform,
    )


def _choose(
    given: float | None,
    what: str,
    bands: Sequence[BandSource],
    value_of: Callable[[BandSource], float | None],
) -> float | None:
    return given if given is not None else _agree(what, bands, value_of)


def _agree(what: str, bands: Sequence[BandSource], value_of: Callable[[BandSource], Value]) -> Value:
    """Give what all bands of a scene have in common; a scene has one of each."""
    values = [value_of(band) for band in bands]
    if any(value != values[0] and not (_is_nan(value) and _is_nan(values[0])) for value in values):
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"the bands differ in {what}: {values}; wanted one for all, set it in the recipe",
        )
    return values[0]


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def modality_of(role: str) -> Modality:
    """What the pixels of a role are."""
    return Modality.SAR if role in POLARISATIONS else Modality(role)


def _guess_quantity(modality: Modality, dtype: str) -> Quantity:
    if dtype == "uint8":
        return Quantity.DISPLAY
    return Quantity.DB if modality is Modality.SAR and dtype.startswith("float") else Quantity.COUNTS


def find_roles(raster: Raster) -> dict[str, list[int]]:
    """Find the bands, from 1, of rgb, nir and alpha by their colour interpretation.

    Raises RecordError UNSUPPORTED_PIXELS where it does not say which are red, green and blue.
    """
    where = {colour: index for index, colour in reversed(list(enumerate(raster.colours, 1)))}
    roles = {"rgb": [where[colour] for colour in ("red", "green", "blue") if colour in where]}
    if len(roles["rgb"]) != 3:
        said = zip(raster.colours[:16], raster.descriptions, strict=False)
        colours = ", ".join(f"{colour} {text[:20]!r}" if text else colour for colour, text in said)
        detail = f"the file does not say what its {raster.n_bands} band(s) are ({colours}); {_SAY_BANDS}"
        raise RecordError(Reason.UNSUPPORTED_PIXELS, detail)
    roles |= {role: [where[role]] for role in ("nir", "alpha") if role in where}
    return roles


def check_alignment(named: Sequence[tuple[str, Raster]]) -> None:
    """Check that the files of one product, by their names, have one grid; raises RecordError MISALIGNED."""
    first_name, first = named[0]
    for name, raster in named:
        if (raster.width, raster.height) != (first.width, first.height):
            sizes = f"{raster.width} x {raster.height}, {first_name} {first.width} x {first.height}"
            raise RecordError(Reason.MISALIGNED, f"{name} has {sizes} pixels")
        if not is_same_grid(raster, first):
            raise RecordError(Reason.MISALIGNED, f"{name} lies on another grid than {first_name}")


def is_same_grid(one: Raster, other: Raster) -> bool:
    """Tell whether two files show the same ground pixel by pixel."""
    if (one.width, one.height, one.crs) != (other.width, other.height, other.crs):
        return False
    if one.transform is None or other.transform is None:
        return one.transform is other.transform
    a, b, c, d, e, f = (x - y for x, y in zip(one.transform, other.transform, strict=True))
    corners = [(0, 0), (one.width, 0), (0, one.height), (one.width, one.height)]
    shift = max(math.hypot(a * col + b * row + c, d * col + e * row + f) for col, row in corners)
    pixel = min(
        math.hypot(other.transform[0], other.transform[3]), math.hypot(other.transform[1], other.transform[4])
    )
    return shift <= _ALIGNED_PX * pixel


def facts_of_role(role: str, origin: Origin) -> Facts:
    """What a role says of its scene."""
    polarisation = role.upper() if role in POLARISATIONS else None
    return Facts(origin=origin, modality=modality_of(role), polarisation=polarisation)


def facts_of_grid(raster: Raster) -> Facts:
    """What the header says of where the ground lies, how far its pixels are apart, and who saw it."""
    place = Grid(raster.crs, raster.transform, raster.width, raster.height).locate()
    if place is None:
        return Facts(origin=Origin.HEADER, platform=raster.platform)
    return Facts(
        origin=Origin.HEADER,
        gsd_x_m=place.gsd_x_m,
        gsd_y_m=place.gsd_y_m,
        lon=place.lon,
        lat=place.lat,
        footprint=place.footprint,
        platform=raster.platform,
    )


def facts_of_tags(raster: Raster) -> Facts:
    """Give the surest date in the tags. A tag that holds no date (blanks, zeros) is no fact: writers fill them in."""
    for text in raster.dates:
        try:
            return Facts(origin=Origin.HEADER, acquired=parse_date(text))
        except RecordError:
            continue
    return Facts(origin=Origin.HEADER)
