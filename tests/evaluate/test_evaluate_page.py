"""The page: it stands alone, shows the pictures that it speaks of, and no name can break it."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scene_pictures import lay_real_fog, lay_street_snow, make_ground

from earthloom.core.images import encode_jpeg
from earthloom.evaluate.scenes import SceneReport, SceneSettings, evaluate_scenes
from earthloom.evaluate.scenes.bars import draw_skill
from earthloom.evaluate.scenes.gallery import choose_plates
from earthloom.evaluate.scenes.keeping import Kept
from earthloom.evaluate.scenes.realism import Distance, Mark
from earthloom.evaluate.scenes.report import Measured

VOID = {"meta", "img"}
NASTY = "<b onclick=alert(1)>&\"'.jpg"


class Page(HTMLParser):
    """Elements and text; fails on tags that are not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def report(weather: Path, tmp_path_factory: pytest.TempPathFactory) -> SceneReport:
    settings = SceneSettings(
        synthetic={"fog": "fog", "snow": "street-snow"}, clear="clear", real={"fog": "real-fog"}, subsets=20
    )
    return evaluate_scenes(settings, tmp_path_factory.mktemp("page"), base=weather)


@pytest.fixture(scope="module")
def page(report: SceneReport) -> Page:
    return Page(report.page.read_text(encoding="utf-8"))


def test_it_stands_alone(page: Page) -> None:
    assert {tag for tag, _ in page.elements}.isdisjoint(
        {"script", "link", "iframe", "object", "embed", "base"}
    )
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href"}:
                assert (value or "").startswith(("data:image/jpeg;base64,", "#")), (tag, name)
    assert "@import" not in page.text
    assert "url(" not in page.text


def test_every_picture_says_what_it_is(page: Page) -> None:
    images = page.find("img")
    assert len(images) >= 2 * 5 + 6 + 2 * 3
    assert all(image["alt"] for image in images)
    for image in images[:4]:
        data = base64.b64decode((image["src"] or "").split("base64,")[1])
        assert Image.open(io.BytesIO(data)).size == (160, 160)
    for drawing in page.find("svg"):
        assert drawing["role"] == "img"
        assert "skill" in (drawing["aria-label"] or "")


def test_every_section_can_be_reached(page: Page) -> None:
    targets = [a["href"] for a in page.find("a")]
    ids = ["#" + str(a["id"]) for a in page.find("section")]
    assert ids == ["#overview", "#effect-fog", "#effect-snow", "#meaning"]
    assert set(targets) == set(ids)


def test_it_says_the_numbers(report: SceneReport, page: Page) -> None:
    fog, snow = report.effects
    assert fog.headline is not None
    assert f"{fog.headline.skill:.2f}" in page.text
    assert "no real pictures given: structure and gates only" in page.text
    assert f"{fog.structure['all']['structure'].median:.3f}" in page.text
    assert "No streaks of falling flakes: not passed" in page.text
    assert "Veils lean no common way: passed" in page.text
    assert "RGB pictures hold no short-wave infrared band" in page.text
    assert page.text.index("Fails ") > page.text.index("Before and after")
    n_failing = sum(bool(one.failed) for one in snow.pictures)
    assert n_failing > 20


def make_measured(key: str, structure: float, *failed: str) -> Measured:
    kept = Kept(
        structure=structure,
        gradient_correlation=None,
        seen_share=1.0,
        structure_whole=structure,
        gmsd=0.0,
        ssim=1.0,
    )
    return Measured(key=key, severity=None, kept=kept, gates={}, failed=failed)


def test_failures_come_first_then_worst_median_and_best() -> None:
    measured = [make_measured(f"{n:02d}", n / 100) for n in range(40, 61)]
    measured += [make_measured("x", 0.9, "water"), make_measured("y", 0.95, "water", "streaks")]
    chosen = [(why, one.key) for why, one in choose_plates(measured)]
    assert chosen == [
        ("fails water, streaks", "y"),
        ("fails water", "x"),
        ("least structure", "40"),
        ("lower quarter", "45"),
        ("median", "51"),
        ("upper quarter", "57"),
    ]
    assert choose_plates([]) == []
    assert [one.key for _, one in choose_plates(measured[:1])] == ["40"]


@pytest.mark.parametrize(("skill", "x"), [(0.0, 34.0), (1.0, 206.0), (0.5, 120.0)])
def test_the_bar_puts_a_score_between_its_marks(skill: float, x: float) -> None:
    drawn = draw_skill(make_distance(skill))
    assert f'cx="{x:g}"' in drawn
    assert "<circle" in drawn


def test_the_bar_points_to_what_lies_beyond_it() -> None:
    left, right = (draw_skill(make_distance(skill)) for skill in (-4.0, 3.0))
    tips = [float(re.findall(r'points="[\d.]+,9 ([\d.-]+),', drawn)[0]) for drawn in (left, right)]
    assert 0 <= tips[0] < 10
    assert 230 < tips[1] <= 240
    without = make_distance(None)
    assert draw_skill(without) == '<span class="soft small">too few</span>'


def make_distance(skill: float | None) -> Distance:
    mark = Mark(value=1.0, low=0.5, high=1.5)
    return Distance(
        name="kid",
        encoder="test@1",
        score=mark,
        floor=mark,
        ceiling=mark,
        skill=skill,
        skill_low=skill,
        skill_high=skill,
        reason="too few" if skill is None else None,
    )


def test_no_name_can_break_it(tmp_path: Path) -> None:
    for folder, lay in (("fog", lay_real_fog), ("clear", lambda picture, seed: picture)):
        (tmp_path / folder).mkdir()
        for seed in range(2):
            picture = make_ground(seed, 64)
            (tmp_path / folder / f"{seed}{NASTY}").write_bytes(encode_jpeg(lay(picture, seed), 95))
    (tmp_path / "fog" / NASTY).write_bytes(b"broken")
    settings = SceneSettings(synthetic={"<i>fog": "fog"}, clear="clear")
    page = Page(evaluate_scenes(settings, tmp_path / "out", base=tmp_path).page.read_text(encoding="utf-8"))
    assert not any(tag == "b" and "onclick" in attributes for tag, attributes in page.elements)
    assert not page.find("i")
    assert page.text.count(NASTY) >= 3


def test_pictures_of_any_shape_have_a_page(tmp_path: Path) -> None:
    for folder in ("snow", "clear"):
        (tmp_path / folder).mkdir()
    for seed, (height, width) in enumerate([(64, 64), (64, 300), (500, 90)]):
        picture = np.ascontiguousarray(make_ground(seed, max(height, width))[:height, :width])
        (tmp_path / "clear" / f"{seed}.jpg").write_bytes(encode_jpeg(picture, 95))
        (tmp_path / "snow" / f"{seed}.jpg").write_bytes(encode_jpeg(lay_street_snow(picture, seed), 95))
    report = evaluate_scenes(
        SceneSettings(synthetic={"snow": "snow"}, clear="clear"), tmp_path / "o", base=tmp_path
    )
    page = Page(report.page.read_text(encoding="utf-8"))
    sizes = set()
    for image in page.find("img"):
        data = base64.b64decode((image["src"] or "").split("base64,")[1])
        sizes.add(Image.open(io.BytesIO(data)).size)
    assert sizes == {(64, 64), (256, 55), (46, 256)}


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(report: SceneReport, chromium: str, scheme: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
        asked: list[str] = []
        complaints: list[str] = []
        view.on("request", lambda request: asked.append(request.url))
        view.on("console", lambda message: complaints.append(message.text))
        view.goto(report.page.as_uri())
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert view.evaluate("document.documentElement.scrollWidth") <= 400
        assert view.locator(".skill").first.bounding_box()["width"] > 100
        view.set_viewport_size({"width": 1280, "height": 900})
        assert view.locator(".pair img").first.bounding_box()["width"] > 150
        broken = "[...document.images].filter(image => !image.complete || !image.naturalWidth).length"
        assert view.evaluate(broken) == 0
        background = view.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", background)[:3])) > 380) == (scheme == "light")
        assert complaints == []
        browser.close()
