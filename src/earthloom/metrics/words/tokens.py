"""Sentences as pycocoevalcap sees them: Stanford's tokens of the Penn Treebank in lower case, without punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from earthloom.metrics.words.chunks import TWO_WORDS, Chunks
from earthloom.metrics.words.rules import Rule, list_rules

PUNCTUATION = frozenset(("''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"))
"""Tokens that pycocoevalcap removes. Brackets stay: its list has them in capitals, and they come in lower case."""

_SURE = re.compile("([A-Za-z]++(?:-[A-Za-z]++)*+)(?=[ )]|[,;:] |$)|([0-9]++(?:\\.[0-9]++)?+)(?= [A-Za-z])")
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
    return tokenize_all([text])[0]


def tokenize_all(texts: Iterable[str]) -> list[str]:
    """The tokens of each of many sentences; what stands between spaces is looked at once."""
    known = Chunks()
    return [_tokenize(text, known) for text in texts]


def _tokenize(text: str, known: Chunks) -> str:
    chunks = list(map(known.__getitem__, text.split(" ")))
    return tokenize_by_rules(text) if None in chunks else " ".join(filter(None, chunks))


def tokenize_by_rules(text: str) -> str:
    """The same tokens, found sign by sign."""
    tokens = _find_tokens(_LINES.sub(" ", text) + "\n")
    return " ".join([token for token in tokens if token and token not in PUNCTUATION])


def _find_tokens(line: str) -> list[str]:
    rules = list_rules(is_ascii=line.isascii())
    tokens: list[str] = []
    place = 0
    while place < len(line) - 1:  # the last is the line's end, which some rules look at
        if line[place] == " ":
            place += 1
        elif sure := _SURE.match(line, place):
            word = sure[0].lower()
            tokens += TWO_WORDS.get(word, word).split(" ")
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
