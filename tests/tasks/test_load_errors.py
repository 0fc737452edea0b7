"""What a user is told who has the wrong name, the wrong folder or a damaged file."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from crosswind.data.source import open_source
from crosswind.data.sources.files import FilesSource
from crosswind.data.sources.hub import Hub
from crosswind.errors import UserError
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.declared.corpora import parallel_files, text_file
from crosswind.tasks.load import fingerprint, load, load_text


def write(root: Path, name: str, text: str) -> FilesSource:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return FilesSource(root)


def test_names_that_do_not_exist_get_a_suggestion(tmp_path: Path) -> None:
    files = FilesSource(tmp_path)
    with pytest.raises(UserError, match=r"task xnli: unknown language 'dee'\n  did you mean 'de'"):
        load(TASKS["xnli"], "dee", "dev", files)
    with pytest.raises(UserError, match=r"task xnli: unknown split 'devel'\n  did you mean 'dev'"):
        fingerprint(TASKS["xnli"], "de", "devel", files)
    with pytest.raises(UserError, match=r"task lareqa: unknown language 'ja'"):
        load(TASKS["lareqa"], "de", "test", files, pool_languages=("de", "ja"))
    with pytest.raises(UserError, match="the pool of 'xquad' has one language"):
        load(TASKS["xquad"], "de", "test", files, pool_languages=("de",))
    with pytest.raises(UserError, match=r"corpus ntrex: unknown language 'deu'\n  did you mean"):
        load_text(CORPORA["ntrex"], ["deu"], files)


@pytest.mark.parametrize("task", [t.name for t in TASKS if t.generated is None])
def test_every_task_names_the_files_it_misses(tmp_path: Path, task: str) -> None:
    declared = TASKS[task]
    for split in declared.splits:
        with pytest.raises(UserError, match=rf"no file of {task.removesuffix('-retrieval')} (.|\n)*CROSSWIND_DATA"):
            load(declared, declared.languages[0], split, FilesSource(tmp_path))


@pytest.mark.parametrize("task", [t.name for t in TASKS if t.generated is not None])
def test_a_generated_task_has_no_files_and_says_where_it_comes_from(tmp_path: Path, task: str) -> None:
    declared = TASKS[task]
    with pytest.raises(UserError, match=r"the microworld's tasks have no files\n  set data: \{source: microworld\}"):
        load(declared, declared.languages[0], declared.splits[0], FilesSource(tmp_path))


@pytest.mark.parametrize("task", TASKS.names())
def test_every_declaration_is_complete(task: str) -> None:
    declared = TASKS[task]
    assert declared.licence
    assert declared.citation
    assert declared.trains_on is None or declared.trains_on in TASKS
    assert TASKS[declared.trains_on].kind == declared.kind if declared.trains_on else declared.kind == "query"
    assert {language for *languages, _ in declared.counts for language in languages} <= set(declared.languages)
    assert {split for *_, split in declared.counts} <= set(declared.splits)
    assert declared.hub is None or set(declared.hub.splits) == set(declared.splits)
    assert declared.group not in declared.related


def test_a_split_of_the_wrong_size_is_refused(tmp_path: Path) -> None:
    files = write(tmp_path, "xnli/dev-de.tsv", "Satz\tFolge\tneutral\n" * 3)
    with pytest.raises(UserError) as caught:
        load(TASKS["xnli"], "de", "dev", files)
    assert "xnli dev, de: 3 examples found, the official split has 2490" in str(caught.value)
    assert "`rows` or `limit`" in str(caught.value)
    with pytest.raises(UserError, match="the official split has 2490"):
        load(TASKS["xnli"], "de", "dev", files, limit=1)


def test_an_empty_split_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="panx test, de: the split is empty"):
        load(TASKS["panx"], "de", "test", write(tmp_path, "panx/test-de.tsv", "\n\n"))


def test_an_unknown_label_names_file_and_line(tmp_path: Path) -> None:
    files = write(tmp_path, "xnli/dev-de.tsv", "a\tb\tneutral\na\tb\tneutrall\n")
    with pytest.raises(UserError, match=r"xnli/dev-de\.tsv:2: unknown label 'neutrall'\n  did you mean 'neutral'"):
        load(TASKS["xnli"], "de", "dev", files)


def test_an_id_given_twice_is_an_error(tmp_path: Path) -> None:
    row = {"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": 0, "idx": 7}
    files = write(tmp_path, "copa/train.en.jsonl", (json.dumps(row) + "\n") * 2)
    with pytest.raises(UserError, match=r"copa train, en \(.*\.jsonl\): two examples are called 'copa/train/7'"):
        load(TASKS["copa"], "en", "train", files)


def test_xcopa_asks_for_cause_or_effect_only(tmp_path: Path) -> None:
    row = {"premise": "p", "choice1": "a", "choice2": "b", "question": "efect", "label": 0, "idx": 0}
    files = write(tmp_path, "xcopa/data/et/val.et.jsonl", json.dumps(row) + "\n")
    with pytest.raises(UserError, match=r"val\.et\.jsonl:1: unknown question 'efect'\n  did you mean 'effect'"):
        load(TASKS["xcopa"], "et", "dev", files)


def test_a_limit_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the limit is 0"):
        load(TASKS["panx"], "de", "test", write(tmp_path, "panx/test-de.tsv", "a\tO\n"), limit=0)


def test_a_source_is_opened_from_a_study_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSWIND_DATA", raising=False)
    with pytest.raises(UserError, match=r"data\.source: unknown source 'file'\n  did you mean 'files'"):
        open_source({"source": "file"})
    with pytest.raises(UserError, match=r"data\.root: no folder of official files is named(.|\n)*CROSSWIND_DATA"):
        open_source({"source": "files"})
    with pytest.raises(UserError, match=r"data\.root: no folder"):
        open_source({"source": "files", "root": str(tmp_path / "nowhere")})
    monkeypatch.setenv("CROSSWIND_DATA", str(tmp_path))
    opened = open_source({})
    assert isinstance(opened, FilesSource)
    assert opened.files.root == tmp_path
    assert isinstance(open_source({"source": "hub"}), Hub)


def test_own_text_files_are_corpora(tmp_path: Path) -> None:
    files = write(tmp_path, "news.de.txt", "eins\nzwei\n")
    write(tmp_path, "news.en.txt", "one\ntwo\n")
    german = text_file(tmp_path / "news.de.txt", "de")
    assert [(line.language, line.text) for line in load_text(german, ["de"], files)] == [("de", "eins"), ("de", "zwei")]  # type: ignore[union-attr]
    both = parallel_files({"de": tmp_path / "news.de.txt", "en": tmp_path / "news.en.txt"}, "news")
    assert load_text(both, ["en", "de"], files)[1].texts == (("en", "two"), ("de", "zwei"))  # type: ignore[union-attr]
    with pytest.raises(UserError, match=r"absent\.txt: no such file"):
        load_text(text_file(tmp_path / "absent.txt", "de"), ["de"], files)


def test_a_compressed_file_is_read_like_the_plain_one(tmp_path: Path) -> None:
    text = "Ann\tB-PER\nkam\tO\n\n"
    plain = load(TASKS["panx"], "de", "test", write(tmp_path / "plain", "panx/test-de.tsv", text))
    packed = tmp_path / "packed" / "panx" / "test-de.tsv.xz"
    packed.parent.mkdir(parents=True)
    packed.write_bytes(lzma.compress(text.encode()))
    assert load(TASKS["panx"], "de", "test", FilesSource(tmp_path / "packed")).examples == plain.examples
    assert len(plain) == 1


def test_the_hub_reads_corpora_from_the_folder_beside_it(tmp_path: Path) -> None:
    files = write(tmp_path, "ntrex/NTREX-128/newstest2019-src.eng.txt", "one\n")
    with pytest.raises(UserError, match=r"the corpus 'ntrex' is read from files\n.*CROSSWIND_DATA"):
        load_text(CORPORA["ntrex"], ["en"], Hub())
    assert [row.id for row in load_text(CORPORA["ntrex"], ["en"], Hub(text=files))] == ["ntrex/0"]
