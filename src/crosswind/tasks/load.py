"""Reading a task: `load` gives its examples, `fingerprint` names its bytes without reading them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crosswind.data.examples import Dataset, Example, Pool, QueryExample, Rows
from crosswind.data.languages import unknown_language
from crosswind.data.source import Content, Portion, Source, TextLines, context_language_error, open_source
from crosswind.errors import UserError, unknown
from crosswind.run.step import digest
from crosswind.tasks.base import CORPORA, TASKS, Corpus, Task
from crosswind.tasks.validate import check_content


def load(
    task: Task,
    language: str,
    split: str,
    source: Source,
    *,
    rows: Rows | None = None,
    limit: int | None = None,
    pool_languages: Sequence[str] | None = None,
    context_language: str | None = None,
) -> Dataset:
    """The examples of a task in one language, in official order.

    `rows` selects rows of the split. `limit` then keeps at most n examples, in whole clusters: clusters in
    the order of the SHA-256 of their names, up to the first that would exceed n (the very first is kept
    whole, even if it is larger). So every language and every study has the same items, a smaller limit
    is a part of a larger one, and examples stay in official order. A pool is cut to the candidates
    of the selected examples' clusters (LAReQA: to the sentences of their paragraphs), so that a
    selection is a smaller benchmark with an easier pool; one that all languages and splits share stays whole.
    `pool_languages` is for tasks whose pool spans languages (LAReQA; default all of the task's), `context_language`
    for tasks whose passages may be in another language than the questions (MLQA; default the same).

    Raises `UserError` for an unknown language, split or pair of languages, a file that is absent or damaged, an
    unknown label, an example that is none of the task's (`tasks/validate.py`), an empty split, and a whole split
    whose size is not the official one.
    """
    portion = _checked(task, language, split, pool_languages, context_language)
    where = f"{task.name} {split}, {_languages(portion)}"
    content = source.content(task, portion)
    if not content.examples:
        raise UserError("the split is empty", where=where, hint="the file has no examples: fetch it again")
    if isinstance(content.examples, tuple):  # generated ones are made when they are asked for, and are right
        check_content(task, content, lambda: f"{where} ({source.located(task, portion)})")
    _check_count(task, portion, content, where)
    chosen = _select(content, rows, limit, where)
    pool = _pool_of(task, content.pool, chosen, len(content.examples))
    notes = tuple(f"{where}: {note}" for note in content.notes)
    return Dataset(
        task.name,
        language,
        split,
        chosen,
        pool,
        _fingerprint(task, portion, source),
        notes,
        _release(task, portion, content),
    )


def _release(task: Task, portion: Portion, content: Content) -> str:
    """The release that the content says it is, or the task's where the content has its official size."""
    official = content.counted and task.size(portion) is not None
    return content.release or (task.release if official else "")


def part_of(dataset: Dataset, task: Task, rows: Rows | None = None, limit: int | None = None) -> Dataset:
    """The data set of a task with the examples that `load` selects by `rows` and `limit`, its pool cut likewise."""
    if rows is None and limit is None:
        return dataset
    chosen = _select(Content(dataset.examples), rows, limit, f"{dataset.task} {dataset.split}, {dataset.language}")
    return replace(dataset, examples=chosen, pool=_pool_of(task, dataset.pool, chosen, len(dataset)))


def _pool_of(task: Task, pool: Pool | None, chosen: Sequence[Example], size: int) -> Pool | None:
    """The pool of the chosen ones of `size` examples."""
    return pool if pool is None or len(chosen) == size or task.shared_pool else _cut(pool, chosen)


def sampled(dataset: Dataset, most: int | None) -> Dataset:
    """The data set with at most `most` examples (None: all), chosen as `load` chooses by `limit`, before its pool."""
    if most is None:
        return dataset
    where = f"{dataset.task} {dataset.split}, {dataset.language}"
    return replace(dataset, examples=_select(Content(dataset.examples), None, most, where))


def fingerprint(
    task: Task,
    language: str,
    split: str,
    source: Source,
    *,
    pool_languages: Sequence[str] | None = None,
    context_language: str | None = None,
) -> str:
    """The fingerprint that `load` gives, without parsing: the hash of file bytes, or of the hub's address.

    Where the task was declared as data, its declaration is part of it: another `map` gives other examples.

    A file is hashed once for a source; later calls cost a `stat` a file.
    """
    return _fingerprint(task, _checked(task, language, split, pool_languages, context_language), source)


def open_data(settings: Mapping[str, Any], where: str = "data") -> Source:
    """The source that a study's `data:` names, its `tasks` checked to be tasks or corpora; see `open_source`."""
    source = open_source(settings, where)
    for name in settings.get("tasks") or ():
        if name not in TASKS and name not in CORPORA:
            raise unknown("task", str(name), [*TASKS.names(), *CORPORA.names()], where=f"{where}.tasks")
    return source


def load_text(corpus: Corpus, languages: Sequence[str], source: Source, rows: Rows | None = None) -> TextLines:
    """The lines of a corpus: `TextLine`s language by language, or one `ParallelLine` a row.

    `rows` selects lines of each language. Raises `UserError` for a language that the corpus lacks.
    """
    codes = _corpus_languages(corpus, languages)
    if corpus.kind == "parallel":
        return _selected(source.lines(corpus, codes), rows, corpus.name)
    parts = [_selected(source.lines(corpus, (code,)), rows, f"{corpus.name}, {code}") for code in codes]
    return tuple(line for part in parts for line in part)  # type: ignore[return-value]


def text_fingerprint(corpus: Corpus, languages: Sequence[str], source: Source) -> str:
    """The fingerprint of a corpus's files in these languages, without parsing."""
    return source.text_fingerprint(corpus, _corpus_languages(corpus, languages))


def _checked(
    task: Task, language: str, split: str, pool_languages: Sequence[str] | None, context_language: str | None
) -> Portion:
    where = f"task {task.name}"
    for code in (language, *(pool_languages or ())):
        if code not in task.languages:
            raise unknown_language(code, task.languages, where=where)
    if split not in task.splits:
        raise unknown("split", split, task.splits, where=where)
    if context_language == language:
        context_language = None
    if context_language is not None:
        if not task.context_languages:
            raise context_language_error(task)
        if context_language not in task.context_languages:
            raise unknown("context language", context_language, task.context_languages, where=where)
    return Portion(language, split, None if pool_languages is None else tuple(pool_languages), context_language)


def _fingerprint(task: Task, portion: Portion, source: Source) -> str:
    """The source's fingerprint, and what a declaration as data says of this language: others may come and go."""
    data = source.fingerprint(task, portion)
    if not task.declaration:
        return data
    codes = [code for code, language in task.codes.items() if language == portion.language]
    return digest({"data": data, "declaration": task.declaration, "language": [portion.language, *codes]})


def _languages(portion: Portion) -> str:
    context = portion.context_language
    return f"context {context}, question {portion.language}" if context else portion.language


def _check_count(task: Task, portion: Portion, content: Content, where: str) -> None:
    expected = task.size(portion)
    if content.counted and expected is not None and len(content.examples) != expected:
        raise UserError(
            f"{len(content.examples)} examples found, the official split has {expected}",
            where=where,
            hint="the file is cut off or was edited: fetch it again; to use a part of a split, "
            "keep the file whole and set `rows` or `limit`",
        )


def _select(content: Content, rows: Rows | None, limit: int | None, where: str) -> tuple[Example, ...]:
    examples = content.examples
    if limit is not None and limit < 1:
        raise UserError(f"the limit is {limit}", where=where, hint="keep at least one example")
    indices: Sequence[int] = range(len(examples)) if rows is None else rows.indices(len(examples), where)
    if limit is not None and limit < len(indices):
        indices = _whole_clusters(content, indices, limit)
    return tuple(examples[i] for i in indices)


def _whole_clusters(content: Content, indices: Sequence[int], limit: int) -> list[int]:
    """The indices whose clusters come first by the hashes of their names, as many whole ones as `limit` holds.

    A hash orders the clusters alike in every language and spreads them over the split, where the first
    examples of XQuAD are those of a few articles.
    """
    members: dict[str, list[int]] = {}
    for i in indices:
        name = content.examples[i].cluster if content.clusters is None else content.clusters[i]
        members.setdefault(name, []).append(i)
    chosen: set[int] = set()
    for name in sorted(members, key=lambda name: hashlib.sha256(name.encode()).digest()):
        if chosen and len(chosen) + len(members[name]) > limit:
            break
        chosen.update(members[name])
    return [i for i in indices if i in chosen]


def _cut(pool: Pool, chosen: Sequence[Example]) -> Pool:
    clusters = {example.cluster for example in chosen}
    gold = {name for example in chosen if isinstance(example, QueryExample) for name in example.gold}
    kept = tuple(c for c in pool.candidates if c.cluster in clusters or c.id in gold)
    return replace(pool, candidates=kept)


def _corpus_languages(corpus: Corpus, languages: Sequence[str]) -> tuple[str, ...]:
    for code in languages:
        if code not in corpus.languages:
            raise unknown_language(code, corpus.languages, where=f"corpus {corpus.name}")
    if not languages:
        raise UserError("no language is named", where=f"corpus {corpus.name}", hint="name at least one")
    return tuple(languages)


def _selected(lines: TextLines, rows: Rows | None, where: str) -> TextLines:
    if rows is None:
        return lines
    return tuple(lines[i] for i in rows.indices(len(lines), where))  # type: ignore[return-value]
