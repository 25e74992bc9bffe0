"""Requests as they are sent: one in full, the schema by OpenAI's rules, and what must never stand in one."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from caption_records import make_airport, make_naip, make_umbra
from chat_script import GOOD, PICTURE_HASH, PROMPTS, Script, converse, make_field, reply

from earthloom.caption.asking import Request
from earthloom.caption.chat.requests import estimate_tokens
from earthloom.caption.chat.schema import describe_form, make_response_format
from earthloom.caption.rules.frames import Role
from earthloom.core.records import Scene, Text, Tile

FALSE = "The river is seen by the Landsat 8 satellite at a spatial resolution of 55 m in March 1993."

HASHES = {
    "summary.md": "97c869dec5769612c917bfd9a7c3dcc31e85d0d07f2199650fd8e7b713416fa0",
    "captions.md": "8af65f26ed339d5cefc658785382dae7bce137fcbb7dc8d1d11b25081c64cc16",
    "repair.md": "16e85f59dbee205dc0f7787ab5af4c129709780719597f59c84f322aca8f5406",
}
"""SHA-256 of the prompts that ship as gaia-1, which captions are signed with. Other words want a folder gaia-2."""

USER = """\
Facts about the picture:
- kind: near-infrared image, one band shown in grey
- platform: NAIP (aircraft)
- spatial resolution: 5 m (High)
- ground in view: 2.56 km wide and 2.56 km high
- data: 93 % of the frame; the rest is empty
- date: September 2014
- season: autumn
- place: North Dakota
- latitude: between the northern tropic and the Arctic Circle
- unknown: sensor, country, what is on the ground (look yourself)

Quoted texts that were published with it:

[quoted title 2185a0845c544bce]
Prairie potholes
[end of quoted title 2185a0845c544bce]

Write all five captions, each from its own point of view. Before them fill in the metadata, as a catalogue would list \
the picture: up to three tags (general topics in lower case, such as coastal erosion), the location (landmark, city, \
country), modality, platform, sensor, and the class of spatial resolution (Very High up to 4 m, High up to 30 m, \
Moderate up to 300 m, Low beyond). Put unknown wherever you are not certain; that is a good answer.

Answer with one JSON object as the schema has it."""

TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "properties": {
        "metadata": {
            "type": "object",
            "properties": {
                "tags": {"type": "array", "items": TEXT},
                "location": TEXT,
                "modality": TEXT,
                "platform": TEXT,
                "sensor": TEXT,
                "resolution": {"type": "string", "enum": ["unknown", "Low", "Moderate", "High", "Very High"]},
            },
            "required": ["tags", "location", "modality", "platform", "sensor", "resolution"],
            "additionalProperties": False,
        },
        "captions": {
            "type": "object",
            "properties": dict.fromkeys(GOOD, TEXT),
            "required": list(GOOD),
            "additionalProperties": False,
        },
    },
    "required": ["metadata", "captions"],
    "additionalProperties": False,
}


def ask(record: tuple[Scene, Tile], **settings: Any) -> list[Request]:
    """All three kinds of request about a picture."""
    article = Text(text="A lake lies in the prairie. " * 60, role="article")
    scene = replace(record[0], texts=(*record[0].texts, article))
    script = Script(
        (
            "A lake lies in the prairie, as the article says.",
            reply(GOOD | {"overview": FALSE}),
            reply({"overview": GOOD["overview"]}),
        )
    )
    converse((scene, record[1]), script, repairs=1, **settings)
    assert script.purposes == ["summary", "captions", "repair"]
    return script.asked


def test_that_the_prompts_are_those_that_their_name_stands_for() -> None:
    folder = files("earthloom.caption") / "prompts" / "gaia-1"
    found = {
        name: hashlib.sha256((folder / name).read_text(encoding="utf-8").encode()).hexdigest()
        for name in HASHES
    }
    assert found == HASHES


def test_one_request_in_full() -> None:
    scene, tile = make_naip()
    scene = replace(scene, texts=(Text(text="Prairie potholes", role="title"),))
    script = Script((reply(),))
    converse((scene, replace(tile, sha256=PICTURE_HASH)), script, seed=7)
    system = PROMPTS.captions.system.replace("{{min_words}}", "8").replace("{{max_words}}", "46")
    request = script.asked[0]
    assert dict(request.body) == {
        "model": "gpt-4o-2024-08-06",
        "messages": [
            {"role": "system", "content": system},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": USER},
                    {
                        "type": "image_url",
                        "image_url": {"url": f"picture:sha256:{PICTURE_HASH}", "detail": "high"},
                    },
                ],
            },
        ],
        "max_tokens": 900,
        "temperature": 0.4,
        "seed": 7,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "captions", "strict": True, "schema": SCHEMA},
        },
    }
    assert (request.author, request.purpose, request.tile_id) == ("chat", "captions", "tile")
    assert (request.picture, request.tokens_out) == (PICTURE_HASH, 900)


def test_that_settings_reach_the_body() -> None:
    _, body, repair = (
        request.body
        for request in ask(
            make_airport(),
            output_tokens_field="max_completion_tokens",
            max_output_tokens=2000,
            temperature=None,
            detail="low",
            structured="none",
            image_tokens=85,
        )
    )
    assert body["max_completion_tokens"] == 2000
    assert not {"max_tokens", "temperature", "seed", "response_format"} & set(body)
    assert body["messages"][1]["content"][1]["image_url"]["detail"] == "low"
    assert '"arrangement": "..."' in body["messages"][1]["content"][0]["text"]
    assert "JSON" in repair["messages"][1]["content"][0]["text"]
    assert '"arrangement": "..."' not in repair["messages"][1]["content"][0]["text"]


def test_that_a_model_can_be_left_without_facts() -> None:
    for request in ask(make_airport(), facts=False)[1:2]:
        text = request.body["messages"][1]["content"][0]["text"]
        assert "- none are given; rely on what you see" in text
        assert "airplane" not in text
        assert "Google Earth" not in text


def test_that_what_comes_before_the_picture_is_one_for_all_pictures() -> None:
    """Servers keep a prefix that many requests share, and charge less for it."""
    systems = {request.body["messages"][0]["content"] for record in (make_airport(), make_umbra())
               for request in ask(record)[1:]}  # fmt: skip
    assert len(systems) == 1


def test_that_nothing_private_stands_in_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-7731")
    scene, tile = make_naip()
    tile = replace(tile, id="tile-id-4471", scene_id="scene-id-4471", base_id="b-4471", pair_id="p-4471")
    scene = replace(scene, id="scene-id-4471", source_key="home/anna/secret/a.tif", source="anna's disk")
    for request in ask((scene, tile), base_url="http://inside.example:8000/v1"):
        sent = request.to_json()
        for private in (
            "sk-secret",
            "OPENAI_API_KEY",
            "4471",
            "anna",
            "a.tif",
            "inside.example",
            "99.18",
            "47.02",
            "2014-09-04",
            "4 September",
            "512",
            str(Path.cwd()),
        ):
            assert private not in sent
        assert request.tile_id == "tile-id-4471"


def test_that_equal_facts_give_equal_keys_whatever_the_ids() -> None:
    scene, tile = make_umbra()
    other = replace(tile, id="other", scene_id="other", sha256=tile.sha256)
    keys = [
        [request.key for request in ask(record)]
        for record in ((scene, tile), (replace(scene, id="x"), other))
    ]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3
    changed = ask((scene, replace(tile, sha256="aa" * 32)))
    assert changed[0].key == keys[0][0]
    assert not {request.key for request in changed[1:]} & set(keys[0])
    assert pickle.loads(pickle.dumps(changed[0])).key == changed[0].key


def test_that_keys_do_not_depend_on_the_process() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from test_caption_chat_bodies import ask, make_airport\n"
        "print([request.key for request in ask(make_airport())])"
    )
    here = Path(__file__).parent
    command = [sys.executable, "-c", code, str(here), str(here.parent)]
    seen = {
        subprocess.run(
            command, env=os.environ | {"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {str([request.key for request in ask(make_airport())])}


def list_objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from list_objects(value)


@pytest.mark.parametrize("roles", [tuple(Role), (Role.CONDITIONS,)])
@pytest.mark.parametrize("metadata", [True, False])
def test_that_schemas_keep_to_what_strict_mode_takes(roles: tuple[Role, ...], metadata: bool) -> None:
    """Every object is closed and requires all of its fields; no keyword that strict mode refused at its start."""
    form = make_response_format("json_schema", roles, metadata=metadata)
    assert form is not None
    schema = form["json_schema"]["schema"]
    for entry in list_objects(schema):
        assert entry["additionalProperties"] is False
        assert entry["required"] == list(entry["properties"])
    text = json.dumps(schema)
    for keyword in (
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "default",
        "$ref",
        "title",
    ):
        assert f'"{keyword}"' not in text
    assert ("metadata" in schema["properties"]) == metadata


@pytest.mark.parametrize("structured", ["json_object", "none"])
def test_that_servers_without_schemas_are_told_in_words(structured: Any) -> None:
    form = make_response_format(structured, tuple(Role), metadata=True)
    assert form == ({"type": "json_object"} if structured == "json_object" else None)
    said, example = describe_form(structured, tuple(Role), metadata=True).split("\n")
    assert "JSON" in said
    parsed = json.loads(example)
    assert {name: list(parsed[name]) for name in parsed} == {
        name: SCHEMA["properties"][name]["required"] for name in ("metadata", "captions")
    }


@pytest.mark.parametrize(
    ("text", "n_tokens"),
    [
        ("Hello, my name is GPT-4o. I'm a new type of language model, it's nice to meet you!", 24),
        ("Привет, меня зовут GPT-4o. Я — новая языковая модель, приятно познакомиться!", 23),
        ("你好，我的名字是GPT-4o。我是一种新型的语言模型，很高兴见到你!", 24),
    ],
)
def test_that_estimates_are_on_the_upper_side(text: str, n_tokens: int) -> None:
    """The counts are those that OpenAI gave with the tokenizer of GPT-4o (openai.com/index/hello-gpt-4o)."""
    body = {"text": text}
    assert n_tokens <= estimate_tokens(body) <= 3 * n_tokens


def test_that_pictures_count_where_there_is_one() -> None:
    summary, captions, _ = ask(make_airport(), image_tokens=1000)
    assert summary.tokens_in == estimate_tokens(summary.body)
    assert captions.tokens_in == estimate_tokens(captions.body) + 1000
    n_words = len(captions.to_json().split())
    assert captions.tokens_in - 1000 > n_words / 0.75


def test_that_summaries_ask_for_no_picture() -> None:
    script = Script(("NONE", reply()))
    converse(make_field(Text(text="A lake lies in the prairie. " * 60, role="article")), script)
    assert isinstance(script.asked[0].body["messages"][1]["content"], str)
