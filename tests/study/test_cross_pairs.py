"""MLQA with questions in one language and passages in another: all pairs, apart from the same-language means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crosswind.errors import UserError
from crosswind.study.plan import make_plan
from crosswind.study.resolve import targets
from crosswind.study.spec import Study, parse_study
from crosswind.tasks.base import TASKS

LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")


def study(targets_: str, encoder: str = "x", data: str = "{source: hub}") -> Study:
    return parse_study(f"{{name: x, encoder: '{encoder}', data: {data}, routes: {{none: []}}, targets: {targets_}}}")


def pairs(targets_: str) -> list[list[tuple[str, str]]]:
    return [
        [(ref.context_language or ref.language, ref.language) for ref in target.data]
        for target in targets(study(targets_))
    ]


def test_the_same_language_pairs_and_the_42_others_are_two_targets() -> None:
    same, cross = pairs("{tasks: {mlqa: {}, mlqa-gxlt: {}}}")
    assert same == [(code, code) for code in LANGUAGES]
    assert len(cross) == len(set(cross)) == 42
    assert all(context != question for context, question in cross)
    assert set(cross) == {(a, b) for a in LANGUAGES for b in LANGUAGES if a != b}


def test_some_passages_can_be_asked_for() -> None:
    (cross,) = pairs("{tasks: {mlqa-gxlt: {languages: [de, en], contexts: [en, zh]}}}")
    assert cross == [("en", "de"), ("zh", "de"), ("zh", "en")]
    (both,) = pairs("{tasks: {mlqa: {languages: [de], contexts: [de, en]}}}")
    assert both == [("de", "de"), ("en", "de")]
    with pytest.raises(UserError, match="'fr'"):
        pairs("{tasks: {mlqa: {languages: [de], contexts: [fr]}}}")
    with pytest.raises(UserError, match="the passages of 'xquad' are in the language of their questions"):
        pairs("{tasks: {xquad: {languages: [de], contexts: [en]}}}")


def test_every_pair_has_a_cell_of_its_own_file(official_data: Callable[..., Path], tiny_encoder: Path) -> None:
    root = official_data("mlqa")
    text = "{tasks: {mlqa-gxlt: {split: dev, languages: [de, es], contexts: [en], train: [{tasks: [tydiqa]}]}}}"
    official_data("tydiqa")
    plan = make_plan(study(text, str(tiny_encoder), f"{{source: files, root: {root}}}"))
    assert [cell.data.name for cell in plan.cells] == [
        "mlqa-gxlt/context-en-question-de/dev",
        "mlqa-gxlt/context-en-question-es/dev",
    ]
    assert len({cell.key for cell in plan.cells}) == 2


def test_lareqa_reads_queries_of_96_and_answers_of_256_tokens_in_training_and_in_the_pool() -> None:
    (lareqa,) = targets(study("{tasks: {lareqa: {languages: [de]}}}"))
    trained = lareqa.chain[0].effective()
    assert (trained.query_length, trained.max_length) == (96, 256)
    assert (lareqa.max_length, TASKS["lareqa"].query_length) == (256, 96)
    (untuned,) = targets(study("{tasks: {lareqa: {languages: [de], train: []}}}"))
    assert untuned.max_length == 256
    (longer,) = targets(study("{tasks: {lareqa: {languages: [de], train: [], training: {max_length: 300}}}}"))
    assert longer.max_length == 300
