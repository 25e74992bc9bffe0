import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.ids import (
    _SAMPLE,
    WHOLE_FILE_LIMIT,
    fingerprint_bytes,
    fingerprint_file,
    hash_bytes,
    hash_json,
    make_id,
)

PARTS = st.lists(
    st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.binary(), st.none()), max_size=4
)


@given(PARTS, PARTS)
def test_ids_differ_exactly_when_the_parts_differ(a: list[object], b: list[object]) -> None:
    same = [(type(x), x) for x in a] == [(type(x), x) for x in b] and [str(x) for x in a] == [
        str(x) for x in b
    ]
    assert (make_id(*a) == make_id(*b)) == same  # type: ignore[arg-type]


def test_parts_do_not_run_into_each_other() -> None:
    assert make_id("ab", "c") != make_id("a", "bc")
    assert make_id("1") != make_id(1)
    assert len(make_id("x")) == 24


def test_json_hash_ignores_the_order_of_keys_and_refuses_nan() -> None:
    assert hash_json({"a": 1, "b": [2]}) == hash_json({"b": [2], "a": 1})
    assert hash_json({"a": 1}) != hash_json({"a": 2})
    with pytest.raises(ValueError, match="JSON"):
        hash_json(float("nan"))


def test_hash_bytes_is_sha256() -> None:
    # FIPS 180-2, appendix B.1
    assert hash_bytes(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_small_files_are_fingerprinted_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"scene")
    assert (
        fingerprint_file(path)
        == hashlib.blake2b(b"scene", digest_size=16).hexdigest()
        == fingerprint_bytes(b"scene")
    )


def test_large_files_are_fingerprinted_by_samples_from_first_to_last_byte(tmp_path: Path) -> None:
    size = WHOLE_FILE_LIMIT + 5 * _SAMPLE
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(size)
    before = fingerprint_file(path)
    assert before == fingerprint_file(path)
    for offset in (0, size - 1):
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(b"\x01")
        after = fingerprint_file(path)
        assert after != before
        before = after
    with path.open("r+b") as file:
        file.truncate(size + 1)
    assert fingerprint_file(path) != before
