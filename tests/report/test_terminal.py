from crosswind.analysis.summary import Summary
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
