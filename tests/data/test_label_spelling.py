"""A file of a task writes its labels as names or as numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crosswind.data.records import TableRecord, csv_table, hub_table, jsonl_table, label_table, tsv_records
from crosswind.errors import UserError

TABLE = label_table(("entailment", "neutral", "contradiction"), "-", -1, "", contradictory=2)
FIGURES = label_table(("0", "1"), -1)


def labels(path: Path, *values: Any, table: Any = TABLE) -> list[int | None]:
    path.write_text("".join(json.dumps({"label": value}) + "\n" for value in values), encoding="utf-8")
    return [record.label("label", table) for record in jsonl_table(path)]


@pytest.mark.parametrize(("first", "other"), [("neutral", 0), ("neutral", "0"), (2, "contradictory")])
def test_names_and_numbers_in_one_file_are_refused(tmp_path: Path, first: Any, other: Any) -> None:
    path = tmp_path / "x.jsonl"
    with pytest.raises(UserError, match=rf"x\.jsonl:3: names and numbers .*: '{other}', and '{first}' in .*jsonl:1"):
        labels(path, first, "-", other)


def test_one_way_of_writing_and_no_label_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    assert labels(path, "neutral", "-", "contradictory", -1, "contradiction") == [1, None, 2, None, 2]
    assert labels(path, 1, "-", "2", -1) == [1, None, 2, None]
    assert labels(path, "0", 1, table=FIGURES) == [0, 1]


def test_files_tables_and_hub_rows_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("neutral\n0\n", encoding="utf-8")
    (tmp_path / "x.csv").write_text("label\nneutral\n0\n", encoding="utf-8")
    tables = (
        tsv_records(tmp_path / "x.tsv", "label"),
        csv_table(tmp_path / "x.csv"),
        hub_table([{"label": "neutral"}, {"label": 0}]),
    )
    for table in tables:
        with pytest.raises(UserError, match="names and numbers of labels in one file"):
            read(list(table))


def read(records: list[TableRecord]) -> list[int | None]:
    return [record.label("label", TABLE) for record in records]
