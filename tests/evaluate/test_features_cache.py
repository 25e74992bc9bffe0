"""Features that are kept by content."""

from __future__ import annotations

import logging
import multiprocessing
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from earthloom.core.errors import RunError
from earthloom.store.features import FeatureCache, default_feature_cache


def open_cache(folder: Path, encoder: str = "made@1", resize: str = "none", width: int = 3) -> FeatureCache:
    return FeatureCache(folder, encoder=encoder, resize=resize, width=width)


def test_what_is_kept_is_found_again_bit_by_bit(tmp_path: Path) -> None:
    row = np.array([1 / 3, -1e-30, 3e38], np.float32)
    first = open_cache(tmp_path)
    key = first.make_key(b"picture", is_linear=False)
    assert first.find(key) is None
    first.keep([(key, row)])
    first.close()
    again = open_cache(tmp_path)
    found = again.find(key)
    again.close()
    assert found is not None
    assert found.tobytes() == row.tobytes()


def test_that_keys_differ_by_all_that_changes_features(tmp_path: Path) -> None:
    caches = [
        open_cache(tmp_path),
        open_cache(tmp_path, encoder="made@2"),
        open_cache(tmp_path, resize="other"),
        open_cache(tmp_path, width=4),
    ]
    keys = {
        cache.make_key(data, is_linear=is_linear)
        for cache in caches
        for data in (b"one", b"two", b"")
        for is_linear in (True, False)
    }
    assert len(keys) == 4 * 3 * 2
    assert len({cache.path for cache in caches}) == 4
    for cache in caches:
        cache.close()


def test_a_row_that_is_not_finite_is_no_row(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    key = cache.make_key(b"picture", is_linear=False)
    for bad in (np.nan, np.inf):
        cache.keep([(key, np.array([1, bad, 2], np.float32))])
        assert cache.find(key) is None
    cache.close()


def test_a_row_that_was_cut_is_no_row(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    key = cache.make_key(b"picture", is_linear=False)
    cache.keep([(key, np.zeros(3, np.float32))])
    with sqlite3.connect(cache.path) as base:
        base.execute("UPDATE features SET row = ?", (b"\0\0\0\0",))
    base.close()
    assert cache.find(key) is None
    cache.keep([(key, np.ones(3, np.float32))])
    assert cache.find(key) is not None
    cache.close()


def test_a_file_that_is_no_cache_is_told_with_a_remedy(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    cache.close()
    for path in tmp_path.iterdir():
        path.write_bytes(b"no base" * 1000)
    with pytest.raises(RunError, match="delete the file"):
        open_cache(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="another folder"):
        open_cache(tmp_path / "file")


def test_that_a_full_disk_ends_keeping_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = open_cache(tmp_path)
    key = cache.make_key(b"picture", is_linear=False)
    with sqlite3.connect(cache.path) as base:
        base.execute("DROP TABLE features")
        base.execute("CREATE TABLE features (key BLOB CHECK (0), row BLOB)")
    base.close()
    with caplog.at_level(logging.WARNING):
        cache.keep([(key, np.zeros(3, np.float32))])
        cache.keep([(key, np.zeros(3, np.float32))])
    cache.close()
    assert caplog.text.count("no longer kept") == 1


def write_many(folder: Path, start: int) -> None:
    cache = open_cache(folder)
    for i in range(start, start + 100):
        cache.keep([(cache.make_key(str(i).encode(), is_linear=False), np.full(3, i, np.float32))])
    cache.close()


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(tmp_path, start)) for start in (0, 50)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    cache = open_cache(tmp_path)
    for i in range(150):
        found = cache.find(cache.make_key(str(i).encode(), is_linear=False))
        assert found is not None
        assert found[0] == i
    cache.close()


def test_that_what_a_killed_process_had_kept_is_there(tmp_path: Path) -> None:
    code = (
        "import os, sys, numpy as np; from pathlib import Path; from earthloom.store.features import FeatureCache\n"
        "cache = FeatureCache(Path(sys.argv[1]), encoder='made@1', resize='none', width=3)\n"
        "cache.keep([(cache.make_key(b'kept', is_linear=False), np.ones(3, np.float32))])\n"
        "cache._base.execute('BEGIN'); cache._base.execute('DELETE FROM features')\n"
        "os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == -9
    cache = open_cache(tmp_path)
    assert cache.find(cache.make_key(b"kept", is_linear=False)) is not None
    cache.close()


def test_the_folder_where_none_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_feature_cache() == tmp_path / "earthloom" / "features"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_feature_cache() == Path.home() / ".cache/earthloom/features"
