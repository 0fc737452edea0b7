"""Sentences per CPU second for every perturbation, noise on a dataset of pairs, rewrites included; peers beside it.

    python benchmarks/perturb_throughput.py [LINES.txt] [--language CODE] [--sentences N] [--lexicons DIR] [--peers DIR]
    python benchmarks/perturb_throughput.py --filter N        # lines through the filter, and the memory that it takes
    python benchmarks/perturb_throughput.py --xnli DIR        # XNLI test, 15 languages, 10 perturbations, 3 severities

Without a file the sentences are made of the words of this docstring, 20 each. Machines differ by a factor of three,
so what counts is the ratio to CheckList's `add_typos` (Ribeiro et al. 2020; transcribed below, one exchange a
sentence) and MulTypo (`pip install --no-deps --target DIR multypo==0.1.1`), which are run beside it.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from crosswind.data.examples import Dataset, PairExample
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.lines import ArrivingLines, perturb_stream
from crosswind.perturb.perturbation import PERTURBATIONS, Environment
from crosswind.perturb.spec import TextScope, parse_spec

LEVELS = (0.05, 0.1, 0.2)
REPEATS = 3
TEN = (
    "keyboard", "swap(scripts=all)", "diacritics(languages=all)", "homoglyph", "word-order", "delete", "duplicate",
    "insert", "whitespace", "punctuation",
)  # fmt: skip


def sentences(path: Path | None, n: int) -> list[str]:
    text = path.read_text(encoding="utf-8") if path else str(__doc__)
    if path is not None:
        return list(itertools.islice(itertools.cycle(text.splitlines()), n))
    words = itertools.cycle(text.split())
    return [" ".join(itertools.islice(words, 20)) for _ in range(n)]


def add_typos(text: str) -> str:
    """CheckList's loop: a random pair of neighbouring characters changes places."""
    chars = list(text)
    for at in np.random.choice(len(chars) - 1, 1):
        chars[at], chars[at + 1] = chars[at + 1], chars[at]
    return "".join(chars)


def peers(language: str, folder: Path | None) -> Iterator[tuple[str, Callable[[str], str]]]:
    yield "CheckList add_typos", add_typos
    if folder is not None:
        sys.path.insert(0, str(folder))
        from multypo import MultiTypoGenerator  # type: ignore[import-not-found,unused-ignore]

        names = {"en": "english", "de": "german", "ru": "russian", "hi": "hindi", "ar": "arabic", "el": "greek"}
        if language in names:
            generator = MultiTypoGenerator(names[language])
            yield "MulTypo 0.1", lambda text: str(generator.insert_typos(text, 0.1))


def best_of(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def by_perturbation(given: argparse.Namespace) -> None:
    texts = sentences(given.lines, given.sentences)
    examples = tuple(PairExample(f"bench/{i}", "bench", given.language, text, "") for i, text in enumerate(texts))
    dataset = Dataset("bench", given.language, "test", examples)
    environment = Environment(LexiconFolder(given.lexicons) if given.lexicons else None)
    for name, typo in peers(given.language, given.peers):
        print(f"{name:28} {len(texts) / best_of(lambda typo=typo: [typo(t) for t in texts]):8,.0f}")
    names = given.only.split(" ") if given.only else [*PERTURBATIONS.names(), "swap(scripts=all)"]
    for name in names:
        atom = "codemix(embed=de)" if name == "codemix" else name
        if name.startswith("codemix") and not given.lexicons:
            continue
        rates = []
        try:
            for level in LEVELS:
                spec = parse_spec(atom, severity=level)
                if spec.applies(TextScope(given.language, "pair", ("first",), environment)) is not None:
                    break
                work = best_of(
                    lambda spec=spec: perturb_dataset(dataset, spec, draw=0, fields=("first",), environment=environment)
                )
                rates.append(f"{len(examples) / work:8,.0f} at {level:g}")
        except Exception as error:  # needs data or a model that this benchmark has not
            rates = [f"left out: {type(error).__name__}"]
        if rates:
            print(f"{atom:28}", "  ".join(rates), flush=True)


def through_the_filter(n: int) -> None:
    text = sentences(None, 1000)
    lines = (f"{i} {text[i % 1000]}\n".encode() for i in range(n))
    chunks = (b"".join(itertools.islice(lines, 512)) for _ in itertools.count())

    class Pipe:
        def read1(self, size: int) -> bytes:
            return next(chunks)

    start, done = time.process_time(), 0
    for batch in perturb_stream(ArrivingLines(Pipe(), "pipe"), parse_spec("keyboard:0.1"), "en"):  # type: ignore[arg-type]
        done += len(batch)
        if done % (n // 4) < len(batch):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{done:10,} lines  {done / (time.process_time() - start):8,.0f} a second  peak {peak:,.0f} MiB",
                flush=True,
            )


def all_of_xnli(folder: Path, share: int) -> None:
    start, texts = time.process_time(), 0
    for path in sorted(folder.glob("test-*.tsv")):
        language = path.stem.partition("-")[2]
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()][::share]
        examples = tuple(PairExample(f"x/{i}", "x", language, r[0], r[1]) for i, r in enumerate(rows))
        dataset = Dataset("xnli", language, "test", examples)
        for name, level in itertools.product(TEN, LEVELS):
            spec = parse_spec(name, severity=level)
            fields = ("first", "second")
            if spec.applies(TextScope(language, "pair", fields)) is None:
                perturb_dataset(dataset, spec, draw=0, fields=fields)
                texts += 2 * len(examples)
    took, peak = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{texts:,} texts in {took:.0f} CPU s ({texts / took:,.0f} a second), peak {peak:,.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", type=Path, nargs="?")
    parser.add_argument("--language", default="en")
    parser.add_argument("--sentences", type=int, default=5000)
    parser.add_argument("--only", help="names of perturbations, separated by spaces")
    parser.add_argument("--lexicons", type=Path, help="folder with en-de.txt, for codemix")
    parser.add_argument("--peers", type=Path, help="folder with the package multypo")
    parser.add_argument("--filter", type=int, metavar="N")
    parser.add_argument("--xnli", type=Path, metavar="DIR", help="folder with test-LANGUAGE.tsv")
    parser.add_argument("--share", type=int, default=1, help="every how manyeth row of XNLI")
    given = parser.parse_args()
    if given.filter:
        through_the_filter(given.filter)
    elif given.xnli:
        all_of_xnli(given.xnli, given.share)
    else:
        by_perturbation(given)


if __name__ == "__main__":
    main()
