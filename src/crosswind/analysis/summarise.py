"""From the table of results to its summary.

A perturbed score stands beside the clean score of the same languages and items, and their drop has
its own interval, in which the items are paired. Languages whose labelled data of the task some route
has seen are translate-train: no route's zero-shot mean has them, so that all routes are compared on
the same languages; they are reported apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from crosswind.analysis.compared import contrasts
from crosswind.analysis.condition import Condition
from crosswind.analysis.contrast import Comparisons, RouteFacts
from crosswind.analysis.estimate import Estimate, estimate
from crosswind.analysis.influence import ClusterNumbers, Influence, weighted_sum
from crosswind.analysis.left_out import LeftOut
from crosswind.analysis.multiplicity import benjamini_hochberg
from crosswind.analysis.results import NONE
from crosswind.analysis.scored import Chance, Loader, RowDict, Scored, condition_of, language_of, under_common_seeds
from crosswind.analysis.summary import USUAL_SOURCE, Scope, Summary, SummaryLine, UnchangedLine
from crosswind.data.languages import name_of
from crosswind.evaluate.metrics.base import METRICS


def summarise(
    rows: pl.DataFrame,
    stats: Loader,
    *,
    chance: Mapping[str, Chance] | None = None,
    headline: Mapping[str, str] | None = None,
    routes: Sequence[str] = (),
    diagnostic: Collection[str] = (),
    sources: Mapping[str, str] | None = None,
    left_out: Sequence[LeftOut] = (),
    given: Collection[str] = (),
    comparisons: Comparisons | None = None,
    facts: RouteFacts | None = None,
    primary_only: bool = False,
) -> Summary:
    """Summarise a table of results (`results.ROW`) by one metric of each target, its headline key.

    `headline` maps a target to the metric that it is summarised by; of a target that it leaves out, the
    first metric in the table is taken, and a note says so if there are several. Nothing is averaged over metrics.

    `chance` maps a target to the score of guessing, in points, or to that of each language; targets without one have no
    floor. Lines show the mean over a target's languages, floors are those of the languages that a line is over.
    `routes` gives the order of the routes; those that it leaves out follow by name.
    `sources` maps a target to its source language, where that is not English.
    `diagnostic` names the perturbations under which a label need not hold: they are left out of the contrasts.
    `given` are the keys of cells of models that nothing was trained for: their seed is no sample. `comparisons` declare
    which routes are compared, `facts` say what these differ in.
    `primary_only`: there are no lines, and no contrasts but those of the primary family, which are cheap.
    In the lines pipeline seeds and draws are averaged. Rows without a score, of cells in which too little changed, are
    in no mean, drop or contrast; `left_out` goes with the summary. Raises `UserError` where a perturbed cell has no
    clean one, or was scored otherwise.
    """
    lines: list[SummaryLine] = []
    scored: list[Scored] = []
    rows, unnamed = _headline(rows, headline or {})
    blank, rows = rows.filter(pl.col("score").is_null()), rows.filter(pl.col("score").is_not_null())
    sources, numbers = sources or {}, ClusterNumbers()
    unchanged = tuple(_unchanged(blank, rows, sources))
    rank = {route: i for i, route in enumerate(routes)}
    for target, split in rows.select("target", "split").unique().sort("target", "split").rows():
        part = rows.filter((pl.col("target") == target) & (pl.col("split") == split))
        floor = (chance or {}).get(target)
        cells = Scored(part, stats, numbers, floor, sources.get(target, USUAL_SOURCE), given)
        scored.append(cells)
        of_target = sorted(
            () if primary_only else _lines(cells),
            key=lambda line: (line.encoder, rank.get(line.route, len(rank)), line.route, line.defence != NONE),
        )
        lines += _with_adjusted_drops(of_target)
    compared, missing = contrasts(scored, numbers, routes, diagnostic, comparisons, facts, primary_only=primary_only)
    notes = (*unnamed, *_notes(lines), *_other_sources(scored), *missing)
    return Summary(
        lines=tuple(lines),
        contrasts=tuple(compared),
        notes=notes,
        unchanged=unchanged,
        left_out=tuple(left_out),
        diagnostic=frozenset(diagnostic),
        sources=dict(sources),
    )


def _unchanged(blank: pl.DataFrame, rows: pl.DataFrame, sources: Mapping[str, str]) -> Iterator[UnchangedLine]:
    """The figures of which every cell is without a score: of languages, of the source language, of the others."""
    columns = ("encoder", "defence", "route", "target", "split", "key")
    scored: set[tuple[object, ...]] = set()
    for row in rows.iter_rows(named=True):
        name = (*(row[c] for c in columns), condition_of(row))
        scored |= {(*name, "language", language_of(row)), (*name, _side(row, sources))}
    members: dict[tuple[object, ...], list[RowDict]] = {}
    for row in blank.iter_rows(named=True):
        name = (*(row[c] for c in columns), condition_of(row))
        for figure in ((*name, "language", language_of(row)), (*name, _side(row, sources))):
            if figure not in scored:
                members.setdefault(figure, []).append(row)
    for figure, chosen in members.items():
        scope: Scope | None = "language" if "language" in figure else _side(chosen[0], sources)
        if scope is not None:
            first = {column: chosen[0][column] for column in columns}
            languages = tuple(sorted({language_of(row) for row in chosen}))
            share = float(np.mean([row["changed_items"] for row in chosen]))
            yield UnchangedLine(
                **first, condition=condition_of(chosen[0]), scope=scope, languages=languages, changed_items=share
            )


def _other_sources(scored: Sequence[Scored]) -> Iterator[str]:
    for cells in scored:
        if cells.source != USUAL_SOURCE and any(row["language"] == cells.source for row in cells.rows):
            yield f"{cells.target}: its source language is {name_of(cells.source)} ({cells.source})."


def _side(row: RowDict, sources: Mapping[str, str]) -> Scope | None:
    """The mean that a row belongs to, translate-train aside; `None` for a pair of languages."""
    if row["context_language"] not in ("", row["language"]):
        return None
    return "english" if row["language"] == sources.get(row["target"], USUAL_SOURCE) else "others"


def _headline(rows: pl.DataFrame, headline: Mapping[str, str]) -> tuple[pl.DataFrame, list[str]]:
    """The rows of each target's headline metric and key; and what to say where no metric was named."""
    notes = []
    chosen = []
    for target in rows["target"].unique().sort():
        metrics = rows.filter(pl.col("target") == target)["metric"].unique(maintain_order=True).to_list()
        name = headline.get(target, metrics[0])
        if target not in headline and len(metrics) > 1:
            notes.append(f"{target}: summarised by {name}; {', '.join(metrics[1:])} stand in the results.")
        key = METRICS.get(name).headline
        chosen.append((pl.col("target") == target) & (pl.col("metric") == name) & (pl.col("key") == key))
    return rows.filter(pl.any_horizontal(chosen)) if chosen else rows, notes


def _lines(cells: Scored) -> Iterator[SummaryLine]:
    groups: dict[tuple[str, str, str], dict[Condition, list[int]]] = {}
    for i, r in enumerate(cells.rows):
        by_condition = groups.setdefault((r["encoder"], r["defence"], r["route"]), {})
        by_condition.setdefault(condition_of(r), []).append(i)
    for conditions in groups.values():
        for _, members in sorted(conditions.items(), key=lambda c: (not c[0].clean, c[0])):
            for scope, chosen in _scopes(cells, members):
                yield _line(cells, scope, chosen)


def _scopes(cells: Scored, members: Sequence[int]) -> Iterator[tuple[Scope, list[int]]]:
    named: dict[Scope, list[int]] = {"english": [], "others": [], "translate-train": [], "pairs": []}
    languages: dict[str, list[int]] = {}
    for i in members:
        row = cells.rows[i]
        languages.setdefault(language_of(row), []).append(i)
        if row["context_language"] not in ("", row["language"]):
            named["pairs"].append(i)  # they have a mean of their own
        elif row["language"] == cells.source:
            named["english"].append(i)
        else:
            named["translate-train" if row["language"] in cells.trained else "others"].append(i)
    yield from ((scope, chosen) for scope, chosen in named.items() if chosen)
    yield from (("language", languages[x]) for x in sorted(languages))


def _line(cells: Scored, scope: Scope, members: Sequence[int]) -> SummaryLine:
    by_language: dict[str, list[int]] = {}
    for i in members:
        by_language.setdefault(language_of(cells.rows[i]), []).append(i)
    by_language = _of_common_seeds(cells, by_language)
    languages = tuple(sorted(by_language))
    members_by = [by_language[x] for x in languages]
    after = cells.average(members_by)
    clean = drop = None
    row = cells.rows[members[0]]
    if not condition_of(row).clean:
        before, left = under_common_seeds([cells.average(members_by, clean=True), after])
        clean = _level(before, cells)
        drop = _level(weighted_sum([(cells.gain, before), (-cells.gain, left)], cells.numbers), cells, difference=True)
    first = [by_language[x][0] for x in languages]
    return SummaryLine(
        encoder=row["encoder"],
        defence=row["defence"],
        route=row["route"],
        target=row["target"],
        split=row["split"],
        metric=row["metric"],
        key=row["key"],
        better=cells.metric.better,
        condition=condition_of(row),
        scope=scope,
        languages=languages,
        estimate=_level(after, cells),
        clean=clean,
        drop=drop,
        chance=cells.mean_chance,
        at_floor=cells.is_floor(members_by),
        floor_languages=tuple(x for x in languages if cells.is_floor([by_language[x]])),
        trained_on=tuple(sorted({cells.rows[i]["language"] for i in members if cells.is_exposed(cells.rows[i])})),
        n=sum(cells.rows[i]["n"] for i in first),
        pipeline_seeds=len(after.seeds),
        draws=len({cells.rows[i]["draw"] for i in members}),
        changed_items=None if condition_of(row).clean else cells.mean_of("changed_items", by_language.values()),
        changed_tokens=None if condition_of(row).clean else cells.mean_of("changed_tokens", by_language.values()),
    )


def _of_common_seeds(cells: Scored, by_language: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """The languages of the seed that has most of them, where no seed has all: the run is not complete."""
    seeds = {x: {cells.rows[i]["pipeline_seed"] for i in members} for x, members in by_language.items()}
    if set.intersection(*seeds.values()):
        return dict(by_language)
    every = sorted(set.union(*seeds.values()))
    fullest = max(every, key=lambda seed: sum(seed in having for having in seeds.values()))
    return {x: members for x, members in by_language.items() if fullest in seeds[x]}


def _level(quantity: Influence, cells: Scored, *, difference: bool = False) -> Estimate:
    """A score, or a difference within one system, with its interval."""
    return estimate([(1.0, quantity)], cells.numbers, level=not difference)


def _with_adjusted_drops(lines: Sequence[SummaryLine]) -> Iterator[SummaryLine]:
    """The lines of a target with the p-values of their drops adjusted over all of them."""
    adjusted = benjamini_hochberg([line.drop.p if line.drop is not None else None for line in lines])
    for line, p in zip(lines, adjusted, strict=True):
        yield replace(line, drop_adjusted=p)


def _notes(lines: Sequence[SummaryLine]) -> Iterator[str]:
    means: dict[tuple[str, str, str, Condition], set[tuple[str, ...]]] = {}
    trained: dict[str, set[str]] = {}
    for line in lines:
        if line.scope == "others":
            means.setdefault((line.encoder, line.target, line.split, line.condition), set()).add(line.languages)
        if line.scope == "translate-train":
            trained.setdefault(line.target, set()).update(line.languages)
    for target, languages in sorted(trained.items()):
        yield (
            f"{target}: {', '.join(sorted(languages))} left out of every route's zero-shot mean and reported apart:"
            " some route was trained on labelled data of this task in them."
        )
    for (_, target, _, condition), sets in means.items():
        if len(sets) > 1:
            yield f"{target}, {condition.label}: the routes were scored on different languages, and so are their means."
