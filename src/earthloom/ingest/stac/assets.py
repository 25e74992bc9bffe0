"""Which band of which asset is what: by the recipe's words, or by what the item says of its assets."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.ingest.config import BAND_ROLES
from earthloom.ingest.rasters import RASTERS
from earthloom.ingest.stac.bands import StatedBand, list_bands, merge_asset, state_band
from earthloom.ingest.stac.document import Json
from earthloom.net.urls import is_remote, name_of

POLARISATIONS = ("VV", "VH", "HH", "HV")
_NIR = ("nir", "nir08")
"""Common names that are near infrared, better first: 0.75-1.0 um, and its narrow part."""
_MEDIA = ("image/tiff", "image/jp2", "image/vnd.stac.geotiff", "image/x.geotiff", "image/x-geotiff")
_NO_DATA = frozenset(("thumbnail", "overview", "metadata"))
"""Roles of assets that are made for looking at, or are no picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AssetBand:
    """A band of an asset that an item has."""

    key: str
    """Of the asset."""
    asset: Mapping[str, object]
    band: StatedBand

    @property
    def polarisation(self) -> str | None:
        """What the asset or its key says; None where that is not one."""
        stated = self.asset.get("sar:polarizations")
        names = stated if isinstance(stated, list) else []
        words = [self.band.name or "", *re.split(r"[^a-z]+", self.key.lower())]
        for said in (names, words):
            found = {str(word).upper() for word in said} & set(POLARISATIONS)
            if len(found) == 1:
                return found.pop()
        return None


def find_roles(
    item: Json, collection: Json | None, wanted: Mapping[str, Sequence[str]]
) -> dict[str, list[AssetBand]]:
    """Find the bands of every role, in display order; empty where nothing is wanted and nothing is named.

    Raises RecordError MISSING for an asset or band that is wanted and that the item lacks.
    """
    assets = {
        key: merge_asset(asset, collection, key) for key, asset in sorted(item["assets"].items()) if asset
    }
    listing = _Assets(assets, item["properties"])
    if wanted:
        return {role: listing.choose(role, words) for role, words in wanted.items()}
    return listing.guess()


def find_only_raster(item: Json, collection: Json | None) -> AssetBand:
    """Give the only raster of an item that says nothing of bands.

    Raises RecordError MISSING where there are none or several.
    """
    assets = {key: merge_asset(asset, collection, key) for key, asset in sorted(item["assets"].items())}
    rasters = [key for key, asset in assets.items() if _is_raster(asset)]
    if len(rasters) != 1:
        have = ", ".join(rasters or assets) or "none"
        said = f"no asset is red, green and blue, near infrared or a polarisation; the item has {have}"
        raise RecordError(Reason.MISSING, f"{said}. Say which, such as `assets: {{rgb: [visual]}}`")
    asset = assets[rasters[0]]
    return AssetBand(key=rasters[0], asset=asset, band=state_band(asset, item["properties"], 1))


class _Assets:
    """The assets of an item with the bands that they are said to have."""

    def __init__(self, assets: Mapping[str, Json], properties: Json) -> None:
        self._assets = assets
        self._properties = properties
        self._bands = {key: list_bands(asset, properties) for key, asset in assets.items()}

    def choose(self, role: str, words: Sequence[str]) -> list[AssetBand]:
        """Find what a recipe names; one word may stand for an asset with all the bands of a role."""
        n_bands = BAND_ROLES[role]
        if len(words) < n_bands:
            (word,) = words
            return self._take_all(role, word, n_bands)
        return [self._take(role, word) for word in words]

    def guess(self) -> dict[str, list[AssetBand]]:
        """Find what the item names itself."""
        colours = [self._find_common(name) for name in ("red", "green", "blue")]
        rgb = [band for band in colours if band is not None]
        roles = {"rgb": rgb if len(rgb) == 3 else self._find_visual()}
        roles["nir"] = [band for name in _NIR if (band := self._find_common(name)) is not None][:1]
        for polarisation in POLARISATIONS:
            found = self._find(lambda band, wanted=polarisation: band.polarisation == wanted)  # type: ignore[misc]
            roles[polarisation.lower()] = [] if found is None else [found]
        return {role: bands for role, bands in roles.items() if bands}

    def _take_all(self, role: str, word: str, n_bands: int) -> list[AssetBand]:
        if word not in self._assets:
            raise self._missing(role, word)
        stated = self._bands[word] or [self._unnamed(word, index) for index in range(1, n_bands + 1)]
        if role == "rgb" and len(stated) >= n_bands:
            named = [band for name in ("red", "green", "blue") for band in stated if band.common_name == name]
            stated = named if len(named) == n_bands else stated
        if len(stated) != n_bands:
            said = f"asset {word!r} has {len(stated)} bands; {role} takes {n_bands}, such as '{word}:1'"
            raise RecordError(Reason.UNSUPPORTED_PIXELS, said)
        return [self._make(word, band) for band in stated]

    def _take(self, role: str, word: str) -> AssetBand:
        """An asset of one band, a band of an asset, or the best band of a common name."""
        if word in self._assets:
            stated = self._bands[word] or [self._unnamed(word, 1)]
            if len(stated) > 1:
                said = f"asset {word!r} has {len(stated)} bands; say which, such as '{word}:1'"
                raise RecordError(Reason.UNSUPPORTED_PIXELS, said)
            return self._make(word, stated[0])
        key, _, name = word.rpartition(":")
        if key in self._assets:
            return self._take_band(role, key, name)
        found = self._find_common(word)
        if found is None:
            raise self._missing(role, word)
        return found

    def _take_band(self, role: str, key: str, name: str) -> AssetBand:
        stated = self._bands[key]
        for band in stated:
            if name in {band.name, band.common_name}:
                return self._make(key, band)
        if not name.isdecimal() or int(name) < 1 or (stated and int(name) > len(stated)):
            have = ", ".join(band.name or str(band.index) for band in stated) or "bands without names"
            raise RecordError(Reason.MISSING, f"{role}: asset {key!r} has no band {name!r}; it has {have}")
        return self._make(key, stated[int(name) - 1] if stated else self._unnamed(key, int(name)))

    def _missing(self, role: str, word: str) -> RecordError:
        have = ", ".join(self._assets) or "none"
        return RecordError(Reason.MISSING, f"{role}: asset {word!r} is not there; the item has {have}"[:400])

    def _find_common(self, name: str) -> AssetBand | None:
        return self._find(lambda band: band.band.common_name == name)

    def _find_visual(self) -> list[AssetBand]:
        for key, asset in self._assets.items():
            if _is_visual(key, asset) and _is_raster(asset) and not self._bands[key]:
                return [self._make(key, self._unnamed(key, index)) for index in (1, 2, 3)]
        return []

    def _find(self, is_wanted: Callable[[AssetBand], bool]) -> AssetBand | None:
        """The best band of all rasters.

        Measured goes before made for looking at, alone before with others, finer before coarser; then by key.
        """
        return min((band for band in self._rasters() if is_wanted(band)), key=self._rank, default=None)

    def _rasters(self) -> Iterator[AssetBand]:
        for key, asset in self._assets.items():
            if _is_raster(asset):
                for band in self._bands[key] or [self._unnamed(key, 1)]:
                    yield self._make(key, band)

    def _rank(self, band: AssetBand) -> tuple[bool, bool, float, float, str]:
        gsd = self._assets[band.key].get("gsd")
        return (
            _is_visual(band.key, self._assets[band.key]),
            len(self._bands[band.key]) > 1,
            math.inf if band.band.gsd_m is None else band.band.gsd_m,
            float(gsd) if isinstance(gsd, (int, float)) else math.inf,
            band.key,
        )

    def _unnamed(self, key: str, index: int) -> StatedBand:
        return state_band(self._assets[key], self._properties, index)

    def _make(self, key: str, band: StatedBand) -> AssetBand:
        return AssetBand(key=key, asset=self._assets[key], band=band)


def _roles_of(asset: Json) -> set[str]:
    roles = asset.get("roles")
    return {str(role).lower() for role in roles} if isinstance(roles, list) else set()


def _is_visual(key: str, asset: Json) -> bool:
    return "visual" in _roles_of(asset) or key.lower().startswith("visual")


def _is_raster(asset: Json) -> bool:
    """Whether an asset is a raster of data, by its media type, or by its name where it has none."""
    if _roles_of(asset) & _NO_DATA:
        return False
    media = str(asset.get("type") or "").lower()
    if media:
        return media.startswith(_MEDIA)
    href = str(asset.get("href") or "")
    name = name_of(href) if is_remote(href) else href
    return name[name.rfind(".") :].lower() in RASTERS
