"""The official mock submission, read, written anew and scored: every layout keeps every figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crosswind.evaluate import submission
from crosswind.evaluate.benchmark import BENCHMARKS, scoring
from crosswind.evaluate.formats.lines import label_lines
from crosswind.evaluate.score import score_folder


@pytest.mark.parametrize("benchmark", ["xtreme", "xtreme-r"])
def test_a_submission_that_is_written_anew_has_the_same_scores(
    official_data: Callable[..., Path], tmp_path: Path, benchmark: str
) -> None:
    mock = official_data("xtreme-mock") / "xtreme-mock"
    declared = BENCHMARKS[benchmark]
    formats = set()
    for name in declared.tasks:
        task = scoring(declared, name)
        formats.add(task.format.name)
        for language, path in submission.languages(mock / "predictions", name).items():
            gold = submission.languages(mock / "labels", name)[language]
            submitted = task.format.read(path, gold, language, task.labels_in(language), task.aliases)
            labels: tuple[str, ...] = ()
            if task.format.name == "lines":  # the reader numbers the labels as they come
                written = [*label_lines(gold), *label_lines(path)]
                labels = tuple(dict.fromkeys(task.aliases.get(text, text) for _, text in written))
            out = tmp_path / name / f"test-{language}{task.suffix}"
            task.format.write(out, submitted.examples, submitted.predictions, labels)
    before = score_folder(mock / "predictions", mock / "labels", benchmark, allow_missing=True)
    after = score_folder(tmp_path, mock / "labels", benchmark, allow_missing=True)
    assert {*before.tasks} == {*after.tasks}
    assert after.missing == before.missing
    for name, scored in before.tasks.items():
        for language, keys in scored.languages.items():
            assert after.tasks[name].languages[language] == pytest.approx(dict(keys), abs=1e-9)
    assert after.score == pytest.approx(before.score, abs=1e-9)
    assert dict(after.groups) == pytest.approx(dict(before.groups), abs=1e-9)
    assert {"lines", "tags", "answers", "rows"} <= formats
    assert ("pairs" in formats, "links" in formats) == (benchmark == "xtreme", benchmark == "xtreme-r")
