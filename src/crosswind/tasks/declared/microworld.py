"""The microworld's tasks, one of every kind that XTREME-R has, and what encoders are pretrained on."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.examples import Kind
from crosswind.data.files import Files
from crosswind.data.microworld import corpora, generated
from crosswind.data.microworld.languages import CODES
from crosswind.data.microworld.tagging import ENTITIES, TAGS
from crosswind.data.source import Content, FileLayout, Generated, TextLines
from crosswind.errors import UserError
from crosswind.tasks.base import Corpus, Task

_HINT = "set data: {source: microworld}"


def _no_files(files: Files, language: str, split: str) -> tuple[Path, ...]:
    raise UserError("the microworld's tasks have no files", where="data.source", hint=_HINT)


def _nothing(paths: tuple[Path, ...], language: str, split: str) -> Content:
    raise NotImplementedError


def _no_text(files: Files, languages: tuple[str, ...]) -> tuple[Path, ...]:
    raise UserError("the microworld's corpora have no files", where="data.source", hint=_HINT)


def _no_lines(paths: tuple[Path, ...], languages: tuple[str, ...]) -> TextLines:
    raise NotImplementedError


_FILES = FileLayout(_no_files, _nothing)


def _task(
    name: str,
    kind: Kind,
    summary: str,
    made: Generated,
    *,
    group: str,
    metric: str,
    perturbed: tuple[str, ...],
    labels: tuple[str, ...] = (),
    related: tuple[str, ...] = (),
    languages: tuple[str, ...] = CODES,
    trains_on: str | None = None,
    pooled: bool = False,
) -> Task:
    return Task(
        name=name,
        kind=kind,
        summary=f"microworld: {summary}",
        group=group,
        languages=languages,
        splits=tuple(made.sizes),
        files=_FILES,
        metrics=(metric,),
        perturbed=perturbed,
        labels=labels,
        counts={(language, split): n for language in languages for split, n in made.sizes.items()},
        trains_on=trains_on,
        related=related,
        licence="Apache-2.0",
        citation="generated",
        across=(lambda pool_languages: _FILES) if pooled else None,
        generated=made,
    )


MW_NLI = _task(
    "mw-nli",
    "pair",
    "inference; three hypotheses a premise",
    generated.NLI,
    group="nli",
    related=("paraphrase",),
    metric="accuracy",
    perturbed=("first", "second"),
    labels=("entailment", "neutral", "contradiction"),
    trains_on="mw-nli",
)

MW_PARAPHRASE = _task(
    "mw-paraphrase",
    "pair",
    "paraphrases among pairs with high word overlap",
    generated.PARAPHRASE,
    group="paraphrase",
    related=("nli",),
    metric="accuracy",
    perturbed=("first", "second"),
    labels=("different", "paraphrase"),
    trains_on="mw-paraphrase",
)

MW_CAUSES = _task(
    "mw-causes",
    "choice",
    "the cause or the effect of what happened, among two",
    generated.CAUSES,
    group="causal-choice",
    related=("commonsense-choice",),
    metric="accuracy",
    perturbed=("context", "choices"),
    labels=("choice1", "choice2"),
    trains_on="mw-causes",
)

MW_COMPLETION = _task(
    "mw-completion",
    "choice",
    "how one of two stories goes on, among four endings; for intermediate training",
    generated.COMPLETION,
    group="commonsense-choice",
    related=("causal-choice",),
    metric="accuracy",
    perturbed=("context", "choices"),
    labels=("0", "1", "2", "3"),
    trains_on="mw-completion",
)

MW_READING = _task(
    "mw-reading",
    "choice",
    "which of three statements a text makes; for intermediate training",
    generated.READING,
    group="reading-choice",
    related=("qa", "commonsense-choice"),
    metric="accuracy",
    perturbed=("context", "choices"),
    labels=("0", "1", "2"),
    trains_on="mw-reading",
)

MW_POS = _task(
    "mw-pos",
    "tagging",
    "universal part-of-speech tags",
    generated.POS,
    group="pos",
    related=("ner",),
    metric="seqeval-f1",
    perturbed=("words",),
    labels=TAGS,
    trains_on="mw-pos",
)

MW_NER = _task(
    "mw-ner",
    "tagging",
    "persons, places and organisations, IOB2; tested on names that training does not have",
    generated.NER,
    group="ner",
    related=("pos",),
    metric="seqeval-f1",
    perturbed=("words",),
    labels=ENTITIES,
    trains_on="mw-ner",
)

MW_QA = _task(
    "mw-qa",
    "span",
    "extractive question answering; four questions a text",
    generated.QA,
    group="qa",
    related=("answer-retrieval", "reading-choice"),
    metric="squad",
    perturbed=("question", "context"),
    trains_on="mw-qa",
)

MW_TRANSLATIONS = _task(
    "mw-sentences",
    "query",
    "English queries, their translations as the pool",
    generated.TRANSLATIONS,
    group="sentence-retrieval",
    related=("answer-retrieval",),
    metric="accuracy",
    perturbed=("pool",),
    languages=tuple(code for code in CODES if code != "en"),
)

MW_ANSWERS = _task(
    "mw-answers",
    "query",
    "questions of mw-qa; the pool holds the sentences of all languages (train: of one)",
    generated.ANSWERS,
    group="answer-retrieval",
    related=("qa", "sentence-retrieval"),
    metric="map@20",
    perturbed=("query",),
    trains_on="mw-answers",
    pooled=True,
)

MW_TEXT = Corpus(
    name="mw-text",
    kind="text",
    summary="microworld: documents about a few people, in every language other ones",
    languages=CODES,
    locate=_no_text,
    read=_no_lines,
    licence="Apache-2.0",
    citation="generated",
    generated=corpora.documents,
)

MW_PARALLEL = Corpus(
    name="mw-parallel",
    kind="parallel",
    summary="microworld: short passages in every language",
    languages=CODES,
    locate=_no_text,
    read=_no_lines,
    licence="Apache-2.0",
    citation="generated",
    generated=corpora.parallel,
)
