"""Pictures by URL: downloaded for a whole shard at once, found again when an item is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from earthloom.core.records import Item, Part
from earthloom.core.settings import Settings
from earthloom.net.config import NetSettings
from earthloom.net.urls import is_remote

FOLDER = "downloads"
"""Below `assets`: one for all sources of a run, so that what several name is asked for once."""


class NetworkSettings(Settings):
    """Sources whose pictures may have to be downloaded."""

    net: NetSettings = NetSettings()
    """How their servers are asked."""


def make_url_part(url: str) -> Part:
    """A picture that lies at a URL."""
    return Part(uri=url.strip(), size=0, role="image")


def fetch_parts(settings: NetworkSettings, items: Sequence[Item], assets: Path) -> None:
    """Download the pictures of many items; failures are remembered for `localise`."""
    urls = [part.uri for item in items for part in item.parts if is_remote(part.uri)]
    if urls:
        from earthloom.net.download import fetch_images  # brings the HTTP client, which most runs do without

        fetch_images(urls, assets / FOLDER, settings.net)


def localise(settings: NetworkSettings, part: Part, assets: Path) -> Part:
    """Give a part as a file of this machine. Raises the RecordError with which its download ended."""
    if not is_remote(part.uri):
        return part
    from earthloom.net.download import recall_image

    place = recall_image(part.uri, assets / FOLDER, settings.net)
    return replace(part, uri=str(place), size=place.stat().st_size)
