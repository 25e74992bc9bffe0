"""Pipelines on disk: found in folders and the Hub's cache, whole or refused, with where they come from."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_models.stable import write_tiny_stable

from earthloom.core.errors import UsageError
from earthloom.models.weights.pipelines import PipelineFiles, find_pipeline

pytest.importorskip("diffusers")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_stable(tmp_path_factory.mktemp("made") / "tiny-xl", xl=True)


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "tiny-xl"))


def test_a_folder_is_found_with_its_parts(model: Path) -> None:
    files = find_pipeline(str(model))
    assert (files.class_name, files.place.name) == ("StableDiffusionXLPipeline", "tiny-xl")
    assert sorted(files.parts) == [
        "scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae",
    ]  # fmt: skip
    assert files.parts["unet"].config["addition_embed_type"] == "text_time"
    weights = files.parts["text_encoder_2"].weights
    assert weights is not None
    assert weights.paths == (model / "text_encoder_2" / "model.safetensors",)
    assert files.parts["scheduler"].weights is None


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("model_index.json", "has none"),
        ("unet/config.json", "lists unet, .* is missing"),
        ("scheduler/scheduler_config.json", "lists scheduler, .* is missing"),
        ("vae/diffusion_pytorch_model.safetensors", r"has no diffusion_pytorch_model\.safetensors"),
        ("text_encoder_2/model.safetensors", r"has no model\.safetensors"),
        ("tokenizer/tokenizer.json", "has no tokenizer.json or vocab.json"),
    ],
)
def test_what_is_missing_is_told_and_where_to_get_it(model: Path, lost: str, said: str) -> None:
    (model / lost).unlink()
    with pytest.raises(UsageError, match=said) as error:
        find_pipeline(str(model))
    assert "`hf download stable-diffusion-v1-5/stable-diffusion-v1-5 --revision COMMIT" in str(error.value)
    assert "then `model: FOLDER`" in str(error.value)


def test_only_what_is_wanted_has_to_be_there(model: Path) -> None:
    shutil.rmtree(model / "vae")
    shutil.rmtree(model / "text_encoder")
    files = find_pipeline(str(model), parts=("unet",))
    assert sorted(files.parts) == ["scheduler", "unet"]
    assert "vae" in files.listed
    with pytest.raises(UsageError, match="lists vae") as error:
        find_pipeline(str(model), parts=("vae",))
    assert '--include "vae*/*"' in str(error.value)
    assert "unet" not in str(error.value).partition("hf download")[2]


def test_what_is_to_be_downloaded_is_what_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patterns of the message, tried on the names of the files of published pipelines."""
    from huggingface_hub.utils import filter_repo_objects

    use_cache(tmp_path, monkeypatch)
    with pytest.raises(UsageError, match="hf download some/model --revision abc") as error:
        find_pipeline("some/model", "abc")
    options = re.findall(r'--(include|exclude) "(\S+)"', str(error.value))
    chosen = {name: [pattern for kind, pattern in options if kind == name] for name in ("include", "exclude")}
    wanted = [
        "README.md", "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
        "text_encoder/model.safetensors", "text_encoder_2/model.safetensors", "tokenizer/merges.txt",
        "tokenizer/vocab.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    ]  # fmt: skip
    unwanted = [
        "v1-5-pruned.ckpt", "v1-5-pruned-emaonly.safetensors", "safety_checker/model.safetensors",
        "text_encoder/pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors", "unet/diffusion_flax_model.msgpack",
        "vae_decoder/model.onnx", "text_encoder/openvino_model.xml",
    ]  # fmt: skip
    found = filter_repo_objects(
        [*wanted, *unwanted], allow_patterns=chosen["include"], ignore_patterns=chosen["exclude"]
    )
    assert list(found) == wanted


def use_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(place))


def test_a_pipeline_of_the_hub_is_found_in_its_cache(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cache(tmp_path, monkeypatch)
    stored = tmp_path / "models--some--tiny"
    snapshot = stored / "snapshots" / COMMIT
    (stored / "blobs").mkdir(parents=True)
    for number, path in enumerate(sorted(path for path in made.rglob("*") if path.is_file())):
        blob, link = stored / "blobs" / f"{number:040x}", snapshot / path.relative_to(made)
        link.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(path.read_bytes())
        link.symlink_to(os.path.relpath(blob, link.parent))
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text(COMMIT)
    for revision in ("", "main", COMMIT):
        origin = find_pipeline("some/tiny", revision).origin
        assert (origin.name, origin.revision) == ("some/tiny", COMMIT)
        assert origin.fingerprint == find_pipeline(str(made)).origin.fingerprint
    assert find_pipeline(str(snapshot)).origin.revision == COMMIT
    with pytest.raises(UsageError, match="at revision 9999"):
        find_pipeline("some/tiny", "9999")


def note_download(model: Path, name: str, commit: str) -> None:
    """As `hf download --local-dir` does: commit, hash of the file, time."""
    note = model / ".cache" / "huggingface" / "download" / f"{name}.metadata"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{commit}\n{'a' * 40}\n1790000000.0\n")


def test_the_commit_of_a_downloaded_folder_is_known(model: Path) -> None:
    assert find_pipeline(str(model)).origin.revision is None
    note_download(model, "model_index.json", COMMIT)
    note_download(model, "unet/config.json", COMMIT)
    assert find_pipeline(str(model)).origin.revision == COMMIT
    note_download(model, "vae/config.json", OTHER)
    assert find_pipeline(str(model)).origin.revision is None


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: creativeml-openrail-m\ntags:\n- x\n---\n# Model\n", "creativeml-openrail-m"),
        ("\ufeff---\r\nlicense: mit\r\n---\r\n", "mit"),
        ("---\nlicense: other\nlicense_name: stability-community\n---\n", "other: stability-community"),
        ("---\nlicense: [apache-2.0, mit]\n---\n", "apache-2.0, mit"),
        ("---\nlicense: 3\n---\n", None),
        ("---\nlicense: ''\n---\n", None),
        ("---\nlicense: mit\n", None),
        ("---\nlicense: [unclosed\n---\n", None),
        ("---\n- license\n---\n", None),
        ("license: mit\n", None),
        ("", None),
    ],
)
def test_the_licence_is_what_the_card_says(model: Path, card: str, licence: str | None) -> None:
    (model / "README.md").write_text(card, encoding="utf-8")
    assert find_pipeline(str(model)).origin.licence == licence


def test_without_a_card_the_licence_is_the_name_of_its_file(model: Path) -> None:
    assert find_pipeline(str(model)).origin.licence is None
    (model / "LICENSE.md").write_text("You may.")
    files = find_pipeline(str(model))
    assert files.origin.licence == "LICENSE.md"
    assert files.origin.to_json() == {
        "name": "tiny-xl", "revision": None, "licence": "LICENSE.md", "fingerprint": files.origin.fingerprint,
    }  # fmt: skip


def fingerprints(files: PipelineFiles) -> dict[str, str]:
    return {group: files.fingerprint(group) for group in ("unet", "vae", "text")}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ("unet/diffusion_pytorch_model.safetensors", {"unet"}),
        ("scheduler/scheduler_config.json", {"unet"}),
        ("vae/config.json", {"vae"}),
        ("text_encoder_2/model.safetensors", {"text"}),
        ("tokenizer/tokenizer.json", {"text"}),
        ("README.md", set()),
    ],
)
def test_a_fingerprint_is_that_of_what_was_changed(model: Path, change: str, changed: set[str]) -> None:
    before = find_pipeline(str(model))
    first, first_origin = fingerprints(before), before.origin.fingerprint
    path = model / change
    data = bytearray(path.read_bytes()) if path.is_file() else bytearray(b"text")
    data[-2] ^= 1 if path.suffix != ".json" else 0
    path.write_bytes(bytes(data) if path.suffix != ".json" else b" " + bytes(data))
    found = find_pipeline(str(model))
    assert {group for group, value in fingerprints(found).items() if value != first[group]} == changed
    assert (found.origin.fingerprint != first_origin) == bool(changed)


def test_weights_that_are_cut_short_are_found_out(model: Path) -> None:
    for name in ("unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"):
        whole = (model / name).read_bytes()
        (model / name).write_bytes(whole[:-4])
        with pytest.raises(UsageError, match=r"bytes instead of .*download it again"):
            find_pipeline(str(model))
        (model / name).write_bytes(whole)


def rename(model: Path, old: str, new: str) -> Path:
    return (model / old).rename(model / new)


@pytest.mark.parametrize("variant", ["fp16", "bf16"])
def test_full_precision_is_preferred_to_half(model: Path, variant: str) -> None:
    single = "vae/diffusion_pytorch_model.safetensors"
    half = rename(model, single, f"vae/diffusion_pytorch_model.{variant}.safetensors")
    weights = find_pipeline(str(model)).parts["vae"].weights
    assert weights is not None
    assert (weights.paths, weights.variant) == ((half,), variant)
    shutil.copy(half, model / single)
    weights = find_pipeline(str(model)).parts["vae"].weights
    assert weights is not None
    assert (weights.paths, weights.variant) == ((model / single,), None)


@pytest.mark.parametrize("mark", ["", ".fp16"])
def test_shards_are_found_by_their_index(model: Path, mark: str) -> None:
    """Names as diffusers and transformers write them with and without a variant."""
    folder, stem = model / "unet", "diffusion_pytorch_model"
    shard = rename(model, f"unet/{stem}.safetensors", f"unet/{stem}{mark}-00001-of-00001.safetensors")
    index = folder / f"{stem}.safetensors.index{mark}.json"
    index.write_text(json.dumps({"weight_map": {"conv_in.weight": shard.name}}))
    weights = find_pipeline(str(model)).parts["unet"].weights
    assert weights is not None
    assert weights.paths == (shard,)
    shard.unlink()
    with pytest.raises(UsageError, match=f"lacks {shard.name}, which its index lists"):
        find_pipeline(str(model))


@pytest.mark.parametrize(
    "index", ['{"weight_map": {"a": "../x.safetensors"}}', '{"weight_map": {"a": "x.bin"}}', "{}"]
)
def test_an_index_that_lists_no_weights_is_refused(model: Path, index: str) -> None:
    rename(model, "unet/diffusion_pytorch_model.safetensors", "unet/x.safetensors")
    (model / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(index)
    with pytest.raises(UsageError, match="lists no weights"):
        find_pipeline(str(model))


@pytest.mark.parametrize("part", ["unet/diffusion_pytorch_model", "text_encoder/pytorch_model"])
def test_pickles_are_refused_unless_they_are_trusted(model: Path, part: str) -> None:
    folder = model / part.partition("/")[0]
    next(folder.glob("*.safetensors")).unlink()
    (model / f"{part}.bin").write_bytes(b"pickle")
    with pytest.raises(UsageError, match=r"can run any code .* `trust_pickles: true`"):
        find_pipeline(str(model))
    weights = find_pipeline(str(model), trust_pickles=True).parts[folder.name].weights
    assert weights is not None
    assert not weights.is_safe


def write_index(model: Path, **changes: Any) -> None:
    path = model / "model_index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_pipeline_of_another_kind_is_refused(model: Path) -> None:
    write_index(model, _class_name="FluxPipeline", unet=[None, None])
    assert "unet" not in find_pipeline(str(model), parts=("vae",)).listed
    for name in ("vae", "text_encoder"):
        write_index(model, **{name: 3})
    with pytest.raises(UsageError, match=r"lists no vae .*FluxPipeline"):
        find_pipeline(str(model), parts=("vae",))


def test_a_single_file_is_refused_with_the_way_to_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "v1-5-pruned-emaonly.safetensors"
    path.write_bytes(b"")
    with pytest.raises(
        UsageError, match=r"from_single_file\('v1-5-pruned-emaonly.safetensors'\).save_pretrained"
    ):
        find_pipeline(str(path))


def test_finding_wants_no_torch(made: Path) -> None:
    code = (
        "import sys; from earthloom.models.weights.pipelines import find_pipeline as f; "
        f"print(f({str(made)!r}).origin.fingerprint); "
        "assert not {'torch', 'transformers', 'diffusers'} & set(sys.modules)"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert child.stdout.strip() == find_pipeline(str(made)).origin.fingerprint
