"""Prompt files: those that ship, those of one's own, and what is wrong with them."""

from __future__ import annotations

import pickle
import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from earthloom.caption.chat import name_author, read_prompts
from earthloom.caption.chat.prompts import fill
from earthloom.caption.config import BUILT_IN_PROMPT, ChatSettings
from earthloom.caption.rules.frames import Role
from earthloom.core.errors import UsageError


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a copy of the files that ship."""
    with as_file(files("earthloom.caption") / "prompts" / BUILT_IN_PROMPT) as folder:
        shutil.copytree(folder, tmp_path / "my prompts")
    return tmp_path / "my prompts"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_that_the_prompts_that_ship_can_be_read_and_pickled() -> None:
    prompts = read_prompts(BUILT_IN_PROMPT)
    assert prompts.version == "gaia-1"
    assert pickle.loads(pickle.dumps(prompts)) == prompts
    assert prompts.repair.system == prompts.captions.system
    assert all(prompt.user for prompt in (prompts.summary, prompts.captions, prompts.repair))


def test_that_the_words_of_a_version_never_change(own: Path) -> None:
    """Captions are signed with the version alone: other words want another folder, and this test its hash."""
    assert read_prompts(str(own)).version == "my-prompts-746e9734"


def test_that_the_prompts_name_each_role_and_mend_the_faults_of_gaia() -> None:
    system = read_prompts(BUILT_IN_PROMPT).captions.system
    for role in Role:
        assert f"- {role.value}: " in system
    assert "showcases" not in system
    assert "Leaving something out is always right" in system
    assert "{{max_words}}" in system
    with as_file(files("earthloom.caption") / "prompts" / BUILT_IN_PROMPT / "captions.md") as file:
        assert len(file.read_text(encoding="utf-8").split()) <= 700


def test_that_a_folder_of_ones_own_is_named_by_its_content(own: Path) -> None:
    first = read_prompts(str(own))
    assert re.fullmatch(r"my-prompts-[0-9a-f]{8}", first.version)
    assert first.captions == read_prompts(BUILT_IN_PROMPT).captions
    edit(own / "summary.md", "120 words", "90 words")
    second = read_prompts(str(own))
    assert second.version != first.version
    assert read_prompts(str(own)) == second


def test_that_windows_line_ends_change_nothing(own: Path) -> None:
    first = read_prompts(str(own))
    for file in own.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert read_prompts(str(own)) == first


def test_that_an_unknown_name_is_refused_with_what_there_is() -> None:
    with pytest.raises(
        UsageError, match=r"wanted gaia-1, or a folder with summary\.md, captions\.md, repair\.md"
    ):
        read_prompts("gaia-99")


@pytest.mark.parametrize("name", ["summary", "captions", "repair"])
def test_that_a_missing_file_is_named(own: Path, name: str) -> None:
    (own / f"{name}.md").unlink()
    with pytest.raises(UsageError, match=rf"{name}\.md is missing"):
        read_prompts(str(own))


@pytest.mark.parametrize(
    ("name", "placeholder"),
    [
        ("summary", "texts"),
        ("captions", "facts"),
        ("captions", "texts"),
        ("captions", "form"),
        ("repair", "facts"),
        ("repair", "faults"),
        ("repair", "roles"),
        ("repair", "attempt"),
        ("repair", "form"),
    ],
)
def test_that_a_missing_placeholder_is_named(own: Path, name: str, placeholder: str) -> None:
    edit(own / f"{name}.md", f"{{{{{placeholder}}}}}", "")
    with pytest.raises(UsageError, match=rf"{name}\.md, # User: \{{\{{{placeholder}\}}\}} is missing"):
        read_prompts(str(own))


@pytest.mark.parametrize("name", ["summary", "captions", "repair"])
def test_that_an_unknown_placeholder_is_named(own: Path, name: str) -> None:
    edit(own / f"{name}.md", "# User", "# User\n{{ picture }}")
    with pytest.raises(UsageError, match=r"\{\{picture\}\} means nothing here; it can hold"):
        read_prompts(str(own))


def test_that_what_belongs_to_a_picture_stays_out_of_the_part_that_is_cached(own: Path) -> None:
    edit(own / "captions.md", "# User", "{{facts}}\n\n# User")
    with pytest.raises(UsageError, match=r"captions\.md, # System: \{\{facts\}\} means nothing here"):
        read_prompts(str(own))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# System", "# Sistem"),
        ("# User", "## User"),
        ("# System", "Hello\n# System"),
        ("# User", "# User\n# User"),
    ],
)
def test_that_headings_are_wanted_in_their_order(own: Path, old: str, new: str) -> None:
    edit(own / "captions.md", old, new)
    with pytest.raises(UsageError, match=r"captions\.md wants its text under `# System` and `# User`"):
        read_prompts(str(own))


def test_that_bytes_that_are_no_text_are_refused(own: Path) -> None:
    (own / "repair.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read as UTF-8"):
        read_prompts(str(own))
    (own / "repair.md").write_bytes(b"# User\n" + b"a" * 200_000)
    with pytest.raises(UsageError, match="Shorten it"):
        read_prompts(str(own))


def test_that_filling_in_is_one_pass() -> None:
    assert fill("{{a}} {{ b }}", {"a": "{{b}}", "b": r"\1 {{a}}"}) == r"{{b}} \1 {{a}}"


@pytest.mark.parametrize(
    ("revision", "author"), [("", "gpt-4o/gaia-1"), ("awq.4bit", "gpt-4o@awq.4bit/gaia-1")]
)
def test_that_the_author_names_model_revision_and_prompt(revision: str, author: str) -> None:
    settings = ChatSettings(model="gpt-4o", revision=revision)
    assert name_author(settings, read_prompts(BUILT_IN_PROMPT)) == author
