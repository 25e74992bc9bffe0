"""What is encoded once: the same as encoded at every step, resumed after kills, and nothing loaded in vain."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from lora_releases import LOOKS, SIDE, make_facts, make_recipe, paint, write_release  # noqa: E402
from tiny_models.stable import write_tiny_stable  # noqa: E402

from earthloom.models.stable.parts import open_stable  # noqa: E402
from earthloom.store.stream.sample import Words  # noqa: E402
from earthloom.store.stream.samples import Stream  # noqa: E402
from earthloom.train.lora import caching, encoding, making  # noqa: E402
from earthloom.train.lora.making import make_lora  # noqa: E402
from earthloom.train.lora.preparing import PrepareLora  # noqa: E402
from earthloom.train.step import Made, Setting, Share  # noqa: E402


class Killed(BaseException):
    """Ends a run where nothing of ours may catch it."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cached")
    write_release(root, broken=True)
    write_tiny_stable(root / "model")
    write_tiny_stable(root / "xl", xl=True)
    return root


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def make(base: Path, tmp_path: Path, said: list[str]) -> Callable[..., Made]:
    def make(**changes: Any) -> Made:
        setting = Setting(
            base=base,
            device=torch.device("cpu"),
            dtype=torch.float32,
            share=Share(),
            folder=tmp_path,
            say=said.append,
        )
        torch.manual_seed(0)
        return make_lora(make_recipe(**{"caption_drop": 0, "validate": None} | changes), setting)

    return make


def read_cache(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def read_members(folder: Path) -> dict[str, Any]:
    found = {}
    for path in folder.rglob("*.tar"):
        with tarfile.open(path) as tar:
            for member in tar:
                content = tar.extractfile(member)
                assert content is not None
                found[member.name] = np.load(io.BytesIO(content.read()))
    return found


def grade(made: Made, number: int) -> float:
    torch.manual_seed(number)
    with torch.no_grad():
        return float(made.step.measure(made.batches.draw(number))["lora"])


@pytest.mark.parametrize("model", ["model", pytest.param("xl", marks=pytest.mark.slow)])
def test_cached_is_uncached_to_rounding(make: Callable[..., Made], tmp_path: Path, model: str) -> None:
    losses = {
        cache: [grade(make(cache=cache, model=model, metadata="both"), number) for number in (1, 2, 5)]
        for cache in ("none", "latents", "latents+texts")
    }
    assert losses["latents"] == pytest.approx(losses["none"], rel=2e-4)
    assert losses["latents+texts"] == pytest.approx(losses["none"], rel=2e-4)
    assert len(set(losses["none"])) == 3


def test_what_is_kept(make: Callable[..., Made], base: Path, tmp_path: Path) -> None:
    make(cache="latents+texts")
    kept = read_members(tmp_path / "cache")
    assert len(kept) == 11 * 2, "of one of the twelve pictures nothing can be kept"
    stable = open_stable(str(base / "model"), parts=("vae", "text"))
    pixels = torch.from_numpy(paint(list(LOOKS)[2], 2)).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.no_grad():
        spread = stable.vae.encode(pixels).latent_dist
        texts = [caption["text"] for caption in make_facts(2, list(LOOKS)[2], "train")["captions"]]
        ids = stable.tokenizers[0](texts, padding="max_length", max_length=77, return_tensors="pt")[
            "input_ids"
        ]
        states = stable.text_encoders[0](ids).last_hidden_state
    wanted = torch.cat([spread.mean, spread.std], 1) * stable.vae.config.scaling_factor
    moments = kept["train0002.latents.npy"]
    assert (moments.dtype, moments.shape) == (np.float16, (1, 8, SIDE // 8, SIDE // 8))
    np.testing.assert_allclose(moments, wanted.numpy(), rtol=1e-3, atol=1e-5)
    assert kept["train0002.texts.npy"].shape == (3, 77, 32)
    np.testing.assert_allclose(kept["train0002.texts.npy"], states.numpy(), rtol=1e-3, atol=1e-5)


def test_nothing_is_encoded_twice(
    make: Callable[..., Made], tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make(cache="latents", validate={"release": "release", "split": ["val"]})
    assert said[1::2] == [
        "data: 11 pictures encoded, refused 1 unreadable.",
        "validate: 3 pictures encoded.",
    ]
    before = read_cache(tmp_path / "cache")
    monkeypatch.setattr(encoding.Encoder, "encode", None)
    make(cache="latents", validate={"release": "release", "split": ["val"]}, rate=0.1, rank=2)
    assert read_cache(tmp_path / "cache") == before
    assert len(said) == 4


def test_another_training_finds_it(
    make: Callable[..., Made], tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = {"cache": "latents", "cache_folder": str(tmp_path / "shared"), "validate": None}
    make(**shared, styles={"gaia": 1})  # of which there is none
    before = read_cache(tmp_path / "shared")
    assert len(before) == 2
    monkeypatch.setattr(encoding.Encoder, "encode", None)
    made = make(**shared, styles={"plain": 1}, caption_drop=0.3)
    assert read_cache(tmp_path / "shared") == before
    assert len(said) == 2
    made.batches.draw(1)
    with pytest.raises(TypeError):
        make(**shared, size=128)


def test_what_is_not_needed_is_not_loaded(make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, ...]] = []

    def spy(model: str, revision: str = "", *, parts: tuple[str, ...], **more: Any) -> Any:
        opened.append(tuple(parts))
        return open_stable(model, revision, parts=parts, **more)

    monkeypatch.setattr(making, "open_stable", spy)
    wanted = {
        "none": [("unet", "vae", "text")],
        "latents": [("vae",), ("unet", "text")],
        "latents+texts": [("vae", "text"), ("unet",), ("text",)],
    }
    for cache, parts in wanted.items():
        opened.clear()
        make(cache=cache)
        assert opened == parts
        opened.clear()
        made = make(cache=cache)
        assert opened == [parts[0] if cache == "none" else parts[1]]
    made.step.learn(made.batches.draw(1), 1, lambda name, loss: loss.backward())
    assert opened == [("unet",)]
    made.step.sample(made.batches.show())
    assert opened == [("unet",), ("vae",)]


def test_killed_it_goes_on_with_the_next_shard(
    make: Callable[..., Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "SHARD", 4)
    make(cache="latents+texts")
    undisturbed = read_cache(tmp_path / "cache")
    assert sum(name.endswith(".tar") for name in undisturbed) == 3
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            path.unlink()
    real, calls = encoding.Encoder.encode, []

    def die(self: Any, ready: Any) -> Any:
        calls.append(ready)
        if len(calls) == 4:
            raise Killed
        return real(self, ready)

    with monkeypatch.context() as patch:
        patch.setattr(encoding.Encoder, "encode", die)
        with pytest.raises(Killed):
            make(cache="latents+texts")
    assert sum(name.endswith(".json") for name in read_cache(tmp_path / "cache")) == 1
    make(cache="latents+texts")
    assert read_cache(tmp_path / "cache") == undisturbed


def test_a_torn_shard_is_made_anew(make: Callable[..., Made], tmp_path: Path) -> None:
    make(cache="latents")
    before = read_cache(tmp_path / "cache")
    (tar,) = (tmp_path / "cache").rglob("*.tar")
    tar.write_bytes(tar.read_bytes()[:1000])
    make(cache="latents")
    assert read_cache(tmp_path / "cache") == before


def test_a_broken_picture_is_refused_for_what_is_wrong_with_it(make: Callable[..., Made]) -> None:
    reasons = []
    for cache in ("none", "latents"):
        made = make(cache=cache)
        for number in range(1, 7):
            made.batches.draw(number)
        reasons.append(made.batches.refused)
    assert reasons[0] == reasons[1]
    assert list(reasons[0]["data"]) == ["train0001"]


def test_variants_are_kept_and_drawn(make: Callable[..., Made], tmp_path: Path) -> None:
    made = make(cache="latents", turn=True, variants=5, batch=12)
    kept = read_members(tmp_path / "cache")["train0000.latents.npy"]
    assert kept.shape == (5, 8, SIDE // 8, SIDE // 8)
    drawn = set()
    for number in range(1, 6):
        for moments in made.batches.draw(number)["moments"].numpy():
            drawn |= {i for i in range(5) if np.array_equal(moments, kept[i])}
    assert len(drawn) > 1
    assert len(np.unique(kept.reshape(5, -1), axis=0)) > 1, "turned in several ways"


def test_processes_share_the_work(
    make: Callable[..., Made], base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "SHARD", 4)
    monkeypatch.setattr(torch.distributed, "barrier", lambda: None)
    made = {}
    for rank in range(2):
        setting = Setting(
            base=base,
            device=torch.device("cpu"),
            dtype=torch.float32,
            share=Share(rank, 2),
            folder=tmp_path / str(rank),
            say=lambda line: None,
        )
        make_lora(make_recipe(validate=None), setting)
        made[rank] = {path.name for path in (tmp_path / str(rank)).rglob("*.tar")}
    assert made == {0: {"data-000000.tar", "data-000002.tar"}, 1: {"data-000001.tar"}}


def test_texts_that_are_too_long_are_told_of_once(base: Path, said: list[str]) -> None:
    recipe = make_recipe(cache="none")
    prepare = PrepareLora(recipe, open_stable(str(base / "model"), parts=("text",)), said.append)
    sample = Stream(recipe.data, base, seed=0).first(1)[0]
    long = replace(sample, captions=(Words(text="river " * 100),))
    rng = np.random.default_rng(0)
    prepare(sample, rng)
    assert not said
    for _ in range(2):
        assert prepare(long, rng)["ids"].shape == (1, 77)
    assert len(said) == 1
    assert "what comes after 77 tokens is not learnt" in said[0]
