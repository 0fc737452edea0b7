"""The scores of benchmarks as their own scripts average them, and scores without excluded items."""

from __future__ import annotations

from crosswind.report.content import ReportContent
from crosswind.report.inert import slug
from crosswind.report.official import official_blocks
from crosswind.report.parts import Column, PagePart, Prose, Section, TextTable

_HEAD = (
    *(Column("route"), Column("condition"), Column("task or group"), Column("official", "number")),
    *(Column("zero-shot", "number"), Column("keys", "text"), Column("mean over", "text"), Column("lacking", "text")),
)
_EXCLUDED = (
    *(Column("route"), Column("target"), Column("language"), Column("condition, key"), Column("rows")),
    *(Column("all items", "number"), Column("without", "number")),
)
_MOST = 300


def benchmark_section(content: ReportContent) -> Section | None:
    """A table a benchmark; below, what exclusion lists change."""
    parts: list[PagePart] = []
    for name, rows in official_blocks(content.official):
        texts = tuple(
            (r.route, r.condition, r.name, r.score, r.zero_shot, r.keys, r.averaged, r.lacking) for r in rows[:_MOST]
        )
        more = f"{_MOST} of {len(rows):,} rows; benchmarks.parquet has all." if len(rows) > _MOST else ""
        parts.append(
            TextTable(slug(f"benchmark-{name}"), f"{name}, as its own script averages it", _HEAD, texts, missing=more)
        )
    if parts:
        remark = (
            "Over the official languages, English and trained languages included; question answering is the mean of"
            " exact match and F1. A group or the whole that lacks something is named and not averaged. Beside them"
            " stands the zero-shot mean of the same score, without the source language and trained ones."
        )
        parts.insert(0, Prose(remark, soft=True))
    if content.excluded:
        listed = tuple(
            (r.route, r.target, r.language, r.condition, r.excluded, r.all_items, r.without)
            for r in content.excluded[:_MOST]
        )
        remark = (
            "All other figures are of all items. Where a target has an exclusion list, its scores without these items,"
            " which are signed with the list."
        )
        parts += [Prose(remark, soft=True), TextTable("excluded", "Without excluded items", _EXCLUDED, listed)]
    return Section("benchmarks", "Scores of the benchmarks themselves", tuple(parts)) if parts else None
