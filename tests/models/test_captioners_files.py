"""Files of captioners: found in folders and the Hub's cache, told apart by content, refused where not whole."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.tiny_captioners import make_blip2_t5

from earthloom.core.errors import UsageError
from earthloom.models.captioners import memory
from earthloom.models.captioners.files import find_model
from earthloom.models.captioners.loading import fingerprint_captioner, open_captioner
from earthloom.models.captioners.memory import check_memory, measure_free, measure_weights
from earthloom.models.weights.headers import read_header

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "tiny-blip2"
    make_blip2_t5(folder)
    return folder


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "tiny-blip2"))


def test_a_folder_is_found(model: Path) -> None:
    files = find_model(str(model))
    assert (files.name, files.model_type) == ("tiny-blip2", "blip-2")
    assert files.weights == (model / "model.safetensors",)


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("config.json", "has none"),
        ("model.safetensors", "no model.safetensors"),
        ("preprocessor_config.json", "no image processor"),
        ("tokenizer.json", "no tokenizer"),
    ],
)
def test_what_is_missing_is_told_and_where_to_get_it(model: Path, lost: str, said: str) -> None:
    (model / lost).unlink()
    with pytest.raises(UsageError, match=said) as error:
        find_model(str(model))
    assert "hf download Salesforce/blip2-opt-2.7b --revision COMMIT" in str(error.value)


def test_a_model_that_is_nowhere_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cache(tmp_path, monkeypatch)
    with pytest.raises(UsageError, match="hf download some/model --revision abc"):
        find_model("some/model", "abc")
    with pytest.raises(UsageError, match="There is no folder '/no/such/folder'"):
        find_model("/no/such/folder")


def use_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(place))


def test_a_model_of_the_hub_is_found_in_its_cache(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout of huggingface_hub: files by their hash, snapshots of links to them, branches by their commit."""
    use_cache(tmp_path, monkeypatch)
    stored = tmp_path / "models--some--tiny-blip2"
    snapshot = stored / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (stored / "blobs").mkdir()
    for number, path in enumerate(sorted(made.iterdir())):
        blob = stored / "blobs" / f"{number:040x}"
        blob.write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(os.path.relpath(blob, snapshot))
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text(COMMIT)
    for revision in ("", "main", COMMIT):
        files = find_model("some/tiny-blip2", revision)
        assert files.folder == snapshot
        assert files.name == "tiny-blip2"
        assert files.fingerprint() == find_model(str(made)).fingerprint()
    assert open_captioner("some/tiny-blip2", revision=COMMIT).name == "tiny-blip2"
    with pytest.raises(UsageError, match="at revision 9999"):
        find_model("some/tiny-blip2", "9999")


def split_weights(model: Path) -> None:
    network = transformers.Blip2ForConditionalGeneration.from_pretrained(model)
    (model / "model.safetensors").unlink()
    network.save_pretrained(model, max_shard_size="100KB")


def test_shards_are_found_by_their_index(model: Path) -> None:
    split_weights(model)
    files = find_model(str(model))
    assert len(files.weights) > 1
    assert open_captioner(str(model)).fingerprint == files.fingerprint()
    files.weights[1].unlink()
    with pytest.raises(UsageError, match=f"lacks {files.weights[1].name}, which its index lists"):
        find_model(str(model))


def test_a_configuration_nested_without_end_is_refused(model: Path) -> None:
    (model / "config.json").write_text("[" * 200_000)
    with pytest.raises(UsageError, match="cannot be read as JSON"):
        find_model(str(model))


@pytest.mark.parametrize("index", ["{}", "[]", '{"weight_map": {"a": "../../secret.safetensors"}}', "{"])
def test_an_index_that_lists_no_weights_is_refused(model: Path, index: str) -> None:
    (model / "model.safetensors").unlink()
    (model / "model.safetensors.index.json").write_text(index)
    with pytest.raises(UsageError, match=r"lists no weights|cannot be read as JSON|no JSON object"):
        find_model(str(model))


def test_pickles_are_only_loaded_where_they_are_trusted(model: Path) -> None:
    weights = transformers.Blip2ForConditionalGeneration.from_pretrained(model).state_dict()
    (model / "model.safetensors").unlink()
    torch.save(weights, model / "pytorch_model.bin")
    with pytest.raises(UsageError, match="trust_pickles: true"):
        open_captioner(str(model))
    captioner = open_captioner(str(model), trust_pickles=True)
    assert captioner.fingerprint == fingerprint_captioner(str(model), trust_pickles=True)


def test_cut_short_downloads_are_found_out(model: Path) -> None:
    weights = model / "model.safetensors"
    whole = weights.read_bytes()
    for data in (whole[:-1], whole + b"\0", whole[:200], whole[:4], b""):
        weights.write_bytes(data)
        with pytest.raises(UsageError, match="download it again"):
            find_model(str(model))


def touch_last_tensor(model: Path) -> None:
    """Change one number, somewhere in the middle of the weights."""
    path = model / "model.safetensors"
    data = bytearray(path.read_bytes())
    header = read_header(path)
    start = len(data) - max(entry["data_offsets"][1] for entry in header.values())
    middle = sorted(header)[len(header) // 2]
    data[start + header[middle]["data_offsets"][0]] ^= 1
    path.write_bytes(data)


def speak_longer(model: Path) -> None:
    path = model / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "repetition_penalty": 1.5}))


def add_word(model: Path) -> None:
    path = model / "tokenizer.json"
    path.write_text(path.read_text().replace('"forest"', '"woods"'))


@pytest.mark.parametrize("change", [touch_last_tensor, speak_longer, add_word])
def test_a_change_that_shows_changes_the_fingerprint(model: Path, change: Callable[[Path], None]) -> None:
    before = fingerprint_captioner(str(model))
    change(model)
    assert fingerprint_captioner(str(model)) != before


def test_a_fingerprint_is_that_of_the_content(made: Path, model: Path) -> None:
    renamed = model.rename(model.with_name("other"))
    (renamed / "README.md").write_text("how it was made")
    assert fingerprint_captioner(str(renamed)) == fingerprint_captioner(str(made))
    assert open_captioner(str(renamed)).fingerprint == fingerprint_captioner(str(made))


def test_large_tensors_are_sampled_and_small_ones_read_whole(model: Path, tmp_path: Path) -> None:
    """A fine-tuning changes nearly every number of the tensors that it touches, of whatever size."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    tensors = {
        f"layer{i}": rng.random(size, np.float32) for i, size in enumerate([10, 20_000, 300_000, 5, 70_001])
    }
    path = model / "model.safetensors"
    save_file(tensors, path)
    first = fingerprint_captioner(str(model))
    for i, (name, tensor) in enumerate(tensors.items()):
        save_file({**tensors, name: tensor + np.float32(0.01)}, path)
        os.utime(path, ns=(i, i))  # a file's clock may be slower than this loop
        assert fingerprint_captioner(str(model)) != first
    save_file(tensors, path)
    assert fingerprint_captioner(str(model)) == first


def test_a_fingerprint_wants_no_torch(made: Path) -> None:
    code = (
        "import sys; from earthloom.models.captioners.loading import fingerprint_captioner as f; "
        f"print(f({str(made)!r})); assert not {{'torch', 'transformers', 'peft'}} & set(sys.modules)"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert child.stdout.strip() == fingerprint_captioner(str(made))


@pytest.mark.parametrize(("precision", "width"), [("float32", 4), ("bfloat16", 2), ("float16", 2)])
def test_memory_is_that_of_the_parameters(model: Path, precision: Any, width: int) -> None:
    network = transformers.Blip2ForConditionalGeneration.from_pretrained(model)
    # Tied weights are stored once, and counted once by transformers, too.
    assert measure_weights([model / "model.safetensors"], precision) == width * network.num_parameters()


def test_memory_of_pickles_is_their_size(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(b"x" * 1000)
    assert measure_weights([path], "float32") == 1000


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = measure_weights([model / "model.safetensors"], "float32")
    monkeypatch.setattr(memory, "measure_free", lambda device: needed)
    monkeypatch.setattr(
        transformers.Blip2ForConditionalGeneration, "from_pretrained", lambda *_, **__: pytest.fail("loaded")
    )
    with pytest.raises(UsageError, match=r"needs about .* GiB as float32, this machine has .* bfloat16"):
        open_captioner(str(model), device="cpu")
    monkeypatch.setattr(memory, "measure_free", lambda device: 100 * 2**20)
    with pytest.raises(UsageError, match=r"as bfloat16, the GPU has .*: `device: cpu`"):
        check_memory([model / "model.safetensors"] * 2000, "bfloat16", "cuda")


def test_free_memory_is_what_the_kernel_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    psutil = pytest.importorskip("psutil")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    free = measure_free("cpu")
    assert free is not None
    assert abs(free - psutil.virtual_memory().available) < 2**30
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "nothing")
    assert measure_free("cpu") is None
    check_memory([], "float32", "cpu")


def test_a_container_may_use_no_more_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cached files can be given back, what programs hold cannot."""
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text("MemTotal:       1000000 kB\nMemAvailable:    800000 kB\n")
    (tmp_path / "memory.current").write_text("300000000\n")
    (tmp_path / "memory.stat").write_text("anon 100000000\nfile 200000000\ninactive_file 150000000\n")
    for limit, free in (
        ("500000000", 350_000_000),
        ("100", 0),
        ("max", 800_000 * 1024),
        ("odd", 800_000 * 1024),
    ):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        assert measure_free("cpu") == free


def test_a_model_for_a_gpu_has_to_pass_through_the_machine(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = [model / "model.safetensors"]
    size = measure_weights(weights, "bfloat16")
    free = {"cuda": 2 * size, "cpu": size}
    monkeypatch.setattr(memory, "measure_free", free.__getitem__)
    check_memory(weights, "bfloat16", "cuda")
    free["cpu"] = size - 1
    with pytest.raises(UsageError, match="this machine has"):
        check_memory(weights, "bfloat16", "cuda")


def test_free_memory_of_a_gpu_is_what_torch_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (3 * 2**30, 80 * 2**30))
    assert measure_free("cuda") == 3 * 2**30
