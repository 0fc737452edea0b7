"""The data sets of `perturb_throughput.py`: the same sentences as the examples that each perturbation is made for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.perturb.words import words

Measured = tuple[Dataset, tuple[str, ...]]
"""A data set, and the fields of it that are perturbed."""

_KINDS = {
    "distract-nli": "inference",
    "distract-qa": "reading",
    "entity-swap": "entities",
    "hard-negatives": "retrieval",
    "option-order": "choice",
}


def measured(name: str, texts: Sequence[str], language: str) -> Measured:
    """The sentences as examples of the kind that a perturbation needs; one sentence is one example."""
    ids = [f"bench/{i}" for i in range(len(texts))]
    after = [*texts[1:], *texts[:1]]
    items: list[Example]
    pool: Pool | None = None
    match _KINDS.get(name, "text"):
        case "inference":
            task, fields = "xnli", ("first", "second")
            items = [
                PairExample(i, i, language, first, second, 0)
                for i, first, second in zip(ids, texts, after, strict=True)
            ]
        case "choice":
            task, fields = "xcopa", ("choices",)
            further = [*texts[2:], *texts[:2]]
            items = [
                ChoiceExample(i, i, language, text, "effect", (a, b), 0)
                for i, text, a, b in zip(ids, texts, after, further, strict=True)
            ]
        case "reading":  # a sentence is asked about, and stands in a context of two with its longest word as the answer
            task, fields = "xquad", ("context",)
            items = [
                SpanExample(i, i, language, text, f"{text} {other}", (_longest(text, language),))
                for i, text, other in zip(ids, texts, after, strict=True)
            ]
        case "entities":
            task, fields = "panx", ("words",)
            items = [_tagged(i, language, text) for i, text in zip(ids, texts, strict=True)]
        case "retrieval":
            task, fields = "tatoeba", ("pool",)
            pool = Pool(tuple(Candidate(f"{i}/c", language, t, cluster=i) for i, t in zip(ids, texts, strict=True)))
            items = [QueryExample(i, i, "en", text, (f"{i}/c",)) for i, text in zip(ids, texts, strict=True)]
        case _:
            task, fields = "bench", ("first",)
            items = [PairExample(i, "bench", language, text, "") for i, text in zip(ids, texts, strict=True)]
    return Dataset(task, language, "test", tuple(items), pool, fingerprint=f"{task} {language}"), fields


def _longest(text: str, language: str) -> Span:
    return max(words(text, language), key=lambda w: w.end - w.start, default=Span(0, len(text)))


def _tagged(name: str, language: str, text: str) -> TaggingExample:
    """A sentence in which every fifth word, or two, are a name: 1 to 4 of 20 words, as in PAN-X and MasakhaNER."""
    cut = tuple(text[w.start : w.end] for w in words(text, language)) or ("-",)
    tags = ["O"] * len(cut)
    for at in range(1, len(cut), 5):
        tags[at] = "B-PER"
        if at % 2 and at + 1 < len(cut):
            tags[at + 1] = "I-PER"
    return TaggingExample(name, name, language, cut, tuple(tags))


def brought(data: Path | None, phrases: Path | None) -> dict[str, str]:
    """How the perturbations are spelled that need parameters, or files of unpacked data; those without are left out."""
    specs = {"codemix": "codemix(embed=de)"}
    if data is not None:
        specs["inflect"] = f'inflect(tables="{data / "unimorph"}")'
        specs["synonym"] = f'synonym(wordnets="{data / "omw"}")'
        specs["real-noise"] = f'real-noise(errors="{data / "misspellings"}")'
    if phrases is not None:
        specs["codemix-phrase"] = f'codemix-phrase(embed=de,phrases="{phrases}")'
    return specs


def phrase_table(folder: Path, texts: Sequence[str], language: str) -> None:
    """A phrase table into German, made of the sentences: every third pair of neighbouring words stands in it."""
    pairs: dict[str, None] = {}
    for text in texts:
        cut = words(text, language)
        for a, b in itertools.islice(itertools.pairwise(cut), 0, None, 3):
            pairs[" ".join(text[a.start : b.end].split())] = None
    rows = "".join(f"{pair}\tzwei Wörter\t{n % 7 + 1}\n" for n, pair in enumerate(pairs))
    (folder / f"{language}-de.phrases.tsv").write_text(rows, encoding="utf-8")
