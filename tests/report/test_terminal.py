from dataclasses import replace

from crosswind.analysis.condition import Condition
from crosswind.analysis.left_out import LeftOut
from crosswind.analysis.summary import Summary, UnchangedLine
from crosswind.report.brief import render_brief
from crosswind.report.content import ReportContent
from crosswind.report.page import render_page
from crosswind.report.terminal import render_terminal
from crosswind.report.view import blocks


def test_the_terminal_shows_each_route_clean_and_perturbed(summary):
    text = render_terminal(summary)
    assert "xnli test (accuracy, chance 33.3)" in text
    lines = text[text.index("xnli test") :].splitlines()
    clean, noisy = (next(x for x in lines if name in x) for name in ("none ", "keyboard:0.1"))
    # English: 96 of 120 clean, 78 of 120 perturbed; others, de left out: (44 + 72) / 240 and 26 / 120.
    assert "80.0 [" in clean
    assert "48.3 [" in clean
    assert "65.0 [" in noisy
    assert "15.0 [" in noisy
    assert "21.7 [" in noisy
    assert " 36.7 " in noisy  # the clean score of sw alone


def test_translate_train_languages_stand_in_a_table_of_their_own(summary):
    text = render_terminal(summary)
    assert "xnli test, translate-train" in text
    assert "pawsx test, translate-train" not in text
    assert "‡ translate-train: this route was trained" in text


def test_figures_are_never_cut_by_a_narrow_terminal(summary):
    narrow, wide = (render_terminal(summary, width=w) for w in (40, 160))
    assert "…" not in narrow
    assert narrow.count("[") == wide.count("[")


def test_colour_codes_are_written_only_when_asked_for(summary):
    assert "\x1b[" not in render_terminal(summary)
    assert "\x1b[" in render_terminal(summary, colour=True)


def test_cells_at_the_floor_are_marked_and_named(summary):
    text = render_terminal(summary)
    assert "†" in text
    assert "reaches chance" in text


def test_blocks_keep_the_order_of_targets_and_routes(summary):
    found = blocks(summary)
    assert [b.target for b in found] == ["pawsx", "xnli"]
    assert list(dict.fromkeys(r.route for r in found[0].rows)) == ["none", "multi & lingual"]
    assert [r.condition for r in found[0].rows][:2] == ["clean", "keyboard:0.1"]


def test_an_empty_summary_is_shown_as_its_legend():
    assert render_terminal(Summary(())).startswith("Points, with 95 %")


def unchanged(scope, *languages, route="none"):
    return UnchangedLine(
        encoder="mini",
        defence="none",
        route=route,
        target="xnli",
        split="test",
        key="accuracy",
        condition=Condition("diacritics", 0.2),
        scope=scope,
        languages=languages,
        changed_items=0.012,
    )


LEFT_OUT = LeftOut(
    cause="unchanged",
    target="xnli",
    language="sw",
    split="test",
    reason="fewer than 5 % of the items changed, so the scores are n/a",
    perturbation="diacritics",
    severity=0.2,
    cells=2,
    changed_items=0.012,
)


def test_the_changed_share_stands_beside_every_drop(summary):
    text = render_terminal(summary)
    header = next(line for line in text.splitlines() if "English" in line)
    assert header.split()[2:] == ["English", "drop", "changed", "others", "of", "clean", "drop", "changed"]
    assert "70/25 %" in next(line for line in text.splitlines() if "keyboard:0.1" in line)
    page = render_page(ReportContent("x", summary))
    body = page.split('<section id="summary"')[1]
    drops = sum(line.drop is not None for line in summary.lines)
    assert body.count('<td class="number">70/25 %</td>') == drops


def test_what_is_not_applicable_stands_in_table_and_report_with_its_share(summary):
    gaps = (unchanged("english", "en"), unchanged("others", "sw"), unchanged("language", "sw"))
    changed = replace(summary, unchanged=gaps, left_out=(LEFT_OUT,))
    text = render_terminal(changed, width=180)
    row = next(line for line in text.splitlines() if "diacritics:0.2" in line and "n/a" in line)
    assert row.split()[1:] == ["n/a", "1.2", "%", "n/a", "1.2", "%"]
    named = "diacritics:0.2 in sw (1.2 %) (xnli; 2 cells): fewer than 5 % of the items changed"
    for shown in (text, render_brief(changed)):
        assert "Left out: 2 cells." in shown
        assert named in " ".join(shown.split())
    page = render_page(ReportContent("x", changed))
    assert ">Cells left out</h2>" in page
    assert "2 cells are in no figure above." in page
    assert page.count('<td class="number">n/a</td>') == 2 + 2  # English and the others; score and drop of the language
    assert ">Cells left out</h2>" not in render_page(ReportContent("x", summary))


def test_a_run_ends_with_its_answer_and_a_row_a_route(summary):
    lines = [line.strip() for line in render_brief(summary).splitlines()]
    assert lines[0].startswith("Under perturbation zero-shot transfer loses")
    start = next(i for i, line in enumerate(lines) if line.startswith("route"))
    assert lines[start].split() == ["route", "clean", "perturbed", "drop", "changed"]
    rows = [line.split() for line in lines[start + 1 : start + 4] if line and "─" not in line]
    # pawsx is at its floor; of xnli's languages sw alone was perturbed and not trained on: 44 and 26 of 120.
    assert [rows[0][i] for i in (0, 1, 4, 7)] == ["none", "36.7", "21.7", "15.0"]
    assert rows[0][-2:] == ["70/25", "%"]
    assert len(lines) < 30


def test_a_run_of_one_route_ends_with_a_row_a_target(summary):
    alone = replace(summary, lines=tuple(x for x in summary.lines if x.route == "none"), contrasts=())
    lines = [line.strip() for line in render_brief(alone).splitlines()]
    rows = [line for line in lines if line.startswith(("xnli ", "pawsx "))]
    assert len(rows) == 4
    assert rows[0].split()[:4] == ["pawsx", "none", "English", "80.0"]
    assert "2 others" in rows[3]


def test_where_no_level_of_the_routes_is_compared_the_scores_are_shown_with_their_floor(summary, monkeypatch):
    """As where all routes are at the floor, and only what an attack leaves is a contrast."""
    monkeypatch.setattr("crosswind.report.brief.level_of", lambda *_: None)
    text = render_brief(summary)
    rows = [line.strip() for line in text.splitlines() if line.strip().startswith(("xnli ", "pawsx "))]
    assert len(rows) == 8
    assert any("†" in row for row in rows)
    assert all(any(c.isdigit() for c in row) for row in rows)
    assert "† at its floor (not above chance, or some language is not): nothing follows from its drops." in text


def test_what_attacks_leave_is_in_no_mean_with_noise(summary):
    alone = replace(summary, lines=tuple(x for x in summary.lines if x.route == "none"), contrasts=())
    noisy = [x for x in alone.lines if not x.condition.clean]
    attacked = tuple(
        replace(
            x,
            condition=Condition(attack=name, budget=8),
            estimate=replace(x.estimate, score=1.0),
        )
        for x in noisy
        for name in ("deepwordbug", "deepwordbug.random")
    )
    assert render_brief(replace(alone, lines=(*alone.lines, *attacked))) == render_brief(alone)


def test_the_small_table_says_what_its_intervals_are_over(summary):
    assert "95 % in brackets (one pipeline seed, intervals over items only)" in " ".join(render_brief(summary).split())
    several = tuple(
        replace(c, estimate=replace(c.estimate, basis="items and seeds", seeds=(3,))) for c in summary.contrasts
    )
    text = " ".join(render_brief(replace(summary, contrasts=several)).split())
    assert "intervals over items and 3 pipeline seeds" in text


def test_the_answer_stands_in_lines_of_one_comparison_each_the_answer_first(summary):
    lines = render_brief(summary, width=112).splitlines()
    assert lines[0].startswith("Under perturbation zero-shot transfer loses 15.0 [")
    assert lines[0].endswith("] of 36.7 points without intermediate training.")
    assert lines[1].startswith("  multi & lingual − none: clean +5.0 [")
    wrapped = lines[: lines.index("")]
    assert max(map(len, wrapped)) <= 112
    assert sum(line.startswith("  multi") for line in wrapped) == 1
    assert next(line for line in wrapped if line.startswith("(")).startswith("(xnli, other languages than English;")


def test_what_all_comparisons_have_in_common_is_said_once(summary):
    third = tuple(
        replace(
            c,
            name=c.name.replace("multi & lingual", "third"),
            systems=tuple(s.replace("multi & lingual", "third") for s in c.systems),
        )
        for c in summary.contrasts
        if "multi & lingual" in c.systems
    )
    text = " ".join(render_brief(replace(summary, contrasts=(*summary.contrasts, *third))).split())
    assert text.count("one seed: not tested") == 1
    assert "(one seed: not tested, all of these comparisons; xnli," in text
    assert "third − none: clean +5.0 [" in text


def test_nothing_in_a_summary_speaks_to_the_terminal(summary):
    evil = "x\x1b[2J\u202e"
    told = replace(
        summary,
        lines=tuple(replace(line, target=evil) for line in summary.lines),
        contrasts=tuple(replace(c, targets=(evil,), name=f"{evil}{c.name}") for c in summary.contrasts),
        notes=(evil,),
    )
    for text in (render_brief(told), render_terminal(told), render_brief(replace(told, contrasts=()))):
        assert "⟨U+001B⟩[2J⟨U+202E⟩" in text
        assert not {"\x1b", "\u202e"} & set(text)


def test_the_remark_about_items_that_all_had_right_stands_where_such_drops_do(summary):
    said = "The drop on items that all systems had right when clean is of a selection by outcome"
    assert said not in " ".join((render_brief(summary) + render_terminal(summary)).split())
    assert said not in render_page(ReportContent("x", summary))
    drop = next(c for c in summary.contrasts if c.measure == "drop" and c.kind == "difference")
    dropped = replace(drop, measure="right-drop", family="")
    page = render_page(ReportContent("x", replace(summary, contrasts=(*summary.contrasts, dropped))))
    assert page.count(said) == 1
    assert said in page.split('<section id="all-contrasts"')[1].split("</section>")[0]
