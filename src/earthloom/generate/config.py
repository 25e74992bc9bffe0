"""What is asked of a generation. No torch here."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from earthloom.core.errors import UsageError
from earthloom.core.records import Modality
from earthloom.core.settings import Settings
from earthloom.core.text import is_whole, to_line

_DATE = re.compile(
    r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])([T ][0-9:.]+(Z|[+-][0-9:]+)?)?)?)?", re.ASCII
)
_KEY = re.compile(r"\w[\w.\-]*")
MAX_SEED = 2**63 - 1
"""Largest seed that torch's generators take as it is."""


def _clean(text: str) -> str:
    if not is_whole(text):
        raise ValueError("holds half a letter, which UTF-8 cannot write.")
    return to_line(text)


def _check_date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError("wants a year, a month or a day such as 2023, 2023-07 or 2023-07-14")
    return text


def _check_key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueError("names a file: wants letters, digits and _ . - alone, the first a letter or a digit")
    return text


Text = Annotated[str, AfterValidator(_clean)]
"""One line; what cannot be printed becomes a space."""
Date = Annotated[str, AfterValidator(_check_date)]
Key = Annotated[str, Field(min_length=1, max_length=150), AfterValidator(_check_key)]
Side = Annotated[int, Field(ge=8, le=8192)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


class Wanted(Settings):
    """What a picture is to show besides its prompt. What is not given is left open."""

    negative: Text = ""
    """What to lead away from."""
    gsd_m: float | None = Field(None, gt=0, le=1e5, allow_inf_nan=False)
    """Ground sample distance, metres."""
    modality: Modality | None = None
    """`rgb`, `nir` or `sar`."""
    scene: Text | None = Field(None, min_length=1)
    """Weather or light, such as `fog`; `clear` for none."""
    label: Text | None = Field(None, min_length=1)
    """Class of the whole picture."""
    lon: float | None = Field(None, ge=-180, le=180)
    """Degrees, WGS 84."""
    lat: float | None = Field(None, ge=-90, le=90)
    """Degrees, WGS 84."""
    date: Date | None = None
    """ISO 8601: a year, a month or a day."""
    cloud_share: float | None = Field(None, ge=0, le=1)
    """Share of the picture that clouds cover, 0 to 1."""
    control: str | None = Field(None, min_length=1)
    """File of a picture of the same ground to draw from."""

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if (self.lon is None) != (self.lat is None):
            raise ValueError("wants `lon` and `lat` together.")
        return self


class Wish(Wanted):
    """One prompt, with all that goes with it."""

    prompt: Text = ""
    """What the picture is to show, in words."""
    key: Key | None = None
    """Name of the picture's file; made of the prompt where there is none."""
    seed: Seed | None = None
    """Of this prompt's first picture; drawn from the run's seed and the key where there is none."""


class GenerateSettings(Wanted):
    """A generation: a model, prompts from one of three places, and how to draw."""

    model: str = Field(min_length=1)
    """`tiny`; weights, folder of a training or of an export; folder or name of a Stable Diffusion pipeline."""
    base: str | None = Field(None, min_length=1)
    """Stable Diffusion under a LoRA or ControlNet, instead of the one that it names."""
    revision: str = ""
    """Commit, tag or branch of a model of the Hub."""
    lora: tuple[str, ...] = ()
    """Files of LoRA weights to lay over the model, diffusers or kohya style; `FILE:0.8` for a scale."""
    controlnet: str | None = Field(None, min_length=1)
    """Folder of a ControlNet."""
    trust_pickles: bool = False
    """Also load weights that are no safetensors."""

    prompt: tuple[Text, ...] = ()
    """Prompts."""
    prompts: str | None = Field(None, min_length=1)
    """File of prompts: .txt, .jsonl, .csv, .yaml."""
    release: str | None = Field(None, min_length=1)
    """Release whose captions are prompts."""
    split: Literal["train", "val", "test"] | None = None
    """Of a release: this split; all where there is none."""
    style: str | None = Field(None, min_length=1)
    """Of a release: captions of this style; the first caption of any where there is none."""
    control_modality: Modality | None = None
    """Of a release: draw from the co-registered picture of this modality."""

    n: int = Field(1, ge=1, le=100_000)
    """Pictures of each prompt."""
    seed: Seed = 0
    """Another seed, other pictures."""
    limit: int | None = Field(None, ge=1)
    """Prompts at most: the first ones of a file; of a release, chosen by a hash of their names."""
    steps: int | None = Field(None, ge=1, le=1000)
    """Steps of denoising; the model's own number where there is none."""
    guidance: float | None = Field(None, ge=0, le=100)
    """How much further to go in the direction of the prompt; 1 is not at all. The model's own where there is none."""
    size: tuple[Side, Side] | None = None
    """Width and height, pixels; the model's own where there is none."""
    batch: int | None = Field(None, ge=1, le=1024)
    """Pictures drawn at once; they do not depend on it."""
    share: tuple[int, int] = (0, 1)
    """Which part of the pictures this process draws: number, from 0, and of how many."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; `auto` takes a GPU where there is one."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Numbers to compute with; `auto` is the model's own choice for the device."""
    sheets: int = Field(4, ge=0, le=1000)
    """Sheets of pictures with their prompts at most."""

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        n_places = sum(map(bool, (self.prompt, self.prompts, self.release)))
        if n_places != 1:
            raise ValueError(
                "wants prompts from one place: --prompt TEXT, --prompts FILE or --release FOLDER, got "
                f"{n_places or 'none'} of them."
            )
        own = {"--split": self.split, "--style": self.style, "--control-modality": self.control_modality}
        given = [name for name, value in own.items() if value is not None]
        if given and self.release is None:
            raise ValueError(f"{' and '.join(given)} go with --release.")
        if self.limit is not None and self.prompt:
            raise ValueError("--limit goes with --prompts or --release.")
        if self.control is not None and self.control_modality is not None:
            raise ValueError("wants one picture to draw from: --control or --control-modality.")
        if not 0 <= self.share[0] < self.share[1]:
            raise ValueError(
                f"--share: wants a part such as 0/4 to 3/4, got {self.share[0]}/{self.share[1]}."
            )
        return self


def parse_settings(*, size: str | None, share: str | None, **others: Any) -> GenerateSettings:
    """Make settings of what was typed: `512` or `768x512` for `size`, `0/4` for `share`, fields by name for the others.

    Raises `UsageError` that names every fault.
    """
    faults = []
    given = {name: value for name, value in others.items() if value is not None}
    if size is not None:
        sides = _split_numbers(size, "x")
        if sides is None:
            faults.append(f"--size: wants one side or WIDTHxHEIGHT such as 768x512, got {size!r}.")
        else:
            given["size"] = sides * 2 if len(sides) == 1 else sides
    if share is not None:
        part = _split_numbers(share, "/")
        if part is None or len(part) != 2:
            faults.append(f"--share: wants a part such as 0/4, the first of four, got {share!r}.")
        else:
            given["share"] = part
    try:
        settings = GenerateSettings(**given)
    except ValidationError as error:
        faults += [_say_fault(fault) for fault in error.errors()]
    if faults:
        raise UsageError("; ".join(dict.fromkeys(faults)))
    return settings


def _split_numbers(text: str, sign: str) -> tuple[int, ...] | None:
    parts = text.split(sign)
    return (
        tuple(map(int, parts))
        if len(parts) <= 2 and all(re.fullmatch(r"[0-9]+", part) for part in parts)
        else None
    )


def _say_fault(fault: Any) -> str:
    """A fault of pydantic's as a person would say it, by the name of the option."""
    names = {"gsd_m": "gsd", "cloud_share": "cloud"}
    problem = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return problem
    field = str(fault["loc"][0])
    return f"--{names.get(field, field.replace('_', '-'))}: {problem}, got {fault['input']!r}."
