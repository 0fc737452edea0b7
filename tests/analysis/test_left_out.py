"""Cells that are in no mean: merged, counted, told in lines."""

from dataclasses import replace

from crosswind.analysis.left_out import LEFT_OUT, LeftOut, left_out_groups, left_out_lines, left_out_table, merged

KEYBOARD = LeftOut(
    cause="not applicable",
    target="xnli",
    language="zh",
    split="test",
    reason="no layout",
    perturbation="keyboard",
    severity=0.1,
    cells=2,
)
UNCHANGED = replace(KEYBOARD, cause="unchanged", language="sr", reason="too few", changed_items=0.012)


def test_the_same_cells_are_counted_together_with_their_largest_share() -> None:
    (one,) = merged([UNCHANGED, replace(UNCHANGED, cells=1, changed_items=0.04)])
    assert (one.cells, one.changed_items) == (3, 0.04)
    assert len(merged([KEYBOARD, replace(KEYBOARD, severity=0.2), replace(KEYBOARD, language="ja")])) == 3


def test_a_line_names_languages_targets_cells_and_reason() -> None:
    parts = [KEYBOARD, replace(KEYBOARD, language="ja"), replace(KEYBOARD, target="panx", severity=0.3)]
    assert [*left_out_lines(parts)] == ["keyboard in zh, ja (xnli, panx; 6 cells): no layout"]


def test_an_unchanged_cell_is_named_with_its_severity_and_share() -> None:
    assert [*left_out_lines([UNCHANGED])] == ["keyboard:0.1 in sr (1.2 %) (xnli; 2 cells): too few"]


def test_a_cell_of_an_attack_is_named_by_the_attack_not_clean() -> None:
    attacked = replace(KEYBOARD, cause="not computed", perturbation="clean", severity=0.0, attack="deepwordbug")
    parts = merged([attacked, replace(attacked, attack="viper"), replace(attacked, attack="none")])
    assert [group.what for group in left_out_groups(parts)] == ["deepwordbug", "viper", "clean"]
    protected = replace(attacked, cause="not applicable", protection="answers")
    assert [*left_out_lines([protected])] == ["deepwordbug, answers protected in zh (xnli; 2 cells): no layout"]
    assert left_out_table([attacked])["attack"].to_list() == ["deepwordbug"]


def test_no_reason_is_dropped_without_being_counted() -> None:
    parts = [replace(KEYBOARD, reason=f"reason {i}", language=f"l{i}") for i in range(5)]
    lines = [*left_out_lines(parts, most=3)]
    assert lines[:3] == [f"keyboard in l{i} (xnli; 2 cells): reason {i}" for i in range(3)]
    assert lines[3:] == ["and 4 more cells for 2 more reasons: keyboard in l3, keyboard in l4"]


def test_the_table_has_a_row_each_and_the_groups_come_in_the_order_of_causes() -> None:
    missing = replace(KEYBOARD, cause="no data", perturbation="clean", severity=0.0, reason="none there")
    assert [group.what for group in left_out_groups([KEYBOARD, missing])] == ["everything", "keyboard"]
    frame = left_out_table([KEYBOARD, UNCHANGED])
    assert frame.schema == LEFT_OUT
    assert frame["changed_items"].to_list() == [None, 0.012]
    assert left_out_table([]).schema == LEFT_OUT
