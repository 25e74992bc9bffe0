"""The contact sheet, and the verbs that list and show effects."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from earthloom.cli import app
from earthloom.core.errors import UsageError
from earthloom.recipes import parse_recipe
from earthloom.run.build import build
from earthloom.run.sheet import write_sheet
from earthloom.synthesize import EFFECTS

RECIPE = """\
name: sheet
sources:
  - {kind: atlas, name: one, scenes: 2, size: 192, gsd_m: 5, seed: 3}
  - {kind: atlas, name: two, scenes: 1, size: 192, gsd_m: 5, seed: 9}
tile: {size: 192}
synthesize: [{effect: snow, min_latitude_deg: 0}]
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheet")
    build(parse_recipe(RECIPE, base=folder), folder, workers=0)
    return folder


def test_that_places_come_from_every_source_and_every_picture_is_drawn(work: Path, tmp_path: Path) -> None:
    recipe = parse_recipe(RECIPE, base=tmp_path)
    sheet = write_sheet(work, tmp_path / "out", recipe=recipe, effects=["fog", "snow"], places=2)
    names = [path.name for path in sheet.pictures]
    assert [name.partition("-")[2].partition("-")[0] for name in names] == ["one", "one", "two", "two"]
    assert [name.rpartition("-")[2] for name in names] == ["rgb.jpg", "nir.jpg"] * 2
    page = sheet.page.read_text()
    assert all(name in page for name in names)
    with Image.open(sheet.pictures[0]) as opened:
        picture = np.asarray(opened)
    # Two rows: clear, then three strengths of fog, each brighter than the one before.
    means = [picture[40:300, x + 20 : x + 300].mean() for x in range(6, 4 * 326, 326)]
    assert means == sorted(means)
    assert means[3] > means[0] + 40


def test_that_a_refused_effect_leaves_its_reason(work: Path, tmp_path: Path) -> None:
    recipe = parse_recipe(RECIPE.replace("_deg: 0", "_deg: 90"), base=tmp_path)
    sheet = write_sheet(work, tmp_path / "out", recipe=recipe, effects=["snow"], places=1)
    assert sheet.n_refused == sheet.to_json()["refused"] == 2 * 3  # two modalities, three strengths


def test_that_what_cannot_be_shown_is_said(work: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no effect 'frog'"):
        write_sheet(work, tmp_path / "out", effects=["frog"])
    with pytest.raises(UsageError, match="needs weights"):
        write_sheet(work, tmp_path / "out", effects=["translation"])
    with pytest.raises(UsageError, match="no RGB or NIR"):
        write_sheet(tmp_path, tmp_path / "out")


def test_the_verbs(work: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    listed = json.loads(runner.invoke(app, ["effects", "--json"]).stdout)
    assert list(listed) == list(EFFECTS)
    assert all(len(summary) > 10 for summary in listed.values())
    assert "fog" in runner.invoke(app, ["effects"]).stdout
    call = ["effects", "sheet", str(work), "-o", str(tmp_path / "s"), "-e", "haze", "--places", "1", "--json"]
    shown = json.loads(runner.invoke(app, call).stdout)
    assert all(Path(path).is_file() for path in [*shown["pictures"], shown["page"]])
