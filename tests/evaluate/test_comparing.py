"""Results side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_results import KD, make_result, with_figure

from earthloom.core.errors import UsageError
from earthloom.evaluate.comparing import compare, write_comparison
from earthloom.evaluate.result import Figure, Result
from earthloom.store.atomic import write_json


def change_protocol(result: Result, **changes: object) -> Result:
    return replace(result, protocol=replace(result.protocol, **changes))  # type: ignore[arg-type]


def find_row(first: Result, second: Result, name: str, group: str | None = None):  # type: ignore[no-untyped-def]
    return next(row for row in compare([first, second]).rows if (row.name, row.group) == (name, group))


def test_that_figures_are_lined_up_with_their_difference() -> None:
    after = with_figure(make_result("after"), replace(KD, value=0.1, low=0.09, high=0.11))
    row = find_row(make_result(), after, "kd")
    assert row.difference == pytest.approx(0.069)
    assert row.apart is True
    assert row.better == 0
    assert [figure.value for figure in row.figures if figure] == [0.031, 0.1]


@pytest.mark.parametrize(("value", "apart"), [(0.031 + 0.0170, False), (0.031 + 0.0180, True)])
def test_that_half_widths_add_up_in_squares(value: float, apart: bool) -> None:
    # Half-widths of 0.0125 each: the root of the sum of their squares is 0.01768.
    after = with_figure(
        make_result("after"), replace(KD, value=value, low=value - 0.0125, high=value + 0.0125)
    )
    assert find_row(make_result(), after, "kd").apart is apart


def test_that_what_one_result_lacks_is_told() -> None:
    more = replace(make_result("more"), figures=(*make_result().figures, Figure(name="new", value=1.0)))
    row = find_row(make_result(), more, "new")
    assert row.figures[0] is None
    assert (row.difference, row.apart, row.better) == (None, None, None)
    assert find_row(make_result(), more, "fid").difference is None


def test_that_equal_values_have_no_best() -> None:
    assert find_row(make_result(), make_result("b"), "kd").better is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "2"}, "the protocol's version: 1 and 2"),
        ({"seed": 5}, "seed: 0 and 5"),
        ({"rules": {"floor": "quarters"}}, "the rule 'floor': halves and quarters"),
        ({"encoders": {}}, "the encoder 'ours@1': to 64 px and none"),
    ],
)
def test_that_different_protocols_are_warned_of(changes: dict[str, object], said: str) -> None:
    found = compare([make_result(), change_protocol(make_result("b"), **changes)])
    assert found.warnings == (f"first and b differ in {said}.",)
    assert said in found.to_text()


def test_that_other_real_pictures_are_warned_of_and_other_generated_ones_not() -> None:
    first, second = make_result(), make_result("b")
    real, generated = second.sets
    moved = replace(second, sets=(real, replace(generated, identity="other")))
    assert compare([first, moved]).warnings == ()
    moved = replace(second, sets=(replace(real, identity="other", place="aid"), generated))
    assert compare([first, moved]).warnings == (
        "first and b differ in the pictures of the set 'real': eurosat and aid.",
    )
    fewer = replace(second, sets=(replace(real, n=10), generated))
    assert "the size of the set 'real': 900 and 10" in compare([first, fewer]).warnings[0]


def test_that_equal_protocols_are_not_warned_of() -> None:
    assert compare([make_result(), make_result("b"), make_result("c")]).warnings == ()


def test_that_one_result_and_other_kinds_are_refused() -> None:
    with pytest.raises(UsageError, match="Two results or more"):
        compare([make_result()])
    with pytest.raises(UsageError, match="generation and retrieval"):
        compare([make_result(), replace(make_result(), kind="retrieval")])


def test_that_equal_names_are_told_apart() -> None:
    assert compare([make_result(), make_result()]).names == ("first (A)", "first (B)")


def test_that_files_are_read_and_a_page_is_written(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_json(tmp_path / name / "result.json", make_result(name).to_json())
    found = write_comparison([tmp_path / "a", tmp_path / "b" / "result.json"], tmp_path / "both.html")
    assert found.names == ("a", "b")
    page = (tmp_path / "both.html").read_text()
    assert "a beside b" in page
    assert page.count("<svg") >= 4
    told = json.loads((tmp_path / "both.json").read_text())
    assert told["rows"][0]["name"] == "kd"


@pytest.mark.parametrize("output", ["a.html", "a", "a.json"])
def test_that_no_result_is_written_over(tmp_path: Path, output: str) -> None:
    for name in ("a", "b"):
        write_json(tmp_path / f"{name}.json", make_result(name).to_json())
    before = (tmp_path / "a.json").read_bytes()
    with pytest.raises(UsageError, match="would be lost"):
        write_comparison([tmp_path / "a.json", tmp_path / "b.json"], tmp_path / output)
    assert (tmp_path / "a.json").read_bytes() == before


def test_that_a_folder_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name the page"):
        write_comparison([tmp_path / "a.json", tmp_path / "b.json"], tmp_path)


def test_that_a_dot_in_the_name_of_a_page_stays(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_json(tmp_path / f"{name}.json", make_result(name).to_json())
    write_comparison([tmp_path / "a.json", tmp_path / "b.json"], tmp_path / "v1.2")
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "b.json", "v1.2.html", "v1.2.json"}


def test_that_figures_of_one_name_are_warned_of_and_the_first_is_taken() -> None:
    first = make_result("first")
    second = replace(first, name="second", figures=(*first.figures, replace(KD, value=9.0)))
    found = compare([first, second])
    row = next(row for row in found.rows if row.name == "kd")
    assert row.difference == 0
    assert [warning for warning in found.warnings if "second holds several figures kd" in warning]
