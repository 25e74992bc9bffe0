"""A small language for sentence frames: literal text, slots, choices and optional parts.

    {slot}        a phrase about the image; `{^slot}` raises its first letter
    [a|b|c]       one of several wordings, which may hold slots
    <...>         a part that is said sometimes, where all of its slots are known
    <!...>        a part that is always said where all of its slots are known

A frame is used only where the slots outside of its choices and options are known. All chances come from a `Draw`, so
a frame, a seed and an image give one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from earthloom.caption.language.english import capitalise

T = TypeVar("T")

_TOKEN = re.compile(r"\{\^?\w+\}|<!|[\[\]|<>]|[^\[\]|<>{}]+")
_MASK = 2**64 - 1


class Draw:
    """A stream of choices from one seed: SplitMix64 (Steele, Lea and Flood 2014), the same on every machine."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def below(self, n: int) -> int:
        """Draw an integer in [0, n); n is small beside 2**64."""
        self._state = z = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return (z ^ (z >> 31)) % n

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of the options; nothing is drawn where there is no choice."""
        return options[self.below(len(options))] if len(options) > 1 else options[0]


class Phrases(Protocol):
    """What fills the slots of frames for one image."""

    @property
    def known(self) -> int:
        """Bits of the slots that can be filled."""
        ...

    def say(self, slot: int, draw: Draw) -> str:
        """Word the slot with this bit."""
        ...


Writer = Callable[[list[str], Phrases, Draw], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a frame."""

    needs: int
    """Bits of the slots without which it cannot be said."""
    write: Writer


Frame = Part
"""A frame is a part that makes one caption."""


def render(frame: Frame, phrases: Phrases, draw: Draw) -> str:
    """Word a frame whose needs are known."""
    pieces: list[str] = []
    frame.write(pieces, phrases, draw)
    return capitalise("".join(pieces))


def parse_frame(text: str, slots: Mapping[str, int]) -> Frame:
    """Parse a frame; `slots` gives the bit of each slot. A fault in a frame is a bug of ours: assertion."""
    tokens = _TOKEN.findall(text)
    assert "".join(tokens) == text, f"unbalanced braces in frame {text!r}"
    part, rest = _parse_sequence(tokens, slots)
    assert not rest, f"unbalanced brackets in frame {text!r}"
    return part


def _parse_sequence(tokens: list[str], slots: Mapping[str, int]) -> tuple[Part, list[str]]:
    parts: list[Part] = []
    while tokens and tokens[0] not in {"]", "|", ">"}:
        part, tokens = _parse_part(tokens, slots)
        parts.append(part)
    return _sequence(parts), tokens


def _parse_part(tokens: list[str], slots: Mapping[str, int]) -> tuple[Part, list[str]]:
    head, rest = tokens[0], tokens[1:]
    if head == "[":
        return _parse_choice(rest, slots)
    if head in {"<", "<!"}:
        inner, rest = _parse_sequence(rest, slots)
        assert rest[:1] == [">"], "an optional part is not closed"
        return _optional(inner, eighths=8 if head == "<!" else 5), rest[1:]
    if head.startswith("{"):
        return _slot(head, slots), rest
    return _literal(head), rest


def _parse_choice(tokens: list[str], slots: Mapping[str, int]) -> tuple[Part, list[str]]:
    options: list[Part] = []
    while True:
        option, tokens = _parse_sequence(tokens, slots)
        options.append(option)
        assert tokens, "a choice is not closed"
        closed, tokens = tokens[0] == "]", tokens[1:]
        if closed:
            return _choice(options), tokens


def _literal(text: str) -> Part:
    def write(pieces: list[str], _phrases: Phrases, _draw: Draw) -> None:
        pieces.append(text)

    return Part(0, write)


def _slot(token: str, slots: Mapping[str, int]) -> Part:
    name = token[1:-1]
    bit = slots[name.removeprefix("^")]

    def write(pieces: list[str], phrases: Phrases, draw: Draw) -> None:
        pieces.append(phrases.say(bit, draw))

    def write_raised(pieces: list[str], phrases: Phrases, draw: Draw) -> None:
        pieces.append(capitalise(phrases.say(bit, draw)))

    return Part(bit, write_raised if name.startswith("^") else write)


def _sequence(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    needs = 0
    for part in parts:
        needs |= part.needs
    writers = tuple(part.write for part in parts)

    def write(pieces: list[str], phrases: Phrases, draw: Draw) -> None:
        for writer in writers:
            writer(pieces, phrases, draw)

    return Part(needs, write)


def _optional(part: Part, *, eighths: int) -> Part:
    needs, inner = part.needs, part.write

    def write(pieces: list[str], phrases: Phrases, draw: Draw) -> None:
        if needs & ~phrases.known == 0 and (eighths == 8 or draw.below(8) < eighths):
            inner(pieces, phrases, draw)

    return Part(0, write)


def _choice(options: list[Part]) -> Part:
    needs = options[0].needs
    for option in options[1:]:
        needs &= option.needs
    assert any(option.needs == needs for option in options), (
        "one wording must need no more than the others share"
    )
    writers = tuple(option.write for option in options)
    wants = tuple((option.needs, option.write) for option in options)
    is_free = all(option.needs == needs for option in options)

    def write_any(pieces: list[str], phrases: Phrases, draw: Draw) -> None:
        draw.pick(writers)(pieces, phrases, draw)

    def write_known(pieces: list[str], phrases: Phrases, draw: Draw) -> None:
        missing = ~phrases.known
        draw.pick([writer for need, writer in wants if need & missing == 0])(pieces, phrases, draw)

    return Part(needs, write_any if is_free else write_known)
