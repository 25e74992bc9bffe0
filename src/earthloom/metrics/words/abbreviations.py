"""Abbreviations whose period belongs to the word, as Stanford's tokenizer knows them.

Measured: every string of one to four letters, and all beginnings of the words of a large dictionary, were given to the
Java tokenizer with a period behind (CoreNLP 3.4.1). The rest loses its period: among the terms of the field, `approx.`
and `km.` do.
"""

from __future__ import annotations


def _list(words: str) -> frozenset[str]:
    return frozenset(words.split())


COMMON = _list(
    """
    al ala apr ariz assn aug bancorp bhd bldg blvd bros calif co colo conn corp cos ct dak dec esq est etc
    ext feb fla fri ga inc ind intl jan jr jul jun kan kans ltd mar md mich minn mo mon mont neb nev nov oct
    okla penn plc rd rt sep sept seq sq sr sys tel tenn thu thurs tue tues univ va vt wed wis wisc wyo
    """
)
"""In any case of letters: companies, months, days, states, and what a sentence may end with. They
keep it before a single character that follows without a space, too."""

TITLES = _list(
    """
    a adj adm adv alex assoc asst atty attys ave b brig c capt cf cie cmdr col comdr cpl d dept det dr drs e
    elec ens f ft g gen gov govs h hon i insp invt j jos k ky l lieut lt m maj messrs mlle mme mr mrs ms
    msgr mt n natl o p pfc ph pres prof profs pvt q r rep reps rev s sen sens sfc sgt spc st ste supt supts
    t treas u v vs w wm x y z
    """
)
"""In any case of letters: what stands before names, and single letters."""

CAPITALISED = _list("Ark Az Del Ill Ky La Mass Miss Ore Pa Tex Wash")
"""Only with a capital at their head."""

LOWER_TAIL = _list("mfg mtg ppte ppty pte ptes pty ptys")
"""Not in capitals throughout."""

BEFORE_NUMBERS = _list("art ca fig figs no nos op pp prop")
"""In any case of letters, where a number follows: `fig. 2`, but `no.` at an end."""

STARTERS = _list(
    """
    A About According Additionally After An As At But Earlier He Her Here However If In It Last Many More Now Once One
    Other Our She Since So Some Such That The Their Then There These They This We What When While Yet You
    """
)
"""Words that begin a sentence: before them, a single letter with a period has ended one."""


def is_abbreviation(word: str, among: frozenset[str] = COMMON | TITLES) -> bool:
    """Whether a word keeps its period wherever it stands."""
    if word.lower() in among:
        return True
    if word[1:].islower() and word.lower() in LOWER_TAIL:
        return True
    return word[0].isupper() and word.capitalize() in CAPITALISED
