"""Steps of both kinds of translation: one update against plain torch, state, and what is learnt."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional
from training_steps import learn

from earthloom.core.errors import UsageError
from earthloom.models.translation.losses import structure_loss  # held against the metric in its own test
from earthloom.models.translation.weights import load_translator
from earthloom.train.translation.config import TranslationRecipe
from earthloom.train.translation.cyclegan import CycleGanStep
from earthloom.train.translation.fastcut import FastCutStep
from earthloom.train.translation.making import make_translation_step

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _quiet_and_seeded() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(7)
    yield
    torch.set_num_threads(before)


def make_recipe(**changes: Any) -> TranslationRecipe:
    plain = {
        "train": "translation",
        "name": "small",
        "from": {"folder": "a"},
        "to": {"folder": "b"},
        "width": 4,
        "blocks": 1,
        "crop": 32,
        "nce_layers": [0, 4, 8, 12],
        "patches": 4096,
        "flip": False,
    }
    return TranslationRecipe.model_validate(plain | changes)


def make_batch(n: int = 2, side: int = 32) -> dict[str, Tensor]:
    """Dark ground with grain, and bright ground with less of it."""
    grain = functional.interpolate(torch.randn(2 * n, 3, side // 4, side // 4), size=side, mode="bicubic")
    return {"a": (grain[:n] * 0.3 - 0.5).clamp(-1, 1), "b": (grain[n:] * 0.1 + 0.5).clamp(-1, 1)}


def contrast(q: Tensor, k: Tensor) -> Tensor:
    """InfoNCE by its formula, over all patches of each picture."""
    likeness = torch.exp(torch.einsum("npd,nqd->npq", q, k.detach()) / 0.07)
    return -torch.log(torch.diagonal(likeness, dim1=1, dim2=2) / likeness.sum(2)).mean()


def describe(head: nn.Module, layer: Tensor) -> Tensor:
    patches = head(layer.flatten(2).transpose(1, 2))
    return patches / patches.norm(dim=2, keepdim=True).clamp_min(1e-7)


def adam(parameters: list[nn.Parameter], loss: Tensor, rate: float) -> None:
    """The first update of Adam by its formula: every weight moves by the rate against its slope's sign."""
    slopes = torch.autograd.grad(loss, parameters)
    with torch.no_grad():
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter.sub_(rate * slope / (slope.abs() + 1e-8))


@pytest.mark.parametrize(
    "weights", [{"tps": 0.0}, {"tps": 3.0, "nce": 0.5}, {"structure": 2.0, "blend": True}]
)
def test_an_update_of_fastcut_against_plain_torch(weights: dict[str, Any]) -> None:
    recipe = make_recipe(**weights)
    step = FastCutStep(recipe, CPU)
    for network in step.modules().values():
        network.double()
    batch = {name: images.double() for name, images in make_batch().items()}
    nets = {name: copy.deepcopy(network) for name, network in step.modules().items()}
    generator: Any = nets["generator"]
    heads: Any = nets["heads"]
    judge: Any = nets["discriminator"]

    drawn = generator(batch["a"])
    judged = ((judge(batch["b"]) - 1) ** 2).mean() / 2 + (judge(drawn.detach()) ** 2).mean() / 2
    adam(list(judge.parameters()), judged, 2e-4)
    scores = judge(drawn)
    total = ((scores - 1) ** 2).mean()
    sources, features = (generator.encode(x, recipe.nce_layers) for x in (batch["a"], drawn))
    pairs = [
        contrast(describe(h, f), describe(h, s))
        for h, f, s in zip(heads.heads, features, sources, strict=True)
    ]
    nce = sum(pairs) / len(pairs)
    total = total + recipe.nce * nce
    if recipe.tps:
        a, b = judge(batch["a"]).detach(), judge(batch["b"]).detach()
        tps = (((a - scores).abs() + (b - scores).abs() - (a - b).abs()).abs() + 1e-7).mean()
        total = total + recipe.tps * tps
    if recipe.structure:
        total = total + recipe.structure * structure_loss(batch["a"], drawn)
    adam([*generator.parameters(), *heads.parameters()], total, 2e-4)

    losses = learn(step, batch, 1)
    assert losses["nce"] == pytest.approx(nce.item(), rel=1e-9)
    assert losses["discriminator"] == pytest.approx(judged.item(), rel=1e-9)
    assert ("tps" in losses, "structure" in losses) == (recipe.tps > 0, recipe.structure > 0)
    for name, network in step.modules().items():
        for (key, found), expected in zip(network.named_parameters(), nets[name].parameters(), strict=True):
            # Biases in front of a normalisation have no slope but rounding, whose sign Adam would follow.
            if not key.endswith("bias"):
                torch.testing.assert_close(found, expected, rtol=0, atol=2e-6, msg=f"{name} {key}")


def test_that_mirroring_is_taken_back_before_patches_are_compared() -> None:
    step = FastCutStep(make_recipe(), CPU)
    generator = step.modules()["generator"]
    for parameter in generator.parameters():
        if parameter.ndim == 4:
            with torch.no_grad():  # a network that mirrors nothing
                parameter.copy_((parameter + parameter.flip(3)) / 2)
    before = make_batch()["a"]
    upright = step._contrast(before, generator(before), mirrored=False)
    mirrored = step._contrast(before, generator(before.flip(3)), mirrored=True)
    wrong = step._contrast(before, generator(before.flip(3)), mirrored=False)
    assert mirrored.item() == pytest.approx(upright.item(), rel=1e-4)
    assert wrong.item() > upright.item() + 0.1


def test_that_batches_are_mirrored_half_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    step = FastCutStep(make_recipe(flip=True), CPU)
    seen: list[bool] = []

    def note(before: Tensor, drawn: Tensor, mirrored: bool) -> Tensor:
        seen.append(mirrored)
        return drawn.mean()

    monkeypatch.setattr(step, "_contrast", note)
    batch = make_batch(1)
    for number in range(60):
        learn(step, batch, number)
    assert 18 <= sum(seen) <= 42


def test_the_losses_of_cyclegan_by_hand() -> None:
    step = CycleGanStep(make_recipe(method="cyclegan"), CPU)
    nets: dict[str, Any] = {name: copy.deepcopy(network) for name, network in step.modules().items()}
    batch = make_batch()
    a, b = batch["a"], batch["b"]
    there, back = nets["generator"], nets["generator_back"]
    losses = learn(step, batch, 1)
    with torch.no_grad():
        expected = {
            "generator": ((nets["discriminator"](there(a)) - 1) ** 2).mean(),
            "generator_back": ((nets["discriminator_back"](back(b)) - 1) ** 2).mean(),
            "cycle": (back(there(a)) - a).abs().mean() + (there(back(b)) - b).abs().mean(),
            "identity": (back(a) - a).abs().mean() + (there(b) - b).abs().mean(),
            "discriminator": ((nets["discriminator"](b) - 1) ** 2).mean() / 2
            + (nets["discriminator"](there(a)) ** 2).mean() / 2,
            "discriminator_back": ((nets["discriminator_back"](a) - 1) ** 2).mean() / 2
            + (nets["discriminator_back"](back(b)) ** 2).mean() / 2,
        }
    assert losses == pytest.approx({name: float(value) for name, value in expected.items()}, rel=1e-5)
    torch.testing.assert_close(step.extra_state()["pool_b"], there(a).detach())
    assert "identity" not in learn(CycleGanStep(make_recipe(method="cyclegan", identity=0.0), CPU), batch, 1)


def test_the_weights_of_cyclegan_are_those_of_the_recipe() -> None:
    step = CycleGanStep(make_recipe(method="cyclegan", cycle=6.0, identity=0.25, structure=2.0), CPU)
    assert step._weights == {"cycle": 6.0, "identity": 1.5, "structure": 2.0}
    assert "structure" in learn(step, make_batch(), 1)


@pytest.mark.parametrize("method", ["fastcut", "cyclegan"])
def test_that_a_step_learns(method: str) -> None:
    step = make_translation_step(make_recipe(method=method, rate=2e-3, blend=True, patches=64), CPU)
    batch = make_batch()
    told = "nce" if method == "fastcut" else "cycle"
    losses = [learn(step, batch, number)[told] for number in range(30)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    for network in step.modules().values():
        assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("method", ["fastcut", "cyclegan"])
def test_rates_and_rows(method: str) -> None:
    step = make_translation_step(make_recipe(method=method, rate=0.01, betas=(0.4, 0.9)), CPU)
    learn(step, make_batch(), 1, factor=0.25)
    groups = [group for optimizer in step.optimizers().values() for group in optimizer.param_groups]
    assert [group["lr"] for group in groups] == [0.0025, 0.0025]
    assert {group["betas"] for group in groups} == {(0.4, 0.9)}
    held = {id(p) for group in groups for p in group["params"]}
    assert held == {id(p) for network in step.modules().values() for p in network.parameters()}
    batch = make_batch(3)
    rows = step.sample(batch).unflatten(0, (3, -1))
    torch.testing.assert_close(rows[:, 0], batch["a"])
    torch.testing.assert_close(rows[:, 1], step.modules()["generator"](batch["a"]))
    torch.testing.assert_close(rows[:, -1], batch["b"])


def test_that_pools_outlive_a_kill() -> None:
    recipe = make_recipe(method="cyclegan")
    step = CycleGanStep(recipe, CPU)
    assert step.extra_state() == {}
    for number in range(30):
        learn(step, make_batch(), number)
    state: Mapping[str, Tensor] = {name: images.clone() for name, images in step.extra_state().items()}
    assert {name: tuple(images.shape) for name, images in state.items()} == {
        "pool_a": (50, 3, 32, 32),
        "pool_b": (50, 3, 32, 32),
    }
    other = CycleGanStep(recipe, CPU)
    other.load_extra_state(state)
    assert all(torch.equal(images, state[name]) for name, images in other.extra_state().items())
    other.load_extra_state({})
    assert other.extra_state() == {}


@pytest.mark.parametrize("method", ["fastcut", "cyclegan"])
def test_what_is_exported(method: str, tmp_path: Path) -> None:
    recipe = make_recipe(method=method, steps=12, seed=5)
    step = make_translation_step(recipe, CPU)
    step.export(tmp_path)
    path = tmp_path / "translation.safetensors"
    with safe_open(path, framework="pt") as file:
        told = json.loads(file.metadata()["earthloom"])
    assert told["training"] == {
        "name": "small",
        "method": method,
        "steps": 12,
        "crop": 32,
        "seed": 5,
        "recipe": recipe.digest(),
        "from": recipe.from_.digest(),
        "to": recipe.to.digest(),
    }
    found, expected = load_translator(path).generator.state_dict(), step.modules()["generator"].state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_that_layers_which_are_not_there_are_refused() -> None:
    with pytest.raises(UsageError, match=r"nce_layers: .* got \[16\]. Leave these out, or raise `blocks`"):
        make_translation_step(make_recipe(nce_layers=[0, 16]), CPU)
