"""How many damaged words spelling correction restores: by frequency alone, and chosen by a masked language model.

    python benchmarks/correction_effect.py ENCODER DATA [--lines 300] [--spec keyboard:0.2]

The lines are the first premises and hypotheses of XNLI dev. The list of words is counted in what is at hand of other
English text: the dev files of MNLI and SNLI and the three domains of SQuADShifts; words seen at least `--least` times.
`ENCODER` is a folder with a masked-LM head. Nothing of what is counted is in the lines.

Printed: of the words that the perturbation changed the share that is as it was, of the other words the share that
was made another, each way (of what the model chooses from also the most frequent one); and the processor time of each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

import crosswind
from crosswind.data.examples import PairExample, SpanExample
from crosswind.data.source import open_source
from crosswind.evaluate.purify import Purification
from crosswind.model.filling import EncoderFiller
from crosswind.perturb.words import words
from crosswind.prepare.wordlists import word_counts
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load


class AllAlike:
    """A model that finds every word as likely: the most frequent one is taken."""

    def likelihoods(self, places: Sequence[tuple[str, int, int]], words: Sequence[Sequence[str]]) -> list[list[float]]:
        return [[0.0] * len(some) for some in words]


def split(text: str, language: str) -> list[str]:
    return [text[s.start : s.end] for s in words(text, language)]


def counted(root: Path) -> Counter[str]:
    source = open_source({"source": "files", "root": str(root)})
    texts: dict[str, None] = {}
    for name, part in (("mnli", "dev"), ("snli", "dev")):
        for example in load(TASKS[name], "en", part, source).examples:
            assert isinstance(example, PairExample)
            texts |= dict.fromkeys((example.first, example.second))
    for domain in ("new_wiki", "amazon_reviews", "reddit"):
        for example in load(TASKS["squadshifts"], "en", domain, source).examples:
            assert isinstance(example, SpanExample)
            texts |= dict.fromkeys((example.question, example.context))
    return Counter(dict(word_counts(texts, "en")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder")
    parser.add_argument("data", type=Path)
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--least", type=int, default=3)
    parser.add_argument("--spec", default="keyboard:0.2")
    given = parser.parse_args()
    torch.set_num_threads(1)
    counts = {word: n for word, n in counted(given.data).items() if n >= given.least}
    source = open_source({"source": "files", "root": str(given.data)})
    lines: dict[str, None] = {}
    for example in load(TASKS["xnli"], "en", "dev", source).examples:
        assert isinstance(example, PairExample)
        lines |= dict.fromkeys((example.first, example.second))
    clean = [*lines][: given.lines]
    noisy = crosswind.perturb(clean, given.spec, "en", seed=1)
    kept = [(a, b) for a, b in zip(clean, noisy, strict=True) if len(split(a, "en")) == len(split(b, "en"))]
    print(f"{len(kept)} lines, {len(counts)} words known")
    filler = EncoderFiller(given.encoder)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "en.txt").write_text("".join(f"{w}\t{n}\n" for w, n in counts.items()), encoding="utf-8")
        ways = {
            "frequency": Purification(["correct"], folder),
            "frequency, the masked LM's choices": Purification(["correct(model=M)"], folder, {"M": AllAlike()}),
            "masked LM": Purification(["correct(model=M)"], folder, {"M": filler.scorer}),
        }
        for name, way in ways.items():
            way.rewrite("x", "en")  # reads the list
            begun = time.process_time()
            examples = [PairExample(str(i), str(i), "en", b, a, 0) for i, (a, b) in enumerate(kept)]
            way.ahead(examples)
            read = [way.example(example) for example in examples]
            seconds = time.process_time() - begun
            seen: Counter[str] = Counter()
            for (a, b), e in zip(kept, read, strict=True):
                assert isinstance(e, PairExample)
                for was, now, then, of_clean in zip(*(split(t, "en") for t in (a, b, e.first, e.second)), strict=True):
                    if was != now:
                        seen["damaged"] += 1
                        seen["restored"] += then == was
                        seen["made a third"] += then not in (was, now)
                    else:
                        seen["whole"] += 1
                        seen["spoilt"] += then != was
                    seen["spoilt in clean text"] += of_clean != was
            print(f"{name}: {dict(seen)}, {seconds:.1f} CPU s")
            damaged, whole = seen["damaged"], seen["whole"]
            print(
                f"    restored {100 * seen['restored'] / damaged:.1f} % of {damaged} damaged words; made another of "
                f"{100 * seen['spoilt'] / whole:.2f} % of {whole} others"
            )


if __name__ == "__main__":
    main()
