"""The table of contrasts, which a reader narrows by what he looks for."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.analysis.contrast import PRIMARY
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.relative import RIGHT_NOTE
from crosswind.report.comparisons import measure_words, p_words
from crosswind.report.content import ReportContent
from crosswind.report.parts import Column, Folded, PagePart, Prose, Section, TextTable
from crosswind.report.sections.forest import remarks
from crosswind.report.view import changed, cut_words, figure

_MOST = 800
_SCOPES = ("all", "target", "perturbation", "condition", "family", "script", "language", "material", "familiarity")


def contrast_section(content: ReportContent) -> Section | None:
    """Contrasts of systems first, those over all before those of parts."""
    rows = sorted(content.summary.contrasts, key=_rank)
    if not rows:
        return None
    shown = rows[:_MOST]
    missing = ""
    if len(rows) > len(shown):
        missing = f"{len(shown)} of {len(rows):,} rows, differences first; {content.contrasts} has all."
    remark = (
        "Every comparison that the study holds. Only the primary family is tested by Holm; p-values of the others are"
        " adjusted within their table (Benjamini and Hochberg), levels have none. The smallest effect is what would"
        " have been seen with a power of 80 %."
    )
    remark = " ".join(filter(None, (remark, cut_words(c.estimate for c in rows))))
    inner: list[PagePart] = [_table(shown, missing)]
    if any(c.measure == "right-drop" for c in shown):
        inner.append(Prose(RIGHT_NOTE, soft=True))
    folded = Folded(f"{len(rows):,} contrasts", tuple(inner))
    return Section("all-contrasts", "Table of contrasts", (Prose(remark, soft=True), folded))


def _rank(c: Contrast) -> tuple[bool, bool, int]:
    return c.family != PRIMARY, c.kind == "level", _SCOPES.index(c.scope)


def _table(rows: Sequence[Contrast], missing: str) -> TextTable:
    columns = (
        *(Column("contrast"), Column("of"), Column("scope"), Column("within"), Column("points", "number")),
        *(Column("p adjusted", "number"), Column("family"), Column("verdict", "text"), Column("smallest", "number")),
        *(Column("interval over"), Column("changed", "number"), Column("remarks", "text")),
    )
    texts = tuple(
        (
            c.name,
            measure_words(c.measure),
            c.scope,
            c.within or "everything",
            figure(c.estimate, signed=c.kind != "level"),
            p_words(c.adjusted),
            c.family,
            c.words if c.family else "",
            "" if c.estimate.detectable is None else f"{c.estimate.detectable:.1f}",
            _over(c),
            changed(c),
            remarks(c),
        )
        for c in rows
    )
    return TextTable(
        "all-contrasts",
        "Contrasts in points, with 95 % intervals",
        columns,
        texts,
        filters=(0, 1, 2, 3),
        missing=missing,
    )


def _over(c: Contrast) -> str:
    seeds = "/".join(map(str, c.estimate.seeds))
    return f"{c.estimate.clusters:,} clusters, {seeds or 'no'} seeds"
