"""Stable Diffusion's parts give what diffusers' own pipelines give."""

from __future__ import annotations

import json
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models.stable import write_tiny_stable

from earthloom.core.errors import UsageError

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from earthloom.models.stable.latents import decode_latents, encode_images, pixels_per_latent  # noqa: E402
from earthloom.models.stable.parts import open_stable  # noqa: E402
from earthloom.models.stable.text import count_tokens, encode_texts  # noqa: E402

TEXTS = ["a satellite image of dense forest", "", "Rows of houses, 0.5 m per pixel, seen in fog 雾"]


@pytest.fixture(scope="module", params=[False, True], ids=["1.5", "xl"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_stable(tmp_path_factory.mktemp("stable") / "tiny", xl=request.param)


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "tiny"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_stable(tmp_path_factory.mktemp("plain") / "tiny")


def open_pipeline(folder: Path) -> Any:
    """The oracle: the pipeline as anybody loads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True)


def encode_prompt(pipeline: Any, texts: list[str], **how: Any) -> tuple[Any, Any]:
    # Of no prompt at all the pipeline of XL gives zeros for the negative one; only the positive one is asked for.
    told = pipeline.encode_prompt(
        texts, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False, **how
    )
    return told[0], told[2] if len(told) == 4 else None


@torch.no_grad()
def test_texts_are_encoded_as_the_pipeline_does(made: Path) -> None:
    stable, pipeline = open_stable(str(made)), open_pipeline(made)
    found = encode_texts(stable, TEXTS)
    states, pooled = encode_prompt(pipeline, TEXTS)
    torch.testing.assert_close(found.states, states, rtol=0, atol=1e-6)
    assert (found.pooled is None) == (pooled is None) == (not stable.is_xl)
    if pooled is not None:
        torch.testing.assert_close(found.pooled, pooled, rtol=0, atol=1e-6)
    assert found.n_cut == 0
    assert found.states.shape[:2] == (3, 77)


@torch.no_grad()
def test_layers_at_the_end_are_skipped_as_in_the_pipeline(tmp_path: Path) -> None:
    folder = write_tiny_stable(tmp_path, xl=True)
    states, _ = encode_prompt(open_pipeline(folder), TEXTS, clip_skip=1)
    stable = open_stable(str(folder), parts=("text",))
    torch.testing.assert_close(encode_texts(stable, TEXTS, clip_skip=1).states, states, rtol=0, atol=1e-6)
    with pytest.raises(
        UsageError, match=r"clip_skip of 0 to 2 was wanted, got 3: the text encoder has 3 layers"
    ):
        encode_texts(stable, TEXTS, clip_skip=3)


@torch.no_grad()
def test_a_skipped_layer_of_one_encoder_is_normalised(plain: Path) -> None:
    """Stable Diffusion 2.x was trained so: its 24th layer is left out and the norm kept."""
    stable = open_stable(str(plain), parts=("text",))
    encoder = stable.text_encoders[0]
    ids = stable.tokenizers[0](TEXTS, padding="max_length", return_tensors="pt")["input_ids"]
    layers = encoder(ids, output_hidden_states=True).hidden_states
    norm = next(module for name, module in encoder.named_modules() if name.endswith("final_layer_norm"))
    found = encode_texts(stable, TEXTS, clip_skip=1).states
    torch.testing.assert_close(found, norm(layers[-2]), rtol=0, atol=0)
    assert not torch.allclose(found, encode_texts(stable, TEXTS).states)


@torch.no_grad()
def test_long_texts_are_cut_as_the_pipeline_does_and_counted(made: Path) -> None:
    stable, pipeline = open_stable(str(made), parts=("text",)), open_pipeline(made)
    texts = ["water " * 75, "water " * 76, "forest " * 200]
    assert count_tokens(stable, texts) == [77, 78, 202]
    found = encode_texts(stable, texts)
    assert found.n_cut == 2
    states, _ = encode_prompt(pipeline, texts)
    torch.testing.assert_close(found.states, states, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.states[0], found.states[1], rtol=0, atol=1e-6)


@torch.no_grad()
def test_pictures_become_latents_and_back_as_in_diffusers(made: Path) -> None:
    stable, pipeline = open_stable(str(made), parts=("vae",)), open_pipeline(made)
    draw = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, 64, 48, generator=draw) * 2 - 1
    scale = pipeline.vae.config.scaling_factor
    spread = pipeline.vae.encode(images).latent_dist
    noise = torch.randn(spread.mean.shape, generator=torch.Generator().manual_seed(1))
    drawn = encode_images(stable.vae, images, noise=noise)
    wanted = spread.sample(generator=torch.Generator().manual_seed(1)) * scale
    torch.testing.assert_close(drawn, wanted, rtol=0, atol=1e-6)
    torch.testing.assert_close(
        encode_images(stable.vae, images, noise=None), spread.mode() * scale, rtol=0, atol=1e-6
    )
    shown = pipeline.image_processor.postprocess(
        pipeline.vae.decode(drawn / scale).sample, output_type="pt", do_denormalize=[True] * 2
    )
    found = decode_latents(stable.vae, drawn)
    torch.testing.assert_close(found / 2 + 0.5, shown, rtol=0, atol=1e-6)
    assert images.shape[-1] == pixels_per_latent(stable.vae) * drawn.shape[-1]


@torch.no_grad()
def test_latents_are_shifted_where_the_configuration_says_so(plain: Path) -> None:
    vae = open_stable(str(plain), parts=("vae",)).vae
    images = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    before = encode_images(vae, images, noise=None)
    vae.register_to_config(shift_factor=0.5)
    shifted = encode_images(vae, images, noise=None)
    torch.testing.assert_close(shifted, before - 0.5 * vae.config.scaling_factor)
    torch.testing.assert_close(
        decode_latents(vae, shifted), vae.decode(before / vae.config.scaling_factor).sample.clamp(-1, 1)
    )


def test_what_is_loaded_is_frozen_and_what_was_wanted(made: Path) -> None:
    stable = open_stable(str(made), parts=("unet",), dtype=torch.bfloat16)
    assert (stable.vae, stable.text_encoders, stable.tokenizers) == (None, (), ())
    assert stable.unet.dtype == torch.bfloat16
    assert not stable.unet.training
    assert not any(parameter.requires_grad for parameter in stable.unet.parameters())
    assert stable.scheduler_config["beta_schedule"] == "scaled_linear"
    assert stable.is_xl == (made / "text_encoder_2").is_dir()
    with pytest.raises(UsageError, match="open the model with the part `text`"):
        encode_texts(stable, TEXTS)


def test_an_autoencoder_that_overflows_is_kept_in_float32(model: Path) -> None:
    """XL's, by its `force_upcast`; one that says that it does not is loaded as the rest."""
    assert open_stable(str(model), parts=("vae",), dtype=torch.float16).vae.dtype == torch.float32
    config = model / "vae" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "force_upcast": False}))
    assert open_stable(str(model), parts=("vae",), dtype=torch.float16).vae.dtype == torch.float16


def rewrite(path: Path, rename: Callable[[str], str], **more: Any) -> None:
    from safetensors.torch import load_file, save_file

    save_file(
        {**{rename(name): value for name, value in load_file(path).items()}, **more}, path, {"format": "pt"}
    )


def spell_as_published(model: Path) -> None:
    """Names and files as Stable Diffusion 1.5 was published with in 2022."""
    old = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}

    def rename(name: str) -> str:
        return next((name.replace(new, was) for new, was in old.items() if new in name), name)

    rewrite(model / "vae" / "diffusion_pytorch_model.safetensors", rename)
    rewrite(
        model / "text_encoder" / "model.safetensors",
        lambda name: f"text_model.{name.removeprefix('text_model.')}",
        **{"text_model.embeddings.position_ids": torch.arange(77)[None]},
    )
    path = model / "tokenizer" / "tokenizer.json"
    told = json.loads(path.read_text())["model"]
    path.unlink()
    path.with_name("vocab.json").write_text(json.dumps(told["vocab"]))
    merges = "\n".join(" ".join(merge) for merge in told["merges"])
    path.with_name("merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    mark = {
        "__type": "AddedToken",
        "lstrip": False,
        "normalized": True,
        "rstrip": False,
        "single_word": False,
    }
    end = {**mark, "content": "<|endoftext|>"}
    config = {
        "add_prefix_space": False, "bos_token": {**mark, "content": "<|startoftext|>"}, "do_lower_case": True,
        "eos_token": end, "errors": "replace", "model_max_length": 77, "pad_token": "<|endoftext|>",
        "tokenizer_class": "CLIPTokenizer", "unk_token": end,
    }  # fmt: skip
    path.with_name("tokenizer_config.json").write_text(json.dumps(config))


@torch.no_grad()
def test_a_pipeline_is_loaded_as_it_was_published(plain: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(plain, tmp_path / "published"))
    spell_as_published(model)
    found, wanted = open_stable(str(model)), open_stable(str(plain))
    assert torch.equal(encode_texts(found, TEXTS).states, encode_texts(wanted, TEXTS).states)
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(*(encode_images(stable.vae, images, noise=None) for stable in (found, wanted)))


def test_weights_that_lack_a_tensor_are_refused(model: Path) -> None:
    from safetensors.torch import load_file, save_file

    for name in ("unet/diffusion_pytorch_model", "text_encoder/model"):
        path = model / f"{name}.safetensors"
        tensors = load_file(path)
        lost = next(key for key in tensors if "norm" in key)
        save_file({key: value for key, value in tensors.items() if key != lost}, path, {"format": "pt"})
        with pytest.raises(UsageError, match="lack 1 of the network's tensors"):
            open_stable(str(model))
        save_file(tensors, path, {"format": "pt"})


def test_half_precision_files_are_loaded_where_there_are_no_others(model: Path) -> None:
    whole = open_stable(str(model), parts=("unet",)).unet.state_dict()
    path = model / "unet" / "diffusion_pytorch_model.safetensors"
    path.rename(path.with_name("diffusion_pytorch_model.fp16.safetensors"))
    found = open_stable(str(model), parts=("unet",)).unet.state_dict()
    assert all(torch.equal(found[name], value) for name, value in whole.items())


def test_shards_are_loaded_by_their_index(model: Path) -> None:
    unet = open_stable(str(model), parts=("unet",)).unet
    (model / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    unet.save_pretrained(model / "unet", max_shard_size="1MB")
    assert len(list((model / "unet").glob("*.safetensors"))) > 1
    found = open_stable(str(model), parts=("unet",)).unet.state_dict()
    assert all(torch.equal(found[name], value) for name, value in unet.state_dict().items())


def test_pickles_are_only_loaded_where_they_are_trusted(model: Path) -> None:
    network = open_stable(str(model), parts=("vae",)).vae
    (model / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save(network.state_dict(), model / "vae" / "diffusion_pytorch_model.bin")
    with pytest.raises(UsageError, match="trust_pickles: true"):
        open_stable(str(model), parts=("vae",))
    found = open_stable(str(model), parts=("vae",), trust_pickles=True).vae.state_dict()
    assert all(torch.equal(found[name], value) for name, value in network.state_dict().items())


def test_pipelines_of_other_models_are_refused(model: Path) -> None:
    index = json.loads((model / "model_index.json").read_text())
    (model / "model_index.json").write_text(json.dumps({**index, "vae": ["diffusers", "AutoencoderTiny"]}))
    with pytest.raises(UsageError, match=r"holds a AutoencoderTiny, UNet2DConditionModel or AutoencoderKL"):
        open_stable(str(model), parts=("vae",))


def test_a_configuration_that_is_none_of_the_network_is_refused(model: Path) -> None:
    config = model / "unet" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "down_block_types": ["NoSuchBlock"]}))
    with pytest.raises(UsageError, match=r"The unet in .* cannot be loaded as UNet2DConditionModel"):
        open_stable(str(model), parts=("unet",))


def test_without_diffusers_the_remedy_is_told(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(UsageError, match=r"wants diffusers, .*pip install 'earthloom\[models\]'"):
        open_stable(str(plain))


def test_the_same_folder_is_written_every_time(tmp_path: Path) -> None:
    first, second = (write_tiny_stable(tmp_path / name, prediction="v_prediction") for name in "ab")
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)
    assert open_stable(str(first), parts=("unet",)).scheduler_config["prediction_type"] == "v_prediction"
