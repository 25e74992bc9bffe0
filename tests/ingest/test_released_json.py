"""Records out of JSON: every layout gives what `json` gives, damage costs what comes after it."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.ingest.released import json_records
from earthloom.ingest.released.json_records import JsonDamage, iter_entries, iter_records

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), max_size=8)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json") / "records.json"


def records(path: Path) -> list[dict[str, Any]]:
    return [record.fields for record in iter_records(path)]


@given(rows=ROWS, indent=st.sampled_from([None, 1]), ascii_only=st.booleans(), chunk=st.integers(1, 40))
def test_a_list_of_any_objects_in_pieces_of_any_size_is_what_json_reads(
    file: Path, rows: list[dict[str, Any]], indent: int | None, ascii_only: bool, chunk: int
) -> None:
    file.write_text(json.dumps(rows, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "_CHUNK", chunk)
        assert records(file) == rows


@given(value=st.dictionaries(st.text(max_size=5), VALUES, max_size=5), chunk=st.integers(1, 40))
def test_the_fields_of_an_object_are_what_json_reads(file: Path, value: dict[str, Any], chunk: int) -> None:
    file.write_text(json.dumps(value), encoding="utf-8")
    found: dict[str, Any] = {name: [] for name, inner in value.items() if inner == []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "_CHUNK", chunk)
        for entry in iter_entries(file):
            if entry.number is None:
                found[entry.field] = entry.value
            else:
                found.setdefault(entry.field, []).append(entry.value)
    assert found == value


@given(data=st.binary(max_size=60))
def test_any_bytes_are_records_or_damage(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    try:
        list(iter_records(file))
    except JsonDamage as error:
        assert str(error)
    else:
        assert all(
            isinstance(json.loads(line), object)
            for line in [data.decode("utf-8-sig")]
            if line.strip()[:1] == "["
        )


ROW = {"id": "a", "captions": ["x", "y"], "lat": 1.5}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ROW, ROW]),
        "\ufeff" + json.dumps([ROW, ROW]),
        json.dumps({"id": ["a", "a"], "captions": [["x", "y"]] * 2, "lat": [1.5, 1.5]}),
        json.dumps({name: {"0": value, "7": value} for name, value in ROW.items()}),
        json.dumps(ROW) + "\n" + json.dumps(ROW) + "\n",
        json.dumps(ROW) + "\r\n\r\n" + json.dumps(ROW),
        json.dumps({"version": 3, "data": [ROW, ROW], "note": None}),
    ],
)
def test_every_layout_gives_the_same_records(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    assert records(path) == [ROW, ROW]


def test_a_file_that_breaks_off_gives_the_records_before(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([ROW] * 5)[:-40])
    found = []
    with pytest.raises(JsonDamage, match=r"no JSON there|cut short"):
        for record in iter_records(path):
            found.append(record.fields)
    assert found == [ROW] * 4


def test_a_bad_line_and_a_bad_element_cost_themselves_alone(tmp_path: Path) -> None:
    lines = tmp_path / "x.jsonl"
    lines.write_text(f"{json.dumps(ROW)}\n{{oops}}\n{json.dumps(ROW)}\n[1]\n")
    assert [bool(record.fault) for record in iter_records(lines)] == [False, True, False, True]
    elements = tmp_path / "x.json"
    elements.write_text(json.dumps([ROW, 5, None, ROW]))
    faults = [record.fault for record in iter_records(elements)]
    assert faults == ["", "it is a int; wanted an object", "it is a NoneType; wanted an object", ""]


def test_columns_of_several_lengths_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"id": ["a", "b"], "image_src": ["u"]}))
    with pytest.raises(JsonDamage, match="differ in length"):
        list(iter_records(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "starts with ''"),
        ("hello", "starts with 'h'"),
        ("[1] [2]", "something follows"),
        ("[" * 100_000, "nested too deep"),
        ('{"a" 1}', "wanted ':'"),
        ("{1: 2}", "field's name"),
    ],
)
def test_damage_says_what_it_is(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(JsonDamage, match=said):
        list(iter_records(path))


def test_a_list_is_streamed_not_held(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with path.open("w") as file:
        file.write("[")
        file.writelines(json.dumps({"id": i, "text": "x" * 2000}) + "," for i in range(8000))
        file.write('{"id": -1}]')
    assert path.stat().st_size > 16e6
    tracemalloc.start()
    n = sum(1 for _ in iter_records(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n == 8001
    assert peak < 8e6
