"""The tokens of Stanford's tokenizer as a table of patterns, of which the longest match wins.

Made to give what the Java tokenizer gives (CoreNLP 3.4.1 as pycocoevalcap 1.2 runs it: `-preserveLines -lowerCase`) and
held against it on all captions of RSICD and on 40,000 hostile strings; no code of it is here. As there, a rule may look
at what follows without taking it, and what it looks at counts for its length; of two rules that match the same length
the upper one wins.

Two things are left out because no metric sees them: which way a plain quotation mark points and how many periods a
sentence ends with. Both are removed as punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from earthloom.metrics.words import writing as write
from earthloom.metrics.words.abbreviations import BEFORE_NUMBERS, COMMON, STARTERS, is_abbreviation
from earthloom.metrics.words.alphabet import DIGITS, LETTERS, MARKS, SYMBOLS, character_class

Write = Callable[[str], str]
"""From the characters taken to the token; empty where there is none."""
Accepts = Callable[[str], bool]
"""Whether the characters taken are a token of this kind at all."""
_Line = tuple[str, Write, Accepts | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of token."""

    pattern: re.Pattern[str]
    """A group, where one has matched, is what is taken; what is matched behind it is only looked at."""
    write: Write
    accepts: Accepts | None


_ASCII = {
    "LETTER": "[A-Za-z]",
    "DIGIT": "[0-9]",
    "ALNUM": "[A-Za-z0-9]",
    "INITIAL": "[A-Za-z]",
    "INNER": "[A-Za-z0-9]",
    "SYMBOL": "(?!)",
}
"""Characters, for texts without others: small classes are quickly compiled, and most texts need no more."""
_PARTS = {
    "SPACE": "[ \t\u00a0\u2000-\u200a\u3000]",
    "APOS": "(?:['\u0092\u2019]|&apos;)",
    "TICK": "(?:['`\u0091\u0092\u2018\u2019\u201b]|&apos;)",
    "HYPHEN": "[-_\u058a\u2010\u2011]",
    "AND": "&(?:amp;)?",
    # words
    "WORD": "{INITIAL}{INNER}*+(?:[.!?]{INITIAL}{INNER}*+)*+",
    "PIECE": "(?:[dDlLoO]{TICK}{ALNUM})?{ALNUM}+",
    "CHAIN": "{PIECE}(?:{HYPHEN}{PIECE})*",
    "SIDE": "[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}",
    "ACRONYM": "[A-Za-z](?:\\.[A-Za-z])+",
    "CLITIC": "{APOS}(?i:[dms]|[rv]e|ll)",
    "NUMBER": "(?:{DIGIT}*(?:[.,:\u00ad\u066b\u066c]{DIGIT}+)+|{DIGIT}+)",
    "STARTER": "(?:" + "|".join(sorted(STARTERS)) + ")",
    # markup, the web, faces
    "NAME": "[A-Za-z][A-Za-z0-9_.:-]*",
    "ATTRIBUTE": """ +{NAME}(?: *= *(?:"[^"\r\n]*"|'[^'\r\n]*'))?""",
    "URLCHAR": '[^\\s\u00a0()"<>|]',
    "URLEND": '[^\\s\u00a0(){}"<>|.,!?-]',
    "HOSTLABEL": "[^\\s\u00a0!\"$'(){|},-`]",
    "WWWLABEL": '[^\\s\u00a0(){}"<>|.,!?]',
    "MAILCHAR": '[^\\s\u00a0(){}"<>|]',
    "MAILLABEL": '[^\\s\u00a0(){}"<>|.]',
    "EYE": "[-'<=>^x~]",
    "SUFFIX": "(?:bat|bmp|cgi|class|cpp|c|dll|docx?|exe|gif|gz|html?|h|jar|java|jpe?g|mov|mp3|pdf|php|pl|png|pptx?|ps"
    "|py|sql|tar|txt|wav|xml|x|zip)",
}


def _name_characters() -> dict[str, str]:
    """The same of all scripts."""
    return {
        "LETTER": f"[{character_class(LETTERS)}]",
        "DIGIT": f"[{character_class(DIGITS)}]",
        "ALNUM": f"[{character_class(LETTERS, DIGITS)}]",
        "INITIAL": f"[{character_class(LETTERS, MARKS)}\u00ad]",
        "INNER": f"[{character_class(LETTERS, MARKS, DIGITS)}\u00ad]",
        "SYMBOL": f"[{character_class(SYMBOLS)}]",
    }


def _fill(template: str, parts: Mapping[str, str]) -> str:
    """Put the parts for their names in braces."""
    return re.sub(r"\{([A-Z]+)\}", lambda found: _fill(parts[found[1]], parts), template)


@cache
def list_rules(*, is_ascii: bool) -> tuple[Rule, ...]:
    """All rules, for texts of ASCII or of any characters. Upper ones win ties."""
    parts = {**_PARTS, **(_ASCII if is_ascii else _name_characters())}
    return tuple(
        Rule(re.compile(_fill(template, parts)), write, accepts) for template, write, accepts in _TABLE
    )


def _rule(template: str, write: Write = str.lower, accepts: Accepts | None = None) -> _Line:
    return template, write, accepts


def _keeps_period(text: str) -> bool:
    return is_abbreviation(text[:-1])


def _is_common(text: str) -> bool:
    return is_abbreviation(text[:-1], among=COMMON)


def _precedes_number(text: str) -> bool:
    return text[:-1].lower() in BEFORE_NUMBERS


_TABLE: tuple[_Line, ...] = (
    # words that are two
    _rule("(?i:(can)not)"),
    _rule("(?i:(gon|wan)na|(got)ta|(gim|lem)me)"),
    _rule("({APOS}[tT])(?i:is|was)", write.straighten),
    # markup, words and what clings to them
    _rule("<(?:[!?][A-Za-z-][^>\r\n]*|/?{NAME}(?:{ATTRIBUTE})*(?: *+/)?) *+>", write.bind),
    _rule("({WORD}){CLITIC}", write.join),
    _rule("([A-Za-z\u00ad]*[A-MO-Za-mo-z])[nN]{TICK}[tT]", write.join),
    _rule("{APOS}[nN]{APOS}?|[dDjJlL]{APOS}|(?:[dD]unkin|[oO]l|[sS]omethin){APOS}|{APOS}(?:cause|em|till?)"),
    _rule("[A-HJ-XZn]{TICK}{LETTER}{2,}|{LETTER}{2,}(?<=[aeiouyAEIOUY]){TICK}[aeiouA-Z]{LETTER}*"),
    _rule("c'mon|cont'd\\.?|e'er|ev'ry|li'l|nat'l|nor'easter|[oO]'o|s'mores"),
    _rule("([yY]{APOS}){LETTER}"),
    _rule("{WORD}", write.join),
    # the web
    _rule("https?://{URLCHAR}+{URLEND}"),
    _rule(
        "(?:www\\.(?:{WWWLABEL}+\\.)+[a-zA-Z]{2,4}|(?:{HOSTLABEL}+\\.)+(?:com|edu|net|org))(?:/{URLCHAR}+{URLEND})?"
    ),
    _rule("<?(?:mailto:)?[a-zA-Z0-9]{MAILCHAR}*@(?:{MAILLABEL}+\\.)*{MAILLABEL}+>?"),
    _rule("[@\uff20][a-zA-Z_][a-zA-Z_0-9]*|[#\uff03]{INITIAL}+"),
    _rule("({CLITIC})(?:[^A-Za-z]|$)|[nN]{TICK}[tT]", write.straighten),
    # numbers
    _rule("[0-9]{1,2}[-/][0-9]{1,2}[-/][0-9]{2,4}"),
    _rule("[-+]?{NUMBER}", write.join),
    _rule("[\u207a\u207b\u208a\u208b]?(?:[\u00b2\u00b3\u00b9\u2070\u2074-\u2079]+|[\u2080-\u2089]+)"),
    _rule("(?:{DIGIT}{1,4}[- \u00a0])?{DIGIT}{1,4}(?:\\\\?/|\u2044){DIGIT}{1,4}", write.bind),
    _rule("{SIDE}(?:\\\\?/{SIDE}){1,2}"),
    # words with their period
    _rule("((?:{WORD}|{CHAIN})\\.)[,;:\u3001]", write.join),
    _rule("({LETTER}+\\.)(?s:..)", accepts=_is_common),
    _rule("{LETTER}+\\.", accepts=_keeps_period),
    _rule("({LETTER}+\\.){SPACE}*[0-9]", accepts=_precedes_number),
    _rule("([A-Za-z])\\.(?:{SPACE}{2}|{SPACE}+(?:{STARTER}{SPACE}|M[rs]\\.(?:{SPACE}|\n)))"),
    _rule("{ACRONYM}\\.|(?:Ed|Ph)\\.D\\."),
    # words with signs inside
    _rule("[A-Z]*\\$"),
    _rule("-(?i:[LR][CRS]B)-|(?i:anti-|pro-)|S{AND}P-500|C\\.D\\.s"),
    _rule("{APOS}[2-9]0s|({APOS}[0-9][0-9])(?:{SPACE}|$)"),
    _rule("[A-Za-z0-9][A-Za-z0-9.,\u00ad]*(?:-(?:{ACRONYM}\\.|[A-Za-z0-9\u00ad]+))+", write.join),
    _rule("{CHAIN}"),
    _rule("[A-Z]+(?:(?:\\+|{AND})[A-Z]+)+", write.join),
    _rule("({ALNUM}+(?:\\.{ALNUM}+)*\\.{SUFFIX})(?:{SPACE}|[.,?!\"'<()]|$)"),
    _rule(
        "(?:\\([0-9]{2,3}\\)[ \u00a0]?|\\+{0,2}(?:[0-9]{2,4}[- \u00a0]){1,2})[0-9]{3,4}[- \u00a0]?[0-9]{3,5}",
        write.bind,
    ),
    # signs
    _rule("-+", write.shorten_dashes),
    _rule("[\u0096\u0097\u2013-\u2015]|&(?:MD|mdash|ndash);", lambda _: "--"),
    _rule("\\.{3,5}|(?:\\.[ \u00a0]){2,4}\\.", lambda _: "..."),
    _rule("([<>]?[:;=][-'*o]?[][()DOPdp@{|\\\\])(?:[^A-Za-z0-9]|$)", write.name_round),
    _rule("{EYE}_{EYE}|\\({EYE}[_.]?{EYE}\\)", write.name_round),
    _rule("(?i:[cf]#|c\\+\\+)|[?!]+|_+|\\*+|(?:\\\\\\*){1,3}|@+|#+"),
    _rule("&amp;|[¢£…\u0080\u0085¤₠€¼½¾⅓⅔(){}\\[\\]]", write.translate),
    _rule("<<|>>|[+&%=<>^~|/\\\\$,;:.]|{SYMBOL}"),
    # quotation marks
    _rule("(')[A-Za-z][^ \t\n\r\u00a0]", lambda _: ""),
    _rule("{CLITIC}", write.straighten),
    _rule("[`\u0091-\u0094\u00ab\u00bb\u2018-\u201d\u2039\u203a]{1,2}|''|{APOS}", write.quote),
    _rule('"|&quot;', lambda _: ""),
)
