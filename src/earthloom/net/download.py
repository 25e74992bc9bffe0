"""Images by URL, into a folder that remembers each answer.

    FOLDER/aa/SHA256-OF-URL.bin     the image as it came
    FOLDER/aa/SHA256-OF-URL.json    its receipt, or why there is no image; written last

What is there is not asked for again. A refusal is remembered too, for as long as the settings that decide it are
the same; only UNREACHABLE, which may pass, is asked again by the next call.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError, WriteError
from earthloom.core.ids import hash_bytes, hash_json
from earthloom.core.images import ImageHeader, probe_image
from earthloom.core.records import Reason
from earthloom.net.client import Reply, get_client
from earthloom.net.config import NetSettings
from earthloom.net.urls import parse_url, show_url

_TERMS = ("link", "license", "copyright", "tdm-reservation", "tdm-policy", "x-robots-tag")
"""Headers that speak of what may be done with an image, where a server sends them. `tdm-*`: TDM Reservation
Protocol, W3C community group report of 2024."""
_POLICY = {"max_mb", "allow_private", "respect_robots", "refuse_tags", "user_agent"}
"""Settings that decide whether an image is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What is known of an image that was downloaded; no time of ours, so equal answers give equal receipts."""

    url: str
    """As asked for, secrets masked."""
    found_at: str
    """Where redirects ended, secrets masked."""
    status: int
    content_type: str | None
    """As the server claims; `format` is what it is."""
    etag: str | None
    modified: str | None
    """Last-Modified."""
    date: str | None
    """The server's clock when it answered."""
    size: int
    """Bytes."""
    sha256: str
    """Of the bytes."""
    format: str
    """As `core.images` names it: `JPEG`, `PNG`, `WEBP`, `TIFF`, `BMP` or `GIF`."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    terms: dict[str, str]
    """Headers that speak of licence and use, names in lower case."""


def place_of(url: str, folder: Path) -> Path:
    """Where the image of a URL lies in a folder, once it was fetched."""
    name = hash_bytes(url.encode("utf-8", "surrogateescape"))
    return folder / name[:2] / f"{name}.bin"


def read_receipt(image: Path) -> Receipt:
    """Read the receipt beside an image that `fetch_image` gave."""
    return Receipt(**json.loads(image.with_suffix(".json").read_text("utf-8")))


def fetch_image(url: str, folder: Path, settings: NetSettings) -> Path:
    """Download an image unless the folder has it, and check that it is one.

    Processes that download into one folder keep the limits for each host together. Raises RecordError as
    `net.client` and `core.images.probe_image` do (the header of the image is read, its pixels are not), and
    WriteError where the folder cannot be written.
    """
    place = place_of(url, folder)
    policy = hash_json(settings.model_dump(mode="json", include=_POLICY))
    if _is_there(place, policy):
        return place
    try:
        receipt = _download(url, place, folder / ".turns", settings)
    except RecordError as error:
        refusal = {"url": show_url(url), "reason": error.reason, "detail": error.detail, "policy": policy}
        _write_json(place, refusal)
        raise
    _write_json(place, asdict(receipt))
    return place


def recall_image(url: str, folder: Path, settings: NetSettings) -> Path:
    """Give the image of a URL that was asked for before, or raise its refusal, UNREACHABLE too: nothing is tried again.

    One that was never asked for is fetched now.
    """
    place = place_of(url, folder)
    known = _read_json(place)
    if "reason" in known:
        raise RecordError(Reason(known["reason"]), known["detail"])
    return fetch_image(url, folder, settings)


def fetch_images(
    urls: Sequence[str], folder: Path, settings: NetSettings, *, threads: int = 16
) -> list[Path | RecordError]:
    """Download many images at once: for each URL, in order, where it lies or why it was refused.

    Hosts take turns, so that the limits of one do not hold up the others. Raises WriteError only.
    """

    def fetch(url: str) -> Path | RecordError:
        try:
            return fetch_image(url, folder, settings)
        except RecordError as error:
            return error

    order = _interleave(urls)
    pool = ThreadPoolExecutor(threads, "fetch")
    try:
        found = dict(zip(order, pool.map(fetch, order), strict=True))
    finally:
        pool.shutdown(cancel_futures=True)
    return [found[url] for url in urls]


def _is_there(place: Path, policy: str) -> bool:
    """Whether an image is there; raises the refusal that is remembered instead, if it still holds."""
    known = _read_json(place)
    if "sha256" in known:
        return place.is_file() and place.stat().st_size == known["size"]
    if known and known["policy"] == policy and known["reason"] != Reason.UNREACHABLE:
        raise RecordError(Reason(known["reason"]), known["detail"])
    return False


def _download(url: str, place: Path, turns: Path, settings: NetSettings) -> Receipt:
    with _write_whole(place) as part:
        with part.open("w+b") as file:
            reply = get_client(settings, turns).download(url, file)
        data, header = _check_image(part, reply)
    return _make_receipt(url, reply, data, header)


def _check_image(path: Path, reply: Reply) -> tuple[bytes, ImageHeader]:
    data = b""
    try:
        data = read_blob(str(path))
        return data, probe_image(data)
    except RecordError as error:
        claim = reply.headers.get("Content-Type", "nothing")
        what = (
            "a web page"
            if data[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml"))
            else "it"
        )
        said = f"{reply.url}: the server calls {what} {claim}; {error.detail}"
        raise RecordError(error.reason, said) from error


def _make_receipt(url: str, reply: Reply, data: bytes, header: ImageHeader) -> Receipt:
    said = reply.headers
    return Receipt(
        url=show_url(url),
        found_at=reply.url,
        status=reply.status,
        content_type=said.get("Content-Type"),
        etag=said.get("ETag"),
        modified=said.get("Last-Modified"),
        date=said.get("Date"),
        size=len(data),
        sha256=hash_bytes(data),
        format=header.format,
        width=header.width,
        height=header.height,
        terms={name: said[name] for name in _TERMS if name in said},
    )


def _interleave(urls: Sequence[str]) -> list[str]:
    """Each URL once, in an order in which hosts take turns."""
    hosts: dict[str, list[str]] = {}
    for url in dict.fromkeys(urls):
        hosts.setdefault(_host_of(url), []).append(url)
    rounds = zip_longest(*hosts.values())
    return [url for url in chain.from_iterable(rounds) if url is not None]


def _host_of(url: str) -> str:
    try:
        return parse_url(url).host
    except RecordError:
        return ""


def _read_json(place: Path) -> dict[str, Any]:
    try:
        known = json.loads(place.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_json(place: Path, value: dict[str, Any]) -> None:
    with _write_whole(place.with_suffix(".json")) as part:
        part.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


@contextmanager
def _write_whole(path: Path) -> Iterator[Path]:
    """Give a name to write under; it becomes `path` when the block ends well, and goes away otherwise."""
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        raise WriteError(
            f"Could not write {path}: {error}. Free space or choose another folder and run again: what was "
            "downloaded is kept."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()
