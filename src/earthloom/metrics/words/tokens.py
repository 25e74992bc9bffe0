"""Sentences as pycocoevalcap sees them: Stanford's tokens of the Penn Treebank in lower case, without punctuation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from earthloom.metrics.words.abbreviations import BEFORE_NUMBERS, is_abbreviation
from earthloom.metrics.words.rules import Rule, list_rules

PUNCTUATION = frozenset(("''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"))
"""Tokens that pycocoevalcap removes. Brackets stay: its list has them in capitals, and they come in lower case."""

_WORD = "[A-Za-z]++(?:-[A-Za-z]++)*+"
_PLAIN = re.compile(f" *+(?:{_WORD}(?:[,.]*+ ++)++)*+(?:{_WORD})?[,.]*+")
"""Words of ASCII letters, parted by spaces, commas and periods: most captions are no more than that."""
_DOTTED = re.compile(r"([A-Za-z]++)\.")
_TWO_WORDS = {"cannot": "can not", "gonna": "gon na", "gotta": "got ta", "wanna": "wan na"}
_TWO_WORDS |= {"gimme": "gim me", "lemme": "lem me"}
_SURE = re.compile(f"({_WORD})(?=[ )]|[,;:] |$)|([0-9]++(?:\\.[0-9]++)?+)(?= [A-Za-z])")
"""Words and numbers whose surroundings leave no doubt that they are tokens."""
_LINES = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")


def tokenize(text: str) -> str:
    """The tokens of a sentence, parted by spaces.

    Equal to Java's but for what the Java tokenizer sees beyond the end of a line: there `No.` keeps its period when the
    sentence of the next line begins with a number, so that a score may depend on the order of the pictures. Here a
    sentence stands for itself, and line breaks in it are spaces.

    The time is proportional to the length, but to the square of the longest run of signs without a space.

    Args:
        text: one sentence or more, of any characters.

    Returns:
        Lower case. A token may hold no-break spaces (`1 1/2`), at which BLEU and CIDEr part it and ROUGE does not.

    """
    if _PLAIN.fullmatch(text) and ("." not in text or not any(map(_may_keep_period, _DOTTED.findall(text)))):
        words = text.replace(",", " ").replace(".", " ").lower().split()
        if not _TWO_WORDS.keys().isdisjoint(words):
            words = [_TWO_WORDS.get(word, word) for word in words]
        return " ".join(words)
    tokens = _find_tokens(_LINES.sub(" ", text) + "\n")
    return " ".join([token for token in tokens if token and token not in PUNCTUATION])


def _may_keep_period(word: str) -> bool:
    return len(word) == 1 or is_abbreviation(word) or word.lower() in BEFORE_NUMBERS


def _find_tokens(line: str) -> list[str]:
    rules = list_rules(is_ascii=line.isascii())
    tokens: list[str] = []
    place = 0
    while place < len(line) - 1:  # the last is the line's end, which some rules look at
        if line[place] == " ":
            place += 1
        elif sure := _SURE.match(line, place):
            word = sure[0].lower()
            tokens += _TWO_WORDS.get(word, word).split(" ")
            place = sure.end()
        else:
            n, token = _take_token(rules, line, place)
            tokens.append(token)
            place += n
    return tokens


def _take_token(rules: Sequence[Rule], line: str, place: int) -> tuple[int, str]:
    """How many characters the longest rule takes, and its token: one and none for a character of no rule."""
    length, best = 0, (1, "")
    for rule in rules:
        found = rule.pattern.match(line, place)
        if found is None or found.end() - place <= length:
            continue
        taken = found[found.lastindex or 0]
        if rule.accepts is None or rule.accepts(taken):
            length, best = found.end() - place, (len(taken), rule.write(taken))
    return best
