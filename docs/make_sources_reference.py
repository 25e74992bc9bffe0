"""Write docs/sources.md from what each kind of source says of itself: `python docs/make_sources_reference.py`."""

from __future__ import annotations

from pathlib import Path

from earthloom.run.sources import KindDescription, describe_kinds

TARGET = Path(__file__).with_name("sources.md")

INTRODUCTION = """\
# Sources

<!-- Made by docs/make_sources_reference.py from the code: change the code and run it again. -->

What can be read, where it must lie, and on what terms. `earthloom sources` prints the same; all settings of each kind
are in [recipe.md](recipe.md). Before a build, look at a download:

    earthloom sources check inria AerialImageDataset

says what was found, what is missing or damaged and what to do about it, and how many tiles would be built, without
building any. Terms are told as far as the publisher states them; not stated is not permission.

## Two modes

`mode: faithful`, the default, uses every scene whole, invents no detail, and keeps the effective ground sample
distance true. `mode: compat` cuts MMM-RS's nine datasets by the rules of its published scripts, so that counts can be
compared, and writes one prompt an image:

| kind | rule | a scene gives |
|---|---|---|
| `inria` | squares of 4096, 2048 and 1024 pixels about the centre; quadrants and centre of the last at 512 | 8 |
| `gid` | 512-pixel windows, the last ones shifted inwards: 15 x 14 | 210 |
| `whu_opt_sar` | complete 512-pixel windows: 10 x 7, for each of RGB, NIR and SAR | 70 |
| `fmow` | centre, left bottom and right top where both sides are longer than 512, else the centred square | 3 or 1 |
| `hrsc2016`, `hrrsd` | the centred square, averaged down or enlarged | 1 |
| `sen1_2`, `mrssc2`, `nasc_tg2` | the whole chip, enlarged | 1 |

Where MMM-RS super-resolves, `compat` enlarges by a cubic and says so in `resampling`; `gsd_m` stays that of the
source. A super-resolution network of your own goes into `tile.enlarge`.
"""


def main() -> None:
    """Write the page."""
    TARGET.write_text(render(), encoding="utf-8")


def render() -> str:
    """The whole page."""
    sections = [_section(kind) for kind in describe_kinds().kinds]
    return "\n".join([INTRODUCTION, *sections])


def _section(kind: KindDescription) -> str:
    lines = [f"## `{kind.name}`: {kind.title}", "", f"{kind.what[:1].upper()}{kind.what[1:]}.", ""]
    if kind.layout:
        lines += ["```text", *kind.layout, "```", ""]
    if kind.whole:
        lines += ["A whole download holds " + ", ".join(f"{n:,} {unit}" for unit, n in kind.whole) + ".", ""]
    terms = [f"Licence: {kind.licence}." if kind.licence else "Licence: none stated.", kind.terms]
    lines += [" ".join(text for text in terms if text), ""]
    if kind.credit:
        lines += [f"Credit: {kind.credit}.", ""]
    return "\n".join([*lines, "```yaml", kind.example.rstrip(), "```", ""])


if __name__ == "__main__":
    main()
