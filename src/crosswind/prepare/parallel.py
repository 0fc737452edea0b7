"""Parallel text out of corpora and test sets: pairs of a text and its translation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from crosswind.data.examples import Dataset, ParallelLine, QueryExample, text_fields
from crosswind.errors import UserError


def pairs_of_lines(lines: Iterable[ParallelLine], source: str, target: str) -> list[tuple[str, str]]:
    """(text, translation) of each row of a parallel corpus."""
    rows = [dict(line.texts) for line in lines]
    return [(row[source], row[target]) for row in rows if source in row and target in row]


def pairs_of_datasets(source: Dataset, target: Dataset) -> list[tuple[str, str]]:
    """(text, translation) of every field of the items that two languages of a test set share, each pair once.

    Items are the same by id; words of tagging tasks are no translations of each other. Raises a `UserError` where the
    two share no item.
    """
    others = {e.id: text_fields(e) for e in target.examples}
    pairs: dict[tuple[str, str], None] = {}
    shared = 0
    for example in source.examples:
        translated = others.get(example.id)
        if translated is None:
            continue
        shared += 1
        for name, text in text_fields(example).items():
            other = translated.get(name, "")
            if text.strip() and other.strip() and not name.startswith("words."):
                pairs[text, other] = None
    if not shared:
        raise UserError(
            f"{source.task} in {source.language} and in {target.language} share no item",
            hint="parallel test sets are xnli, xquad, pawsx, xcopa and tatoeba",
        )
    return list(pairs)


def pairs_of_retrieval(dataset: Dataset) -> list[tuple[str, str]]:
    """(query, gold candidate) of a data set whose candidates are translations of its queries (Tatoeba)."""
    if dataset.pool is None:
        return []
    texts: Mapping[str, str] = {c.id: c.text for c in dataset.pool.candidates}
    queries = [e for e in dataset.examples if isinstance(e, QueryExample)]
    return [(e.query, texts[gold]) for e in queries for gold in e.gold[:1] if gold in texts]


def flipped(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs in the other direction."""
    return [(b, a) for a, b in pairs]
