"""Attack curves: what the attacked examples score under the worst text within so many queries."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from crosswind.analysis.attack_gains import attack_of
from crosswind.analysis.contrasted import Contrast
from crosswind.report.comparisons import p_words
from crosswind.report.content import NO_CURVE_SUMS, ReportContent
from crosswind.report.parts import Column, Figure, PagePart, Prose, Section, TextTable
from crosswind.report.sections.attack_edits import edits_figure
from crosswind.report.sections.attack_panels import (
    CurvePanel,
    draw_panels,
    interval_words,
    means_over_seeds,
    named_panels,
    point_words,
    with_intervals,
    with_languages,
)
from crosswind.report.sections.attack_table import attacked_tables
from crosswind.report.sections.attack_transfer import transfer_tables
from crosswind.report.spent import spent_remarks
from crosswind.report.view import basis_words, cut_words, figure, systems_of

_MOST = 24  # panels
_NAMED = 6  # systems in a line
_NAMES = ("panel", "system", "control")  # what tells curves apart


def attack_section(content: ReportContent) -> Section | None:
    """A panel a target and attack, a line a route, the controls dashed; what the attacks did by edits; a table."""
    frame = content.curves
    if frame.is_empty():
        return None
    sums = content.curve_sums.filter(curve="over_budget")
    means = mean_curves(frame, sums)
    panels: dict[str, CurvePanel] = {}
    for row in means.iter_rows(named=True):
        panel = panels.setdefault(row["panel"], CurvePanel(row["panel"], "queries"))
        point = row["at"], row["score"], row["low"], row["high"]
        panel.curves.setdefault((row["system"], row["control"]), []).append(point)
    says = f"Curves of the score over the attack's budget, one panel for each of {len(panels)} targets and attacks."
    caption = (
        "The task's metric over the attacked examples in points, each under the worst text within so many queries; 0:"
        " as they were. Dashed: random draws from the same alternatives, as many queries; their intervals are in the"
        " table. Means over languages and pipeline seeds. Attack and draws are of the same items and models: whether"
        " they differ is judged by what the search gains over the draws, above, not by bands."
        f" {interval_words(means, sums)}"
    )
    systems = systems_of(content.summary)
    svg = draw_panels([*panels.values()][:_MOST], systems)
    return Section(
        "attacks",
        "Attacks",
        (
            *map(Prose, spent_remarks(frame, content.attacked)),
            *gains_over_draws(content.summary.contrasts),
            Figure(
                "attacks",
                "Attack curves",
                svg,
                says,
                caption,
                _table(means),
                with_languages(named_panels(frame), sums, _NAMES, "score"),
            ),
            *edits_figure(content.attacked, systems, content.curve_sums),
            *attacked_tables(content),
            *transfer_tables(content.transfer),
        ),
    )


def gains_over_draws(contrasts: Sequence[Contrast]) -> list[PagePart]:
    """A line an attack, over all targets that have it, and a row for each target besides."""
    rows = [c for c in contrasts if c.kind == "attack"]
    if not rows:
        return []
    whole = {attack_of(c) for c in rows if c.scope == "all"}
    over_all = [c for c in rows if c.scope == "all" or attack_of(c) not in whole]
    lines: dict[str, list[str]] = {}
    languages: dict[str, dict[str, None]] = {}
    for c in over_all:
        settled = "" if c.verdict == "differs" else f" ({c.words})"
        where = "" if len(c.targets) > 1 else f" in {c.targets[0]}"
        languages.setdefault(attack_of(c), {}).update(dict.fromkeys(c.languages))
        without = f" (without {', '.join(c.excluded)})" if c.excluded else ""
        said = f"{c.systems[0]}{where} {figure(c.estimate, signed=True)}{settled}{without}"
        lines.setdefault(attack_of(c), []).append(said)
    texts = [
        f"{name}, what the search gains over random draws at an equal budget (below 0: the draws did more), in"
        f" {', '.join(languages[name])}: {'; '.join(said[:_NAMED])}"
        + (f"; and {len(said) - _NAMED} more, below." if len(said) > _NAMED else ".")
        for name, said in lines.items()
    ]
    columns = (
        *map(Column, ("target", "attack", "route")),
        *(Column("points", "number"), Column("p adjusted", "number")),
        *(Column("verdict", "text"), Column("languages", "text")),
    )
    over = basis_words(c.estimate.basis for c in rows).rstrip(",")
    caption = f"What each search gains over random draws at an equal budget, points with 95 % intervals {over}."
    table = TextTable(
        "attack-gains",
        " ".join(filter(None, (caption, cut_words(c.estimate for c in rows)))),
        columns,
        tuple(
            (
                c.within or f"all: {', '.join(c.targets)}", attack_of(c), c.systems[0],
                figure(c.estimate, signed=True), p_words(c.adjusted), c.words, " ".join(c.languages),
            )
            for c in rows
        ),
    )  # fmt: skip
    return [*map(Prose, texts), table]


def mean_curves(frame: pl.DataFrame, sums: pl.DataFrame = NO_CURVE_SUMS) -> pl.DataFrame:
    """The curves by panel, system (`named_panels`) and kind: means over languages, then over pipeline seeds, with the
    intervals of those whose sums by cluster are there."""
    means = means_over_seeds(named_panels(frame), (*_NAMES, "at"), "score")
    return with_intervals(means, sums, _NAMES).sort("panel", "control", "at", maintain_order=True)


def _table(means: pl.DataFrame) -> TextTable:
    rows = [
        (
            str(r["panel"]), str(r["system"]), "random draws" if r["control"] else "attack", f"{r['at']:,.0f}",
            point_words(r["score"], r["low"], r["high"]), f"{r['n']:,}", str(r["seeds"]), str(r["language"]),
        )
        for r in means.iter_rows(named=True)
    ]  # fmt: skip
    columns = (Column("target, attack"), Column("route"), Column("by"), Column("queries", "number"))
    more = (
        Column("points", "number"),
        Column("examples", "number"),
        Column("seeds", "number"),
        Column("languages", "text"),
    )
    return TextTable(
        "attacks",
        "Attack curves: points of the attacked examples within so many queries, with their 95 % intervals",
        (*columns, *more),
        tuple(rows[:400]),
        missing="" if len(rows) <= 400 else f"400 of {len(rows):,} rows; attacks.csv has all.",
    )
