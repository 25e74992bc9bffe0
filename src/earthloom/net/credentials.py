"""Keys and tokens: named in a recipe, kept in the environment, sent to one host and to nobody else.

The value of the environment variable is a header, `Authorization: Bearer ...`, or the end of a query that signs
URLs, `sig=...&se=...`. It is added as a request leaves, so that no URL in a record, a key or a message has it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

import httpx2

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.net.config import Credential

_HEADER = re.compile(r"([A-Za-z0-9-]+):\s*([\x20-\x7e]+)")


def add_credentials(credentials: Iterable[Credential], url: httpx2.URL) -> tuple[httpx2.URL, dict[str, str]]:
    """Give a URL as it is to be asked for, and the headers to send with it.

    Raises RecordError NO_PERMISSION where a variable that the recipe names is not set, or holds nothing usable.
    """
    headers: dict[str, str] = {}
    for credential in credentials:
        if credential.host != url.host:
            continue
        secret = os.environ.get(credential.env, "").strip()
        header = _HEADER.fullmatch(secret)
        if header is not None:
            headers[header[1].lower()] = header[2]
        elif "=" in secret and secret.isascii() and secret.isprintable() and " " not in secret:
            query = "&".join(part for part in (url.query.decode(), secret.lstrip("?&")) if part)
            url = url.copy_with(query=query.encode())
        else:
            detail = (
                f"the environment variable {credential.env} for {credential.host} is not set, or holds neither a "
                "header (`Name: value`) nor a query (`name=value&...`)"
            )
            raise RecordError(Reason.NO_PERMISSION, detail)
    return url, headers
