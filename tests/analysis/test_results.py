from dataclasses import replace

import polars as pl
import pytest

from crosswind.analysis.results import (
    ROW,
    ResultRow,
    exposure,
    is_translate_train,
    read_results,
    table,
    validate_results,
    write_results,
)
from crosswind.errors import UserError

CELL = ResultRow(
    encoder="xlmr-mini",
    route="english",
    pipeline_seed=1,
    target="xnli",
    language="de",
    split="test",
    metric="accuracy",
    key="accuracy",
    score=61.5,
    n=400,
    clusters=134,
    signature="metric=accuracy|version=1",
    cell="ab12",
)


def test_results_are_read_as_they_were_written(tmp_path):
    rows = [CELL, replace(CELL, language="fr"), replace(CELL, perturbation="keyboard", severity=0.1, draw=2)]
    written = write_results(rows, tmp_path / "new" / "results.parquet")
    again = read_results(tmp_path / "new" / "results.parquet")
    assert again.equals(written)
    assert again.columns == list(ROW)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["results.parquet"]
    assert again.filter(pl.col("perturbation") == "keyboard")["severity"].to_list() == [0.1]


def test_the_order_of_rows_does_not_matter():
    rows = [replace(CELL, language=x) for x in ("zh", "ar", "de")]
    assert table(rows).equals(table(rows[::-1]))


def test_no_rows_are_a_table_too(tmp_path):
    assert write_results([], tmp_path / "r.parquet").schema == ROW


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop("route", "n"), "lack route, n"),
        (lambda t: t.with_columns(pl.lit(1).alias("score")), "score is Int32, not Float64"),
        (lambda t: t.with_columns(pl.lit(None, pl.String).alias("language")), "missing in language"),
        (lambda t: pl.concat([t, t]), "two results for english, xnli, de, clean"),
        (lambda t: t.with_columns(pl.lit("seen").alias("exposure")), "'seen' is no exposure"),
    ],
)
def test_a_table_that_is_no_table_of_results_is_refused(change, message):
    with pytest.raises(UserError, match=message):
        validate_results(change(table([CELL])))


def test_results_of_an_older_version_lack_the_realised_share(tmp_path):
    noisy = replace(CELL, perturbation="keyboard", severity=0.1, draw=1, changed_sites=0.09)
    new = table([CELL, noisy])
    assert new["changed_sites"].to_list() == [None, 0.09]
    new.drop("changed_sites").write_parquet(tmp_path / "results.parquet")
    old = read_results(tmp_path / "results.parquet")
    assert old.schema == ROW
    assert old["changed_sites"].to_list() == [None, None]
    assert old.drop("changed_sites").equals(new.drop("changed_sites"))


def test_only_a_perturbed_row_may_be_without_a_score():
    perturbed = replace(CELL, perturbation="keyboard", severity=0.1, draw=1, score=None, changed_items=0.01)
    assert table([CELL, perturbed])["score"].to_list() == [61.5, None]
    with pytest.raises(UserError, match="missing in score"):
        table([replace(CELL, score=None)])


def test_a_file_that_is_no_table_is_an_error_for_people(tmp_path):
    with pytest.raises(UserError, match="no such results"):
        read_results(tmp_path / "r.parquet")
    (tmp_path / "r.parquet").write_text("hello, this is no parquet file")
    with pytest.raises(UserError, match="not a Parquet file"):
        read_results(tmp_path / "r.parquet")


def test_only_labelled_training_on_the_task_in_the_language_is_translate_train():
    assert is_translate_train(exposure("same-task", "labelled"))
    assert is_translate_train(exposure("same-data", "labelled"))
    assert not is_translate_train(exposure("same-task", "unlabelled"))
    assert not is_translate_train(exposure("related", "labelled"))
    assert not is_translate_train(exposure("none", "unseen"))
