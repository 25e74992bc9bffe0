"""`earthloom sources`: what it prints of each kind, and of every miniature, whole and damaged in three ways.

The pages lie in `golden/`. Where a page changes on purpose, run these tests with EARTHLOOM_WRITE_GOLDEN=1 and read
what has changed before it is committed.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.stac import make_asset, make_item, write_json

from earthloom.core.errors import UsageError
from earthloom.ingest import KINDS
from earthloom.run.check import check_source
from earthloom.run.compat import RULES
from earthloom.run.sources import describe_kind, describe_kinds, parse_settings

GOLDEN = Path(__file__).parent / "golden"
DATASETS = [name for name, kind in KINDS.items() if kind.adapter is not None]


def damages_of(kind: str) -> list[str]:
    return ["whole", *importlib.import_module(f"fakes.{kind}").DAMAGES]


CASES = [(kind, case) for kind in DATASETS for case in damages_of(kind)]


@pytest.fixture(scope="module")
def miniatures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each dataset as its generator writes it, made when first asked for."""

    class Made(dict[str, Path]):
        def __missing__(self, kind: str) -> Path:
            folder = tmp_path_factory.mktemp(kind) / kind
            folder.mkdir()
            importlib.import_module(f"fakes.{kind}").write(folder)
            self[kind] = folder
            return folder

    return Made()


def slug(case: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in case)


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_check_prints_what_a_user_needs(
    kind: str, case: str, miniatures: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / kind
    shutil.copytree(miniatures[kind], folder)
    if case != "whole":
        importlib.import_module(f"fakes.{kind}").DAMAGES[case](folder)
    found = check_source(kind, folder)
    page = found.to_text().replace(str(tmp_path), "DOWNLOADS") + "\n"
    golden = GOLDEN / kind / f"{slug(case)}.txt"
    if os.environ.get("EARTHLOOM_WRITE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(page)
    assert page == golden.read_text()
    json.dumps(found.to_json(), allow_nan=False)
    if case != "whole":
        assert found.problems.counts or found.strays.n, "damage goes unseen"


def test_every_dataset_of_mmm_rs_is_damaged_in_three_ways() -> None:
    assert set(RULES) <= set(DATASETS)
    assert {kind: len(damages_of(kind)) for kind in RULES} == dict.fromkeys(RULES, 4)


def test_a_golden_page_belongs_to_a_case() -> None:
    known = {GOLDEN / kind / f"{slug(case)}.txt" for kind, case in CASES}
    assert set(GOLDEN.rglob("*.txt")) == known


def test_the_real_annotations_of_hrrsd_lack_their_images(real_data: Path) -> None:
    found = check_source("hrrsd", real_data / "hrrsd")
    assert (found.items, found.usable) == (0, 0)
    assert found.problems.counts.total() == 1000
    assert "JPEGImages/00001.jpg" in found.to_text()


def test_the_real_pairs_of_sen1_2_are_found(real_data: Path) -> None:
    found = check_source("sen1_2", real_data / "sen1_2")
    assert found.items == 10
    assert dict(found.modalities) == {"rgb": 10, "sar": 10}
    assert {mode: counts.total() for mode, counts in found.tiles.items()} == {"faithful": 20, "compat": 20}
    assert not found.problems.counts


def test_of_many_items_a_sample_is_read(real_data: Path) -> None:
    found = check_source("sen1_2", real_data / "sen1_2", sample=4)
    assert (found.items, found.read, found.scenes) == (10, 4, 8)
    page = found.to_text()
    assert "a sample of 4" in page
    assert "about 20 tiles" in page


def test_plain_folders_can_be_looked_at(real_data: Path) -> None:
    found = check_source("geotiff", real_data / "naip", {"bands": {"rgb": [1, 2, 3], "nir": [4]}})
    assert dict(found.modalities) == {"rgb": 6, "nir": 6}


def test_stac_items_and_catalogs_can_be_looked_at(real_data: Path, tmp_path: Path) -> None:
    naip = sorted((real_data / "naip").glob("*.tif"))[0]
    item = make_item("naip", {"image": make_asset(str(naip), "red", "green", "blue", "nir")})
    write_json(tmp_path / "naip.json", item)
    links = [{"rel": "item", "href": "./naip.json"}, {"rel": "root", "href": "./catalog.json"}]
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "c", "links": links}
    write_json(tmp_path / "catalog.json", catalog)
    for where in (tmp_path, tmp_path / "catalog.json", tmp_path / "naip.json"):
        found = check_source("stac", where)
        assert (found.items, dict(found.modalities)) == (1, {"rgb": 1, "nir": 1})


def test_wrong_calls_say_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing")
    with pytest.raises(UsageError, match="'gidd' is not known; kinds are geotiff"):
        check_source("gidd", tmp_path)
    with pytest.raises(UsageError, match="looked for"):
        check_source("inria", tmp_path)
    with pytest.raises(UsageError, match="--set NAME=VALUE"):
        check_source("inria", tmp_path, {"colour": "blue"})
    with pytest.raises(UsageError, match="no folder to look at"):
        check_source("atlas", tmp_path)


def test_settings_are_yaml() -> None:
    assert parse_settings(["gsd_m=0.5", "bands={rgb: [3, 2, 1]}", "name=a=b"]) == {
        "gsd_m": 0.5,
        "bands": {"rgb": [3, 2, 1]},
        "name": "a=b",
    }
    with pytest.raises(UsageError, match="NAME=VALUE"):
        parse_settings(["mode"])
    with pytest.raises(UsageError, match="no YAML"):
        parse_settings(["mode=[1"])


def test_kinds_are_listed_and_described() -> None:
    listed = describe_kinds()
    assert [kind["kind"] for kind in listed.to_json()] == list(KINDS)
    assert listed.to_text().count("\n") == len(KINDS) + 1
    page = describe_kind("sen1_2").to_text()
    assert "ROIs1158_spring/s1_0/" in page
    assert "282,384 pairs" in page
    assert "kind: sen1_2" in page
    with pytest.raises(UsageError, match="not known"):
        describe_kind("sen2")


def run_sources(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "earthloom", "sources", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_verb_lists_shows_and_checks(real_data: Path) -> None:
    assert "sen1_2" in run_sources().stdout
    assert "kind: gid" in run_sources("show", "gid").stdout
    checked = run_sources("check", "sen1_2", str(real_data / "sen1_2"), "--set", "polarisation=VH", "--json")
    assert json.loads(checked.stdout)["scenes"] == {"rgb": 10, "sar": 10}
    assert checked.returncode == 0
    nothing = run_sources("check", "hrrsd", str(real_data / "hrrsd"))
    assert nothing.returncode == 1
    wrong = run_sources("check", "sen1_2", str(real_data / "naip"))
    assert wrong.returncode == 2
    assert "nothing of SEN1-2" in wrong.stderr
