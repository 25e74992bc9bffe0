"""Files on servers, read in parts.

A file is read in aligned blocks; those that are missing for a read come in as few requests as they lie in runs, and
some are kept. Every part is checked to be the part that was asked for, of the file that was opened. A server that
does not serve parts, or serves wrong ones, has its file downloaded whole where that is small enough.
"""

from __future__ import annotations

import re
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO

from earthloom.core.errors import RecordError
from earthloom.core.ids import WHOLE_FILE_LIMIT, fingerprint_reads, make_id
from earthloom.core.records import Reason
from earthloom.net.client import Ask, Client, Reply, default_client
from earthloom.net.retry import AnswerError
from earthloom.net.urls import name_of

BLOCK = 64 * 1024
"""Bytes of a block: the header of a COG of 10,000 x 10,000 pixels with its overviews takes about 40 KB."""
N_KEPT = 64
"""Blocks that a file keeps: 4 MiB."""
LONGEST_RUN = 128
"""Blocks in one request: 8 MiB, so that a connection that drops costs no more than that."""
_GAP = 1
"""Blocks that are read although nobody wants them, where that saves a request."""
_FIRST = 2
"""Blocks of the first request, by which the size becomes known."""
_MAX_OPEN = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """What tells one state of a file on a server from another."""

    size: int
    """Bytes."""
    etag: str | None
    modified: str | None
    """Last-Modified as the server writes it."""

    def is_same(self, other: Version) -> bool:
        """Whether both may be one state: servers behind one name may disagree on ETags but not on the date."""
        if self.size != other.size:
            return False
        has_date = self.modified is not None and other.modified is not None
        return self.modified == other.modified if has_date else self.etag == other.etag


class RemoteFile:
    """A file on a server that is read in parts; not safe to share between threads."""

    def __init__(self, url: str, client: Client) -> None:
        """Ask for the beginning of the file; raises RecordError as `Client` does, EMPTY or UNREADABLE."""
        self.url = url
        self._client = client
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._whole: IO[bytes] | None = None
        self._version: Version | None = None
        self._fetch(0, _FIRST)
        self.size = self._known.size
        if not self.size:
            raise RecordError(Reason.EMPTY, f"{name_of(url)}: no bytes")

    def is_of(self, client: Client) -> bool:
        """Whether a client asks for this file."""
        return self._client is client

    @property
    def version(self) -> Version:
        """Which state of the file is read."""
        return self._known

    @property
    def _known(self) -> Version:
        assert self._version is not None  # the first request has set it
        return self._version

    def read(self, offset: int, n_bytes: int) -> bytes:
        """Read bytes; fewer only where the file ends."""
        return self.read_parts([(offset, n_bytes)])[0]

    def read_parts(self, parts: Sequence[tuple[int, int]]) -> list[bytes]:
        """Read several (offset, n_bytes) with as few requests as they lie in runs.

        Raises RecordError as `Client` does; UNREADABLE where the file has changed or is not served in parts.
        """
        ends = [(start, min(start + max(n_bytes, 0), self.size)) for start, n_bytes in parts]
        wanted = {number for start, stop in ends for number in _number_blocks(start, stop)}
        held = {number: self._blocks[number] for number in wanted if number in self._blocks}
        for first, stop in _find_runs(sorted(wanted - held.keys())):
            if self._whole is not None:
                break
            held.update(self._fetch(first, stop))
        for number in sorted(wanted):
            if number in self._blocks:
                self._blocks.move_to_end(number)
        return [self._assemble(start, stop, held) for start, stop in ends]

    def _assemble(self, start: int, stop: int, held: dict[int, bytes]) -> bytes:
        if start >= stop:
            return b""
        if self._whole is not None:
            self._whole.seek(start)
            return self._whole.read(stop - start)
        numbers = _number_blocks(start, stop)
        data = b"".join([held[number] for number in numbers])
        skipped = start - numbers[0] * BLOCK
        return data[skipped : skipped + stop - start]

    def _fetch(self, first: int, stop: int) -> dict[int, bytes]:
        """Ask for blocks from `first` to before `stop`, keep them and give them; none where the file came whole."""
        start, end = first * BLOCK, stop * BLOCK
        if self._version is not None:
            is_almost_all = (
                self._version.size - end < BLOCK
            )  # the rest comes along: a directory at the end of a TIFF
            end = self._version.size if is_almost_all else end
        try:
            data = self._ask(start, end)
        except AnswerError as error:
            if error.status != HTTPStatus.PARTIAL_CONTENT:
                raise
            data = self._ask(None, None)
        if data is None:
            return {}
        blocks = {first + at // BLOCK: data[at : at + BLOCK] for at in range(0, len(data), BLOCK)}
        self._keep(blocks)
        return blocks

    def _keep(self, blocks: dict[int, bytes]) -> None:
        self._blocks.update(blocks)
        while len(self._blocks) > N_KEPT:
            self._blocks.popitem(last=False)

    def _ask(self, start: int | None, end: int | None) -> bytes | None:
        """Ask for bytes, or the whole file; None where it came whole, as it may whatever was asked for."""
        headers = {} if start is None else {"range": f"bytes={start}-{(end or 0) - 1}"}
        ask = Ask(
            url=self.url,
            headers=headers,
            max_bytes=self._client.settings.max_bytes,
            accepts=frozenset({HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}),
            find_fault=lambda reply: find_range_fault(reply, start, end),
        )
        with ExitStack() as stack:
            spool = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=(LONGEST_RUN + 1) * BLOCK))
            reply = self._send(ask, spool)
            spool.seek(0)
            self._check_version(reply)
            if reply.status == HTTPStatus.OK:
                self._whole = spool
                weakref.finalize(self, stack.pop_all().close)
                return None
            return spool.read() if reply.status == HTTPStatus.PARTIAL_CONTENT else b""

    def _send(self, ask: Ask, spool: IO[bytes]) -> Reply:
        try:
            return self._client.send(ask, spool)
        except AnswerError as error:
            if error.reason is not Reason.TOO_LARGE:
                raise
            said = f"the server does not serve parts of files: {error.detail}"
            raise RecordError(Reason.UNREADABLE, said) from error

    def _check_version(self, reply: Reply) -> None:
        version = _read_version(reply)
        if self._version is None:
            self._version = version
        elif not version.is_same(self._version):
            forget_remote(self.url)
            raise RecordError(Reason.UNREADABLE, f"{name_of(self.url)}: has changed while it was being read")


def find_range_fault(reply: Reply, start: int | None, end: int | None) -> str | None:
    """What is wrong with an answer to a request for bytes from `start` to before `end` (RFC 9110, section 15.3.7)."""
    if reply.headers.get("Content-Encoding", "identity") != "identity":
        return (
            f"the server encoded the file as {reply.headers['Content-Encoding']} although identity was wanted"
        )
    if reply.status != HTTPStatus.PARTIAL_CONTENT:
        return None
    got = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", reply.headers.get("Content-Range", "").strip())
    if start is None or end is None or got is None:
        return f"the server answered 206 with the Content-Range {reply.headers.get('Content-Range')!r}"
    first, last, size = map(int, got.groups())
    if (first, last + 1) != (start, min(end, size)) or reply.size != last + 1 - first:
        return (
            f"wanted bytes {start} to {end - 1}, the server gave {reply.size} bytes that it calls {first} to "
            f"{last} of {size}"
        )
    return None


def _read_version(reply: Reply) -> Version:
    total = reply.headers.get("Content-Range", "").rpartition("/")[2]
    is_part = reply.status != HTTPStatus.OK
    return Version(
        size=int(total) if is_part and total.isdecimal() else reply.size,
        etag=reply.headers.get("ETag"),
        modified=reply.headers.get("Last-Modified"),
    )


def _number_blocks(start: int, stop: int) -> range:
    return range(start // BLOCK, -(-stop // BLOCK)) if start < stop else range(0)


def _find_runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Join block numbers, ascending, to runs (first, stop) over small gaps."""
    first = stop = None
    for number in numbers:
        if first is None or stop is None or number > stop + _GAP or number - first >= LONGEST_RUN:
            if first is not None and stop is not None:
                yield first, stop
            first = number
        stop = number + 1
    if first is not None and stop is not None:
        yield first, stop


_open: OrderedDict[str, RemoteFile] = OrderedDict()


def open_remote(url: str) -> RemoteFile:
    """Open a file on a server with the client that `net.client.configure` described, or give it where it is open."""
    client = default_client()
    held = _open.get(url)
    if held is not None and held.is_of(client):
        _open.move_to_end(url)
        return held
    forget_remote(url)
    _open[url] = RemoteFile(url, client)
    while len(_open) > _MAX_OPEN:
        forget_remote(next(iter(_open)))
    return _open[url]


def forget_remote(url: str) -> None:
    """Ask anew the next time that a file is opened."""
    _open.pop(url, None)


def fingerprint_remote(url: str, *, exact: bool = False) -> str:
    """Fingerprint the content of a file on a server.

    Up to 16 MiB, and with `exact` at any size, it is read and the fingerprint equals `fingerprint_file` of a copy
    (of larger files eight samples of 1 MiB are read). Else size and ETag or Last-Modified stand for the content;
    where the server gives neither, it is read. Raises RecordError as `RemoteFile` does.
    """
    file = open_remote(url)
    stamp = file.version.etag or file.version.modified
    if exact or stamp is None or file.size <= WHOLE_FILE_LIMIT:
        return fingerprint_reads(file.size, file.read)
    return make_id("remote", file.size, stamp)
