"""`lexicon`: what perturbations draw on, derived offline: lexicons, phrase tables, alphabets, frequencies, inflections,
misspellings.

Writes tables of text and `origin.json`, which says what they were derived from. `en-de.txt` is in the format of MUSE
(a word, a tab, a translation, best first), which `codemix` reads; the others are tables whose columns `COLUMNS` names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never, get_args

from crosswind.errors import UserError
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.refs import DataRef, library

Derivation = Literal["bilingual", "alphabet", "frequencies", "inflections", "errors"]
DERIVATIONS: tuple[Derivation, ...] = get_args(Derivation)
COLUMNS = {
    "alphabet": ("letter", "count"),
    "frequencies": ("word", "count"),
    "inflections": ("lemma", "form", "features"),
    "errors": ("right", "wrong", "count"),
    "phrases": ("phrase", "translation", "count"),
}
"""The columns of each table, between tabs, without a header."""
ORIGIN = "origin.json"


@dataclass(frozen=True)
class LexiconParams:
    """`sources` are corpora and test sets; without one the context names `files`, whose hashes are the step's data.

    `languages` are one, or source and target of a bilingual lexicon. `split` is that of test sets. A translation has
    at least `least` links and Dice's coefficient `score`.
    """

    what: Derivation
    languages: tuple[str, ...]
    sources: tuple[str, ...] = ()
    split: str = "test"
    least: int = 2
    score: float = 0.3
    phrases: bool = True
    form: str = "pairs"


def _run(job: Job[LexiconParams], worker: Worker) -> str:
    from crosswind.prepare.inflections import inflection_table
    from crosswind.prepare.misspellings import error_lexicon
    from crosswind.prepare.wordlists import letter_counts, word_counts

    params = job.params
    out, language = job.draft.path, params.languages[0]
    match params.what:
        case "bilingual":
            rows = _bilingual(job)
        case "alphabet":
            rows = _written(out / f"alphabet-{language}.tsv", letter_counts(_texts(job), language))
        case "frequencies":
            rows = _written(out / f"frequencies-{language}.tsv", word_counts(_texts(job), language))
        case "inflections":
            rows = _written(out / f"inflections-{language}.tsv", inflection_table(_files(job)))
        case "errors":
            rows = _written(out / f"errors-{language}.tsv", error_lexicon(_files(job), language, params.form))
        case _:
            assert_never(params.what)
    if not rows:
        hint = "name more text, or lower --least" if params.what == "bilingual" else "name other files"
        raise UserError(f"nothing was derived for {'-'.join(params.languages)}", where=params.what, hint=hint)
    _say_origin(job, rows)
    return f"{rows:,} rows"


def _bilingual(job: Job[LexiconParams]) -> int:
    from crosswind.prepare.lexicon import derive_lexicon

    params = job.params
    source, target = params.languages
    derived = derive_lexicon(_pairs(job), source, target, least=params.least, phrases=params.phrases)
    job.fact("pairs", derived.pairs)
    out = job.draft.path
    words = [(w, t) for w, others in derived.words.items() for t, _, score in others if score >= params.score]
    phrases = [(w, t, n) for w, others in derived.phrases.items() for t, n, score in others if score >= params.score]
    if params.phrases:
        _written(out / f"{source}-{target}.phrases.tsv", phrases)
    return _written(out / f"{source}-{target}.txt", words)


def _pairs(job: Job[LexiconParams]) -> list[tuple[str, str]]:
    from crosswind.data.text import read_parallel
    from crosswind.prepare.parallel import flipped, pairs_of_datasets, pairs_of_lines, pairs_of_retrieval

    params = job.params
    source, target = params.languages
    pairs: list[tuple[str, str]] = []
    if not params.sources:
        return pairs_of_lines(read_parallel(_files(job), params.languages, "files"), source, target)
    reader = library(job.world["data"])
    for name in params.sources:
        if name in CORPORA:
            lines = reader.source.lines(CORPORA[name], params.languages)
            pairs += pairs_of_lines(lines, source, target)  # type: ignore[arg-type]
        elif TASKS[name].kind == "query":
            other = source if target == "en" else target
            of_task = pairs_of_retrieval(reader.dataset(DataRef(name, other, params.split)))
            pairs += of_task if target == "en" else flipped(of_task)
        else:
            both = [reader.dataset(DataRef(name, code, params.split)) for code in params.languages]
            pairs += pairs_of_datasets(both[0], both[1])
    return pairs


def _texts(job: Job[LexiconParams]) -> Iterable[str]:
    from crosswind.data.examples import ParallelLine, text_fields
    from crosswind.reading import lines

    (language,) = job.params.languages
    for path in _files(job):
        yield from (text for _, text in lines(path))
    reader = library(job.world["data"]) if job.params.sources else None
    for name in job.params.sources:
        assert reader is not None
        if name in CORPORA:
            for line in reader.source.lines(CORPORA[name], (language,)):
                yield from (text for _, text in line.texts) if isinstance(line, ParallelLine) else (line.text,)
        else:
            for example in reader.dataset(DataRef(name, language, job.params.split)).examples:
                yield " ".join(text_fields(example).values())


def _files(job: Job[LexiconParams]) -> list[Path]:
    return [Path(path) for path in job.world.get("files", {}).get(job.step.key, ())]


def _written(path: Path, rows: Sequence[tuple[object, ...]]) -> int:
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return len(rows)


def _say_origin(job: Job[LexiconParams], rows: int) -> None:
    params = job.params
    tasks = [name for name in params.sources if name not in CORPORA and params.split == "test"]
    if tasks:
        job.note(
            f"The lexicon was derived from the test text of {', '.join(tasks)} (oracle access): it is for perturbing, "
            "never for training or selection."
        )
    licences = {name: (CORPORA[name] if name in CORPORA else TASKS[name]).licence for name in params.sources}
    origin = {
        "what": params.what,
        "languages": params.languages,
        "sources": params.sources or [path.name for path in _files(job)],
        "licences": licences,
        "oracle": tasks,
        "data": dict(job.data),
        "rows": rows,
        "least": params.least,
        "score": params.score,
    }
    text = json.dumps(origin, ensure_ascii=False, indent=1, sort_keys=True)
    (job.draft.path / ORIGIN).write_text(text + "\n", encoding="utf-8")


LEXICON: StepKind[LexiconParams] = StepKind(name="lexicon", version=1, params=LexiconParams, run=_run)
