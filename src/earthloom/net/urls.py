"""URLs: what may be asked, and how they are shown without their secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason

if TYPE_CHECKING:
    import httpx2

_SECRET = re.compile(
    r"(^|[-_.])(sig|signature|token|key|apikey|secret|password|passwd|pwd|auth|credential|code|session)s?$"
    r"|^(x-amz-|x-goog-|aws)|accesskey|subscription-key",
    re.IGNORECASE,
)
"""Names of query parameters that carry what only the user may know, as Amazon, Google, Azure, Planetary Computer and
map services use them."""


def is_remote(uri: str) -> bool:
    """Whether a URI is to be asked for over HTTP; everything else is a path."""
    return uri[:8].lower().startswith(("http://", "https://"))


def show_url(url: str) -> str:
    """A URL for messages and records: no user, no password, no fragment, no values of secret parameters."""
    address, _, query = url.partition("#")[0].partition("?")
    scheme, mark, rest = address.partition("://")
    authority, slash, path = rest.partition("/")
    shown = f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"
    return f"{shown}?{'&'.join(map(_mask, query.split('&')))}" if query else shown


def parse_url(url: str, base: httpx2.URL | None = None) -> httpx2.URL:
    """Parse an absolute http or https URL, or one that is relative to `base`.

    Raises RecordError MISSING where it is no such URL: a file of that name is not anywhere.
    """
    import httpx2

    try:
        parsed = httpx2.URL(url) if base is None else base.join(url)
        is_whole = parsed.scheme in {"http", "https"} and bool(parsed.host) and (parsed.port or 0) < 2**16
    except (httpx2.InvalidURL, ValueError) as error:
        raise RecordError(Reason.MISSING, f"no usable URL: {show_url(url)[:200]}") from error
    if not is_whole:
        raise RecordError(Reason.MISSING, f"wanted an http or https URL, got {show_url(url)[:200]}")
    return parsed.copy_with(fragment=None)


def origin_of(url: httpx2.URL) -> str:
    """Scheme, host and port, which is what robots.txt and credentials belong to."""
    port = url.port or (443 if url.scheme == "https" else 80)
    host = url.raw_host.decode()
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def name_of(uri: str) -> str:
    """The last part of a path or URL, for messages."""
    path = show_url(uri).partition("?")[0] if is_remote(uri) else uri
    return path.rstrip("/").rpartition("/")[2] or path


def _mask(parameter: str) -> str:
    name, mark, _ = parameter.partition("=")
    return f"{name}{mark}***" if mark and _SECRET.search(name) else parameter
