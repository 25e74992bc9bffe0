"""Files of prompts: every form, and every fault of a file with its line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import RecipeError, UsageError
from earthloom.generate.config import Wish, parse_settings
from earthloom.generate.prompts import read_prompts
from earthloom.generate.wishes import read_asked

ROWS = [
    {"prompt": 'a river, "wide", near fields', "gsd_m": 10.0, "modality": "rgb", "key": "river"},
    {"prompt": "fog over a town", "scene": "fog", "date": "2020-06-01", "lon": 11.5, "lat": 48.0, "seed": 7},
    {"prompt": "Zürich", "cloud_share": 0.25, "negative": "snow", "label": "city"},
]


def write(path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            names = sorted({name for row in ROWS for name in row})
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(ROWS)
        elif path.suffix == ".jsonl":
            file.writelines(json.dumps(row) + "\n" for row in ROWS)
        else:
            yaml.safe_dump(ROWS, file, allow_unicode=True)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".yaml"])
def test_all_forms_say_the_same(tmp_path: Path, suffix: str) -> None:
    read = read_prompts(write(tmp_path / f"prompts{suffix}"))
    assert [wish for wish, _ in read] == [Wish.model_validate(row) for row in ROWS]


def test_lines_of_text_are_prompts(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_bytes(b"\xef\xbb\xbfa lake\r\n\r\n  a forest \n")
    assert [(wish.prompt, row.line) for wish, row in read_prompts(path)] == [("a lake", 1), ("a forest", 3)]


def test_yaml_may_hold_plain_texts_and_unquoted_dates(tmp_path: Path) -> None:
    path = tmp_path / "p.yml"
    path.write_text("- a lake\n- prompt: a forest\n  date: 2020-06-01\n- {date: 2021}\n")
    wishes = [wish for wish, _ in read_prompts(path)]
    assert [(wish.prompt, wish.date) for wish in wishes] == [
        ("a lake", None),
        ("a forest", "2020-06-01"),
        ("", "2021"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "p.jsonl",
            '{"prompt": "a", "gsd": 1}\n\n{"prompt": "b", "gsd_m": -1}\n{"prompt"\n[1]\n{"prompt": "ok"}\n{"lon": 5}\n',
            ["line 1: gsd: is not known; known are", "line 3: gsd_m: Input should be greater than 0, got -1",
             "line 4: row: is no JSON", "line 5: row: is list [1]", "line 7: row: wants `lon` and `lat` together"],
        ),
        (
            "p.csv",
            'prompt,lat,lon\n"two\nlines",1,2\na,north,2\nb,1,2,3\n"open\n',
            ["line 4: lat: Input should be a valid number", "line 5: row: has 4 cells, the header 3",
             "line 6: row: is no CSV"],
        ),
        ("p.csv", "prompt,colour\na,b\n", ["line 1: row: is a header with 'colour'; known are"]),
        ("p.yaml", "prompt: a\n", ["line 1: row: is no list"]),
        ("p.yaml", "- a\n- {b\n", ["line 3: row: is no YAML"]),
        ("p.yaml", "- a\n- modality: infrared\n  prompt: x\n- 5\n",
         ["line 2: modality: Input should be", "line 4: row: is int 5"]),
        ("p.jsonl", '{"key": "A"}\n{"key": "b"}\n{"key": "a"}\n', ["line 3: key: 'a' stands on line 1 already"]),
        ("p.jsonl", '{"key": "../a"}\n{"prompt": "\\ud800"}\n',
         ["line 1: key: names a file: wants letters", "line 2: prompt: holds half a letter"]),
    ],
)  # fmt: skip
def test_all_faults_are_told_at_once_with_their_lines(
    tmp_path: Path, name: str, text: str, said: list[str]
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(RecipeError) as told:
        read_prompts(path)
    message = str(told.value)
    assert [part for part in said if part not in message] == []
    assert len(told.value.faults) == len(said)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.docx", b"", "ends in .csv, .jsonl"),
        ("p.txt", b"\n \n", "holds no prompt"),
        ("p.yaml", b"", "holds no prompt"),
        ("p.txt", b"\xff\xfe", "no UTF-8"),
    ],
)
def test_files_that_are_no_prompts(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_prompts(tmp_path / name)
    with pytest.raises(UsageError, match="cannot be read"):
        read_prompts(tmp_path / f"none{Path(name).with_suffix('.txt').name}")


@given(text=st.text(max_size=60), suffix=st.sampled_from([".txt", ".jsonl", ".csv", ".yaml"]))
def test_no_file_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str) -> None:
    path = tmp_path_factory.mktemp("any") / f"p{suffix}"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        read = read_prompts(path)
    except (RecipeError, UsageError):
        return
    assert all(isinstance(wish, Wish) for wish, _ in read)


def test_a_row_goes_before_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(
        '{"prompt": "a", "gsd_m": 5}\n{"prompt": "b", "control": "c.png"}\n{}\n'
    )
    settings = parse_settings(
        size=None, share=None, model="m", prompts="p.jsonl", gsd_m=1.0, scene="fog", limit=2
    )
    asked = read_asked(settings, tmp_path)
    assert asked is not None
    assert [(one.wish.gsd_m, one.wish.scene) for one in asked] == [(5.0, "fog"), (1.0, "fog")]
    assert asked[1].wish.control == str(tmp_path / "c.png")
    assert asked[1].place == "line 2 of p.jsonl"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "--prompt TEXT, --prompts FILE or --release FOLDER, got none"),
        ({"prompt": ["a"], "prompts": "p.txt"}, "got 2 of them"),
        ({"prompt": ["a"], "split": "test", "style": "plain"}, "--split and --style go with --release"),
        ({"prompt": ["a"], "share": "4/4"}, "0/4 to 3/4"),
        ({"prompt": ["a"], "share": "1"}, "--share: wants a part"),
        ({"prompt": ["a"], "size": "big"}, "--size: wants one side"),
        ({"prompt": ["a"], "gsd_m": 0, "cloud_share": 2, "lon": 1},
         "--gsd: Input should be greater than 0, got 0.; --cloud:"),
        ({"prompt": ["a"], "date": "June"}, "--date"),
        ({"prompt": ["a"], "limit": 2}, "--limit goes with --prompts or --release"),
        ({"prompt": ["a"], "size": "0"}, "--size: Input should be greater than or equal to 8, got 0."),
        ({"prompt": ["a"], "n": 0, "guidance": float("nan")}, "--n: "),
    ],
)  # fmt: skip
def test_wrong_settings_are_told_by_their_options(fields: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as told:
        parse_settings(**{"size": None, "share": None, "model": "m", **fields})  # type: ignore[arg-type]
    assert said in str(told.value)


def test_sizes_and_shares_are_read() -> None:
    settings = parse_settings(size="768x512", share="1/4", model="m", prompt=["a"], steps=None)
    assert (settings.size, settings.share, settings.steps) == ((768, 512), (1, 4), None)
    assert parse_settings(size="64", share=None, model="m", prompt=["a"]).size == (64, 64)


def test_only_line_ends_end_prompts(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_bytes("one\u2028line\x0cof words\r\nanother\n".encode())
    assert [(wish.prompt, row.line) for wish, row in read_prompts(tmp_path / "p.txt")] == [
        ("one line of words", 1),
        ("another", 2),
    ]


@pytest.mark.parametrize(
    ("date", "is_known"),
    [
        ("2023", True), ("2023-07", True), ("2023-07-14", True), ("2023-07-14T10:20:30Z", True),
        ("2023-07-14 10:20:30.5+02:00", True), ("2023/07/14", False), ("20230714", False), ("2023-13", False),
        ("2023-07-14 or so", False), ("2023-07-14\n", False), ("\u0662\u0660\u0662\u0663", False),
    ],
)  # fmt: skip
def test_dates_are_of_iso_8601(date: str, is_known: bool) -> None:
    given = {"size": None, "share": None, "model": "m", "prompt": ["a"], "date": date}
    if is_known:
        assert parse_settings(**given).date == date
        return
    with pytest.raises(UsageError, match=r"--date: wants a year, a month or a day such as 2023, 2023-07"):
        parse_settings(**given)
