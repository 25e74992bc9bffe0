"""What is known of an item when it is listed, as the text that travels to its reading."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason

Json = dict[str, Any]
"""A JSON object, as a server or a file gave it."""

_OF_COLLECTION = ("id", "title", "license", "providers", "item_assets", "links")
"""What of a collection says something of its items."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """An item and where it was found."""

    item: Json
    """As it was written, of whatever version."""
    href: str
    """URL or absolute path to which its relative links refer."""
    collection: Json | None = None
    """The item's collection, where it is at hand."""

    def to_text(self) -> str:
        """Canonical JSON: equal items give equal texts."""
        collection = self.collection and {
            name: self.collection[name] for name in _OF_COLLECTION if name in self.collection
        }
        value = {"item": self.item, "href": self.href, "collection": collection}
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def load_found(text: str) -> Found:
    """Read what `Found.to_text` wrote."""
    value = json.loads(text)
    return Found(item=value["item"], href=value["href"], collection=value["collection"])


def key_of(item: Json) -> str:
    """`COLLECTION/ID`, or `ID` for an item without a collection."""
    collection = item.get("collection")
    return f"{collection}/{item['id']}" if isinstance(collection, str) and collection else str(item["id"])


def check_item(item: object) -> Json:
    """Give what looks like an item; raises RecordError BAD_FACTS for anything else."""
    if not isinstance(item, dict):
        raise RecordError(Reason.BAD_FACTS, f"wanted a STAC item, got {type(item).__name__}")
    if item.get("type") != "Feature":
        raise RecordError(
            Reason.BAD_FACTS, f"wanted a STAC item (type Feature), got type {item.get('type')!r}"
        )
    if not isinstance(item.get("id"), str) or not item["id"]:
        raise RecordError(Reason.BAD_FACTS, f"wanted a STAC item with an id, got {item.get('id')!r}")
    for name in ("properties", "assets"):
        if not isinstance(item.get(name), Mapping):
            raise RecordError(
                Reason.BAD_FACTS, f"wanted an object `{name}`, got {type(item.get(name)).__name__}"
            )
    if not all(isinstance(asset, Mapping) for asset in item["assets"].values()):
        raise RecordError(Reason.BAD_FACTS, "wanted objects in `assets`")
    return item


def migrate(item: Json) -> Json:
    """Bring an item of STAC 0.8 to 1.1 up to date (`pystac`); raises RecordError BAD_FACTS where that cannot be."""
    import pystac  # 25 ms, which only those who read items pay

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is deprecated in an item is brought up to date here
            read = pystac.Item.from_dict(item, migrate=True, preserve_dict=True)
            return read.to_dict(include_self_link=False, transform_hrefs=False)
    except Exception as error:
        said = f"no usable STAC item: {type(error).__name__}: {error}"
        raise RecordError(Reason.BAD_FACTS, said[:300]) from error
