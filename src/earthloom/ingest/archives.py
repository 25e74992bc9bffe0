"""Members of tar and zip archives as byte ranges: read in place, never unpacked.

Members come in the order of the archive. Names are only keys: nothing is ever written under them; still, one that
is absolute or climbs with `..` marks an archive that wants harm, and is refused and reported.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from earthloom.core.blobs import reason_of
from earthloom.core.records import ByteRange, Item, Part, Reason
from earthloom.ingest.listing import make_key, refuse

ARCHIVES = (".tar", ".zip")
"""Suffixes of archives that can be read in place."""
COMPRESSED_TARS = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".tzst")
"""Suffixes of tars in which no member can be reached without decompressing all before it."""

_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Of a zip member: signature, then, after 22 bytes, the lengths of name and extra field (APPNOTE 4.3.7)."""
_SIGNATURE = b"PK\x03\x04"
_READABLE_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1


def is_archive(name: str) -> bool:
    """Tell by its name whether a file is an archive, of a kind that can be read or not."""
    return name.lower().endswith(ARCHIVES + COMPRESSED_TARS)


def list_members(archive: Item, prefix: str, is_wanted: Callable[[str], bool]) -> Iterator[Item]:
    """Yield an item for each member whose name `is_wanted`; its key is `prefix` and the member's name.

    What cannot be used is yielded as refused: names that leave the archive and links (UNSAFE_PATH), a second
    member of one name (DUPLICATE), encrypted or oddly compressed members (UNREADABLE). A damaged archive gives
    the members before the damage and one refused item under the archive's own key.
    """
    (part,) = archive.parts
    if archive.key.lower().endswith(COMPRESSED_TARS):
        detail = (
            "a compressed tar cannot be read in place; decompress it once (gunzip, unxz, ...) to a plain .tar"
        )
        yield refuse(archive.key, Reason.UNREADABLE, detail)
        return
    seen: set[int] = set()
    list_all = _list_zip if archive.key.lower().endswith(".zip") else _list_tar
    try:
        with Path(part.uri).open("rb") as file:
            for member in list_all(file, part.size):
                item = _make_item(member, part, prefix, is_wanted, seen)
                if item is not None:
                    yield item
    except OSError as error:
        yield refuse(archive.key, reason_of(error), f"the archive cannot be read: {error.strerror or error}")
    except _DamagedError as error:
        yield refuse(archive.key, error.reason, str(error))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Member:
    name: str
    within: ByteRange
    fault: tuple[Reason, str] | None = None


class _DamagedError(Exception):
    """The archive ends or breaks here."""

    def __init__(self, text: str, reason: Reason = Reason.UNREADABLE) -> None:
        super().__init__(text)
        self.reason = reason


def _make_item(
    member: _Member, part: Part, prefix: str, is_wanted: Callable[[str], bool], seen: set[int]
) -> Item | None:
    name = re.sub(r"^(\./+)+", "", member.name)
    if _leaves_archive(name):
        return refuse(prefix + name, Reason.UNSAFE_PATH, f"member {name!r} points outside of its archive")
    steps = name.split("/")
    if not is_wanted(steps[-1]) or any(step.startswith(".") or step == "__MACOSX" for step in steps):
        return None
    key = make_key(prefix + name)
    if member.fault is not None:
        return refuse(key, *member.fault)
    mark = hash(key)  # 64 bits of a name instead of the name: a million members take 100 MB less
    if mark in seen:
        return refuse(key, Reason.DUPLICATE, "a second member of this name; which one is meant is unknown")
    seen.add(mark)
    return Item(key=key, parts=(replace(part, within=member.within),))


def _leaves_archive(name: str) -> bool:
    steps = re.split(r"[/\\]", name)
    return ".." in steps or steps[0] == "" or re.match(r"[A-Za-z]:[/\\]", name) is not None


def _list_tar(file: BinaryIO, size: int) -> Iterator[_Member]:
    if size == 0:
        raise _DamagedError("no bytes", Reason.EMPTY)
    try:
        tar = tarfile.TarFile(fileobj=file, mode="r")
        while (info := tar.next()) is not None:
            cast(Any, tar).members.clear()  # TarFile would keep every header
            if info.isdir():
                continue
            if info.offset_data + info.size > size and info.isreg():
                raise _DamagedError(f"the archive is cut short within {info.name!r}")
            within = ByteRange(offset=info.offset_data, size=info.size)
            yield _Member(name=info.name, within=within, fault=_find_tar_fault(info))
    except (tarfile.TarError, zlib.error, EOFError, ValueError, IndexError, OverflowError) as error:
        raise _DamagedError(f"the archive is broken or cut short: {error}") from error
    _check_end_mark(file, tar.offset)


def _find_tar_fault(info: tarfile.TarInfo) -> tuple[Reason, str] | None:
    if info.issym() or info.islnk():
        return Reason.UNSAFE_PATH, f"a link to {info.linkname!r} within an archive; wanted a file"
    if not info.isreg() or info.issparse():
        return Reason.UNREADABLE, "a sparse or special member; wanted a plain file"
    return None


def _check_end_mark(file: BinaryIO, offset: int) -> None:
    """A whole tar ends with blocks of zeros (POSIX.1-2017, pax): without them members may be missing."""
    file.seek(offset)
    block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE or block.strip(b"\0"):
        raise _DamagedError("the archive is cut short or broken: behind its last member there is no end mark")


def _list_zip(file: BinaryIO, size: int) -> Iterator[_Member]:
    if size == 0:
        raise _DamagedError("no bytes", Reason.EMPTY)
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error) as error:
        raise _DamagedError(f"the archive's table of contents is broken or cut short: {error}") from error
    for info in infos:
        if not info.is_dir():
            yield _locate_zip_member(file, info, size)


def _locate_zip_member(file: BinaryIO, info: zipfile.ZipInfo, size: int) -> _Member:
    fault = _find_zip_fault(info)
    header = (
        os.pread(file.fileno(), _LOCAL_HEADER.size, info.header_offset) if info.header_offset >= 0 else b""
    )
    offset = 0
    if len(header) < _LOCAL_HEADER.size or not header.startswith(_SIGNATURE):
        fault = fault or (Reason.UNREADABLE, "its header is not where the table of contents says")
    else:
        _, n_name, n_extra = cast("tuple[bytes, int, int]", _LOCAL_HEADER.unpack(header))
        offset = info.header_offset + _LOCAL_HEADER.size + n_name + n_extra
    if fault is None and offset + info.compress_size > size:
        fault = (Reason.UNREADABLE, "the archive is cut short within it")
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    within = ByteRange(offset=offset, size=info.compress_size, deflated=deflated)
    return _Member(name=info.filename, within=within, fault=fault)


def _find_zip_fault(info: zipfile.ZipInfo) -> tuple[Reason, str] | None:
    if stat.S_ISLNK(info.external_attr >> 16):
        return Reason.UNSAFE_PATH, "a link within an archive; wanted a file"
    if info.flag_bits & _ENCRYPTED:
        return Reason.UNREADABLE, "encrypted"
    if info.compress_type not in _READABLE_METHODS:
        return Reason.UNREADABLE, f"compressed by zip method {info.compress_type}; wanted stored or deflate"
    return None
