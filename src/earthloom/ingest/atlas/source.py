"""Landscapes as a source: items by number, rendered into files when read, described as scenes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from earthloom.core.errors import RecordError
from earthloom.core.ids import make_id
from earthloom.core.records import (
    Band,
    ClassMask,
    Item,
    Label,
    Legend,
    Modality,
    Origin,
    Part,
    Quantity,
    Reason,
    Scene,
)
from earthloom.geo.grid import Grid
from earthloom.ingest.atlas.cover import NAMES
from earthloom.ingest.atlas.files import Placement, place_scene, write_raster
from earthloom.ingest.atlas.frame import Frame
from earthloom.ingest.atlas.ground import find_site
from earthloom.ingest.atlas.landscape import make_landscape
from earthloom.ingest.atlas.optics import take_pictures
from earthloom.ingest.atlas.radar import measure
from earthloom.ingest.atlas.site import Site
from earthloom.ingest.config import AtlasSettings
from earthloom.ingest.listing import choose
from earthloom.ingest.scenes import Facts, Layer, facts_of_name, facts_of_recipe, make_scene

ATLAS_VERSION = "1"
"""Changes when the same seed would give other pixels."""

_PLATFORM = "Atlas (synthetic)"
_DATASET = "earthloom atlas (synthetic landscapes)"
_CREDIT = "earthloom atlas, synthetic landscapes"
_KEY = re.compile(r"seed-(-?\d+)/scene-(\d{6,})")


def list_items(settings: AtlasSettings, root: Path) -> Iterator[Item]:
    """List the landscapes of a seed by number. Landscape k is the same however many are asked for."""
    items = (
        Item(key=f"seed-{settings.seed}/scene-{number:06d}", parts=(Part(uri="", size=0),))
        for number in range(settings.scenes)
    )
    return choose(items, None, settings.limit)


def read_item(settings: AtlasSettings, item: Item, root: Path, assets: Path) -> list[Scene]:
    """Render one landscape below `assets`, unless it is there already, and describe it.

    One scene for each of `settings.modalities`, all on one grid. Raises RecordError, WriteError.
    """
    frame = _frame_of(settings, item)
    site = find_site(frame)
    placement = place_scene(frame, site)
    files = _Files(settings, item, assets)
    if not files.are_complete():
        _render(frame, settings, placement, files)
    facts = _find_facts(frame, site, placement)
    mask, labels = _describe_cover(files.path("cover"))
    return [
        _describe(settings, item, files, modality, placement, (facts, mask, labels))
        for modality in settings.modalities
    ]


def _frame_of(settings: AtlasSettings, item: Item) -> Frame:
    match = _KEY.fullmatch(item.key)
    if match is None:
        raise RecordError(
            Reason.MISSING, f"atlas has no landscape {item.key!r}; keys are like seed-0/scene-000012"
        )
    return Frame(settings.size, settings.gsd_m, int(match[1]), int(match[2]))


class _Files:
    """Where the rasters of one item lie: their folder is named after all that they depend on."""

    def __init__(self, settings: AtlasSettings, item: Item, assets: Path) -> None:
        self._settings = settings
        self._content = make_id("atlas", ATLAS_VERSION, item.key, settings.size, float(settings.gsd_m))
        self._folder = assets / make_id("atlas files", settings.name, self._content)

    def path(self, name: str) -> Path:
        """Of the raster called `cover` or after a modality."""
        looks = f"-{self._settings.looks}" if name == Modality.SAR.value else ""
        return self._folder / f"{name}{looks}.tif"

    def fingerprint(self, modality: Modality) -> str:
        """Of what one modality shows; no pixel need be read for it."""
        looks = self._settings.looks if modality is Modality.SAR else None
        return make_id(self._content, looks)

    def are_complete(self) -> bool:
        """Whether all rasters exist; each was written whole or not at all."""
        names = ["cover", *(modality.value for modality in self._settings.modalities)]
        return all(self.path(name).is_file() for name in names)


def _render(frame: Frame, settings: AtlasSettings, placement: Placement, files: _Files) -> None:
    landscape = make_landscape(frame)
    if {Modality.RGB, Modality.NIR} & set(settings.modalities):
        rgb, nir = take_pictures(landscape)
        if Modality.RGB in settings.modalities:
            write_raster(files.path("rgb"), rgb, placement)
        if Modality.NIR in settings.modalities:
            write_raster(files.path("nir"), nir, placement)
        del rgb, nir
    if Modality.SAR in settings.modalities:
        write_raster(files.path("sar"), measure(landscape, settings.looks), placement)
    write_raster(files.path("cover"), landscape.cover.classes, placement)


def _find_facts(frame: Frame, site: Site, placement: Placement) -> Facts:
    place = Grid(placement.crs, placement.transform, frame.size, frame.size).locate()
    assert place is not None
    return Facts(
        origin=Origin.SYNTHETIC,
        acquired=site.date.isoformat(),
        lon=place.lon,
        lat=place.lat,
        gsd_x_m=place.gsd_x_m,
        gsd_y_m=place.gsd_y_m,
        footprint=place.footprint,
        platform=_PLATFORM,
        licence="CC0-1.0",
        credit=_CREDIT,
        dataset=_DATASET,
    )


def _describe_cover(path: Path) -> tuple[ClassMask, tuple[Label, ...]]:
    """The mask and the share of each class in it, largest first."""
    with rasterio.open(path) as dataset:
        counts = np.bincount(dataset.read(1).ravel(), minlength=256)
    mask = ClassMask(
        band=Band(uri=str(path), index=1),
        legend=tuple(Legend(value=value, name=name) for value, name in NAMES.items()),
        origin=Origin.SYNTHETIC.value,
    )
    return mask, _labels(counts)


def _labels(counts: NDArray[np.int64]) -> tuple[Label, ...]:
    total = int(counts.sum())
    present = sorted(
        (value for value in NAMES if counts[value]), key=lambda value: (-int(counts[value]), value)
    )
    return tuple(
        Label(
            name=NAMES[value], kind="cover", origin=Origin.SYNTHETIC.value, share=int(counts[value]) / total
        )
        for value in present
    )


def _describe(
    settings: AtlasSettings,
    item: Item,
    files: _Files,
    modality: Modality,
    placement: Placement,
    known: tuple[Facts, ClassMask, tuple[Label, ...]],
) -> Scene:
    facts, mask, labels = known
    is_radar = modality is Modality.SAR
    facts = dataclasses.replace(
        facts,
        modality=modality,
        polarisation="VV" if is_radar else None,
        looks=float(settings.looks) if is_radar else None,
    )
    uri = str(files.path(modality.value))
    layer = Layer(
        modality=modality,
        quantity=Quantity.DB if is_radar else Quantity.DISPLAY,
        bands=tuple(Band(uri=uri, index=i) for i in ((1, 2, 3) if modality is Modality.RGB else (1,))),
        width=settings.size,
        height=settings.size,
        dtype="float32" if is_radar else "uint8",
        crs=placement.crs,
        transform=placement.transform,
    )
    sources = (facts_of_recipe(settings), facts_of_name(settings, item.key), facts)
    scene = make_scene(settings, item, files.fingerprint(modality), layer, sources, labels=labels)
    return dataclasses.replace(scene, mask=mask, synthetic=True)
