"""How the figures were taken, in words, and what could not be used."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from earthloom.core.markup import Html, element, join
from earthloom.evaluate.result import Result, SetInfo

_SHOWN = 20


def draw_protocol(result: Result) -> Html:
    """Sets, encoders, rules and draws."""
    return element("div", [_draw_card(*card) for card in _iter_cards(result)], class_="grid")


def _iter_cards(result: Result) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    protocol = result.protocol
    yield "What was measured", [(each.name, _say_set(each)) for each in result.sets]
    if protocol.encoders:
        yield "What pictures are described by", sorted(protocol.encoders.items())
    if protocol.rules:
        yield "Rules", [(name.replace("_", " "), rule) for name, rule in sorted(protocol.rules.items())]
    yield (
        "Draws",
        [
            ("seed", str(protocol.seed)),
            ("intervals", f"{protocol.level:.0%}, from {protocol.resamples:,} resamples where bootstrapped"),
            ("protocol", f"version {protocol.version}: figures of other versions do not compare"),
        ],
    )


def _say_set(chosen: SetInfo) -> str:
    words = [f"{chosen.n:,} of {chosen.place}", "generated" if chosen.is_generated else ""]
    words.append(f"{chosen.n_refused:,} set aside" if chosen.n_refused else "")
    details = {
        name: value for name, value in sorted(chosen.details.items()) if value not in (None, [], {}, "")
    }
    words += [f"{name.replace('_', ' ')} {_say_value(value)}" for name, value in details.items()]
    words.append(f"contents {chosen.identity[:12]}" if chosen.identity else "")
    return ", ".join(word for word in words if word)


def _say_value(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        rest = f" and {len(value) - _SHOWN:,} more" if len(value) > _SHOWN else ""
        return " ".join(map(str, value[:_SHOWN])) + rest
    if isinstance(value, Mapping) and all(isinstance(each, str | int | float) for each in value.values()):
        return " ".join(f"{name} {each}" for name, each in value.items())
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _draw_card(title: str, entries: list[tuple[str, str]]) -> Html:
    listed = [join(element("dt", name), element("dd", text)) for name, text in entries]
    return element("div", element("h3", title), element("dl", listed, class_="protocol"), class_="card")


def draw_refused(refused: Mapping[str, Mapping[str, str]], file: str) -> Html:
    """The first of what could not be used, with reasons; `file` has all."""
    shown = sorted(refused.items())[:_SHOWN]
    items = [
        element(
            "li",
            element("b", "✗", aria_hidden="true"),
            element("code", place),
            element("small", f"{told.get('reason', '')}: {told.get('detail', '')}"),
        )
        for place, told in shown
    ]
    rest = len(refused) - len(shown)
    more = [element("p", f"And {rest:,} more, all of them in {file}.", class_="soft small")] if rest else []
    note = element("p", f"{len(refused):,} could not be used and count nowhere above.", class_="soft")
    return element("div", note, element("ul", items, class_="gates"), more, class_="card")
