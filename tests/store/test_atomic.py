import errno
import os
import resource
from pathlib import Path

import pytest

from earthloom.core.errors import WriteError
from earthloom.store.atomic import (
    TEMPORARY,
    explain_write_error,
    open_atomic,
    remove_leftovers,
    translate_write_errors,
    write_json,
    write_text,
)


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a.bin"
    with open_atomic(path) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert [p.name for p in path.parent.iterdir()] == ["a.bin"]


def test_an_error_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), open_atomic(path) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_equal_values_give_equal_bytes(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"b": 1, "a": "é"})
    write_json(tmp_path / "b", {"a": "é", "b": 1})
    assert (
        (tmp_path / "a").read_bytes()
        == (tmp_path / "b").read_bytes()
        == b'{\n  "a": "\xc3\xa9",\n  "b": 1\n}\n'
    )


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / f"a.parquet.123{TEMPORARY}").touch()
    (tmp_path / "x" / "a.parquet").touch()
    remove_leftovers(tmp_path)
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["a.parquet"]


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EROFS, "Choose another folder"),
        (errno.EACCES, "Change the permissions"),
        (errno.EIO, "Remove the cause"),
    ],
)
def test_write_errors_name_the_remedy(code: int, remedy: str) -> None:
    message = explain_write_error(Path("out"), OSError(code, os.strerror(code)))
    assert remedy in message
    assert "finished work is kept" in message


def test_pyarrow_says_the_code_in_its_text() -> None:
    message = "Error writing bytes to file. Detail: [errno 28] No space left on device"
    assert "Free some space" in explain_write_error(Path("out"), OSError(message))


def test_a_file_over_the_limit_is_a_write_error(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(WriteError, match="Raise the limit"):
            write_text(tmp_path / "large", "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_other_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(KeyError), translate_write_errors(tmp_path):
        raise KeyError
