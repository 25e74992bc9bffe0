"""Models of transformers on disk: where they come from, and in which precision they lie there.

What is missing, cut short or a pickle is tested with captioners, which are such models.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes.tiny_captioners import make_blip2_t5

from earthloom.core.errors import UsageError
from earthloom.models.weights.quiet import quiet
from earthloom.models.weights.transformers_files import find_transformers

transformers = pytest.importorskip("transformers")
diffusers = pytest.importorskip("diffusers")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "tiny-blip2"
    make_blip2_t5(folder)
    return folder


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "tiny-blip2"))


def test_where_a_model_comes_from(model: Path) -> None:
    (model / "README.md").write_text("---\nlicense: mit\n---\n")
    files = find_transformers(str(model))
    assert files.origin.to_json() == {
        "name": "tiny-blip2",
        "revision": None,
        "licence": "mit",
        "fingerprint": files.fingerprint(),
    }


def test_half_precision_is_taken_where_there_is_no_other(model: Path) -> None:
    assert find_transformers(str(model)).variant is None
    half = (model / "model.safetensors").rename(model / "model.fp16.safetensors")
    files = find_transformers(str(model))
    assert (files.weights, files.variant, files.is_safe) == ((half,), "fp16", True)


def test_the_message_speaks_of_the_model_that_is_meant(model: Path) -> None:
    (model / "config.json").unlink()
    with pytest.raises(UsageError, match="hf download openai/clip-vit-large-patch14 --revision COMMIT"):
        find_transformers(str(model), example="openai/clip-vit-large-patch14")


def test_libraries_are_quiet_and_speak_again() -> None:
    logs = [transformers.utils.logging, diffusers.utils.logging]
    before = [(log.get_verbosity(), log.is_progress_bar_enabled()) for log in logs]
    with quiet("diffusers"):
        assert [log.get_verbosity() for log in logs] == [log.ERROR for log in logs]
        assert not any(log.is_progress_bar_enabled() for log in logs)
    assert [(log.get_verbosity(), log.is_progress_bar_enabled()) for log in logs] == before
    with pytest.raises(KeyError), quiet("diffusers"):
        raise KeyError
    assert [(log.get_verbosity(), log.is_progress_bar_enabled()) for log in logs] == before
