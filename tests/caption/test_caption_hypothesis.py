"""Whatever the facts are, the rules write captions that pass every check, and five of them that differ."""

from __future__ import annotations

import re
from typing import Any

from caption_records import label, make_scene, make_tile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from earthloom.caption import CaptionSettings, caption_tile
from earthloom.caption.checks import compile_known, find_faults, is_alike
from earthloom.caption.facts import gather
from earthloom.caption.language.lexicon import CONTENT_WORDS
from earthloom.caption.language.tokens import count_clip_tokens
from earthloom.core.records import Appearance, Border, Effect, Label, Modality, Scene, Stretch, Text, Tile

NAMES = st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9 .,'()/&-]{1,40}", fullmatch=True)
LABEL_NAMES = (
    st.sampled_from(sorted(CONTENT_WORDS))
    | st.sampled_from(
        ["annual crop", "sea lake", "bare ground", "built-up", "storage tank", "solar field", "other"]
    )
    | NAMES
)
LENGTHS = st.floats(min_value=1e-6, max_value=2e5) | st.just(float("nan"))
SHARES = st.floats(min_value=-0.1, max_value=1.1)
ANGLES = st.floats(min_value=-100, max_value=100)
CORNERS = st.floats(min_value=-50, max_value=700)
DATES = st.sampled_from(
    ["2019", "2019-09", "2019-09-04", "2019-09-04T17:01:02Z", "2019-13", "04/09/2019", "", "0000-01"]
)
EFFECTS = st.sampled_from(["fog", "snow", "night", "low_light", "haze", "clouds", "clear"]) | NAMES
PLATFORMS = (
    st.sampled_from(["Sentinel-1", "S2A", "NAIP", "Google Earth", "Landsat 8", "Umbra", "GF2"]) | NAMES
)


@st.composite
def make_labels(draw: st.DrawFn) -> tuple[Label, ...]:
    """Any mixture of labels, shares that need not add up among them."""
    classes = [label(name) for name in draw(st.lists(LABEL_NAMES, max_size=3))]
    covers = [label(name, share=draw(SHARES)) for name in draw(st.lists(LABEL_NAMES, max_size=6))]
    boxes = st.tuples(CORNERS, CORNERS, CORNERS, CORNERS)
    kinds = draw(st.lists(LABEL_NAMES, max_size=3))
    objects = [label(name, box=draw(boxes)) for name in kinds for _ in range(draw(st.integers(1, 15)))]
    weather = [
        Label(name=name, kind="weather", origin="sidecar file")
        for name in draw(st.lists(EFFECTS, max_size=1))
    ]
    return tuple(draw(st.permutations([*classes, *covers, *objects, *weather])))


@st.composite
def make_borders(draw: st.DrawFn, names: list[str]) -> tuple[Border, ...]:
    """Borders between some of the covers."""
    if len(set(names)) < 2:
        return ()
    name = st.sampled_from(names)
    pairs = draw(st.lists(st.tuples(name, name), max_size=4))
    return tuple(Border(names=tuple(sorted(pair)), share=draw(SHARES)) for pair in pairs)


@st.composite
def make_records(draw: st.DrawFn) -> tuple[Scene, Tile]:
    """Any facts about an image, known or not, sensible or not."""

    def maybe(strategy: st.SearchStrategy[Any]) -> Any:
        return draw(st.none() | strategy)

    scene = make_scene(
        modality=draw(st.sampled_from(list(Modality))),
        synthetic=draw(st.booleans()),
        acquired=maybe(DATES),
        place=maybe(NAMES),
        platform=maybe(PLATFORMS),
        sensor=maybe(NAMES),
        dataset=draw(NAMES),
        polarisation=maybe(st.sampled_from(["VV", "HH", "VH", "??"])),
        looks=maybe(st.floats(min_value=0.1, max_value=100)),
        country=maybe(st.sampled_from(["US", "KE", "FO", "Atlantis"]) | NAMES),
        season=maybe(st.sampled_from(["spring", "summer", "fall", "winter", "rains"])),
        sun_elevation_deg=maybe(ANGLES),
        off_nadir_deg=maybe(ANGLES),
        cloud_share=maybe(SHARES),
    )
    labels = draw(make_labels())
    low, median, high = sorted(draw(st.tuples(*[st.floats(min_value=-40, max_value=10)] * 3)))
    unit = draw(st.sampled_from(["dB", "level"]))
    scale = 1.0 if unit == "dB" else 1 / 50
    shift = 0.0 if unit == "dB" else 40.0
    side = st.integers(min_value=16, max_value=8192)
    tile = make_tile(
        id=draw(st.text(alphabet="0123456789abcdef", min_size=1, max_size=24)),
        width=draw(side),
        height=draw(side),
        gsd_m=maybe(LENGTHS),
        native_gsd_m=maybe(LENGTHS),
        pixel_m=maybe(LENGTHS),
        lon=maybe(st.floats(min_value=-190, max_value=190)),
        lat=maybe(st.floats(min_value=-95, max_value=95)),
        valid_share=draw(st.floats(min_value=0, max_value=1)),
        labels=labels,
        borders=draw(make_borders([label.name for label in labels if label.kind == "cover"])),
        appearance=maybe(
            st.just(
                Appearance(
                    low=(low + shift) * scale,
                    median=(median + shift) * scale,
                    high=(high + shift) * scale,
                    unit=unit,
                )
            )
        ),
        effect=maybe(
            EFFECTS.map(
                lambda name: Effect(name=name, severity="light", is_visible=True, params="{}", seed=0)
            )
        ),
        stretch=draw(
            st.sampled_from(
                [
                    Stretch(method="none", low=(0.0,), high=(255.0,)),
                    Stretch(method="db", low=(-25.0,), high=(0.0,)),
                    Stretch(method="db", low=(-32.5,), high=(-4.96,)),
                    Stretch(method="db", low=(), high=()),
                ]
            )
        ),
    )
    return scene, tile


@given(record=make_records(), seed=st.integers(min_value=0, max_value=50))
@settings(max_examples=150)
def test_that_rules_never_fail_their_checks(record: tuple[Scene, Tile], seed: int) -> None:
    scene, tile = record
    asked = CaptionSettings(seed=seed, styles=("mmm_rs", "enriched", "gaia"))
    captioned = caption_tile(scene, tile, asked)
    known = compile_known(gather(scene, tile))
    assert captioned.dropped == ()
    assert [c.style for c in captioned.captions] == ["mmm_rs", "enriched"] + ["gaia"] * 5 + ["plain"] * 5
    for caption in captioned.captions:
        assert find_faults(caption.text, known, 3) == []
        assert len(caption.text.split()) <= 60
        assert count_clip_tokens(caption.text) <= 77
        assert "\n" not in caption.text
        assert "  " not in caption.text
        assert scene.synthetic <= bool(re.search(r"\bsynthetic\b", caption.text))
    for style in ("plain", "gaia"):
        written = [c.text for c in captioned.captions if c.style == style]
        assert all(text[0] == text[0].upper() and text.endswith((".", "?")) for text in written)
        assert not any(is_alike(a, b) for i, a in enumerate(written) for b in written[:i])


@given(text=st.text(max_size=300), record=make_records())
@example(text='² ½ ٣ 3.5.7 -- 2019-99-99 ... "" " 1e9 % ° dB x 5 by', record=(make_scene(), make_tile()))
@settings(max_examples=100)
def test_that_any_text_can_be_checked(text: str, record: tuple[Scene, Tile]) -> None:
    find_faults(text, compile_known(gather(*record)))


@given(texts=st.lists(st.text(max_size=80), max_size=8))
@settings(max_examples=50)
def test_that_captions_of_a_source_stay_as_published(texts: list[str]) -> None:
    scene = make_scene(texts=tuple(Text(text=text, role="caption") for text in texts))
    kept = [
        c.text for c in caption_tile(scene, make_tile(), CaptionSettings()).captions if c.style == "source"
    ]
    assert kept == list(dict.fromkeys(text.strip() for text in texts if text.strip()))
