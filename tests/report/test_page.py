"""The page as a text: what it may load and run, what stands in it, and the figures and tables beside it."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from made_pages import HOSTILE, example, full

from crosswind.analysis.condition import Condition
from crosswind.analysis.estimate import ONE_CLUSTER, Estimate
from crosswind.analysis.summary import Summary
from crosswind.report.brief import render_brief
from crosswind.report.content import ATTACKED_COLUMNS, CURVE_SUM_COLUMNS, AuditRow, ExampleSample, ReportContent
from crosswind.report.inert import inert
from crosswind.report.latex import latex_text
from crosswind.report.page import figures_of, render_page, write_report
from crosswind.report.parts import Figure, Prose, TextTable
from crosswind.report.sections.attack_curves import attack_section, mean_curves
from crosswind.report.sections.attack_edits import edit_points, edits_figure, mean_edit_points
from crosswind.report.sections.attack_table import attacked_tables, mean_attacks
from crosswind.report.sections.curves import curve_points, curve_section
from crosswind.report.sections.examples import shown_example
from crosswind.report.sections.heatmap import heatmap_section, shade
from crosswind.report.sections.judged import claims_section
from crosswind.report.sections.matrix import ALIKE, BEST, FLOORED, matrix_cells
from crosswind.report.sections.selections import selection_section
from crosswind.report.terminal import render_terminal


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text inside each table's caption."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def named(self, *tags: str) -> list[tuple[str, dict[str, str | None]]]:
        return [(tag, attrs) for tag, attrs in self.elements if tag in tags]


@pytest.fixture(scope="module")
def page(summary: Summary) -> str:
    return render_page(full(summary))


def test_the_page_loads_nothing_and_runs_and_styles_only_what_its_policy_names(page: str) -> None:
    elements = Elements(page).elements
    assert {tag for tag, _ in elements}.isdisjoint({"link", "img", "iframe", "object", "embed", "base", "video"})
    names = {name for _, attrs in elements for name in attrs}
    assert not {n for n in names if n.startswith("on")} | (names & {"style", "src", "srcset", "action", "formaction"})
    assert all(attrs["href"].startswith("#") for _, attrs in elements if attrs.get("href"))  # type: ignore[union-attr]
    assert not re.search(r"@import|url\(", page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    directives = dict(d.split(" ", 1) for d in html.unescape(policy[1]).split("; "))
    (script,), (style,) = (re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL) for tag in ("script", "style"))
    assert directives == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        **{
            f"{name}-src": f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for name, text in (("script", script), ("style", style))
        },
    }


def test_what_the_study_says_is_escaped(page: str, summary: Summary) -> None:
    assert "<h1>A &lt;study&gt;</h1>" in page
    facts = {"Encoder": "mini: 6 layers", "Routes": "none, <multi>", "Pipeline seeds": "1, 2"}
    said = (
        '<h1>A &lt;study&gt; <span class="what">mini · 2 routes: none, &lt;multi&gt; · pipeline seeds 1, 2</span></h1>'
    )
    assert said in render_page(replace(full(summary), facts=facts))
    assert "&lt;script&gt;alert(1)" in page
    assert "multi &amp; lingual" in page
    assert "it &lt;helps&gt;" in page


def test_the_answer_stands_first_with_what_it_is_over(page: str) -> None:
    head = page.split("<header")[1].split("</header>")[0]
    text = html.unescape(re.sub(r"<[^>]+>", "", head))
    # pawsx is at its floor; of xnli's languages sw alone was perturbed and not trained on: 44 and 26 of 120.
    assert "Under perturbation zero-shot transfer loses 15.0 [" in text
    assert "of 36.7 points without intermediate training" in text
    assert re.search(r"loses 15\.0 \[[^\s\]]+,\N{NO-BREAK SPACE}[^\s\]]+\]", text)  # no line ends within an interval
    assert "None of 3 comparisons of routes could be tested." in text
    assert "Base route: none." in text
    assert "One pipeline seed, intervals over items only. Given this encoder." in text  # though nothing was tested


def test_headings_are_in_order_and_every_table_has_a_caption_and_headings(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert len(tables) > 15
    for table in tables:
        assert "<caption" in table
        assert '<th scope="col"' in table
    elements = Elements(page)
    drawn = page.count("<svg")
    labelled = [attrs for tag, attrs in elements.named("div") if attrs.get("role") == "img"]
    assert len(labelled) == drawn == page.count("The figure as a table") == 7
    assert all(attrs["aria-label"] for attrs in labelled)
    ids = [attrs["id"] for _, attrs in elements.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["aria-labelledby"] for _, attrs in elements.elements if "aria-labelledby" in attrs} <= set(ids)
    anchors = {attrs["href"] for _, attrs in elements.named("a")}
    assert {f"#{name}" for name in ("targets", "claims", "audit", "examples", "provenance", "citing")} <= anchors


def test_the_tables_have_every_score_of_english_and_the_others(page: str, summary: Summary) -> None:
    body = page.split('id="summary"')[1].split('id="examples"')[0]
    for line in summary.select("english", "others", "translate-train"):
        e = line.estimate
        assert re.search(rf"{e.score:.1f} \[{e.low:.1f}, {e.high:.1f}\][†‡]*<", body), line
    assert body.count("<tr") - body.count("<thead>") == 4 + 4 + 4  # rows of two targets, and of translate-train


def test_the_comparisons_of_the_primary_family_are_the_first_figure(page: str, summary: Summary) -> None:
    body = page.split('<section id="contrasts"')[1].split("</section>")[0]
    primary = [c for c in summary.contrasts if c.family == "primary"]
    table = body.split("<tbody>")[1]
    assert table.count("<tr>") == len(primary) == 3
    assert table.count("one seed: not tested") == 3
    # sw alone was perturbed and not trained on: (50 - 44) / 120 clean, (32 - 26) / 120 left.
    assert table.count("+5.0 [") == 2
    assert table.count("1: +5.0") == 2  # the value under the one seed


def test_the_first_figure_says_on_which_side_better_is(page: str, summary: Summary) -> None:
    assert "Of levels, right of 0 is better;" in page
    lower = tuple(replace(c, better="lower") for c in summary.contrasts)
    assert "Of levels, left of 0 is better;" in render_page(full(replace(summary, contrasts=lower)))
    both = (*lower, *(c for c in summary.contrasts if c.family == "primary"))
    assert "right of 0 (left, where a lower score is better) is" in render_page(full(replace(summary, contrasts=both)))


def test_claims_audit_cost_and_citation_stand_in_the_page(page: str) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    assert "with mini (1.0 M parameters): it <helps> (somebody)" in text
    assert "mine: what is claimed. Claims about effects: 1 refuted." in text
    assert "1 reviews pass, 1 fail, 0 have nothing to say (5.0 of ten of those that say something)." in text
    assert text.index("✗ fails") < text.index("✓ passes")
    assert "train 2 60.0 s 70.0 s" in " ".join(text.split())
    assert "CC BY-NC" in text
    assert "Name the study (A <study>)" in text
    assert "audit: something" in text


def test_every_language_has_its_line(page: str) -> None:
    details = page.split('<section id="every-language"')[1].split("</section>")[0]
    assert details.count("<td>sw</td>") == 8
    assert details.count("<details>") == 2


def test_figures_are_files_of_their_own_with_their_data(summary: Summary, tmp_path: Path) -> None:
    path = write_report(tmp_path / "r" / "report.html", full(summary))
    folder = path.parent / "figures"
    names = {"forest", "targets", "curves", "heatmap", "heatmap-2", "gap-family", "attacks"}
    assert {p.name for p in folder.iterdir()} == {f"{n}.{s}" for n in names for s in ("svg", "csv")}
    for name in names:
        root = ElementTree.parse(folder / f"{name}.svg").getroot()
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "line", "path", "rect", "text", "circle"}
        assert not {
            a for element in root.iter() for a in element.attrib if a.startswith("on") or a in ("style", "href")
        }
    forest = pl.read_csv(folder / "forest.csv")
    assert forest["estimate"].to_list() == pytest.approx([c.estimate.score for c in primary(summary)])
    drops = pl.read_csv(folder / "heatmap.csv")
    # Of each target, English, German and Swahili lose 18 of 120 items.
    assert drops.select("language", pl.col("drop").round(6)).rows() == [(x, 15.0) for x in ("de", "en", "sw")] * 2
    curve = pl.read_csv(folder / "attacks.csv")
    assert curve["score"].to_list() == [75.0, 25.0, 75.0, 50.0]
    page = path.read_text(encoding="utf-8")
    assert "figures/forest.svg, .csv" in page
    # What an earlier page had and this one has not is gone; what else lies there (a paper's own figures) stays.
    others = {"mine.txt", "photo.svg", "data.csv", "heatmap-old.svg", "table.tex", "my-attacks.csv"}
    for name in others:
        (folder / name).write_text("x")
    write_report(path, ReportContent("t", summary), latex=True)
    assert not (folder / "attacks.svg").exists()
    assert others <= {p.name for p in folder.iterdir()}


def primary(summary: Summary) -> list:  # type: ignore[type-arg]
    return [c for c in summary.contrasts if c.family == "primary"]


def test_latex_tables_are_written_on_request_with_booktabs(summary: Summary, tmp_path: Path) -> None:
    path = write_report(tmp_path / "page.html", full(summary), latex=True)
    folder = figures_of(path)
    assert folder.name == "page-figures"
    tables = {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.tex")}
    assert set(tables) == {"contrasts.tex", "targets.tex", "summary-pawsx-test.tex", "summary-xnli-test.tex"}
    text = tables["summary-xnli-test.tex"]
    assert re.findall(r"\\(toprule|midrule|bottomrule)", text) == ["toprule", "midrule", "bottomrule"]
    assert r"multi \& lingual & keyboard:0.1 &" in text
    assert text.count(r" \\") == 1 + 4
    assert "\\begin{tabular}{llrrrrrrrr}" in text
    assert latex_text("a_b 50 % {x} ~ −1 [≈]") == r"a\_b 50 \% \{x\} \textasciitilde{} $-$1 {[}$\approx${]}"


def test_the_best_route_is_marked_and_so_is_what_cannot_be_told_from_it(summary: Summary) -> None:
    cells = {(c.target, c.system): c for c in matrix_cells(summary, "clean")}
    # One seed tells nothing apart, so none is called the best.
    assert {cells["xnli", s].mark for s in ("none", "multi & lingual")} == {ALIKE}
    assert {cells["pawsx", s].mark for s in ("none", "multi & lingual")} == {FLOORED}
    told = tuple(
        replace(c, adjusted=0.01, estimate=replace(c.estimate, basis="items and seeds"))
        if c.kind == "difference" and c.scope == "target"
        else c
        for c in summary.contrasts
    )
    cells = {(c.target, c.system): c for c in matrix_cells(replace(summary, contrasts=told), "clean")}
    assert (cells["xnli", "multi & lingual"].mark, cells["xnli", "none"].mark) == (BEST, "")
    # Of drops the smallest is best: both lose 15 points, and the first would stand.
    assert [c.mark for c in matrix_cells(summary, "drop") if c.target == "xnli"] == [ALIKE, ALIKE]
    assert [c.mark for c in matrix_cells(replace(summary, contrasts=told), "drop") if c.target == "xnli"] == [BEST, ""]


def test_curves_begin_with_the_clean_score_over_the_same_languages(summary: Summary) -> None:
    points = [(p.panel, p.system, p.severity, round(p.estimate.score, 1)) for p in curve_points(summary)]
    # xnli: sw alone, 44 and 26 of 120, 50 and 32 with the other route; pawsx is at its floor.
    assert points == [
        ("keyboard", "none", 0.0, 36.7),
        ("keyboard", "none", 0.1, 21.7),
        ("keyboard", "multi & lingual", 0.0, 41.7),
        ("keyboard", "multi & lingual", 0.1, 26.7),
    ]
    alone = replace(summary, contrasts=())
    by_target = [(p.panel, p.severity, round(p.estimate.score, 1)) for p in curve_points(alone) if p.system == "none"]
    # de (84 of 120) and sw of pawsx; of xnli sw alone, because the other route saw de.
    assert by_target[:2] == [("pawsx, keyboard", 0.0, 53.3), ("pawsx, keyboard", 0.1, 38.3)]
    assert by_target[2:] == [("xnli, keyboard", 0.0, 36.7), ("xnli, keyboard", 0.1, 21.7)]


def test_a_curve_never_goes_from_the_clean_score_of_some_targets_to_others(summary: Summary) -> None:
    levels = [c for c in summary.contrasts if c.scope == "condition" and c.kind == "level"]
    elsewhere = [  # The same perturbation of a target with another limit of rows is another mean of the same name.
        replace(
            c,
            targets=("tatoeba",),
            conditions=tuple(replace(x, rows="60 by clusters") for x in c.conditions),
            estimate=replace(c.estimate, score=c.estimate.score + 50),
        )
        for c in levels
    ]
    made = curve_points(replace(summary, contrasts=(*levels, *elsewhere)))
    points = [(p.panel, p.severity, round(p.estimate.score, 1), p.over) for p in made if p.system == "none"]
    assert points == [
        ("tatoeba, keyboard", 0.0, 86.7, "tatoeba"),
        ("tatoeba, keyboard", 0.1, 71.7, "tatoeba"),
        ("xnli, keyboard", 0.0, 36.7, "xnli"),
        ("xnli, keyboard", 0.1, 21.7, "xnli"),
    ]


def test_a_condition_whose_severity_was_found_is_named_and_never_drawn_as_clean(summary: Summary) -> None:
    def found(c: Condition) -> Condition:
        return c if c.clean else replace(c, perturbation="keyboard@chrf=90", severity=0.0)

    contrasts = tuple(replace(c, conditions=tuple(map(found, c.conditions))) for c in summary.contrasts)
    lines = tuple(replace(line, condition=found(line.condition)) for line in summary.lines)
    # By the means over targets, and by each target's languages.
    for some in (replace(summary, contrasts=contrasts, lines=lines), replace(summary, contrasts=(), lines=lines)):
        assert curve_points(some) == []
        section = curve_section(full(some))
        assert section is not None
        assert section.name == "severity"
        assert [part.text for part in section.parts if isinstance(part, Prose)] == [
            "Not drawn, because they have no severity of their own (with a damage given, it is found for each language)"
            ": keyboard@chrf=90."
        ]
    beside = replace(summary, lines=(*summary.lines, *lines))
    assert curve_points(beside) == curve_points(summary)
    section = curve_section(full(beside))
    assert section is not None
    assert isinstance(section.parts[0], Figure)
    assert section.parts[0].caption.endswith("is found for each language): keyboard@chrf=90.")


def test_an_attack_with_two_budgets_has_a_panel_of_each(summary: Summary) -> None:
    curves = full(summary).curves
    both = pl.concat([curves, curves.with_columns(budget=pl.lit(20, pl.Int64), score=pl.col("score") - 5)])
    means = mean_curves(both)
    assert set(means["panel"]) == {"xnli, deepwordbug, 10 queries", "xnli, deepwordbug, 20 queries"}
    assert set(means["n"]) == {8}
    assert set(mean_curves(curves)["panel"]) == {"xnli, deepwordbug"}


def test_attacks_on_models_chosen_otherwise_and_on_protected_texts_are_in_no_mean_with_the_others(
    summary: Summary,
) -> None:
    english = full(summary).curves
    averaged = english.with_columns(selection=pl.lit("averaged"), score=pl.lit(99.0))
    protected = english.with_columns(protection=pl.lit("entities"), score=pl.lit(1.0))
    fewer = english.with_columns(n=pl.lit(4, pl.Int64), score=pl.lit(0.0))
    means = mean_curves(pl.concat([english, averaged, protected]))
    assert dict(
        means.filter(at=10, control=False).select(pl.col("panel") + "; " + pl.col("system"), "score").rows()
    ) == {
        "xnli, deepwordbug; none": 25.0,
        "xnli, deepwordbug; none · averaged": 99.0,
        "xnli, deepwordbug, entities protected; none": 1.0,
    }
    assert set(mean_curves(pl.concat([english, fewer]))["panel"]) == {
        "xnli, deepwordbug, 8 items", "xnli, deepwordbug, 4 items"
    }  # fmt: skip

    row = dict.fromkeys(ATTACKED_COLUMNS) | {
        "route": "none",
        "defence": "none",
        "selection": "english",
        "context_language": "",
        "protection": "none",
        "pipeline_seed": 1,
        "cells": "a",
        "target": "xnli",
        "language": "de",
        "attack": "deepwordbug",
        "budget": 10,
        "n": 8,
        "before": 75.0,
        "after": 25.0,
        "after_low": 20.0,
        "after_high": 30.0,
    }
    others = [
        {"selection": "averaged", "after": 50.0}, {"protection": "entities", "after": 60.0},
        {"context_language": "en", "after": 70.0}, {"n": 4, "after": 0.0},
    ]  # fmt: skip
    rows = [row, *({**row, **other} for other in others)]
    attacked = pl.DataFrame(rows, schema=ATTACKED_COLUMNS)
    assert sorted(mean_attacks(attacked).select("after", "seeds").rows()) == [
        (0.0, 1), (25.0, 1), (50.0, 1), (60.0, 1), (70.0, 1)
    ]  # fmt: skip
    (table,) = attacked_tables(replace(full(summary), attacked=attacked))
    assert {(r[1], r[2], r[3], r[4]) for r in table.rows} == {
        ("deepwordbug, 10 queries", "none", "de", "8"),
        ("deepwordbug, 10 queries", "none", "de", "4"),
        ("deepwordbug, 10 queries", "none · averaged", "de", "8"),
        ("deepwordbug, 10 queries, entities protected", "none", "de", "8"),
        ("deepwordbug, 10 queries", "none", "de (context en)", "8"),
    }


def test_attacks_are_drawn_over_edits_too_and_success_over_edits_and_budget(summary: Summary, tmp_path: Path) -> None:
    def row(language: str, seed: int, left: float, broken: float | None, **more: Any) -> dict[str, Any]:
        success = None if broken is None else json.dumps([[0.1, broken], [1.0, broken + 20]])
        return {
            **dict.fromkeys(ATTACKED_COLUMNS),
            "route": "none",
            "defence": "none",
            "selection": "english",
            "protection": "none",
            "context_language": "",
            "target": "xnli",
            "attack": "deepwordbug",
            "budget": 5,
            "cells": "a",
            "passes_median": 4.0,
            "language": language,
            "pipeline_seed": seed,
            "n": 8,
            "before": 75.0,
            "after": left,
            "passes_90": 5.0,
            "over_edit_rate": json.dumps([[0.1, left + 10], [1.0, left]]),
            "success_over_edit_rate": success,
            "success_over_budget": success and json.dumps([[1, broken], [5, broken + 20]]),
            "control_over_edit_rate": json.dumps([[0.1, 75.0], [1.0, left]]) if broken == 40.0 else None,
            **more,
        }

    rows = [row("de", 1, 20.0, 40.0), row("sw", 1, 30.0, 60.0), row("de", 2, 40.0, 50.0)]
    tagged = row("de", 1, 50.0, None, target="panx")
    attacked = pl.DataFrame([*rows, tagged], schema=ATTACKED_COLUMNS)
    means = mean_edit_points(edit_points(attacked))
    at = {(r["panel"], r["curve"], r["at"]): r for r in means.filter(~pl.col("control")).iter_rows(named=True)}
    draws = means.filter(pl.col("control"))
    assert draws.select("curve", "at", "value", "n").rows() == [
        ("over_edit_rate", at_most, left, 8) for at_most, left in ((0.0, 75.0), (0.1, 75.0), (1.0, 20.0))
    ]
    # Languages first, then seeds: ((20 + 30) / 2 + 40) / 2 and ((40 + 60) / 2 + 50) / 2
    assert at["xnli, deepwordbug", "over_edit_rate", 1.0]["value"] == 32.5
    assert at["xnli, deepwordbug", "over_edit_rate", 0.1]["value"] == 42.5
    assert at["xnli, deepwordbug", "over_edit_rate", 0.0]["value"] == 75.0
    assert at["xnli, deepwordbug", "success_over_edit_rate", 0.1]["value"] == 50.0
    assert at["xnli, deepwordbug", "success_over_budget", 5.0]["value"] == 70.0
    assert at["xnli, deepwordbug", "success_over_budget", 0.0]["value"] == 0.0
    first = at["xnli, deepwordbug", "success_over_budget", 1.0]
    assert (first["n"], first["seeds"], first["language"]) == (24, 2, "de sw")  # of all languages and seeds
    assert {c for p, c, _ in at if p.startswith("panx")} == {"over_edit_rate"}
    content = replace(full(summary), attacked=attacked)
    path = write_report(tmp_path / "report.html", content)
    points = pl.read_csv(tmp_path / "figures" / "attacks-edits.csv")
    assert len(points) == 3 * 9 + 3 + 3
    assert "stroke-dasharray" in (tmp_path / "figures" / "attacks-edits.svg").read_text(encoding="utf-8")
    svg = (tmp_path / "figures" / "attacks-edits.svg").read_text(encoding="utf-8")
    titles = sorted(re.findall(r">([^<]+, by [^<]+)<", svg))
    assert titles == ["A′, by edits a word"] * 2 + ["success in %, by edits a word", "success in %, by queries"]
    assert svg.count('fill="none" stroke=') == 5  # one system: a curve each, one of draws
    assert (svg.count(">xnli, deepwordbug<"), svg.count(">panx, deepwordbug<")) == (3, 1)  # what each panel is of
    assert "fill-opacity" not in re.sub("<text[^>]*>", "", svg)
    assert "Without intervals: these runs kept no sums by cluster" in path.read_text(encoding="utf-8")
    (table,) = attacked_tables(content)
    cells = dict(zip((c.title for c in table.columns), table.rows[0], strict=True))
    assert cells["unique passes"] == "4 / 5"
    assert "Success exists for kinds with a right and a wrong" in path.read_text(encoding="utf-8")
    # Without success in any attack every panel follows the last.
    (only,) = edits_figure(pl.DataFrame([tagged, {**tagged, "target": "udpos"}], schema=ATTACKED_COLUMNS), ["none"])
    assert only.svg.count(">A′, by edits a word<") == 2
    assert 'width="500"' in only.svg
    assert edits_figure(pl.DataFrame(schema=ATTACKED_COLUMNS), ["none"]) == ()


def test_curves_have_the_intervals_of_their_points_as_bands_and_in_their_data(summary: Summary, tmp_path: Path) -> None:
    curves = full(summary).curves.with_columns(pl.lit(1, pl.Int64).alias("pipeline_seed"))

    def sums_of(seed: int, control: bool, right: Sequence[int]) -> dict[str, Any]:
        """Eight items in as many clusters, of which so many are right at 0 and at 10 queries."""
        sums = [float(x) for n in right for i in range(8) for x in (i < n, 1)]
        names = {"route": "none", "defence": "none", "target": "xnli", "language": "de", "selection": "english"}
        more = {"context_language": "", "protection": "none", "pipeline_seed": seed, "budget": 10, "n": 8}
        curve = {"curve": "over_budget", "statistic": "accuracy", "cell": f"{seed}", "given": False, "at": [0.0, 10.0]}
        attack = {"attack": "deepwordbug.random" if control else "deepwordbug", "control": control}
        return {**names, **more, **curve, **attack, "clusters": [f"c{i}" for i in range(8)], "sums": sums}

    rows = [sums_of(1, False, (6, 2)), sums_of(1, True, (6, 4))]
    content = replace(full(summary), curves=curves, curve_sums=pl.DataFrame(rows, schema=CURVE_SUM_COLUMNS))
    page = html.unescape(write_report(tmp_path / "report.html", content).read_text(encoding="utf-8"))
    data = pl.read_csv(tmp_path / "figures" / "attacks.csv")
    assert data["score"].to_list() == [75.0, 25.0, 75.0, 50.0]
    # Of 6 of 8: a standard error of sqrt(.75 × .25 / 7), and Student's t with 7 degrees of freedom.
    half = 100 * 2.3646 * (0.75 * 0.25 / 7) ** 0.5
    assert data.select("low", "high").row(0) == pytest.approx((75 - half, 100.0), abs=0.01)
    assert data.select("low", "high").row(1) == pytest.approx((0.0, 25 + half), abs=0.01)
    assert set(data["over"]) == {"items"}
    svg = (tmp_path / "figures" / "attacks.svg").read_text(encoding="utf-8")
    assert len(re.findall(r'<path d="[^"]+Z" fill="#0072B2" fill-opacity="0.1"/>', svg)) == 1  # the draws have none
    assert "Bands: 95 % intervals over items (one pipeline seed), of each point by itself." in page
    assert f"75.0 [{75 - half:.1f}, 100.0]" in page.replace("\N{NO-BREAK SPACE}", " ")
    # A second seed of a run that kept no sums: an interval over one of both would be another one's.
    both = pl.concat([curves, curves.with_columns(pl.lit(2, pl.Int64).alias("pipeline_seed"))])
    assert mean_curves(both, content.curve_sums)["low"].null_count() == 4
    # One cluster has no interval, though its sums were kept.
    lone = [
        {**row, "clusters": ["c"], "sums": [n, 8.0, m, 8.0]}
        for row, n, m in zip(rows, (6.0, 6.0), (2.0, 4.0), strict=True)
    ]
    part = attack_section(replace(content, curve_sums=pl.DataFrame(lone, schema=CURVE_SUM_COLUMNS)))
    assert "Without intervals: all items are of one text or document" in str(part)


def test_the_ink_of_a_heat_map_can_be_read_on_every_shade() -> None:
    def luminance(colour: str) -> float:
        """WCAG 2.2, relative luminance."""
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for share in range(-100, 101, 5):
        fill, ink = shade(share / 100)
        a, b = sorted((luminance(fill), luminance(ink)))
        assert (b + 0.05) / (a + 0.05) >= 4.5, share  # WCAG 2.2, 1.4.3


def test_what_nobody_can_see_is_written_out_and_long_words_are_cut() -> None:
    assert inert("a\u202eb\x00c\ud800d\u2028") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+D800⟩d⟨U+2028⟩"
    assert inert("line\nbreak\tand\u200cjoiner") == "line break and\u200cjoiner"
    cut = inert("w" * 10_000)
    assert len(cut) < 1300
    assert cut.endswith("(10,000 characters)")


def test_claims_that_the_run_has_nothing_to_test_by_are_one_line(summary: Summary) -> None:
    content = full(summary)
    file = content.claims[0]
    tested = file.judged[0]
    outside = [
        replace(tested, claim=replace(tested.claim, id=f"o{i}"), verdict="not tested", analogue=a, outside="elsewhere")
        for i, a in enumerate([None, "not tested", "supported"])
    ]
    some = claims_section(replace(content, claims=[replace(file, judged=[tested, *outside])]))
    assert some is not None
    (table,) = (part for part in some.parts if isinstance(part, TextTable))
    assert [row[0] for row in table.rows] == ["c1", "o2"]
    assert "This run has nothing to test the others by: o0, o1." in str(some.parts)
    none = claims_section(replace(content, claims=[replace(file, judged=outside[:2])]))
    assert none is not None
    assert not any(isinstance(part, TextTable) for part in none.parts)
    assert "nothing to test any of them by: o0, o1." in str(none.parts)


def test_each_text_runs_as_its_own_letters_do() -> None:
    fields = [
        ("query", "Is he here?", None),
        ("first", "هذا كتاب جديد Wi-Fi", "هذا كتبا جديد Wi-Fi"),
        ("n", "12", "13"),
    ]
    shown = shown_example(example(language="ar", fields=fields))
    assert [field.rtl for field in shown.fields] == [False, True, False]


def test_a_run_that_compares_nothing_is_answered_target_by_target(summary: Summary) -> None:
    alone = replace(summary, lines=tuple(x for x in summary.lines if x.route == "none"), contrasts=())
    page = html.unescape(render_page(ReportContent("t", alone)))
    assert '<p class="lead">pawsx, English: 80.0 [' in page
    assert "keyboard:0.1 takes 15.0 [" in page
    assert "<li>pawsx, the mean of 3 languages other than English: 55.6 [" in page
    assert "No routes are compared. Given this encoder." in page


def test_sentences_name_the_source_language_of_the_task(summary: Summary) -> None:
    targets = {x.target for x in summary.lines}
    german = replace(summary, sources=dict.fromkeys(targets, "de"))
    for shown in (german, replace(german, contrasts=())):
        texts = [html.unescape(render_page(ReportContent("t", shown))), render_terminal(shown), render_brief(shown)]
        for text in texts:
            assert "German" in text
            assert "than English" not in text
            assert "English and the" not in text
    assert replace(summary, sources={"a": "de"}).source_language(["a", "b"]) == "German or English"


def test_what_is_no_number_is_written_and_not_drawn(summary: Summary, tmp_path: Path) -> None:
    nothing = Estimate(float("nan"), None, None, note=ONE_CLUSTER)
    lines = tuple(replace(x, estimate=nothing, drop=x.drop and nothing) for x in summary.lines)
    contrasts = tuple(replace(c, estimate=nothing) for c in summary.contrasts)
    path = write_report(tmp_path / "report.html", full(replace(summary, lines=lines, contrasts=contrasts)))
    page = path.read_text(encoding="utf-8")
    assert "+nan (no interval)" in page
    assert f"not tested: {ONE_CLUSTER}" in page
    for figure in (tmp_path / "figures").glob("*.svg"):
        for element in ElementTree.parse(figure).iter():
            numbers = (v for k, v in element.attrib.items() if k in ("x", "y", "cx", "cy", "x1", "x2", "y1", "y2", "d"))
            assert not any("nan" in value for value in numbers), figure.name


def test_a_hostile_run_does_nothing_and_is_seen(summary: Summary, tmp_path: Path) -> None:
    name = HOSTILE
    lines = tuple(replace(x, route=name if x.route == "none" else x.route, target=f"t{name}") for x in summary.lines)
    contrasts = tuple(
        replace(c, systems=tuple(name for _ in c.systems), name=name, within=name if c.within else "")
        for c in summary.contrasts
    )
    wild = replace(summary, lines=lines, contrasts=contrasts)
    hostile = example(name, target=name, language="de", perturbation=name, condition=name,
                      fields=[(name, name, f"x{name}")], gold=name, said=[(name, name, name, True)])  # fmt: skip
    content = full(wild)
    content = replace(
        content, title=name, facts={name: name}, notes=[name], examples=ExampleSample([hostile], 9, [name]),
        audit=[AuditRow(name, name, None, name)], provenance=replace(content.provenance, study=name, encoder=name),
    )  # fmt: skip
    path = write_report(tmp_path / "report.html", content, latex=True)
    page = path.read_text(encoding="utf-8")
    tags = {tag for tag, _ in Elements(page).elements}
    assert tags.isdisjoint({"img", "iframe"})
    assert page.count("<script>") == page.count("</script>") == 1
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "⟨U+202E⟩⟨U+0000⟩" in page
    assert "w" * 2000 not in page
    for figure in (tmp_path / "figures").glob("*.svg"):
        ElementTree.parse(io.BytesIO(figure.read_bytes()))  # well-formed: nothing of a name is markup
        assert "w" * 500 not in figure.read_text(encoding="utf-8")
    assert len(page) < 1_000_000


def test_a_summary_without_lines_is_a_page_that_says_so(tmp_path: Path) -> None:
    path = write_report(tmp_path / "r" / "report.html", ReportContent("t", Summary(())))
    text = path.read_text(encoding="utf-8")
    assert "There are no results to show." in text
    assert "<svg" not in text
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_the_same_content_is_the_same_page(summary: Summary, page: str) -> None:
    assert render_page(full(summary)) == page


def test_rows_of_averaged_checkpoints_stand_whole_in_a_panel_of_their_own(summary: Summary) -> None:
    lines = [x for x in summary.select("language") if x.drop is not None and x.route == "none"]
    long = "codemix(embed=de,zh)"
    noisy = [replace(x, condition=replace(x.condition, perturbation=long)) for x in lines]
    averaged = [replace(x, condition=replace(x.condition, selection="averaged")) for x in noisy]
    section = heatmap_section(ReportContent("x", replace(summary, lines=(*averaged, *noisy))))
    assert section is not None
    figure = section.parts[0]
    assert isinstance(figure, Figure)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)
    assert not [text for text in texts if "…" in text]
    bold = re.findall(r'font-weight="600">([^<]*)</text>', figure.svg)
    names = [name for name in bold if "." not in name]
    assert names == [
        "pawsx", "pawsx, mean of the last checkpoints", "xnli", "xnli, mean of the last checkpoints"
    ]  # fmt: skip
    assert texts.count(f"{long}:0.1") == 4


def test_ways_of_choosing_are_said_in_words(summary: Summary) -> None:
    drop = next(c for c in summary.contrasts if c.measure == "drop" and c.kind == "difference")
    way = replace(
        drop, kind="selection", measure="everywhere", systems=("none",), name="none: averaged − english or untuned"
    )
    section = selection_section(ReportContent("x", replace(summary, contrasts=(way,))))
    assert section is not None
    said, table = section.parts
    assert isinstance(said, Prose)
    assert isinstance(table, TextTable)
    assert "`" not in said.text
    assert table.rows[0][:2] == (
        "none",
        "mean of the last checkpoints − best on source-language dev or encoder as it is",
    )
    assert "clean, all languages" in table.rows[0]
