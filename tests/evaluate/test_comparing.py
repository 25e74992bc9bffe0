"""Results side by side."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_results import KD, make_result, with_figure

from earthloom.core.errors import UsageError
from earthloom.evaluate.comparing import compare, render_comparison, write_comparison
from earthloom.evaluate.page.choosing import MOST
from earthloom.evaluate.result import Figure, Result, SetInfo
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


def test_that_a_difference_is_told_whatever_stands_between() -> None:
    """Each result with all: the second and the last differ, though each is as the first in something."""
    results = [make_result(name) for name in "abcde"]
    results[1] = change_protocol(results[1], seed=5)
    results[3] = change_protocol(results[3], seed=7, rules={"floor": "quarters"})
    assert compare(results).warnings == (
        "Results differ in seed: 5 in b; 7 in d; 0 in all others.",
        "Results differ in the rule 'floor': quarters in d; halves in all others.",
    )
    assert compare(results[:2]).warnings == ("a and b differ in seed: 0 and 5.",)


def test_that_a_hundred_results_are_warned_of_once_each_matter() -> None:
    results = [change_protocol(make_result(f"r{i}"), seed=i % 2, rules={"floor": f"{i}"}) for i in range(100)]
    seeds, floors = compare(results).warnings
    assert re.findall(r"\br\d+\b", seeds) == [f"r{i}" for i in range(0, 100, 2)]
    assert re.findall(r"\br\d+\b", floors) == [f"r{i}" for i in range(100)]


def test_that_what_only_some_have_is_compared_among_these() -> None:
    train = SetInfo(name="train", place="eurosat", n=50)
    results = [make_result(name) for name in "abcd"]
    for i, n in ((1, 50), (2, 60), (3, 50)):
        results[i] = replace(results[i], sets=(*results[i].sets, replace(train, n=n)))
    assert compare(results).warnings == (
        "Results differ in the size of the set 'train': 60 in c; 50 in the other 2 that have it.",
    )
    assert compare(results[:3]).warnings == ("b and c differ in the size of the set 'train': 50 and 60.",)


def test_that_contents_are_told_apart_and_not_places() -> None:
    """One set that lies in two places is one; two that have lain in one place are two."""

    def hold(name: str, place: str, identity: str) -> Result:
        result = make_result(name)
        return replace(result, sets=(replace(result.sets[0], place=place, identity=identity), result.sets[1]))

    a, b, c = hold("a", "here", "1" * 64), hold("b", "there", "1" * 64), hold("c", "here", "2" * 64)
    assert compare([a, b]).warnings == ()
    (told,) = compare([a, b, c]).warnings
    assert told == (
        "Results differ in the pictures of the set 'real': here (contents 222222222222) in c; "
        "here (contents 111111111111) in all others."
    )


def test_that_equal_protocols_are_not_warned_of() -> None:
    assert compare([make_result(), make_result("b"), make_result("c")]).warnings == ()


def test_that_one_result_and_other_kinds_are_refused() -> None:
    with pytest.raises(UsageError, match="Two results or more"):
        compare([make_result()])
    with pytest.raises(UsageError, match="generation and retrieval"):
        compare([make_result(), replace(make_result(), kind="retrieval")])


def test_that_equal_names_are_told_apart() -> None:
    assert compare([make_result(), make_result()]).names == ("first (A)", "first (B)")
    many = compare([change_protocol(make_result(), seed=i) for i in range(30)])
    assert (many.names[25], many.names[26], many.names[29]) == ("first (Z)", "first (AA)", "first (AD)")
    assert "29 in" in many.warnings[0]
    assert "first (AD)" in many.warnings[0]


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


def test_that_of_ten_thousand_groups_those_that_differ_most_are_shown() -> None:
    def hold(name: str, step: float) -> Result:
        groups = [
            Figure(name="recall", group=f"g{i:05}", value=i * step, better="higher") for i in range(10_000)
        ]
        return replace(
            make_result(name), figures=(KD, *groups, Figure(name="recall", group="none", value=None))
        )

    found = compare([hold("a", 1.0), hold("b", -1.0)])
    page = render_comparison(found)
    assert len(found.rows) == 10_002
    assert re.findall(r"<small>(g\d+)</small>", page) == [f"g{i:05}" for i in range(10_000 - MOST, 10_000)]
    assert f"{10_001 - MOST:,} groups that differ least are left out" in page
    assert "Kernel distance" in page
    assert len(page) < 100_000


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
    assert found.warnings == ("second holds several figures kd [ours@1]: the first of each is taken.",)


def test_that_many_figures_of_one_name_are_one_warning() -> None:
    first = make_result("first")
    doubles = [Figure(name="recall", value=1.0, group=f"g{i}") for i in range(9)] * 2
    (told,) = compare([first, replace(first, name="b", figures=tuple(doubles))]).warnings
    assert (
        told
        == "b holds several figures recall g0, recall g1, recall g2 and 6 more: the first of each is taken."
    )
