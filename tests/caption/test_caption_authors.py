"""Several authors over one tile: what each writes stands beside the others, and one that fails costs itself alone."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from caption_records import make_eurosat, make_scene, make_tile
from fakes.chat_answers import answer_like_a_model

from earthloom.caption import Answer, CaptionSettings, ModelAuthors, Request, caption_tile, open_authors
from earthloom.caption.authors import find_faults_of_models, resolve_paths
from earthloom.core.errors import RecordError
from earthloom.core.records import Reason

BOTH: dict[str, Any] = {
    "with": ["blip2", "chat", "rules"],
    "styles": ["mmm_rs"],
    "per_image": 0,
    "blip2": {"model": "models/blip2"},
    "chat": {"model": "toy"},
}


def make_authors(**changes: object) -> ModelAuthors:
    from earthloom.caption.chat import read_prompts

    settings = CaptionSettings.model_validate(BOTH | changes)
    return ModelAuthors(settings=settings, prompts=read_prompts("gaia-1"), fingerprint="0123456789abcdef")


def answer(request: Request) -> Answer:
    if request.author == "blip2":
        return Answer(text="an aerial view of a river, with a bridge")
    return Answer(text=answer_like_a_model(request.body))


def test_all_authors_side_by_side() -> None:
    models = make_authors()
    captioned = caption_tile(*make_eurosat("river"), models.settings, models, answer)
    assert [(c.style, c.role, c.author) for c in captioned.captions] == [
        ("plain", "overview", "blip2@01234567/unprompted"),
        *(
            ("gaia", role, "toy/gaia-1")
            for role in ("overview", "composition", "arrangement", "conditions", "interpretation")
        ),
        ("mmm_rs", "prompt", "rules@2+blip2@01234567/unprompted"),
    ]
    assert captioned.captions[-1].text == (
        "Low precision resolution, an aerial view of a river with a bridge, Sentinel-2"
    )


def test_blip2_inside_the_exact_form_of_mmm_rs() -> None:
    models = make_authors(**{"with": ["blip2", "rules"], "chat": None})
    scene, tile = make_scene(), make_tile(gsd_m=0.6)
    captioned = caption_tile(scene, tile, models.settings, models, answer)
    assert captioned.captions[-1].text == "High precision resolution, an aerial view of a river with a bridge"
    assert captioned.captions[-1].role == "prompt"


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.BAD_ANSWER])
def test_an_author_that_fails_costs_itself_alone(reason: Reason) -> None:
    def fail(request: Request) -> Answer:
        if request.author == "chat":
            raise RecordError(reason, "the line is dead")
        return answer(request)

    models = make_authors()
    captioned = caption_tile(*make_eurosat("river"), models.settings, models, fail)
    assert {c.author.split("@")[0] for c in captioned.captions} == {"blip2", "rules"}
    assert (captioned.dropped[-1].author, captioned.dropped[-1].text) == ("chat", "")
    assert reason.value in {dropped.check for dropped in captioned.dropped}


def test_a_tile_that_no_author_could_caption_says_why() -> None:
    def fail(request: Request) -> Answer:
        reason = Reason.UNREACHABLE if request.author == "chat" else Reason.BAD_ANSWER
        raise RecordError(reason, f"{request.author} is out")

    models = make_authors(**{"with": ["blip2", "chat"]})
    with pytest.raises(RecordError, match="chat is out") as caught:
        caption_tile(*make_eurosat("river"), models.settings, models, fail)
    assert caught.value.reason is Reason.UNREACHABLE


def test_false_captions_of_a_model_are_dropped_with_their_evidence() -> None:
    def lie(request: Request) -> Answer:
        return Answer(text="a radar image of a river at 3 m resolution in Brazil")

    models = make_authors(**{"with": ["blip2", "rules"], "chat": None})
    captioned = caption_tile(*make_eurosat("river"), models.settings, models, lie)
    assert [c.author for c in captioned.captions] == ["rules@2"]
    assert captioned.dropped[0].text.startswith("A radar image")
    assert captioned.dropped[0].evidence


def test_false_captions_of_a_remote_model_stay_beside_those_of_the_rules() -> None:
    def lie(request: Request) -> Answer:
        if request.author == "blip2":
            return answer(request)
        said = json.loads(answer_like_a_model(request.body))
        captions = dict.fromkeys(
            said["captions"], "The river is seen by Landsat 8 at a resolution of 55 m in May 1993."
        )
        return Answer(text=json.dumps(said | {"captions": captions}))

    scene, tile = make_eurosat()
    captioned = caption_tile(scene, tile, make_authors().settings, make_authors(), lie)
    assert {caption.author[:5] for caption in captioned.captions} == {"blip2", "rules"}
    assert {dropped.role for dropped in captioned.dropped if dropped.author == "toy/gaia-1"} == {
        "overview", "composition", "arrangement", "conditions", "interpretation",
    }  # fmt: skip
    assert not [dropped for dropped in captioned.dropped if not dropped.text]


def test_authors_travel_to_workers() -> None:
    models = make_authors()
    assert pickle.loads(pickle.dumps(models)) == models
    assert len(models.digest) == 32


def test_paths_are_relative_to_the_recipe_and_names_stay_names(tmp_path: Path) -> None:
    for folder in ("models/blip2", "words", "lora"):
        (tmp_path / folder).mkdir(parents=True)
    given = BOTH | {
        "blip2": {"model": "models/blip2", "adapter": "lora"},
        "chat": {"model": "toy", "prompt": "words"},
        "ledger": "../answers.sqlite",
    }
    found = resolve_paths(CaptionSettings.model_validate(given), tmp_path)
    assert found.blip2 is not None
    assert found.chat is not None
    assert (found.blip2.model, found.blip2.adapter) == (
        str(tmp_path / "models/blip2"),
        str(tmp_path / "lora"),
    )
    assert (found.chat.prompt, found.ledger) == (
        str(tmp_path / "words"),
        str(tmp_path.parent / "answers.sqlite"),
    )
    named = resolve_paths(CaptionSettings.model_validate(BOTH), tmp_path / "models")
    assert named.chat is not None
    assert named.chat.prompt == "gaia-1"


def test_what_is_missing_is_found_before_any_work(tmp_path: Path) -> None:
    given = BOTH | {"chat": {"model": "toy", "prompt": "no-such-words"}}
    faults = find_faults_of_models(CaptionSettings.model_validate(given), tmp_path)
    assert {fault.place.split(".")[1] for fault in faults} == {"chat", "blip2"}
    assert all(fault.problem for fault in faults)


def test_a_folder_of_prompts_of_ones_own(tmp_path: Path) -> None:
    from importlib.resources import files

    source = files("earthloom.caption") / "prompts" / "gaia-1"
    own = tmp_path / "ours"
    own.mkdir()
    for name in ("summary.md", "captions.md", "repair.md"):
        (own / name).write_text((source / name).read_text())
    settings = {"with": "chat", "chat": {"model": "toy", "prompt": "ours"}}
    first = open_authors(CaptionSettings.model_validate(settings), tmp_path)
    assert first.prompts is not None
    assert first.prompts.version.startswith("ours-")
    (own / "captions.md").write_text((own / "captions.md").read_text() + "\nBe brief.\n")
    second = open_authors(CaptionSettings.model_validate(settings), tmp_path)
    assert first.digest != second.digest


def test_requests_are_bodies_that_json_holds() -> None:
    asked: list[Request] = []

    def note(request: Request) -> Answer:
        asked.append(request)
        return answer(request)

    models = make_authors()
    caption_tile(*make_eurosat("river"), models.settings, models, note)
    assert {request.author for request in asked} == {"blip2", "chat"}
    for request in asked:
        assert json.loads(request.to_json()) == request.body
        assert request.tile_id not in request.to_json()


@pytest.mark.parametrize(
    ("author", "change", "says_the_same"),
    [
        ("chat", {"base_url": "http://localhost:8001/v1"}, True),
        ("chat", {"key_env": None}, True),
        ("chat", {"image_tokens": 100}, True),
        ("chat", {"batch": True}, True),
        ("chat", {"limits": {"budget": None, "tries": 2}}, True),
        ("chat", {"temperature": 0.0}, False),
        ("chat", {"detail": "low"}, False),
        ("chat", {"revision": "2"}, False),
        ("blip2", {"device": "cpu"}, True),
        ("blip2", {"batch": 2}, True),
        ("blip2", {"beams": 1}, False),
        ("blip2", {"precision": "float16"}, False),
    ],
)
def test_shards_are_stale_where_a_request_would_be_another(
    author: str, change: dict[str, Any], says_the_same: bool
) -> None:
    """What is part of no request changes neither its key nor the digest that shards carry; what is changes both."""
    before, after = make_authors(), make_authors(**{author: BOTH[author] | change})
    assert (before.settings.digest() == after.settings.digest()) == says_the_same
    keys = [_find_key(models, author) for models in (before, after)]
    assert (keys[0] == keys[1]) == says_the_same


def _find_key(models: ModelAuthors, author: Any) -> str:
    scene, tile = make_scene(), make_tile()
    return next(models.talk(author, scene, tile, lambda: (b"", "jpg")).start()).key


def test_the_rules_named_twice_ask_nobody() -> None:
    assert not CaptionSettings.model_validate({"with": ["rules", "rules"]}).asks


def test_an_endless_budget_is_left_out_instead() -> None:
    with pytest.raises(ValueError, match="finite"):
        CaptionSettings.model_validate(BOTH | {"chat": {"model": "toy", "limits": {"budget": float("inf")}}})
