"""Headers of safetensors files, as the library reads them; broken ones are refused and never crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.models.weights.headers import read_header, read_metadata

pytest.importorskip("safetensors")

from safetensors import safe_open
from safetensors.numpy import save_file


def test_the_header_is_what_the_library_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {
        "a": np.zeros((3, 4), np.float32),
        "é": np.zeros((), np.int8),
        "empty": np.zeros((0, 2), np.float16),
    }
    save_file(tensors, path, {"b": "text"})
    header = read_header(path)
    with safe_open(path, "np") as theirs:
        assert sorted(header) == sorted(theirs.keys())
        assert all(header[name]["shape"] == theirs.get_slice(name).get_shape() for name in header)
    assert read_metadata(path) == {"b": "text"}


def test_a_file_without_texts_has_none(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, path)
    assert read_metadata(path) == {}


@given(data=st.binary(max_size=200), size=st.integers(0, 300))
@settings(max_examples=60)
def test_no_bytes_crash_the_header_reader(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, size: int
) -> None:
    path = tmp_path_factory.mktemp("header") / "a.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + data)
    with pytest.raises(UsageError):
        read_header(path)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": 3, "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": "1", "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]},
        "F32",
        None,
    ],
)
def test_headers_with_broken_entries_are_refused(tmp_path: Path, entry: Any) -> None:
    path = tmp_path / "a.safetensors"
    header = json.dumps({"a": entry}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
    with pytest.raises(UsageError, match="no safetensors file, or broken"):
        read_header(path)
