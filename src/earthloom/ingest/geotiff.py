"""Rasters: GeoTIFF, COG, JPEG 2000, Erdas Imagine, NITF; multi-band files and one-file-per-band products.

One item gives one scene for each role that the recipe names (`rgb`, `nir`, `sar`, `vv`, ...); they share a pair key
and a group. Without `bands` a file must say itself which bands are red, green and blue: a fourth band is alpha or
near infrared where its colour interpretation or the recipe says so, and never by guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.ids import fingerprint_file, make_id
from earthloom.core.records import Band, Item, Modality, Origin, Part, Quantity, Reason, Scene
from earthloom.geo.grid import Grid
from earthloom.ingest.config import GeotiffSettings
from earthloom.ingest.listing import choose, list_files, locate, refuse
from earthloom.ingest.names import BandName, parse_date, read_product_name, split_band
from earthloom.ingest.rasters import RASTERS, Raster, read_raster
from earthloom.ingest.scenes import Facts, Layer, facts_of_name, facts_of_recipe, make_scene

_PIXELS = frozenset(
    ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")
)
_POLARISATIONS = frozenset(("vv", "vh", "hh", "hv"))
_ALIGNED_PX = 0.01
"""Grids of one product may differ by this share of a pixel at any corner: rounding in their headers."""
_SAY_BANDS = "say which bands are what, such as `bands: {rgb: [4, 3, 2], nir: [8]}`"

Value = TypeVar("Value")


def list_items(settings: GeotiffSettings, root: Path) -> Iterator[Item]:
    """List rasters by their suffix (`RASTERS`), or products of one file a band when there is a `pattern`.

    A product's key is that of its files with the band replaced by `*`; only the bands that the recipe asks for are
    its parts, and one that lacks some is yielded as refused (MISSING). All products of a source are held while
    listing, some 0.5 KB a file. A file given as `path` is taken whatever its suffix. Raises UsageError when `path`
    is not there or nothing is listed.
    """
    files = list_files(locate(settings.path, root), _is_raster)
    if settings.pattern is not None:
        files = _join_bands(files, settings.pattern, _wanted_bands(settings), settings.path)
    return choose(_require(files, settings), settings.skip, settings.limit)


def read_item(settings: GeotiffSettings, item: Item) -> list[Scene]:
    """Read the headers of one item: a scene for each role. Raises RecordError."""
    rasters = [read_raster(part.uri) for part in item.parts]
    _check_alignment(item, rasters)
    roles = _place_roles(settings, item, rasters)
    fingerprint = _fingerprint(item.parts)
    alpha = roles.pop("alpha", None)
    facts = _gather_facts(settings, item, rasters[0])
    origin = Origin.RECIPE if settings.bands else Origin.HEADER
    return [
        make_scene(
            settings,
            item,
            fingerprint,
            _make_layer(settings, role, bands, alpha[0] if alpha else None),
            [_facts_of_role(role, origin), *facts],
        )
        for role, bands in sorted(roles.items())
    ]


@dataclass(frozen=True, slots=True)
class _Source:
    """One band where it was found."""

    raster: Raster
    index: int
    """From 1."""

    def of(self, values: Sequence[Value]) -> Value:
        """Give the value of this band."""
        return values[self.index - 1]

    @property
    def band(self) -> Band:
        return Band(uri=self.raster.uri, index=self.index)


def _is_raster(name: str) -> bool:
    return name[name.rfind(".") :].lower() in RASTERS


def _require(items: Iterator[Item], settings: GeotiffSettings) -> Iterator[Item]:
    empty = True
    for item in items:
        empty = False
        yield item
    if empty:
        raise UsageError(f"{settings.path}: there are no rasters ({' '.join(sorted(RASTERS))}) in it.")


def _wanted_bands(settings: GeotiffSettings) -> frozenset[str]:
    return frozenset(str(name) for names in settings.bands.values() for name in names)


def _join_bands(files: Iterator[Item], pattern: str, wanted: frozenset[str], path: str) -> Iterator[Item]:
    """Join the files of each product; files that do not match, and products with no wanted band, are left out."""
    products: dict[str, dict[str, Part]] = {}
    others: set[str] = set()
    for item in files:
        named = split_band(pattern, item.key)
        if item.refused is not None and (named is None or named.band in wanted):
            yield item
        elif named is not None and named.band in wanted:
            (part,) = item.parts
            _add_part(products, named, part)
        elif named is not None:
            others.add(named.band)
    if not products and others:
        found = ", ".join(sorted(others)[:20])
        asked = ", ".join(sorted(wanted))
        raise UsageError(f"{path}: no file has one of the bands {asked}; `pattern` captures {found}.")
    for key in sorted(products):
        yield _make_product(key, products[key], wanted)


def _add_part(products: dict[str, dict[str, Part]], named: BandName, part: Part) -> None:
    product = products.setdefault(named.product, {})
    product[named.band] = Part(uri=part.uri, size=part.size, mtime_ns=part.mtime_ns, role=named.band)


def _make_product(key: str, parts: dict[str, Part], wanted: frozenset[str]) -> Item:
    missing = sorted(wanted - parts.keys())
    if missing:
        return refuse(
            key, Reason.MISSING, f"band {', '.join(missing)} is not there; it has {', '.join(sorted(parts))}"
        )
    return Item(key=key, parts=tuple(parts[band] for band in sorted(parts)))


def _fingerprint(parts: Sequence[Part]) -> str:
    return make_id(*(text for part in parts for text in (part.role, fingerprint_file(Path(part.uri)))))


def _check_alignment(item: Item, rasters: Sequence[Raster]) -> None:
    first = rasters[0]
    for part, raster in zip(item.parts, rasters, strict=True):
        if len(rasters) > 1 and raster.n_bands != 1:
            detail = f"{part.role} has {raster.n_bands} bands; wanted one band a file"
            raise RecordError(Reason.UNSUPPORTED_PIXELS, detail)
        if (raster.width, raster.height) != (first.width, first.height):
            sizes = f"{raster.width} x {raster.height}, {item.parts[0].role} {first.width} x {first.height}"
            raise RecordError(Reason.MISALIGNED, f"{part.role} has {sizes} pixels")
        if raster.crs != first.crs or not _is_same_grid(raster, first):
            raise RecordError(
                Reason.MISALIGNED, f"{part.role} lies on another grid than {item.parts[0].role}"
            )


def _is_same_grid(one: Raster, other: Raster) -> bool:
    if one.transform is None or other.transform is None:
        return one.transform is other.transform
    a, b, c, d, e, f = (x - y for x, y in zip(one.transform, other.transform, strict=True))
    corners = [(0, 0), (one.width, 0), (0, one.height), (one.width, one.height)]
    shift = max(math.hypot(a * col + b * row + c, d * col + e * row + f) for col, row in corners)
    pixel = min(
        math.hypot(other.transform[0], other.transform[3]), math.hypot(other.transform[1], other.transform[4])
    )
    return shift <= _ALIGNED_PX * pixel


def _place_roles(
    settings: GeotiffSettings, item: Item, rasters: Sequence[Raster]
) -> dict[str, list[_Source]]:
    """Find the bands of every role, in display order."""
    if settings.pattern is not None:
        by_name = {part.role: _Source(raster, 1) for part, raster in zip(item.parts, rasters, strict=True)}
        return {role: [by_name[str(name)] for name in names] for role, names in settings.bands.items()}
    roles = _roles_of_recipe(settings, rasters[0]) if settings.bands else _roles_of_header(rasters[0])
    return {role: [_Source(rasters[0], index) for index in indices] for role, indices in roles.items()}


def _roles_of_recipe(settings: GeotiffSettings, raster: Raster) -> dict[str, list[int]]:
    roles = {role: [int(index) for index in indices] for role, indices in settings.bands.items()}
    used = {index for indices in roles.values() for index in indices}
    if max(used) > raster.n_bands:
        raise RecordError(Reason.MISSING, f"band {max(used)} is not there; the file has {raster.n_bands}")
    if "alpha" not in roles and "alpha" in raster.colours:
        index = raster.colours.index("alpha") + 1
        if index not in used:
            roles["alpha"] = [index]
    return roles


def _roles_of_header(raster: Raster) -> dict[str, list[int]]:
    where = {colour: index for index, colour in reversed(list(enumerate(raster.colours, 1)))}
    roles = {"rgb": [where[colour] for colour in ("red", "green", "blue") if colour in where]}
    if len(roles["rgb"]) != 3:
        said = zip(raster.colours[:16], raster.descriptions, strict=False)
        colours = ", ".join(f"{colour} {text[:20]!r}" if text else colour for colour, text in said)
        detail = f"the file does not say what its {raster.n_bands} band(s) are ({colours}); {_SAY_BANDS}"
        raise RecordError(Reason.UNSUPPORTED_PIXELS, detail)
    roles |= {role: [where[role]] for role in ("nir", "alpha") if role in where}
    return roles


def _make_layer(
    settings: GeotiffSettings, role: str, bands: Sequence[_Source], alpha: _Source | None
) -> Layer:
    raster = bands[0].raster
    dtype = _agree("pixel type", bands, lambda band: band.of(band.raster.dtypes))
    if dtype not in _PIXELS:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS, f"{dtype} pixels; wanted real numbers, such as decibels for SAR"
        )
    modality = _modality_of(role)
    return Layer(
        modality=modality,
        quantity=settings.quantity or _guess_quantity(modality, dtype),
        bands=tuple(band.band for band in bands),
        alpha=None if alpha is None else alpha.band,
        nodata=_choose(settings.nodata, "nodata", bands, lambda band: band.of(band.raster.nodata)),
        scale=_choose(settings.scale, "scale", bands, lambda band: band.of(band.raster.scales)) or 1.0,
        offset=_choose(settings.offset, "offset", bands, lambda band: band.of(band.raster.offsets)) or 0.0,
        width=raster.width,
        height=raster.height,
        dtype=dtype,
        crs=raster.crs,
        transform=raster.transform,
    )


def _choose(
    given: float | None, what: str, bands: Sequence[_Source], value_of: Callable[[_Source], float | None]
) -> float | None:
    return given if given is not None else _agree(what, bands, value_of)


def _agree(what: str, bands: Sequence[_Source], value_of: Callable[[_Source], Value]) -> Value:
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


def _modality_of(role: str) -> Modality:
    return Modality.SAR if role in _POLARISATIONS else Modality(role)


def _guess_quantity(modality: Modality, dtype: str) -> Quantity:
    if dtype == "uint8":
        return Quantity.DISPLAY
    return Quantity.DB if modality is Modality.SAR and dtype.startswith("float") else Quantity.COUNTS


def _facts_of_role(role: str, origin: Origin) -> Facts:
    polarisation = role.upper() if role in _POLARISATIONS else None
    return Facts(origin=origin, modality=_modality_of(role), polarisation=polarisation)


def _gather_facts(settings: GeotiffSettings, item: Item, raster: Raster) -> list[Facts]:
    """Give what is known, in the order of authority: the geo-reference, the recipe and the name, other tags."""
    return [
        _facts_of_grid(raster),
        facts_of_name(settings, item.key),
        _facts_of_product(settings, item),
        facts_of_recipe(settings, looks=settings.looks),
        Facts(origin=Origin.HEADER, acquired=_read_tag_date(raster)),
    ]


def _facts_of_grid(raster: Raster) -> Facts:
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


def _facts_of_product(settings: GeotiffSettings, item: Item) -> Facts:
    if settings.pattern is None:
        return Facts(origin=Origin.NAME)
    named = read_product_name(settings.pattern, item.key, item.parts[0].role)
    return Facts(origin=Origin.NAME, acquired=named.acquired, lon=named.lon, lat=named.lat)


def _read_tag_date(raster: Raster) -> str | None:
    """Give the surest date in the tags. A tag that holds no date (blanks, zeros) is no fact: writers fill them in."""
    for text in raster.dates:
        try:
            return parse_date(text)
        except RecordError:
            continue
    return None
