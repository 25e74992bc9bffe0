"""`find_place`: names from coordinates, only where nothing better is known, with GeoNames named."""

from __future__ import annotations

from earthloom.core.ids import make_id
from earthloom.core.records import Band, Item, Modality, Origin, Quantity, Scene
from earthloom.ingest.config import GeotiffSettings
from earthloom.ingest.scenes import Facts, Layer, make_scene

LAYER = Layer(
    modality=Modality.RGB,
    quantity=Quantity.DISPLAY,
    bands=(Band(uri="a.tif", index=1),) * 3,
    width=10,
    height=10,
    dtype="uint8",
)


def make(*, find_place: bool, **facts: object) -> Scene:
    settings = GeotiffSettings(kind="geotiff", path=".", name="s", find_place=find_place)
    known = Facts(origin=Origin.HEADER, **facts)  # type: ignore[arg-type]
    return make_scene(settings, Item(key="a.tif", parts=()), make_id("a"), LAYER, [known])


def origins(scene: Scene) -> dict[str, str]:
    return {entry.fact: entry.origin for entry in scene.provenance}


def test_a_town_nearby_and_its_country_are_named() -> None:
    """Wuhan's centre is at 30.58 N, 114.27 E (GeoNames 1791247)."""
    scene = make(find_place=True, lon=114.30, lat=30.60, credit="Somebody")
    assert (scene.place, scene.country) == ("the surroundings of Wuhan", "CN")
    assert origins(scene)["place"] == origins(scene)["country"] == "gazetteer"
    assert scene.credit == "Somebody; place names: GeoNames (CC BY 4.0)"


def test_nothing_is_named_in_the_middle_of_an_ocean() -> None:
    scene = make(find_place=True, lon=-140.0, lat=-40.0)
    assert (scene.place, scene.country, scene.credit) == (None, None, None)


def test_what_the_source_says_stays() -> None:
    scene = make(find_place=True, lon=114.30, lat=30.60, place="Wuchang", country="XX")
    assert (scene.place, scene.country, scene.credit) == ("Wuchang", "XX", None)


def test_nothing_is_looked_up_unasked_or_without_coordinates() -> None:
    assert make(find_place=False, lon=114.30, lat=30.60).place is None
    assert make(find_place=True).place is None
