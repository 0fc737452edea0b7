"""Noise that people made beside noise that is drawn, of XNLI and SNIPS: types of edits and damage at one rate.

    python benchmarks/natural_noise.py --xnli DATA [--items N] [--languages "de fr"] [--only "keyboard delete"]
    python benchmarks/natural_noise.py SNIPS [--items N] [--only "keyboard delete"]

`SNIPS` is the folder `paper_data/snips/langs` of Cooper Stickland et al. 2023, whose `data.tsv` has the standard
utterance beside the noisy one; marks such as `<cancion|0>` around a changed word are taken away. `DATA` holds XNLI's
official files and `real-noise/paper_data/xnli` of the same authors, whose items are found again in them (twins).
Printed are rows of `docs/natural-noise.md`: of each perturbation the severity at which it makes as many edits a text as
people did.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from crosswind.data.examples import PairExample
from crosswind.data.sources.files import FilesSource
from crosswind.perturb.damage import Damage, damage
from crosswind.perturb.diff import rewrite_between
from crosswind.perturb.edit_types import EDIT_TYPES, counted, distance, shares
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.perturb.tuning import DamageTarget, damage_of_lines, tuned_severity
from crosswind.perturb.twins import twins, without_word_marks
from crosswind.perturb.words import words
from crosswind.study.own import OwnTask, declare_own
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

XNLI = ("de", "en", "es", "fr", "hi", "tr")
SPECS = ("keyboard", "swap", "delete", "insert", "whitespace")
Pairs = list[tuple[str, str]]


def utterances(path: Path) -> Pairs:
    """The standard and the noisy utterance of each row."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["old_utterance"], without_word_marks(row["new_utterance"])) for row in rows]


def premises_and_hypotheses(data: Path, language: str, items: int) -> Pairs:
    """The texts of evenly spread items of XNLI that have a variant, as they were and as it has them."""
    source = FilesSource(data)
    made = twins(*(load(TASKS[name], language, "test", source) for name in ("xnli", "noisy")), quotes="'").data
    clean = {e.id: e for e in load(TASKS["xnli"], language, "test", source).examples}
    changed = [e.example for e in made if e.changed]
    chosen = [changed[i * len(changed) // items] for i in range(items)] if len(changed) > items else changed
    pairs = []
    for after in chosen:
        before = clean[after.id]
        assert isinstance(before, PairExample)
        assert isinstance(after, PairExample)
        pairs += [(before.first, after.first), (before.second, after.second)]
    return pairs


def declare_noisy(data: Path) -> None:
    """The noisy test sets of XNLI as a task, as docs/natural-noise.md declares it."""
    noisy = {
        "like": "xnli",
        "files": "real-noise/paper_data/xnli/test_{language}_typos_0.05.tsv",
        "labels": {0: "entailment", 1: "neutral", 2: "contradiction"},
        "columns": {"first": "premise", "second": "hypothesis", "label": "label"},
        "parallel": True,
    }
    declare_own({"noisy": OwnTask.model_validate(noisy)}, data)


def of_pairs(pairs: Pairs, language: str) -> Damage:
    """The damage of all pairs together."""
    total = Damage()
    for before, after in pairs:
        total += damage(before, after, rewrite_between(before, after), words(before, language))
    return total


def row(language: str, name: str, severity: str, pairs: Pairs, natural: Counter[str] | None) -> str:
    """A row of the table."""
    counts, done = counted(pairs), of_pairs(pairs, language)
    parts = shares(counts)
    types = " | ".join(f"{100 * parts[t]:.0f}" for t in EDIT_TYPES)
    far = "" if natural is None else f"{distance(natural, counts):.2f}"
    numbers = f"{done.edits_per_text:.2f} | {100 * done.word_share:.1f} | {done.chrf:.1f}"
    return f"| {language} | {name} | {severity} | {types} | {far} | {numbers} |"


def rows(language: str, pairs: Pairs, specs: Sequence[str]) -> Iterator[str]:
    """What people did, and each perturbation at as many edits a text."""
    texts = [before for before, _ in pairs]
    natural = counted(pairs)
    yield row(language, "natural", "", pairs, None)
    wanted = DamageTarget("edits", of_pairs(pairs, language).edits_per_text)
    scope = TextScope(language)
    for name in specs:
        if parse_spec(name, severity=0.1).applies(scope) is not None:
            continue
        measured = damage_of_lines(texts, lambda level, name=name: parse_spec(name, severity=level), scope, draw=1)  # type: ignore[misc]
        spec = parse_spec(name, severity=tuned_severity(measured, wanted))
        drawn = list(zip(texts, perturb_lines(texts, spec, language, draw=1), strict=True))
        yield row(language, name, f"{spec.atoms[0].severity:.3f}", drawn, natural)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snips", type=Path, nargs="?")
    parser.add_argument("--xnli", type=Path, help="the folder of official files that holds real-noise too")
    parser.add_argument("--items", type=int, default=150, help="items of each language")
    parser.add_argument("--languages", default=" ".join(XNLI), help="of --xnli")
    parser.add_argument("--only", default=" ".join(SPECS))
    given = parser.parse_args()
    if (given.snips is None) == (given.xnli is None):
        parser.error("name the folder of SNIPS, or --xnli DATA")
    if given.xnli is not None:
        declare_noisy(given.xnli)
        for language in given.languages.split(" "):
            texts = premises_and_hypotheses(given.xnli, language, given.items)
            for line in rows(language, texts, given.only.split(" ")):
                print(line, flush=True)
        return
    for path in sorted(given.snips.glob("*/test/data.tsv")):
        pairs = utterances(path)[: given.items]
        for line in rows(path.parts[-3][:2], pairs, given.only.split(" ")):
            print(line, flush=True)


if __name__ == "__main__":
    main()
