"""What a recipe may say about a STAC source."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from earthloom.core.records import Quantity
from earthloom.ingest.config import BAND_ROLES, SourceSettings
from earthloom.ingest.stac.intervals import parse_interval
from earthloom.net.config import NetSettings
from earthloom.net.urls import is_remote, name_of


def _check_interval(text: str) -> str:
    parse_interval(text)
    return text


def _check_url(url: str) -> str:
    if not is_remote(url):
        raise ValueError(f"wants an address that begins with https:// or http://, got {url!r}.")
    return url


class StacSettings(SourceSettings):
    """Items of a SpatioTemporal Asset Catalog: an API search, a static catalog, or item files."""

    items_a_shard: ClassVar[int] = 64
    kind: Literal["stac"]
    """What kind of source this is."""
    url: Annotated[str, AfterValidator(_check_url)] | None = None
    """Root of a STAC API, such as `https://earth-search.aws.element84.com/v1`; it is searched. Of `url`, `catalog` and
    `items` give one."""
    catalog: str | None = Field(None, min_length=1)
    """A static catalog: path (relative to the recipe) or URL of its `catalog.json` or `collection.json`."""
    items: str | None = Field(None, min_length=1)
    """Item files, or FeatureCollections of items: a path, a folder, a glob, or a URL."""
    collections: tuple[str, ...] = ()
    """Ids of the collections to take; all when empty."""
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north, degrees: items that touch it. West of east crosses the antimeridian."""
    datetime: Annotated[str, AfterValidator(_check_interval)] | None = None
    """`2020-05-17`, `2020-05`, `2020-05-01/2020-06-30`, `2020-05-01T00:00:00Z/..`: items of that time."""
    cloud_cover: float | None = Field(None, ge=0, le=100)
    """Largest share of clouds, percent; items that do not state theirs are left out."""
    query: dict[str, Any] | None = None
    """Sent with a search as it is (STAC API query extension), such as `{platform: {eq: landsat-8}}`."""
    filter: dict[str, Any] | None = None
    """Sent with a search as it is (CQL2 JSON, STAC API filter extension)."""
    max_items: int | None = Field(None, ge=1)
    """Stop listing after this many items, in the order in which they are listed."""
    assets: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Role to asset keys, common names, or `ASSET:BAND` with a band's name or number, for one scene each:
    `{rgb: [red, green, blue], nir: [nir]}`, `{rgb: [visual]}`, `{nir: ['image:4']}`. When empty: red, green and blue
    (else `visual`), nir, and the polarisations of SAR, as far as an item has them."""
    quantity: Quantity | None = None
    """What the numbers mean, where neither the item nor the pixel type says it."""
    nodata: float | None = None
    """Overrides the item's and the file's."""
    scale: float | None = None
    """Physical value = scale * stored + offset; overrides the item's and the file's."""
    offset: float | None = None
    """Physical value = scale * stored + offset; overrides the item's and the file's."""
    net: NetSettings = NetSettings()
    """How servers are asked."""

    @property
    def place_name(self) -> str:
        """What the source is called when it has no name: its only collection, else the last part of where it is."""
        if len(self.collections) == 1:
            return self.collections[0]
        where = self.url or self.catalog or self.items or ""
        if is_remote(where):
            return re.sub(r"^https?://", "", where.partition("?")[0]).partition("/")[0].rpartition("@")[2]
        name = name_of(where)
        parent = PurePosixPath(where).parent.name
        return parent if name in {"catalog.json", "collection.json"} and parent else name

    @model_validator(mode="after")
    def _check_place(self) -> StacSettings:
        given = [name for name in ("url", "catalog", "items") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"wants exactly one of `url`, `catalog` and `items`, got {', '.join(given) or 'none'}."
            )
        if self.url is None and (self.query is not None or self.filter is not None):
            raise ValueError("query and filter are answered by a server: they go with `url` only.")
        return self

    @model_validator(mode="after")
    def _check_bbox(self) -> StacSettings:
        if self.bbox is not None:
            west, south, east, north = self.bbox
            if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
                raise ValueError(f"bbox: wants west, south, east, north in degrees, got {list(self.bbox)}.")
        return self

    @model_validator(mode="after")
    def _check_assets(self) -> StacSettings:
        for role, wanted in self.assets.items():
            if role not in BAND_ROLES:
                raise ValueError(f"assets: unknown role {role!r}; roles are {', '.join(BAND_ROLES)}.")
            if len(wanted) not in {1, BAND_ROLES[role]}:
                raise ValueError(f"assets: {role} takes {BAND_ROLES[role]} band(s), got {len(wanted)}.")
        if self.assets and not set(self.assets) - {"alpha"}:
            raise ValueError("assets: alpha alone makes no scene; name rgb, nir, sar, vv, ...")
        return self
