"""Files of captions in the forms in which they are handed around."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from earthloom.core.errors import UsageError
from earthloom.evaluate.captioning.files import match_keys, read_captions

ROWS = [{"image_id": 7, "caption": "a river"}, {"image_id": "b.jpg", "caption": "a road"}]
WANTED = {"7": ["a river"], "b.jpg": ["a road"]}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_cocos_results(tmp_path: Path) -> None:
    assert read_captions(write(tmp_path / "a.json", json.dumps(ROWS))) == WANTED


def test_lines_of_json(tmp_path: Path) -> None:
    assert read_captions(write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, ROWS)) + "\n")) == WANTED


def test_csv_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert (
        read_captions(write(tmp_path / "a.csv", '\ufefffile,caption\n7,a river\nb.jpg,"a road"\n')) == WANTED
    )


def test_that_captions_may_hold_breaks_of_lines(tmp_path: Path) -> None:
    rows = [{"file": "a.jpg", "caption": "a river\u2028and a road\x85"}]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\r\n"
    assert read_captions(write(tmp_path / "a.jsonl", lines)) == {"a.jpg": ["a river\u2028and a road\x85"]}
    table = 'file,caption\r\na.jpg,"a river\nand a road"\r\nb.jpg,a\u2028road\r\n'
    assert read_captions(write(tmp_path / "a.csv", table)) == {
        "a.jpg": ["a river\nand a road"],
        "b.jpg": ["a\u2028road"],
    }


def test_an_object_from_name_to_captions(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", json.dumps({"7": "a river", "b.jpg": ["a road"]}))
    assert read_captions(path) == WANTED


def test_cocos_annotations(tmp_path: Path) -> None:
    told = {
        "images": [{"id": 1, "file_name": "b.jpg"}],
        "annotations": [
            {"id": 90, "image_id": 1, "caption": "a road"},
            {"id": 91, "image_id": 1, "caption": "a long road"},
            {"id": 92, "image_id": 7, "caption": "a river"},
        ],
    }
    found = read_captions(write(tmp_path / "a.json", json.dumps(told)))
    assert found == {"b.jpg": ["a road", "a long road"], "7": ["a river"]}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", "{", "is no .json file"),
        ("a.json", "[]", "holds no captions"),
        ("a.json", "3", "a list of rows or an object was wanted, got int"),
        ("a.json", '[{"image_id": 1}]', "row 1: one of key"),
        ("a.json", '{"a": 3}', "captions were wanted as text"),
        ("a.jsonl", '["a"]', "got list"),
        ("a.jsonl", '{"file": "a.jpg", "caption": null}', r"row 1: .* got file, caption \(which is null\)"),
        ("a.jsonl", '{"file": "a", "caption": "b"}\n\n{"file": b}', "line 3, is no JSON: .* at column 10"),
        ("a.csv", f"file,caption\na.jpg,{'a' * 200_000}\n", "field larger than field limit"),
    ],
)
def test_that_other_forms_are_refused(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_captions(write(tmp_path / name, text))


def test_that_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json cannot be read"):
        read_captions(tmp_path / "none.json")


def test_that_names_find_their_pictures() -> None:
    keys = ["river/a.jpg", "road/b.jpg", "road/c.jpg", "river/c.jpg"]
    told = {"river/a.jpg": ["1"], "b": ["2"], "c.jpg": ["3"], "d.jpg": ["4"]}
    assert match_keys(told, keys) == {"river/a.jpg": ["1"], "road/b.jpg": ["2"]}
    assert match_keys({"/elsewhere/b.png": ["5"]}, keys) == {"road/b.jpg": ["5"]}
