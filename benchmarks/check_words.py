"""Hold our caption metrics against pycocoevalcap's, whose tokenizer is Java's, on 1,000 pictures of RSICD.

    python benchmarks/check_words.py           compare tokens and scores, exit status 1 where they differ
    python benchmarks/check_words.py golden    tokenize the sentences of tests/golden/ptb_tokens.json with Java again

pycocoevalcap 1.2 lives in a virtual environment of its own, made here when it is missing; Java has to be there
(`apt-get install default-jre-headless`). RSICD's captions are read from the folder of real data, of which nothing is
kept. Candidates are people's: the fifth caption of a picture against its other four, and the first caption of another
picture of the same class against all five, which is about as wrong as a weak model.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PACKAGES = ("pycocoevalcap==1.2",)
RSICD = Path(os.environ.get("EARTHLOOM_REAL_DATA", ROOT.parent / "shared" / "data")) / "rsicd"
GOLDEN = ROOT / "tests" / "golden" / "ptb_tokens.json"
N = 1000
TOLERANCE = 1e-4
METEOR_TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Captions:
    """Candidates and their references."""

    name: str
    candidates: list[str]
    references: list[list[str]]


def read_rsicd(n: int = N) -> list[dict[str, Any]]:
    """The first pictures of the validation set: name of the file and five captions."""
    path = RSICD / "captions_val.jsonl"
    if not path.is_file():
        raise SystemExit(f"{path} is not there: set EARTHLOOM_REAL_DATA to the folder of real data.")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines][:n]


def list_captions(rows: Sequence[dict[str, Any]]) -> list[Captions]:
    """Two sets of candidates: people on the same picture, and people on another of its class."""
    classes = [row["file"].rpartition("_")[0] or row["file"] for row in rows]
    others = [_next_of_class(classes, place) for place in range(len(rows))]
    return [
        Captions(
            name="caption 5 against the other four",
            candidates=[row["captions"][4] for row in rows],
            references=[row["captions"][:4] for row in rows],
        ),
        Captions(
            name="caption 1 of another picture of the class",
            candidates=[rows[other]["captions"][0] for other in others],
            references=[row["captions"] for row in rows],
        ),
    ]


def _next_of_class(classes: Sequence[str], place: int) -> int:
    """The next picture of the same class, the next one at all where there is none."""
    n = len(classes)
    order = [(place + step) % n for step in range(1, n)]
    return next((other for other in order if classes[other] == classes[place]), order[0])


def run_peer(captions: Captions, folder: Path, *, meteor: bool) -> dict[str, Any]:
    """Tokens and scores of pycocoevalcap, in its own process."""
    source, target = folder / "captions.json", folder / "scores.json"
    source.write_text(json.dumps({"candidates": captions.candidates, "references": captions.references}))
    command = [install_peer_python(), __file__, "peer", source, target, *(["meteor"] if meteor else [])]
    subprocess.run(list(map(str, command)), check=True, env=peer_environment(), stderr=subprocess.DEVNULL)
    scores: dict[str, Any] = json.loads(target.read_text())
    return scores


def install_peer_python() -> Path:
    """The Python of the peer's environment."""
    from harness import install_peer

    if shutil.which("java") is None:
        raise SystemExit("pycocoevalcap runs Java, which is not there: apt-get install default-jre-headless")
    return install_peer("pycocoevalcap", PACKAGES) / "python"


def find_jar() -> Path:
    """METEOR as it came with the peer."""
    return next(
        install_peer_python().parent.parent.glob("lib/python3*/site-packages/pycocoevalcap/meteor/*.jar")
    )


def peer_environment() -> dict[str, str]:
    """Java writes in the locale's encoding and pycocoevalcap reads UTF-8."""
    return {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "JAVA_TOOL_OPTIONS": "-Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8",
    }


def score_as_peer(source: Path, target: Path, *, meteor: bool) -> None:
    """In the peer's environment: all that pycocoevalcap says of the captions."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    told = json.loads(source.read_text())
    tokenizer = PTBTokenizer()
    truth = tokenizer.tokenize(
        {i: [{"caption": one} for one in group] for i, group in enumerate(told["references"])}
    )
    said = tokenizer.tokenize({i: [{"caption": one}] for i, one in enumerate(told["candidates"])})
    bleu, bleu_each = Bleu(4).compute_score(truth, said, verbose=0)
    rouge, rouge_each = Rouge().compute_score(truth, said)
    cider, cider_each = Cider().compute_score(truth, said)
    scores = {
        "tokens": [said[i][0] for i in said],
        "reference_tokens": [truth[i] for i in truth],
        **{f"bleu_{n + 1}": [bleu[n], list(map(float, bleu_each[n]))] for n in range(4)},
        "rouge_l": [float(rouge), rouge_each.tolist()],
        "cider_d": [float(cider), cider_each.tolist()],
    }
    if meteor:
        value, each = Meteor().compute_score(truth, said)
        scores["meteor"] = [float(value), list(map(float, each))]
    target.write_text(json.dumps(scores))


def compare(captions: Captions, peer: dict[str, Any]) -> bool:
    """Print a table; False where a number or a token differs."""
    from earthloom.metrics.words import NAMES, measure_captions, tokenize

    ours = measure_captions(captions.candidates, captions.references)
    each = {**{f"bleu_{n + 1}": ours.bleu_each[:, n] for n in range(4)}}
    each |= {"rouge_l": ours.rouge_l_each, "cider_d": ours.cider_d_each}
    values = ours.to_json()
    print(f"\n{captions.name}: {ours.n} pictures, {ours.n_references} references")
    print(f"  {'':10} {'earthloom':>12} {'pycocoevalcap':>14} {'difference':>11} {'most of one item':>17}")
    is_equal = True
    for name in NAMES:
        value, theirs = peer[name]
        most = max(abs(float(a) - b) for a, b in zip(each[name], theirs, strict=True))
        off = abs(values[name] - value)
        is_equal &= max(off, most) < TOLERANCE
        print(f"  {name:10} {values[name]:>12.6f} {value:>14.6f} {off:>11.1e} {most:>17.1e}")
    is_equal &= _compare_meteor(captions, peer)
    texts = [*captions.candidates, *(one for group in captions.references for one in group)]
    tokens = [*peer["tokens"], *(one for group in peer["reference_tokens"] for one in group)]
    n_off = sum(tokenize(text) != token for text, token in zip(texts, tokens, strict=True))
    print(f"  sentences with other tokens: {n_off} of {len(texts)}")
    return is_equal and not n_off


def _compare_meteor(captions: Captions, peer: dict[str, Any]) -> bool:
    from earthloom.evaluate.captioning.meteor import open_meteor
    from earthloom.metrics.words import tokenize

    with open_meteor(find_jar()) as meteor:
        ours = meteor.score(
            [tokenize(one) for one in captions.candidates],
            [[tokenize(one) for one in group] for group in captions.references],
        )
    value, theirs = peer["meteor"]
    most = max(abs(a - b) for a, b in zip(ours.each, theirs, strict=True))
    off = abs(ours.value - value)
    print(f"  {'meteor':10} {ours.value:>12.6f} {value:>14.6f} {off:>11.1e} {most:>17.1e}")
    return max(off, most) < METEOR_TOLERANCE


def renew_golden() -> None:
    """Tokenize our own sentences with Java, each above a line that changes nothing about it."""
    from harness import scratch_folder

    kept = json.loads(GOLDEN.read_text(encoding="utf-8"))
    texts = [text for text, _ in kept["sentences"]]
    with scratch_folder() as folder:
        captions = Captions(
            name="golden", candidates=["x"] * len(texts), references=[[text, "x"] for text in texts]
        )
        tokens = run_peer(captions, folder, meteor=False)["reference_tokens"]
    kept["sentences"] = [[text, own] for text, (own, _) in zip(texts, tokens, strict=True)]
    lines = ",\n  ".join(json.dumps(pair, ensure_ascii=False) for pair in kept["sentences"])
    GOLDEN.write_text(
        f'{{\n "how": {json.dumps(kept["how"])},\n "sentences": [\n  {lines}\n ]\n}}\n', encoding="utf-8"
    )
    print(f"{len(texts)} sentences in {GOLDEN}")


def main() -> bool:
    """Compare both sets of candidates."""
    from harness import scratch_folder

    is_equal = True
    with scratch_folder() as folder:
        for captions in list_captions(read_rsicd()):
            is_equal &= compare(captions, run_peer(captions, folder, meteor=True))
    print(f"\nAll within {TOLERANCE:g} and all tokens equal: {'yes' if is_equal else 'NO'}")
    return is_equal


if __name__ == "__main__":
    if sys.argv[1:2] == ["peer"]:
        score_as_peer(Path(sys.argv[2]), Path(sys.argv[3]), meteor="meteor" in sys.argv[4:])
    elif sys.argv[1:2] == ["golden"]:
        renew_golden()
    else:
        sys.exit(not main())
