"""Official layouts whose files are not among the packed data, on hand-written lines of each format.

The readers are called below `load`, which would miss the official number of examples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crosswind.data.examples import ChoiceExample, PairExample, SpanExample, TaggingExample
from crosswind.data.source import Content, Portion
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.tasks.base import TASKS


def read(root: Path, task: str, language: str, split: str, files: Mapping[str, str]) -> Content:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return FilesSource(root).content(TASKS[task], Portion(language, split))


def tsv(*rows: str) -> str:
    return "".join(row.replace("|", "\t") + "\n" for row in rows)


def jsonl(*rows: Mapping[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def pairs(content: Content) -> list[tuple[str, str, str, int | None]]:
    return [(e.id, e.first, e.second, e.label) for e in content.examples if isinstance(e, PairExample)]


def choices(content: Content) -> list[ChoiceExample]:
    return [e for e in content.examples if isinstance(e, ChoiceExample)]


def test_xnli_1_0_holds_all_languages_in_one_file(tmp_path: Path) -> None:
    text = tsv(
        "language|gold_label|sentence1|sentence2|promptID",
        "ar|neutral|a1|b1|1",
        "de|entailment|p|h1|1",
        "de|contradiction|p|h2|1",
    )
    content = read(tmp_path, "xnli", "de", "test", {"XNLI-1.0/xnli.test.tsv": text})
    assert pairs(content) == [("xnli/test/0", "p", "h1", 0), ("xnli/test/1", "p", "h2", 2)]
    assert {e.cluster for e in content.examples} == {"xnli/test/p0"}


def test_translated_mnli_has_the_ids_of_mnli(tmp_path: Path) -> None:
    text = tsv("premise|hypo|label", "p1|h1|neutral", "p2|h2|contradictory")
    content = read(tmp_path, "xnli", "sw", "train", {"XNLI-MT-1.0/multinli/multinli.train.sw.tsv": text})
    assert pairs(content) == [("mnli/train/0", "p1", "h1", 1), ("mnli/train/1", "p2", "h2", 2)]
    glue = tsv("index|promptID|sentence1|sentence2|label1|gold_label", "0|9|p|h|neutral|entailment")
    english = read(tmp_path, "mnli", "en", "train", {"mnli/train.tsv": glue})
    assert pairs(english) == [("mnli/train/0", "p", "h", 0)]


def test_mnli_dev_is_matched_then_mismatched(tmp_path: Path) -> None:
    header = "index|sentence1|sentence2|gold_label"
    files = {
        "mnli/dev_matched.tsv": tsv(header, '0|a "|b|entailment'),
        "mnli/dev_mismatched.tsv": tsv(header, "0|c|d|neutral"),
    }
    content = read(tmp_path, "mnli", "en", "dev", files)
    assert pairs(content) == [("mnli/dev/0", 'a "', "b", 0), ("mnli/dev/1", "c", "d", 1)]


def test_pairs_without_a_gold_label_are_passed_over_and_keep_their_number(tmp_path: Path) -> None:
    rows = [
        {"gold_label": g, "sentence1": "p", "sentence2": f"h{i}"} for i, g in enumerate(("neutral", "-", "entailment"))
    ]
    content = read(tmp_path, "snli", "en", "train", {"snli_1.0/snli_1.0_train.jsonl": jsonl(*rows)})
    assert pairs(content) == [("snli/train/0", "p", "h0", 1), ("snli/train/2", "p", "h2", 0)]
    content = read(tmp_path, "mnli", "en", "train", {"multinli_1.0/multinli_1.0_train.jsonl": jsonl(*rows)})
    assert [e.id for e in content.examples] == ["mnli/train/0", "mnli/train/2"]


def test_anli_reads_a_round_or_all(tmp_path: Path) -> None:
    files = {
        f"anli_v1.0/R{n}/train.jsonl": jsonl({"uid": f"u{n}", "context": "c", "hypothesis": f"h{n}", "label": label})
        for n, label in ((1, "e"), (2, "n"), (3, "c"))
    }
    assert pairs(read(tmp_path, "anli", "en", "train", files)) == [
        ("anli/train/u1", "c", "h1", 0),
        ("anli/train/u2", "c", "h2", 1),
        ("anli/train/u3", "c", "h3", 2),
    ]
    assert [e.id for e in read(tmp_path, "anli", "en", "train_r2", {}).examples] == ["anli/train/u2"]


def test_broken_lines_of_qqp_are_left_out(tmp_path: Path) -> None:
    text = tsv("id|qid1|qid2|question1|question2|is_duplicate", "7|1|2|a?|b?|0", "8|3|4|cut", "9|5|6|c?|d?|1")
    content = read(tmp_path, "qqp", "en", "train", {"QQP/train.tsv": text})
    assert pairs(content) == [("qqp/train/0", "a?", "b?", 0), ("qqp/train/2", "c?", "d?", 1)]


def test_the_original_pawsx_layout_is_preferred(tmp_path: Path) -> None:
    files = {
        "pawsx/x-final/en/train.tsv": tsv("id|sentence1|sentence2|label", "5|a|b|1"),
        "pawsx/train-en.tsv": tsv("x|y|0"),
    }
    assert pairs(read(tmp_path, "pawsx", "en", "train", files)) == [("pawsx/train/0", "a", "b", 1)]


@pytest.mark.parametrize("written", ['"Die ""IPA"" hat 3."', '"""Die """"IPA"""" hat 3."""'])
def test_both_layouts_of_pawsx_are_read_to_the_same_text(tmp_path: Path, written: str) -> None:
    """`x-final` was written as CSV; XTREME's script may write it as CSV once more."""
    original = tsv("id|sentence1|sentence2|label", '1|"Die ""IPA"" hat 3."| Ohne Zeichen. |1')
    xtreme = tsv(f"{written}|Ohne Zeichen.|1")
    first = read(tmp_path / "a", "pawsx", "de", "test", {"pawsx/x-final/de/test_2k.tsv": original})
    second = read(tmp_path / "b", "pawsx", "de", "test", {"pawsx/test-de.tsv": xtreme})
    assert pairs(first) == pairs(second) == [("pawsx/test/0", '"Die ""IPA"" hat 3."', "Ohne Zeichen.", 1)]


def test_stripped_test_files_of_udpos_and_panx_are_unlabelled(tmp_path: Path) -> None:
    for task in ("udpos", "panx"):
        content = read(tmp_path, task, "de", "test", {f"{task}/test-de.tsv": "Der\nHund\n\nja\n"})
        assert [(e.words, e.tags) for e in content.examples if isinstance(e, TaggingExample)] == [
            (("Der", "Hund"), None),
            (("ja",), None),
        ]


def test_choices_of_commonsenseqa_that_are_no_objects_are_an_error(tmp_path: Path) -> None:
    row = {"id": "1", "question": {"stem": "s", "choices": ["a", "b"]}, "answerKey": "A"}
    with pytest.raises(UserError, match=r"dev_rand_split\.jsonl:1: the choices are no list of objects: \['a', 'b'\]"):
        read(tmp_path, "commonsenseqa", "en", "dev", {"commonsenseqa/dev_rand_split.jsonl": jsonl(row)})


def test_siqa_labels_count_from_one(tmp_path: Path) -> None:
    row = {"context": "c", "question": "q?", "answerA": "a", "answerB": "b", "answerC": "c"}
    files = {"socialiqa-train-dev/train.jsonl": jsonl(row, row), "socialiqa-train-dev/train-labels.lst": "3\n1\n"}
    content = read(tmp_path, "siqa", "en", "train", files)
    assert [(e.id, e.choices, e.label) for e in choices(content)] == [
        ("siqa/train/0", ("a", "b", "c"), 2),
        ("siqa/train/1", ("a", "b", "c"), 0),
    ]


def test_piqa_train_is_read_with_its_labels(tmp_path: Path) -> None:
    row = {"goal": "g", "sol1": "a", "sol2": "b"}
    files = {"physicaliqa-train-dev/train.jsonl": jsonl(row), "physicaliqa-train-dev/train-labels.lst": "1\n"}
    (example,) = choices(read(tmp_path, "piqa", "en", "train", files))
    assert (example.id, example.question, example.label) == ("piqa/train/0", "g", 1)


def test_hellaswag_and_cosmosqa_train_files(tmp_path: Path) -> None:
    row = {"ind": 4, "ctx_a": "A", "ctx_b": "b", "ctx": "A b", "endings": ["1", "2", "3", "4"], "label": 3}
    (example,) = choices(read(tmp_path, "hellaswag", "en", "train", {"hellaswag/hellaswag_train.jsonl": jsonl(row)}))
    assert (example.id, example.context, example.label) == ("hellaswag/train/0", "A b", 3)
    text = "id,context,question,answer0,answer1,answer2,answer3,label\nx,c,q,0,1,2,3,2\n"
    (example,) = choices(read(tmp_path, "cosmosqa", "en", "train", {"cosmosqa/train.csv": text}))
    assert (example.id, example.choices, example.label) == ("cosmosqa/train/x", ("0", "1", "2", "3"), 2)


def question(name: str, text: str, start: int, **more: object) -> dict[str, object]:
    return {"id": name, "question": "q?", "answers": [{"text": text, "answer_start": start}], **more}


def squad(*questions: dict[str, object], context: str) -> str:
    return json.dumps({"data": [{"paragraphs": [{"context": context, "qas": list(questions)}]}]})


def test_squad_2_shares_the_ids_of_squad_1(tmp_path: Path) -> None:
    files = {
        "squad/train-v1.1.json": squad(question("a", "Ann", 0), context="Ann came."),
        "squad/train-v2.0.json": squad(
            question("a", "Ann", 0, is_impossible=False),
            {"id": "b", "question": "why?", "answers": [], "is_impossible": True, "plausible_answers": []},
            context="Ann came.",
        ),
    }
    one = read(tmp_path, "squad", "en", "train", files).examples
    two = read(tmp_path, "squad2", "en", "train", {}).examples
    assert one == two[:1]
    assert isinstance(two[1], SpanExample)
    assert (two[1].id, two[1].answers) == ("squad/train/b", ())
    retrieval = read(tmp_path, "squad-retrieval", "en", "train", {})
    assert [(e.id, e.cluster) for e in retrieval.examples] == [("squad/train/a", "squad/train/p-a")]


def test_the_joint_tydiqa_file_is_divided_by_the_names_of_its_languages(tmp_path: Path) -> None:
    paragraphs = [
        {"context": "Eins.", "qas": [question("finnish-1-0", "Eins", 0)]},
        {"context": "One.", "qas": [question("english-1-0", "One", 0)]},
    ]
    files = {"tydiqa/tydiqa-goldp-v1.1-dev.json": json.dumps({"data": [{"paragraphs": paragraphs}]})}
    assert [e.id for e in read(tmp_path, "tydiqa", "en", "dev", files).examples] == ["tydiqa/dev/english-1-0"]
