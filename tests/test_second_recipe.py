"""The second recipe of the README, as it stands there: from a folder of GeoTIFFs to a model and a grid of pictures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml
from PIL import Image

ATLAS = """\
name: ground
sources: [{kind: atlas, scenes: 2, size: 512, gsd_m: 5.0, seed: 3}]
tile: {size: 512}
export: {formats: [webdataset]}
"""


def read_recipes(readme: str) -> dict[str, str]:
    """The recipes and, as `commands`, what is typed, of the section of the second recipe."""
    section = readme.split("## The second recipe", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"`(\w+)\.yaml`:\n\n((?: {4}.*\n|\n)+)", section)
    commands = re.findall(r"^ {4}earthloom (.*)$", section, flags=re.MULTILINE)
    return {name: textwrap.dedent(text) for name, text in found} | {"commands": "\n".join(commands)}


def run(words: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "earthloom", *words.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def make_geotiffs(root: Path) -> None:
    """A folder `naip` of GeoTIFFs with four bands, as those of NAIP are; what they show is synthetic."""
    (root / "ground.yaml").write_text(ATLAS)
    run("build ground.yaml --quiet --workers 0", root)
    (root / "naip").mkdir()
    for number, folder in enumerate(sorted((root / "ground-work" / "01-ingest" / "assets").iterdir())):
        with rasterio.open(folder / "rgb.tif") as rgb, rasterio.open(folder / "nir.tif") as nir:
            stacked = np.concatenate([rgb.read(), nir.read()])
            profile = rgb.profile | {"count": 4}
        with rasterio.open(root / "naip" / f"m_000{number}_ne_20200615.tif", "w", **profile) as file:
            file.write(stacked)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_that_the_second_recipe_works_as_it_stands(repository: Path, tmp_path: Path) -> None:
    recipes = read_recipes((repository / "README.md").read_text())
    make_geotiffs(tmp_path)
    (tmp_path / "tiles.yaml").write_text(recipes["tiles"])
    short = yaml.safe_load(recipes["model"]) | {"steps": 30, "batch": 8, "sample_every": 15}
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(short))
    commands = recipes["commands"].splitlines()
    assert [command.split()[0] for command in commands] == ["build", "train", "generate"]
    for command in commands:
        run(f"{command} --quiet", tmp_path)
    training = tmp_path / "fields-training"
    assert {path.name for path in (training / "samples").iterdir()} == {
        "step-000000015.png",
        "step-000000030.png",
    }
    assert (training / "curve.png").is_file()
    listed = [json.loads(line) for line in (tmp_path / "drawn" / "metadata.jsonl").read_text().splitlines()]
    assert len(listed) == 32
    assert all(row["generated"] for row in listed)
    for row in listed:
        with Image.open(tmp_path / "drawn" / row["file_name"]) as picture:
            assert picture.size == (32, 32)
            assert picture.mode == "RGB"
    assert (tmp_path / "drawn" / "grid.png").is_file()
