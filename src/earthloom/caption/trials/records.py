"""Records for the trials of the checks: facts as real sources give them, drawn with a seed, and no pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from earthloom.core.records import (
    Box,
    Crop,
    Effect,
    Label,
    Modality,
    Origin,
    Quantity,
    Scene,
    Stretch,
    Text,
    Tile,
)

Record = tuple[Scene, Tile]
_SIZE = 512
_GREY = Stretch(method="none", low=(0.0,), high=(255.0,))


def make_trial_records(n: int, seed: int) -> Iterator[Record]:
    """Draw records of every kind in turn: aerial and satellite images, radar, boxes, fog, articles."""
    for i in range(n):
        rng = Random(f"{seed} {i}")  # noqa: S311
        yield _KINDS[i % len(_KINDS)](rng, i)


def _scene(i: int, **facts: Any) -> Scene:
    bare: dict[str, Any] = {
        "id": f"scene-{i}",
        "item_id": f"item-{i}",
        "source": "trials",
        "source_key": f"{i}.tif",
        "dataset": "trials",
        "modality": Modality.RGB,
        "quantity": Quantity.DISPLAY,
        "bands": (),
        "width": _SIZE,
        "height": _SIZE,
        "dtype": "uint8",
        "group": f"group-{i}",
        "pair_key": f"item-{i}",
    }
    return Scene(**(bare | facts))


def _tile(i: int, gsd_m: float | None, **facts: Any) -> Tile:
    bare: dict[str, Any] = {
        "id": f"{i:024x}",
        "scene_id": f"scene-{i}",
        "base_id": f"{i:024x}",
        "pair_id": f"item-{i}",
        "crop": Crop(col=0, row=0, width=_SIZE, height=_SIZE),
        "width": _SIZE,
        "height": _SIZE,
        "native_gsd_m": gsd_m,
        "gsd_m": gsd_m,
        "pixel_m": gsd_m,
        "valid_share": 1.0,
        "lon": None,
        "lat": None,
        "footprint": None,
        "stretch": _GREY,
        "labels": (),
        "image": b"",
        "media": "jpg",
        "valid_mask": None,
        "class_mask": None,
        "sha256": "",
    }
    return Tile(**(bare | facts))


_PLACES = (
    ("Fresno", "United States", -119.79, 36.74),
    ("Lyon", "France", 4.84, 45.76),
    ("Mendoza", "Argentina", -68.84, -32.89),
    ("Perth", "Australia", 115.86, -31.95),
    ("Fort McMurray", "Canada", -111.38, 56.73),
    ("Rotterdam", "Netherlands", 4.48, 51.92),
    ("Windhoek", "Namibia", 17.08, -22.56),
    ("Manaus", "Brazil", -60.02, -3.12),
    ("Kiruna", "Sweden", 20.23, 67.86),
    ("Christchurch", "New Zealand", 172.64, -43.53),
    ("Valencia", "Spain", -0.38, 39.47),
    ("Chiang Mai", "Thailand", 98.98, 18.79),
)
_COVERS = ("cropland", "forest", "water", "grassland", "built-up", "bare ground", "wetland", "sand")
_OBJECTS = (
    "airplane",
    "ship",
    "storage tank",
    "tennis court",
    "roundabout",
    "baseball diamond",
    "swimming pool",
)


def _date(rng: Random) -> str:
    return f"{rng.randint(2013, 2024)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def _draw_covers(rng: Random) -> tuple[Label, ...]:
    names = rng.sample(_COVERS, rng.randint(2, 4))
    weights = [rng.uniform(0.15, 1) ** 2 for _ in names]
    shares = (weight / sum(weights) for weight in weights)
    return tuple(
        Label(name=name, kind="cover", origin=Origin.COMPUTED, box=None, share=share)
        for name, share in zip(names, shares, strict=True)
    )


def _draw_boxes(rng: Random) -> tuple[Label, ...]:
    """Two kinds of objects, each in a corner of its own or scattered."""
    labels = []
    corners = rng.sample([(x, y) for x in (40, 330) for y in (40, 330)], 2)
    for name, (x, y) in zip(rng.sample(_OBJECTS, 2), corners, strict=True):
        for _ in range(rng.choice((1, 2, 3, 4, 5, 7, 12))):
            x0, y0 = x + rng.uniform(0, 120), y + rng.uniform(0, 120)
            box = Box(x0=x0, y0=y0, x1=x0 + 24, y1=y0 + 24)
            labels.append(Label(name=name, kind="object", origin=Origin.DOCUMENTATION, box=box, share=None))
    return tuple(labels)


def _make_naip(rng: Random, i: int) -> Record:
    place, _, lon, lat = _PLACES[0]
    scene = _scene(i, platform="NAIP", place=place, country="United States", acquired=_date(rng))
    gsd_m = rng.choice((0.3, 0.6, 1.0))
    return scene, _tile(i, gsd_m, lon=lon + rng.uniform(-0.2, 0.2), lat=lat, labels=_draw_covers(rng))


def _make_sentinel2(rng: Random, i: int) -> Record:
    place, country, lon, lat = rng.choice(_PLACES)
    scene = _scene(
        i, platform="Sentinel-2", sensor="MSI", place=place, country=country, acquired=_date(rng),
        sun_elevation_deg=round(rng.uniform(25, 65), 1), cloud_share=rng.choice((0.0, 0.04, 0.31)),
    )  # fmt: skip
    return scene, _tile(i, 10.0, lon=lon, lat=lat, labels=_draw_covers(rng))


def _make_landsat(rng: Random, i: int) -> Record:
    place, country, lon, lat = rng.choice(_PLACES)
    number = rng.choice((7, 8, 9))
    scene = _scene(i, platform=f"Landsat {number}", place=place, country=country, acquired=_date(rng)[:7])
    return scene, _tile(i, 30.0, lon=lon, lat=lat, labels=_draw_covers(rng))


def _make_sentinel1(rng: Random, i: int) -> Record:
    _, country, lon, lat = rng.choice(_PLACES)
    scene = _scene(
        i, modality=Modality.SAR, quantity=Quantity.DB, platform="Sentinel-1", sensor="C-SAR", country=country,
        polarisation=rng.choice(("VV", "VH")), acquired=_date(rng),
    )  # fmt: skip
    stretch = Stretch(method="db", low=(-25.0,), high=(0.0,))
    return scene, _tile(i, 10.0, lon=lon, lat=lat, stretch=stretch, labels=_draw_covers(rng))


def _make_umbra(rng: Random, i: int) -> Record:
    place, country, lon, lat = rng.choice(_PLACES)
    scene = _scene(
        i, modality=Modality.SAR, quantity=Quantity.AMPLITUDE, platform="Umbra", place=place, country=country,
        polarisation="VV", acquired=_date(rng), off_nadir_deg=round(rng.uniform(20, 45), 1),
    )  # fmt: skip
    return scene, _tile(i, rng.choice((0.35, 0.5, 1.0)), lon=lon, lat=lat, labels=_draw_boxes(rng))


def _make_nir(rng: Random, i: int) -> Record:
    place, country, lon, lat = rng.choice(_PLACES)
    scene = _scene(
        i, modality=Modality.NIR, platform="Gaofen-1", place=place, country=country, acquired=_date(rng)
    )
    return scene, _tile(i, 5.0, lon=lon, lat=lat, labels=_draw_covers(rng))


def _make_boxes(rng: Random, i: int) -> Record:
    scene = _scene(i, platform=rng.choice(("Google Earth", "Gaofen-2", "WorldView-3")))
    return scene, _tile(i, rng.choice((0.3, 0.6, 0.8)), labels=_draw_boxes(rng))


def _make_weather(rng: Random, i: int) -> Record:
    scene, tile = _make_sentinel2(rng, i)
    name = rng.choice(("fog", "fog", "snow", "night"))
    effect = Effect(
        name=name, severity=rng.choice(("light", "moderate", "heavy")), is_visible=True, params="{}", seed=i
    )
    facts = {field: getattr(tile, field) for field in ("lon", "lat", "labels")}
    return scene, _tile(i, 10.0, effect=effect, **facts)


_STORIES = (
    "The {kind} of {name} near {place} grew to {ha} hectares after {year}, officials in {country} said. "
    "Engineer {person} called the works at {name} the largest in the region; {km} km of dikes were built.",
    "In {month} {year}, floods along the {name} damaged {ha} homes in {country}. {person} of the water board said "
    "that the river had risen {km} meters at {place}.",
)


def _make_article(rng: Random, i: int) -> Record:
    """A web picture whose article names a date, a person, a place and numbers that no fact has."""
    place, country, lon, lat = rng.choice(_PLACES)
    words = {
        "kind": rng.choice(("reservoir", "harbor", "salt works")), "place": place, "country": country,
        "name": rng.choice(("Tarrengower", "Quillota", "Okavisk", "Brandvlei")), "year": rng.randint(1995, 2012),
        "month": rng.choice(("March", "August", "November")), "ha": rng.randint(120, 980),
        "km": rng.randint(3, 19), "person": rng.choice(("Ada Pell", "Jonas Brekke", "Maria Fuentes")),
    }  # fmt: skip
    texts = (Text(text=rng.choice(_STORIES).format(**words), role="article"),)
    scene = _scene(i, platform="Terra", sensor="MODIS", country=country, acquired=_date(rng)[:4], texts=texts)
    return scene, _tile(i, 250.0, lon=lon, lat=lat)


_KINDS: tuple[Callable[[Random, int], Record], ...] = (
    _make_naip,
    _make_sentinel2,
    _make_landsat,
    _make_sentinel1,
    _make_umbra,
    _make_nir,
    _make_boxes,
    _make_weather,
    _make_article,
)
