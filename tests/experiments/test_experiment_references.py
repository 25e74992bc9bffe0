"""`$name` stands for values and folders, wherever it is, and blames what stands for nothing at its line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.experiments.references import Names, Resolved, Value, resolve
from earthloom.recipes.document import read_yaml


def look_up(text: str, loc: tuple[str | int, ...] = (), **values: Any) -> Resolved:
    names = Names(
        values={name: Value(value=value, loc=None) for name, value in values.items()},
        folders={"data": "/out/data"},
        later=frozenset({"after"}),
    )
    return resolve(read_yaml(text), loc, names)


def test_values_of_every_type_are_put_in() -> None:
    found = look_up("{a: $n, b: [$path, x], c: $whole}", n=3, path="p", whole={"deep": ["$n", None]})
    assert found.document.value == {"a": 3, "b": ["p", "x"], "c": {"deep": [3, None]}}
    assert not found.faults
    assert found.by_name == {("b", 0): "path"}


def test_steps_stand_for_their_folders_and_are_told() -> None:
    found = look_up("{model: $data, lora: [$data/weights/lora.safetensors]}")
    assert found.document.value == {"model": "/out/data", "lora": ["/out/data/weights/lora.safetensors"]}
    assert found.reads == ("data",)


def test_values_may_name_steps() -> None:
    found = look_up("{a: $place}", place="$data/release")
    assert found.document.value == {"a": "/out/data/release"}
    assert found.reads == ("data",)


@pytest.mark.parametrize("text", ["^(a)_$", "costs $5", "a $data", "$Data", "$", "$$", "$data.yaml"])
def test_other_texts_stand_for_themselves(text: str) -> None:
    found = look_up(f"{{a: '{text}'}}")
    assert found.document.value == {"a": text}
    assert not found.faults


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("$dat", "neither an earlier step nor a value", "Did you mean `$data`?"),
        ("$zzz", "neither an earlier step nor a value", "There are `$data`, `$n`, `$self`."),
        ("$after/weights", "a step that comes later", "Put it before this one."),
        ("$self", "stands for itself", "Give it a value."),
        ("$n/x", "wants a path for `n`, got 3", ""),
    ],
)
def test_what_stands_for_nothing_is_blamed(text: str, problem: str, remedy: str) -> None:
    found = look_up(f"top:\n  - a: 1\n  - b: {text}\n", ("top",), n=3, self="$self")
    (fault,) = found.faults
    assert (fault.place, fault.line) == ("top[1].b", 3)
    assert problem in fault.problem
    assert fault.remedy == remedy


def test_lines_are_those_of_the_values() -> None:
    text = "sizes:\n  toy:\n    sources:\n      - kind: atlas\nstep: {sources: $sources, x: 1}\n"
    document = read_yaml(text)
    value = Value(value=document.value["sizes"]["toy"]["sources"], loc=("sizes", "toy", "sources"))
    names = Names(values={"sources": value}, folders={}, later=frozenset())
    lines = resolve(document, ("step",), names).document.lines
    assert lines[("x",)] == 5
    assert lines[("sources",)] == 3
    assert lines[("sources", 0, "kind")] == 4


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="$", codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(_PLAIN)
def test_what_names_nothing_stays_as_it_is(value: Any) -> None:
    found = look_up("a: $whole", whole=value)
    assert found.document.value == {"a": value}
    assert not found.faults
    assert not found.reads
