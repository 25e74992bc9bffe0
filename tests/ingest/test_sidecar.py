"""Facts and captions by file name: against csv and json, with every kind of malformed row."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Origin, Reason
from earthloom.ingest.sidecar import Notes, Row, Sidecar, open_sidecar

GOOD = {
    "file": "a.jpg", "caption": "A field .", "lon": 11.5, "lat": -48.25, "date": "2019-09-04", "gsd_m": 10,
    "platform": "Sentinel-2", "sensor": "MSI", "place": "Bavaria", "label": "field", "licence": "CC-BY-4.0",
    "credit": "ESA", "url": "ignored", "title": "Fields in May", "alt": "Fields from above",
    "article": "In May all is green.",
}  # fmt: skip


def written(tmp_path: Path, text: str | bytes, name: str = "facts.jsonl") -> Sidecar:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_sidecar(path)


def jsonl(tmp_path: Path, *rows: object) -> Sidecar:
    return written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))


def as_csv(*rows: dict[str, object]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def refusal(sidecar: Sidecar, key: str = "a.jpg") -> RecordError:
    with pytest.raises(RecordError) as caught:
        sidecar.find(key)
    assert caught.value.reason is Reason.BAD_FACTS
    return caught.value


def check_good(notes: Notes) -> None:
    facts = notes.facts
    assert (facts.lon, facts.lat, facts.acquired) == (11.5, -48.25, "2019-09-04")
    assert (facts.gsd_x_m, facts.gsd_y_m, facts.origin) == (10.0, 10.0, Origin.SIDECAR)
    assert (facts.platform, facts.sensor, facts.place) == ("Sentinel-2", "MSI", "Bavaria")
    assert (facts.licence, facts.credit) == ("CC-BY-4.0", "ESA")
    assert (notes.captions, notes.labels) == (("A field .",), ("field",))
    said = [(text.role, text.text) for text in notes.texts]
    assert said == [
        ("title", "Fields in May"),
        ("alt", "Fields from above"),
        ("article", "In May all is green."),
    ]


def test_every_fact_of_a_jsonl(tmp_path: Path) -> None:
    check_good(jsonl(tmp_path, {"file": "z.jpg"}, GOOD).find("a.jpg"))


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_every_fact_of_a_csv(tmp_path: Path, start: str) -> None:
    check_good(written(tmp_path, start + as_csv(GOOD), "facts.csv").find("a.jpg"))


def test_every_fact_of_a_tsv(tmp_path: Path) -> None:
    check_good(written(tmp_path, as_csv(GOOD).replace(",", "\t"), "facts.tsv").find("a.jpg"))


@pytest.mark.parametrize("column", ["file", "filename", "file_name"])
@pytest.mark.parametrize("key", ["a.jpg", "deep/down/a.jpg"])
def test_a_row_is_found_by_file_name(tmp_path: Path, column: str, key: str) -> None:
    assert jsonl(tmp_path, {column: "a.jpg", "place": "here"}).find(key).facts.place == "here"


def test_a_row_is_found_by_key_first(tmp_path: Path) -> None:
    sidecar = jsonl(
        tmp_path,
        {"file": "a.jpg", "place": "any"},
        {"file": "x/a.jpg", "place": "x"},
        {"file": "./y/a.jpg", "place": "y"},
    )
    assert [sidecar.find(key).facts.place for key in ("x/a.jpg", "y/a.jpg", "z/a.jpg")] == ["x", "y", "any"]


def test_what_no_row_names_has_no_notes(tmp_path: Path) -> None:
    assert jsonl(tmp_path, GOOD).find("b.jpg") == Notes()
    assert written(tmp_path, "", "empty.jsonl").find("a.jpg") == Notes()


@given(st.lists(st.text(min_size=1).filter(str.strip), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_captions_stay_exactly_as_published(tmp_path: Path, captions: list[str]) -> None:
    rows = [{"file": "a.jpg", "captions": captions}]
    assert jsonl(tmp_path, *rows).find("a.jpg").captions == tuple(captions)


@given(st.lists(st.text(min_size=1).filter(lambda t: t.strip() and "\0" not in t), min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_csv_cells_with_breaks_quotes_and_commas(tmp_path: Path, captions: list[str]) -> None:
    clean = [text.replace("\r", " ").strip() or "x" for text in captions]
    rows = [{"caption": text, "file": f"{i}.jpg"} for i, text in enumerate(clean)]
    path = tmp_path / "facts.csv"
    path.write_bytes(as_csv(*rows).encode("utf-8", "surrogatepass"))
    os.utime(path, ns=(0, abs(hash(tuple(captions))) % 10**15))
    sidecar = open_sidecar(path)
    assert [sidecar.find(f"{i}.jpg").captions for i in range(len(clean))] == [(text,) for text in clean]


def test_one_caption_a_row_adds_up_with_duplicates(tmp_path: Path) -> None:
    rows = [
        {"file": name, "caption": text, "place": "p"}
        for text in ("one .", "two", "one .")
        for name in ("a.jpg", "b.jpg")
    ]
    assert jsonl(tmp_path, *rows).find("a.jpg").captions == ("one .", "two", "one .")
    assert written(tmp_path, as_csv(*rows), "facts.csv").find("b.jpg").captions == ("one .", "two", "one .")


def test_texts_of_several_rows_add_up_each_once(tmp_path: Path) -> None:
    rows = [{"file": "a.jpg", "title": "A", "article": article} for article in ("one", "two", "one", " ")]
    notes = jsonl(tmp_path, *rows).find("a.jpg")
    assert [(text.role, text.text) for text in notes.texts] == [
        ("title", "A"), ("article", "one"), ("article", "two"),
    ]  # fmt: skip


def test_lists_in_a_csv_are_json(tmp_path: Path) -> None:
    rows = [{"file": "a.jpg", "captions": '["one", "two"]', "labels": '["AnnualCrop"]'}]
    notes = written(tmp_path, as_csv(*rows), "facts.csv").find("a.jpg")
    assert (notes.captions, notes.labels) == (("one", "two"), ("AnnualCrop",))


def test_null_and_empty_are_unknown(tmp_path: Path) -> None:
    empty = {
        "file": "a.jpg",
        "lon": None,
        "lat": None,
        "place": "",
        "captions": [],
        "caption": " ",
        "date": None,
    }
    assert jsonl(tmp_path, empty).find("a.jpg") == Notes()
    text = as_csv({"file": "a.jpg", "lon": "", "lat": "", "place": " ", "caption": "", "gsd_m": ""})
    assert written(tmp_path, text, "facts.csv").find("a.jpg") == Notes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lon": 181.0}, "lon"),
        ({"lat": -90.5}, "lat"),
        ({"lon": None}, "both or none"),
        ({"lon": "east"}, "wanted a number"),
        ({"lon": "11.5"}, "wanted a number"),
        ({"lon": True}, "wanted a number"),
        ({"lon": float("nan")}, "wanted a number"),
        ({"gsd_m": 0}, "gsd_m"),
        ({"gsd_m": -3}, "gsd_m"),
        ({"date": "2019-02-30"}, "no date"),
        ({"date": 3.5}, "wanted text"),
        ({"place": 7}, "wanted text"),
        ({"caption": 7}, "wanted text"),
        ({"captions": ["a", 7]}, "wanted text"),
        ({"labels": {"a": 1}}, "wanted text"),
    ],
)
def test_a_wrong_fact_refuses_its_record_with_the_line(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    sidecar = jsonl(tmp_path, {"file": "b.jpg"}, GOOD | change, {"file": "c.jpg"})
    error = refusal(sidecar)
    assert "facts.jsonl, line 2: " in error.detail
    assert said in error.detail
    assert sidecar.find("b.jpg") == sidecar.find("c.jpg") == Notes()


@pytest.mark.parametrize(
    "row",
    [
        {"title": "cut \ud83d"},
        {"captions": ["whole", "cut \ud83d"]},
        {"place": "\udc00"},
        {"labels": ["\ud83d"]},
    ],
)
def test_half_of_a_letter_is_refused_before_a_table_would_break_on_it(tmp_path: Path, row: Row) -> None:
    sidecar = jsonl(tmp_path, {"file": "a.jpg"} | row, {"file": "b.jpg", "title": "\U0001f30d"})
    assert "half of a letter" in refusal(sidecar).detail
    refusal(sidecar).detail.encode()
    assert sidecar.find("b.jpg").texts[0].text == "\U0001f30d"


def test_half_of_a_letter_in_a_list_of_a_csv(tmp_path: Path) -> None:
    sidecar = written(tmp_path, as_csv({"file": "a.jpg", "captions": '["cut \\ud83d"]'}), "facts.csv")
    assert "half of a letter" in refusal(sidecar).detail


def test_a_year_may_be_a_number(tmp_path: Path) -> None:
    assert jsonl(tmp_path, {"file": "a.jpg", "date": 2019}).find("a.jpg").facts.acquired == "2019"


@pytest.mark.parametrize(
    "line",
    [
        '{"file": "a.jpg", "lon": }',
        '{"file": "a.jpg", "caption": "cut sho',
        '{"file": "a.jpg"} trailing',
        '{"file_name": "./a.jpg", ',
        '{"file": "\\u0061.jpg", nonsense',
    ],
)
def test_broken_json_is_laid_at_the_door_of_its_image(tmp_path: Path, line: str) -> None:
    sidecar = written(tmp_path, f'{{"file": "b.jpg"}}\n\n{line}\n')
    assert "line 3: it is no JSON" in refusal(sidecar).detail
    assert not sidecar.strays


@pytest.mark.parametrize(
    "line", ["nonsense", "[1, 2]", "7", '{"place": "x"}', '{"file": 7}', '{"file": ""}', "[" * 9999]
)
def test_a_row_without_a_name_is_a_stray(tmp_path: Path, line: str) -> None:
    sidecar = written(tmp_path, f'{{"file": "b.jpg"}}\n{line}\n')
    (stray,) = sidecar.strays
    assert stray.line == 2
    assert stray.detail


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("file,lon,lat\nb.jpg,1,2\na.jpg,1,2,3\n", 3),
        ("file,lon,lat\nb.jpg,1,2\na.jpg,1\n", 3),
        ('caption,file\n"two\nlines",b.jpg\nx,a.jpg,more\n', 4),
        ('file,captions\na.jpg,"[not json"\n', 2),
        ("file,lon,lat\na.jpg,one,2\n", 2),
    ],
)
def test_malformed_csv_rows_are_refused_with_their_line(tmp_path: Path, text: str, line: int) -> None:
    assert f"facts.csv, line {line}: " in refusal(written(tmp_path, text, "facts.csv")).detail


def test_text_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    sidecar = written(tmp_path, b"file,place\na.jpg,caf\xe9\nb.jpg,cafe\n", "facts.csv")
    assert "UTF-8" in refusal(sidecar).detail
    assert sidecar.find("b.jpg").facts.place == "cafe"


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    sidecar = jsonl(tmp_path, {"file": "a.jpg", "place": "here"}, {"file": "a.jpg", "place": "there"})
    assert "line 2: place is 'there', an earlier row of this image says 'here'" in refusal(sidecar).detail


def test_rows_without_an_image_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sidecar = jsonl(tmp_path, *({"file": f"{i}.jpg"} for i in range(10)), {"file": "3.jpg"})
    for key in ("x/3.jpg", "4.jpg", "none.jpg"):
        sidecar.mark(key)
    with caplog.at_level(logging.WARNING):
        assert sidecar.report_unused() == 8
    assert "facts.jsonl: 8 of 11 rows name no image here" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("facts.xlsx", "", "wanted .csv"),
        ("facts.csv", "name,lon\na.jpg,1\n", "no column `file`"),
        ("facts.csv", 'file,"lon\n', "no CSV"),
    ],
)
def test_a_table_of_another_kind_is_a_wrong_call(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        written(tmp_path, text, name)


def test_a_table_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv"):
        open_sidecar(tmp_path / "none.csv")


def test_a_changed_table_is_read_anew(tmp_path: Path) -> None:
    assert jsonl(tmp_path, {"file": "a.jpg", "place": "here"}).find("a.jpg").facts.place == "here"
    assert jsonl(tmp_path, {"file": "a.jpg", "place": "elsewhere"}).find("a.jpg").facts.place == "elsewhere"


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_rows_or_strays(tmp_path: Path, data: bytes) -> None:
    for name, start in (("f.jsonl", b""), ("f.csv", b"file,caption\n")):
        path = tmp_path / f"{abs(hash(data))}{name}"
        path.write_bytes(start + data + b'\n{"file": "a.jpg"}\n')
        sidecar = open_sidecar(path)
        assert len(sidecar.hashes) + len(sidecar.strays) > 0
        with contextlib.suppress(RecordError):
            assert sidecar.find("a.jpg") is not None
