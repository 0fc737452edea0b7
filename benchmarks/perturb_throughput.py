"""Sentences per CPU second for every perturbation, on examples of the kind it is for; peers beside it.

    python benchmarks/perturb_throughput.py [LINES.txt] [--language CODE …] [--data DIR] [--peers DIR]
    python benchmarks/perturb_throughput.py --filter N        # lines through the filter, and the memory that it takes
    python benchmarks/perturb_throughput.py --one N           # one example at a call beside its share of a batch
    python benchmarks/perturb_throughput.py --xnli DIR        # XNLI test, 15 languages, 10 perturbations, 3 severities

Rewrites are included, and `--json` writes every one as JSON too, as a stored rewrite is. Without a file the sentences
are made of the words of this docstring, 20 each, for English; for another language they are the premises of XNLI's
test set in `--data`. Machines differ by a factor of three, so what counts is the ratio to CheckList's `add_typos`
(Ribeiro et al. 2020; transcribed below, one exchange a sentence): it runs beside every perturbation, in turns, and
medians are compared; the median of the ratios at three severities stands in the table that ends a run.

`--data DIR` has xnli, and unimorph, omw, misspellings and muse, which `inflect`, `synonym`, `real-noise` and `codemix`
draw on where these have the language; the phrase table of `codemix-phrase` is made of the sentences. `mlm` and
`translated-phrase` take a model and are left out. MulTypo (`pip install --no-deps --target DIR multypo==0.1.1`) runs
in this process, nlpaug (Ma 2019) in an environment of its own that `--nlpaug DIR` names or makes (`python -m venv`,
pip: it needs pandas, requests and gdown). TextAttack's transformations import torch, flair, nltk and
language-tool-python, so that they are measured only where `--textattack PYTHON` names an interpreter that has it.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from crosswind.data.examples import Dataset, PairExample, kind_of
from crosswind.errors import UserError
from crosswind.perturb.dataset import perturb_dataset, perturb_example, perturb_examples
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.lines import ArrivingLines, perturb_stream
from crosswind.perturb.needs import DataNeed, Need
from crosswind.perturb.perturbation import PERTURBATIONS, Environment
from crosswind.perturb.spec import Spec, TextScope, parse_spec
from perturb_kinds import brought, measured, phrase_table

Rates = list[tuple[float, float]]
"""At each severity sentences a second, and how many times the speed of CheckList's loop that is."""

LEVELS = (0.05, 0.1, 0.2)
REPEATS = 5
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


def multypo(language: str, folder: Path) -> Callable[[str], str] | None:
    sys.path.insert(0, str(folder))
    from multypo import MultiTypoGenerator  # type: ignore[import-not-found,unused-ignore]

    names = {"en": "english", "de": "german", "ru": "russian", "hi": "hindi", "ar": "arabic", "el": "greek"}
    if language not in names:
        return None
    generator = MultiTypoGenerator(names[language])
    return lambda text: str(generator.insert_typos(text, 0.1))


# What runs in another interpreter: it reads lines and prints sentences a CPU second, the median of three passes.
_ELSEWHERE = """
import statistics, sys, time
texts = sys.stdin.read().splitlines()
{make}
rates = []
for _ in range(3):
    start = time.process_time()
    for text in texts:
        augment(text)
    rates.append(len(texts) / (time.process_time() - start))
print(statistics.median(rates))
"""
_NLPAUG = {
    "nlpaug KeyboardAug": "import nlpaug.augmenter.char as c; augment = c.KeyboardAug(aug_char_p=.1, aug_word_p=1, "
    "aug_word_max=None).augment",
    "nlpaug RandomCharAug swap": "import nlpaug.augmenter.char as c; augment = c.RandomCharAug(action='swap', "
    "aug_char_p=.1, aug_word_p=1, aug_word_max=None).augment",
    "nlpaug OcrAug": "import nlpaug.augmenter.char as c; augment = c.OcrAug(aug_char_p=.1, aug_word_p=1, "
    "aug_word_max=None).augment",
}
_TEXTATTACK = {
    "TextAttack swap": "from textattack.transformations import WordSwapNeighboringCharacterSwap as Swap; "
    "from textattack.augmentation import Augmenter; augment = Augmenter(transformation=Swap(), pct_words_to_swap=.1, "
    "transformations_per_example=1).augment",
}


def with_nlpaug(folder: Path) -> Path:
    """The interpreter of an environment that has nlpaug; it is made where there is none."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        for wanted in (["--no-deps", "nlpaug==1.1.11"], ["numpy<2", "pandas", "requests", "gdown"]):
            subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
    return python


def elsewhere(python: Path, peers: dict[str, str], texts: list[str]) -> None:
    for name, make in peers.items():
        code = _ELSEWHERE.format(make=make)
        done = subprocess.run([python, "-c", code], input="\n".join(texts), capture_output=True, text=True, check=False)
        said = f"{float(done.stdout):8,.0f}" if done.returncode == 0 else f"left out: {done.stderr.splitlines()[-1]}"
        print(f"{name:28} {said}", flush=True)


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def checked(texts: list[str]) -> Callable[[], list[str]]:
    """CheckList's loop over the sentences that it can change."""
    longer = [text for text in texts if len(text) > 1]
    return lambda: [add_typos(text) for text in longer]


def rates_of(name: str, atom: str, texts: list[str], language: str, given: argparse.Namespace) -> Rates:
    """Sentences a CPU second at each severity, and how many times CheckList's speed; none where it does not apply."""
    data, fields = measured(name, texts, language)
    environment = Environment(LexiconFolder(given.lexicons) if given.lexicons else None)
    theirs_too = checked(texts)
    rates = []
    for level in LEVELS:
        spec = parse_spec(atom, severity=level)
        scope = TextScope(language, kind_of(data.examples[0]), fields, environment, data.task)
        if spec.applies(scope) is not None:
            return []
        needed = {need: data for need in spec.needs(scope) if isinstance(need, DataNeed)}

        def work(spec: Spec = spec, needed: dict[Need, Dataset] = needed) -> None:  # type: ignore[assignment]
            made = perturb_dataset(data, spec, draw=0, fields=fields, environment=environment, resolved=needed)
            if given.json:
                made.table()

        work()
        pairs = [(seconds(work), seconds(theirs_too)) for _ in range(REPEATS)]
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        rates.append((len(texts) / ours, theirs / ours))
    return rates


def by_perturbation(given: argparse.Namespace) -> None:
    table: dict[str, dict[str, str]] = {}
    for language in given.language:
        source = given.lines or (given.data / "xnli" / f"test-{language}.tsv" if language != "en" else None)
        texts = [text.partition("\t")[0] for text in sentences(source, given.sentences)]
        print(f"{language}, {len(texts):,} sentences", flush=True)
        peers(given, texts, language)
        with tempfile.TemporaryDirectory() as folder:
            phrase_table(Path(folder), texts, language)
            specs = brought(given.data, Path(folder))
            for name in given.only.split(" ") if given.only else [*PERTURBATIONS.names(), "swap(scripts=all)"]:
                atom = specs.get(name, name)
                try:
                    rates = rates_of(name, atom, texts, language, given)
                except (UserError, KeyError) as error:  # needs a model, or data that are not named
                    print(f"{name:28} left out: {error}".splitlines()[0], flush=True)
                    continue
                if rates:
                    shown = "  ".join(
                        f"{rate:8,.0f} at {s:g} (x{x:.2f})" for s, (rate, x) in zip(LEVELS, rates, strict=True)
                    )
                    print(f"{name:28} {shown}", flush=True)
                    ratio = statistics.median(x for _, x in rates)
                    table.setdefault(name, {})[language] = f"{rates[1][0]:,.0f} ({ratio:.2f})"
        rate = len(texts) / statistics.median(seconds(checked(texts)) for _ in range(REPEATS))
        print(f"{'CheckList add_typos':28} {rate:8,.0f}; beside the others: how many times its speed they have")
        table.setdefault("CheckList's `add_typos`", {})[language] = f"{rate:,.0f}"
    print(f"\n| | {' | '.join(given.language)} |\n|---|{'---|' * len(given.language)}")
    for name, cells in table.items():
        shown = name if "`" in name else f"`{name}`"
        print(f"| {shown} | {' | '.join(cells.get(language, '') for language in given.language)} |")


def peers(given: argparse.Namespace, texts: list[str], language: str) -> None:
    """What other packages do with the same sentences, as far as they are named."""
    typo = multypo(language, given.peers) if given.peers else None
    if typo is not None:
        print(f"{'MulTypo 0.1':28} {len(texts[:1000]) / seconds(lambda: [typo(t) for t in texts[:1000]]):8,.0f}")
    if given.nlpaug:
        elsewhere(with_nlpaug(given.nlpaug), _NLPAUG, texts[:1000])
    if given.textattack:
        elsewhere(given.textattack, _TEXTATTACK, texts[:100])


def one_at_a_call(n: int) -> None:
    texts = sentences(None, n)
    spec = parse_spec("keyboard:0.1")
    examples = [PairExample(f"bench/{i}", "bench", "en", text, "") for i, text in enumerate(texts)]

    def alone() -> None:
        for example in examples:
            perturb_example(example, spec, task="bench", draw=0, fields=("first",))

    def together() -> None:
        perturb_examples(examples, spec, task="bench", draw=0, fields=("first",))

    alone()
    pairs = [(seconds(alone), seconds(together)) for _ in range(REPEATS)]
    single, share = (statistics.median(column) / n * 1e6 for column in zip(*pairs, strict=True))
    print(f"{single:.0f} µs an example at a call of its own, {share:.0f} µs in a batch of {n}")


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
        # Of white space that ends a line elsewhere (U+0085, U+2028) some texts hold a character.
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line][::share]
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
    parser.add_argument("--language", nargs="+", default=["en"], metavar="CODE")
    parser.add_argument("--sentences", type=int, default=5000)
    parser.add_argument("--only", help="names of perturbations, separated by spaces")
    parser.add_argument("--lexicons", type=Path, help="folder with en-de.txt, for codemix, where --data has no muse")
    parser.add_argument("--data", type=Path, help="folder of unpacked data: xnli, unimorph, omw, misspellings, muse")
    parser.add_argument("--peers", type=Path, help="folder with the package multypo")
    parser.add_argument("--nlpaug", type=Path, help="folder of an environment with nlpaug; made if it is not there")
    parser.add_argument("--textattack", type=Path, help="a Python interpreter that has TextAttack")
    parser.add_argument("--json", action="store_true", help="write the rewrites as JSON too")
    parser.add_argument("--one", type=int, metavar="N", help="examples, one at a call")
    parser.add_argument("--filter", type=int, metavar="N")
    parser.add_argument("--xnli", type=Path, metavar="DIR", help="folder with test-LANGUAGE.tsv")
    parser.add_argument("--share", type=int, default=1, help="every how manyeth row of XNLI")
    given = parser.parse_args()
    if given.data and not given.lexicons:
        given.lexicons = given.data / "muse" / "dictionaries"
    if given.data is None and given.lines is None and given.language != ["en"]:
        parser.error("another language than English needs LINES or --data")
    if given.one:
        one_at_a_call(given.one)
    elif given.filter:
        through_the_filter(given.filter)
    elif given.xnli:
        all_of_xnli(given.xnli, given.share)
    else:
        by_perturbation(given)


if __name__ == "__main__":
    main()
