"""Rule captions over every folder of real imagery and over miniatures of the nine datasets: all hold, none is lost."""

from __future__ import annotations

import importlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from earthloom.caption.checks import compile_known, judge
from earthloom.caption.facts import gather
from earthloom.caption.language.tokens import count_clip_tokens
from earthloom.core.records import Caption, Captioned, Modality, Scene, Tile
from earthloom.run.build import build
from earthloom.run.compat import RULES
from earthloom.run.reading import iter_tiles
from earthloom.run.recipe import Recipe
from earthloom.run.summary import Summary
from earthloom.store.layout import WorkFolder
from earthloom.store.tables import read_records

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Described = tuple[Scene, Tile, Captioned]
Built = tuple[Summary, list[Described]]
ROLES = ["overview", "composition", "arrangement", "conditions", "interpretation"]
CAPTIONS: dict[str, Any] = {"with": "rules", "styles": ["mmm_rs", "enriched", "gaia"], "per_image": 5}
CLIP_TOKENS = 77
"""What CLIP's text encoder takes, both ends counted (Radford et al. 2021)."""
WEATHER = [{"effect": name, "count": 18, "balance": ["source"]} for name in ("fog", "low_light", "snow")]


def list_shards(work: Path, stage: str) -> Iterator[Path]:
    """The shards of a stage, refusals left out."""
    paths = sorted(WorkFolder(work).stage(stage).glob("*.parquet"))
    return (path for path in paths if not path.name.endswith(".refused.parquet"))


def describe(recipe: dict[str, Any], work: Path, base: Path) -> Built:
    """Build; each tile with its scene and its captions."""
    wanted = Recipe.model_validate(recipe | {"caption": CAPTIONS})
    summary = build(wanted, work, base=base, workers=2)
    scenes = {one.id: one for path in list_shards(work, "ingest") for one in read_records(path, Scene)}
    captioned = {
        one.id: one for path in list_shards(work, "caption") for one in read_records(path, Captioned)
    }
    stages = ("tile", "synthesize")
    tiles = [tile for stage in stages for path in list_shards(work, stage) for tile in iter_tiles(path)]
    assert len(captioned) == len(tiles)
    return summary, [(scenes[tile.scene_id], tile, captioned[tile.id]) for tile in tiles]


@pytest.fixture(scope="module")
def real(real_data: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Every folder of real imagery."""
    recipe = (repository / "examples" / "real.yaml").read_text()
    work = tmp_path_factory.mktemp("real-captions")
    return describe(yaml.safe_load(recipe.replace("../../shared/data", str(real_data))), work, work)


@pytest.fixture(scope="module")
def miniatures(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The nine datasets of MMM-RS with all of their facts, under three kinds of weather."""
    base = tmp_path_factory.mktemp("miniature-captions")
    for kind in RULES:
        (base / "downloads" / kind).mkdir(parents=True)
        importlib.import_module(f"fakes.{kind}").write(base / "downloads" / kind)
    recipe = yaml.safe_load((repository / "examples" / "mmm_rs.yaml").read_text())
    for source in recipe["sources"]:
        if source["kind"] in {"gid", "inria", "whu_opt_sar"}:
            source["limit"] = 2  # of scenes that are large and have dozens of tiles each
    recipe |= {
        "mode": "faithful",
        "export": {"formats": ["parquet"]},
        "tile": {"size": 1024, "min_side": 1},
        "synthesize": WEATHER,
    }
    return describe(recipe, base / "work", base)


@pytest.fixture(scope="module", params=["real", "miniatures"])
def built(request: pytest.FixtureRequest) -> Built:
    found: Built = request.getfixturevalue(request.param)
    return found


def ours(captioned: Captioned, style: str) -> list[Caption]:
    return [caption for caption in captioned.captions if caption.style == style]


def with_facts(built: Built) -> list[Described]:
    """Of RSICD nothing is known but that its pictures have red, green and blue."""
    return [one for one in built[1] if not one[0].source.startswith("rsicd")]


def test_that_no_tile_is_refused_and_no_caption_dropped(built: Built) -> None:
    summary, described = built
    counts = summary.stages["caption"].counts
    assert (summary.n_failed, dict(counts.refused)) == (0, {})
    assert counts.written == counts.planned == len(described)
    assert [one.dropped for _, _, one in described if one.dropped] == []


@pytest.mark.parametrize("style", ["plain", "gaia"])
def test_that_every_tile_has_five_captions_of_five_roles(built: Built, style: str) -> None:
    for _, tile, captioned in built[1]:
        captions = ours(captioned, style)
        assert [caption.role for caption in captions] == ROLES, tile.id
        assert len({caption.text for caption in captions}) == 5
    for prompt in ("mmm_rs", "enriched"):
        assert all(len(ours(captioned, prompt)) == 1 for _, _, captioned in built[1])


def test_that_every_caption_passes_all_checks_and_fits_clip(built: Built) -> None:
    for scene, tile, captioned in built[1]:
        known = compile_known(gather(scene, tile))
        for caption in captioned.captions:
            if caption.style in {"plain", "gaia", "enriched"}:
                faults = judge(caption.text, known, max_tokens=CLIP_TOKENS).faults
                assert not faults, (caption.text, faults)
                assert count_clip_tokens(caption.text) <= CLIP_TOKENS, caption.text


def test_that_captions_are_checked_in_earnest(built: Built) -> None:
    """Nearly every caption says something that can be false: a check that it passed is named."""
    captions = [caption for _, _, one in with_facts(built) for caption in ours(one, "plain")]
    assert sum(bool(caption.checks) for caption in captions) > 0.85 * len(captions)


FLAWS = {
    "marks": r"\.\.|,\.|\.,|;[.,;]| [.,;:]|  ",
    "a word twice": r"\b(\w+) \1\b",
    "a sentence without a capital": r"^[a-z]|[.] [a-z]",
    "no full stop": r"[^.]$",
    "brackets": r"[{}<>\[\]|]|None",
}


def test_that_captions_are_well_formed(built: Built) -> None:
    """By their letters alone, whatever they say."""
    for _, _, captioned in built[1]:
        for caption in captioned.captions:
            if caption.style in {"plain", "gaia", "enriched"}:
                flaws = [name for name, flaw in FLAWS.items() if re.search(flaw, caption.text)]
                assert not flaws, caption.text


def test_that_captions_do_not_swap_modalities(built: Built) -> None:
    """By words alone, without the checks: radar is called radar, and nothing else is (WHU-OPT-SAR is a title)."""
    for scene, _, captioned in built[1]:
        texts = (caption.text for caption in captioned.captions if caption.author != "source")
        text = " ".join(texts).replace(scene.dataset, "").lower()
        is_radar = scene.modality is Modality.SAR
        assert bool(re.search(r"\b(radar|sar|backscatter)\b", text)) is is_radar, text
        assert bool(re.search(r"\bnear[- ]infrared\b", text)) is (scene.modality is Modality.NIR), text


def test_that_years_are_those_of_the_file_names(real: Built) -> None:
    """NAIP's six dates stand in its names; nothing else of these scenes is a number from 1900 to 2100."""
    n_named = 0
    for scene, _, captioned in real[1]:
        if scene.source == "naip":
            years = {
                year
                for caption in captioned.captions
                for year in re.findall(r"\b(?:19|20)\d\d\b", caption.text)
            }
            assert years <= {re.findall(r"_(\d{4})\d{4}\.tif", scene.source_key)[0]}
            n_named += bool(years)
    assert n_named > 20


def test_that_the_class_of_a_folder_is_what_captions_speak_of(real: Built) -> None:
    """EuroSAT's `SeaLake` or `AnnualCrop`: a word of the class stands in most captions of an image, no other class."""
    words = {
        "AnnualCrop": "crop", "Forest": "forest", "HerbaceousVegetation": "vegetation", "Highway": "highway|road",
        "Industrial": "industr", "Pasture": "pasture|graz", "PermanentCrop": "crop|orchard|vineyard",
        "Residential": "resid|hous", "River": "river", "SeaLake": "sea|lake|water",
    }  # fmt: skip
    texts: dict[str, list[str]] = defaultdict(list)
    for scene, _, captioned in real[1]:
        if scene.source == "eurosat":
            texts[scene.source_key.split("/")[0]] += [one.text.lower() for one in ours(captioned, "plain")]
    assert texts
    for name, captions in texts.items():
        assert sum(bool(re.search(words[name], text)) for text in captions) >= 0.6 * len(captions), name


def test_that_images_are_not_all_captioned_alike(built: Built) -> None:
    for style in ("plain", "gaia"):
        texts = Counter(one.text for _, _, captioned in with_facts(built) for one in ours(captioned, style))
        assert len(texts) > 0.9 * texts.total()
