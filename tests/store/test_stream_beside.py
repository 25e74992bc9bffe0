"""Members of samples that lie in tars of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from stream_sets import read_epoch, write_tar, write_webdataset

from earthloom.core.errors import UsageError
from earthloom.store.selection import Selection
from earthloom.store.stream.beside import Beside
from earthloom.store.stream.samples import Stream


def test_that_members_come_with_their_samples(tmp_path: Path) -> None:
    place = write_webdataset(tmp_path / "set", [3, 3])
    keys = [f"00000/{n:06d}" for n in range(3)] + [f"00001/{n:06d}" for n in range(3, 6)]
    write_tar(tmp_path / "more/a.tar", [(f"{key}.latents.npy", key.encode()) for key in reversed(keys[1:])])
    write_tar(tmp_path / "more/b.tar", [(f"{keys[2]}.text.npy", b"2"), (f"{keys[4]}.text.npy", b"4")])
    stream = Stream(Selection(release=str(place)), Path(), seed=0, beside=tmp_path / "more")
    extra = {sample.key: dict(sample.extra) for sample in read_epoch(stream)}
    assert extra.pop(keys[0]) == {}
    texts = {keys[2]: {"text.npy": b"2"}, keys[4]: {"text.npy": b"4"}}
    assert extra == {key: {"latents.npy": key.encode(), **texts.get(key, {})} for key in keys[1:]}


def test_that_keys_may_have_dots(tmp_path: Path) -> None:
    names = ["a/b.v2.png", "a/b.v2", "a/b"]
    write_tar(tmp_path / "a.tar", [(f"{name}.latents.npy", name.encode()) for name in names])
    beside = Beside(tmp_path)
    assert [beside.read(name) for name in names] == [{"latents.npy": name.encode()} for name in names]
    assert beside.read("a") == {}


def test_that_a_changed_cache_changes_the_identity(tmp_path: Path) -> None:
    place = write_webdataset(tmp_path / "set", [3])
    write_tar(tmp_path / "more/a.tar", [("00000/000000.latents.npy", b"1")])
    one = Stream(Selection(release=str(place)), Path(), seed=0, beside=tmp_path / "more").identity
    write_tar(tmp_path / "more/b.tar", [("00000/000001.latents.npy", b"1")])
    assert Stream(Selection(release=str(place)), Path(), seed=0, beside=tmp_path / "more").identity != one


def test_that_no_tars_and_broken_tars_are_errors_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no tars"):
        Beside(tmp_path)
    path = write_tar(tmp_path / "a.tar", [("a.latents.npy", b"1")])
    path.write_bytes(path.read_bytes()[:1024])
    with pytest.raises(UsageError, match="made anew"):
        Beside(tmp_path).read("a")
