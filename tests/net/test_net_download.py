"""Downloads are what they claim to be, are remembered, and one bad URL costs nothing but itself."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from loopback_server import DROP, Answer, Loopback, redirect
from net_clients import QUICK, quick, refusal
from PIL import Image

from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError, WriteError
from earthloom.core.images import decode_image
from earthloom.core.records import Reason
from earthloom.net.download import fetch_image, fetch_images, place_of, read_receipt


def picture(kind: str = "PNG", size: tuple[int, int] = (20, 10), seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


PNG = picture()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("??/*"))}


def test_an_image_and_its_receipt(loopback: Loopback, tmp_path: Path) -> None:
    terms = {"Link": '<https://creativecommons.org/licenses/by/4.0/>; rel="license"', "TDM-Reservation": "0"}
    loopback.put("/a.png", PNG, headers={**terms, "Date": "Sat, 21 Nov 2026 10:00:00 GMT"})
    url = loopback.answer("/old", redirect("/a.png?token=abc")).replace("//", "//me:pw@") + "?key=k&n=1"
    path = fetch_image(url, tmp_path, quick())
    name = hashlib.sha256(url.encode()).hexdigest()
    assert path == tmp_path / name[:2] / f"{name}.bin" == place_of(url, tmp_path)
    assert read_blob(str(path)) == PNG
    assert asdict(read_receipt(path)) == {
        "url": f"{loopback.url}/old?key=***&n=1",
        "found_at": f"{loopback.url}/a.png?token=***",
        "status": 200,
        "content_type": "image/png",
        "etag": f'"{hashlib.sha256(PNG).hexdigest()[:16]}"',
        "modified": "Sun, 13 Sep 2020 12:26:40 GMT",
        "date": "Sat, 21 Nov 2026 10:00:00 GMT",
        "size": len(PNG),
        "sha256": hashlib.sha256(PNG).hexdigest(),
        "format": "PNG",
        "width": 20,
        "height": 10,
        "terms": {"link": terms["Link"], "tdm-reservation": "0"},
    }
    assert sorted(p.name for p in path.parent.iterdir()) == [f"{name}.bin", f"{name}.json"]
    assert "pw" not in path.with_suffix(".json").read_text()


def test_what_is_there_is_not_asked_for_again(loopback: Loopback, tmp_path: Path) -> None:
    url = loopback.put("/a.png", PNG)
    path = fetch_image(url, tmp_path, quick())
    n_asked = len(loopback.seen)
    assert fetch_image(url, tmp_path, quick()) == path
    assert len(loopback.seen) == n_asked
    path.write_bytes(PNG[:-1])  # a copy that was damaged on the disk
    assert fetch_image(url, tmp_path, quick()).read_bytes() == PNG
    path.with_suffix(".json").write_text("{")
    assert fetch_image(url, tmp_path, quick()).read_bytes() == PNG


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_the_format_is_that_of_the_bytes(loopback: Loopback, tmp_path: Path, kind: str) -> None:
    url = loopback.put("/a.jpg", picture(kind), "application/octet-stream")
    path = fetch_image(url, tmp_path, quick())
    receipt = read_receipt(path)
    assert (receipt.format, receipt.width, receipt.height) == (kind, 20, 10)
    assert decode_image(read_blob(str(path))).shape == (10, 20, 3)


BAD = {
    "html as image": (b"<!DOCTYPE html><html>Sign in</html>", "image/jpeg", Reason.NOT_AN_IMAGE),
    "html as html": (b"\n <html><body>404, but with status 200", "text/html", Reason.NOT_AN_IMAGE),
    "json": (b'{"error": "quota"}', "application/json", Reason.NOT_AN_IMAGE),
    "vector graphics": (b"<?xml version='1.0'?><svg/>", "image/svg+xml", Reason.NOT_AN_IMAGE),
    "nothing": (b"", "image/png", Reason.EMPTY),
    "a cut header": (PNG[:20], "image/png", Reason.UNREADABLE),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_image_is_refused_and_remembered(loopback: Loopback, tmp_path: Path, case: str) -> None:
    body, content_type, wanted = BAD[case]
    url = loopback.put("/a", body, content_type)
    first = refusal(fetch_image, url, tmp_path, quick())
    assert first[0] is wanted
    assert content_type in first[1]
    assert refusal(fetch_image, url, tmp_path, quick()) == first
    assert loopback.count("/a") == 1
    assert [path.suffix for path in tmp_path.glob("??/*")] == [".json"]


def test_permanent_refusals_are_remembered_and_passing_ones_are_not(
    loopback: Loopback, tmp_path: Path
) -> None:
    gone = loopback.answer("/gone", Answer(status=404))
    down = loopback.put("/down", PNG)
    loopback.script("/down", DROP, DROP, DROP)
    for reason, url in ((Reason.MISSING, gone), (Reason.UNREACHABLE, down)):
        assert refusal(fetch_image, url, tmp_path, quick())[0] is reason
        known = json.loads(place_of(url, tmp_path).with_suffix(".json").read_text())
        assert known["reason"] == reason
        assert "after" in known["detail"] or "404" in known["detail"]
    assert refusal(fetch_image, gone, tmp_path, quick())[0] is Reason.MISSING
    assert fetch_image(down, tmp_path, quick()).read_bytes() == PNG
    assert (loopback.count("/gone"), loopback.count("/down")) == (1, 4)


def test_a_refusal_holds_while_the_settings_that_decide_it_hold(loopback: Loopback, tmp_path: Path) -> None:
    url = loopback.put("/a.png", PNG, headers={"X-Robots-Tag": "noai"})
    assert refusal(fetch_image, url, tmp_path, quick())[0] is Reason.DISALLOWED
    assert refusal(fetch_image, url, tmp_path, quick(allow_private=False))[0] is Reason.PRIVATE_ADDRESS
    assert refusal(fetch_image, url, tmp_path, quick(max_mb=1e-5, refuse_tags=()))[0] is Reason.TOO_LARGE
    assert fetch_image(url, tmp_path, quick(refuse_tags=())).read_bytes() == PNG


def urls_of_all_kinds(loopback: Loopback) -> list[str]:
    good = [loopback.put(f"/{i}.png", picture(seed=i)) for i in range(12)]
    bad = [
        loopback.answer("/gone", Answer(status=404)),
        loopback.put("/page", b"<html>", "text/html"),
        loopback.answer("/busy", Answer(status=503)),
        "ftp://127.0.0.1/x",
        "not a url",
        "",
        "http://\0",
    ]
    return [*good[:6], *bad, *good[6:], good[0], bad[0]]


def test_many_at_once_and_no_bad_one_stops_the_rest(loopback: Loopback, tmp_path: Path) -> None:
    urls = urls_of_all_kinds(loopback)
    found = fetch_images(urls, tmp_path / "a", quick(per_host=8), threads=6)
    assert len(found) == len(urls)
    kinds = [result.reason.value if isinstance(result, RecordError) else "ok" for result in found]
    assert kinds == [
        *["ok"] * 6, "missing", "not_an_image", "unreachable", "missing", "missing", "missing", "missing", *["ok"] * 7,
        "missing",
    ]  # fmt: skip
    assert found[0] == found[-2]
    assert loopback.count("/0.png") == 1


def test_threads_and_failures_change_no_byte(loopback: Loopback, tmp_path: Path) -> None:
    urls = [loopback.put(f"/{i}.png", picture(seed=i), headers={"Date": "today"}) for i in range(20)]
    loopback.put("/robots.txt", b"", "text/plain")
    fetch_images(urls, tmp_path / "a", quick(), threads=1)
    loopback.fail_every(5)
    found = fetch_images(urls, tmp_path / "b", quick(tries=10), threads=8)
    assert all(isinstance(result, Path) for result in found)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_hosts_take_turns(loopback: Loopback, tmp_path: Path) -> None:
    loopback.put("/robots.txt", b"", "text/plain")
    urls = [loopback.put(f"/{i}.png", PNG) for i in range(3)]
    others = [url.replace("127.0.0.1", "localhost") for url in urls]
    fetch_images([*urls, *others], tmp_path, quick(), threads=1)
    hosts = [seen.headers["host"].split(":")[0] for seen in loopback.seen if seen.path != "/robots.txt"]
    assert hosts == ["127.0.0.1", "localhost"] * 3


def test_two_processes_may_fetch_the_same(loopback: Loopback, tmp_path: Path) -> None:
    urls = [loopback.put(f"/{i}.png", picture(seed=i)) for i in range(6)]
    code = (
        "import sys; from pathlib import Path; from earthloom.net.config import NetSettings\n"
        "from earthloom.net.download import fetch_images\n"
        f"found = fetch_images(sys.argv[2:], Path(sys.argv[1]), NetSettings(**{QUICK!r}), threads=3)\n"
        "assert all(isinstance(result, Path) for result in found), found\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), *urls]) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    assert [place_of(url, tmp_path).read_bytes() for url in urls] == [picture(seed=i) for i in range(6)]
    assert list(tmp_path.rglob("*.part")) == []


def test_a_folder_that_cannot_be_written_stops_the_run(loopback: Loopback, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    url = loopback.put("/a.png", PNG)
    with pytest.raises(WriteError, match="Could not write"):
        fetch_image(url, tmp_path / "file", quick())
    blocked = place_of(url, tmp_path / "b")
    blocked.parent.parent.mkdir()
    blocked.parent.write_bytes(b"")
    with pytest.raises(WriteError, match="Could not write"):
        fetch_images([url], tmp_path / "b", quick())
