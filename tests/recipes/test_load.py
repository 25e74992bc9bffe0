from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import RecipeError
from earthloom.recipes import list_named, load_named, load_recipe, parse_recipe
from earthloom.recipes.document import format_place, parse_place
from earthloom.run.recipe import Recipe, dump_recipe

GOOD = """\
name: north-dakota
sources:
  - {kind: geotiff, path: naip, bands: {rgb: [1, 2, 3], nir: [4]}, date: '_(\\d{8})\\.tif$', platform: NAIP,
     licence: public-domain}
tile: {size: 512, gsd_m: [native], edges: shift, min_valid: 0.8}
caption: {with: rules, styles: [mmm_rs, enriched], per_image: 5}
curate: {split: {train: 0.7, val: 0.1, test: 0.2}, seed: 7}
export: {formats: [webdataset, parquet]}
"""


def _faults(text: str, base: Path) -> list[tuple[int | None, str, str]]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, base=base)
    assert all(
        fault.problem and fault.remedy for fault in caught.value.faults if "stands" not in fault.problem
    )
    return [(fault.line, fault.place, f"{fault.problem} {fault.remedy}") for fault in caught.value.faults]


def test_the_recipe_of_the_contract_is_read(tmp_path: Path) -> None:
    (tmp_path / "naip").mkdir()
    (tmp_path / "recipe.yaml").write_text(GOOD)
    recipe = load_recipe(tmp_path / "recipe.yaml")
    (source,) = recipe.named_sources()
    assert (source.name, source.kind, source.platform) == ("naip", "geotiff", "NAIP")
    assert recipe.tile_settings(source).min_valid == 0.8
    assert recipe.caption.with_ == ("rules",)
    assert recipe.curate.split == {"train": 0.7, "val": 0.1, "test": 0.2}


def test_five_faults_are_reported_as_five_with_their_lines(tmp_path: Path) -> None:
    text = """\
name: x
sources:
  - kind: geotiff
    path: missing
    bands: {rgb: [1, 2]}
  - {kind: atlas, sizes: 512}
tile: {edges: shft}
curate:
  split: {train: 0.5}
"""
    faults = _faults(text, tmp_path)
    assert [(line, place) for line, place, _ in faults] == [
        (4, "sources[0].path"),
        (5, "sources[0].bands"),
        (6, "sources[1].sizes"),
        (7, "tile.edges"),
        (9, "curate.split"),
    ]
    words = " | ".join(text for _, _, text in faults)
    assert "rgb takes 3 band(s), got 2" in words
    assert "Did you mean `size`?" in words
    assert "Did you mean `shift`?" in words
    assert "add up to 1" in words
    assert "missing" in words


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "is empty, not a mapping"),
        ("- a\n", 1, "not a mapping"),
        ("name: x\nsources: [\n", 3, "is no YAML"),
        ("name: x\n", 1, "sources is missing. Add"),
        ("name: x\nsources: []\n", 2, "at least 1"),
        ("name: x\nsources: [{kind: atlas}]\nname: y\n", 3, "stands twice, first on line 1"),
        ("name: x\nsources: [{kind: geotif, path: .}]\n", 2, "Did you mean `geotiff`?"),
        ("name: x\nsources: [{path: .}]\n", 2, "has no `kind`"),
        ("name: x\nsources: [7]\n", 2, "dictionary"),
        ("name: x\nsources: [{kind: atlas}]\ntile: {size: 5}\n", 3, "greater than or equal to 16, got 5"),
        (
            "name: x\nsources: [{kind: atlas}]\ntile: {gsd_m: [fine]}\n",
            3,
            "must be 'native', got 'fine'. Or: ",
        ),
        ("name: x\nsources: [{kind: atlas}]\ncaption: {styles: [gaia2]}\n", 3, "mmm_rs"),
        ("name: 'a/b'\nsources: [{kind: atlas}]\n", 1, "pattern"),
        ("name: x\nsources: [{kind: geotiff, path: ., date: '('}]\n", 2, "date"),
        ("name: x\nsources: [{kind: geotiff, path: ., group: 'abc'}]\n", 2, "group in parentheses"),
        (
            "name: x\nsources: [{kind: geotiff, path: ., pattern: '(B1)', bands: {rgb: [a, b, c]}}]\n",
            2,
            "named group",
        ),
        ("name: x\nsources: [{kind: images, path: ., facts: no.csv}]\n", 2, "no.csv"),
        ("name: x\nsources: [{kind: atlas, name: a}, {kind: atlas, name: a}]\n", 2, "used 2 times"),
        ("name: !!python/object:os.system x\n", 1, "could not determine a constructor"),
    ],
)
def test_every_fault_has_its_line_and_says_what_is_wrong(
    text: str, line: int, words: str, tmp_path: Path
) -> None:
    faults = _faults(text, tmp_path)
    assert len(faults) == 1, faults
    assert faults[0][0] == line
    assert words in f"{faults[0][1]} {faults[0][2]}"


def test_files_that_cannot_be_read_are_recipe_errors(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("name: Zürich".encode("latin-1"))
    for name, words in (("none.yaml", "cannot be read"), ("latin", "UTF-8"), (".", "cannot be read")):
        with pytest.raises(RecipeError, match=words):
            load_recipe(tmp_path / name)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda v: (
            st.lists(v)
            | st.dictionaries(
                st.sampled_from(
                    ["name", "sources", "kind", "path", "tile", "gsd_m", "bands", "rgb", "atlas", "geotiff"]
                ),
                v,
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_brings_anything_but_a_recipe_or_its_faults(value: object) -> None:
    text = yaml.safe_dump(value)
    try:
        recipe = parse_recipe(text, base=Path("/nowhere"))
    except RecipeError as error:
        assert error.faults
    else:
        assert isinstance(recipe, Recipe)


@given(
    st.lists(st.integers(0, 99) | st.text("abcxyz_", min_size=1), min_size=1).map(lambda steps: ("a", *steps))
)
def test_places_are_written_and_read_back(loc: tuple[str | int, ...]) -> None:
    assert parse_place(format_place(loc)) == loc


def test_names_are_filled_in_and_made_unique(tmp_path: Path) -> None:
    for folder in ("a/images", "b/images"):
        (tmp_path / folder).mkdir(parents=True)
    text = (
        "name: x\nsources:\n  - {kind: images, path: a/images}\n  - {kind: images, path: b/images}\n"
        "  - {kind: images, path: 'b/images/**/*.png'}\n  - {kind: atlas}\n  - {kind: atlas, name: images-3}\n"
    )
    recipe = parse_recipe(text, base=tmp_path)
    names = [source.name for source in recipe.named_sources()]
    assert names == ["images", "images-2", "images-4", "atlas", "images-3"]


def test_a_source_overrides_only_what_it_names() -> None:
    source = "{kind: atlas, tile: {fit: whole, radiometry: {sar: none}}}"
    text = f"name: x\nsources: [{source}]\ntile: {{size: 256, min_valid: 0.5}}\n"
    recipe = parse_recipe(text, base=Path())
    settings = recipe.tile_settings(recipe.sources[0])
    assert (settings.size, settings.fit, settings.min_valid, settings.radiometry.sar) == (
        256,
        "whole",
        0.5,
        "none",
    )


def test_shipped_recipes_are_right_and_come_back_from_their_dump() -> None:
    assert "demo" in list_named()
    for name in list_named():
        recipe = load_named(name)
        assert parse_recipe(dump_recipe(recipe), base=Path.cwd()) == recipe
