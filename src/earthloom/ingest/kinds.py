"""Every kind of source: its settings, what is known of it, and the functions that list and read it."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from earthloom.core.records import Item, Scene
from earthloom.ingest import geotiff, images
from earthloom.ingest.about import About
from earthloom.ingest.config import AtlasSettings, GeotiffSettings, ImagesSettings, SourceSettings
from earthloom.ingest.datasets import (
    Adapter,
    fmow,
    gid,
    hrrsd,
    hrsc2016,
    inria,
    list_dataset,
    mrssc2,
    nasc_tg2,
    sen1_2,
    sen12ms,
    whu_opt_sar,
)
from earthloom.ingest.released import coco, gaia, imagefolder, karpathy, mmm_rs, parquet, webdataset
from earthloom.ingest.stac.config import StacSettings

AnySource = (
    GeotiffSettings
    | StacSettings
    | ImagesSettings
    | AtlasSettings
    | sen1_2.Sen12Settings
    | sen12ms.Sen12msSettings
    | inria.InriaSettings
    | whu_opt_sar.WhuOptSarSettings
    | gid.GidSettings
    | mrssc2.Mrssc2Settings
    | nasc_tg2.NascTg2Settings
    | hrsc2016.Hrsc2016Settings
    | hrrsd.HrrsdSettings
    | fmow.FmowSettings
    | gaia.GaiaSettings
    | mmm_rs.MmmRsSettings
    | webdataset.WebDatasetSettings
    | parquet.ParquetSettings
    | imagefolder.ImageFolderSettings
    | karpathy.KarpathySettings
    | coco.CocoSettings
)
"""Settings of any kind of source."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of source."""

    settings: type[SourceSettings]
    about: About
    list_items: Callable[[Any, Path], Iterator[Item]]
    """(settings, root) to items: streaming, in a stable order, opening no header."""
    read_item: Callable[[Any, Item, Path, Path], list[Scene]]
    """(settings, item, root, assets) to scenes; raises RecordError."""
    fetch_items: Callable[[Any, Sequence[Item], Path, Path], None] | None = None
    """(settings, items, root, assets): bring what the items of one shard need from elsewhere, many at once; what
    fails is left for `read_item` to refuse."""
    adapter: Adapter[Any] | None = None
    """Of a published dataset."""


def _of_adapter(adapter: Adapter[Any]) -> Kind:
    return Kind(
        settings=typing.get_type_hints(adapter.place)["settings"],
        about=adapter.about,
        list_items=partial(list_dataset, adapter),
        read_item=lambda settings, item, root, assets: adapter.read(settings, item),
        adapter=adapter,
    )


def _of_module(module: Any) -> Kind:
    """The kind that a module describes: `ABOUT`, `list_items`, `read_item` and, where there is one, `fetch_items`."""
    return Kind(
        settings=typing.get_type_hints(module.read_item)["settings"],
        about=module.ABOUT,
        list_items=module.list_items,
        read_item=module.read_item,
        fetch_items=getattr(module, "fetch_items", None),
    )


def _list_atlas(settings: AtlasSettings, root: Path) -> Iterator[Item]:
    from earthloom.ingest import atlas  # brings scipy's solvers, which every worker would pay for

    return atlas.list_items(settings, root)


def _read_atlas(settings: AtlasSettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    from earthloom.ingest import atlas

    return atlas.read_item(settings, item, root, assets)


def _list_stac(settings: StacSettings, root: Path) -> Iterator[Item]:
    from earthloom.ingest.stac import listing  # brings shapely and more, which other sources do without

    return listing.list_items(settings, root)


def _read_stac(settings: StacSettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    from earthloom.ingest.stac import reading

    return reading.read_item(settings, item, root, assets)


_ALL = (
    Kind(
        settings=GeotiffSettings,
        about=About(
            title="GeoTIFF",
            what="rasters that GDAL opens: GeoTIFF, COG, JPEG 2000, ...; one file, or one file a band",
            example=r"""# Four bands in one file; the date is in its name.
- {kind: geotiff, path: naip, bands: {rgb: [1, 2, 3], nir: [4]}, date: '_(\d{8})\.tif$', platform: NAIP}
# One file a band; names such as LC80460282016177LGN00_B4.TIF are joined to one item.
- kind: geotiff
  path: landsat8
  pattern: '^LC8\d{6}(?P<date>\d{7})LGN\d\d_(?P<band>B\d+)\.TIF$'
  bands: {rgb: [B4, B3, B2], nir: [B5]}
  platform: Landsat 8
""",
        ),
        list_items=geotiff.list_items,
        read_item=lambda settings, item, root, assets: geotiff.read_item(settings, item),
    ),
    Kind(
        settings=StacSettings,
        about=About(
            title="STAC",
            what="items of a SpatioTemporal Asset Catalog: an API search, a static catalog, or item files",
            example="""# A search; windows are read from the server, nothing is downloaded whole.
- kind: stac
  url: https://earth-search.aws.element84.com/v1
  collections: [sentinel-2-l2a]
  bbox: [11.3, 47.9, 11.7, 48.2]
  datetime: 2023-06-01/2023-06-30
  cloud_cover: 10
  assets: {rgb: [red, green, blue], nir: [nir]}
  max_items: 20
# A catalog on this machine.
- {kind: stac, catalog: catalog/catalog.json}
""",
        ),
        list_items=_list_stac,
        read_item=_read_stac,
    ),
    Kind(
        settings=ImagesSettings,
        about=About(
            title="Pictures",
            what="JPEG, PNG, WebP, TIFF, BMP in folders, .tar or .zip, with facts and captions from a table",
            example="""# A tar of JPEGs in folders named after their class, read without unpacking.
- {kind: images, path: eurosat_rgb.tar, classes: true, gsd_m: 10, platform: Sentinel-2}
# A folder with captions and facts by file name.
- {kind: images, path: photos, facts: photos.csv, gsd_m: 0.5}
""",
            in_archives=True,
        ),
        list_items=images.list_items,
        read_item=lambda settings, item, root, assets: images.read_item(settings, item, root),
    ),
    Kind(
        settings=AtlasSettings,
        about=About(
            title="Atlas",
            what="built-in synthetic landscapes: RGB, near infrared, SAR and land cover on one grid",
            licence="CC0-1.0",
            example="- {kind: atlas, scenes: 28, size: 1024, gsd_m: 2.0, seed: 7}\n",
        ),
        list_items=_list_atlas,
        read_item=_read_atlas,
    ),
    _of_adapter(mrssc2.ADAPTER),
    _of_adapter(inria.ADAPTER),
    _of_adapter(nasc_tg2.ADAPTER),
    _of_adapter(gid.ADAPTER),
    _of_adapter(whu_opt_sar.ADAPTER),
    _of_adapter(hrsc2016.ADAPTER),
    _of_adapter(hrrsd.ADAPTER),
    _of_adapter(fmow.ADAPTER),
    _of_adapter(sen1_2.ADAPTER),
    _of_adapter(sen12ms.ADAPTER),
    _of_module(gaia),
    _of_module(mmm_rs),
    _of_module(webdataset),
    _of_module(parquet),
    _of_module(imagefolder),
    _of_module(karpathy),
    _of_module(coco),
)


def name_of(settings: type[SourceSettings]) -> str:
    """Give the name of a kind: the one value that its field `kind` may have."""
    (name,) = typing.get_args(settings.model_fields["kind"].annotation)
    return str(name)


KINDS: dict[str, Kind] = {name_of(kind.settings): kind for kind in _ALL}
"""By name, in the order in which they are shown."""


def find_kind(settings: SourceSettings) -> Kind:
    """Give the kind of some settings."""
    return KINDS[str(settings.kind)]  # type: ignore[attr-defined]
