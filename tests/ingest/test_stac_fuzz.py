"""Items in which anything may stand anywhere: they are read or refused, never a traceback."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

from fakes.stac import make_asset, make_item
from hypothesis import given, settings
from hypothesis import strategies as st

from earthloom.core.errors import RecordError
from earthloom.core.records import Modality
from earthloom.ingest.stac.assets import find_only_raster, find_roles
from earthloom.ingest.stac.config import StacSettings
from earthloom.ingest.stac.document import Found, check_item, load_found, migrate
from earthloom.ingest.stac.facts import facts_of_ground, facts_of_item, find_ground, find_polarisation
from earthloom.ingest.stac.filters import is_wanted
from earthloom.ingest.stac.values import find_quantity

GOOD = make_item(
    "a",
    {
        "red": make_asset("red.tif", "red", numbers=[{"scale": 1e-4, "offset": 0, "nodata": 0}]),
        "vv": make_asset("vv.tif", **{"sar:polarizations": ["VV"], "gsd": 10}),
        "new": {"href": "new.tif", "bands": [{"name": "B04", "eo:common_name": "red"}], "roles": ["data"]},
        "visual": make_asset("visual.tif", roles=["visual"]),
    },
    collection="c",
    platform="sentinel-2a",
    instruments=["msi"],
    constellation="sentinel-2",
    license="other",
    providers=[{"name": "ESA", "roles": ["producer"]}],
    gsd=10,
    **{
        "eo:cloud_cover": 5,
        "view:off_nadir": 3,
        "view:sun_azimuth": 100,
        "sat:orbit_state": "ascending",
        "sar:polarizations": ["VV"],
        "sar:product_type": "GRD",
        "mgrs:utm_zone": 31,
        "mgrs:latitude_band": "U",
        "mgrs:grid_square": "FS",
        "landsat:wrs_path": 1,
        "landsat:wrs_row": 2,
    },
)
GOOD["links"] = [{"rel": "license", "href": "terms.html", "title": "Terms"}]
WANTED = StacSettings(
    kind="stac", items="a.json", bbox=(0, 0, 1, 1), datetime="2020", cloud_cover=50, collections=("c",)
)


def paths_of(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        yield (*before, key)
        yield from paths_of(member, (*before, key))


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["2020-05-17T10:00:00Z", "VV", "nan", "red", "data"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "href", "rel", "coordinates", "type", "scale"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


@given(
    st.lists(st.tuples(st.sampled_from(sorted(paths_of(GOOD), key=str)), ANYTHING), min_size=1, max_size=2)
)
@settings(max_examples=400)
def test_an_item_is_read_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    item = copy.deepcopy(GOOD)
    for path, value in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError):
            owner: Any = item
            for key in path[:-1]:
                owner = owner[key]
            if isinstance(owner, list) or isinstance(path[-1], str):  # all keys of JSON objects are text
                owner[path[-1]] = value
    with contextlib.suppress(RecordError):
        is_wanted(WANTED, check_item(item))
    with contextlib.suppress(RecordError):
        read(load_found(Found(item=check_item(item), href="/data/a.json", collection=item).to_text()))


def read(found: Found) -> None:
    """All of reading but the files."""
    item = migrate(found.item)
    for modality in Modality:
        facts_of_item(item, found.collection, modality)
    find_ground(item)
    facts_of_ground(item, None)
    roles = find_roles(item, found.collection, {})
    for bands in roles.values():
        find_polarisation(item, [band.polarisation for band in bands])
        find_quantity(Modality.SAR, "uint16", bands[0].band, bands[0].key, item["properties"])
    find_only_raster(item, found.collection)


def test_the_item_is_read_when_nothing_is_changed() -> None:
    item = migrate(GOOD)
    assert is_wanted(WANTED, check_item(GOOD))
    assert sorted(find_roles(item, None, {})) == ["rgb", "vv"]
    assert find_ground(item) == "MGRS-31UFS"
