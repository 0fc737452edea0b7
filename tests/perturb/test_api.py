"""`crosswind.perturb`: texts, lists, examples and tables from Python."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

import crosswind
from crosswind.data.examples import (
    Candidate,
    Dataset,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.perturbation import NotApplicable
from crosswind.perturb.spec import TextScope, parse_spec

TEXT = "Does it survive a crosswind, in 1999?"
PAIR = PairExample("x/1", "x/1", "de", "Der kleine Junge liest.", "Ein Junge liest gern.", 0)
QUERY = QueryExample("q/1", "q/1", "de", "Wo liegt der Fluss?", ("c1",))
perturb: Any = crosswind.perturb


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = "import sys, crosswind; assert not any(m.startswith('crosswind.') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_text_becomes_what_the_filter_makes_of_it() -> None:
    (line,) = perturb_lines([TEXT], parse_spec("swap:0.5"), "en", draw=3)
    assert perturb(TEXT, "swap:0.5", "en", seed=3) == line != TEXT
    assert perturb(TEXT, "swap:0.5", "en", seed=4) != line
    assert perturb([TEXT, "Another one."], "swap:0.5", "en", seed=3)[0] == line
    assert "1999" in perturb(TEXT, "word-order:1", "en", constraints=["digits"])


def test_the_spelling_of_a_language_changes_nothing(tmp_path: Path) -> None:
    for spec in ("delete:0.3", "keyboard:0.3", "insert:0.3", "drop-function:0.5", "homoglyph:0.3"):
        assert {perturb(TEXT, spec, code) for code in ("en", "EN", "eng", "en-Latn", "en_US")} == {
            perturb(TEXT, spec, "en")
        }
    serbian = "Deca čitaju knjige u školi."
    assert perturb(serbian, "keyboard:0.3", "sr_latn") == perturb(serbian, "keyboard:0.3", "sr-Latn") != serbian
    assert (
        perturb(PAIR, "swap:1", "DE")
        == perturb(PAIR, "swap:1")
        == replace(perturb(replace(PAIR, language="deu"), "swap:1"), language="de")
    )
    (tmp_path / "en-de.txt").write_text("river Fluss\nold alt\n", encoding="utf-8")
    mixed = {
        perturb("the river is old", f"codemix(embed={code}):1", "en", lexicons=tmp_path) for code in ("de", "DE", "deu")
    }
    assert mixed == {"the Fluss is alt"}
    scope = TextScope("EN")
    assert parse_spec("swap:0.1").resources(scope)["language"] == "en"
    assert "language" not in parse_spec("swap:0.1").resources(TextScope("tl"))


@pytest.mark.parametrize("code", ["", "zzzz", " en"])
def test_a_language_that_is_not_registered_is_refused_by_every_perturbation(code: str) -> None:
    with pytest.raises(UserError, match=r"language: .* is no registered language code"):
        perturb(TEXT, "delete:0.3", code)


def test_a_folder_of_lexicons_that_is_not_there_is_refused_though_nothing_reads_it() -> None:
    with pytest.raises(UserError, match="lexicons: no folder of lexicons 'nowhere'"):
        perturb(TEXT, "delete:0.3", "en", lexicons="nowhere")


def test_an_example_keeps_its_kind_and_its_label() -> None:
    pair = PairExample("x/1", "x/1", "de", "Der kleine Junge liest.", "Ein Junge liest gern.", 0)
    changed = perturb(pair, "swap:1", fields=["hypothesis"])
    assert isinstance(changed, PairExample)
    assert (changed.first, changed.label) == (pair.first, 0)
    assert changed.second != pair.second
    tagged = perturb(TaggingExample("t/1", "t/1", "en", ("great", "rivers"), ("ADJ", "NOUN")), "swap:1", "en")
    assert tagged.tags == ("ADJ", "NOUN")
    assert tagged.words != ("great", "rivers")


def test_a_table_keeps_its_columns_rows_and_features() -> None:
    rows = {"text": ["great rivers run", "great rivers run", "small towns"], "n": [1, 2, 3]}
    rows["words"] = [["great", "rivers"], ["small"], []]  # type: ignore[assignment]
    table = datasets.Dataset.from_dict(rows)
    changed = perturb(table, "swap:1", "en", fields=["text", "words"])
    assert changed.features == table.features
    assert changed["n"] == rows["n"]
    assert [len(words) for words in changed["words"]] == [2, 1, 0]
    assert all(a != b for a, b in zip(changed["text"], rows["text"], strict=True))
    # The order of the rows changes nothing but where they stand.
    backwards = perturb(table.select([2, 0, 1]), "swap:1", "en", fields=["text"])
    assert backwards["text"] == [changed["text"][i] for i in (2, 0, 1)]


@pytest.mark.parametrize(
    ("data", "spec", "options", "message"),
    [
        (TEXT, "swap:0.5", {}, "the language is not named"),
        (TEXT, "swp:0.5", {"language": "en"}, "unknown perturbation 'swp'"),
        (TEXT, "swap:0.5", {"language": "en", "fields": ["text"]}, "texts have no fields"),
        (3, "swap:0.5", {"language": "en"}, "a int cannot be perturbed"),
        (datasets.Dataset.from_dict({"a": ["b"]}), "swap:0.5", {"language": "en"}, "which columns may change"),
        (
            datasets.Dataset.from_dict({"a": [1]}),
            "swap:0.5",
            {"language": "en", "fields": ["a"]},
            "row 0: 1 is no text",
        ),
        (PairExample("x", "x", "de", "a", "b", 0), "swap:0.5", {"language": "en"}, "the example is in de, not in en"),
        (PairExample("x", "x", "de", "a", "b", 0), "swap:0.5", {"fields": ["question"]}, "has no question"),
    ],
)
def test_mistakes_are_named(data: Any, spec: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        perturb(data, spec, **options)


WORDS = datasets.Dataset.from_dict(
    {"tokens": [["Angela", "Merkel", "visited", "New", "York"]], "tags": [[1, 2, 0, 5, 6]]}
)


@pytest.mark.parametrize("spec", ["drop-word:1", "repeat:1", "shuffle:1", "word-order:1", "keyboard:0.2+word-order:1"])
def test_words_in_a_column_neither_move_nor_come_nor_go_because_tags_could_not_follow(spec: str) -> None:
    with pytest.raises(UserError, match="could not follow"):
        perturb(WORDS, spec, "en", fields=["tokens"])


def test_answers_follow_their_context() -> None:
    rows = {
        "context": ["Rome lies in Italy, in the south of Europe.", "Nothing here."],
        "question": ["Where lies Rome?", "Where?"],
        "answers": [{"text": ["Italy", "Europe"], "answer_start": [13, 36]}, {"text": [], "answer_start": []}],
    }
    table = datasets.Dataset.from_dict(rows)
    for spec in ("word-order:1", "whitespace:0.4", "keyboard:0.4"):
        new = perturb(table, spec, "en", fields=["context", "question"])
        assert new.features == table.features
        assert new[0]["context"] != rows["context"][0]
        assert new[1]["answers"] == {"text": [], "answer_start": []}
        for text, start in zip(*new[0]["answers"].values(), strict=True):
            assert new[0]["context"][start : start + len(text)] == text
    kept = perturb(table, "word-order:1", "en", fields=["context"])
    assert kept["question"][:] == rows["question"]
    assert kept[0]["answers"]["text"] == ["Italy", "Europe"]
    wrong = datasets.Dataset.from_dict({"context": ["ab"], "answers": [{"text": ["b"], "answer_start": [0]}]})
    with pytest.raises(UserError, match="is not at 0 of its context") as error:
        perturb(wrong, "keyboard:0.4", "en", fields=["context"])
    assert error.value.where == "row 0"


@pytest.mark.parametrize("given", [PAIR, QUERY])
def test_what_adds_candidates_says_that_there_is_no_pool(given: Any) -> None:
    with pytest.raises(NotApplicable, match="hard-negatives changes no text: it adds candidates, and here is no pool"):
        perturb(given, "hard-negatives:1")


@pytest.mark.parametrize("seed", [-1, True, "1", 1.0, 1.5, None])
def test_a_seed_is_an_integer_from_zero(seed: object) -> None:
    with pytest.raises(UserError, match=r"^seed: .* is no number of a draw"):
        perturb(TEXT, "swap:0.5", "en", seed=seed)
    assert perturb(TEXT, "swap:0.5", "en", seed=np.int64(3)) == perturb(TEXT, "swap:0.5", "en", seed=3)


def test_one_name_stands_for_a_list_of_one() -> None:
    assert perturb(TEXT, "word-order:1", "en", constraints="digits") == perturb(
        TEXT, "word-order:1", "en", constraints=["digits"]
    )
    assert perturb(PAIR, "swap:1", fields="hypothesis") == perturb(PAIR, "swap:1", fields=["hypothesis"])


def table(**columns: list[Any]) -> Any:
    return datasets.Dataset.from_dict(columns)


READING = {"context": ["The fox ran."], "answers": [{"text": ["fox"], "answer_start": [4]}]}


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (TEXT, {"constraints": [3]}, r"constraints: \[3\] is no list of names"),
        (table(text=[TEXT]), {"fields": [3]}, r"fields: \[3\] is no list of names"),
        (TEXT, {"spec": None}, "spec: None is no perturbation"),
        (TEXT, {"language": 3}, "language: 3 is no language code"),
        (TEXT, {"lexicons": 3}, "lexicons: 3 names no folder"),
        (PAIR, {"task": 3, "language": None}, "task: 3 is no name of a task"),
        ([TEXT, None], {}, r"data\[1\]: None is no text"),
        ([PAIR], {}, r"data\[0\]: PairExample.* is no text"),
        (None, {}, "data: a NoneType cannot be perturbed"),
        (replace(PAIR, first=None), {"language": None}, "data: the first of x/1 is None, no text"),
        (table(text=[TEXT, None]), {"fields": "text"}, "row 1: None is no text, in the column 'text'"),
        (table(w=[["a"], None]), {"fields": "w"}, "row 1: None is no list of words, in the column 'w'"),
        (table(w=[["a"], ["b", None]]), {"fields": "w"}, "row 1: None is no word, in the column 'w'"),
        (table(w=[["a"], ["b", ""]]), {"fields": "w"}, "row 1: '' is no word, in the column 'w'"),
        (table(context=[None], answers=READING["answers"]), {"fields": "context"}, "row 0: None is no text"),
        (table(question=[None], **READING), {"fields": ["question", "context"]}, "row 0: None is no text"),
        (
            table(context=["The fox."], answers=[{"text": [""], "answer_start": [4]}]),
            {"fields": "context"},
            "row 0: an answer is empty",
        ),
        (table(text=[TEXT]).to_iterable_dataset(), {"fields": "text"}, "data: IterableDataset: it is streamed"),
        (
            datasets.IterableDatasetDict({"dev": table(text=[TEXT]).to_iterable_dataset()}),
            {"fields": "text"},
            "split dev, data: IterableDataset: it is streamed",
        ),
        (
            datasets.DatasetDict({"dev": table(text=[TEXT, None])}),
            {"fields": "text"},
            "split dev, row 1: None is no text",
        ),
    ],
)
def test_what_cannot_be_perturbed_is_named_with_its_place(data: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        perturb(data, **{"spec": "swap:0.5", "language": "en"} | options)


def test_every_split_of_a_data_set_is_perturbed_as_alone() -> None:
    splits = datasets.DatasetDict({"dev": table(text=[TEXT, ""]), "test": table(text=["small towns", TEXT])})
    changed = perturb(splits, "swap:0.5", "en", fields="text")
    assert isinstance(changed, datasets.DatasetDict)
    for name, split in splits.items():
        assert changed[name]["text"] == perturb(split, "swap:0.5", "en", fields="text")["text"] != split["text"]
    unread = perturb(table(question=[None], **READING), "swap:1", "en", fields="context")
    assert unread["question"] == [None]


class Filler:
    """A masked language model that knows two words."""

    def fill(self, blanks: Any, most: int) -> list[list[tuple[str, float]]]:
        return [[("cat", 0.6), ("tree", 0.4)][:most] for _ in blanks]


def equal_words(pairs: Any) -> list[float]:
    """The share of words that stay where they are, as a similarity."""
    return [sum(map(str.__eq__, a.split(), b.split())) / len(a.split()) for a, b in pairs]


def test_models_that_are_needed_are_given_by_their_roles() -> None:
    spec, given = "mlm(model=m):1", {"masked-lm": Filler()}
    text = "the dog sees a house"
    new = perturb(text, spec, "en", resolved=given)
    assert set(new.split()) <= {"cat", "tree"}
    assert perturb([text], spec, "en", resolved=given) == [new]
    table = datasets.Dataset.from_dict({"text": [text], "words": [text.split()]})
    changed = perturb(table, spec, "en", fields=["text", "words"], resolved=given)
    assert changed["text"][:] == [new]
    assert set(changed["words"][0]) <= {"cat", "tree"}
    pair = perturb(PairExample("x", "x", "en", text, text, 0), spec, fields=["premise"], resolved=given)
    assert (set(pair.first.split()) <= {"cat", "tree"}, pair.second) == (True, text)
    near = {"constraints": "similarity(model=m,least=0.6)", "resolved": given | {"similarity": equal_words}}
    kept = perturb(text, spec, "en", **near)
    assert equal_words([(text, kept)]) == [0.6]
    assert equal_words([(text, perturb(table, spec, "en", fields="text", **near)["text"][0])]) == [0.6]


def test_donors_are_given_or_are_of_the_same_data() -> None:
    towns = [f"Person {n} was born in Town{n}. No more is known." for n in range(20)]
    starts = [text.index("Town") for text in towns]
    asked = [
        SpanExample(f"q/{n}", f"p/{n}", "en", "Where?", text, (Span(start, start + len(f"Town{n}")),))
        for n, (text, start) in enumerate(zip(towns, starts, strict=True))
    ]
    data = Dataset("xquad", "en", "test", tuple(asked))
    alone = perturb(asked[0], "distract-qa:1", task="xquad", resolved={"donors": data}, fields="context")
    assert alone.context.startswith(towns[0] + " Person ")
    whole = perturb(data, "distract-qa:1", fields="context")
    assert isinstance(whole, Dataset)
    assert whole.examples[0] == alone
    answers = [{"text": [f"Town{n}"], "answer_start": [start]} for n, start in enumerate(starts)]
    rows = {"question": ["Where?"] * 20, "context": towns, "answers": answers}
    table = perturb(datasets.Dataset.from_dict(rows), "distract-qa:1", "en", fields="context")
    assert all(new.startswith(old + " Person ") for new, old in zip(table["context"], towns, strict=True))
    assert table["answers"][:] == answers
    pool = Pool(tuple(Candidate(f"c{n}", "de", f"Der Fluss Nummer{n} liegt hier.") for n in range(3)))
    queries = Dataset("tatoeba", "de", "test", (QUERY,), Pool((*pool.candidates, Candidate("c1x", "de", "Wo?"))))
    assert len(perturb(queries, "hard-negatives:1").pool) == 5


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("mlm(model=m):1", {}, "mlm needs its masked-lm, a model"),
        ("mlm(model=m):1", {"resolved": {"masked": Filler()}}, "resolved: unknown need 'masked'"),
        ("swap:1", {"resolved": {"masked-lm": Filler()}}, "resolved: nothing is needed, and 'masked-lm' is given"),
        ("mlm(model=m):1", {"resolved": {"masked-lm": "folder"}}, r"resolved\['masked-lm'\]: 'folder' is no model"),
        ("mlm(model=m):1", {"resolved": Filler()}, "resolved: .* says not what is for what"),
        ("swap:1", {"constraints": "similarity(model=m)"}, "the constraint similarity needs its similarity"),
    ],
)
def test_what_is_needed_and_not_given_is_named(spec: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        perturb(TEXT, spec, "en", **options)


def test_donors_that_are_no_data_set_are_named() -> None:
    asked = SpanExample("q", "p", "en", "Where?", "Here.", (Span(0, 4),))
    with pytest.raises(UserError, match=r"^resolved\['donors'\]: \[\] is no data set"):
        perturb(asked, "distract-qa:1", task="xquad", fields="context", resolved={"donors": []})
    with pytest.raises(UserError, match=r"^distract-qa needs its donors"):
        perturb(asked, "distract-qa:1", task="xquad", fields="context")
    with pytest.raises(UserError, match=r"^language: the data are in en, not in de"):
        perturb(Dataset("xquad", "en", "test", (asked,)), "swap:1", "de")
