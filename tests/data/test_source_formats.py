from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.answers import BadAnswers, placed_gold
from crosswind.data.examples import Candidate, QueryExample, Rows, Span, SpanExample
from crosswind.data.records import label_table, labelled_table, tsv_records, tsv_with_header
from crosswind.data.retrieval import read_line_pairs, read_xquad_r, sentence_borders, squad_to_retrieval
from crosswind.data.source import Content
from crosswind.data.squad import Paragraph, Question, hub_squad, read_squad, span_content
from crosswind.data.tagging import read_conllu, read_tagged
from crosswind.data.text import monolingual, read_parallel, read_text
from crosswind.errors import UserError
from crosswind.evaluate.metrics.squad import SQUAD_METRIC


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


@pytest.mark.parametrize("text", ["der\nHund\n\nja\n", "der\t\nHund\t\n\nja\t\n"])
def test_tokens_without_tags_are_unlabelled_sentences(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "test-de.tsv", text)
    assert list(read_tagged(path, ("DET",))) == [("0", ("der", "Hund"), None), ("1", ("ja",), None)]


def test_a_sentence_has_all_its_tags_or_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.tsv:2: 1 columns, expected 2"):
        list(read_tagged(write(tmp_path / "a.tsv", "der\tDET\nHund\n"), ("DET",)))
    with pytest.raises(UserError, match=r"a\.tsv:2: a tag in a sentence without tags"):
        list(read_tagged(write(tmp_path / "a.tsv", "der\nHund\tDET\n"), ("DET",)))


def conllu(*rows: tuple[str, str]) -> str:
    return "".join(f"{i}\t{word}\t_\t{tag}\t_\t_\t_\t_\t_\t_\n" for i, (word, tag) in enumerate(rows, 1)) + "\n"


def test_a_row_number_that_is_the_id_of_another_sentence_is_no_second_example(tmp_path: Path) -> None:
    text = "# sent_id = 1\n" + conllu(("a", "DET")) + conllu(("b", "_"), ("c", "_"))
    path = write(tmp_path / "a.conllu", text)
    assert list(read_conllu(path, ("DET",))) == [("1", ("a",), ("DET",)), ("row-1", ("b", "c"), None)]


def test_a_sent_id_given_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    text = "# sent_id = x\n" + conllu(("a", "DET")) + "# sent_id = x\n" + conllu(("b", "DET"))
    with pytest.raises(UserError, match=r"a\.conllu:4: the sent_id 'x' is given twice, first in line 1"):
        list(read_conllu(write(tmp_path / "a.conllu", text), ("DET",)))


# SQuAD


def squad(*questions: dict[str, object], context: str = "Ärzte sagten: 12 Tage.") -> str:
    return json.dumps({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": list(questions)}]}]})


def asked(name: str, text: str, start: int, **more: object) -> dict[str, object]:
    return {"id": name, "question": f"{name}?", "answers": [{"text": text, "answer_start": start}], **more}


def content(path: Path, bad_answers: BadAnswers = "repair") -> Content:
    return span_content(
        read_squad(path),
        "de",
        item=lambda _, q: f"c/{q.id}",
        cluster=lambda p, _: f"c/p-{p.first_id}",
        bad_answers=bad_answers,
    )


def spans(path: Path, bad_answers: BadAnswers = "repair") -> tuple[SpanExample, ...]:
    return tuple(e for e in content(path, bad_answers).examples if isinstance(e, SpanExample))


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
        spans(write(tmp_path / "a.json", squad(asked("q", text, start))), "refuse")


def test_an_answer_beside_its_offset_is_moved_to_where_its_text_stands(tmp_path: Path) -> None:
    read = content(write(tmp_path / "a.json", squad(asked("q1", "12 Tage", 15), asked("q2", "Ärzte", 0))))
    assert [e.answer_texts for e in read.examples if isinstance(e, SpanExample)] == [("12 Tage",), ("Ärzte",)]
    assert read.notes == (
        "1 of 2 questions had answers beside their offsets, which were moved to where their text stands: q1",
    )


@pytest.mark.parametrize(
    ("passage", "text", "start", "span"),
    [
        ("Der Rat tagt. Der Rat.", "Der Rat", 15, None),  # twice near by
        ("Der Rat tagt." + " x" * 80 + " Der Rat.", "Der Rat", 1, (0, 7)),  # twice, once near by
        ("Am ENDE  des\nTages", "am Ende des Tages", 3, (0, 18)),  # case and white space
        ("Cafe\u0301 Noir", "Caf\u00e9", 1, (0, 5)),  # normal form
        ("Caf\u00e9s", "Cafe", 1, None),  # a letter without its mark is another one
        ("d\u0323\u0307 a", "\u1e0d\u0307", 2, (0, 3)),  # marks of one letter
        ("Straße", "STRASSE", 2, (0, 6)),
        ("abc", " b ", 0, (1, 2)),
        ("abc", "", 0, None),
    ],
)
def test_where_the_text_of_an_answer_stands(passage: str, text: str, start: int, span: tuple[int, int] | None) -> None:
    gold = placed_gold(passage, [(text, start)], "a.json: question q", "repair")
    assert gold.spans == (() if span is None else (Span(*span),))
    assert gold.unplaced == ((text,) if span is None and text else ())


def many(*odd: dict[str, object]) -> str:
    return squad(*(asked(f"g{i}", "Ärzte", 0) for i in range(20)), *odd)


def test_an_answer_that_stands_nowhere_keeps_its_text_for_scoring_alone(tmp_path: Path) -> None:
    read = content(write(tmp_path / "a.json", many(asked("q", "zwölf", 3))))
    last = read.examples[-1]
    assert isinstance(last, SpanExample)
    assert (last.answers, last.unplaced, last.answer_texts) == ((), ("zwölf",), ("zwölf",))
    assert read.notes == (
        "1 of 21 questions have gold answers that stand nowhere in the passage, whose texts count without a place: q",
    )
    right = SQUAD_METRIC.judge([last], [{"text": "Zwölf"}], {})
    wrong = SQUAD_METRIC.judge([last], [{"text": ""}], {})
    assert (right.statistics[0].tolist(), wrong.statistics[0].tolist()) == ([1.0, 1.0, 1.0], [0.0, 0.0, 1.0])


def test_a_question_without_gold_leaves_a_labelled_set(tmp_path: Path) -> None:
    read = content(write(tmp_path / "a.json", many(asked("q", "", 0), {"id": "r", "question": "r?", "answers": []})))
    assert [e.id for e in read.examples] == [f"c/g{i}" for i in range(20)]
    assert read.notes == ("2 of 22 questions without any gold answer were left out: q, r",)


def test_a_file_is_refused_where_more_than_a_twentieth_of_its_answers_stand_nowhere(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", many(asked("q", "zwölf", 3), asked("r", "elf", 3)))
    with pytest.raises(UserError) as caught:
        content(path)
    assert caught.value.where == f"{path}: question q"
    assert "the context has 'te sa' at 3; so it is for 2 of 22 questions (9 %)" in caught.value.what
    assert "bad_answers: drop" in str(caught.value)
    read = content(path, "drop")
    assert len(read.examples) == 20
    assert read.notes == ("2 of 22 questions without any gold answer were left out: q, r",)
    with pytest.raises(UserError, match="question q: the answer is 'zwölf'"):
        content(path, "refuse")


def test_a_file_without_any_answer_is_unlabelled(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", squad(asked("q", "", 0), {"id": "r", "question": "r?"}))
    assert [e.answers for e in spans(path)] == [None, None]
    assert content(path).notes == ()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"id": ["q"], "question": "?"}, r"id of data.* is no text: \['q'\]"),
        ({"id": "q", "question": None}, "question of q is no text: None"),
        ({"question": "?"}, "id of data.* is no text: None"),
        ({"id": "q", "question": "?", "answers": [{"text": {"a": 1}, "answer_start": 0}]}, "an answer of q is no text"),
        ({"id": "q", "question": "?", "answers": [{"text": "a", "answer_start": float("inf")}]}, "is no number: inf"),
        ({"id": "q", "question": "?", "answers": [{"answer_start": 1}]}, "no 'text'"),
        ({"id": "q", "question": "?", "answers": [None]}, "not a SQuAD file"),
        ([], "not a SQuAD file"),
    ],
)
def test_a_malformed_question_is_named_by_its_place(tmp_path: Path, entry: object, message: str) -> None:
    text = squad(asked("g", "Ärzte", 0), entry)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=rf"{message}(.|\n)*\(at data\[0\]\.paragraphs\[0\]\.qas\[1\]\)"):
        read_squad(write(tmp_path / "a.json", text))


def test_unanswerable_and_unlabelled_questions_differ(tmp_path: Path) -> None:
    impossible = asked("no", "Ärzte", 0, is_impossible=True)
    stripped = asked("stripped", "", 0)  # how XTREME hides the answers of its test files
    path = write(tmp_path / "a.json", squad(impossible, stripped))
    assert [e.answers for e in spans(path)] == [(), None]


def test_a_question_id_given_twice_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", squad(asked("q", "Ärzte", 0), asked("q", "Ärzte", 0)))
    message = r"a\.json: question q: the question id 'q' is given twice: question 1 of the file has it too"
    with pytest.raises(UserError, match=message):
        spans(path)


def test_a_json_file_of_another_shape_is_no_squad_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.json: not a SQuAD file(.|\n)*paragraphs"):
        read_squad(write(tmp_path / "a.json", '{"rows": []}'))
    place = r"data\[0\]\.paragraphs\[0\]\.qas\[0\]"
    with pytest.raises(UserError, match=rf"a\.json: not a SQuAD file: .*'first' \(at {place}\)"):
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


def test_parallel_text_has_a_file_for_each_language(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b\n")
    for languages in (["en", "de"], []):
        with pytest.raises(UserError, match="1 files for"):
            read_parallel([tmp_path / "a.txt"], languages, "own")
