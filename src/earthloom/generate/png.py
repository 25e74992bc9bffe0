"""Texts in PNG files: written behind the header, read back without decoding pixels.

Chunks as in the PNG specification, third edition (W3C 2025), section 11.3.3: `tEXt` for what Latin-1 can hold, `iTXt`
for the rest.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason

XMP = "XML:com.adobe.xmp"
"""Keyword under which readers look for an XMP packet."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = len(_SIGNATURE) + 4 + 4 + 13 + 4
"""Behind the first chunk, IHDR, which is of fixed length."""
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_MAX_TEXT = 2**24
"""Bytes of a compressed text that are unpacked."""


def add_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """Put texts by their keywords into an encoded PNG, before its pixels."""
    chunks = b"".join(_make_chunk(keyword, text) for keyword, text in texts.items())
    return png[:_HEADER_END] + chunks + png[_HEADER_END:]


def read_texts(png: bytes) -> dict[str, str]:
    """Read all texts of a PNG by their keywords, and make sure that it is whole.

    Raises:
        RecordError: it is no PNG, or is cut short or broken.

    """
    texts = {}
    for kind, body in _iter_chunks(png):
        if kind in _TEXTS:
            keyword, text = _read_text(kind, body)
            texts[keyword] = text
    return texts


def read_first_keyword(png: bytes) -> str | None:
    """The keyword of the text that stands behind the header; None where something else does. Never raises."""
    kind, body = png[_HEADER_END + 4 : _HEADER_END + 8], png[_HEADER_END + 8 : _HEADER_END + 8 + 80]
    is_text = png.startswith(_SIGNATURE) and kind in _TEXTS and b"\0" in body
    return body.partition(b"\0")[0].decode("latin-1") if is_text else None


def _make_chunk(keyword: str, text: str) -> bytes:
    try:
        if keyword == XMP:  # XMP is found in iTXt alone
            raise UnicodeError
        kind, body = b"tEXt", text.encode("latin-1")
    except UnicodeError:
        # Not compressed, no language, no translated keyword.
        kind, body = b"iTXt", b"\0\0\0\0" + text.encode()
    content = kind + keyword.encode("latin-1") + b"\0" + body
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def _iter_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of every chunk up to the end, each held against its checksum."""
    if not png.startswith(_SIGNATURE):
        raise RecordError(Reason.NOT_AN_IMAGE, f"no PNG: it starts with {png[:8]!r}")
    place, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        if place + 12 > len(png):
            raise RecordError(Reason.UNREADABLE, "the PNG is cut short")
        (length,) = struct.unpack_from(">I", png, place)
        content, stop = png[place + 4 : place + 8 + length], place + 12 + length
        if stop > len(png) or struct.pack(">I", zlib.crc32(content)) != png[stop - 4 : stop]:
            raise RecordError(Reason.UNREADABLE, "the PNG is cut short or broken")
        kind = content[:4]
        yield kind, content[4:]
        place = stop


def _read_text(kind: bytes, body: bytes) -> tuple[str, str]:
    try:
        keyword, _, rest = body.partition(b"\0")
        if kind == b"tEXt":
            text = rest.decode("latin-1")
        elif kind == b"zTXt":
            text = _unpack(rest[1:]).decode("latin-1")
        else:
            is_packed, content = rest[0], rest[2:].split(b"\0", 2)[2]
            text = (_unpack(content) if is_packed else content).decode()
    except (ValueError, IndexError, zlib.error) as error:
        raise RecordError(Reason.UNREADABLE, f"a text of the PNG is broken: {error}") from error
    return keyword.decode("latin-1"), text


def _unpack(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, _MAX_TEXT)
