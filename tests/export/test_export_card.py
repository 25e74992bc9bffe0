"""The card: valid front matter, every column explained, snippets that run, terms that are seen."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import io
import re
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import Small
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from release_inputs import make_inputs, write_release

from earthloom.core.records import Modality, Pair
from earthloom.export import collect_statistics, write_card
from earthloom.export.card import escape_markdown, read_title, say_share, size_category
from earthloom.export.columns import MEANINGS, describe_type
from earthloom.export.terms import hub_licence, is_restricted

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def read_front_matter(path: Path) -> dict[str, object]:
    _, head, _ = path.read_text().split("---\n", 2)
    return yaml.safe_load(head)


def test_every_column_is_explained() -> None:
    assert tuple(MEANINGS) == tuple(field.name for field in dataclasses.fields(Pair))
    assert describe_type("labels") == "list of struct"
    assert describe_type("gsd_m") == "float"


def test_configurations_name_files_that_exist(small: Small) -> None:
    head = read_front_matter(write_card(small.folder, "small"))
    configs = {config["config_name"]: config["data_files"] for config in head["configs"]}
    assert list(configs) == ["default", "rgb", "nir", "sar"]
    for entries in configs.values():
        assert [entry["split"] for entry in entries] == ["train", "validation", "test"]
        for entry in entries:
            assert list(small.folder.glob(entry["path"]))
    tars = read_front_matter(small.folder / "data" / "README.md")
    for config in tars["configs"]:
        for entry in config["data_files"]:
            assert list((small.folder / "data").glob(entry["path"]))


def test_only_splits_and_forms_that_exist(tmp_path: Path) -> None:
    release = write_release(tmp_path, make_inputs(2, 2, (Modality.SAR,), ("test",)), formats=("webdataset",))
    head = read_front_matter(write_card(release, "x"))
    assert [config["config_name"] for config in head["configs"]] == ["webdataset-sar"]
    assert head["configs"][0]["data_files"] == [{"split": "test", "path": "data/test-sar-*.tar"}]
    assert head["dataset_info"][0]["features"][0] == {"name": "png", "dtype": "image"}
    assert not (release / "data" / "README.md").exists()


def test_front_matter_says_what_the_release_is(small: Small) -> None:
    head = read_front_matter(write_card(small.folder, "small"))
    assert head["pretty_name"] == "small"
    assert head["license"] == "cc-by-4.0"
    assert head["size_categories"] == ["n<1K"]
    assert head["task_categories"] == ["text-to-image", "image-to-text"]
    assert {"remote-sensing", "sar", "near-infrared"} <= set(head["tags"])
    assert "synthetic" not in head["tags"]


def test_hub_reads_the_card(small: Small) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(write_card(small.folder, "small"))
    assert card.data.pretty_name == "small"
    assert card.data.license == "cc-by-4.0"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # webdataset leaves files open
@pytest.mark.parametrize("formats", [("webdataset", "parquet"), ("webdataset",), ("parquet",)])
def test_every_snippet_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, formats: tuple[str, ...]
) -> None:
    release = write_release(tmp_path, make_inputs(3, 2), formats=formats)
    text = write_card(release, "snippets").read_text()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    snippets = re.findall(r"```(\w+)\n(.*?)\n```", text, flags=re.DOTALL)
    assert len(snippets) == {2: 5, 1: 2 if "webdataset" in formats else 3}[len(formats)]
    for language, code in snippets:
        if language == "sql":
            assert duckdb.sql(code).fetchall()[0][2] > 0
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "README.md", "exec"), {})
        gc.collect()
        if "pandas" not in code:
            assert "(16, 16)" in printed.getvalue()
            assert "A field of wheat beside a river" in printed.getvalue()


def test_equal_releases_have_equal_cards_without_a_date(small: Small, tmp_path: Path) -> None:
    text = write_card(small.folder, "small").read_text()
    again = write_release(tmp_path, *small.inputs, shard_pairs=10)
    assert write_card(again, "small").read_text() == text
    assert not re.search(r"20[2-9]\d-\d\d-\d\d", re.sub(r"`[^`]*`", "", text)), "no day of making"


def test_the_title_is_kept_when_the_card_is_written_again(small: Small, tmp_path: Path) -> None:
    release = write_release(tmp_path / "folder-name", *small.inputs)
    assert read_title(release) == "release"
    first = write_card(release, "North Dakota: é, 'quoted' --- and #1").read_bytes()
    assert read_title(release) == "North Dakota: é, 'quoted' --- and #1"
    assert write_card(release).read_bytes() == first


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"---\n: [\n---\n", b"---\n- a\n---\n", b"no front matter"]
)
def test_a_strange_readme_gives_the_folders_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "README.md").write_bytes(content)
    assert read_title(tmp_path) == tmp_path.name


def test_restricted_terms_are_shown_at_the_top(tmp_path: Path) -> None:
    inputs = make_inputs(3, 2, (Modality.RGB,))
    licences = ["research use only, never redistribute", None, "CC-BY-4.0"]
    inputs.scenes = [dataclasses.replace(s, licence=x) for s, x in zip(inputs.scenes, licences, strict=True)]
    path = write_card(write_release(tmp_path, inputs), "mixed")
    text, head = path.read_text(), read_front_matter(path)
    assert head["license"] == "other"
    assert head["license_name"] == "CC-BY-4.0; research use only, never redistribute; unknown"
    warning = text.split("[!WARNING]")[1].split("##")[0]
    assert "4 of 6 pairs" in warning
    assert "research use only, never redistribute" in warning
    assert "no terms stated" in warning


def test_synthetic_pairs_are_said_to_be(tmp_path: Path) -> None:
    inputs = make_inputs(2, 2, (Modality.RGB,))
    inputs.scenes = [dataclasses.replace(scene, synthetic=True) for scene in inputs.scenes]
    path = write_card(write_release(tmp_path, inputs), "made up")
    assert "4 pairs show synthetic landscapes that exist nowhere" in path.read_text()
    assert "synthetic" in read_front_matter(path)["tags"]


HOSTILE = "x | y\n# heading\n<script>alert(1)</script> [a](javascript:alert(1)) `code` **bold** &amp; \\ ---"


def test_hostile_names_cannot_become_markup(tmp_path: Path) -> None:
    inputs = make_inputs(2, 1, (Modality.RGB,))
    hostile = {"licence": HOSTILE, "credit": HOSTILE, "dataset": HOSTILE, "source": HOSTILE}
    inputs.scenes = [dataclasses.replace(scene, **hostile) for scene in inputs.scenes]
    path = write_card(write_release(tmp_path, inputs), HOSTILE)
    _, head, body = re.split(r"^---\n", path.read_text(), maxsplit=2, flags=re.MULTILINE)
    assert yaml.safe_load(head)["pretty_name"] == HOSTILE
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(body)
    assert "<script" not in page
    assert 'javascript:alert(1)"' not in page
    assert page.count("<h1>") == 1
    (row,) = re.findall(r"<tr>\s*<td>x \| y.*?</tr>", page, flags=re.DOTALL)
    assert row.count("<td>") == 5


@given(st.text())
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    """A reader of Markdown sees the text on one line, and never markup."""
    flat = " ".join(re.split(r"\s+", text)).strip()
    page = MarkdownIt("commonmark", {"html": True}).renderInline("a" + escape_markdown(text) + "a")
    assert not re.search(r"<(?!/?$)", page.replace("&lt;", ""))
    import html

    assert html.unescape(page) == f"a{flat}a".replace("\x00", "\ufffd")


@pytest.mark.parametrize(
    ("pairs", "category"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (9999, "1K<n<10K"),
        (10**4, "10K<n<100K"),
        (10**6, "1M<n<10M"),
    ],
)
def test_size_categories(pairs: int, category: str) -> None:
    assert size_category(pairs) == category


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, "0 %"),
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 10**6, "0.1 %"),
        (10**6 - 1, 10**6, "99.9 %"),
        (1, 3, "33.3 %"),
    ],
)
def test_shares_are_never_rounded_to_all_or_nothing(part: int, whole: int, said: str) -> None:
    assert say_share(part, whole) == said


@pytest.mark.parametrize(
    ("licences", "name"),
    [
        (["CC-BY-4.0"], "cc-by-4.0"),
        (["CC BY 4.0"], "cc-by-4.0"),
        (["mit", "mit"], "mit"),
        ([None], "unknown"),
        (["MIT", None], "other"),
        (["MIT", "CC0-1.0"], "other"),
        (["public domain"], "other"),
    ],
)
def test_hub_licence(licences: list[str | None], name: str) -> None:
    assert hub_licence(licences) == name


@pytest.mark.parametrize(
    "licence",
    [None, "research use only", "CC-BY-NC-4.0", "Non-commercial", "do not redistribute", "academic"],
)
def test_restricted(licence: str | None) -> None:
    assert is_restricted(licence)


@pytest.mark.parametrize(
    "licence", ["MIT", "CC-BY-4.0", "public-domain", "CC0-1.0", "ODbL", "Copernicus open data"]
)
def test_unrestricted(licence: str) -> None:
    assert not is_restricted(licence)


def test_an_empty_release_has_a_card(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"n": [1]}), tmp_path / "refused.parquet")
    path = write_card(tmp_path, "empty", collect_statistics(tmp_path))
    assert read_front_matter(path)["size_categories"] == ["n<1K"]
    assert "0 pairs" in path.read_text()
