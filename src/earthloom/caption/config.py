"""What a recipe may say about captions."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from earthloom.core.ids import hash_json
from earthloom.core.settings import Settings

Style = Literal["mmm_rs", "enriched", "subject", "gaia", "plain"]
Writer = Literal["rules", "blip2", "chat"]

BUILT_IN_PROMPT = "gaia-1"
"""The prompt files that ship with earthloom."""


def _as_list(value: Any) -> Any:
    """`with: rules` is short for a list of one."""
    return (value,) if isinstance(value, str) else value


class Price(Settings):
    """What a model costs, in the currency of the budget."""

    input: float = Field(ge=0, le=1e6)
    """For a million tokens read, those of images among them."""
    output: float = Field(ge=0, le=1e6)
    """For a million tokens written."""
    batch: float = Field(0.5, ge=0, le=1)
    """Factor of both for requests that go as a batch file."""


class Limits(Settings):
    """How fast an endpoint is asked, and when to stop. Nothing here changes a caption."""

    budget: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Most that the ledger may come to, in the currency of `prices`, what earlier runs spent counted in. The run stops
    before the request that could exceed it."""
    requests: int | None = Field(None, ge=1)
    """Most requests that may be sent in all, those of earlier runs counted in."""
    in_flight: int = Field(64, ge=1, le=1024)
    """Most requests under way at a time. The number grows from 4, with a budget from 1, while the server keeps up, and
    is halved when it answers 429 or 503."""
    requests_per_minute: float | None = Field(None, gt=0)
    """Rate that is never exceeded, whatever the server takes."""
    tokens_per_minute: float | None = Field(None, gt=0)
    """Rate of tokens, read and written, as estimated before each request."""
    tries: int = Field(6, ge=1, le=20)
    """How often one request is sent when the server answers 408, 409, 429, 5xx, cuts its answer short or is silent."""
    backoff_s: float = Field(1.0, ge=0, le=60)
    """Pause before the second try; it doubles with each (at most 60 s) and is drawn at random around that, unless the
    server says with Retry-After when to come back."""
    timeout_s: float = Field(120.0, gt=0, le=3600)
    """Longest time for one try, from sending to the last byte of the answer."""
    give_up_after: int = Field(50, ge=1)
    """Stop the run after so many requests in a row that failed for good: the server, not the pictures, is at fault."""


class ChatSettings(Settings):
    """A vision-language model behind an endpoint that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, ..."""

    model: str = Field(min_length=1, max_length=200)
    """Name of the model, with its date where it has one: `gpt-4o-2024-08-06`."""
    revision: str = Field("", max_length=100, pattern=r"^[\w.\-]*$")
    """What tells apart models that answer to one name, such as a commit or a quantisation; part of the author."""
    base_url: str = Field("https://api.openai.com/v1", pattern=r"^https?://[^\s@]+$")
    """What `/chat/completions` is put after; `http://localhost:8000/v1` for vLLM, `http://localhost:11434/v1` for
    Ollama."""
    key_env: str | None = Field("OPENAI_API_KEY", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds the key; null for an endpoint that wants none. The key itself is never written
    anywhere."""
    prompt: str = Field(BUILT_IN_PROMPT, min_length=1)
    """Version of the prompts that ship with earthloom, or a folder with files of one's own (`docs/captions.md`)."""
    facts: bool = True
    """Tell the model what the record knows (sensor, date, place, labels); off, it has picture and article alone."""
    summary_model: str | None = Field(None, min_length=1, max_length=200)
    """Model that condenses an article before the captions are asked for; null: the same one."""
    structured: Literal["json_schema", "json_object", "none"] = "json_schema"
    """How the endpoint is told to answer in JSON; older servers know only the later ones."""
    detail: Literal["low", "high", "auto"] = "high"
    """How closely the model is to look, as OpenAI names it."""
    image_tokens: int = Field(800, ge=0, le=100_000)
    """Tokens that a picture is taken to cost before the server has told, rather too many: the budget rests on it until
    then. Estimates grow with what the server tells."""
    temperature: float | None = Field(0.4, ge=0, le=2)
    """Null where the model takes none."""
    seed: int | None = None
    """Sent along where given; most servers promise little for it."""
    max_output_tokens: int = Field(900, ge=64, le=16_384)
    """Longest answer."""
    output_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the endpoint calls that; OpenAI's reasoning models want the second."""
    repairs: int = Field(2, ge=0, le=5)
    """How often the model is asked again, with the faults named, when captions fail their checks or the answer is no
    use."""
    batch: bool = False
    """Write the requests to a batch file instead of sending them; see `earthloom batch`."""
    prices: dict[str, Price] = Field(default_factory=dict)
    """Price of each model; without one, a budget cannot be kept and is refused."""
    limits: Limits = Limits()
    """How fast, and how much."""

    @model_validator(mode="after")
    def _check_prices(self) -> Self:
        missing = [name for name in self.models if name not in self.prices]
        if self.limits.budget is not None and missing:
            raise ValueError(
                f"limits.budget: wants a price for {', '.join(missing)}; add `prices: {{{missing[0]}: "
                "{input: ..., output: ...}}`, for a million tokens each."
            )
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The models that are asked, each once."""
        return tuple(dict.fromkeys((self.model, self.summary_model or self.model)))


class LocalSettings(Settings):
    """A model that runs on this machine: BLIP-2, or any image-to-text or vision-chat model of transformers."""

    model: str = Field(min_length=1)
    """Folder of a saved model, or its name on the Hub where it lies in the cache already. Nothing is downloaded."""
    revision: str = Field("", max_length=100, pattern=r"^[\w.\-/]*$")
    """Commit of a model of the Hub. A folder is told apart by its content."""
    adapter: str | None = None
    """Folder or file with LoRA weights (peft's `adapter_model.safetensors`), loaded over the model."""
    prompt: str = Field("", max_length=2000)
    """What the model is asked; empty for a model that captions unasked, as BLIP-2 does."""
    batch: int = Field(8, ge=1, le=1024)
    """Pictures at a time; halved by itself where the memory does not hold them."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the first GPU where there is one."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto`: bfloat16 on a GPU, float32 on a CPU."""
    max_new_tokens: int = Field(40, ge=4, le=1024)
    """Longest caption."""
    beams: int = Field(3, ge=1, le=16)
    """Width of the beam search; 1 takes the likeliest token each time."""
    length_penalty: float = Field(1.0, ge=-5, le=5)
    """Over 0 longer captions win the beam search, under 0 shorter ones."""
    trust_pickles: bool = False
    """Also load weights that are no safetensors. A pickle can run any code on this machine."""


_IDLE: dict[str, Any] = {
    "ledger": True,
    "chat": {"base_url", "key_env", "image_tokens", "prices", "limits", "batch"},
    "blip2": {"device", "batch", "trust_pickles"},
}
"""Settings that change no caption: none of them is part of a request's key."""


class CaptionSettings(Settings):
    """How captions are written."""

    with_: Annotated[tuple[Writer, ...], BeforeValidator(_as_list)] = Field(
        ("rules",), alias="with", min_length=1
    )
    """Who writes, one or several: `rules` turn checked facts into sentences, `blip2` is a model on this machine, `chat`
    one behind an endpoint."""
    styles: tuple[Style, ...] = Field(("mmm_rs", "enriched"), min_length=1)
    """Prompt styles to write one caption each in: `mmm_rs` (exact form `{level}, {weather}, {caption},
    {satellite}`; the inner caption is `blip2`'s where it writes) and `enriched` (platform, metres, date, place, labels,
    shares). `subject` says what is on the ground and nothing of how the image was taken, for comparison: it is the
    inner caption of `mmm_rs`. `gaia` asks the rules for five dense captions in the manner of GAIA, `plain` for one
    plain description where `per_image` is 0."""
    per_image: int = Field(5, ge=0, le=5)
    """Plain descriptions by the rules beside the prompts, each with another role."""
    seed: int = 0
    """Another seed, other words for the same facts."""
    max_tokens: int = Field(77, ge=0, le=4096)
    """Longest caption in tokens of CLIP, both ends counted; longer ones are worded again or refused. 0: no limit."""
    blip2: LocalSettings | None = None
    """The local model; wanted where `with` names it."""
    chat: ChatSettings | None = None
    """The remote model; wanted where `with` names it."""
    ledger: str | None = None
    """File of the ledger, in which every paid answer is kept; runs that name one file share their answers. By default
    `ledger.sqlite` in the work folder."""

    @model_validator(mode="after")
    def _check_writers(self) -> Self:
        for name in ("blip2", "chat"):
            if name in self.with_ and getattr(self, name) is None:
                raise ValueError(f"with: {name} wants its settings; add `{name}: {{model: ...}}`.")
        if self.chat is not None and "chat" not in self.with_:
            raise ValueError("chat: is set, but `with` does not name it; write `with: [chat, rules]`.")
        if self.blip2 is not None and "blip2" not in self.with_:
            raise ValueError("blip2: is set, but `with` does not name it; write `with: [blip2, rules]`.")
        return self

    @property
    def asks(self) -> bool:
        """True where a model is asked, so that answers are kept in a ledger."""
        return set(self.with_) != {"rules"}

    def digest(self) -> str:
        """Hash of what can change a caption: neither prices and limits nor where server and ledger are."""
        chosen = self.model_dump(mode="json", exclude=_IDLE)
        return hash_json(chosen)
