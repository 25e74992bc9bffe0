"""What is saved comes back to the last bit, and what does not fit says so."""

from __future__ import annotations

import copy
import json
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch.amp import GradScaler
from training_folders import make_recipe
from training_steps import TinyStep, learn

from earthloom.core.errors import RunError, WriteError
from earthloom.store.layout import TrainingFolder
from earthloom.train.averages import Averages
from earthloom.train.checkpoints import Mark, list_checkpoints, load_checkpoint, read_mark, save_checkpoint
from earthloom.train.step import Batch, Update

CPU = torch.device("cpu")


def make_mark(step: int) -> Mark:
    return Mark(step=step, settings={"rate": 0.1, "nce_layers": [0, 4]}, pictures="abc", origins=[], world=1)


def make_step(seed: int, updates: int = 0) -> TinyStep:
    torch.manual_seed(seed)
    step = TinyStep(make_recipe(), CPU)
    for number in range(updates):
        learn(step, {name: torch.rand(2, 3, 32, 32) * 2 - 1 for name in "ab"}, number)
    return step


def save(home: TrainingFolder, step: Any, mark: Mark, *, keep: int, averages: Averages | None = None) -> Path:
    return save_checkpoint(
        home, step, averages or Averages({}, None), GradScaler("cpu", enabled=False), mark, keep=keep
    )


def load(path: Path, step: Any, averages: Averages | None = None) -> Mark:
    return load_checkpoint(path, step, averages or Averages({}, None), GradScaler("cpu", enabled=False))


class OneStep:
    """Networks and optimisers as a test wants them."""

    def __init__(self, module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.module, self.optimizer = module, optimizer

    def modules(self) -> Mapping[str, torch.nn.Module]:
        return {"net": self.module}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"main": self.optimizer}

    def extra_state(self) -> Mapping[str, torch.Tensor]:
        return {}

    def load_extra_state(self, state: Mapping[str, torch.Tensor]) -> None:
        assert not state

    def learn(self, batch: Batch, number: int, update: Update) -> Mapping[str, torch.Tensor]:
        loss = (self.module(batch["a"]) ** 2).mean()
        update("main", loss)
        return {"loss": loss.detach()}

    def measure(self, batch: Batch) -> Mapping[str, torch.Tensor]:
        raise AssertionError

    def sample(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        raise AssertionError

    def export(self, folder: Path) -> None:
        raise AssertionError


def test_everything_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    home = TrainingFolder(tmp_path)
    trained, other = make_step(0, updates=3), make_step(1, updates=1)
    path = save(home, trained, make_mark(3), keep=1)
    assert load(path, other) == make_mark(3) == read_mark(path)
    for name, module in trained.modules().items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, other.modules()[name].state_dict()[key]), key
    for name, optimizer in trained.optimizers().items():
        assert_same(optimizer.state_dict(), other.optimizers()[name].state_dict())
    assert torch.equal(trained.pool, other.pool)
    batch = {name: torch.rand(1, 3, 32, 32) for name in "ab"}
    losses = []
    for step in (trained, other):
        torch.manual_seed(5)
        losses.append([learn(step, batch, n) for n in range(4)])
    assert losses[0] == losses[1]


def assert_same(first: object, second: object) -> None:
    """Equal values of equal types, tensors bit by bit."""
    assert type(first) is type(second)
    if isinstance(first, torch.Tensor):
        assert isinstance(second, torch.Tensor)
        assert first.dtype == second.dtype
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert isinstance(second, dict)
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, list | tuple):
        assert isinstance(second, list | tuple)
        assert len(first) == len(second)
        for one, two in zip(first, second, strict=True):
            assert_same(one, two)
    else:
        assert first == second


@pytest.mark.parametrize("kind", ["adam", "amsgrad", "adamw", "sgd", "rmsprop", "fresh"])
def test_optimisers_of_every_kind(kind: str, tmp_path: Path) -> None:
    def make() -> OneStep:
        torch.manual_seed(3)
        net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(4, 1, 3).double().float())
        groups = [{"params": net[0].parameters(), "lr": 0.01}, {"params": net[1].parameters(), "lr": 0.02}]
        optimizers = {
            "adam": lambda: torch.optim.Adam(groups, betas=(0.5, 0.999)),
            "fresh": lambda: torch.optim.Adam(groups),
            "amsgrad": lambda: torch.optim.Adam(groups, amsgrad=True, weight_decay=0.1),
            "adamw": lambda: torch.optim.AdamW(groups),
            "sgd": lambda: torch.optim.SGD(groups, momentum=0.9, nesterov=True),
            "rmsprop": lambda: torch.optim.RMSprop(groups, momentum=0.1, centered=True),
        }
        return OneStep(net, optimizers[kind]())

    batch = {"a": torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(1))}
    trained, other = make(), make()
    for number in range(0 if kind == "fresh" else 3):
        learn(trained, batch, number)
    before = copy.deepcopy(trained.optimizer.state_dict())
    load(save(TrainingFolder(tmp_path), trained, make_mark(1), keep=1), other)
    assert_same(before, other.optimizer.state_dict())
    for number in range(2):
        assert learn(trained, batch, number) == learn(other, batch, number)


def test_shared_weights_are_saved(tmp_path: Path) -> None:
    def make(seed: int) -> OneStep:
        torch.manual_seed(seed)
        net = torch.nn.Sequential(torch.nn.Linear(3, 3, bias=False), torch.nn.Linear(3, 3, bias=False))
        net[1].weight = net[0].weight
        return OneStep(net, torch.optim.SGD(net.parameters(), lr=0.1))

    first, second = make(0), make(1)
    load(save(TrainingFolder(tmp_path), first, make_mark(1), keep=1), second)
    x = torch.rand(2, 3)
    assert torch.equal(first.module(x), second.module(x))


def test_equal_states_give_equal_bytes(tmp_path: Path) -> None:
    paths = [
        save(TrainingFolder(tmp_path / str(n)), make_step(0, updates=2), make_mark(2), keep=1)
        for n in range(4)
    ]
    assert len({path.read_bytes() for path in paths}) == 1


def test_the_newest_are_kept(tmp_path: Path) -> None:
    home = TrainingFolder(tmp_path)
    for number in (9, 10, 999_999, 1_000_000):
        save(home, make_step(0), make_mark(number), keep=2)
    assert list_checkpoints(home) == [home.checkpoint(999_999), home.checkpoint(1_000_000)]


def test_what_is_not_finite_is_not_saved(tmp_path: Path) -> None:
    home = TrainingFolder(tmp_path)
    step = make_step(0, updates=1)
    save(home, step, make_mark(1), keep=1)
    with torch.no_grad():
        step.critic.weight[0, 0, 0, 0] = float("inf")
    with pytest.raises(
        RunError, match="After step 2 modules/critic/weight holds numbers that are not finite"
    ):
        save(home, step, make_mark(2), keep=1)
    assert list_checkpoints(home) == [home.checkpoint(1)]


def test_another_network_does_not_fit(tmp_path: Path) -> None:
    path = save(TrainingFolder(tmp_path), make_step(0), make_mark(1), keep=1)
    wider = TinyStep(make_recipe(width=12), CPU)
    with pytest.raises(RunError, match=r"does not fit what the recipe trains(.|\n)*--fresh"):
        load(path, wider)
    net = torch.nn.Conv2d(3, 1, 3)
    with pytest.raises(RunError, match="does not fit"):
        load(path, OneStep(net, torch.optim.SGD(net.parameters())))


def test_other_files_are_no_checkpoints(tmp_path: Path) -> None:
    foreign, text, newer = (tmp_path / name for name in ("foreign", "text", "newer"))
    save_file({"x": torch.zeros(1)}, foreign)
    text.write_text("hello")
    save_file({"x": torch.zeros(1)}, newer, {"earthloom": json.dumps({"format": 3})})
    for path in (foreign, text, tmp_path / "none"):
        with pytest.raises(RunError, match="is no checkpoint that can be read"):
            read_mark(path)
    with pytest.raises(RunError, match="is of format 3, this version reads 2"):
        read_mark(newer)


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    home = TrainingFolder(tmp_path)
    step = make_step(0, updates=1)
    save(home, step, make_mark(1), keep=1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(WriteError, match=r"Could not write .*step-000000002.* Raise the limit"):
            save(home, step, make_mark(2), keep=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in home.checkpoints.iterdir()] == ["step-000000001.safetensors"]
    load(home.checkpoint(1), make_step(1))


def test_moments_lie_in_memory_as_weights_do(tmp_path: Path) -> None:
    """A fused update pairs numbers by their place in memory: after a resume these have to be the same ones."""

    def make(seed: int) -> OneStep:
        torch.manual_seed(seed)
        net = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return OneStep(net, torch.optim.AdamW(net.parameters(), lr=0.1, fused=True))

    whole, again = make(0), make(1)
    batch = {"a": torch.rand(2, 3, 8, 8)}
    learn(whole, batch, 1)
    load(save(TrainingFolder(tmp_path), whole, make_mark(1), keep=1), again)
    for step in (whole, again):
        learn(step, batch, 2)
    assert torch.equal(whole.module.weight, again.module.weight)
    plain = make(0)
    plain.optimizer = torch.optim.AdamW(plain.module.parameters(), lr=0.1, foreach=False)
    for number in (1, 2):
        learn(plain, batch, number)
    torch.testing.assert_close(again.module.weight, plain.module.weight, rtol=0, atol=1e-6)
