"""References to data, and the process's library of data sets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from crosswind.data.examples import Candidate, Dataset, Pool, QueryExample
from crosswind.data.source import open_source
from crosswind.errors import UserError
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load
from crosswind.tasks.refs import DataRef, Library

MICROWORLD = {"source": "microworld", "seed": 1}
MLQA = DataRef("mlqa", "es", "dev", context_language="de")


def squad(*entries: tuple[str, str, str]) -> str:
    """A SQuAD file of paragraphs of one question: (id, question, context); the answer is the first word."""
    paragraphs = [
        {
            "context": context,
            "qas": [{"id": name, "question": text, "answers": [{"text": context.split()[0], "answer_start": 0}]}],
        }
        for name, text, context in entries
    ]
    return json.dumps({"data": [{"paragraphs": paragraphs}]})


@pytest.fixture
def mlqa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mlqa" / "MLQA_V1" / "dev"
    folder.mkdir(parents=True)
    english = [("b", "Who?", "Ann came."), ("a", "What?", "Water runs.")]
    (folder / "dev-context-en-question-en.json").write_text(squad(*english))
    (folder / "dev-context-de-question-es.json").write_text(squad(("a", "¿Qué?", "Wasser läuft.")))
    (folder / "dev-context-es-question-es.json").write_text(squad(("a", "¿Qué?", "Agua corre.")))
    # The official sizes are checked elsewhere: these files are made by hand.
    monkeypatch.setitem(TASKS["mlqa"].counts, ("es", "dev"), 1)  # type: ignore[arg-type]
    return tmp_path


def test_passages_may_be_in_another_language_than_questions(mlqa: Path) -> None:
    source = open_source({"source": "files", "root": str(mlqa)})
    (example,) = MLQA.load(source).examples
    (same,) = replace(MLQA, context_language=None).load(source).examples
    assert (example.id, example.cluster) == (same.id, same.cluster) == ("mlqa/dev/a", "mlqa/dev/p-a")
    assert (example.language, example.context_language) == ("es", "de")  # type: ignore[union-attr]
    assert example.answer_texts == ("Wasser",)  # type: ignore[union-attr]
    assert same.context_language == "es"  # type: ignore[union-attr]
    prints = {replace(MLQA, context_language=code).fingerprint(source) for code in ("de", "es", None)}
    assert len(prints) == 2  # the question's language is the same as none


def test_a_pair_of_languages_that_is_not_there_is_an_error(mlqa: Path) -> None:
    source = open_source({"source": "files", "root": str(mlqa)})
    with pytest.raises(UserError, match="no file of mlqa dev, context vi, question es below"):
        replace(MLQA, context_language="vi").load(source)
    with pytest.raises(UserError, match="task mlqa: unknown context language 'fr'"):
        replace(MLQA, context_language="fr").load(source)
    with pytest.raises(UserError, match="the passages of 'xquad' are in the language of their questions"):
        DataRef("xquad", "de", "test", context_language="es").load(source)


def test_all_49_pairs_can_be_asked_for_and_have_names_of_their_own() -> None:
    task = TASKS["mlqa"]
    refs = [DataRef("mlqa", q, "test", context_language=c) for q in task.languages for c in task.context_languages]
    assert len({ref.name for ref in refs}) == 49
    assert MLQA.name == "mlqa/context-de-question-es/dev"
    assert DataRef("mlqa", "es", "dev", "0-9", context_language="es").name == "mlqa/es/dev[0-9]"
    # as the files of MLQA 1.0 hold
    assert task.counts["es", "de", "test"] == task.counts["de", "es", "test"] == 1776
    assert task.counts["zh", "en", "dev"] == 504


def test_a_reference_survives_json() -> None:
    refs = (MLQA, DataRef("lareqa", "de", "test", "0-9", 5, ("de", "en")), DataRef("mnli", "en", "train", made="de"))
    for ref in refs:
        assert DataRef.from_json(json.loads(json.dumps(ref.to_json()))) == ref
    assert "context_language" not in refs[1].to_json()


def test_a_reference_knows_its_size_without_reading() -> None:
    assert DataRef("xnli", "sw", "test").size == 5010
    assert DataRef("xnli", "sw", "test", "0-9", 7).size == 7
    assert DataRef("mlqa", "es", "test", context_language="de").size == 1776
    assert DataRef("mlqa", "es", "test", context_language="es").size == 5253
    assert DataRef("mlqa", "es", "test", context_language="zh").size is None
    assert DataRef("mnli", "de", "train", made="translated").size == 392702  # of about the size of its source


def made() -> Dataset:
    queries = tuple(QueryExample(f"q{i}", f"c{i}", "de", "text", (f"a{i}",)) for i in range(3))
    pool = Pool(tuple(Candidate(f"a{i}", "de", "text", cluster=f"c{i}") for i in range(3)))
    return Dataset("lareqa", "de", "test", queries, pool, "made")


def test_made_data_come_from_the_step_that_made_them_and_are_selected_likewise() -> None:
    library = Library(MICROWORLD)
    ref = DataRef("lareqa", "de", "test", made="translated")
    assert library.dataset(ref, {"translated": made()}) == made()
    part = library.dataset(replace(ref, rows="1-2"), {"translated": made()})
    assert [e.id for e in part] == ["q1", "q2"]
    assert part.pool is not None
    assert [c.id for c in part.pool.candidates] == ["a1", "a2"]
    with pytest.raises(UserError, match="unknown made data set 'translated'\n  did you mean 'translate'"):
        library.dataset(ref, {"translate": made()})
    with pytest.raises(UserError, match="is made by a step"):
        ref.fingerprint(library.source)
    assert ref.name == "lareqa/de/test:translated"


def test_the_library_keeps_what_was_used_last_within_its_bound() -> None:
    library = Library(MICROWORLD, held=25)
    refs = [DataRef("mw-nli", "en", "dev", f"0-{n}") for n in (9, 10, 11)]
    first = library.dataset(refs[0])
    library.dataset(refs[1])
    assert library.dataset(refs[0]) is first
    library.dataset(refs[2])  # 10 + 12 stay: 11 was used longer ago
    assert library.dataset(refs[0]) is first
    large = DataRef("mw-nli", "en", "dev", "0-49")
    assert library.dataset(large) is library.dataset(large)  # the last one always stays
    assert library.dataset(refs[0]) is not first


def test_threads_may_share_a_library() -> None:
    library = Library(MICROWORLD, held=25)
    sizes: list[Any] = []

    def read(n: int) -> None:
        sizes.append((n, len(library.dataset(DataRef("mw-pos", "en", "dev", f"0-{n}")))))

    threads = [Thread(target=read, args=(n % 5,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sizes) == sorted((n % 5, n % 5 + 1) for n in range(20))


def test_a_selection_is_a_part_of_the_split() -> None:
    source = open_source(MICROWORLD)
    whole = load(TASKS["mw-nli"], "en", "dev", source)
    assert DataRef("mw-nli", "en", "dev", "3-5").load(source).examples == whole.examples[3:6]
