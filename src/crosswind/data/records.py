"""A record of a table (TSV, CSV, JSON lines, hub rows) that knows where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from crosswind.data.examples import Example
from crosswind.data.source import Content
from crosswind.errors import UserError, mixed_labels, shown, unknown
from crosswind.reading import checked_columns, checked_header, csv_records, json_lines, lines

Labels = Mapping[Any, int | None]
"""What a file writes for a label -> its index; None for "no label"."""


Spoken = dict[str, dict[bool, tuple[str, str]]]
"""Of a column of labels: the first that is a number (True) and the first that is none, each with its place."""


@dataclass(frozen=True, slots=True)
class TableRecord:
    """Named values and the file:line (or hub row) they come from; `row` counts records from 0.

    `classes` are the names of the classes that a column writes as numbers, where the file says them. `spoken` is
    shared by the records of a file: how their labels are written.
    """

    values: Mapping[str, Any]
    where: str
    row: int
    classes: Mapping[str, Sequence[str]] | None = None
    spoken: Spoken = field(default_factory=dict, compare=False, repr=False)

    def named(self, key: str, value: str) -> tuple[str, ...]:
        """What a value of a column may be called: the name of the class that it numbers, where there is one; itself."""
        names = (self.classes or {}).get(key, ())
        return (names[int(value)], value) if value.isdecimal() and int(value) < len(names) else (value,)

    def has(self, key: str) -> bool:
        """Whether there is a value, other than null."""
        return self.values.get(key) is not None

    def get(self, key: str) -> Any:
        """The value; a `UserError` that lists the fields there are if it is missing."""
        if key not in self.values:
            names = ", ".join(str(name) for name in self.values)
            raise UserError(f"no field {key!r}", where=self.where, hint=f"the fields here are: {names}")
        return self.values[key]

    def text(self, key: str) -> str:
        """The value as text; a `UserError` for what is none."""
        value = self.get(key)
        if not isinstance(value, str):
            raise UserError(f"field {key!r} is no text: {shown(value)}", where=self.where, hint="fetch the file again")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """The value as a list of texts; a `UserError` for what is none."""
        value = self.get(key)
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
            raise UserError(f"field {key!r} is no list of texts", where=self.where, hint="fetch the file again")
        return tuple(value)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """The value as an object with fields; a `UserError` for what is none."""
        value = self.get(key)
        if not isinstance(value, Mapping):
            what = f"field {key!r} is no object: {shown(value)}"
            raise UserError(what, where=self.where, hint="fetch the file again")
        return value

    def speak(self, key: str, written: str) -> None:
        """Keep in mind whether the file writes a label as a number; a `UserError` if it also writes names."""
        first = self.spoken.setdefault(key, {})
        first.setdefault(written.isdecimal(), (written, self.where))
        if len(first) > 1:
            one, at = first[not written.isdecimal()]
            raise mixed_labels(one, at, written, self.where)

    def label(self, key: str, labels: Labels) -> int | None:
        """The index of the label; a `UserError` with "did you mean" for one that does not exist."""
        value = self.get(key)
        if isinstance(value, (str, int)) and value in labels:
            index = labels[value]
            if index is not None and _named(labels):
                self.speak(key, str(value))
            return index
        name = value if isinstance(value, str) else shown(value)
        raise unknown("label", name, [str(name) for name in labels], where=self.where)


def _named(labels: Labels) -> bool:
    """Whether a label has a name that is no number."""
    return any(isinstance(name, str) and i is not None and not name.isdecimal() for name, i in labels.items())


def label_table(names: Iterable[str], *unlabelled: Any, **more: int) -> Labels:
    """Each name, its index and the index as text -> index; the values `unlabelled` -> None."""
    table: dict[Any, int | None] = dict.fromkeys(unlabelled)
    for index, name in enumerate(names):
        table |= {name: index, index: index, str(index): index}
    return table | more


def tsv_records(path: Path, *columns: str) -> Iterator[TableRecord]:
    """A TSV file without header or quoting.

    A column whose name ends in `?` may be missing, in every line alike: XTREME's unlabelled test
    files lack the label.
    """
    names = [name.removesuffix("?") for name in columns]
    allowed = {len(columns), sum(not name.endswith("?") for name in columns)}
    expected = 0
    spoken: Spoken = {}
    for row, (number, text) in enumerate(lines(path)):
        cells = text.split("\t")
        if not expected:
            expected = len(cells) if len(cells) in allowed else len(columns)
        where = f"{path}:{number}"
        checked_columns(cells, expected, where)
        yield TableRecord(dict(zip(names, cells, strict=False)), where, row, spoken=spoken)


def tsv_with_header(path: Path, *, skip_short: bool = False) -> Iterator[TableRecord]:
    """A TSV file whose first line names the columns; no quoting (GLUE, PAWS-X, OpenBookQA).

    `skip_short` passes over lines with too few columns, keeping the row numbers: GLUE's QQP has such.
    """
    header: list[str] = []
    spoken: Spoken = {}
    for row, (number, text) in enumerate(lines(path), -1):
        cells = text.split("\t")
        if row < 0:
            header = checked_header(cells, f"{path}:{number}")
            continue
        if skip_short and len(cells) < len(header):
            continue
        where = f"{path}:{number}"
        values = dict(zip(header, checked_columns(cells, len(header), where), strict=True))
        yield TableRecord(values, where, row, spoken=spoken)


def is_csv_quoted(text: str) -> bool:
    """Whether a text is one that CSV has quoted: in quotes, the quotes within doubled."""
    return len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1].replace('""', "")


def csv_unquoted(text: str) -> str:
    """The text that CSV has quoted; any other as it is."""
    return text[1:-1].replace('""', '"') if is_csv_quoted(text) else text


def csv_table(path: Path) -> Iterator[TableRecord]:
    """A CSV file with a header; a field may span lines."""
    spoken: Spoken = {}
    for row, (number, values) in enumerate(csv_records(path)):
        yield TableRecord(values, f"{path}:{number}", row, spoken=spoken)


def jsonl_table(path: Path) -> Iterator[TableRecord]:
    """JSON lines, one object each."""
    spoken: Spoken = {}
    for row, (number, values) in enumerate(json_lines(path, unique=True)):
        yield TableRecord(values, f"{path}:{number}", row, spoken=spoken)


def labelled_table(path: Path, labels: Path, key: str = "label") -> Iterator[TableRecord]:
    """JSON lines whose labels lie in a second file, one a line (PIQA, SocialIQA); it comes under `key`.

    Raises `UserError` with file:line where one file ends before the other.
    """
    both = zip_longest(jsonl_table(path), (text.strip() for _, text in lines(labels)))
    for number, (record, label) in enumerate(both, 1):
        if record is None or label is None:
            short, long = (path, labels) if record is None else (labels, path)
            raise UserError(
                f"ends before this line, {long.name} goes on",
                where=f"{short}:{number}",
                hint="examples and labels have equally many lines: fetch both again",
            )
        yield replace(record, values={**record.values, key: label})


def hub_table(rows: Iterable[Mapping[str, Any]]) -> Iterator[TableRecord]:
    """The rows of a hub source, numbered."""
    spoken: Spoken = {}
    for row, values in enumerate(rows):
        yield TableRecord(values, f"hub row {row}", row, spoken=spoken)


RecordExample = Callable[[TableRecord, str, str], Example]
"""(record, language, split) -> example"""


def reads(
    table: Callable[..., Iterable[TableRecord]], example: RecordExample
) -> Callable[[tuple[Path, ...], str, str], Content]:
    """The `read` of a layout whose records become examples one by one; `table` takes each file as an argument."""
    return partial(_read_files, example, table)


def converts(example: RecordExample) -> Callable[[Iterable[Mapping[str, Any]], str, str], Content]:
    """The `convert` of a hub source whose rows become examples one by one."""
    return partial(_convert_rows, example)


def _read_files(
    example: RecordExample,
    table: Callable[..., Iterable[TableRecord]],
    paths: tuple[Path, ...],
    language: str,
    split: str,
) -> Content:
    return Content(tuple(example(record, language, split) for record in table(*paths)))


def _convert_rows(example: RecordExample, rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return Content(tuple(example(record, language, split) for record in hub_table(rows)))
