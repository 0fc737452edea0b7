"""`translate`: the examples of a data set in another language, by a seq2seq checkpoint or word by word from a lexicon.

Input: `rewrite` (of a test set that is perturbed before it is translated). Writes `examples.jsonl`, of retrieval
`pool.jsonl`, and of a test set whose answers or entities are to be carried back `links.jsonl`, a line a text; keeps
each finished chunk meanwhile, so that a stopped step goes on with the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from crosswind.data.examples import Candidate, Dataset, Example, Pool, SpanExample, TaggingExample
from crosswind.data.stored import example_of, read_examples, stored_example, write_examples, write_lines
from crosswind.errors import UserError
from crosswind.perturb.retag import entities
from crosswind.prepare.carry import CARRIERS, Carrier, TranslatedExample, settled, waiting_json, with_waiting
from crosswind.prepare.project import LinkedWords, TranslatedPassage, linked_words, links_json, links_of
from crosswind.prepare.translate import (
    example_chunks,
    refuse_untranslatable,
    translated_candidates,
    translated_chunk,
)
from crosswind.reading import json_lines
from crosswind.run.job import Artifact, Job, Worker
from crosswind.run.kinds import StepKind, device_needs, unsigned
from crosswind.steps.parameters import tokens_of
from crosswind.tasks.base import TASKS, kept_texts
from crosswind.tasks.refs import DataRef

if TYPE_CHECKING:
    from crosswind.model.seq2seq import Seq2Seq
    from crosswind.prepare.wordwise import Wordwise

LINKS_FILE = "links.jsonl"
MADE = "translated"  # the input under which a step finds the test set that was translated for it
CANDIDATES = 256  # of a pool, translated at a time
_Part = TypeVar("_Part", Example, Candidate)
_SIGNED_AS = "it is signed as the translation"


@dataclass(frozen=True)
class TranslateParams:
    """`ref` is translated into `language`; `source` is the language of its texts.

    `by` a model with so many `beams` and `longest` tokens a sentence, and `codes` (ours, its own) of languages; or by
    a lexicon. `carry` are the ways of carrying answers over, in order; without `gold` answers are not carried, and
    every example is kept.
    """

    ref: DataRef = unsigned("results have columns for it")
    source: str = unsigned("it follows from the data")
    language: str = unsigned("results have columns for it")
    by: Literal["model", "lexicon"] = unsigned(_SIGNED_AS, "model")
    codes: tuple[tuple[str, str], ...] = unsigned(_SIGNED_AS, ())
    beams: int = unsigned(_SIGNED_AS, 4)
    longest: int | None = unsigned(_SIGNED_AS, None)
    carry: tuple[Carrier, ...] = unsigned("of training data", CARRIERS)
    gold: bool = unsigned("whether gold answers are carried over", True)
    device: str = unsigned("the predicting model's is signed", "cpu")


def made_dataset(artifact: Artifact, ref: DataRef) -> Dataset:
    """The data set that a step made, as the reference calls it."""
    examples, pool = _made(str(artifact.path))
    return Dataset(ref.task, ref.language, ref.split, examples, pool, fingerprint=artifact.key)


@lru_cache(maxsize=8)
def _made(folder: str) -> tuple[tuple[Example, ...], Pool | None]:
    return read_examples(Path(folder))


@lru_cache(maxsize=4)
def links_by_example(folder: str) -> Mapping[str, LinkedWords]:
    """The links of each example of a translated test set, by its id; `folder` is the step's."""
    links: dict[str, LinkedWords] = {}
    for _, value in json_lines(Path(folder) / LINKS_FILE):
        links |= dict.fromkeys(value["examples"], links_of(value))
    return links


def _run(job: Job[TranslateParams], worker: Worker) -> str:
    from crosswind.steps.cells import dataset_of, perturbed

    params = job.params
    data = perturbed(dataset_of(job, params.ref), job.inputs.get("rewrite")).dataset
    translate = _by_lexicon if params.by == "lexicon" else _by_model
    examples, pool, notes, links = translate(job, data)
    if not examples:
        raise UserError(
            "no example is left: none of their answers could be carried over",
            where=f"translation of {params.ref.name}",
            hint="another model, or translation word by word from a lexicon, which keeps every answer",
        )
    write_examples(job.draft.path, examples, pool)
    if links:
        write_lines(job.draft.path / LINKS_FILE, _by_text(links))
    for note in notes:
        job.note(f"{params.ref.name}, translated from {params.source} into {params.language}: {note}")
    job.fact("n", len(examples))
    job.fact("of", len(data.examples))
    return f"{len(examples)} of {len(data.examples)} examples"


_Links = list[tuple[str, LinkedWords]]  # of each example, by its id
_Result = tuple[Sequence[Example], Pool | None, list[str], _Links]


def _by_text(links: _Links) -> Iterator[Mapping[str, Any]]:
    """A line for each text, with the examples that have it: questions share a passage."""
    names: dict[LinkedWords, list[str]] = {}
    for name, linked in links:
        names.setdefault(linked, []).append(name)
    return (links_json(some, linked) for linked, some in names.items())


def _by_lexicon(job: Job[TranslateParams], data: Dataset) -> _Result:
    from crosswind.perturb.lexicons import environment_of
    from crosswind.prepare.wordwise import Wordwise
    from crosswind.prepare.wordwise_examples import linked_wordwise, wordwise_candidates, wordwise_example

    params = job.params
    lexicons = environment_of(job.world["lexicons"]).lexicons
    assert lexicons is not None
    table = lexicons.translations(params.source, params.language)
    by: Wordwise = Wordwise(table, params.source)
    again = Wordwise(table, params.source)  # for the links, whose words are not counted twice
    links: _Links = []
    kept = kept_texts(TASKS[params.ref.task])
    examples = []
    for i, example in enumerate(data.examples):
        examples.append(wordwise_example(example, by, params.language, kept))
        if isinstance(example, SpanExample) and not params.gold:
            links.append((example.id, linked_wordwise(again.text(example.context))))
        if i % 1000 == 0:
            job.report(i, len(data.examples), "word by word")
    pool = Pool(tuple(wordwise_candidates(data.pool.candidates, by, params.language))) if data.pool else None
    job.sign("translation", f"word by word from a lexicon, {params.source}>{params.language}")
    return examples, pool, [f"word by word from a lexicon; {by.note}"], links


def _by_model(job: Job[TranslateParams], data: Dataset) -> _Result:
    params = job.params
    where = f"translation of {params.ref.name}"
    refuse_untranslatable(data.examples, where, gold=params.gold)
    kept = kept_texts(TASKS[params.ref.task])
    work = _Chunks(job, len(data.examples) + (len(data.pool or ())))
    source, target = params.source, params.language
    made: list[TranslatedExample] = []

    def translated(part: Sequence[Example]) -> list[dict[str, Any]]:
        items = translated_chunk(part, work.model, source, target, kept=kept, carry=params.carry, gold=params.gold)
        return [{"example": stored_example(item.example), **waiting_json(item)} for item in items]

    def candidates_of(part: Sequence[Candidate]) -> list[dict[str, Any]]:
        return [asdict(c) for c in translated_candidates(part, work.model, source, target)]

    for number, part in enumerate(example_chunks(data.examples)):
        for row in work.chunk(f"examples-{number:06}", part, translated):
            made.append(with_waiting(example_of(row["example"]), row))
    candidates: list[Candidate] = []
    for first in range(0, len(data.pool or ()), CANDIDATES):
        assert data.pool is not None
        some = data.pool.candidates[first : first + CANDIDATES]
        candidates += [Candidate(**row) for row in work.chunk(f"pool-{first:08}", some, candidates_of)]
    examples, carried = (
        settled(made, source, target, carry=params.carry)
        if params.gold
        else (
            [item.example for item in made],
            None,
        )
    )
    notes = [work.note, *([carried.note] if carried is not None and carried.note else [])]
    back = [] if params.gold else [(item.example.id, item.passage) for item in made if item.passage is not None]
    links = _linked(job, back)
    if links:
        notes.append(_round_trip(job, data.examples, dict(links)))
    job.sign("translation", f"{work.name} {work.pair} {params.beams} beams")
    if carried is not None:
        job.fact("carried", {"markers": carried.markers, "aligned": carried.aligned, "dropped": carried.dropped})
    return examples, Pool(tuple(candidates)) if data.pool else None, notes, links


def _linked(job: Job[TranslateParams], passages: Sequence[tuple[str, TranslatedPassage]]) -> _Links:
    texts = list(dict.fromkeys(passage for _, passage in passages))
    if texts:
        job.report(len(passages), len(passages), "aligning words")
    linked = dict(zip(texts, linked_words(texts), strict=True))
    return [(name, linked[passage]) for name, passage in passages]


def _round_trip(job: Job[TranslateParams], examples: Sequence[Example], links: Mapping[str, LinkedWords]) -> str:
    """How many gold answers or entities are the same words after being carried there and back: what a reader who
    makes no mistake would keep."""
    kept: list[bool] = []
    for example in examples:
        linked = links[example.id]
        match example:
            case SpanExample():
                kept += [linked.keeps_span(answer) for answer in example.answers or ()]
            case TaggingExample():
                kept += [linked.keeps(words[0], words[-1]) for words in entities(example.tags or ())]
            case _:
                raise ValueError("only answers and entities are carried back")
    job.fact("round trip", {"kept": sum(kept), "of": len(kept)})
    if not kept:
        return "no gold says what is lost where predictions are carried back to the original text"
    return (
        f"{sum(kept):,} of {len(kept):,} gold answers or entities ({100 * sum(kept) / len(kept):.0f} %) are the same "
        "words when the word aligner carries them there and back; about so much is the most that a score can be"
    )


class _Chunks:
    """The chunks of a step: what is there is read, what is not is made; the model is loaded when it is needed.

    The first line of a chunk's file says what translating it found.
    """

    def __init__(self, job: Job[TranslateParams], total: int) -> None:
        self._job, self._total, self._done = job, total, 0
        self._loaded: Seq2Seq | None = None
        self._cut = self._unfinished = 0
        self.name = self.pair = ""

    @property
    def model(self) -> Seq2Seq:
        """The translating model."""
        if self._loaded is None:
            self._loaded = load_translator(self._job)
        return self._loaded

    def chunk(
        self, name: str, part: Sequence[_Part], make: Callable[[Sequence[_Part]], list[dict[str, Any]]]
    ) -> list[dict[str, Any]]:
        """The rows that `make` gives for a part of the data, as its file holds them."""
        path = self._job.partial / f"{name}.jsonl"
        if not path.exists():
            before = (self.model.cut, self.model.unfinished)
            rows: list[dict[str, Any]] = make(part)
            cut, unfinished = self.model.cut - before[0], self.model.unfinished - before[1]
            first: dict[str, Any] = {
                "name": self.model.name,
                "pair": self.model.pair,
                "cut": cut,
                "unfinished": unfinished,
            }
            draft = path.with_suffix(".draft")
            write_lines(draft, [first, *rows])
            os.replace(draft, path)
        lines: Iterator[dict[str, Any]] = (value for _, value in json_lines(path))
        head = next(lines)
        self.name, self.pair = head["name"], head["pair"]
        self._cut += head["cut"]
        self._unfinished += head["unfinished"]
        self._done += len(part)
        self._job.report(self._done, self._total, f"into {self._job.params.language}")
        return list(lines)

    @property
    def note(self) -> str:
        """By what it was translated, and what was odd."""
        text = f"by {self.name} ({self.pair}, {self._job.params.beams} beams)"
        if self._cut:
            text += f"; {self._cut:,} sentences were too long for it and were translated in parts"
        if self._unfinished:
            text += f"; {self._unfinished:,} translations ended at its limit of tokens"
        return text


def load_translator(job: Job[TranslateParams]) -> Seq2Seq:
    """The job's seq2seq model, told its two languages."""
    from crosswind.model.device import torch_device, use_one_thread
    from crosswind.model.seq2seq import Seq2Seq

    params = job.params
    use_one_thread()
    lies = job.world["translators"][job.step.key]
    return Seq2Seq(
        lies["model"],
        params.source,
        params.language,
        revision=lies["revision"],
        codes=dict(params.codes),
        beams=params.beams,
        longest=params.longest,
        device=torch_device(params.device, "fp32"),
    )


TRANSLATE: StepKind[TranslateParams] = StepKind(
    name="translate",
    version=1,
    params=TranslateParams,
    run=_run,
    needs=device_needs,
    cost=lambda params: (2.0 * params.beams if params.by == "model" else 0.05) * tokens_of(params.ref),
    inherits=("rewrite",),
)
