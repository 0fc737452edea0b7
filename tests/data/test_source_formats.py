from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.examples import Candidate, QueryExample, Rows, Span, SpanExample
from crosswind.data.records import label_table, labelled_table, tsv_records, tsv_with_header
from crosswind.data.retrieval import read_line_pairs, read_xquad_r, sentence_borders, squad_to_retrieval
from crosswind.data.source import Content
from crosswind.data.squad import Paragraph, Question, hub_squad, read_squad, span_examples
from crosswind.data.tagging import read_conllu, read_tagged
from crosswind.data.text import monolingual, read_parallel, read_text
from crosswind.errors import UserError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# Tables


def test_a_tsv_line_with_too_few_columns_names_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "dev-de.tsv", 'a\t"b\tneutral\na\tb\n')
    with pytest.raises(UserError, match=r"dev-de\.tsv:2: 2 columns, expected 3\n  compare"):
        list(tsv_records(path, "premise", "hypothesis", "label?"))
    path = write(tmp_path / "dev-de.tsv", "a\tb\n")
    assert [r.has("label") for r in tsv_records(path, "premise", "hypothesis", "label?")] == [False]


def test_quotes_in_a_tsv_are_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", 'a\t"b\n"c"\td\n')
    assert [r.values for r in tsv_records(path, "x", "y")] == [{"x": "a", "y": '"b'}, {"x": '"c"', "y": "d"}]


def test_an_unknown_label_says_where_and_what_was_meant(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "t\tneutral\nt\tentailmnet\n")
    first, second = tsv_records(path, "text", "label")
    table = label_table(("entailment", "neutral"), "-")
    assert first.label("label", table) == 1
    with pytest.raises(UserError, match=r"a\.tsv:2: unknown label 'entailmnet'\n  did you mean 'entailment'"):
        second.label("label", table)


def test_a_missing_field_lists_those_there_are(tmp_path: Path) -> None:
    record = next(iter(tsv_with_header(write(tmp_path / "a.tsv", "premise\tlabel\nx\t0\n"))))
    with pytest.raises(UserError, match=r"a\.tsv:2: no field 'hypothesis'\n.*premise, label"):
        record.text("hypothesis")


def test_short_lines_may_be_skipped_and_keep_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "q\tlabel\none\t0\nbroken\ntwo\t1\n")
    assert [(r.row, r.text("q")) for r in tsv_with_header(path, skip_short=True)] == [(0, "one"), (2, "two")]
    with pytest.raises(UserError, match=r"a\.tsv:3: 1 columns, expected 2"):
        list(tsv_with_header(path))


def test_labels_of_a_second_file_are_joined_and_must_be_as_many(tmp_path: Path) -> None:
    examples = write(tmp_path / "valid.jsonl", '{"goal": "a"}\n{"goal": "b"}\n')
    labels = write(tmp_path / "valid-labels.lst", "1\n0\n")
    assert [r.values for r in labelled_table(examples, labels, "label")] == [
        {"goal": "a", "label": "1"},
        {"goal": "b", "label": "0"},
    ]
    write(labels, "1\n")
    with pytest.raises(UserError, match=r"valid-labels\.lst:2: ends before this line, valid\.jsonl goes on"):
        list(labelled_table(examples, labels, "label"))
    write(labels, "1\n0\n1\n")
    with pytest.raises(UserError, match=r"valid\.jsonl:3: ends before this line"):
        list(labelled_table(examples, labels, "label"))


# Tagging


def test_tagged_sentences_end_at_empty_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "the\tDET\n-\tPUNCT\n\n\nend\tNOUN")
    assert list(read_tagged(path, ("DET", "PUNCT", "NOUN"))) == [
        ("0", ("the", "-"), ("DET", "PUNCT")),
        ("1", ("end",), ("NOUN",)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the\tDET\ndog\tNUON\n", r"a\.tsv:2: unknown tag 'NUON'\n  did you mean 'NOUN'"),
        ("the\tDET\ndog NOUN\n", r"a\.tsv:2: 1 columns, expected 2"),
        ("the\tDET\n\tNOUN\n", r"a\.tsv:2: an empty token"),
    ],
)
def test_a_bad_line_of_tagged_text_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        list(read_tagged(write(tmp_path / "a.tsv", text), ("DET", "NOUN")))


def test_conllu_passes_over_ranges_and_empty_nodes(tmp_path: Path) -> None:
    rest = "\t_" * 6
    text = (
        "# sent_id = s-1\n# text = zum\n"
        f"1-2\tzum\t_\t_{rest}\n1\tzu\tzu\tADP{rest}\n2\tdem\tder\tDET{rest}\n2.1\tleer\t_\tX{rest}\n\n"
        f"1\tgeht\tgehen\tVERB{rest}\n"
    )
    path = write(tmp_path / "x.conllu", text)
    assert list(read_conllu(path, ("ADP", "DET", "VERB"))) == [
        ("s-1", ("zu", "dem"), ("ADP", "DET")),
        ("1", ("geht",), ("VERB",)),
    ]
    write(path, f"1\tgeht\tgehen\tVRB{rest}\n")
    with pytest.raises(UserError, match=r"x\.conllu:1: unknown tag 'VRB'"):
        list(read_conllu(path, ("VERB",)))


# SQuAD


def squad(*questions: dict[str, object], context: str = "Ärzte sagten: 12 Tage.") -> str:
    return json.dumps({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": list(questions)}]}]})


def asked(name: str, text: str, start: int, **more: object) -> dict[str, object]:
    return {"id": name, "question": f"{name}?", "answers": [{"text": text, "answer_start": start}], **more}


def spans(path: Path) -> tuple[SpanExample, ...]:
    return span_examples(
        read_squad(path), "de", item=lambda _, q: f"c/{q.id}", cluster=lambda p, _: f"c/p-{p.first_id}"
    )


def test_squad_answers_are_spans_of_characters(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", squad(asked("q2", "12 Tage", 14), asked("q1", "Ärzte", 0)))
    first, second = spans(path)
    assert first == SpanExample(
        "c/q2", "c/p-q1", "de", "q2?", "Ärzte sagten: 12 Tage.", (Span(14, 21),), context_language="de"
    )
    assert second.answer_texts == ("Ärzte",)


@pytest.mark.parametrize(
    ("text", "start", "message"),
    [
        ("12 Tage", 15, r"a\.json: question q: the answer is '12 Tage', but the context has '2 Tage\.' at 15"),
        ("12 Tage", 20, r"a\.json: question q: the answer '12 Tage' at 20-27 lies outside the context of 22"),
        ("12 Tage", -1, r"a\.json: question q: the answer '12 Tage' at -1-6 lies outside"),
    ],
)
def test_an_answer_that_is_not_at_its_offset_is_an_error(tmp_path: Path, text: str, start: int, message: str) -> None:
    with pytest.raises(UserError, match=message + r"(.|\n)*offsets count characters"):
        spans(write(tmp_path / "a.json", squad(asked("q", text, start))))


def test_unanswerable_and_unlabelled_questions_differ(tmp_path: Path) -> None:
    impossible = asked("no", "Ärzte", 0, is_impossible=True)
    stripped = asked("stripped", "", 0)  # how XTREME hides the answers of its test files
    path = write(tmp_path / "a.json", squad(impossible, stripped))
    assert [e.answers for e in spans(path)] == [(), None]


def test_a_question_id_given_twice_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", squad(asked("q", "Ärzte", 0), asked("q", "Ärzte", 0)))
    with pytest.raises(UserError, match=r"a\.json: question q: the question id 'q' is given twice"):
        spans(path)


def test_a_json_file_of_another_shape_is_no_squad_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.json: not a SQuAD file(.|\n)*paragraphs"):
        read_squad(write(tmp_path / "a.json", '{"rows": []}'))
    with pytest.raises(UserError, match=r"a\.json: not a SQuAD file: invalid literal"):
        read_squad(write(tmp_path / "a.json", squad(asked("q", "Ann", "first"))))  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", ["0-9,9", "5,0-9", "0-99,50-60"])
def test_rows_named_twice_are_refused(rows: str) -> None:
    with pytest.raises(UserError, match=r"study\.rows: .* names rows twice"):
        Rows.parse(rows, "study.rows")
    assert Rows.parse("10-11,0").indices(12) == [10, 11, 0]


def test_hub_rows_group_into_the_paragraphs_of_the_file(tmp_path: Path) -> None:
    rows = [
        {"id": "q2", "context": "one two", "question": "a?", "answers": {"text": ["one"], "answer_start": [0]}},
        {"id": "q1", "context": "one two", "question": "b?", "answers": {"text": [], "answer_start": []}},
        {"id": "q3", "context": "three", "question": "c?", "answers": {"text": ["three"], "answer_start": [0]}},
    ]
    first, second = hub_squad(rows)
    assert (first.first_id, len(first.questions), second.first_id) == ("q1", 2, "q3")
    assert first.questions[1].impossible


# Retrieval


def test_aligned_files_must_have_equally_many_lines(tmp_path: Path) -> None:
    english, german = write(tmp_path / "t.eng", "one\ntwo\n"), write(tmp_path / "t.deu", "eins\n")
    with pytest.raises(UserError, match=r"t\.eng:2: 2 lines, but 1 in t\.deu"):
        read_line_pairs(english, german)
    write(german, "eins\n \n")
    with pytest.raises(UserError, match=r"t\.deu:2: an empty line"):
        read_line_pairs(english, german)


def test_sentences_end_at_marks_of_many_scripts() -> None:
    text = 'He said "no." Then 3.5 left! 他走了。真的？」好 क्या। हाँ'
    borders = sentence_borders(text)
    pieces = [text[a:b] for a, b in pairwise(borders)]
    assert pieces == ['He said "no." ', "Then 3.5 left! ", "他走了。", "真的？」", "好 क्या। ", "हाँ"]


@given(st.text(alphabet="ab .!?。”\n", max_size=60))
def test_sentence_borders_rise_from_zero_to_the_length(text: str) -> None:
    borders = sentence_borders(text)
    assert (borders[0], borders[-1]) == (0, len(text))
    inner = borders[:-1] if text else []
    assert inner == sorted(set(inner))


@given(st.text(alphabet="ab .!。\n", min_size=1, max_size=60), st.data())
def test_the_candidate_of_a_question_holds_its_answer(context: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(start + 1, len(context)))
    example = SpanExample("c/q", "c/p", "en", "q?", context, (Span(start, end),), context_language="en")
    made = squad_to_retrieval(Content((example,)))
    assert made.pool is not None
    (query,), (candidate,) = made.examples, made.pool.candidates
    assert isinstance(query, QueryExample)
    assert (query.id, query.cluster, query.gold) == ("c/q", "c/p", (candidate.id,))
    assert context[start:end].strip() in candidate.text
    assert candidate.context == context


def test_questions_with_one_sentence_share_a_candidate_and_unanswerable_ones_are_left_out() -> None:
    context = "Ann came. Bob left at 5 p.m. today."

    def example(name: str, *answers: Span) -> SpanExample:
        return SpanExample(f"c/{name}", "c/p", "en", f"{name}?", context, answers, context_language="en")

    made = squad_to_retrieval(Content((example("a", Span(10, 13)), example("b", Span(22, 23)), example("none"))))
    assert made.pool is not None
    assert [e.id for e in made.examples] == ["c/a", "c/b"]
    assert made.pool.candidates[0] == Candidate("c/p/10-29", "en", "Bob left at 5 p.m.", context, "c/p")
    assert len(made.pool) == 1


def test_an_answer_over_two_sentences_gets_both() -> None:
    context = "One. Two three. Four."
    example = SpanExample("c/q", "c/p", "en", "q?", context, (Span(5, 20),), context_language="en")
    made = squad_to_retrieval(Content((example,)))
    assert made.pool is not None
    assert made.pool.candidates[0].text == "Two three. Four."


def xquad_r(path: Path, context: str, breaks: str, sentences: list[str], start: int, text: str) -> Path:
    paragraph = {
        "context": context,
        "sentence_breaks": breaks,
        "sentences": repr(sentences),
        "qas": [{"id": "q", "question": f"{path.stem}?", "answers": [{"text": text, "answer_start": start}]}],
    }
    return write(path, json.dumps({"data": [{"paragraphs": [paragraph]}]}))


def test_the_gold_of_a_lareqa_query_is_the_answer_sentence_in_every_language(tmp_path: Path) -> None:
    english = xquad_r(tmp_path / "en.json", "One. Two.", "[[0, 4], [5, 9]]", ["One.", "Two."], 5, "Two")
    german = xquad_r(tmp_path / "de.json", "Zwei. Eins.", "[[0, 5], [6, 11]]", ["Zwei.", "Eins."], 0, "Zwei")
    content = read_xquad_r({"en": english, "de": german}, "de", ("de", "en"))
    (query,) = content.examples
    assert query == QueryExample(
        "squad/dev/q", "squad/dev/p-q", "de", "de?", ("squad/dev/p-q/de/0", "squad/dev/p-q/en/1")
    )
    assert content.pool is not None
    assert [(c.id, c.text, c.context) for c in content.pool.candidates] == [
        ("squad/dev/p-q/de/0", "Zwei.", "Zwei. Eins."),
        ("squad/dev/p-q/de/1", "Eins.", "Zwei. Eins."),
        ("squad/dev/p-q/en/0", "One.", "One. Two."),
        ("squad/dev/p-q/en/1", "Two.", "One. Two."),
    ]


@pytest.mark.parametrize("breaks", ["[[0, 4]]", "[[0, 4], [5", "import os"])
def test_xquad_r_without_readable_sentences_is_an_error(tmp_path: Path, breaks: str) -> None:
    path = xquad_r(tmp_path / "en.json", "One. Two.", breaks, ["One.", "Two."], 5, "Two")
    with pytest.raises(UserError, match=r"en\.json: question q: .*sentence"):
        read_xquad_r({"en": path}, "en", ("en",))


# Text


def test_a_plain_line_is_named_by_its_text_and_occurrence(tmp_path: Path) -> None:
    path = write(tmp_path / "news.txt", "same\n\nother\nsame\n")
    found = read_text(path, "news", "en")
    # first 16 hex digits of sha256("same")
    assert [line.id for line in found][::2] == ["news/0967115f2813a354-0", "news/0967115f2813a354-1"]
    assert [line.text for line in found] == ["same", "other", "same"]


def test_parallel_lines_are_aligned_or_refused(tmp_path: Path) -> None:
    english, german = write(tmp_path / "a.en", "one\n\nthree\n"), write(tmp_path / "a.de", "eins\n\ndrei\n")
    rows = read_parallel([english, german], ["en", "de"], "own", numbered=True)
    assert [(row.id, row.texts) for row in rows] == [
        ("own/0", (("en", "one"), ("de", "eins"))),
        ("own/2", (("en", "three"), ("de", "drei"))),
    ]
    assert [(line.id, line.language, line.text) for line in monolingual(rows)][1:3] == [
        ("own/2", "en", "three"),
        ("own/0", "de", "eins"),
    ]
    write(german, "eins\n\n")
    with pytest.raises(UserError, match=r"a\.de:2: ends after 2 lines, a\.en has 3"):
        read_parallel([english, german], ["en", "de"], "own")
    write(german, "eins\n\n\n")
    with pytest.raises(UserError, match=r"a\.de:3: a blank line, but a\.en has text there"):
        read_parallel([english, german], ["en", "de"], "own")


def test_paragraphs_are_named_by_their_smallest_question() -> None:
    questions = tuple(Question(name, "?", (), "x") for name in ("b", "a"))
    assert Paragraph("text", questions).first_id == "a"
