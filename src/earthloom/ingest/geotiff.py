"""Rasters: GeoTIFF, COG, JPEG 2000, Erdas Imagine, NITF; multi-band files and one-file-per-band products.

One item gives one scene for each role that the recipe names (`rgb`, `nir`, `sar`, `vv`, ...); they share a pair key
and a group. Without `bands` a file must say itself which bands are red, green and blue: a fourth band is alpha or
near infrared where its colour interpretation or the recipe says so, and never by guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.ids import fingerprint_file, make_id
from earthloom.core.records import Item, Origin, Part, Reason, Scene
from earthloom.ingest.config import GeotiffSettings
from earthloom.ingest.layers import (
    BandSource,
    check_alignment,
    facts_of_grid,
    facts_of_role,
    facts_of_tags,
    find_roles,
    make_layer,
    take_band,
)
from earthloom.ingest.listing import choose, list_files, locate, refuse
from earthloom.ingest.names import BandName, read_product_name, split_band
from earthloom.ingest.rasters import RASTERS, Raster, read_raster
from earthloom.ingest.scenes import Facts, facts_of_name, facts_of_recipe, make_scene


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
    _check_files(item, rasters)
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
            make_layer(settings, role, bands, alpha[0] if alpha else None),
            [facts_of_role(role, origin), *facts],
        )
        for role, bands in sorted(roles.items())
    ]


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


def _check_files(item: Item, rasters: Sequence[Raster]) -> None:
    for part, raster in zip(item.parts, rasters, strict=True):
        if len(rasters) > 1 and raster.n_bands != 1:
            detail = f"{part.role} has {raster.n_bands} bands; wanted one band a file"
            raise RecordError(Reason.UNSUPPORTED_PIXELS, detail)
    check_alignment([(part.role, raster) for part, raster in zip(item.parts, rasters, strict=True)])


def _place_roles(
    settings: GeotiffSettings, item: Item, rasters: Sequence[Raster]
) -> dict[str, list[BandSource]]:
    """Find the bands of every role, in display order."""
    if settings.pattern is not None:
        by_name = {part.role: take_band(raster, 1) for part, raster in zip(item.parts, rasters, strict=True)}
        return {role: [by_name[str(name)] for name in names] for role, names in settings.bands.items()}
    roles = _roles_of_recipe(settings, rasters[0]) if settings.bands else find_roles(rasters[0])
    return {role: [take_band(rasters[0], index) for index in indices] for role, indices in roles.items()}


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


def _gather_facts(settings: GeotiffSettings, item: Item, raster: Raster) -> list[Facts]:
    """Give what is known, in the order of authority: the geo-reference, the recipe and the name, other tags."""
    return [
        facts_of_grid(raster),
        facts_of_name(settings, item.key),
        _facts_of_product(settings, item),
        facts_of_recipe(settings, looks=settings.looks),
        facts_of_tags(raster),
    ]


def _facts_of_product(settings: GeotiffSettings, item: Item) -> Facts:
    if settings.pattern is None:
        return Facts(origin=Origin.NAME)
    named = read_product_name(settings.pattern, item.key, item.parts[0].role)
    return Facts(origin=Origin.NAME, acquired=named.acquired, lon=named.lon, lat=named.lat)
