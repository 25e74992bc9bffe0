"""The report: one page that stands alone, cannot be broken by names, and shows the right pictures."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Small
from PIL import Image
from release_inputs import expected_pairs, make_inputs, write_release

from earthloom.core.errors import UsageError
from earthloom.core.records import Caption, Captioned, Modality, Reason, Refused
from earthloom.export import write_card, write_report
from earthloom.export.refusals import read_refusals
from earthloom.store.tables import to_batch

HOSTILE = "<script>alert(1)</script>\n\"><img src=x onerror=alert(2)> ${style} $body 'quoted' & 北京"
VOID = {"meta", "img", "rect", "circle", "line", "path", "polygon"}


class Page(HTMLParser):
    """Checks that every tag is closed, and keeps elements, text and data addresses."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def find(self, tag: str, name: str = "") -> list[dict[str, str | None]]:
        return [a for t, a in self.elements if t == tag and name in (a.get("class") or "").split()]


def read_page(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(small: Small) -> Page:
    write_card(small.folder, "Small & neat")
    return read_page(write_report(small.folder))


def test_it_stands_alone(page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form"})
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href"}:
                assert (value or "").startswith(("data:image/jpeg;base64,", "#")), (tag, name)
    style = page.texts[page.texts.index(next(t for t in page.texts if "--paper" in t))]
    assert "@import" not in style
    assert "url(" not in style


def test_it_says_the_numbers(page: Page, small: Small) -> None:
    assert "Small & neat" in page.text
    pairs = expected_pairs(*small.inputs)
    figures = page.text.split("Dataset report")[1]
    assert f"{len(pairs)}pairs" not in figures, "numbers follow their names in the source, for screen readers"
    assert f"pairs{len(pairs)}captions{2 * len(pairs)}" in figures
    assert "0of 12 groups are in more than one split" in page.text.replace("\n", "")
    for caption in {c.text for _, _, captioned, _ in pairs.values() for c in captioned.captions}:
        assert caption in page.text


def test_every_section_can_be_reached(page: Page) -> None:
    targets = {attributes["href"] for tag, attributes in page.elements if tag == "a"}
    ids = {"#" + str(attributes["id"]) for tag, attributes in page.elements if tag == "section"}
    assert targets == ids == {"#pictures", "#places", "#numbers", "#captions", "#trust", "#load"}
    popovers = [a["popovertarget"] for a in page.find("button", "thumb")]
    assert popovers == [a["id"] for a in page.find("div", "sheet")]
    assert len(set(popovers)) == len(popovers) == 3 * 24


def test_pictures_are_those_of_the_pairs(page: Page, small: Small) -> None:
    """Mean colour of every small copy against that of the tile which its detail names."""
    pairs = expected_pairs(*small.inputs)
    styles = [a["style"] for tag, a in page.elements if tag == "li" and "--image" in (a.get("style") or "")]
    keys = re.findall(r"Id([0-9a-f]{24})", page.text)
    assert len(styles) == len(keys) == 72
    for style, key in zip(styles, keys, strict=True):
        small_copy = Image.open(io.BytesIO(base64.b64decode(style.split("base64,")[1].rstrip(")"))))
        tile = Image.open(io.BytesIO(pairs[key][1].image))
        assert small_copy.mode == tile.mode
        got, wanted = (np.asarray(image, float).mean(axis=(0, 1)) for image in (small_copy, tile))
        assert np.abs(got - wanted).max() < 3


def test_equal_releases_give_equal_pages(small: Small, tmp_path: Path) -> None:
    write_card(small.folder, "same")
    first = write_report(small.folder).read_bytes()
    again = write_release(tmp_path, *small.inputs, shard_pairs=10)
    write_card(again, "same")
    assert write_report(again).read_bytes() == first
    assert str(tmp_path).encode() not in first


def test_tars_alone_show_the_same_pictures(small: Small, tmp_path: Path) -> None:
    release = write_release(tmp_path, *small.inputs, formats=("webdataset",))
    write_card(release, "tars")
    got = read_page(write_report(release))
    write_card(small.folder, "tars")
    wanted = read_page(write_report(small.folder))
    assert [a.get("style") for _, a in got.elements if "--image" in (a.get("style") or "")] == [
        a.get("style") for _, a in wanted.elements if "--image" in (a.get("style") or "")
    ]


def test_no_name_can_break_the_page(tmp_path: Path) -> None:
    inputs = make_inputs(2, 2, (Modality.RGB,))
    names = dict.fromkeys(
        ("source", "source_key", "dataset", "place", "credit", "licence", "platform"), HOSTILE
    )
    inputs.scenes = [dataclasses.replace(scene, **names) for scene in inputs.scenes]
    hostile = Caption(text=HOSTILE, style=HOSTILE, role=HOSTILE, author=HOSTILE)
    inputs.captions = [Captioned(id=c.id, captions=(hostile,)) for c in inputs.captions]
    release = write_release(tmp_path, inputs)
    write_refused(release, [("ingest", Refused(id="a", key=HOSTILE, reason=Reason.EMPTY, detail=HOSTILE))])
    write_card(release, HOSTILE)
    page = read_page(write_report(release))
    assert "script" not in {tag for tag, _ in page.elements}
    assert all("onerror" not in attributes for _, attributes in page.elements)
    assert page.text.count(HOSTILE) > 20
    assert page.find("span", "say")
    assert HOSTILE in {a.get("aria-label") for a in page.find("span", "pixels")}


def write_refused(release: Path, refused: list[tuple[str, Refused]]) -> None:
    release.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_batches([to_batch([r for _, r in refused], Refused)])
    stages = pa.array([stage for stage, _ in refused], pa.string())
    pq.write_table(table.add_column(0, "stage", stages), release / "refused.parquet")


def make_refused(i: int, reason: Reason, n: int = 1) -> Refused:
    return Refused(id=f"{i:04d}", key=f"fields:{i}.tif", reason=reason, detail=f"detail {i}", n=n)


def test_refusals_are_counted_by_reason_with_examples(tmp_path: Path) -> None:
    rows = [("ingest", make_refused(i, Reason.EMPTY)) for i in range(9, 0, -1)]
    rows += [("tile", make_refused(20, Reason.FLAT, n=30)), ("tile", make_refused(21, Reason.EMPTY))]
    write_refused(tmp_path, rows)
    got = read_refusals(tmp_path)
    assert [(r.stage, r.reason, r.n) for r in got] == [
        ("tile", "flat", 30),
        ("ingest", "empty", 9),
        ("tile", "empty", 1),
    ]
    assert [example.detail for example in got[1].examples] == ["detail 1", "detail 2", "detail 3"]
    page = read_page(write_report(tmp_path))
    assert "40 items, windows or pairs were not good enough" in page.text
    assert "fields:20.tif detail 20" in page.text


def test_a_release_of_which_everything_was_refused_has_a_report(tmp_path: Path) -> None:
    write_refused(tmp_path / "release", [("ingest", make_refused(1, Reason.NO_GSD))])
    page = read_page(write_report(tmp_path / "release"))
    assert "no gsd" in page.text
    assert "0 pairs" in page.text
    assert {a.get("id") for tag, a in page.elements if tag == "section"} == {"refused"}


def test_damaged_refusals_are_a_usage_error(small: Small, tmp_path: Path) -> None:
    (tmp_path / "refused.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(UsageError, match=r"refused\.parquet cannot be read"):
        read_refusals(tmp_path)
    assert read_refusals(small.folder) == ()


def test_restricted_and_synthetic_pairs_are_announced(tmp_path: Path) -> None:
    inputs = make_inputs(2, 2, (Modality.RGB,))
    first, second = inputs.scenes
    inputs.scenes = [
        dataclasses.replace(first, licence="research use only"),
        dataclasses.replace(second, synthetic=True),
    ]
    page = read_page(write_report(write_release(tmp_path, inputs)))
    assert "2 of 4 pairs are not free for every use: research use only" in page.text
    assert "2 pairs are synthetic" in page.text
    assert len(page.find("circle", "synthetic")) == 1


def test_a_release_without_places_dates_or_gsd_has_a_report(tmp_path: Path) -> None:
    inputs = make_inputs(2, 2, (Modality.NIR,))
    unknown = dict.fromkeys(("lon", "lat", "footprint", "gsd_m", "native_gsd_m", "pixel_m"))
    inputs.tiles = [dataclasses.replace(tile, labels=(), **unknown) for tile in inputs.tiles]
    inputs.scenes = [dataclasses.replace(scene, acquired=None, platform=None) for scene in inputs.scenes]
    page = read_page(write_report(write_release(tmp_path, inputs)))
    assert not page.find("svg", "world")
    assert "#places" not in {attributes.get("href") for _, attributes in page.elements}
    assert "unknown" in page.text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(small: Small, chromium: str, scheme: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    write_card(small.folder, "browser")
    path = write_report(small.folder)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
        asked: list[str] = []
        complaints: list[str] = []
        view.on("request", lambda request: asked.append(request.url))
        view.on("console", lambda message: complaints.append(message.text))
        view.goto(path.as_uri())
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert view.evaluate("document.documentElement.scrollWidth") <= 390
        view.set_viewport_size({"width": 1280, "height": 900})
        view.click(".thumb >> nth=5")
        assert view.locator(".sheet:popover-open .captions li").count() == 2
        assert view.locator(".sheet:popover-open .pixels").bounding_box()["width"] > 200
        background = view.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", background)[:3])) > 380) == (scheme == "light")
        assert complaints == []
        browser.close()
