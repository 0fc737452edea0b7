"""Tables in any of the usual formats, told apart by the names of their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crosswind.data.records import (
    TableRecord,
    csv_table,
    csv_unquoted,
    is_csv_quoted,
    jsonl_table,
    tsv_records,
    tsv_with_header,
)
from crosswind.errors import UserError, unknown
from crosswind.reading import json_file, json_value, lines, parquet_file, parquet_metadata


def format_of(path: Path | str) -> str:
    """The ending that names a file's format, without that of its compression: `tsv` for `a.tsv.gz`."""
    name = str(path).removesuffix(".gz").removesuffix(".xz")
    return Path(name).suffix.removeprefix(".").lower()


@dataclass(frozen=True)
class OwnTable:
    """The records of a file, and what was done to read them."""

    records: Iterable[TableRecord]
    notes: tuple[str, ...] = ()


def read_own_table(path: Path, known: Iterable[str], order: Sequence[str] = ()) -> OwnTable:
    """The records of a TSV, CSV, JSON, JSON lines or Parquet file.

    `known` are columns that a header would name: a TSV file whose first line names none of them has none, and its
    columns are `order` (a name that ends in `?` may be missing). A TSV file all of whose cells with quotation marks are
    quoted as in CSV is read without these quotes. Raises `UserError` for another format, and for a
    TSV file without a header where no order is given.
    """
    name = format_of(path)
    if name not in _TABLES:
        raise unknown("format of a table", name, _TABLES, where=str(path))
    if name != "tsv":
        return OwnTable(_TABLES[name](path))
    header = _first_line(path).split("\t")
    if set(known) & {csv_unquoted(cell) for cell in header}:
        return _without_quotes(list(tsv_with_header(path)), all(map(is_csv_quoted, header)))
    if not order:
        raise UserError(
            f"the first line names none of the columns {', '.join(sorted(known))}",
            where=f"{path}:1",
            hint="say what they are called (columns: {field: column}), or, without a header, their order (a list)",
        )
    return _without_quotes(list(tsv_records(path, *order)), False)


def _without_quotes(records: list[TableRecord], every: bool) -> OwnTable:
    """TSV as programs for CSV write it (`"He said ""hi""."`); `every` says that they quoted the header too."""
    marked = [cell for record in records for cell in record.values.values() if '"' in cell]
    quoted = sum(map(is_csv_quoted, marked))
    if marked and quoted == len(marked) and (every or any('""' in cell[1:-1] for cell in marked)):
        note = f"its {quoted:,} cells with quotation marks were quoted as in CSV: they are read without these quotes"
        return OwnTable([_unquoted(record) for record in records], (note,))
    if quoted:
        what = f"{quoted:,} of its {len(marked):,} cells with quotation marks stand in them as in CSV"
        return OwnTable(records, (f"{what}: all are read as they are",))
    return OwnTable(records)


def _unquoted(record: TableRecord) -> TableRecord:
    return replace(record, values={csv_unquoted(k): csv_unquoted(v) for k, v in record.values.items()})


def _first_line(path: Path) -> str:
    return next((text for _, text in lines(path)), "")


def _json_table(path: Path) -> Iterator[TableRecord]:
    """A list of objects, or an object whose only list is one (`{"data": […]}`)."""
    value = json_file(path)
    if isinstance(value, dict):
        lists = [part for part in value.values() if isinstance(part, list)]
        value = lists[0] if len(lists) == 1 else None
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise UserError("no list of objects", where=str(path), hint="write a list of {…}, or JSON lines")
    for row, values in enumerate(value):
        yield TableRecord(values, f"{path}: row {row}", row)


def _parquet_table(path: Path) -> Iterator[TableRecord]:
    classes = _class_names(path)
    for row, values in enumerate(parquet_file(path).iter_rows(named=True)):
        yield TableRecord(values, f"{path}: row {row}", row, classes)


def _class_names(path: Path) -> dict[str, tuple[str, ...]]:
    """Column -> the names of its classes, of a Parquet table that the library `datasets` wrote."""
    text = parquet_metadata(path).get("huggingface")
    value = json_value(text, f"{path}: metadata") if text is not None else None
    for key in ("info", "features"):
        value = value.get(key) if isinstance(value, dict) else None
    named = {str(key): _names(feature) for key, feature in (value.items() if isinstance(value, dict) else ())}
    return {key: names for key, names in named.items() if names}


def _names(feature: object) -> tuple[str, ...]:
    """The names of a feature that is a class, or a list of classes."""
    if isinstance(feature, list) and len(feature) == 1:
        return _names(feature[0])
    if not isinstance(feature, dict):
        return ()
    if "feature" in feature:
        return _names(feature["feature"])
    names = feature.get("names")
    return tuple(map(str, names)) if feature.get("_type") == "ClassLabel" and isinstance(names, list) else ()


_TABLES: dict[str, Callable[[Path], Iterator[TableRecord]]] = {
    "tsv": tsv_with_header,
    "csv": csv_table,
    "json": _json_table,
    "jsonl": jsonl_table,
    "ndjson": jsonl_table,
    "parquet": _parquet_table,
}
