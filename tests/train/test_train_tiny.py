"""A tiny painter is trained: what it learns from, that it learns it, and that a killed training goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml
from lora_releases import LOOKS, write_release
from pair_release import paint_ground, to_nir, write_pair_release

from earthloom.core.errors import UsageError
from earthloom.core.records import Effect, Label
from earthloom.models.tiny.drawing import make_schedule
from earthloom.models.tiny.facts import Facts, encode_facts
from earthloom.models.tiny.files import load_tiny
from earthloom.models.tiny.painter import Request
from earthloom.models.tiny.text import read_text
from earthloom.store.stream.sample import Sample, Words
from earthloom.train.pictures import Square
from earthloom.train.step import Batch, Made, Setting, Update
from earthloom.train.tiny.config import TinyRecipe
from earthloom.train.tiny.making import make_tiny
from earthloom.train.tiny.preparing import Preparation, jitter_levels, list_names
from earthloom.train.tiny.step import TinyStep, shift_steps, tell, to_pictures
from earthloom.train.training import train

SMALL: dict[str, Any] = {
    "train": "tiny",
    "name": "small",
    "data": {"release": "release", "split": ["train"]},
    "validate": {"release": "release", "split": ["val"]},
    "side": 8, "width": 32, "growth": [1, 2], "text_width": 32, "text_layers": 1, "text_length": 8, "buckets": 256,
    "batch": 4, "steps": 6, "warmup": 2, "rate": 3e-3, "checkpoint_every": 2, "sample_every": 6, "validate_every": 3,
    "sample_steps": 2, "shown": 2, "device": "cpu", "threads": 1, "storage": "float32",
    "licence": "CC0", "credit": "nobody",
}  # fmt: skip


def make_recipe(**changes: Any) -> TinyRecipe:
    return TinyRecipe.model_validate(SMALL | changes)


def make_sample(side: int = 32, **changes: Any) -> Sample:
    given = {
        "key": "k", "base_key": "k", "group": "k", "pair_key": None,
        "image": cv2.imencode(".png", paint_ground(3, side)[:, :, ::-1])[1].tobytes(),
        "captions": (Words(text="a river", style="plain"), Words(text="water, 10 m", style="mmm_rs")),
        "modality": "rgb", "gsd_m": 10.0,
    }  # fmt: skip
    return Sample(**(given | changes))


def make_preparation(**square: Any) -> Preparation:
    return Preparation(shape=make_recipe().shape(), square=Square(**({"side": 8} | square)))


def prepare(preparation: Preparation, sample: Sample, seed: int = 0) -> Mapping[str, Any]:
    return preparation.prepare(sample, np.random.default_rng(seed))


def test_words_and_facts_of_a_sample_are_told() -> None:
    effect = Effect(name="fog", severity="light", is_visible=True, params="{}", seed=1)
    sample = make_sample(
        lon=8.0, lat=50.0, acquired="2019-09-04", cloud_share=0.1, effect=effect,
        labels=(Label(name="river", kind="class", origin="x"), Label(name="ship", kind="object", origin="x")),
    )  # fmt: skip
    arrays = prepare(make_preparation(), sample)
    facts = Facts(
        modality="rgb", scene="fog", label="river", gsd_m=40.0, lon=8.0, lat=50.0, date="2019-09", cloud_share=0.1
    )  # fmt: skip
    expected = encode_facts(facts)  # 32 pixels became 8: a pixel is 40 m
    assert np.array_equal(arrays["names"], expected.names)
    np.testing.assert_allclose(arrays["measures"], expected.measures, rtol=1e-6)
    assert arrays["known"].all()
    texts = [read_text(words.text, 8, 256).tokens for words in sample.captions]
    drawn = {prepare(make_preparation(), sample, seed)["tokens"].tobytes() for seed in range(20)}
    assert drawn == {text.tobytes() for text in texts}


def test_what_is_not_known_is_not_told() -> None:
    arrays = prepare(make_preparation(), make_sample(modality=None, gsd_m=None, captions=()))
    assert arrays["known"].tolist() == [False, True, False, False, False, False, False]  # no effect: clear
    assert np.array_equal(arrays["tokens"], read_text("", 8, 256).tokens)


@pytest.mark.parametrize(
    ("square", "side", "gsd_m"),
    [({"scale": False}, 32, 10.0), ({}, 32, 40.0), ({}, 4, 10.0)],
    ids=["cut", "scaled down", "scaled up"],
)
def test_ground_sample_distance_is_that_of_what_is_seen(
    square: dict[str, Any], side: int, gsd_m: float
) -> None:
    arrays = prepare(make_preparation(**square), make_sample(side))
    np.testing.assert_allclose(
        arrays["measures"], encode_facts(Facts(gsd_m=gsd_m)).measures, rtol=1e-6, atol=1e-6
    )


def test_only_captions_of_the_styles_asked_for_are_read() -> None:
    preparation = Preparation(shape=make_recipe().shape(), square=Square(side=8), styles=("mmm_rs",))
    drawn = {prepare(preparation, make_sample(), seed)["tokens"].tobytes() for seed in range(10)}
    assert drawn == {read_text("water, 10 m", 8, 256).tokens.tobytes()}


def test_pairs_are_cut_and_turned_alike() -> None:
    recipe = make_recipe(control={"release": "release", "modality": "nir"}, validate=None)
    preparation = Preparation(
        shape=recipe.shape(), square=Square(side=8, scale=False, is_random=True, turn=True)
    )
    nir = cv2.imencode(".png", to_nir(paint_ground(3, 32)))[1].tobytes()
    seen = set()
    for seed in range(12):
        pair = (make_sample(), make_sample(image=nir, modality="nir"))
        arrays = preparation.prepare_pair(pair, np.random.default_rng(seed))
        assert arrays["control"].shape == (1, 8, 8)
        assert np.array_equal(arrays["control"][0], 255 - arrays["image"][1])
        seen.add(arrays["image"].tobytes())
    assert len(seen) == 12


def test_jitter_changes_contrast_and_brightness_of_each_channel_by_itself() -> None:
    picture = np.ascontiguousarray(paint_ground(3, 64).transpose(2, 0, 1)) // 2 + 64  # nothing is clipped
    gains, moves = [], []
    for seed in range(200):
        jittered = jitter_levels(picture, 0.3, np.random.default_rng(seed))
        for before, after in zip(picture.astype(float), jittered.astype(float), strict=True):
            gain, offset = np.polyfit(before.ravel(), after.ravel(), 1)
            assert np.abs(after - gain * before - offset).max() < 1.1  # a line through rounded levels
            gains.append(gain)
            moves.append(gain * before.mean() + offset - before.mean())
    assert np.exp(-0.3) - 0.01 < min(gains) < 0.78
    assert 1.30 < max(gains) < np.exp(0.3) + 0.01
    assert -38.8 < min(moves) < -34.0
    assert 34.0 < max(moves) < 38.8  # 0.3 of 127.5
    assert abs(np.corrcoef(np.reshape(gains, (-1, 3)).T)[0, 1]) < 0.25


def test_without_jitter_nothing_is_changed_and_nothing_drawn() -> None:
    picture, rng = np.full((3, 4, 4), 7, np.uint8), np.random.default_rng(5)
    assert jitter_levels(picture, 0.0, rng) is picture
    assert rng.random() == np.random.default_rng(5).random()


def test_jitter_is_for_what_is_drawn_from_while_learning_alone(tmp_path: Path) -> None:
    write_pair_release(tmp_path / "release", side=16, n_train=8, n_val=1)
    nir, rgb = ({"release": "release", "modality": name, "split": ["train"]} for name in ("nir", "rgb"))
    given = {"data": nir, "control": rgb, "validate": None, "side": 16, "scale": False}
    plain, jittered = (make_small(tmp_path, **given, control_jitter=most)[0].batches for most in (0.0, 0.5))
    learnt, shown = (plain.draw(1), jittered.draw(1)), (plain.show(), jittered.show())
    assert torch.equal(learnt[0]["image"], learnt[1]["image"])
    assert not torch.equal(learnt[0]["control"], learnt[1]["control"])
    assert torch.equal(shown[0]["control"], shown[1]["control"])


def test_names_are_listed_for_those_who_ask_later() -> None:
    river, sea = (Label(name=name, kind="class", origin="x") for name in ("river", "sea lake"))
    found = list_names([make_sample(labels=(sea,)), make_sample(labels=(river,), modality=None)])
    assert found == {"label": ["river", "sea lake"], "modality": ["rgb"], "scene": ["clear"]}


class Broken(Exception):
    """What a power cut is to a training."""


class BreaksAt(TinyStep):
    """Fails in one step."""

    number = 0

    def learn(self, batch: Batch, number: int, update: Update) -> Mapping[str, torch.Tensor]:
        if number == self.number:
            raise Broken
        return super().learn(batch, number, update)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_training_that_broke_goes_on_to_the_same_bytes(
    tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_release(tmp_path)
    recipe = make_recipe(precision=precision)
    train(recipe, tmp_path / "whole", base=tmp_path)
    monkeypatch.setattr("earthloom.train.tiny.making.TinyStep", BreaksAt)
    for number in (2, 4, 6):
        monkeypatch.setattr(BreaksAt, "number", number)
        with pytest.raises(Broken):
            train(recipe, tmp_path / "broken", base=tmp_path)
    monkeypatch.setattr(BreaksAt, "number", 0)
    summary = train(recipe, tmp_path / "broken", base=tmp_path)
    assert summary.resumed_from == 4
    first, second = (tmp_path / name / "weights" / "tiny.safetensors" for name in ("whole", "broken"))
    assert first.read_bytes() == second.read_bytes()
    assert summary.held["loss"] > 0
    told = load_tiny(first).training
    assert (told["licence"], told["credit"], told["modality"]) == ("CC0", "nobody", "rgb")
    assert str(tmp_path) not in str(told)


@pytest.mark.slow
def test_a_training_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    write_release(tmp_path)
    plain = SMALL | {"steps": 400, "checkpoint_every": 5, "sample_every": 400, "validate_every": 100}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(plain))
    words = [sys.executable, "-m", "earthloom", "train", "small.yaml", "--quiet", "-o"]
    subprocess.run([*words, "whole"], cwd=tmp_path, check=True, capture_output=True)
    checkpoints = tmp_path / "killed" / "checkpoints"
    with subprocess.Popen([*words, "killed"], cwd=tmp_path) as child:
        deadline = time.monotonic() + 200
        while not list(checkpoints.glob("*.safetensors")):
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child.kill()
    assert child.returncode == -signal.SIGKILL
    again = train(TinyRecipe.model_validate(plain), tmp_path / "killed", base=tmp_path)
    assert 0 < again.resumed_from < 400
    for name in ("weights/tiny.safetensors", "losses.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def make_small(tmp_path: Path, **changes: Any) -> tuple[Made, list[str]]:
    said: list[str] = []
    setting = Setting(
        base=tmp_path, device=torch.device("cpu"), dtype=torch.float32, share=_share(), folder=tmp_path / "t",
        say=said.append,
    )  # fmt: skip
    torch.manual_seed(0)
    return make_tiny(make_recipe(**changes), setting), said


def _share() -> Any:
    from earthloom.train.step import Share

    return Share()


def test_samples_stand_beside_what_is_real(tmp_path: Path) -> None:
    write_release(tmp_path)
    made, _ = make_small(tmp_path)
    batch = made.batches.show()
    with torch.no_grad():
        sheet = made.step.sample(batch)
    assert sheet is not None
    assert sheet.shape == (2 * 4, 3, 8, 8)
    torch.testing.assert_close(sheet[::4], to_pictures(batch["image"]))
    assert sheet.abs().max() <= 1


def test_held_out_losses_are_the_same_every_time_and_follow_min_snr(tmp_path: Path) -> None:
    write_release(tmp_path)
    plain, weighted = (make_small(tmp_path, min_snr=cap)[0] for cap in (None, 5.0))
    batch = plain.batches.held()[0]

    def measure(made: Made) -> float:
        torch.manual_seed(1)
        with torch.no_grad():
            return float(made.step.measure(batch)["loss"])

    assert measure(plain) == measure(plain)
    assert 0 < measure(weighted) < measure(plain)  # all weights of a velocity are under 1


def test_first_loss_is_the_mean_square_of_the_velocity(tmp_path: Path) -> None:
    """Before training it draws nothing, so the error is that of zero: a share of noise and one of the picture."""
    write_release(tmp_path)
    made, _ = make_small(tmp_path)
    batch = {
        name: value.repeat(64, *[1] * (value.ndim - 1)) for name, value in made.batches.held()[0].items()
    }
    assert isinstance(made.step, TinyStep)
    torch.manual_seed(1)
    with torch.no_grad():
        loss = float(made.step.measure(batch)["loss"])
        levels = made.step.modules()["network"].to_levels(to_pictures(batch["image"]))  # type: ignore[operator]
    assert loss == pytest.approx(0.5 + 0.5 * float(levels.square().mean()), rel=0.05)


@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_shifted_steps_have_so_many_times_more_noise(factor: float) -> None:
    schedule = make_schedule(torch.device("cpu"))
    t = torch.arange(300, 700)
    shifted = shift_steps(t, schedule.n_steps, factor)
    ratio = (schedule.snr(t) / schedule.snr(shifted)).sqrt()
    torch.testing.assert_close(
        ratio, torch.full_like(ratio, factor), rtol=0.03, atol=0
    )  # whole steps, and an offset
    everything = torch.arange(1000)
    assert shift_steps(everything, 1000, 100.0).max() == 999
    assert torch.equal(shift_steps(everything, 1000, 1.0), everything)


def test_levels_are_measured_of_what_is_learnt_from(tmp_path: Path) -> None:
    write_release(tmp_path)
    made, _ = make_small(tmp_path)
    pictures = torch.cat(
        [to_pictures(made.batches.draw(number)["image"]) for number in range(1, 4)]
    )  # one epoch
    levels = made.step.modules()["network"].to_levels(pictures)  # type: ignore[operator]
    torch.testing.assert_close(levels.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=0.02)
    torch.testing.assert_close(levels.std((0, 2, 3)), torch.ones(3), rtol=0.02, atol=0)


def test_levels_are_measured_of_what_is_drawn_from(tmp_path: Path) -> None:
    write_pair_release(tmp_path / "release", side=16, n_train=32, n_val=1)
    made, _ = make_small(
        tmp_path,
        data={"release": "release", "modality": "nir", "split": ["train"]},
        control={"release": "release", "modality": "rgb", "split": ["train"]},
        validate=None, batch=32, turn=False,
    )  # fmt: skip
    told = tell(made.batches.draw(1))
    assert told.control is not None
    network = made.step.modules()["network"]
    seen: list[torch.Tensor] = []
    network.enter.register_forward_pre_hook(lambda layer, given: seen.append(given[0]))  # type: ignore[union-attr]
    network(torch.zeros(32, 1, 8, 8), torch.full((32,), 0.5), told)
    entered = torch.nn.functional.pixel_shuffle(seen[0], 2)
    torch.testing.assert_close(entered[:, 1:4].mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=0.05)
    torch.testing.assert_close(entered[:, 1:4].std((0, 2, 3)), torch.ones(3), rtol=0.05, atol=0)
    assert (entered[:, 4] == 1).all()


def test_shares_of_what_is_withheld(tmp_path: Path) -> None:
    write_release(tmp_path)
    made, _ = make_small(tmp_path, drop=0.2, drop_facts=0.0, drop_all=0.5)
    told = tell(
        {name: value.repeat(2000, *[1] * (value.ndim - 1)) for name, value in made.batches.draw(1).items()}
    )
    assert isinstance(made.step, TinyStep)
    torch.manual_seed(0)
    kept = made.step._withhold(told)
    has_words = (kept.tokens[:, 1:, 0] > 0).any(1)
    assert has_words.float().mean().item() == pytest.approx(0.5 * 0.8, abs=0.02)
    scenes = kept.known[:, 1]
    assert scenes.float().mean().item() == pytest.approx(0.5 * 0.8, abs=0.02)
    assert (has_words & scenes).float().mean().item() == pytest.approx(0.5 * 0.64, abs=0.02)


def test_held_out_pairs_want_both_halves(tmp_path: Path) -> None:
    write_release(tmp_path)
    with pytest.raises(UsageError, match="validate_control"):
        make_small(tmp_path, control={"release": "release", "modality": "nir"})


@pytest.mark.slow
@pytest.mark.timeout(1200)  # 22 s of a core of its own, which it may have to share with many
def test_it_learns_to_draw_what_words_say(tmp_path: Path) -> None:
    """Three looks told apart by words alone: each prompt gives the colour of its own."""
    write_release(tmp_path, n=24)
    recipe = make_recipe(
        steps=250, batch=16, checkpoint_every=250, sample_every=250, validate_every=250, ema=0.98
    )
    summary = train(recipe, tmp_path / "t", base=tmp_path)
    assert summary.losses["loss"] < 0.7
    painter = load_tiny(tmp_path / "t" / "weights" / "tiny.safetensors")
    for look, colour in LOOKS.items():
        requests = [Request(prompt=f"a satellite image of {look}", key=f"{look} {k}") for k in range(8)]
        means = painter.draw(requests, steps=10).mean((1, 2))
        distances = {
            other: np.abs(means - np.array(LOOKS[other])).mean(1) for other in LOOKS if other != look
        }
        own = np.abs(means - np.array(colour)).mean(1)
        assert np.mean([own < distance for distance in distances.values()]) > 0.9, look


@pytest.mark.slow
def test_it_learns_to_draw_from_another_picture(tmp_path: Path) -> None:
    """Near infrared that follows from green: drawn from RGB of unseen grounds, it correlates with the truth."""
    write_pair_release(tmp_path / "release", side=16, n_train=64, n_val=8)
    recipe = make_recipe(
        data={"release": "release", "modality": "nir", "split": ["train"]},
        control={"release": "release", "modality": "rgb", "split": ["train"]},
        validate=None, steps=300, batch=16, checkpoint_every=300, sample_every=300, ema=0.98, growth=[1], patch=1,
    )  # fmt: skip
    train(recipe, tmp_path / "t", base=tmp_path)
    painter = load_tiny(tmp_path / "t" / "weights" / "tiny.safetensors")
    grounds = [
        cv2.resize(paint_ground(number, 16), (8, 8), interpolation=cv2.INTER_AREA) for number in range(64, 72)
    ]
    drawn = painter.draw(
        [Request(control=ground, modality="nir", key=str(k)) for k, ground in enumerate(grounds)],
        guidance=1.0,
    )
    truth = np.stack([to_nir(ground) for ground in grounds])
    assert np.corrcoef(drawn.ravel(), truth.ravel())[0, 1] > 0.8
