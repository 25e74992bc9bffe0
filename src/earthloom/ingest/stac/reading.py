"""Reading: from an item to its scenes, by the headers of its assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from earthloom.core.errors import RecordError
from earthloom.core.ids import make_id
from earthloom.core.records import Item, Origin, Reason, Scene
from earthloom.geo.raster import fingerprint_raster
from earthloom.ingest.layers import (
    BandSource,
    check_alignment,
    facts_of_grid,
    facts_of_role,
    facts_of_tags,
    find_roles,
    is_same_grid,
    make_layer,
    modality_of,
    take_band,
)
from earthloom.ingest.rasters import Raster, read_raster
from earthloom.ingest.scenes import Facts, Layer, facts_of_name, facts_of_recipe, make_scene
from earthloom.ingest.stac import assets
from earthloom.ingest.stac.assets import AssetBand
from earthloom.ingest.stac.bands import state_band
from earthloom.ingest.stac.config import StacSettings
from earthloom.ingest.stac.document import Found, load_found, migrate
from earthloom.ingest.stac.facts import facts_of_ground, facts_of_item, find_ground, find_polarisation
from earthloom.ingest.stac.hrefs import resolve
from earthloom.ingest.stac.values import find_quantity, settle_values
from earthloom.net.client import configure
from earthloom.net.config import TURNS
from earthloom.net.urls import is_remote

_FAMILY = "STAC"
"""Grids of tiles and paths are the same everywhere: what two sources show of one ground is one group."""

Roles = Mapping[str, Sequence[AssetBand]]


def read_item(settings: StacSettings, item: Item, root: Path, folder: Path) -> list[Scene]:
    """Read the headers of the assets that an item's roles need: a scene for each role.

    Assets on servers are read in parts as `settings.net` says. Raises RecordError: MISSING for an asset that the
    item or its server lacks, MISALIGNED for assets of one role on different grids, BAD_FACTS for an item that is
    none, and as `read_raster` does, naming the asset.
    """
    listed = load_found(item.document)
    found = replace(listed, item=migrate(listed.item))
    product = _Product(settings, found, folder / TURNS)
    roles = assets.find_roles(found.item, found.collection, settings.assets) or product.read_only_raster()
    return product.make_scenes(item, roles)


class _Product:
    """An item whose assets are opened as they are needed, each once."""

    def __init__(self, settings: StacSettings, found: Found, turns: Path) -> None:
        self._settings = settings
        self._turns = turns
        self._found = found
        self._item = found.item
        self._rasters: dict[str, Raster] = {}

    def read_only_raster(self) -> dict[str, list[AssetBand]]:
        """Find the roles of an item that says nothing of bands by the header of its only raster."""
        band = assets.find_only_raster(self._item, self._found.collection)
        roles = find_roles(self._read(band))
        return {
            role: [
                replace(band, band=state_band(dict(band.asset), self._item["properties"], index))
                for index in indices
            ]
            for role, indices in roles.items()
        }

    def make_scenes(self, item: Item, roles: Roles) -> list[Scene]:
        """Make a scene of each role but `alpha`."""
        grids: dict[str, Raster] = {}
        scenes = []
        for role in sorted(roles.keys() - {"alpha"}):
            bands = [self._take(band) for band in roles[role]]
            alpha = self._find_alpha(roles.get("alpha"), bands)
            self._check_grids(roles[role], bands, alpha)
            raster = bands[0].raster
            first = next((name for name, other in grids.items() if is_same_grid(raster, other)), role)
            grids.setdefault(first, raster)
            ground = find_ground(self._item)
            scenes.append(
                make_scene(
                    self._settings,
                    item,
                    self._fingerprint([*roles[role], *roles.get("alpha", ())]),
                    self._make_layer(role, roles[role], bands, alpha),
                    self._gather_facts(item, role, roles[role], raster),
                    group=ground if ground is not None else item.key,
                    pair=None if first == min(grids) else f"{item.key} {first}",
                    family=_FAMILY,
                )
            )
        return scenes

    def _read(self, band: AssetBand) -> Raster:
        if band.key not in self._rasters:
            try:
                uri = _find_uri(band, self._found.href)
                if is_remote(uri):
                    configure(self._settings.net, self._turns)
                self._rasters[band.key] = read_raster(uri)
            except RecordError as error:
                raise RecordError(error.reason, f"asset {band.key!r}: {error.detail}") from error
        return self._rasters[band.key]

    def _take(self, band: AssetBand) -> BandSource:
        raster = self._read(band)
        if band.band.index > raster.n_bands:
            said = f"asset {band.key!r} has no band {band.band.index}; the file has {raster.n_bands}"
            raise RecordError(Reason.MISSING, said)
        return settle_values(take_band(raster, band.band.index), band.band, self._item)

    def _find_alpha(
        self, stated: Sequence[AssetBand] | None, bands: Sequence[BandSource]
    ) -> BandSource | None:
        """The validity band: as the recipe says, else the alpha band of the one file that holds the scene."""
        if stated:
            return take_band(self._read(stated[0]), stated[0].band.index)
        raster = bands[0].raster
        if {band.raster.uri for band in bands} != {raster.uri} or "alpha" not in raster.colours:
            return None
        index = raster.colours.index("alpha") + 1
        return None if index in {band.index for band in bands} else take_band(raster, index)

    def _check_grids(
        self, named: Sequence[AssetBand], bands: Sequence[BandSource], alpha: BandSource | None
    ) -> None:
        files = [(f"asset {name.key!r}", band.raster) for name, band in zip(named, bands, strict=True)]
        check_alignment([*files, *([] if alpha is None else [("the alpha band", alpha.raster)])])

    def _make_layer(
        self, role: str, named: Sequence[AssetBand], bands: Sequence[BandSource], alpha: BandSource | None
    ) -> Layer:
        first = named[0]
        modality = modality_of(role)
        quantity = find_quantity(modality, bands[0].dtype, first.band, first.key, self._item["properties"])
        return make_layer(self._settings, role, bands, alpha, quantity)

    def _gather_facts(self, item: Item, role: str, named: Sequence[AssetBand], raster: Raster) -> list[Facts]:
        """Give what is known, in the order of authority: the file's geo-reference, the recipe, the item, other tags."""
        modality = modality_of(role)
        facts = facts_of_role(role, Origin.RECIPE if self._settings.assets else Origin.STAC)
        if facts.polarisation is None and role == "sar":
            facts = replace(
                facts, polarisation=find_polarisation(self._item, [band.polarisation for band in named])
            )
        asset_gsd = named[0].asset.get("gsd")
        gsd_m = float(asset_gsd) if isinstance(asset_gsd, (int, float)) else named[0].band.gsd_m
        return [
            facts,
            facts_of_grid(raster),
            facts_of_name(self._settings, item.key),
            facts_of_recipe(self._settings),
            facts_of_item(self._item, self._found.collection, modality),
            *([facts_of_ground(self._item, gsd_m)] if raster.transform is None else []),
            facts_of_tags(raster),
        ]

    def _fingerprint(self, bands: Sequence[AssetBand]) -> str:
        keys = dict.fromkeys(band.key for band in bands)
        return make_id(*(text for key in keys for text in (key, fingerprint_raster(self._rasters[key].uri))))


def _find_uri(band: AssetBand, base: str) -> str:
    """Where an asset lies: its link, or an alternate one where that is none that is read here (`s3:`)."""
    try:
        return resolve(band.asset.get("href"), base)
    except RecordError:
        alternates = band.asset.get("alternate")
        for _, other in sorted(alternates.items()) if isinstance(alternates, dict) else ():
            href = other.get("href") if isinstance(other, dict) else None
            if isinstance(href, str) and is_remote(href):
                return href
        raise
