"""The stage: which captions a tile gets, in which order, and what happens to bad ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from caption_records import make_atlas, make_bare, make_eurosat, make_rsicd, make_scene, make_tile

from earthloom.caption import AUTHOR, CaptionSettings, caption_tile, captioner
from earthloom.caption.rules.frames import Role
from earthloom.core.errors import RecordError
from earthloom.core.records import Caption, Crop, Reason, Text

ROLES = [role.value for role in Role]


def summarise(captions: tuple[Caption, ...]) -> list[tuple[str, str, str]]:
    return [(c.style, c.role, c.author) for c in captions]


def test_the_default_is_two_prompts_and_five_roles() -> None:
    captioned = caption_tile(*make_atlas(1), CaptionSettings())
    assert captioned.id == make_atlas(1)[1].id
    assert summarise(captioned.captions) == [
        ("mmm_rs", "prompt", AUTHOR),
        ("enriched", "prompt", AUTHOR),
        *(("plain", role, AUTHOR) for role in ROLES),
    ]
    assert AUTHOR == "rules@2"


@pytest.mark.parametrize("n", range(6))
def test_that_roles_come_in_order(n: int) -> None:
    captions = caption_tile(*make_bare(), CaptionSettings(styles=("mmm_rs",), per_image=n)).captions
    assert [c.role for c in captions] == ["prompt", *ROLES[:n]]


def test_that_plain_as_a_style_gives_at_least_an_overview() -> None:
    settings = CaptionSettings(styles=("plain",), per_image=0)
    assert summarise(caption_tile(*make_bare(), settings).captions) == [("plain", "overview", AUTHOR)]
    settings = CaptionSettings(styles=("plain", "enriched"), per_image=3)
    assert [c.style for c in caption_tile(*make_bare(), settings).captions] == ["enriched"] + ["plain"] * 3


def test_that_a_subject_may_be_as_short_as_what_is_known() -> None:
    settings = CaptionSettings(styles=("subject", "enriched"), per_image=0)
    captions = caption_tile(*make_eurosat("river"), settings).captions
    assert summarise(captions)[0] == ("subject", "prompt", AUTHOR)
    assert captions[0].text == "a satellite image shows a river"
    (bare,) = caption_tile(*make_bare(), CaptionSettings(styles=("subject",), per_image=0)).captions
    assert bare.text == "a remote sensing image"


def test_that_settings_read_like_a_recipe() -> None:
    settings = CaptionSettings.model_validate(
        {"with": "rules", "styles": ["mmm_rs", "enriched"], "per_image": 5}
    )
    assert settings == CaptionSettings()


def test_that_captions_of_the_source_stand_beside_ours() -> None:
    published = [
        "Many planes are parked .",
        " many planes are parked .",
        "Many planes are parked .",
        "a photo",
        "",
    ]
    captions = caption_tile(*make_rsicd(*published), CaptionSettings(per_image=1)).captions
    assert [(c.text, c.style, c.role, c.author) for c in captions[3:]] == [
        ("Many planes are parked .", "source", "caption", "source"),
        ("many planes are parked .", "source", "caption", "source"),
        ("a photo", "source", "caption", "source"),
    ]


def test_that_only_captions_are_kept_of_a_source() -> None:
    texts = tuple(Text(text=role, role=role) for role in ("title", "caption", "alt", "article"))
    captions = caption_tile(make_scene(texts=texts), make_tile(), CaptionSettings(per_image=0)).captions
    assert [c.text for c in captions if c.style == "source"] == ["caption"]


def test_that_a_caption_of_a_scene_is_marked_beside_its_part() -> None:
    scene = make_scene(width=1024, height=512, texts=(Text(text="a port with ships", role="caption"),))
    half = caption_tile(scene, make_tile(), CaptionSettings(per_image=0)).captions[-1]
    crop = Crop(col=0, row=0, width=500, height=500)
    part = caption_tile(scene, make_tile(crop=crop), CaptionSettings(per_image=0)).captions[-1]
    assert (half.role, part.role) == ("caption", "scene_caption")


def test_that_published_captions_survive(real_data: Path) -> None:
    lines = (real_data / "rsicd" / "captions_train.jsonl").read_text(encoding="utf-8").splitlines()[:500]
    n_kept = 0
    for line in lines:
        published = json.loads(line)["captions"]
        captions = caption_tile(*make_rsicd(*published), CaptionSettings(per_image=0)).captions
        kept = [c.text for c in captions if c.style == "source"]
        assert kept == list(dict.fromkeys(text.strip() for text in published))
        n_kept += len(kept)
    assert n_kept > 500


def test_that_a_false_caption_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        captioner, "write_enriched", lambda *_: "A satellite image at 30 m resolution of a river."
    )
    captions = caption_tile(*make_eurosat("river"), CaptionSettings(per_image=0)).captions
    assert [c.style for c in captions] == ["mmm_rs"]


def test_that_captions_that_say_the_same_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [
        (Role.OVERVIEW, "This satellite image shows a river from far above the ground."),
        (Role.COMPOSITION,) * 2,
    ]
    twice[1] = (Role.COMPOSITION, "From far above the ground, this satellite image shows a river.")
    monkeypatch.setattr(captioner, "write_plain", lambda *_: twice)
    captions = caption_tile(*make_eurosat("river"), CaptionSettings(styles=("plain",))).captions
    assert [c.role for c in captions] == ["overview"]


def test_that_a_tile_without_a_caption_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captioner, "write_mmm_rs", lambda *_: "a stunning photograph of a river")
    with pytest.raises(RecordError) as caught:
        caption_tile(*make_eurosat("river"), CaptionSettings(styles=("mmm_rs",), per_image=0))
    assert caught.value.reason is Reason.NO_CAPTION
    assert "stunning" in caught.value.detail
    scene, tile = make_rsicd("a river")
    assert [
        c.author for c in caption_tile(scene, tile, CaptionSettings(styles=("mmm_rs",), per_image=0)).captions
    ] == ["source"]
