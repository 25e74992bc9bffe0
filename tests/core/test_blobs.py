"""Reading bytes: whole files and archive members, against tarfile and zipfile; every refusal."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from earthloom.core import blobs
from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError
from earthloom.core.records import ByteRange, Reason


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def refusal(uri: str | Path, within: ByteRange | None = None) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read_blob(str(uri), within)
    return caught.value


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a b\nü.bin"
    path.write_bytes(bytes(range(256)) * 5)
    assert read_blob(str(path)) == path.read_bytes()


def test_a_range_is_read_from_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"0123456789")
    assert read_blob(str(path), ByteRange(offset=3, size=4)) == b"3456"


def test_members_of_a_tar_equal_what_tarfile_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for n in (1, 511, 512, 513, 4000):
            info = tarfile.TarInfo(f"{n}.bin")
            info.size = n
            tar.addfile(info, io.BytesIO(os.urandom(n)))
    with tarfile.open(path) as tar:
        for member in tar:
            wanted = tar.extractfile(member)
            assert wanted is not None
            assert (
                read_blob(str(path), ByteRange(offset=member.offset_data, size=member.size)) == wanted.read()
            )


def test_a_deflated_member_comes_out_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    data = b"to and fro " * 1000
    packed = raw_deflate(data)
    path.write_bytes(b"head" + packed + b"tail")
    assert read_blob(str(path), ByteRange(offset=4, size=len(packed), deflated=True)) == data


def test_a_member_of_a_real_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.txt", "hello " * 500)
        info = archive.infolist()[0]
    start = info.header_offset + 30 + len("x.txt")
    within = ByteRange(offset=start, size=info.compress_size, deflated=True)
    assert read_blob(str(path), within) == b"hello " * 500


@pytest.mark.parametrize("name", ["none.bin", "file/below.bin"])
def test_what_is_not_there_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert refusal(tmp_path / name).reason is Reason.MISSING


def test_a_file_without_bytes_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert refusal(tmp_path / "a").reason is Reason.EMPTY
    assert refusal(tmp_path / "a", ByteRange(offset=0, size=0)).reason is Reason.EMPTY


def test_a_deflated_member_without_bytes_is_empty(tmp_path: Path) -> None:
    packed = raw_deflate(b"")
    (tmp_path / "a").write_bytes(packed)
    assert (
        refusal(tmp_path / "a", ByteRange(offset=0, size=len(packed), deflated=True)).reason is Reason.EMPTY
    )


def test_folders_and_pipes_are_no_files_and_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path).reason is Reason.UNREADABLE
    assert refusal(tmp_path / "pipe").reason is Reason.UNREADABLE


def test_a_link_to_itself_is_unsafe(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert refusal(tmp_path / "loop").reason is Reason.UNSAFE_PATH


def test_a_closed_file_is_no_permission(
    open_folder: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    path = open_folder / "a.bin"
    path.write_bytes(b"x")
    path.chmod(0)
    with as_nobody():
        error = refusal(path)
    assert error.reason is Reason.NO_PERMISSION
    assert "a.bin" in error.detail


def test_a_range_beyond_the_end_is_cut_short(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    error = refusal(tmp_path / "a", ByteRange(offset=6, size=10))
    assert error.reason is Reason.UNREADABLE
    assert "wanted 10 bytes at 6, got 4" in error.detail


@pytest.mark.parametrize("damage", [slice(0, -3), slice(3, None)], ids=["cut", "garbled"])
def test_a_broken_deflate_stream_is_unreadable(tmp_path: Path, damage: slice) -> None:
    packed = raw_deflate(os.urandom(3000))[damage]
    (tmp_path / "a").write_bytes(packed)
    error = refusal(tmp_path / "a", ByteRange(offset=0, size=len(packed), deflated=True))
    assert error.reason is Reason.UNREADABLE


def test_a_zip_bomb_stops_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "MAX_BLOB_BYTES", 2**20)
    packed = raw_deflate(bytes(2**24))
    (tmp_path / "a").write_bytes(packed)
    error = refusal(tmp_path / "a", ByteRange(offset=0, size=len(packed), deflated=True))
    assert error.reason is Reason.TOO_LARGE


def test_a_sparse_giant_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "giant.jpg"
    with path.open("wb") as file:
        file.truncate(blobs.MAX_BLOB_BYTES + 1)
    assert refusal(path).reason is Reason.TOO_LARGE
