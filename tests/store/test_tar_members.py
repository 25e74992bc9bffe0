"""The files in a tar, held against Python's own reader."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stream_sets import write_tar

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.store.tar_members import Member, list_members

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/\\", exclude_categories=("Cs",)), min_size=1
)
FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def list_by_tarfile(path: Path) -> list[Member]:
    with tarfile.open(path, "r:") as tar:
        return [Member(m.name, m.offset_data, m.size) for m in tar if m.isfile()]


@pytest.mark.parametrize("form", FORMATS)
def test_that_files_of_all_forms_are_found(tmp_path: Path, form: int) -> None:
    names = ["a.jpg", "d/" * 60 + "deep.json", "é" * 20 + ".txt", "empty"]
    if form != tarfile.USTAR_FORMAT:
        names += ["n" * 300 + ".png", "e/" * 200 + "x.png"]
    path = write_tar(
        tmp_path / "a.tar", [(name, name.encode()[:700] * (i % 3)) for i, name in enumerate(names)], form
    )
    found, error = list_members(path)
    assert error is None
    assert found == list_by_tarfile(path)
    assert [member.name for member in found] == names


@given(st.lists(st.tuples(NAMES, st.binary(max_size=1200)), max_size=6), st.sampled_from(FORMATS[1:]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_that_any_names_are_read_as_python_reads_them(
    tmp_path: Path, files: list[tuple[str, bytes]], form: int
) -> None:
    path = write_tar(tmp_path / "any.tar", files, form)
    assert list_members(path) == (list_by_tarfile(path), None)
    data = path.read_bytes()
    assert [data[m.offset : m.offset + m.size] for m in list_members(path).members] == [d for _, d in files]


def test_that_folders_links_and_pax_times_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "ours"}) as tar:
        folder = tarfile.TarInfo("d")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        timed = tarfile.TarInfo("d/a.jpg")
        timed.size, timed.mtime = 3, 1234.5
        tar.addfile(timed, io.BytesIO(b"abc"))
    assert list_members(path) == (list_by_tarfile(path), None)
    assert [member.name for member in list_members(path).members] == ["d/a.jpg"]


def test_that_a_size_in_base_256_is_read(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", [("a", b"12345")])
    data = bytearray(path.read_bytes())
    data[124:136] = b"\x80" + (5).to_bytes(11, "big")
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    path.write_bytes(data)
    assert list_members(path) == (list_by_tarfile(path), None)


@pytest.mark.parametrize(
    ("keep", "n_found"), [(512 * 4, 2), (512 * 4 + 100, 2), (512 * 3, 2), (512 * 2 + 100, 1), (0, 0)]
)
def test_that_a_tar_that_is_cut_short_says_so_and_gives_what_came_before(
    tmp_path: Path, keep: int, n_found: int
) -> None:
    path = write_tar(tmp_path / "a.tar", [("a", b"1"), ("b", b"2"), ("c", b"3")])
    path.write_bytes(path.read_bytes()[:keep])
    found, error = list_members(path)
    assert [member.name for member in found] == ["a", "b", "c"][:n_found]
    assert error is not None
    assert error.reason is Reason.UNREADABLE
    assert "cut short" in error.detail


def test_that_a_broken_header_is_told(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", [("a", b"1"), ("b", b"2")])
    data = bytearray(path.read_bytes())
    data[1024 + 3] ^= 0x40
    path.write_bytes(data)
    found, error = list_members(path)
    assert [member.name for member in found] == ["a"]
    assert error is not None
    assert "no header at byte 1024" in error.detail
    (tmp_path / "no.tar").write_bytes(b"this is no tar" * 100)
    assert list_members(tmp_path / "no.tar").error is not None


def test_that_a_missing_file_is_a_record_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="missing"):
        list_members(tmp_path / "nowhere.tar")
