"""What sections of the page are made of. A section says what it shows; how it looks is the template's business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import polars as pl

ColumnKind = Literal["name", "number", "text"]
"""`name`: short words, left. `number`: right. `text`: sentences, which may wrap."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and what stands in it."""

    title: str
    kind: ColumnKind = "name"


@dataclass(frozen=True)
class TextTable:
    """A table of texts, a row a line. `filters` are the columns that a reader may narrow it by; `latex`: it is one that
    a paper would have. `missing` says how many rows are not shown, and where they are."""

    part: ClassVar[str] = "table"
    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    filters: tuple[int, ...] = ()
    missing: str = ""
    latex: bool = False

    def choices(self, column: int) -> list[str]:
        """What stands in a column, each once."""
        return list(dict.fromkeys(row[column] for row in self.rows))


@dataclass(frozen=True)
class Figure:
    """A picture (SVG), what it says in a sentence, how to read it, and its data: as a text table, and for CSV."""

    part: ClassVar[str] = "figure"
    name: str
    title: str
    svg: str
    says: str
    caption: str
    table: TextTable
    data: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph; `soft` ones are remarks."""

    part: ClassVar[str] = "prose"
    text: str
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    part: ClassVar[str] = "bullets"
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what they are."""

    part: ClassVar[str] = "facts"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A text as it was written, line by line."""

    part: ClassVar[str] = "listing"
    text: str


@dataclass(frozen=True)
class Folded:
    """Parts that are shown when asked for."""

    part: ClassVar[str] = "folded"
    title: str
    parts: tuple[PagePart, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a text: `same` on both sides, `cut` from the clean one, `new` in the other, `unseen` (a character
    written out), or `skipped` (so many unchanged characters are not shown)."""

    kind: Literal["same", "cut", "new", "unseen", "skipped"]
    text: str


@dataclass(frozen=True, slots=True)
class ExampleField:
    """A field of an example, clean and perturbed side by side; `after` is None where it did not change. `rtl`: its text
    runs from right to left."""

    name: str
    before: tuple[Run, ...]
    after: tuple[Run, ...] | None
    rtl: bool


@dataclass(frozen=True, slots=True)
class ExampleSaid:
    """What a model said of an example, before and after."""

    model: str
    before: str
    after: str
    flipped: bool


@dataclass(frozen=True, slots=True)
class ShownExample:
    """An example under a condition, with what each model said. `lang` is that of the fields that changed."""

    id: str
    target: str
    language: str
    perturbation: str
    condition: str
    lang: str
    fields: tuple[ExampleField, ...]
    gold: str
    said: tuple[ExampleSaid, ...]

    @property
    def flipped(self) -> bool:
        """Whether some model said something else."""
        return any(said.flipped for said in self.said)


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples to browse."""

    part: ClassVar[str] = "examples"
    items: tuple[ShownExample, ...]

    def choices(self, name: Literal["language", "target", "perturbation"]) -> list[str]:
        """The values that the examples have, sorted."""
        return sorted({str(getattr(item, name)) for item in self.items})


PagePart = Prose | Bullets | Facts | Verbatim | TextTable | Figure | Folded | Examples


@dataclass(frozen=True)
class Section:
    """A section of the page: `name` is its anchor."""

    name: str
    title: str
    parts: tuple[PagePart, ...] = field(default=())

    def every(self) -> list[PagePart]:
        """Its parts, those that are folded too."""
        return _unfolded(self.parts)


def _unfolded(parts: Sequence[PagePart]) -> list[PagePart]:
    return [x for part in parts for x in ([part, *_unfolded(part.parts)] if isinstance(part, Folded) else [part])]
