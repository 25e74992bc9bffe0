"""Rasters on a server equal the same rasters on the disk, byte for byte, or say why they cannot be read."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from loopback_server import CUT, DROP, ERROR, Answer, Loopback, redirect
from rasterio.windows import Window

from earthloom.core.errors import RecordError
from earthloom.core.ids import fingerprint_file
from earthloom.core.images import encode_png
from earthloom.core.records import Band, Reason
from earthloom.geo import raster
from earthloom.geo.raster import (
    close_rasters,
    fingerprint_raster,
    has_mask,
    open_raster,
    read_encoded,
    read_mask,
    read_start,
    read_window,
)
from earthloom.ingest.rasters import read_raster
from earthloom.net.client import configure
from earthloom.net.config import NetSettings
from earthloom.net.urls import is_remote

RNG = np.random.default_rng(5)
DATA = RNG.integers(0, 256, (3, 600, 700), dtype=np.uint8)
PLACED = {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 500_000, 0, -10, 5_000_000)}
REAL = [
    "cog/cog1.tif",
    "naip/m_4709963_se_14_1_20170827.tif",
    "umbra/umbra_mount_yasur.tiff",
    "spacenet/ms1.tif",
    "landsat7/RGBA.byte.tif",
    "aerial/OSBS_029.tif",
    "sentinel_spain/Spain_7370579_S1Hand.tif",
]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    ask(tries=3)
    yield
    close_rasters()
    configure(NetSettings())


def ask(**changes: Any) -> None:
    quick = {
        "allow_private": True,
        "interval_s": 0.0,
        "backoff_s": 0.001,
        "timeout_s": 2.0,
        "use_proxy": False,
    }
    configure(NetSettings(**{**quick, **changes}))


def write(path: Path, data: np.ndarray = DATA, **options: Any) -> Path:
    profile = {
        "driver": "GTiff",
        "count": len(data),
        "height": data.shape[1],
        "width": data.shape[2],
        **PLACED,
    }
    given = {name: value for name, value in {**profile, **options}.items() if value is not None}
    with rasterio.open(path, "w", dtype=data.dtype.name, **given) as dataset:
        dataset.write(data)
    return path


def cog(path: Path) -> Path:
    return write(path, driver="COG", compress="deflate", blocksize=256)


def bands(uri: str | Path, n: int = 3) -> tuple[Band, ...]:
    return tuple(Band(uri=str(uri), index=i + 1) for i in range(n))


def reason_of(call: Any, *args: Any) -> tuple[Reason, str]:
    with pytest.raises(RecordError) as caught:
        call(*args)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize("name", REAL)
def test_real_files_read_alike(loopback: Loopback, real_data: Path, name: str) -> None:
    url, path = loopback.mount("/data", real_data) + f"/{name}", real_data / name
    assert repr(replace(read_raster(url), uri="")) == repr(replace(read_raster(str(path)), uri=""))  # NaN too
    assert (has_mask(url), fingerprint_raster(url)) == (has_mask(str(path)), fingerprint_file(path))
    with rasterio.open(path) as dataset:
        n, width, height = dataset.count, dataset.width, dataset.height
        for col, row in ((0, 0), (width // 3, height // 2), (width - 200, height - 150)):
            want = dataset.read(window=Window(col, row, 200, 150))
            assert read_window(bands(url, n), col, row, 200, 150).tobytes() == want.tobytes()
        assert read_window(bands(url, n), 0, 0, width, height).tobytes() == dataset.read().tobytes()


def test_one_request_in_five_may_fail(loopback: Loopback, real_data: Path) -> None:
    ask(tries=8)
    loopback.fail_every(5, ERROR, CUT, DROP)
    url, path = loopback.mount("/data", real_data) + "/cog/cog1.tif", real_data / "cog/cog1.tif"
    with rasterio.open(path) as dataset:
        for i in range(25):
            want = dataset.read(window=Window(10 * i, 10 * i, 300, 300))
            assert read_window(bands(url), 10 * i, 10 * i, 300, 300).tobytes() == want.tobytes()
            close_rasters()
    n_failed = len(loopback.seen) // 5
    assert n_failed > 10


def test_a_window_takes_few_requests(loopback: Loopback, real_data: Path) -> None:
    """One for the header, one or two for the nine of sixteen blocks that the window meets; /vsicurl asks six times."""
    url = loopback.mount("/data", real_data) + "/cog/cog1.tif"
    read_raster(url)
    assert len(loopback.seen) == 1
    read_window(bands(url), 200, 200, 512, 512)
    assert len(loopback.seen) == 2
    size = (real_data / "cog/cog1.tif").stat().st_size
    assert (
        sum(int(b) - int(a) + 1 for a, b in (s.headers["range"][6:].split("-") for s in loopback.seen))
        <= size
    )
    read_window(bands(url), 210, 210, 300, 300)  # GDAL holds what it has decoded
    assert len(loopback.seen) == 2
    assert {seen.path for seen in loopback.seen} == {"/data/cog/cog1.tif"}  # no sidecars, no robots.txt


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_every_format_is_read(loopback: Loopback, tmp_path: Path) -> None:
    options: dict[str, dict[str, Any]] = {
        "a.tif": {"tiled": True, "compress": "lzw"},
        "b.tif": {"BIGTIFF": "YES"},
        "c.jp2": {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"},
        "d.img": {"driver": "HFA"},
        "e.ntf": {"driver": "NITF", "crs": None, "transform": None},
    }
    url = loopback.mount("/d", tmp_path)
    for name, option in options.items():
        path = write(tmp_path / name, **option)
        with rasterio.open(path) as dataset:
            want = dataset.read(window=Window(100, 50, 300, 200))
        assert read_window(bands(f"{url}/{name}"), 100, 50, 300, 200).tobytes() == want.tobytes(), name


def test_an_inner_mask_is_read(loopback: Loopback, tmp_path: Path) -> None:
    mask = (RNG.random((600, 700)) < 0.5).astype(np.uint8) * 255
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = write(tmp_path / "a.tif")
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(mask)
    url = loopback.mount("/d", tmp_path) + "/a.tif"
    assert has_mask(url)
    np.testing.assert_array_equal(read_mask(url, 10, 20, 300, 200), mask[20:220, 10:310] != 0)


def test_sidecars_of_a_server_are_not_asked_for(loopback: Loopback, tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif")
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><Metadata><MDI key='x'>y</MDI></Metadata></PAMDataset>"
    )
    url = loopback.mount("/d", tmp_path) + "/a.tif"
    assert open_raster(str(path)).tags().get("x") == "y"
    assert "x" not in open_raster(url).tags()
    assert {seen.path for seen in loopback.seen} == {"/d/a.tif"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=404), Reason.MISSING),
        (Answer(status=401), Reason.NO_PERMISSION),
        (Answer(status=503), Reason.UNREACHABLE),
        (DROP, Reason.UNREACHABLE),
        (Answer(body=b""), Reason.EMPTY),
        (Answer(body=b"<html>sign in</html>"), Reason.NOT_AN_IMAGE),
        (Answer(body=b"<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>"), Reason.NOT_AN_IMAGE),
        (Answer(body=b"II*\0broken"), Reason.UNREADABLE),
        (redirect("ftp://127.0.0.1/x.tif"), Reason.MISSING),
    ],
)
def test_failures_have_their_reasons(loopback: Loopback, answer: Answer, reason: Reason) -> None:
    url = loopback.answer("/a.tif", answer) + "?sig=secret"
    got, said = reason_of(read_raster, url)
    assert got is reason
    assert "secret" not in said
    assert "vsi" not in said


def test_private_addresses_are_refused(loopback: Loopback) -> None:
    ask(allow_private=False)
    url = loopback.put("/a.tif", b"II*\0")
    assert reason_of(open_raster, url)[0] is Reason.PRIVATE_ADDRESS
    assert loopback.seen == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=500), Reason.UNREACHABLE),
        (Answer(status=404), Reason.MISSING),
        (DROP, Reason.UNREACHABLE),
    ],
)
def test_a_read_that_fails_half_way_says_why_and_poisons_nothing(
    loopback: Loopback, tmp_path: Path, answer: Answer, reason: Reason
) -> None:
    path = cog(tmp_path / "a.tif")
    url = loopback.mount("/d", tmp_path) + "/a.tif"
    open_raster(url)
    loopback.script("/d/a.tif", answer, answer, answer)
    got, said = reason_of(read_window, bands(url), 100, 100, 512, 400)
    assert got is reason
    assert "/d/a.tif" in said
    loopback._scripts.clear()
    with rasterio.open(path) as dataset:
        want = dataset.read(window=Window(100, 100, 512, 400))
    assert read_window(bands(url), 100, 100, 512, 400).tobytes() == want.tobytes()


def test_a_mask_that_fails_half_way_says_why(loopback: Loopback, tmp_path: Path) -> None:
    mask = RNG.integers(0, 2, (2000, 2400), np.uint8) * 255
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = write(tmp_path / "a.tif", np.zeros((1, 2000, 2400), np.uint8), tiled=True, compress="lzw")
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(mask)
    url = loopback.mount("/d", tmp_path) + "/a.tif"
    read_window(bands(url, 1), 0, 0, 10, 10)
    loopback.script("/d/a.tif", ERROR, ERROR, ERROR)
    assert reason_of(read_mask, url, 0, 0, 2400, 2000)[0] is Reason.UNREACHABLE
    np.testing.assert_array_equal(read_mask(url, 0, 0, 2400, 2000), mask != 0)


def test_a_file_that_changes_is_read_anew(loopback: Loopback, tmp_path: Path) -> None:
    old, new = write(tmp_path / "old.tif"), write(tmp_path / "new.tif", 255 - DATA[:, :500])
    url = loopback.put("/a.tif", old.read_bytes())
    open_raster(url)
    loopback.put("/a.tif", new.read_bytes())
    reason, said = reason_of(read_window, bands(url), 0, 300, 700, 100)
    assert (reason, "has changed" in said) == (Reason.UNREADABLE, True)
    np.testing.assert_array_equal(read_window(bands(url), 0, 300, 700, 100), (255 - DATA)[:, 300:400])


@pytest.mark.parametrize("kind", ["ignored", "shifted", "short"])
def test_servers_that_do_not_serve_parts(loopback: Loopback, tmp_path: Path, kind: Any) -> None:
    ask(tries=2)
    url = loopback.put("/a.tif", cog(tmp_path / "a.tif").read_bytes(), ranges=kind)
    np.testing.assert_array_equal(read_window(bands(url), 100, 100, 512, 400), DATA[:, 100:500, 100:612])


def test_ctrl_c_during_a_read_is_not_lost(loopback: Loopback, tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif")
    url = loopback.put("/a.tif", path.read_bytes())
    open_raster(url)
    loopback.put("/a.tif", path.read_bytes(), header_delay_s=0.6)
    timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        read_window(bands(url), 0, 0, 700, 600)
    timer.join()


def test_starts_and_pictures_are_read_whole_or_in_part(loopback: Loopback, tmp_path: Path) -> None:
    data = encode_png(np.ascontiguousarray(np.moveaxis(DATA, 0, 2)))
    url = loopback.put("/a.png", data)
    path = tmp_path / "a.png"
    path.write_bytes(data)
    for uri in (url, str(path)):
        assert read_start(uri, 4) == b"\x89PNG"
        assert read_encoded(uri) == data
    assert is_remote(url)
    assert not is_remote(str(path))
    assert reason_of(read_start, str(tmp_path / "none"), 4)[0] is Reason.MISSING
    assert reason_of(read_start, loopback.url + "/none", 4)[0] is Reason.MISSING


def test_datasets_are_held_and_let_go(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raster, "_MAX_OPEN", 2)
    write(tmp_path / "a.tif")
    data = (tmp_path / "a.tif").read_bytes()
    urls = [loopback.put(f"/{name}.tif", data) for name in "abcd"]
    for url in urls * 2:
        np.testing.assert_array_equal(read_window(bands(url), 5, 5, 50, 40), DATA[:, 5:45, 5:55])
    assert len(raster._open) == 2
    assert open_raster(urls[-1]) is open_raster(urls[-1])
