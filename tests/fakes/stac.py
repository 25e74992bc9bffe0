"""A STAC API and static catalogs on the loopback server, with items made of real or made files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rasterio
from loopback_server import Answer, Loopback, Seen, json_answer
from rasterio.errors import NotGeoreferencedWarning
from rasterio.warp import transform_bounds

Json = dict[str, Any]
CONFORMANCE = ("https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search")


def make_item(
    name: str,
    assets: dict[str, Json],
    *,
    file: Path | None = None,
    collection: str | None = None,
    **said: Any,
) -> Json:
    """An item of STAC 1.0 whose ground is that of a file."""
    west, south, east, north = (0.0, 0.0, 1.0, 1.0) if file is None else ground_of(file)
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": collection,
        "geometry": {"type": "Polygon", "coordinates": [corners]},
        "bbox": [west, south, east, north],
        "properties": {"datetime": "2020-05-17T10:00:00Z", **said},
        "links": [],
        "assets": assets,
    }


def ground_of(file: Path) -> tuple[float, float, float, float]:
    """West, south, east, north of a file, degrees."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(file) as raster:
            west, south, east, north = transform_bounds(raster.crs, "EPSG:4326", *raster.bounds)
    return west, south, east, north


def make_asset(href: str, *names: str, numbers: Sequence[Json] = (), **said: Any) -> Json:
    """A raster of bands that have these common names."""
    asset: Json = {"href": href, "type": "image/tiff; application=geotiff", "roles": ["data"]}
    if names:
        asset["eo:bands"] = [{"name": name, "common_name": name} for name in names]
    if numbers:
        asset["raster:bands"] = list(numbers)
    return asset | said


def serve_api(
    web: Loopback,
    items: Sequence[Json],
    *,
    page: int = 2,
    post: bool = False,
    merge: bool = False,
    collections: Sequence[Json] = (),
) -> str:
    """Put a STAC API on a server, which gives all items in pages and knows `collections` as a filter; its URL."""
    root = f"{web.url}/api"
    search = f"{root}/search"
    method = "POST" if post else "GET"
    links = [{"rel": "search", "href": search, "method": method, "type": "application/geo+json"}]
    web.route(
        "/api", lambda _: json_answer({"type": "Catalog", "conformsTo": list(CONFORMANCE), "links": links})
    )
    for collection in collections:
        web.answer(f"/api/collections/{collection['id']}", json_answer(collection))

    def answer(seen: Seen) -> Answer:
        if seen.method != method:
            return Answer(status=405)
        asked = seen.json() if post else {name: values[0] for name, values in seen.query.items()}
        wanted = asked.get("collections") or []
        names = wanted.split(",") if isinstance(wanted, str) else wanted
        chosen = [item for item in items if not names or item["collection"] in names]
        start = int(asked.get("token", 0))
        following: list[Json] = []
        if start + page < len(chosen):
            body = {"token": start + page} if merge else {**asked, "token": start + page}
            query = "&".join(f"{name}={value}" for name, value in {**asked, "token": start + page}.items())
            following = [
                {"rel": "next", "href": search, "method": "POST", "body": body, "merge": merge}
                if post
                else {"rel": "next", "href": f"{search}?{query}"}
            ]
        found = chosen[start : start + page]
        return json_answer({"type": "FeatureCollection", "features": found, "links": following})

    web.route("/api/search", answer)
    return root


def write_json(path: Path, value: object) -> Path:
    """Write a document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path
