"""A passage: a text with what is known about it, as perturbations and attacks see it.

`example.py` cuts examples into passages and puts them together again; `applied.py` says what becomes
of a passage under some changes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from crosswind.data.examples import Candidate, Example, Kind, Span
from crosswind.perturb.rewrite import Rewrite

PassageKind = Kind | Literal["line", "candidate"]
"""The kind of the example that a passage is cut from; a plain line; a candidate of a pool."""

SEPARATOR = "\x1e"
"""What stands between the parts of a whole example (U+001E, the record separator)."""

WHOLE = "example"
"""The field of a passage that is a whole example."""


@dataclass(slots=True, unsafe_hash=True)
class Passage:
    """A text and what is known about it.

    Nothing changes a passage once it is made. It is not declared `frozen` because millions are made, and each would
    take three times as long.

    `id`, `task`, `field` and `language` identify it: a draw is keyed by them. `labels` are spans that
    must survive (answers, entities, the right option); a site that touches one of the `locked` spans
    stays as it is. `words` and `tags` are those of a tagging example, whose words single spaces separate;
    `words[i]` belongs to `tags[i]` wherever it has moved. `parts` are the texts of a whole example in the
    order of `text_fields` (of a choice question: context, question, then the options), with `SEPARATOR`
    between them; they are empty where the passage is one field. `example` is what it was cut from.
    """

    id: str
    task: str
    field: str
    kind: PassageKind
    language: str
    text: str
    labels: tuple[Span, ...] = ()
    locked: tuple[Span, ...] = ()
    words: tuple[Span, ...] = ()
    tags: tuple[str, ...] | None = None
    parts: tuple[Span, ...] = ()
    example: Example | Candidate | None = dataclasses.field(default=None, compare=False, repr=False)

    @classmethod
    def line(cls, text: str, language: str, id: str = "") -> Passage:
        """A line of plain text."""
        return cls(id, "", "text", "line", language, text)


@dataclass(slots=True, unsafe_hash=True)
class Written:
    """What became of a passage: the passage as it reads now, and the rewrite that led there; nothing changes it.

    `retagged` says that words came or went, so that the tags are not those of the original any more.
    """

    passage: Passage
    rewrite: Rewrite
    retagged: bool = False

    def after(self, first: Written | None) -> Written:
        """This and, before it, `first` as one."""
        if first is None:
            return self
        return Written(self.passage, first.rewrite.then(self.rewrite), first.retagged or self.retagged)
