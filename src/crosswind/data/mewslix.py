"""Mewsli-X: mentions of entities in their sentences, and descriptions of entities; the released JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from crosswind.data.examples import Candidate, Pool, QueryExample, Span
from crosswind.errors import UserError, shown
from crosswind.reading import json_lines

AGAIN = "fetch the file again"


@dataclass(frozen=True, slots=True)
class Line:
    """An object of a file and where it stands."""

    value: Mapping[str, Any]
    where: str

    def under(self, key: str) -> Line:
        """The object under a key; a `UserError` where there is none."""
        value = self.value.get(key)
        if not isinstance(value, Mapping):
            raise UserError(f"field {key!r} is no object: {shown(value)}", where=self.where, hint=AGAIN)
        return Line(value, self.where)

    def text(self, key: str) -> str:
        """The text under a key; a `UserError` for what is none."""
        value = self.value.get(key)
        if not isinstance(value, str):
            raise UserError(f"field {key!r} is no text: {shown(value)}", where=self.where, hint=AGAIN)
        return value

    def span(self, value: object, length: int) -> Span:
        """`{start, end}` as a span of a text of so many characters."""
        start, end = (value.get(name) for name in ("start", "end")) if isinstance(value, Mapping) else (None, None)
        if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= length:
            raise UserError(f"{shown(value)} is no part of its text", where=self.where, hint=AGAIN)
        return Span(start, end)

    def spans(self, key: str, length: int) -> list[Span]:
        """The spans listed under a key."""
        value = self.value.get(key)
        if not isinstance(value, list):
            raise UserError(f"field {key!r} is no list: {shown(value)}", where=self.where, hint=AGAIN)
        return [self.span(part, length) for part in value]


def json_objects(path: Path) -> Iterator[Line]:
    """The objects of a file, one a line."""
    for number, value in json_lines(path):
        yield Line(value, f"{path}:{number}")


def mention_example(context: Line, mention: Line, prefix: str) -> QueryExample:
    """A mention in the sentence that holds it, as XTREME-R's script cuts it (`truncate(window_size=0)`).

    The id is `PREFIX/EXAMPLE_ID`, the cluster the document: its mentions share their text. Raises `UserError` for a
    context without text, which the release leaves out, and for a mention that no sentence holds.
    """
    text = context.text("text")
    if not text:
        raise UserError(
            "the article has no text",
            where=context.where,
            hint="the released file leaves it out: run the release's get-mewsli-x.sh, which fills it in from WikiNews",
        )
    named = mention.under("mention_span")
    span = context.span(named.value, len(text))
    sentences = context.spans("sentence_spans", len(text))
    sentence = next((s for s in sentences if s.start <= span.start and span.end <= s.end), None)
    if sentence is None:
        raise UserError(f"no sentence holds the mention {named.text('text')!r}", where=context.where, hint=AGAIN)
    if text[span.start : span.end] != named.text("text"):
        what = f"the text has {text[span.start : span.end]!r} where the mention {named.text('text')!r} is"
        raise UserError(what, where=context.where, hint=AGAIN)
    return QueryExample(
        f"{prefix}/{mention.text('example_id')}",
        f"{prefix}/{context.text('document_id')}",
        context.text("language"),
        "",
        (mention.text("entity_id"),),
        context=text[sentence.start : sentence.end],
        mention=text[span.start : span.end],
        span=Span(span.start - sentence.start, span.end - sentence.start),
    )


def mentions(path: Path, prefix: str, language: str) -> Iterator[QueryExample]:
    """The mentions in a language's articles (`wikinews_mentions-SPLIT.jsonl` has those of all languages)."""
    for line in json_objects(path):
        context = line.under("context")
        if context.text("language") != language:
            continue
        listed = line.value.get("mentions")
        if not isinstance(listed, list):
            raise UserError(f"field 'mentions' is no list: {shown(listed)}", where=line.where, hint=AGAIN)
        for value in listed:
            yield mention_example(context, Line({"mention": value}, line.where).under("mention"), prefix)


def entity_candidate(entity: Line) -> Candidate:
    """An entity by its description, the sentences of it (`preprocess_entity_description`), in one language."""
    description = entity.text("description")
    sentences = entity.spans("sentence_spans", len(description))
    joined = " ".join(description[s.start : s.end] for s in sentences)
    text = " ".join(joined.splitlines()).replace("  ", " ").strip()
    return Candidate(entity.text("entity_id"), entity.text("description_language"), text)


def entity_pool(path: Path) -> Pool:
    """The candidates of `candidate_set_entities.jsonl`, in its order; held once for all languages and splits."""
    stat = path.stat()
    return _entities(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1)
def _entities(path: Path, size: int, changed: int) -> Pool:
    return Pool(tuple(entity_candidate(line) for line in json_objects(path)))
