"""Shards in object storage: listed by address, copied when they are needed, kept within bounds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest
from pyarrow import fs
from stream_sets import open_stream, read_epoch, write_webdataset

from earthloom.core.errors import RunError, UsageError
from earthloom.store.selection import Selection, select
from earthloom.store.stream.remote import RemoteFile, ShardCache, open_place
from earthloom.store.stream.samples import Stream


def open_remote(uri: str, cache: ShardCache, **options: int) -> Stream:
    return Stream(Selection(release=uri), Path(), seed=0, shuffle=options.get("shuffle", 8), cache=cache)


@contextmanager
def serve_bucket(root: Path) -> Iterator[tuple[str, list[str]]]:
    """The part of S3 that is needed to list and to read the folders of `root` as buckets; gives host and requests."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path}")
            url = urlsplit(self.path)
            path = root / unquote(url.path).lstrip("/")
            if path.is_dir() and "list-type=2" in url.query:
                self._send(200, _list_bucket(path, parse_qs(url.query)))
            elif path.is_file():
                self._send_file(path.read_bytes())
            else:
                self._send(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")

        def _send_file(self, data: bytes) -> None:
            span = self.headers.get("Range")
            if span is None:
                self._send(200, data)
                return
            start, stop = span.removeprefix("bytes=").split("-")
            part = data[int(start) : int(stop) + 1]
            self._send(
                206, part, ("Content-Range", f"bytes {start}-{int(start) + len(part) - 1}/{len(data)}")
            )

        def _send(self, status: int, data: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            times = ("Last-Modified", "Sat, 01 Jan 2022 00:00:00 GMT")
            for name, value in (("Content-Length", str(len(data))), ("ETag", '"e"'), times, *headers):
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _list_bucket(bucket: Path, query: dict[str, list[str]]) -> bytes:
    prefix, delimiter = (query.get(name, [""])[0] for name in ("prefix", "delimiter"))
    keys = sorted(path.relative_to(bucket).as_posix() for path in bucket.rglob("*") if path.is_file())
    found, folders = [], set()
    for key in keys:
        if key.startswith(prefix):
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.split(delimiter)[0] + delimiter)
            else:
                found.append(key)
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{(bucket / key).stat().st_size}</Size>"
        f"<LastModified>2022-01-01T00:00:00.000Z</LastModified><ETag>e</ETag></Contents>"
        for key in found
    )
    commons = "".join(
        f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>" for f in sorted(folders)
    )
    head = f"<Name>b</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(found)}</KeyCount><MaxKeys>1000</MaxKeys>"
    text = f"<ListBucketResult>{head}<IsTruncated>false</IsTruncated>{contents}{commons}</ListBucketResult>"
    return b'<?xml version="1.0" encoding="UTF-8"?>' + text.encode()


@pytest.mark.parametrize("below", ["", "data", "release/data", "deep/er"])
def test_that_an_address_gives_the_samples_of_the_folder(tmp_path: Path, below: str) -> None:
    write_webdataset(tmp_path / "set" / below, [5, 6, 4])
    local = open_stream(tmp_path / "set", shuffle=8)
    remote = open_remote(f"file://{tmp_path}/set", ShardCache(tmp_path / "cache"))
    assert [s.key for s in read_epoch(remote)] == [s.key for s in read_epoch(local)]
    assert len(list((tmp_path / "cache").glob("*.tar"))) == 3


def test_that_a_bucket_of_s3_is_read(tmp_path: Path) -> None:
    write_webdataset(tmp_path / "buckets/ours/rel ease/data", [5, 4])
    local = open_stream(tmp_path / "buckets/ours/rel ease", shuffle=8)
    with serve_bucket(tmp_path / "buckets") as (host, asked):
        uri = f"s3://key:secret@ours/rel%20ease?endpoint_override={host}&scheme=http&region=us-east-1"
        remote = open_remote(uri, ShardCache(tmp_path / "cache"))
        assert not [line for line in asked if "00000.tar" in line]
        assert [(s.key, s.image) for s in read_epoch(remote)] == [(s.key, s.image) for s in read_epoch(local)]


def test_that_copies_are_made_once_and_made_anew_when_the_file_changes(tmp_path: Path) -> None:
    write_webdataset(tmp_path / "set", [3])
    uri, folder = f"file://{tmp_path}/set", tmp_path / "cache"
    read_epoch(open_remote(uri, ShardCache(folder)))
    (copy,) = folder.glob("*.tar")
    inode = copy.stat().st_ino
    read_epoch(open_remote(uri, ShardCache(folder)))
    assert [path.stat().st_ino for path in folder.glob("*.tar")] == [inode]
    write_webdataset(tmp_path / "set", [5])
    assert len(read_epoch(open_remote(uri, ShardCache(folder)))) == 5
    assert len(list(folder.glob("*.tar"))) == 2


def test_that_the_cache_is_bounded_and_what_is_wanted_is_kept(tmp_path: Path) -> None:
    write_webdataset(tmp_path / "set", [4] * 8)
    size = (tmp_path / "set/00000.tar").stat().st_size
    folder = tmp_path / "cache"
    stream = open_remote(f"file://{tmp_path}/set", ShardCache(folder, room=3 * size), shuffle=4)
    keys = set()
    for position in range(32):
        keys.add(stream.read(position).key)
        assert len(list(folder.glob("*.tar"))) <= 5  # the block, the next one, and what is just being brought
    assert len(keys) == 32
    assert [stream.read(p).key for p in (0, 31, 3)] == [
        open_stream(tmp_path / "set", shuffle=4).read(p).key for p in (0, 31, 3)
    ]


def test_that_a_copy_that_went_away_is_brought_again(tmp_path: Path) -> None:
    write_webdataset(tmp_path / "set", [4])
    stream = open_remote(f"file://{tmp_path}/set", ShardCache(tmp_path / "cache"))
    first = stream.read(0).key
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    assert stream.read(0).key == first


def test_that_a_half_written_copy_is_no_copy(tmp_path: Path) -> None:
    write_webdataset(tmp_path / "set", [4])
    place = open_place(f"file://{tmp_path}/set")
    ((_, file),) = place.list_files("")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / file.name).write_bytes(b"half")
    assert ShardCache(tmp_path / "cache").get(file).read_bytes() == (tmp_path / "set/00000.tar").read_bytes()


def test_that_what_cannot_be_brought_is_told_with_a_remedy(tmp_path: Path) -> None:
    gone = RemoteFile(fs.LocalFileSystem(), str(tmp_path / "gone.tar"), 10, 0)
    with pytest.raises(RunError, match="run the same command again"):
        ShardCache(tmp_path / "cache").get(gone)
    short = RemoteFile(fs.LocalFileSystem(), str(tmp_path / "short.tar"), 10, 0)
    (tmp_path / "short.tar").write_bytes(b"short")
    with pytest.raises(RunError, match=r"could not be copied: wanted 10 bytes, got 5.*same command again"):
        ShardCache(tmp_path / "cache").get(short)
    assert not list((tmp_path / "cache").iterdir())


def test_that_addresses_that_lead_nowhere_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Wanted s3://"):
        open_place("gopher://somewhere/else")
    with pytest.raises(UsageError, match="no release"):
        open_remote(f"file://{tmp_path}/nowhere", ShardCache(tmp_path / "cache"))
    with pytest.raises(UsageError, match="object storage"):
        select(Selection(release="s3://bucket/prefix"), tmp_path)


def test_that_who_goes_on_brings_no_more_shards_than_are_needed(tmp_path: Path) -> None:
    write_webdataset(tmp_path / "set", [4] * 8)
    uri, folder = f"file://{tmp_path}/set", tmp_path / "cache"
    keys = [open_remote(uri, ShardCache(folder), shuffle=4).read(position).key for position in range(64)]
    for path in folder.glob("*.tar"):
        path.unlink()
    with next(folder.glob("counts-*")).open("a") as file:
        file.write("[3, 99")  # killed while writing
    assert open_remote(uri, ShardCache(folder), shuffle=4).read(50).key == keys[50]
    assert len(list(folder.glob("*.tar"))) <= 2  # its block, and the next one
