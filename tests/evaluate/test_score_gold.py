"""Labels and predictions that would give a score which means nothing are refused, each with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crosswind.errors import UserError
from crosswind.evaluate.score import Scores, score_folder
from crosswind.evaluate.submission import FORMATS, require_gold


def score(root: Path, file: str, gold: str, given: str, benchmark: str = "xtreme") -> Scores:
    for part, text in (("l", gold), ("p", given)):
        path = root / part / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return score_folder(root / "p", root / "l", benchmark, allow_missing=True)


def squad(**answers: Any) -> str:
    qas = [{"id": name, "question": "?", "answers": [{"text": t} for t in texts]} for name, texts in answers.items()]
    return json.dumps({"data": [{"paragraphs": [{"context": "", "qas": qas}]}]})


@pytest.mark.parametrize("task", ["xquad", "mlqa", "tydiqa"])
@pytest.mark.parametrize("texts", [[""], [" \t\n"], ["", ""], ["x", ""], ["\u3000"]])
def test_a_blank_answer_among_the_labels_is_refused(tmp_path: Path, task: str, texts: list[str]) -> None:
    """An empty prediction would be right."""
    file = f"{task}/test-en.json"
    with pytest.raises(UserError, match=r"l/.*test-en\.json: the question q2 has an answer without text\n.*empty"):
        score(tmp_path, file, squad(q1=["x"], q2=texts), '{"q1": "x", "q2": ""}')


def test_a_question_without_answer_is_none_in_a_task_that_has_such(tmp_path: Path) -> None:
    (tmp_path / "l.json").write_text(squad(q1=["x"], q2=[]), encoding="utf-8")
    (tmp_path / "p.json").write_text('{"q1": "x", "q2": ""}', encoding="utf-8")
    submitted = FORMATS["answers"].read(tmp_path / "p.json", tmp_path / "l.json", "en", ())
    require_gold(submitted, tmp_path / "l.json", unanswerable=True)
    with pytest.raises(UserError, match="the question q2 has no answer"):
        require_gold(submitted, tmp_path / "l.json", unanswerable=False)


ODD = ["nan", "x", "Hello", "00", "07", "+1", "-2", "1.0", "1e0", "0x1", "1_0", "\u0660", "\u00b2", "\uff11", "1 2"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("others", ["1", None])
def test_a_row_is_a_number_in_ascii_in_labels_and_predictions(tmp_path: Path, odd: str, others: str | None) -> None:
    """Also where both files are of one kind, so that every line would be right."""
    wrong = f"{others or odd}\n{odd}\n"
    line = 2 if others else 1
    with pytest.raises(UserError, match=rf"l/tatoeba/test-de\.tsv:{line}: .* is no number of a row"):
        score(tmp_path, "tatoeba/test-de.tsv", wrong, wrong)
    with pytest.raises(UserError, match=rf"p/tatoeba/test-de\.tsv:{line}: .* is no number of a row"):
        score(tmp_path, "tatoeba/test-de.tsv", "1\n0\n", wrong)


@pytest.mark.parametrize(("language", "last"), [("de", 999), ("jv", 204), ("te", 233)])
def test_a_row_after_the_languages_last_is_refused(tmp_path: Path, language: str, last: int) -> None:
    """Rows counted from 1 are seen by their last; the sizes are those of XTREME's Tatoeba."""
    file = f"tatoeba/test-{language}.tsv"
    right = score(tmp_path, file, f"0\n{last}\n", f"1\n{last}\n")
    assert right.tasks["tatoeba"].languages == {language: {"accuracy": 50.0}}
    assert right.tasks["tatoeba"].signature == "metric=accuracy|version=1|blank_last_lines=left_out"
    with pytest.raises(UserError, match=rf"p/.*tsv:2: there is no row {last + 1}\n.* 0 to {last}"):
        score(tmp_path, file, f"0\n{last}\n", f"1\n{last + 1}\n")
    with pytest.raises(UserError, match=rf"l/.*tsv:1: there is no row {last + 1}\n"):
        score(tmp_path, file, f"{last + 1}\n0\n", "1\n0\n")


def test_a_number_of_thousands_of_digits_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tsv:1: '9+' is no number of a row"):
        score(tmp_path, "tatoeba/test-de.tsv", "9" * 5000, "1")


@pytest.mark.parametrize(
    ("file", "text", "line", "message"),
    [
        ("xnli/test-de.tsv", "entailment\nneutral\n0\n", 3, r"'0', and 'entailment' in line 1"),
        ("xnli/test-de.tsv", "0\n1\ncontradictory\n", 3, r"'contradictory', and '0' in line 1"),
        ("pawsx/test-de.tsv", "0\nparaphrase\n0\n", 2, r"'paraphrase', and '0' in line 1"),
    ],
)
def test_a_file_of_labels_writes_names_or_numbers(
    tmp_path: Path, file: str, text: str, line: int, message: str
) -> None:
    given = "0\n1\n1\n" if file.startswith("pawsx") else "neutral\n" * 3
    with pytest.raises(UserError, match=rf"l/.*tsv:{line}: names and numbers of labels in one file: {message}"):
        score(tmp_path, file, text, given)


def test_a_file_of_predictions_writes_names_or_numbers(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"p/.*tsv:2: names and numbers of labels in one file"):
        score(tmp_path, "pawsx/test-de.tsv", "0\n1\n", "0\nparaphrase\n")


BUCC = "bucc2018/test-de.tsv"
PAIRS = "de-1\ten-7\nde-2\ten-9\n"


def test_swapped_columns_are_refused(tmp_path: Path) -> None:
    swapped = "en-7\tde-1\nen-9\tde-2\n"
    with pytest.raises(UserError, match=r"p/.*tsv: no id in the first column .*'en-7'\n.*are the columns swapped"):
        score(tmp_path, BUCC, PAIRS, swapped)
    with pytest.raises(UserError, match=r"p/.*tsv: no id in the second column .*'de-8'\n.*are the columns swapped"):
        score(tmp_path, BUCC, PAIRS, "de-1\tde-8\nde-3\tde-9\n")


def test_mined_ids_that_no_pair_of_the_labels_has_are_counted(tmp_path: Path) -> None:
    scores = score(tmp_path, BUCC, PAIRS, "de-1\ten-7\nde-3\ten-8\nde-4\ten-9\n")
    assert scores.tasks["bucc2018"].average["f1"] == pytest.approx(40.0)  # one of three, of two: 2 * 1 / (3 + 2)
    assert [note.split("test-de.tsv: ")[1] for note in scores.notes] == [
        "2 of 3 ids in the first column are in no pair of the labels: de-3, de-4",
        "1 of 3 ids in the second column are in no pair of the labels: en-8",
    ]
    assert score(tmp_path, BUCC, PAIRS, PAIRS).notes == ()


def test_blanks_around_ids_are_left_out_and_noted(tmp_path: Path) -> None:
    scores = score(tmp_path, BUCC, PAIRS, "de-1 \ten-7\nde-2\t en-9 \n")
    assert scores.tasks["bucc2018"].average["f1"] == 100.0
    assert [n.split("test-de.tsv: ")[1] for n in scores.notes] == [
        "blanks around ids are left out in 2 lines, first in line 1"
    ]
    noted = score(tmp_path, BUCC, " de-1\ten-7\r\nde-2\ten-9\r\n", PAIRS).notes
    assert [n.split("l/bucc2018/")[1] for n in noted] == [
        "test-de.tsv: blanks around ids are left out in 1 lines, first in line 1"
    ]


def test_a_file_without_a_pair_scores_zero_and_is_noted(tmp_path: Path) -> None:
    scores = score(tmp_path, BUCC, PAIRS, "")
    assert scores.tasks["bucc2018"].score == 0.0
    assert scores.notes[0].endswith("no pair is predicted")


def question(**fields: Any) -> dict[str, Any]:
    return {"data": [{"paragraphs": [{"context": "", "qas": [{"id": "q", "answers": [{"text": "x"}]} | fields]}]}]}


@pytest.mark.parametrize(
    ("gold", "message"),
    [
        ([], "an object with 'data' belongs here, not [] (the whole file)"),
        ({"q": "x"}, "there is no 'data' (the whole file)"),
        ({"data": 3}, "'data' is no list: 3 (the whole file)"),
        ({"data": {"paragraphs": []}}, "'data' is no list: {'paragraphs': []} (the whole file)"),
        ({"data": ["x"]}, "an object with 'paragraphs' belongs here, not 'x' (data[0])"),
        ({"data": [{"paragraphs": None}]}, "'paragraphs' is no list: None (data[0])"),
        ({"data": [{"paragraphs": [{"context": ""}]}]}, "there is no 'qas' (data[0].paragraphs[0])"),
        (question(id=4), "'id' is no text: 4 (data[0].paragraphs[0].qas[0])"),
        (question(answers={"text": ["x"]}), "'answers' is no list: {'text': ['x']} (data[0].paragraphs[0].qas[0])"),
        (question(answers=None), "'answers' is no list: None (data[0].paragraphs[0].qas[0])"),
        (
            question(answers=["x"]),
            "an object with 'text' belongs here, not 'x' (data[0].paragraphs[0].qas[0].answers[0])",
        ),
        (question(answers=[{"text": ["x"]}]), "'text' is no text: ['x'] (data[0].paragraphs[0].qas[0].answers[0])"),
        (question(answers=[{"text": "x"}, {}]), "there is no 'text' (data[0].paragraphs[0].qas[0].answers[1])"),
    ],
)
def test_labels_that_are_no_squad_file_are_said_in_a_sentence(tmp_path: Path, gold: Any, message: str) -> None:
    with pytest.raises(UserError) as caught:
        score(tmp_path, "xquad/test-en.json", json.dumps(gold), '{"q": "x"}')
    assert caught.value.what == f"not a SQuAD file: {message}"
    assert str(caught.value.where).endswith("l/xquad/test-en.json")
    assert "Error" not in str(caught.value)
