"""fMoW, Functional Map of the World: Maxar satellites, one place over time, boxes in 62 categories (Christie 2018).

fMoW-rgb has two JPEGs of every view, `_rgb` (sharpened with the panchromatic band) and `_msrgb` (the multispectral
bands alone, four times as coarse): the same ground, so one kind is read at a time and the other passed over.
fMoW-full is the same tree with TIFFs, `_rgb.tif` and `_ms.tif`.

The JSON beside an image came without a place in the challenge. The ground truth released later (`train_gt/...`) has it:
unpacked beside `train`, its files go before those. Images lie on a grid in degrees (EPSG:4326), so that away
from the equator a pixel is narrower on the ground than it is high: where `raw_location` is known, the grid gives place,
footprint and both pixel distances (0.35 by 0.51 m in an image whose `gsd` is 0.47 m), else `gsd` stands for both.

Folders of seven digits in `test` and `seq` hide the category, and their JSON is noised on purpose: nothing of it is a
fact but the boxes. Copied into category folders by the publisher's mapping file, with the JSON of the ground
truth, they are read as `train` is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

import shapely

from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Label, Modality, Origin, Part, Quantity, Reason, Scene
from earthloom.geo.grid import Grid
from earthloom.ingest.about import About
from earthloom.ingest.datasets import fmow_facts
from earthloom.ingest.datasets.adapter import Adapter, DatasetSettings, Place, part_of
from earthloom.ingest.datasets.reading import (
    Pixels,
    check_size,
    make_dataset_scene,
    open_part,
    read_json,
    read_picture,
    take_bands,
)
from earthloom.ingest.rasters import Raster
from earthloom.ingest.scenes import Facts


class FmowSettings(DatasetSettings):
    """fMoW: Maxar satellite views of 62 kinds of places over time, with boxes, angles, clouds and dates."""

    kind: Literal["fmow"]
    """What kind of source this is."""
    views: Literal["rgb", "msrgb", "ms"] = "rgb"
    """Which of the views to read: `rgb` (JPEG, or TIFF of fMoW-full), `msrgb` (the same ground at a quarter of the
    resolution) or `ms` (fMoW-full's 4 or 8 bands: RGB and near infrared)."""
    target_azimuth: Literal["to_sensor", "to_target"] | None = None
    """What `target_azimuth_dbl` is: the direction from the ground to the satellite, or from the point below the
    satellite to the ground. The publisher does not say which, and the two differ by 180 degrees: without this setting
    the view azimuth stays unknown."""


ABOUT = About(
    title="fMoW",
    what="Maxar satellites, RGB JPEG (or 4 and 8 bands), 0.3 to 3 m; boxes in 62 categories, each place over time",
    layout=(
        "train/airport/airport_0/airport_0_0_rgb.jpg    (also val, test, seq; _msrgb.jpg with `views: msrgb`)",
        "train/airport/airport_0/airport_0_0_rgb.json",
        "train_gt/airport/airport_0/airport_0_0_rgb.json    (ground truth with places; goes first)",
        "test/0000000/0000000_0_rgb.jpg    (also seq: without categories)",
        "train/airport/airport_0/airport_0_0_ms.tif    (fMoW-full with `views: ms`; _rgb.tif with rgb)",
    ),
    whole=(("images", 523_846),),
    licence="fMoW Challenge Public License",
    terms="Non-commercial, attribution, share-alike for adapted images; trained models expressly are not adapted.",
    credit="Christie, Fendley, Wilson, Mukherjee 2018 (fMoW), imagery by DigitalGlobe",
    example="- {kind: fmow, path: fmow-rgb}\n",
    in_archives=True,
)

_NAME = re.compile(
    r"(?P<top>(?:.*/)?)(?P<place>(?P<category>[a-z][a-z_-]*)_\d+|\d{7})/(?P<stem>(?P=place)_\d+)"
    r"_(?P<kind>rgb|msrgb|ms)\.(?P<suffix>jpe?g|tiff?|json)"
)
_SPLIT = re.compile(
    r"(?P<before>(?:.*/)?)(?P<split>train|val|test|seq)(?P<truth>_gt)?/(?P<after>(?:[^/]+/)?)"
)
_KINDS = ("rgb", "msrgb", "ms")
_PICTURES, _RASTERS = ("jpg", "jpeg"), ("tif", "tiff")
_CENTRES_NM = {"red": 660.0, "green": 545.0, "blue": 480.0, "nir": 830.0}
_WIDEST_NM = 45.0
"""A band is what it is called when its centre lies within this of the one above: no other band of the four satellites
does."""
_KNOWN_ORDERS = {
    3: {"red": 1, "green": 2, "blue": 3},
    4: {"blue": 1, "green": 2, "red": 3, "nir": 4},
    8: {"blue": 2, "green": 3, "red": 5, "nir": 7},
}
"""Bands to what they are, as Maxar delivers 4 (QuickBird, GeoEye-1) and 8 (WorldView-2, -3)."""


def place(settings: FmowSettings, key: str) -> Place | None:
    """View and JSON of one stem; the ground truth is looked up from the view and leads to none itself.

    What is there of another kind of view only shows that a view is missing.
    """
    match = _NAME.fullmatch(key)
    if match is None:
        return None
    split = _SPLIT.fullmatch(match["top"])
    if split is not None and split["truth"]:
        return None
    folder = f"{match['place']}/{match['stem']}"
    stem = f"{match['top']}{folder}_{settings.views}"
    files = {
        "picture": tuple(f"{stem}.{end}" for end in _PICTURES),
        "raster": tuple(f"{stem}.{end}" for end in _RASTERS),
        "json": (f"{stem}.json",),
    }
    if match["kind"] != settings.views:
        others = (f"{match['top']}{folder}_{kind}" for kind in _KINDS if kind != settings.views)
        role = "other"
        files[role] = tuple(f"{other}.{end}" for other in others for end in (*_PICTURES, *_RASTERS, "json"))
    else:
        role = next(role for role, names in files.items() if key in names)
        if split is not None:
            truth = f"{split['before']}{split['split']}_gt/{split['after']}{folder}_{settings.views}.json"
            files["truth"] = (truth,)
    return Place(
        item=stem,
        role=role,
        files=files,
        carriers=("raster",) if settings.views == "ms" else ("picture", "raster"),
        needed=("json",),
        document="" if split is None else split["split"],
    )


def read(settings: FmowSettings, item: Item) -> list[Scene]:
    """One scene, or RGB and near infrared of `ms`. Views of one place, years apart, share a group."""
    folder, _, name = item.key.rpartition("/")
    note = part_of(item, "truth") or part_of(item, "json")
    meta: fmow_facts.Meta = {} if note is None else read_json(note)
    facts = [Facts(origin=Origin.NAME, published_split=item.document or None)]
    outline = None
    if not name[0].isdigit():
        facts.insert(0, fmow_facts.read_facts(meta, settings.target_azimuth))
        outline = fmow_facts.read_outline(meta)
    scenes = []
    for pixels, origin in _read_views(settings, item, meta):
        size = fmow_facts.read_size(meta)
        if size is not None:
            check_size("what the JSON describes", size, pixels)
        placed, known = _put_on_grid(pixels, outline)
        scene = make_dataset_scene(
            settings,
            item,
            ABOUT,
            placed,
            (*known, *facts, Facts(origin=origin, modality=placed.layer.modality)),
            labels=_read_labels(meta, name, (placed.layer.width, placed.layer.height)),
            group=folder,
            pair=item.key if settings.views == "ms" else None,
        )
        scenes.append(scene)
    return scenes


def _read_labels(meta: fmow_facts.Meta, name: str, size: tuple[int, int]) -> tuple[Label, ...]:
    """What the boxes hold; without boxes, the category of the folder for the whole image."""
    labels = fmow_facts.read_labels(meta, size)
    category = re.fullmatch(r"(.+)_\d+_\d+_[a-z]+", name)
    if labels or category is None or name[0].isdigit():
        return labels
    return (Label(name=fmow_facts.name_category(category[1]), kind="class", origin=Origin.NAME.value),)


def _read_views(settings: FmowSettings, item: Item, meta: fmow_facts.Meta) -> list[tuple[Pixels, Origin]]:
    picture, raster = part_of(item, "picture"), part_of(item, "raster")
    if settings.views != "ms" and picture is not None:
        return [(read_picture(picture, Modality.RGB), Origin.NAME)]
    if raster is None:
        raise RecordError(Reason.MISSING, "neither a JPEG nor a TIFF is there")
    return _read_bands(raster, meta)


def _read_bands(part: Part, meta: fmow_facts.Meta) -> list[tuple[Pixels, Origin]]:
    """RGB of a TIFF, and near infrared where it has one."""
    raster = open_part(part)
    bands, origin = _find_bands(raster, meta)
    quantity = Quantity.DISPLAY if raster.dtypes[0] == "uint8" else Quantity.COUNTS
    rgb = [bands[colour] for colour in ("red", "green", "blue")]
    views = [(take_bands(raster, Modality.RGB, rgb, quantity), origin)]
    if "nir" in bands:
        views.append((take_bands(raster, Modality.NIR, [bands["nir"]], quantity), origin))
    return views


def _find_bands(raster: Raster, meta: fmow_facts.Meta) -> tuple[dict[str, int], Origin]:
    """Find bands by their stated wavelengths, nanometres, else by their number."""
    waves = meta.get("approximate_wavelengths")
    if isinstance(waves, list) and waves and all(isinstance(wave, int | float) for wave in waves):
        if len(waves) != raster.n_bands:
            raise RecordError(
                Reason.MISALIGNED, f"the JSON has {len(waves)} wavelengths, the TIFF {raster.n_bands} bands"
            )
        return _match_waves([float(wave) for wave in waves]), Origin.SIDECAR
    if raster.n_bands not in _KNOWN_ORDERS:
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"{raster.n_bands} bands whose wavelengths are not stated; wanted 3, 4 or 8",
        )
    return _KNOWN_ORDERS[raster.n_bands], Origin.DOCUMENTATION


def _match_waves(waves: list[float]) -> dict[str, int]:
    bands = {}
    for colour, centre in _CENTRES_NM.items():
        nearest = min(range(len(waves)), key=lambda i: abs(waves[i] - centre))
        if abs(waves[nearest] - centre) <= _WIDEST_NM:
            bands[colour] = nearest + 1
        elif colour != "nir":
            raise RecordError(
                Reason.MISSING,
                f"no {colour} band among the wavelengths {', '.join(f'{w:g}' for w in waves)} nm",
            )
    return bands


def _put_on_grid(pixels: Pixels, outline: shapely.Polygon | None) -> tuple[Pixels, tuple[Facts, ...]]:
    """Give a picture the grid that its outline means; one that is no rectangle says place and footprint only."""
    if outline is None or pixels.layer.crs is not None:
        return pixels, ()
    west, south, east, north = outline.bounds
    if outline.area < 0.999 * (east - west) * (north - south):
        centre, footprint = outline.centroid, bytes(shapely.to_wkb(shapely.orient_polygons(outline)))
        return pixels, (Facts(origin=Origin.SIDECAR, lon=centre.x, lat=centre.y, footprint=footprint),)
    layer = pixels.layer
    transform = ((east - west) / layer.width, 0.0, west, 0.0, (south - north) / layer.height, north)
    found = Grid("EPSG:4326", transform, layer.width, layer.height).locate()
    placed = replace(pixels, layer=replace(layer, crs="EPSG:4326", transform=transform))
    if found is None:
        return placed, ()
    return placed, (
        Facts(origin=Origin.SIDECAR, lon=found.lon, lat=found.lat, footprint=found.footprint),
        Facts(origin=Origin.COMPUTED, gsd_x_m=found.gsd_x_m, gsd_y_m=found.gsd_y_m),
    )


ADAPTER = Adapter(
    about=ABOUT,
    suffixes=frozenset((".jpg", ".jpeg", ".tif", ".tiff", ".json")),
    place=place,
    read=read,
)
