"""Members of archives as byte ranges: against tarfile and zipfile, with every kind of hostile archive."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError
from earthloom.core.records import Item, Part, Reason
from earthloom.ingest.archives import is_archive, list_members

BODIES = {
    "a.jpg": b"first",
    "Forest/b c.jpg": os.urandom(3000),
    "é/测试.jpg": b"x" * 512,
    "notes.txt": b"no picture",
}


def is_jpg(name: str) -> bool:
    return name.endswith(".jpg")


def members(path: Path, prefix: str = "") -> list[Item]:
    archive = Item(key=path.name, parts=(Part(uri=str(path), size=path.stat().st_size, mtime_ns=5),))
    return list(list_members(archive, prefix, is_jpg))


def contents(found: list[Item]) -> dict[str, bytes]:
    return {i.key: read_blob(i.parts[0].uri, i.parts[0].within) for i in found if i.refused is None}


def refusals(found: list[Item]) -> dict[str, Reason]:
    return {item.key: item.refused for item in found if item.refused is not None}


def make_tar(path: Path, bodies: dict[str, bytes], form: int = tarfile.PAX_FORMAT, mode: str = "w") -> Path:
    with tarfile.open(path, mode, format=form) as tar:  # type: ignore[call-overload]
        for name, body in bodies.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


def make_zip(path: Path, bodies: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, body in bodies.items():
            archive.writestr(name, body)
    return path


JPGS = {name: body for name, body in BODIES.items() if is_jpg(name)}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_of_a_tar_are_read_in_place(tmp_path: Path, form: int) -> None:
    long_name = {f"{'folder/' * 20}{'n' * 120}.jpg": b"long"} if form != tarfile.USTAR_FORMAT else {}
    found = members(make_tar(tmp_path / "a.tar", BODIES | long_name, form))
    assert contents(found) == JPGS | long_name
    assert not refusals(found)
    assert found[0].parts[0].mtime_ns == 5


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_of_a_zip_are_read_in_place(tmp_path: Path, method: int) -> None:
    found = members(make_zip(tmp_path / "a.zip", BODIES, method))
    assert contents(found) == JPGS
    assert not refusals(found)
    assert all(item.parts[0].within and item.parts[0].within.deflated == (method != 0) for item in found)


def test_a_zip_with_extra_fields_and_something_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("a.jpg")
        info.extra = struct.pack("<HH4s", 0xCAFE, 4, b"xtra")
        archive.writestr(info, b"body")
    path.write_bytes(b"#!/bin/sh self-extracting\n" + path.read_bytes())
    assert contents(members(path)) == {"a.jpg": b"body"}


def test_keys_of_an_archive_in_a_folder_begin_with_it(tmp_path: Path) -> None:
    assert [i.key for i in members(make_tar(tmp_path / "a.tar", {"x.jpg": b"1"}), "shards/a.tar/")] == [
        "shards/a.tar/x.jpg"
    ]


@pytest.mark.parametrize("make", [make_tar, make_zip])
@pytest.mark.parametrize(
    "name",
    ["../evil.jpg", "a/../../evil.jpg", "/etc/evil.jpg", "..\\evil.jpg", "C:\\evil.jpg", "../evil.txt"],
)
def test_members_that_leave_the_archive_are_refused(tmp_path: Path, make: object, name: str) -> None:
    found = members(
        make(tmp_path / ("a.tar" if make is make_tar else "a.zip"), {name: b"evil", "good.jpg": b"1"})
    )  # type: ignore[operator]
    assert refusals(found) == {name: Reason.UNSAFE_PATH}
    assert contents(found) == {"good.jpg": b"1"}


def test_links_in_a_tar_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind in (
            ("soft.jpg", tarfile.SYMTYPE),
            ("hard.jpg", tarfile.LNKTYPE),
            ("pipe.jpg", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        folder = tarfile.TarInfo("folder.jpg")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    assert refusals(members(path)) == {
        "soft.jpg": Reason.UNSAFE_PATH, "hard.jpg": Reason.UNSAFE_PATH, "pipe.jpg": Reason.UNREADABLE,
    }  # fmt: skip


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("soft.jpg")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert refusals(members(tmp_path / "a.zip")) == {"soft.jpg": Reason.UNSAFE_PATH}


def test_leading_dots_and_hidden_members(tmp_path: Path) -> None:
    names = ["./a.jpg", "././b/c.jpg", ".hidden.jpg", "__MACOSX/a.jpg", "x/._a.jpg"]
    found = members(make_tar(tmp_path / "a.tar", dict.fromkeys(names, b"1")))
    assert [item.key for item in found] == ["a.jpg", "b/c.jpg"]


def test_a_second_member_of_one_name_is_refused(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", {"a.jpg": b"1", "b.jpg": b"2"})
    make_tar(path, {"a.jpg": b"3"}, mode="a")
    found = members(path)
    assert contents(found) == {"a.jpg": b"1", "b.jpg": b"2"}
    assert refusals(found) == {"a.jpg": Reason.DUPLICATE}


def test_a_name_that_is_no_text_is_written_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        info = tarfile.TarInfo("café.jpg")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"1"))
    assert contents(members(tmp_path / "a.tar")) == {"caf\\xe9.jpg": b"1"}


@pytest.mark.parametrize("cut", [200, 700, 1600, 5000])
def test_a_tar_cut_short_gives_the_members_before(tmp_path: Path, cut: int) -> None:
    path = make_tar(
        tmp_path / "a.tar", {f"{i}.jpg": os.urandom(700) for i in range(10)}, tarfile.USTAR_FORMAT
    )
    whole = contents(members(path))
    path.write_bytes(path.read_bytes()[:cut])
    found = members(path)
    assert refusals(found) == {"a.tar": Reason.UNREADABLE}
    assert contents(found) == {f"{i}.jpg": whole[f"{i}.jpg"] for i in range(cut // 1536)}


def test_a_tar_cut_between_members_is_noticed(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", {"a.jpg": b"1", "b.jpg": b"2"}, tarfile.USTAR_FORMAT)
    path.write_bytes(path.read_bytes()[:1024])
    found = members(path)
    assert contents(found) == {"a.jpg": b"1"}
    assert refusals(found) == {"a.tar": Reason.UNREADABLE}


def test_a_tar_broken_in_the_middle_is_noticed(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", {"a.jpg": b"1", "b.jpg": b"2"}, tarfile.USTAR_FORMAT)
    data = bytearray(path.read_bytes())
    data[1024:1536] = os.urandom(512)
    path.write_bytes(data)
    found = members(path)
    assert contents(found) == {"a.jpg": b"1"}
    assert refusals(found) == {"a.tar": Reason.UNREADABLE}


def test_an_empty_tar_is_whole(tmp_path: Path) -> None:
    assert members(make_tar(tmp_path / "a.tar", {})) == []


@pytest.mark.parametrize("name", ["a.tar", "a.zip"])
@pytest.mark.parametrize(("data", "reason"), [(b"", Reason.EMPTY), (b"<html>" * 300, Reason.UNREADABLE)])
def test_what_is_no_archive_is_refused(tmp_path: Path, name: str, data: bytes, reason: Reason) -> None:
    (tmp_path / name).write_bytes(data)
    assert refusals(members(tmp_path / name)) == {name: reason}


def test_an_archive_that_is_gone_is_refused(tmp_path: Path) -> None:
    archive = Item(key="a.tar", parts=(Part(uri=str(tmp_path / "a.tar"), size=100),))
    assert refusals(list(list_members(archive, "", is_jpg))) == {"a.tar": Reason.MISSING}


@pytest.mark.parametrize("name", ["a.tar.gz", "a.TGZ", "a.tar.xz", "a.tar.bz2", "a.tar.zst"])
def test_a_compressed_tar_names_the_remedy(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    (item,) = members(tmp_path / name)
    assert item.refused is Reason.UNREADABLE
    assert "decompress" in item.detail
    assert is_archive(name)


def test_a_zip_cut_short_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", BODIES)
    path.write_bytes(path.read_bytes()[:-30])
    assert refusals(members(path)) == {"a.zip": Reason.UNREADABLE}


def test_encrypted_and_oddly_compressed_members_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.jpg": b"1" * 100, "b.jpg": b"2" * 100}, zipfile.ZIP_LZMA)
    assert set(refusals(members(path)).values()) == {Reason.UNREADABLE}
    path = make_zip(tmp_path / "b.zip", {"a.jpg": b"1" * 100})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    (item,) = members(path)
    assert (item.refused, item.detail) == (Reason.UNREADABLE, "encrypted")


def test_a_zip_whose_table_lies_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.jpg": b"1" * 100})
    data = bytearray(path.read_bytes())
    data[:4] = b"\0\0\0\0"
    path.write_bytes(data)
    assert refusals(members(path)) == {"a.jpg": Reason.UNREADABLE}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.sampled_from(["tar", "zip"]))
def test_damaged_archives_never_leak_an_error(tmp_path: Path, seed: int, kind: str) -> None:
    rng = random.Random(seed)
    path = tmp_path / f"a.{kind}"
    make = make_tar if kind == "tar" else make_zip
    data = bytearray(make(path, BODIES).read_bytes())
    for _ in range(rng.randint(1, 6)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(data)
    for item in members(path):
        if item.refused is None:
            try:
                read_blob(item.parts[0].uri, item.parts[0].within)
            except RecordError as error:
                assert error.detail


def test_a_large_tar_is_listed_fast(real_data: Path) -> None:
    path = real_data / "eurosat" / "eurosat_rgb.tar"
    began = time.process_time()
    found = members(path)
    assert time.process_time() - began < 5  # 24,243 members; half a second alone, more under coverage
    with tarfile.open(path) as tar:
        wanted = [(info.name, info.offset_data, info.size) for info in tar if is_jpg(info.name)]
    assert [
        (i.key, i.parts[0].within.offset, i.parts[0].within.size) for i in found if i.parts[0].within
    ] == wanted
    assert len(found) == 24_243
