"""LoRA over Stable Diffusion: what it adds, and files that diffusers and kohya's programs read."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tiny_models.stable import write_tiny_stable

from earthloom.core.errors import UsageError

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
pytest.importorskip("peft")

from safetensors.torch import load_file, save_file  # noqa: E402

from earthloom.models.stable.lora import Factors, add_lora, lay_lora, list_targets, take_factors  # noqa: E402
from earthloom.models.stable.lora_files import (  # noqa: E402
    DIFFUSERS_NAME,
    read_lora,
    read_training,
    save_diffusers_lora,
    save_kohya_lora,
)
from earthloom.models.stable.lora_names import name_in_kohya  # noqa: E402
from earthloom.models.stable.parts import Stable, open_stable  # noqa: E402
from earthloom.models.weights.headers import read_metadata  # noqa: E402
from earthloom.models.weights.saving import save_tensors  # noqa: E402

RANK, ALPHA = 4, 10.0
TRAINING = {"recipe": "test", "steps": 3}
SAVE = {"diffusers": save_diffusers_lora, "kohya": save_kohya_lora}
TARGETS: list[Any] = ["attention", "all-linear", ["attn2.to_k", "proj_in", "conv1"]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[bool, Path]:
    place = tmp_path_factory.mktemp("stable")
    return {xl: write_tiny_stable(place / f"xl-{xl}", xl=xl) for xl in (False, True)}


@pytest.fixture(params=[False, True], ids=["1.5", "xl"])
def folder(request: pytest.FixtureRequest, folders: Mapping[bool, Path]) -> Path:
    return folders[request.param]


def open_networks(folder: Path) -> dict[str, Any]:
    stable: Stable = open_stable(str(folder), parts=("unet", "text"))
    names = ("text_encoder", "text_encoder_2")
    return {"unet": stable.unet, **dict(zip(names, stable.text_encoders, strict=False))}


def open_pipeline(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True)


def train(network: Any, seed: int = 1) -> None:
    """Put numbers where training would: `up` is zero before."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn(parameter.shape, generator=draw) * 0.1)


def draw_input(width: int = 32) -> tuple[Any, Any, Any]:
    """Latents, steps and states of texts."""
    draw = torch.Generator().manual_seed(2)
    latents, states = torch.randn(2, 4, 8, 8, generator=draw), torch.randn(2, 77, width, generator=draw)
    return latents, torch.tensor([10, 700]), states


@torch.no_grad()
def predict(unet: Any) -> Any:
    draw = torch.Generator().manual_seed(3)
    added = {
        "text_embeds": torch.randn(2, 32, generator=draw),
        "time_ids": torch.rand(2, 6, generator=draw) * 64,
    }
    return unet(*draw_input(unet.config.cross_attention_dim), added_cond_kwargs=added).sample


@torch.no_grad()
def speak(encoder: Any) -> Any:
    ids = torch.arange(300, 316).reshape(2, 8)
    return encoder(ids, output_hidden_states=True).hidden_states[-1]


def test_nothing_changes_before_training(folder: Path) -> None:
    for name, network in open_networks(folder).items():
        run = predict if name == "unet" else speak
        before = run(network)
        parameters = add_lora(network, rank=RANK, alpha=ALPHA)
        assert torch.equal(run(network), before)
        assert all(parameter.requires_grad and parameter.dtype == torch.float32 for parameter in parameters)
        train(network)
        assert not torch.allclose(run(network), before, atol=1e-4)


@torch.no_grad()
def test_factors_add_their_product(folder: Path) -> None:
    """Hu et al., equation 3: W + B A alpha / r, put into the plain weights by hand."""
    unet, plain = (open_networks(folder)["unet"] for _ in range(2))
    add_lora(unet, rank=RANK, alpha=ALPHA, targets="all-linear")
    train(unet)
    for name, factors in take_factors(unet).items():
        plain.get_submodule(name).weight += factors.up @ factors.down * ALPHA / RANK
    torch.testing.assert_close(predict(unet), predict(plain), rtol=0, atol=1e-5)


def test_the_start_is_the_same_every_time_and_no_state_is_touched(folders: Mapping[bool, Path]) -> None:
    found = []
    for seed in (3, 3, 4):
        unet = open_networks(folders[False])["unet"]
        state = torch.random.get_rng_state()
        found.append(add_lora(unet, rank=RANK, alpha=ALPHA, seed=seed)[0].detach())
        assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_targets_are_those_of_the_sets(folder: Path) -> None:
    """Counted from the architecture: a block has two attentions of four projections, and two layers behind them."""
    unet = open_networks(folder)["unet"]
    n_blocks = sum(type(module).__name__ == "BasicTransformerBlock" for module in unet.modules())
    n_linear = sum(isinstance(module, torch.nn.Linear) for module in unet.modules())
    assert n_blocks > 0
    assert len(list_targets(unet, "attention")) == 8 * n_blocks
    assert len(list_targets(unet, "attention+ff")) == 10 * n_blocks
    assert len(list_targets(unet, "all-linear")) == n_linear
    assert len(list_targets(unet, ["attn2.to_k", "conv_in"])) == n_blocks + 1


@pytest.mark.parametrize("targets", [["to_z"], "nothing", []])
def test_targets_that_meet_no_layer_are_refused(folders: Mapping[bool, Path], targets: Any) -> None:
    unet = open_networks(folders[False])["unet"]
    with pytest.raises(UsageError, match=r"no layer is called .* Give attention, attention\+ff, all-linear"):
        add_lora(unet, rank=RANK, alpha=ALPHA, targets=targets)


def test_gradients_reach_the_factors_alone(folders: Mapping[bool, Path]) -> None:
    unet = open_networks(folders[False])["unet"]
    parameters = add_lora(unet, rank=RANK, alpha=ALPHA, dropout=0.1)
    train(unet)
    unet(*draw_input()).sample.square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in parameters)
    n_with = sum(parameter.grad is not None for parameter in unet.parameters())
    assert n_with == len(parameters)


def test_factors_stay_in_float32_over_a_network_in_bfloat16(folders: Mapping[bool, Path]) -> None:
    unet = open_stable(str(folders[False]), parts=("unet",), dtype=torch.bfloat16).unet
    parameters = add_lora(unet, rank=RANK, alpha=ALPHA)
    unet.enable_gradient_checkpointing()
    unet.train()
    train(unet)
    with torch.autocast("cpu", torch.bfloat16):
        seen = unet(*draw_input()).sample
        seen.square().mean().backward()
    assert seen.dtype == torch.bfloat16
    assert all(parameter.dtype == parameter.grad.dtype == torch.float32 for parameter in parameters)
    assert all(parameter.grad.abs().sum() > 0 for parameter in parameters)


@pytest.mark.parametrize("style", SAVE)
@pytest.mark.parametrize("targets", TARGETS, ids=str)
def test_plain_diffusers_loads_what_is_saved(folder: Path, style: str, targets: Any, tmp_path: Path) -> None:
    """Its own reader, of kohya files its own converter; alpha is not the rank."""
    networks = open_networks(folder)
    add_lora(networks["unet"], rank=RANK, alpha=ALPHA, targets=targets)
    train(networks["unet"])
    path = tmp_path / DIFFUSERS_NAME
    SAVE[style](path, networks, TRAINING)
    pipeline = open_pipeline(folder)
    before = predict(pipeline.unet)
    pipeline.load_lora_weights(tmp_path, weight_name=DIFFUSERS_NAME)
    wanted, found = predict(networks["unet"]), predict(pipeline.unet)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)
    assert (before - wanted).abs().max() > 1e-2
    fresh = open_networks(folder)["unet"]
    lay_lora(fresh, read_lora(path, {"unet": fresh})["unet"])
    torch.testing.assert_close(predict(fresh), wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("style", SAVE)
def test_plain_diffusers_loads_text_encoders(folder: Path, style: str, tmp_path: Path) -> None:
    networks = open_networks(folder)
    for seed, network in enumerate(networks.values()):
        add_lora(network, rank=RANK, alpha=ALPHA, targets="attention")
        train(network, seed)
    SAVE[style](tmp_path / DIFFUSERS_NAME, networks, TRAINING)
    pipeline = open_pipeline(folder)
    pipeline.load_lora_weights(tmp_path, weight_name=DIFFUSERS_NAME)
    for name, network in networks.items():
        run = predict if name == "unet" else speak
        torch.testing.assert_close(run(getattr(pipeline, name)), run(network), rtol=0, atol=1e-5)


@pytest.mark.parametrize("style", SAVE)
def test_what_is_saved_is_read_back(folder: Path, style: str, tmp_path: Path) -> None:
    networks, fresh = open_networks(folder), open_networks(folder)
    for network in networks.values():
        add_lora(network, rank=RANK, alpha=0.3, targets="attention+ff")
        train(network)
    path = tmp_path / "lora.safetensors"
    SAVE[style](path, networks, TRAINING)
    found = read_lora(path, fresh)
    assert found.keys() == networks.keys()
    for name, factors in found.items():
        wanted = take_factors(networks[name])
        assert factors.keys() == wanted.keys()
        assert all(torch.equal(factors[layer].up, entry.up) for layer, entry in wanted.items())
        assert all(entry.alpha == pytest.approx(0.3) for entry in factors.values())
        lay_lora(fresh[name], factors)
        run = predict if name == "unet" else speak
        torch.testing.assert_close(run(fresh[name]), run(networks[name]), rtol=0, atol=1e-6)
    assert read_training(path) == TRAINING


@torch.no_grad()
def test_strength_counts_the_factors(folders: Mapping[bool, Path]) -> None:
    trained, half, by_hand = (open_networks(folders[False])["unet"] for _ in range(3))
    add_lora(trained, rank=RANK, alpha=ALPHA)
    train(trained)
    lay_lora(half, take_factors(trained), strength=0.5)
    for name, factors in take_factors(trained).items():
        by_hand.get_submodule(name).weight += 0.5 * factors.up @ factors.down * ALPHA / RANK
    torch.testing.assert_close(predict(half), predict(by_hand), rtol=0, atol=1e-5)


def test_ranks_and_alphas_may_differ_from_layer_to_layer(folder: Path, tmp_path: Path) -> None:
    """As others train them; diffusers is told by patterns."""
    source, ours = (open_networks(folder)["unet"] for _ in range(2))
    draw = torch.Generator().manual_seed(0)
    factors = {}
    for i, name in enumerate(list_targets(source, "attention")):
        rank, (n_out, n_in) = 2 + i % 3, source.get_submodule(name).weight.shape
        factors[name] = Factors(
            down=torch.randn(rank, n_in, generator=draw) * 0.2,
            up=torch.randn(n_out, rank, generator=draw) * 0.2,
            alpha=float(1 + i % 2),
        )
    lay_lora(ours, factors)
    save_diffusers_lora(tmp_path / DIFFUSERS_NAME, {"unet": ours}, {})
    read = read_lora(tmp_path / DIFFUSERS_NAME, {"unet": source})["unet"]
    assert {name: (entry.rank, entry.alpha) for name, entry in read.items()} == {
        name: (entry.rank, entry.alpha) for name, entry in factors.items()
    }
    pipeline = open_pipeline(folder)
    pipeline.load_lora_weights(tmp_path, weight_name=DIFFUSERS_NAME)
    torch.testing.assert_close(predict(pipeline.unet), predict(ours), rtol=0, atol=1e-5)


def test_names_of_xl_are_those_that_kohya_writes() -> None:
    """Layers of the real UNet, with the names that published LoRA files of XL have."""
    config = diffusers.configuration_utils.FrozenDict(
        addition_embed_type="text_time",
        layers_per_block=2,
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    )
    unet = type("Unet", (), {"config": config})
    block = "transformer_blocks"
    known = {
        f"down_blocks.1.attentions.0.{block}.0.attn1.to_q": f"input_blocks_4_1_{block}_0_attn1_to_q",
        "down_blocks.2.attentions.1.proj_out": "input_blocks_8_1_proj_out",
        "mid_block.attentions.0.proj_in": "middle_block_1_proj_in",
        f"up_blocks.0.attentions.2.{block}.9.ff.net.0.proj": f"output_blocks_2_1_{block}_9_ff_net_0_proj",
        f"up_blocks.1.attentions.0.{block}.1.attn2.to_out.0": f"output_blocks_3_1_{block}_1_attn2_to_out_0",
        "down_blocks.0.downsamplers.0.conv": "input_blocks_3_0_op",
        "up_blocks.1.upsamplers.0.conv": "output_blocks_5_2_conv",
        "mid_block.resnets.1.conv1": "middle_block_2_in_layers_2",
        "down_blocks.1.resnets.0.conv_shortcut": "input_blocks_4_0_skip_connection",
        "time_embedding.linear_2": "time_embed_2",
    }
    for layer, name in known.items():
        assert name_in_kohya("unet", layer, unet) == f"lora_unet_{name}"
    assert name_in_kohya("text_encoder", "encoder.layers.0.mlp.fc1", unet) == (
        "lora_te1_text_model_encoder_layers_0_mlp_fc1"
    )
    assert name_in_kohya("text_encoder_2", "text_model.encoder.layers.3.self_attn.q_proj", unet) == (
        "lora_te2_text_model_encoder_layers_3_self_attn_q_proj"
    )


def test_kohya_files_say_what_they_are(folder: Path, tmp_path: Path) -> None:
    from safetensors import safe_open

    networks = open_networks(folder)
    add_lora(networks["unet"], rank=RANK, alpha=ALPHA)
    path = tmp_path / "lora.safetensors"
    save_kohya_lora(path, networks, TRAINING, dtype=torch.float16)
    with safe_open(path, "pt") as file:
        told = file.metadata()
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    is_xl = "text_encoder_2" in networks
    wanted = {
        "ss_network_dim": "4",
        "ss_network_alpha": "10",
        "ss_network_module": "networks.lora",
        "ss_v2": "False",
    }
    assert wanted.items() <= told.items()
    assert told["ss_base_model_version"] == ("sdxl_base_v1-0" if is_xl else "sd_v1")
    assert json.loads(told["earthloom"])["training"] == TRAINING


def test_files_of_other_styles_are_read(folders: Mapping[bool, Path], tmp_path: Path) -> None:
    """As diffusers wrote them before peft, with and without the level of processors; there alpha is the rank."""
    networks = open_networks(folders[False])
    add_lora(networks["unet"], rank=RANK, alpha=ALPHA)
    train(networks["unet"])
    wanted = take_factors(networks["unet"])
    styles = {
        "lora.safetensors": lambda layer: f"unet.{layer}.lora",
        "processors.safetensors": lambda layer: "unet.{}.processor.{}_lora".format(
            *layer.removesuffix(".0").rsplit(".", 1)
        ),
    }
    for name, rename in styles.items():
        tensors = {f"{rename(layer)}.down.weight": entry.down for layer, entry in wanted.items()}
        tensors |= {f"{rename(layer)}.up.weight": entry.up for layer, entry in wanted.items()}
        save_file({key: value.contiguous() for key, value in tensors.items()}, tmp_path / name)
        found = read_lora(tmp_path / name, open_networks(folders[False]))["unet"]
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[layer].down, entry.down) for layer, entry in wanted.items())
        assert {entry.alpha for entry in found.values()} == {RANK}
        assert read_training(tmp_path / name) is None


def test_weights_of_another_model_are_refused(folders: Mapping[bool, Path], tmp_path: Path) -> None:
    networks, others = open_networks(folders[True]), open_networks(folders[False])
    add_lora(networks["unet"], rank=RANK, alpha=ALPHA)
    path = tmp_path / "lora.safetensors"
    for save in SAVE.values():
        save(path, networks, TRAINING)
        with pytest.raises(UsageError, match=r"are no LoRA of this model's unet.*such as"):
            read_lora(path, {"unet": others["unet"]})
    wrong = {
        "mid_block.attentions.0.proj_in": Factors(
            down=torch.ones(2, 3, 1, 1), up=torch.ones(3, 2, 1, 1), alpha=1
        )
    }
    with pytest.raises(UsageError, match=r"have shapes .* were wanted"):
        lay_lora(others["unet"], wrong)
    with pytest.raises(UsageError, match="want a layer nowhere"):
        lay_lora(others["unet"], {"nowhere": next(iter(wrong.values()))})


def test_files_that_are_no_lora_are_refused(folders: Mapping[bool, Path], tmp_path: Path) -> None:
    networks = open_networks(folders[False])
    add_lora(networks["unet"], rank=RANK, alpha=ALPHA)
    path = tmp_path / "lora.safetensors"
    save_diffusers_lora(path, networks, {})
    tensors, fresh = load_file(path), open_networks(folders[False])
    first = next(iter(tensors))
    broken: dict[str, dict[str, Any]] = {
        "one factor alone": {name: value for name, value in tensors.items() if name != first},
        "another method": {**tensors, first.replace("lora_A", "lora_magnitude_vector"): torch.ones(3)},
        "nothing": {},
    }
    for change in broken.values():
        save_file(change, path)
        with pytest.raises(UsageError, match=r"that are no LoRA of this model|holds no LoRA weights"):
            read_lora(path, fresh)
    save_file(tensors, path, {"lora_adapter_metadata": "{"})
    with pytest.raises(UsageError, match="broken metadata"):
        read_lora(path, fresh)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UsageError, match="download it again"):
        read_lora(path, fresh)
    with pytest.raises(UsageError, match="There are no LoRA weights"):
        read_lora(tmp_path / "nowhere.safetensors", fresh)


def test_what_has_no_lora_cannot_be_saved_and_what_has_gets_no_second(
    folders: Mapping[bool, Path], tmp_path: Path
) -> None:
    networks = open_networks(folders[False])
    for save in SAVE.values():
        with pytest.raises(UsageError, match="There is no LoRA to save"):
            save(tmp_path / "lora.safetensors", networks, {})
    add_lora(networks["unet"], rank=RANK, alpha=ALPHA)
    with pytest.raises(UsageError, match="has LoRA already"):
        add_lora(networks["unet"], rank=RANK, alpha=ALPHA)


def test_equal_training_gives_equal_bytes(tmp_path: Path) -> None:
    """The library writes its metadata in an order of chance, other at every call."""
    path = tmp_path / "a.safetensors"
    tensors = {"é": torch.arange(3.0), "a": torch.ones(1, dtype=torch.int8)}
    written = set()
    for _ in range(8):
        save_tensors(path, tensors, {name: name for name in "zyxwvuabc"})
        written.add(path.read_bytes())
    assert len(written) == 1
    assert load_file(path)["é"].tolist() == [0, 1, 2]
    assert read_metadata(path)["z"] == "z"


def test_without_peft_the_remedy_is_told(
    folders: Mapping[bool, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    unet = open_networks(folders[False])["unet"]
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(UsageError, match=r"LoRA wants peft, .*pip install 'earthloom\[models\]'"):
        add_lora(unet, rank=RANK, alpha=ALPHA)
