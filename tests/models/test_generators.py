"""Generators over real networks: what a name stands for, what lies over what, and that company changes nothing."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from tiny_models.stable import write_tiny_stable

from earthloom.core.errors import UsageError
from earthloom.core.records import Modality
from earthloom.models.generators.briefs import Brief, Generator
from earthloom.models.generators.choices import Over
from earthloom.models.generators.controls import fit_control
from earthloom.models.generators.opening import find_model, open_generator
from earthloom.models.generators.wording import word_brief
from earthloom.models.stable.control import make_controlnet, save_controlnet
from earthloom.models.stable.exports import Export, read_export, write_export
from earthloom.models.stable.lora import add_lora
from earthloom.models.stable.lora_files import DIFFUSERS_NAME, save_diffusers_lora, save_kohya_lora
from earthloom.models.stable.metadata import METADATA_NAME, MetadataTokens, save_metadata_tokens
from earthloom.models.stable.parts import open_stable
from earthloom.models.tiny.files import save_tiny
from earthloom.models.tiny.network import TinyUNet
from earthloom.models.tiny.shape import TinyShape

NAMES = {"modality": ["nir"], "scene": ["clear", "fog"], "label": ["forest"]}
_SMALL = {
    "side": 8, "width": 32, "growth": (1, 2), "text_width": 32, "text_layers": 1, "text_length": 8, "buckets": 256,
}  # fmt: skip
BRIEF = Brief(key="a", prompt="a river near the city", seed=5, width=32, height=32)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline, and over it two LoRA, a ControlNet for one channel, and a tiny painter that draws from a picture."""
    home = tmp_path_factory.mktemp("models")
    write_tiny_stable(home / "sd")
    base = open_stable(str(home / "sd")).origin
    for number, (name, save) in enumerate({"first": save_diffusers_lora, "second": save_kohya_lora}.items()):
        unet = open_stable(str(home / "sd"), parts=("unet",)).unet
        torch.manual_seed(number)
        for parameter in add_lora(unet, rank=2 + number, alpha=4.0, targets="attention", seed=number):
            torch.nn.init.normal_(parameter, std=0.2)
        (home / name).mkdir()
        save(home / name / DIFFUSERS_NAME, {"unet": unet}, {})
        export = Export(kind="lora", model=str(home / "sd"), base=base, size=32, metadata="text")
        write_export(home / name, export)
    (home / "told").mkdir()
    shutil.copy(home / "first" / DIFFUSERS_NAME, home / "told")
    write_export(home / "told", replace(export, metadata="embeddings"))
    save_metadata_tokens(home / "told" / METADATA_NAME, MetadataTokens(torch.randn(32)), {})
    torch.manual_seed(0)
    controlnet = make_controlnet(open_stable(str(home / "sd"), parts=("unet",)).unet, 1)
    for parameter in controlnet.controlnet_mid_block.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    (home / "control").mkdir()
    save_controlnet(controlnet, home / "control")
    write_export(home / "control", replace(export, kind="controlnet", metadata="none", modality="nir"))
    network = TinyUNet(TinyShape(side=16, width=32, growth=(1, 2), channels=1, control_channels=3))
    torch.nn.init.normal_(network.leave.weight, std=0.05)
    (home / "training" / "weights").mkdir(parents=True)
    (home / "training" / "recipe.yaml").touch()
    told = {"recipe": {"name": "toy", "guidance": 1.5}, "licence": "MIT", "names": NAMES, "modality": "nir"}
    save_tiny(home / "training" / "weights" / "tiny.safetensors", network, told)
    return home


def draw(generator: Generator, *briefs: Brief, guidance: float = 3.0) -> list[np.ndarray]:
    return [one.picture for one in generator.draw(briefs, steps=3, guidance=guidance)]


def draw_by_diffusers(home: Path, loras: dict[str, float]) -> np.ndarray:
    """The same picture by a plain pipeline with plain adapters."""
    import diffusers

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = diffusers.StableDiffusionPipeline.from_pretrained(str(home / "sd"), local_files_only=True)
        pipeline.set_progress_bar_config(disable=True)
        pipeline.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(
            pipeline.scheduler.config, timestep_spacing="trailing", final_sigmas_type="zero", steps_offset=0
        )
        for name in loras:
            pipeline.load_lora_weights(str(home / name), weight_name=DIFFUSERS_NAME, adapter_name=name)
        if loras:
            pipeline.set_adapters(list(loras), list(loras.values()))
        drawn = pipeline(
            BRIEF.prompt, num_inference_steps=3, guidance_scale=3.0, height=32, width=32, output_type="np",
            generator=torch.Generator().manual_seed(BRIEF.seed),
        )  # fmt: skip
    return np.asarray(drawn.images[0] * 255)


@pytest.mark.parametrize(
    ("model", "lora", "loras"),
    [
        ("sd", (), {}),
        ("first", (), {"first": 1.0}),
        ("sd", (("second", 0.5),), {"second": 0.5}),
        ("first", (("second", 0.25),), {"first": 1.0, "second": 0.25}),
    ],
)
def test_lora_draws_what_diffusers_draws(
    home: Path, model: str, lora: tuple[tuple[str, float], ...], loras: dict[str, float]
) -> None:
    over = Over(lora=tuple((str(home / name / DIFFUSERS_NAME), strength) for name, strength in lora))
    generator = open_generator(str(home / model), over=over)
    picture = draw(generator, BRIEF)[0]
    assert np.abs(picture - draw_by_diffusers(home, loras)).max() <= 1.01
    assert len(generator.about.origins) == 1 + len(loras)
    if loras:
        assert np.abs(picture - draw_by_diffusers(home, {})).mean() > 1.5
        assert len({origin.fingerprint for origin in generator.about.origins}) == 1 + len(loras)


@pytest.mark.parametrize("model", ["sd", "told", "control", "training"])
def test_company_and_order_change_no_bit(home: Path, model: str) -> None:
    generator = open_generator(str(home / model))
    channels = {"control": 1, "training": 3}.get(model)
    side = 16 if model == "training" else 32
    rng = np.random.default_rng(0)
    briefs = [
        replace(
            BRIEF, key=str(seed), seed=seed, prompt=f"{seed} lakes", gsd_m=10.0 * seed, width=side, height=side,
            control=None if channels is None else rng.integers(0, 255, (40, 50, channels), dtype=np.uint8),
        )
        for seed in (1, 2, 3)
    ]  # fmt: skip
    together = draw(generator, *briefs)
    alone = [draw(open_generator(str(home / model)), brief)[0] for brief in reversed(briefs)]
    for one, other in zip(together, reversed(alone), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({picture.tobytes() for picture in together}) == 3
    assert together[0].shape == (side, side, 1 if model in {"control", "training"} else 3)


def test_names_stand_for_what_they_are(home: Path) -> None:
    tiny = home / "training" / "weights" / "tiny.safetensors"
    assert find_model("tiny").place == ""
    for place, kind in {
        "sd": "pipeline",
        "first": "lora",
        "control": "controlnet",
        "training": "tiny",
    }.items():
        assert find_model(str(home / place)).kind == kind
    assert find_model(str(home / "training")) == find_model(str(tiny)) == find_model(str(tiny.parent))
    assert find_model("some/name").kind == "pipeline"


def test_what_draws_nothing_is_told(home: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "old.ckpt").touch()
    lora = str(home / "first" / DIFFUSERS_NAME)
    cases: list[tuple[str, Over, str]] = [
        (str(tmp_path), Over(), "a training that is not finished"),
        (str(tmp_path / "empty"), Over(), "holds nothing that draws"),
        (str(tmp_path / "old.ckpt"), Over(), "from_single_file"),
        (lora, Over(), f"holds a LoRA: name the Stable Diffusion it is for, and `--lora {lora}`"),
        ("no/such-model", Over(), "hf download no/such-model"),
        (str(home / "training"), Over(lora=((lora, 1.0),)), "--lora go with a Stable Diffusion"),
        (str(home / "sd"), Over(base="x"), "--base goes with a LoRA or a ControlNet of ours"),
        (str(home / "sd"), Over(lora=(("none.safetensors", 1.0),)), "there is no file none.safetensors"),
        (str(home / "sd"), Over(lora=((str(tmp_path / "old.ckpt"), 1.0),)), "a pickle can run any code"),
        (str(home / "control"), Over(controlnet=str(home / "control")), "is a ControlNet already"),
    ]
    for model, over, said in cases:
        with pytest.raises(UsageError) as told:
            open_generator(model, over=over)
        assert said in str(told.value)
    with pytest.raises(UsageError, match="tiny painters draw in float32"):
        open_generator(str(home / "training"), precision="bfloat16")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="torch finds no GPU"):
            open_generator(str(home / "sd"), device="cuda")


def test_another_base_is_told_of(home: Path, tmp_path: Path) -> None:
    other = write_tiny_stable(tmp_path / "other", prediction="v_prediction")
    generator = open_generator(str(home / "first"), over=Over(base=str(other)))
    assert generator.about.origins[0].name == "other"
    assert "trained over sd" in generator.about.notes[0]
    assert open_generator(str(home / "first")).about.notes == ()


def test_facts_reach_the_network_as_tokens(home: Path) -> None:
    generator = open_generator(str(home / "told"))
    assert "gsd_m" in generator.about.facts
    drawn = generator.draw(
        [BRIEF, replace(BRIEF, gsd_m=0.5), replace(BRIEF, gsd_m=30.0)], steps=2, guidance=1.0
    )
    assert {one.told for one in drawn} == {BRIEF.prompt}
    assert len({one.picture.tobytes() for one in drawn}) == 3


def test_facts_are_both_where_a_lora_was_trained_so(home: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(home / "told", tmp_path / "both"))
    export = read_export(folder)
    assert export is not None
    write_export(folder, replace(export, metadata="both", modality="nir", training={"name": "mine"}))
    generator = open_generator(str(folder))
    drawn = generator.draw([replace(BRIEF, gsd_m=30.0, modality="nir")], steps=1, guidance=1.0)
    assert drawn[0].told == f"{BRIEF.prompt}, 30 m per pixel"
    assert drawn[0].picture.shape == (32, 32, 1)
    assert [origin.name for origin in generator.about.origins] == ["sd", "mine"]


def test_facts_are_words_elsewhere(home: Path) -> None:
    brief = replace(BRIEF, gsd_m=10.0, date="2019-09", scene="heavy_rain", modality="sar", label="River")
    assert word_brief(brief) == "a river near the city, heavy rain, radar image, 10 m per pixel, 2019-09"
    assert word_brief(replace(brief, prompt="A lake. ")) == (
        "A lake, River, heavy rain, radar image, 10 m per pixel, 2019-09"
    )
    assert word_brief(replace(brief, prompt=""), says_facts=False) == "River, heavy rain, radar image"
    assert word_brief(BRIEF) == BRIEF.prompt
    generator = open_generator(str(home / "sd"))
    assert generator.about.facts == frozenset()
    drawn = generator.draw([brief, replace(BRIEF, prompt="lake " * 200)], steps=1, guidance=1.0)
    assert [one.is_cut for one in drawn] == [False, True]
    assert drawn[0].told == word_brief(brief)


@pytest.mark.parametrize(
    ("model", "change", "has_control", "said"),
    [
        ("sd", {"width": 36}, False, "multiples of 8, got 36x32"),
        ("sd", {}, True, "--controlnet FOLDER"),
        ("control", {}, False, "draws from a picture"),
        ("control", {"modality": "rgb"}, True, "draws nir alone, got rgb"),
        (
            "control",
            {"control": np.arange(48, dtype=np.uint8).reshape(4, 4, 3)},
            True,
            "1 channel, got one of 3",
        ),
        ("training", {}, False, "draws 16x16 pixels alone"),
        ("training", {"scene": "sand"}, False, "never shown 'sand'; it knows clear, fog"),
        ("training", {"negative": "fog"}, False, "knows no negative prompts"),
    ],
)
def test_what_a_model_cannot_do_is_told(
    home: Path, model: str, change: dict[str, Any], has_control: bool, said: str
) -> None:
    generator = open_generator(str(home / model))
    assert said in " ".join(generator.find_faults(replace(BRIEF, **change), has_control=has_control))


def test_pictures_to_draw_from_are_fitted() -> None:
    gray = np.full((8, 8, 1), 7, np.uint8)
    assert fit_control(replace(BRIEF, control=gray), 3).shape == (3, 32, 32)
    equal = np.repeat(gray, 3, axis=2)
    np.testing.assert_array_equal(
        fit_control(replace(BRIEF, control=equal, width=8, height=8), 1), gray.transpose(2, 0, 1)
    )
    # By areas: the mean of each block.
    fine = np.arange(4 * 4 * 2, dtype=np.uint8).reshape(4, 4, 2)
    coarse = fit_control(replace(BRIEF, control=fine, width=2, height=2), 2)
    wanted = fine.reshape(2, 2, 2, 2, 2).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(coarse - wanted).max() <= 0.5


def test_an_export_that_is_not_understood_is_refused(home: Path, tmp_path: Path) -> None:
    assert read_export(tmp_path) is None
    text = (home / "first" / "earthloom.json").read_text()
    for broken in (text.replace('"lora"', '"magic"'), text.replace('"size"', '"sise"'), "{", "[]"):
        (tmp_path / "earthloom.json").write_text(broken)
        with pytest.raises(UsageError):
            read_export(tmp_path)


def test_a_painter_that_was_taught_by_words_alone_is_told_words_alone(home: Path, tmp_path: Path) -> None:
    """Numbers of facts that were always withheld were never learned: telling them would be noise."""
    torch.manual_seed(0)
    network = TinyUNet(TinyShape.model_validate({**_SMALL, "channels": 3})).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    by_facts, by_words = tmp_path / "facts.safetensors", tmp_path / "words.safetensors"
    save_tiny(by_facts, network, {"recipe": {"drop_facts": 0.3}, "modality": "rgb"})
    save_tiny(by_words, network, {"recipe": {"drop_facts": 1.0}, "modality": "rgb"})
    facts, words = (open_generator(str(path), device="cpu") for path in (by_facts, by_words))
    assert "gsd_m" in facts.about.facts
    assert words.about.facts == frozenset()
    plain = replace(BRIEF, width=8, height=8)
    own = replace(plain, modality=Modality.RGB)
    (fault,) = words.find_faults(replace(own, gsd_m=10.0, scene="fog"), has_control=False)
    assert "gsd_m, scene" in fault
    assert "words alone" in fault
    assert not words.find_faults(own, has_control=False)
    np.testing.assert_array_equal(*(draw(words, brief)[0] for brief in (plain, own)))
    assert not np.array_equal(*(draw(facts, brief)[0] for brief in (plain, own)))
    np.testing.assert_array_equal(draw(words, plain)[0], draw(facts, plain)[0])
