"""`inspect`: what is in a folder, and what to do when it is the wrong one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import Small
from release_inputs import expected_pairs

from earthloom.core.errors import UsageError
from earthloom.export import describe, find_release, write_card

RUN = {
    "name": "small",
    "counts": {"in": 40, "out": 144, "refused": {"flat": 3, "empty": 1}, "failed": 0, "stages": {}},
    "versions": {"earthloom": "0.1.0"},
}


@pytest.fixture
def work(small: Small, tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    shutil.copytree(small.folder, folder / "release")
    write_card(folder / "release", "small")
    (folder / "run.json").write_text(json.dumps(RUN))
    return folder


def test_a_work_folder(work: Path, small: Small) -> None:
    description = describe(work)
    value = json.loads(json.dumps(description.to_json(), allow_nan=False))
    assert (value["kind"], value["name"], value["pairs"]) == (
        "work",
        "small",
        len(expected_pairs(*small.inputs)),
    )
    assert value["splits"]["train"] == {"rgb": 16, "nir": 16, "sar": 16}
    assert value["gsd_m"] == {"min": 10, "max": 30}
    assert value["platforms"] == {"Sentinel-2": 72, "unknown": 72}
    assert value["run"] == RUN
    assert value["files"]["parquet"]["files"] == 18
    assert value["captions"]["total"] == 288
    assert (value["groups"], value["leaking_groups"], value["repeated_images"]) == (12, 0, 0)


def test_a_release_has_no_run(work: Path) -> None:
    value = describe(work / "release").to_json()
    assert (value["kind"], value["run"]) == ("release", None)
    assert value["pairs"] == 144


def test_text_for_a_person(work: Path) -> None:
    lines = describe(work).to_text().splitlines()
    assert lines[0] == "small: 144 pairs from 36 source images, 288 captions"
    assert "  train      48 (16 rgb, 16 nir, 16 sar)" in lines
    assert "  gsd        10 to 30 m" in lines
    assert "           3  refused: flat" in lines
    assert any("Sentinel-2" in line and "50.0 %" in line for line in lines)
    assert "run" not in describe(work / "release").to_text().splitlines()


def test_find_release(work: Path) -> None:
    assert find_release(work) == work / "release"
    assert find_release(work / "release") == work / "release"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"does not exist\. Name a work folder or a release"):
        describe(tmp_path / "nothing")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: x\n")
    with pytest.raises(UsageError, match=r"is a file\. Name the folder"):
        describe(tmp_path / "recipe.yaml")


def test_an_unfinished_run(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: x\n")
    with pytest.raises(UsageError, match=r"is not finished\. Run the same `earthloom build` again"):
        describe(tmp_path)


def test_a_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match=r"is neither a work folder .* nor a release"):
        describe(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "\x00"])
def test_a_broken_run_file(work: Path, content: str) -> None:
    (work / "run.json").write_text(content)
    with pytest.raises(UsageError, match=r"run\.json .* Run `earthloom build` again"):
        describe(work)


def test_a_run_file_of_another_shape_is_shown_without_counts(work: Path) -> None:
    (work / "run.json").write_text('{"name": "x", "counts": null}')
    assert "refused" not in describe(work).to_text()
