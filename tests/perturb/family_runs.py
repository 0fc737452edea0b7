"""Every perturbation made ready for real data: lexicons of its words, translations, models that are scripted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import regex
from tests.perturb.official_samples import Sample

from crosswind.data.examples import Dataset, SpanExample, kind_of
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.draw import key
from crosswind.perturb.example import candidate_passage, passages
from crosswind.perturb.families.mlm import Blank
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.needs import DataNeed, ModelNeed, Need
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import PERTURBATIONS, Environment, NotApplicable
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.perturb.spec import Resolved, Spec, TextScope, parse_spec
from crosswind.perturb.words import base_language, words

WITHIN_WORDS = frozenset(
    {
        "bidi", "case", "delete", "deletion-control", "diacritics", "duplicate", "full-width", "homoglyph", "insert",
        "invisible", "keyboard", "ocr", "substitute", "swap", "visual", "whitespace",
    }
)  # fmt: skip
"""They write words in another way. All others change, move, repeat or leave out whole ones."""

# Modes whose sites are others.
_MODES = {"mlm": ("mlm", "mlm(mode=insert)", "mlm(mode=merge)")}
SPELLINGS = tuple(spec for name in sorted(PERTURBATIONS.names()) for spec in _MODES.get(name, (name,)))
"""Every perturbation, each mode with other sites apart."""


def name_of(spelling: str) -> str:
    """The perturbation of a spelling."""
    return spelling.partition("(")[0]


@dataclass(frozen=True)
class Run:
    """One perturbation of one sample."""

    sample: Sample
    perturb: Callable[..., PerturbedDataset]
    environment: Environment

    @property
    def data(self) -> Dataset:
        return self.sample.data


@dataclass(frozen=True)
class Prepared:
    """What perturbations need beside the texts: files, and the samples as translations of one another."""

    environment: Environment
    parallel: Mapping[tuple[str, str], Dataset]

    def spec(self, spelling: str, severity: float) -> Spec:
        """A perturbation with the parameters that have no default."""
        assert isinstance(self.environment.lexicons, LexiconFolder)
        folder = self.environment.lexicons.folder
        given = {
            "codemix": "embed=de",
            "codemix-phrase": f'embed=de,phrases="{folder}"',
            "inflect": f'tables="{folder}"',
            "mlm": "model=scripted",
            "real-noise": f'errors="{folder}"',
            "synonym": f'wordnets="{folder}",senses=0',
            "translated-phrase": "embed=de,zh,th,es,model=scripted",
        }.get(name_of(spelling), "")
        own = spelling.partition("(")[2].rstrip(")")
        params = ",".join(part for part in (given, own) if part)
        return parse_spec(f"{name_of(spelling)}({params})" if params else spelling, severity=severity)

    def resolved(self, spec: Spec, scope: TextScope, data: Dataset | None = None) -> Resolved:
        """What its needs are met with."""
        met: dict[Need, Any] = {}
        for need in spec.needs(scope):
            if isinstance(need, DataNeed):
                assert data is not None
                empty = Dataset(data.task, need.language or "", data.split, ())
                met[need] = self.parallel.get((data.task, need.language), empty) if need.language else data
            else:
                assert isinstance(need, ModelNeed)
                met[need] = {"aligner": linked, "masked-lm": Filler()}[need.role]
        return met


class Filler:
    """A masked language model that finds likely, by a hash, what stands around: words, and parts that are none."""

    def fill(self, blanks: Sequence[Blank], most: int) -> list[list[tuple[str, float]]]:
        filled = []
        for text, start, _, _ in blanks:
            around = dict.fromkeys(_RUN.findall(text))
            # A mark alone would join the letter before it.
            around |= dict.fromkeys([mark + word for word in around for mark in _MARK.findall(word)][:4])
            ordered = sorted(around, key=lambda word: key(text, str(start), word))[:most]
            filled.append([(word, 1 / (2 + n)) for n, word in enumerate(ordered)])
        return filled


_RUN = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_MARK = regex.compile(r"\p{M}")


def linked(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> list[list[tuple[int, int]]]:
    """Links in proportion, of each sentence the third word to its neighbour's too: phrases of one word and of more."""
    every = []
    for mine, theirs in pairs:
        links = {(i, i * len(theirs) // len(mine)) for i in range(len(mine))}
        if len(mine) > 3:
            links.add((2, 3 * len(theirs) // len(mine)))
        every.append(sorted(links))
    return every


def prepared(every: Sequence[Sample], every_line: Mapping[str, Sequence[str]], folder: Path) -> Prepared:
    """A lexicon, and beside it tables as users bring them, of the words of the samples in every language."""
    texts = [(p.language, p.text) for sample in every for p in cut(sample, "swap")]
    texts += [(language, line) for language, lines in every_line.items() for line in lines]
    entries: dict[str, dict[str, None]] = {}
    phrases: dict[str, dict[str, None]] = {}
    for language, text in texts:
        spans = words(text, language)
        entries.setdefault(base_language(language), {}).update((text[w.start : w.end].lower(), None) for w in spans)
        pairs = ((text[a.start : b.end].lower(), None) for a, b in itertools.pairwise(spans))
        phrases.setdefault(base_language(language), {}).update(pairs)
    for language, listed in entries.items():
        numbered = list(enumerate(sorted(listed)))
        # Of inflections and synonyms two make a pair, not the same two.
        for name, rows in {
            f"{language}-de.txt": [f"{word} wort{n}" for n, word in numbered if n % 2],
            f"inflections-{language}.tsv": [f"{n // 2}\t{word}\tN;X" for n, word in numbered],
            f"{language}.tab": [f"{(n + 1) // 2}-n\tx:lemma\t{word}" for n, word in numbered],
            f"errors-{language}.tsv": [f"{word}\t{word + word[-1]}\t{n % 3 + 1}" for n, word in numbered if n % 3],
            f"{language}-de.phrases.tsv": [
                f"{phrase}\tzwei wörter\t{n % 5 + 1}" for n, phrase in enumerate(phrases[language]) if n % 4 == 1
            ],
        }.items():
            (folder / name).write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    parallel = {(s.data.task, s.data.language): s.data for s in every}
    return Prepared(Environment(LexiconFolder(folder)), parallel)


def runs(spelling: str, chosen: Sequence[Sample], ready: Prepared) -> Iterator[Run]:
    """The samples that a perturbation applies to."""
    for sample in chosen:
        data = sample.data
        kind = kind_of(data.examples[0])
        spec = ready.spec(spelling, 0.5)
        languages = {data.language, *(e.context_language for e in data.examples if isinstance(e, SpanExample))} - {""}
        scopes = [TextScope(language, kind, sample.fields, ready.environment, data.task) for language in languages]
        if any(spec.applies(scope) is not None for scope in scopes):
            continue

        resolved: dict[Need, Any] = {}
        for scope in scopes:
            resolved |= ready.resolved(spec, scope, data)

        def perturb(
            data: Dataset, severity: float, sample: Sample = sample, resolved: Resolved = resolved
        ) -> PerturbedDataset:
            at = ready.spec(spelling, severity)
            about: dict[str, Any] = {"environment": ready.environment, "resolved": resolved}
            return perturb_dataset(data, at, draw=3, fields=sample.fields, **about)

        run = Run(sample, perturb, ready.environment)
        if not any(isinstance(need, DataNeed) for need in resolved) or _applies(run):
            yield run


def _applies(run: Run) -> bool:
    """Whether few examples have what it needs: answers in sentences, translations among the other samples."""
    try:
        for some in (run.data, replace(run.data, examples=run.data.examples[1:2])):
            run.perturb(some, 0.5)
    except NotApplicable:
        return False
    return True


def cut(sample: Sample, name: str) -> list[Passage]:
    """The passages of a sample."""
    fields = [f for f in sample.fields if f != "pool"]
    whole = PERTURBATIONS[name].whole
    cut = (
        [p for e in sample.data.examples for p in passages(e, fields, task=sample.data.task, whole=whole)]
        if fields
        else []
    )
    if "pool" in sample.fields and sample.data.pool is not None:
        cut += [candidate_passage(c, task=sample.data.task) for c in sample.data.pool.candidates]
    return cut
