"""Sentences of 20 words per CPU second for every perturbation, noise on a dataset of pairs.

    python benchmarks/perturb_throughput.py [LINES.txt] [--sentences N] [--lexicons DIR]

Without a file the sentences are made of the words of this docstring. Published tools for comparison
(sentences of 20 words per CPU second): nlpaug 3,600 to 5,300, NL-Augmenter butter-fingers 7,900,
OpenAttack diacritics 35,000, CheckList add_typos 44,000 (all of them for ASCII only).
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

from crosswind.data.examples import Dataset, PairExample
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.perturbation import PERTURBATIONS, Environment
from crosswind.perturb.spec import parse_spec

LEVELS = (0.05, 0.1, 0.2)
REPEATS = 3


def sentences(path: Path | None, n: int) -> list[str]:
    text = path.read_text(encoding="utf-8") if path else str(__doc__)
    words = itertools.cycle(text.split())
    return [" ".join(itertools.islice(words, 20)) for _ in range(n)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", type=Path, nargs="?")
    parser.add_argument("--language", default="en")
    parser.add_argument("--sentences", type=int, default=5000)
    parser.add_argument("--lexicons", type=Path, help="folder with en-de.txt, for codemix")
    given = parser.parse_args()
    examples = tuple(
        PairExample(f"bench/{i}", "bench", given.language, text, "")
        for i, text in enumerate(sentences(given.lines, given.sentences))
    )
    dataset = Dataset("bench", given.language, "test", examples)
    environment = Environment(LexiconFolder(given.lexicons) if given.lexicons else None)
    for name in PERTURBATIONS.names():
        if name == "codemix" and not given.lexicons:
            continue
        atom = "codemix(embed=de)" if name == "codemix" else name
        rates = []
        for level in LEVELS:
            spec = parse_spec(atom, severity=level)
            best = float("inf")
            for _ in range(REPEATS):
                start = time.process_time()
                perturb_dataset(dataset, spec, draw=0, fields=("first",), environment=environment)
                best = min(best, time.process_time() - start)
            rates.append(f"{len(examples) / best:8,.0f} at {level:g}")
        print(f"{atom:20}", "  ".join(rates))


if __name__ == "__main__":
    main()
