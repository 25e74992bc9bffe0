"""BLEU, ROUGE-L and CIDEr-D of 1,000 pictures with five captions each: earthloom beside pycocoevalcap.

Both get texts and give scores, of the corpus and of every caption; check_words.py holds them against each other.
Counted is from the call to the scores: pycocoevalcap starts Java for its tokenizer in that time, twice, and earthloom
compiles its patterns. Python's own start and imports are not counted for either. CPU-seconds of the process and of its
children. Captions are RSICD's where they are at hand, else made.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import check_words

if TYPE_CHECKING:
    from check_words import Captions
    from harness import Usage

ROUNDS = 3
TARGET = 20
OURS, PEER = "earthloom", "pycocoevalcap, no METEOR"


def find_captions() -> Captions:
    """People's captions against those of others on the same pictures."""
    if (check_words.RSICD / "captions_val.jsonl").is_file():
        return check_words.list_captions(check_words.read_rsicd())[0]
    rng = random.Random(0)
    words = [f"word{i}" for i in range(2000)]
    texts = [
        " ".join(rng.choices(words[: 2 ** rng.randint(4, 11)], k=rng.randint(6, 16))) for _ in range(5000)
    ]
    return check_words.Captions(
        name="made",
        candidates=texts[:1000],
        references=[texts[1000 + 4 * i : 1004 + 4 * i] for i in range(1000)],
    )


def score_ours(source: Path) -> None:
    """In a process of its own: score once and print what it cost."""
    from earthloom.metrics.words import measure_captions

    told = json.loads(source.read_text())
    _print_cost(lambda: measure_captions(told["candidates"], told["references"]))


def score_theirs(source: Path, target: Path) -> None:
    """The same, in the peer's environment."""
    from pycocoevalcap.bleu import bleu  # noqa: F401 (imports are not counted)
    from pycocoevalcap.cider import cider  # noqa: F401
    from pycocoevalcap.meteor import meteor  # noqa: F401
    from pycocoevalcap.rouge import rouge  # noqa: F401

    _print_cost(lambda: check_words.score_as_peer(source, target, meteor=False))


def _print_cost(work: object) -> None:
    assert callable(work)
    before, start = _cpu_seconds(), time.perf_counter()
    work()
    print("\ncost", _cpu_seconds() - before, time.perf_counter() - start)


def _cpu_seconds() -> float:
    """Of this process and of children that have ended."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def run_once(python: Path | str, who: str, source: Path) -> Usage:
    """One candidate's cost."""
    done = subprocess.run(
        [python, __file__, who, source, source.with_name("scores.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        env=check_words.peer_environment(),
    )
    from harness import Usage

    cpu_s, wall_s = map(float, done.stdout.split()[-2:])
    return Usage(cpu_s=cpu_s, wall_s=wall_s)


def main() -> bool:
    """Race and judge."""
    from harness import Goal, judge, scratch_folder

    captions = find_captions()
    runners = {OURS: sys.executable, PEER: check_words.install_peer_python()}
    results: dict[str, list[Usage]] = {name: [] for name in runners}
    with scratch_folder() as folder:
        source = folder / "captions.json"
        source.write_text(json.dumps({"candidates": captions.candidates, "references": captions.references}))
        for turn in range(ROUNDS):
            for name in runners if turn % 2 == 0 else reversed(runners):
                results[name].append(run_once(runners[name], "ours" if name == OURS else "theirs", source))
    n = len(captions.candidates)
    goal = Goal(ours=OURS, peer=PEER, target=TARGET)
    return judge(f"Caption metrics of {n} pictures ({captions.name})", "pictures", n, results, [goal])


if __name__ == "__main__":
    if sys.argv[1:2] == ["ours"]:
        score_ours(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["theirs"]:
        score_theirs(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(not main())
