"""The documentation says what the code does: made pages are up to date, tables are complete, links lead somewhere."""

from __future__ import annotations

import dataclasses
import re
import typing
from pathlib import Path

import pyarrow as pa
import pytest
from doc_generators import check_page, load_generator

from earthloom.core.records import Pair, Reason
from earthloom.store.tables import schema_of

PAGES = sorted(
    path.relative_to(Path(__file__).parent.parent).as_posix()
    for pattern in ("*.md", "docs/**/*.md")
    for path in Path(__file__).parent.parent.glob(pattern)
)


def read_table(page: str, heading: str) -> dict[str, list[str]]:
    """Rows of the first table below a heading: the name in the first cell to the other cells."""
    section = page.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|$", section, flags=re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def describe(kind: pa.DataType) -> str:
    """An Arrow type as docs/data-format.md writes it."""
    if pa.types.is_struct(kind):
        return "{" + ", ".join(f"{child.name}: {describe(child.type)}" for child in kind) + "}"
    if pa.types.is_list(kind):
        return f"list of {describe(kind.value_type)}"
    return str(kind)


@pytest.mark.parametrize(
    ("generator", "page"),
    [
        ("make_evaluation_reference", "evaluate.md"),
        ("make_recipe_reference", "recipe.md"),
        ("make_sources_reference", "sources.md"),
        ("make_training_reference", "training.md"),
        ("make_vocabulary_reference", "vocabulary.md"),
    ],
)
def test_made_pages_are_up_to_date(generator: str, page: str) -> None:
    check_page(generator, page)


def test_marks_that_are_missing_are_told() -> None:
    put_between = load_generator("reference").put_between
    assert put_between("a<b>old<e>z", "<b>", "new", "<e>") == "a<b>new<e>z"
    for page in ("a<e>z", "a<b>z", "a<e>old<b>z"):
        with pytest.raises(ValueError, match="lacks '<b>', or '<e>' behind it"):
            put_between(page, "<b>", "new", "<e>")


def test_recipe_reference_explains_every_field(repository: Path) -> None:
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| (.*) \|$", (repository / "docs/recipe.md").read_text(), flags=re.MULTILINE
    )
    assert len(rows) > 60
    assert [name for name, meaning in rows if len(meaning) < 10] == []


def test_data_format_lists_the_columns_of_a_release(repository: Path) -> None:
    table = read_table((repository / "docs/data-format.md").read_text(), "### Columns")
    schema = schema_of(Pair)
    assert list(table) == schema.names
    assert {name: cells[0].strip("`") for name, cells in table.items()} == {
        field.name: describe(field.type) for field in schema
    }


def test_data_format_says_what_null_means(repository: Path) -> None:
    table = read_table((repository / "docs/data-format.md").read_text(), "### Columns")
    hints = typing.get_type_hints(Pair)
    for field in dataclasses.fields(Pair):
        null = table[field.name][1]
        assert (null == "never") != (type(None) in typing.get_args(hints[field.name])), (field.name, null)


def test_data_format_lists_every_reason(repository: Path) -> None:
    table = read_table((repository / "docs/data-format.md").read_text(), "### Reasons")
    assert list(table) == [reason.value for reason in Reason]


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(repository: Path, name: str) -> None:
    page = repository / name
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    local = [target.split("#")[0] for target in targets if "://" not in target]
    assert [target for target in local if target and not (page.parent / target).exists()] == []


NOT_BUILT = {
    "evaluate/counts/config.py",
    "evaluate/counts/measuring.py",
    "ingest/tokyo.py",
    "synthesize/sandstorm.py",
    "export/lance.py",
    "metrics/mind.py",
    "train/sharpen/config.py",
    "train/sharpen/making.py",
    "train/sharpen/preparing.py",
    "train/sharpen/step.py",
}
"""Examples of new pieces in docs/architecture.md: one that has been built is an example no longer."""


def test_files_that_the_architecture_names_exist(repository: Path) -> None:
    text = (repository / "docs/architecture.md").read_text()
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|yaml))`", text))
    found = {
        name
        for name in named
        if any((root / name).exists() for root in (repository, repository / "src/earthloom"))
    }
    assert len(found) > 15
    assert named - found == NOT_BUILT
