"""The moving average of weights against its closed form."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from earthloom.train.averages import Averages, trained_parameters


def make_net(dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).to(dtype)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.floats(0.01, 0.9999))
def test_it_is_the_weighted_sum_that_it_stands_for(values: list[float], decay: float) -> None:
    """After n updates: the first weights times the product of all decays, and each later one times those after it."""
    net = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(net.weight, 3.0)
    averages = Averages({"net": net}, decay)
    for number, value in enumerate(values, 1):
        torch.nn.init.constant_(net.weight, value)
        averages.update(number)
    decays = [min(decay, (1 + n) / (10 + n)) for n in range(1, len(values) + 1)]
    wanted, after = 0.0, 1.0
    for each, value in zip(decays[::-1], values[::-1], strict=True):
        wanted += after * (1 - each) * value
        after *= each
    wanted += after * 3.0
    assert float(averages.values["net/weight"]) == pytest.approx(wanted, abs=1e-5)


def test_constant_decay_forgets_exponentially() -> None:
    """Once its cap is reached: weights that stay at 0 leave d ** n of what was."""
    net = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(net.weight, 1.0)
    averages = Averages({"net": net}, 0.5)
    torch.nn.init.constant_(net.weight, 0.0)
    for number in range(100, 110):
        averages.update(number)
    assert float(averages.values["net/weight"]) == pytest.approx(0.5**10, rel=1e-6)


def test_within_the_block_averages_stand_where_weights_do() -> None:
    net = make_net()
    averages = Averages({"net": net}, 0.9)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(1.0)
    with pytest.raises(ZeroDivisionError), averages.in_place():
        for name, parameter in net.named_parameters():
            torch.testing.assert_close(parameter.detach(), before[name])
        raise ZeroDivisionError
    for name, parameter in net.named_parameters():
        assert torch.equal(parameter.detach(), before[name] + 1.0)


def test_what_is_not_trained_has_no_average() -> None:
    net = make_net()
    net[0].requires_grad_(requires_grad=False)  # type: ignore[index]
    averages = Averages({"net": net}, 0.9)
    assert set(averages.values) == {"net/1.weight", "net/1.bias"}
    assert set(trained_parameters({"a": net, "b": net})) == {
        "a/1.weight",
        "a/1.bias",
        "b/1.weight",
        "b/1.bias",
    }
    assert Averages({"net": net}, None).values == {}


def test_a_shared_weight_has_one_average() -> None:
    net = torch.nn.ModuleDict({"first": torch.nn.Linear(2, 2), "second": torch.nn.Linear(2, 2)})
    net["second"].weight = net["first"].weight
    assert set(Averages({"net": net}, 0.9).values) == {
        "net/first.weight",
        "net/first.bias",
        "net/second.bias",
    }


def test_half_weights_have_a_whole_average() -> None:
    """Small steps do not get lost: 0.999 in bfloat16 would forget nothing at all."""
    net = make_net(torch.bfloat16)
    averages = Averages({"net": net}, 0.999)
    assert {value.dtype for value in averages.values.values()} == {torch.float32}
    torch.nn.init.constant_(net[0].weight, 1.0)  # type: ignore[index, arg-type]
    before = averages.values["net/0.weight"].clone()
    averages.update(1_000_000)
    wanted = before + (1.0 - before) * 0.001
    torch.testing.assert_close(averages.values["net/0.weight"], wanted, atol=1e-7, rtol=0)
    with averages.in_place():
        assert net[0].weight.dtype == torch.bfloat16  # type: ignore[index]


def test_averages_are_taken_back() -> None:
    net = make_net()
    averages, others = (Averages({"net": net}, 0.9) for _ in range(2))
    torch.nn.init.constant_(net[0].weight, 5.0)  # type: ignore[index, arg-type]
    averages.update(1)
    others.load(averages.values)
    for name, value in averages.values.items():
        assert torch.equal(others.values[name], value)
    with pytest.raises(KeyError):
        others.load({})
