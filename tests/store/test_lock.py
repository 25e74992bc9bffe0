from pathlib import Path

import pytest

from earthloom.core.errors import LockedError, WriteError
from earthloom.store.lock import hold_lock


def test_a_lock_is_held_once_and_let_go_however_the_block_ends(tmp_path: Path) -> None:
    lock = tmp_path / "new" / ".lock"
    with hold_lock(lock), pytest.raises(LockedError, match=r"Another run works in .*new"), hold_lock(lock):
        raise AssertionError
    with pytest.raises(ZeroDivisionError), hold_lock(lock):
        raise ZeroDivisionError
    with hold_lock(lock):
        assert lock.exists()


def test_errors_of_the_block_are_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), hold_lock(tmp_path / ".lock"):
        (tmp_path / "none").read_text()
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="Could not write"), hold_lock(tmp_path / "file" / ".lock"):
        raise AssertionError
