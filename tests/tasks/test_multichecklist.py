"""MultiCheckList from its template file: what the cases say, that languages share them, and how they are judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crosswind.data.checklist.cases import CASES, fill
from crosswind.data.checklist.templates import forms, read_templates, template_languages
from crosswind.data.examples import SpanExample
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.evaluate.judge import judge
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.metrics.checklist import CHECKLIST_TESTS, clean_answer
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

Official = Callable[..., Path]
TASK, METRIC = TASKS["multichecklist"], METRICS["checklist-error"]


def spans(official_data: Official, language: str) -> tuple[SpanExample, ...]:
    data = load(TASK, language, "test", FilesSource(official_data("multichecklist")))
    return tuple(e for e in data.examples if isinstance(e, SpanExample))


def test_the_file_has_fifty_languages_and_six_tests(official_data: Official) -> None:
    path = official_data("multichecklist") / "multichecklist/checklist_templates.tsv"
    assert template_languages(path) == TASK.languages
    assert len(TASK.languages) == 50
    assert tuple(read_templates(path)) == CHECKLIST_TESTS


def test_english_cases_are_contexts_crossed_with_questions(official_data: Official) -> None:
    """200 cases a test; 1, 6, 1, 4, 2 and 2 contexts with two questions each (the rows of the template file)."""
    examples = spans(official_data, "en")
    cases = Counter(e.cluster.split("/")[-1].rpartition("-")[0] for e in {e.cluster: e for e in examples}.values())
    assert cases == dict.fromkeys(CHECKLIST_TESTS, CASES)
    sizes = Counter(e.cluster.split("/")[-1].rpartition("-")[0] for e in examples)
    assert [sizes[t] // CASES for t in CHECKLIST_TESTS] == [2, 12, 2, 8, 4, 4]
    assert all(e.answers and not e.unplaced for e in examples)
    first = examples[0]
    assert (first.id, first.cluster) == ("multichecklist/test/comparisons-0/0/0", "multichecklist/test/comparisons-0")
    assert (first.context, first.question, first.answer_texts) == (
        "Edward is greater than Philip.", "Who is less great?", ("Philip",)
    )  # fmt: skip
    room = next(e for e in examples if "properties" in e.id)
    assert room.context == "There is a window in the room. The window is new and oval."
    assert (room.question, room.answer_texts) == ("What age is the window?", ("new",))


@pytest.mark.parametrize("language", ["de", "fi", "ja", "qu", "ru", "th", "tr", "zh"])
def test_languages_share_cases_and_choose_the_variant_that_fits(official_data: Official, language: str) -> None:
    english = {e.id: e for e in spans(official_data, "en")}
    examples = spans(official_data, language)
    assert {e.id for e in examples} <= english.keys()
    assert len(examples) > 0.96 * len(english)
    assert not any("{" in e.context + e.question + "".join(e.answer_texts) for e in examples)
    unplaced = Counter(e.cluster.split("/")[-1].rpartition("-")[0] for e in examples if e.unplaced)
    assert sum(unplaced.values()) < 0.1 * len(examples)


def test_a_variant_is_for_what_its_placeholders_name(official_data: Official) -> None:
    """German: "für das Projekt" beside passionate and "über das Projekt" beside happy (columns 68 and 64)."""
    tests = read_templates(official_data("multichecklist") / "multichecklist/checklist_templates.tsv")
    (row, *_) = tests["intensifiers"].of("Question")
    assert row.text("de", {"state": "passionate"}) == "Wer ist am meisten {s} für das Projekt?"
    assert row.text("de", {"state": "happy"}) == "Wer ist am meisten {s} über das Projekt?"
    assert row.text("de", {"state": "upbeat"}) is None
    assert row.text("en", {"state": "upbeat"}) == "Who is most {s} about the project?"
    animal = next(r for r in tests["animal"].of("animal") if r.english == "a dog")
    assert animal.text("ru", {"use": "{first_name} has {animal} and {vehicle}."}) == "собака"
    assert animal.text("ru", {"use": "{first_name} bought {animal}. {first_name2} bought {vehicle}."}) == "собаку"


def test_a_languages_cases_that_cannot_be_said_are_counted(official_data: Official) -> None:
    data = load(TASK, "de", "test", FilesSource(official_data("multichecklist")))
    assert any("17 of 1200 cases have no translation" in note for note in data.notes)
    assert any("names of Crosswind's own" in note for note in data.notes)
    tests = read_templates(official_data("multichecklist") / "multichecklist/checklist_templates.tsv")
    assert fill(tests, "sw").absent == 0


def test_words_have_two_forms_by_the_languages_own_comma() -> None:
    assert forms("older, old") == ("older", "old")
    assert forms("أكبر، كبير") == ("أكبر", "كبير")
    assert forms("更老，老") == ("更老", "老")
    assert forms("ဆိုဖာ တစ်ခု၊, ဆိုဖာ") == ("ဆိုဖာ တစ်ခု", "ဆိုဖာ")
    assert forms("vana") == ("vana", "vana")


def test_a_case_is_passed_where_every_answer_is_right_and_lower_is_better(official_data: Official) -> None:
    """One wrong answer fails the case of 12 questions, and half of the cases of one test fail."""
    examples = spans(official_data, "en")
    right = [{"text": e.answer_texts[0]} for e in examples]

    def scored(predictions: list[dict[str, Any]]) -> dict[str, float]:
        return METRIC.all_scores(judge(METRIC, examples, predictions, where="multichecklist").statistics)

    assert set(scored(right).values()) == {0.0}
    at = next(i for i, e in enumerate(examples) if "intensifiers" in e.id)
    one = scored([{"text": "nobody"} if i == at else p for i, p in enumerate(right)])
    assert one["error_intensifiers"] == pytest.approx(100 / CASES)
    assert one["error_rate"] == pytest.approx(100 / CASES / 6)
    half = [
        {"text": ""} if "/animal-v2-" in e.id and int(e.id.split("-v2-")[1].split("/")[0]) % 2 else p
        for e, p in zip(examples, right, strict=True)
    ]
    assert scored(half)["error_animal-v2"] == 50.0
    assert scored(half)["error_animal"] == 0.0
    assert METRIC.better == "lower"
    judged = judge(METRIC, examples, right, where="multichecklist")
    assert len(judged.ids) == 6 * CASES
    assert judged.statistics.shape == (1200, 12)


@pytest.mark.parametrize(
    ("language", "answer", "cleaned"),
    [
        ("en", "a model.", "model"),
        ("en", "the iguana", "iguana"),
        ("de", "einen Hund", "Hund"),
        ("tr", "bir köpek", "köpek"),
        ("fr", "une actrice, ", "actrice"),
        ("sw", "mbwa.", "mbwa"),
        ("pl", "„pies”", "pies"),
    ],
)
def test_answers_are_compared_without_articles(language: str, answer: str, cleaned: str) -> None:
    assert clean_answer(answer, language).strip() == cleaned


def test_damaged_and_absent_template_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file of multichecklist test, en \(templates\)") as caught:
        load(TASK, "en", "test", FilesSource(tmp_path))
    assert "google-research/xtreme, Apache 2.0" in str(caught.value.hint)
    path = tmp_path / "multichecklist" / "checklist_templates.tsv"
    path.parent.mkdir()
    for text, message in (
        ("a\tb\n", "names no columns of languages"),
        ("Field\ten\nName\tAnother test\n", "no test is called 'Another test'"),
        ("Field\ten\nName\tAnimal vs Vehicle\nContext\tx\n", "the test 'comparisons' is missing"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=message):
            load(TASK, "en", "test", FilesSource(tmp_path))


def test_questions_of_another_task_are_none_of_its_cases() -> None:
    other = SpanExample("a/b/c", "a/b/c", "en", "?", "fox", (), unplaced=("fox",))
    with pytest.raises(UserError, match="none of the six tests"):
        judge(METRIC, [other], [{"text": "fox"}], where="squad")


def test_a_case_without_an_answer_is_not_passed() -> None:
    """Predictions from elsewhere hold no text where the model left a question unanswered."""
    example = SpanExample("q", "multichecklist/test/animal-1", "en", "Which?", "fox", (), unplaced=("fox",))
    judged = judge(METRIC, [example], [{"text": None}], where="multichecklist")
    assert METRIC.all_scores(judged.statistics)["error_animal"] == 100.0
