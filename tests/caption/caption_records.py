"""Records to caption: one builder with every fact unknown, and the kinds of image that earthloom meets."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from earthloom.core.records import (
    Appearance,
    Border,
    Box,
    Crop,
    Effect,
    Label,
    Modality,
    Provenance,
    Quantity,
    Scene,
    Stretch,
    Text,
    Tile,
)

ATLAS_COVERS = (
    "water",
    "forest",
    "cropland",
    "grassland",
    "built-up",
    "road",
    "bare ground",
    "sand",
    "wetland",
)


def make_scene(**facts: Any) -> Scene:
    """A scene of which nothing is known but its size, with the given facts."""
    bare: dict[str, Any] = {
        "id": "scene",
        "item_id": "item",
        "source": "folder",
        "source_key": "a.tif",
        "dataset": "folder",
        "modality": Modality.RGB,
        "quantity": Quantity.DISPLAY,
        "bands": (),
        "width": 512,
        "height": 512,
        "dtype": "uint8",
        "group": "group",
        "pair_key": "item",
    }
    return Scene(**(bare | facts))


def make_tile(**facts: Any) -> Tile:
    """A tile of which nothing is known but its size, with the given facts."""
    bare: dict[str, Any] = {
        "id": "tile",
        "scene_id": "scene",
        "base_id": "tile",
        "pair_id": "pair",
        "crop": Crop(col=0, row=0, width=512, height=512),
        "width": 512,
        "height": 512,
        "native_gsd_m": None,
        "gsd_m": None,
        "pixel_m": None,
        "valid_share": 1.0,
        "lon": None,
        "lat": None,
        "footprint": None,
        "stretch": Stretch(method="none", low=(0.0,), high=(255.0,)),
        "labels": (),
        "image": b"",
        "media": "jpg",
        "valid_mask": None,
        "class_mask": None,
        "sha256": "",
    }
    return Tile(**(bare | facts))


def label(
    name: str, *, share: float | None = None, box: tuple[float, float, float, float] | None = None
) -> Label:
    """A label of the kind that its arguments make it."""
    kind = "cover" if share is not None else "object" if box is not None else "class"
    corners = None if box is None else Box(x0=box[0], y0=box[1], x1=box[2], y1=box[3])
    return Label(name=name, kind=kind, origin="dataset documentation", box=corners, share=share)


def make_atlas(index: int) -> tuple[Scene, Tile]:
    """An image as the built-in landscapes give it: synthetic, with cover shares, in one of three modalities."""
    rng = Random(index)
    modality = list(Modality)[index % 3]
    covers = rng.sample(ATLAS_COVERS, rng.randint(2, 7))
    weights = [rng.random() ** 2 + 0.003 for _ in covers]
    shares = [weight / sum(weights) for weight in weights]
    is_sar = modality is Modality.SAR
    gsd_m = rng.choice([1.0, 2.0, 4.0])
    scene = make_scene(
        modality=modality,
        quantity=Quantity.INTENSITY if is_sar else Quantity.DISPLAY,
        synthetic=True,
        polarisation="VV" if is_sar else None,
        looks=4.0 if is_sar else None,
        provenance=(Provenance(fact="gsd_x_m", origin="synthetic"),),
    )
    tile = make_tile(
        id=f"{index:024x}",
        gsd_m=gsd_m,
        native_gsd_m=gsd_m,
        pixel_m=gsd_m,
        lon=10.0,
        lat=50.0,
        labels=tuple(label(name, share=share) for name, share in zip(covers, shares, strict=True)),
        stretch=Stretch(method="db", low=(-25.0,), high=(0.0,))
        if is_sar
        else Stretch(method="none", low=(), high=()),
    )
    return scene, tile


def make_eurosat(name: str = "annual crop") -> tuple[Scene, Tile]:
    """A EuroSAT chip: Sentinel-2, 10 m, 64 pixels enlarged to 512, one class."""
    scene = make_scene(platform="Sentinel-2", sensor="MSI", dataset="EuroSAT", width=64, height=64)
    return scene, make_tile(
        gsd_m=10.0,
        native_gsd_m=10.0,
        pixel_m=1.25,
        labels=(label(name),),
        crop=Crop(col=0, row=0, width=64, height=64),
    )


def make_rsicd(*captions: str) -> tuple[Scene, Tile]:
    """An RSICD picture: no facts but the captions of its source."""
    texts = tuple(Text(text=caption, role="caption") for caption in captions)
    scene = make_scene(width=128, height=128, texts=texts, dataset="RSICD")
    return scene, make_tile(crop=Crop(col=0, row=0, width=128, height=128))


def make_naip(modality: Modality = Modality.NIR) -> tuple[Scene, Tile]:
    """A window of a NAIP mosaic in North Dakota."""
    scene = make_scene(modality=modality, platform="NAIP", place="North Dakota", acquired="2014-09-04")
    return scene, make_tile(gsd_m=5.0, native_gsd_m=5.0, pixel_m=5.0, lon=-99.18, lat=47.02, valid_share=0.93)


def make_sentinel1() -> tuple[Scene, Tile]:
    """A Sentinel-1 chip in decibels."""
    scene = make_scene(
        modality=Modality.SAR,
        quantity=Quantity.DB,
        platform="Sentinel-1",
        sensor="C-SAR",
        polarisation="VV",
        acquired="2019-05-27",
    )
    stretch = Stretch(method="db", low=(-25.0,), high=(0.0,))
    return scene, make_tile(gsd_m=8.9, native_gsd_m=8.9, pixel_m=8.9, lon=-55.2, lat=-4.39, stretch=stretch)


def make_umbra() -> tuple[Scene, Tile]:
    """A window of an Umbra spotlight image, resampled from 0.594 m to 2 m."""
    scene = make_scene(
        modality=Modality.SAR,
        quantity=Quantity.AMPLITUDE,
        platform="Umbra",
        place="Mount Yasur, Vanuatu",
        acquired="2023-02-12",
    )
    return scene, make_tile(gsd_m=2.0, native_gsd_m=0.594, pixel_m=2.0, lon=169.45, lat=-19.53)


def make_bare(modality: Modality = Modality.RGB, **facts: Any) -> tuple[Scene, Tile]:
    """A GeoTIFF of which only modality and size, and what is given, are known."""
    return make_scene(modality=modality), make_tile(**facts)


def make_airport() -> tuple[Scene, Tile]:
    """A picture with boxes."""
    boxes = [(40.0, 40.0, 90.0, 90.0), (60.0, 200.0, 100.0, 240.0), (420.0, 430.0, 470.0, 470.0)]
    labels = [label("airplane", box=box) for box in boxes] + [label("storage tank", box=(240, 230, 270, 270))]
    return make_scene(platform="Google Earth"), make_tile(gsd_m=0.6, pixel_m=0.6, labels=tuple(labels))


def make_fmow() -> tuple[Scene, Tile]:
    """An fMoW image: country, date, sun, view, cloud cover of the whole image, and boxes."""
    scene = make_scene(
        platform="WorldView-2",
        country="US",
        acquired="2016-03-05T17:10:02Z",
        sun_elevation_deg=41.6,
        sun_azimuth_deg=150.0,
        off_nadir_deg=17.3,
        cloud_share=0.07,
        dataset="fMoW",
    )
    labels = (
        label("place of worship", box=(100, 120, 180, 190)),
        label("parking lot or garage", box=(300, 310, 420, 380)),
    )
    tile = make_tile(gsd_m=0.5, native_gsd_m=0.5, pixel_m=0.5, lon=-97.1, lat=32.8, labels=labels)
    return scene, replace(tile, appearance=Appearance(low=0.12, median=0.34, high=0.71, unit="level"))


def make_gid(modality: Modality = Modality.NIR) -> tuple[Scene, Tile]:
    """A window of a GID scene: class mask with borders, brightness, a season without a date."""
    covers = (("farmland", 0.52), ("forest", 0.23), ("built-up", 0.14), ("water", 0.11))
    borders = ((("farmland", "forest"), 0.45), (("built-up", "farmland"), 0.3), (("farmland", "water"), 0.25))
    scene = make_scene(
        modality=modality, platform="GF2", season="summer", country="CN", dataset="GID", width=7200
    )
    return scene, make_tile(
        gsd_m=4.0,
        native_gsd_m=4.0,
        pixel_m=4.0,
        labels=tuple(label(name, share=share) for name, share in covers),
        borders=tuple(Border(names=names, share=share) for names, share in borders),
        appearance=Appearance(low=0.1, median=0.45, high=0.9, unit="level"),
    )


def make_ships() -> tuple[Scene, Tile]:
    """A DOTA-like picture: many oriented boxes."""
    rng = Random(3)
    labels = []
    for i in range(9):
        x, y = 40 + 45 * i, 60 + 17 * (i % 3)
        length = 30 + rng.random() * 40
        corners = (
            x,
            y,
            x + 0.8 * length,
            y + 0.6 * length,
            x + 0.8 * length - 6,
            y + 0.6 * length + 8,
            x - 6,
            y + 8,
        )
        box = (x - 6, y, x + 0.8 * length, y + 0.6 * length + 8)
        labels.append(replace(label("ship", box=box), corners=corners))
    labels += [label("harbor", box=(10, 400, 200, 500)), label("harbor", box=(250, 400, 500, 512))]
    return make_scene(platform="Google Earth"), make_tile(gsd_m=0.5, pixel_m=0.5, labels=tuple(labels))


def make_radar_cover() -> tuple[Scene, Tile]:
    """Radar in decibels with land covers, borders and measured brightness."""
    scene, tile = make_sentinel1()
    _, tile_ = make_gid()
    appearance = Appearance(low=-18.24, median=-11.71, high=-4.9, unit="dB")
    return scene, replace(tile, labels=tile_.labels, borders=tile_.borders, appearance=appearance)


def make_dated_season(word: str = "summer") -> tuple[Scene, Tile]:
    """A SEN1-2 chip: a season and no date, no place."""
    scene = make_scene(platform="Sentinel-2", season=word, dataset="SEN1-2", width=256, height=256)
    crop = Crop(col=0, row=0, width=256, height=256)
    return scene, make_tile(gsd_m=10.0, pixel_m=5.0, native_gsd_m=10.0, crop=crop)


def make_foggy_source(weather: str = "fog") -> tuple[Scene, Tile]:
    """A picture of MMM-RS whose source says what the weather is."""
    scene, tile = make_eurosat("river")
    weather_label = Label(name=weather, kind="weather", origin="sidecar file")
    return scene, replace(tile, labels=(*tile.labels, weather_label))


def with_fog(record: tuple[Scene, Tile], name: str = "fog") -> tuple[Scene, Tile]:
    """The variant of an image under an effect."""
    return record[0], replace(
        record[1], effect=Effect(name=name, severity="light", is_visible=True, params="{}", seed=1)
    )
