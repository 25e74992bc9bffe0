"""What is made of answers, good and bad."""

from __future__ import annotations

import json

import pytest
from chat_script import GOOD, METADATA, reply
from hypothesis import given
from hypothesis import strategies as st

from earthloom.caption.asking import Answer
from earthloom.caption.chat.replies import read_reply, read_summary
from earthloom.caption.chat.schema import Metadata
from earthloom.caption.rules.frames import Role

ROLES = tuple(Role)


@pytest.mark.parametrize(
    "text",
    [
        reply(),
        f"  \n{reply()}\n",
        f"```json\n{reply()}\n```",
        f"Here is the JSON that you asked for:\n\n```\n{reply()}\n```\nI hope that it helps!",
        f"Sure {{smiling}}:\n```json\n{reply()}\n```",
        f"{reply()} Let me know.",
        f"<think>The schema is {{a: b}}, say {reply(dict.fromkeys(GOOD, 'draft'))}. Good.</think>\n{reply()}",
        f"{{}} {reply()}",
        json.dumps({"captions": GOOD, "metadata": METADATA, "thoughts": [1, None]}, indent=4),
    ],
)
def test_that_json_is_found_wherever_it_stands(text: str) -> None:
    read = read_reply(Answer(text=text), ROLES)
    assert read.captions == GOOD
    assert read.metadata == Metadata(**METADATA)
    assert (read.faulty, read.notes, read.useless) == ({}, (), None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "wanted one whole JSON object with each field once, got ''"),
        ("I'm sorry, but I can't assist with that.", "got 'I'm sorry, but I can't assist with that.'"),
        (reply()[:200], "wanted one whole JSON object"),
        ('{"captions": {"overview": "A river.",}}', "wanted one whole JSON object"),
        (reply().replace('"', "'"), "wanted one whole JSON object"),
        ("[1, 2]", "wanted one whole JSON object"),
        ('{"captions": ["one", "two"]}', "wanted an object `captions`, got a list"),
        ('{"captions": null}', "got nothing"),
        ('{"captions": "A river."}', "got a text"),
        ('{"captions": 7}', "got a number"),
        ("{}", "got nothing"),
        ('{"captions": {"overview": "A.", "overview": "B."}}', "with each field once"),
        ('{"a":' * 3_000, "wanted one whole JSON object"),
        ('{"captions": ' + "9" * 5000 + "}", "wanted one whole JSON object"),
        ("x" * 60_001, "got over 60000 letters"),
    ],
)
def test_that_what_holds_no_captions_is_of_no_use_and_says_why(text: str, why: str) -> None:
    read = read_reply(Answer(text=text), ROLES)
    assert read.useless is not None
    assert why in read.useless
    assert not read.captions


@pytest.mark.parametrize(
    ("finish", "why"),
    [
        ("length", "cut off"),
        ("content_filter", "a refusal (content_filter)"),
        ("refusal", "a refusal (refusal)"),
        ("tool_calls", "ended with 'tool_calls'"),
    ],
)
def test_that_an_answer_must_end_by_itself(finish: str, why: str) -> None:
    read = read_reply(Answer(text=reply(), finish=finish), ROLES)
    assert why in str(read.useless)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (None, "no caption was given"),
        ("", "no caption was given"),
        (" \n\t", "no caption was given"),
        (["A river."], "wanted a text, got a list"),
        ({"text": "A river."}, "wanted a text, got an object"),
        (True, "wanted a text, got true or false"),
        (3.5, "wanted a text, got a number"),
        ("a" * 1001, "1001 letters are far too long"),
        ("A river\x00 bends.", "control characters"),
        ("A river\u200b bends.", "control characters or invisible letters"),
        ("A river \ud83d bends.", "control characters or invisible letters"),
    ],
)
def test_that_one_bad_caption_costs_no_other(value: object, fault: str) -> None:
    read = read_reply(Answer(text=reply(GOOD | {"composition": value})), ROLES)
    assert fault in read.faulty[Role.COMPOSITION][1]
    assert set(read.captions) == set(ROLES) - {Role.COMPOSITION}


def test_that_a_role_that_is_missing_is_named() -> None:
    captions = {role: text for role, text in GOOD.items() if role != "conditions"}
    assert read_reply(Answer(text=reply(captions)), ROLES).faulty == {
        Role.CONDITIONS: ("", "no caption was given")
    }


def test_that_captions_that_nobody_asked_for_are_noted() -> None:
    read = read_reply(Answer(text=reply(GOOD | {"mood": "A calm river.", "colour": "Brown."})), ROLES)
    assert read.captions == GOOD
    assert read.notes == ("captions for roles that were not asked for: 'mood', 'colour'",)
    read = read_reply(Answer(text=reply(GOOD)), (Role.OVERVIEW,))
    assert set(read.captions) == {Role.OVERVIEW}
    assert len(read.notes) == 1


def test_that_line_breaks_in_a_caption_become_spaces() -> None:
    read = read_reply(Answer(text=reply(GOOD | {"overview": " A river\n\tbends  here. "})), ROLES)
    assert read.captions[Role.OVERVIEW] == "A river bends here."


@pytest.mark.parametrize("metadata", [[], "none", {"tags": "river"}, {"location": None}, {"sensor": ["MSI"]}])
def test_that_bad_metadata_cost_no_caption(metadata: object) -> None:
    read = read_reply(Answer(text=reply(metadata=metadata)), ROLES)
    assert read.captions == GOOD
    assert read.metadata is None
    assert read.notes[0].startswith("metadata of the wrong type: ")


@given(
    st.text(max_size=300) | st.sampled_from([reply(), reply()[:90]]), st.sampled_from(["stop", "length", ""])
)
def test_that_no_text_is_too_much(text: str, finish: str) -> None:
    read = read_reply(Answer(text=text, finish=finish), ROLES)
    assert (read.useless is None) == bool(read.captions or read.faulty)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(captions=st.dictionaries(st.sampled_from([*GOOD, "mood"]), _JSON), metadata=_JSON)
def test_that_no_json_is_too_much(captions: dict[str, object], metadata: object) -> None:
    read = read_reply(Answer(text=reply(captions, metadata)), ROLES)
    assert read.useless is None
    assert set(read.captions) | set(read.faulty) == set(ROLES)
    assert not set(read.captions) & set(read.faulty)
    assert all(text.isprintable() and text.strip() for text in read.captions.values())


@pytest.mark.parametrize(
    ("answer", "text", "fault"),
    [
        (
            Answer(text=" A fire burnt the hills\nabove the town. "),
            "A fire burnt the hills above the town.",
            None,
        ),
        (Answer(text="NONE"), "", None),
        (Answer(text='"None."'), "", None),
        (Answer(text=""), "", "got 0"),
        (Answer(text="Smoke."), "", "got 6"),
        (Answer(text="word " * 1000), "", "wanted a summary of 20 to 2000 letters"),
        (Answer(text="I’m sorry, but I can't help with that."), "", "got a refusal"),
        (Answer(text="A fire burnt the hills above", finish="length"), "", "cut off"),
    ],
)
def test_that_a_summary_is_short_prose(answer: Answer, text: str, fault: str | None) -> None:
    read, why = read_summary(answer)
    assert read == text
    assert (why is None) if fault is None else (fault in str(why))
