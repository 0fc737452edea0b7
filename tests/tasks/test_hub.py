"""Hub sources on local copies in the hub's schemas: the ids are those of the official files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest

from crosswind.data.examples import PairExample, QueryExample, SpanExample, TaggingExample
from crosswind.data.source import Content, HubSource, Portion
from crosswind.data.sources.files import FilesSource
from crosswind.data.sources.hub import Hub, content_of, loaded_commits
from crosswind.errors import UserError
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.load import fingerprint, load
from crosswind.tasks.own import own_task


def at(task: str, folder: Path, **changes: Any) -> Task:
    """The task with its hub repository in a local folder."""
    declared = TASKS[task]
    assert declared.hub is not None
    return replace(declared, counts={}, hub=replace(declared.hub, repo=str(folder), **changes))


def publish(folder: Path, tables: Mapping[tuple[str, str], datasets.Dataset]) -> Path:
    """Parquet files by (configuration, split) and the card that declares them, as on the hub."""
    configs: dict[str, list[str]] = {}
    for (config, split), table in tables.items():
        path = folder / config / f"{split}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(str(path))
        configs.setdefault(config, []).append(f"  - split: {split}\n    path: {config}/{split}-*")
    card = "".join(
        f"- config_name: {name}\n  data_files:\n" + "\n".join(parts) + "\n" for name, parts in configs.items()
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{card}---\n")
    return folder


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(cache=tmp_path / "cache")


def test_xnli_rows_have_the_ids_of_the_official_file(
    tmp_path: Path, hub: Hub, official_data: Callable[..., Path]
) -> None:
    files = FilesSource(official_data("xnli"))
    examples = [e for e in load(TASKS["xnli"], "de", "dev", files).examples[:9] if isinstance(e, PairExample)]
    features = datasets.Features(
        {
            "premise": datasets.Value("string"),
            "hypothesis": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["entailment", "neutral", "contradiction"]),
        }
    )
    rows = [{"premise": e.first, "hypothesis": e.second, "label": e.label} for e in examples]
    folder = publish(tmp_path / "xnli", {("de", "validation"): datasets.Dataset.from_list(rows, features=features)})
    task = at("xnli", folder)
    data = load(task, "de", "dev", hub)
    assert list(data) == examples
    assert data.fingerprint == fingerprint(task, "de", "dev", hub) != fingerprint(task, "de", "test", hub)


def test_the_fingerprint_follows_the_content_of_the_repository(tmp_path: Path) -> None:
    table = datasets.Dataset.from_list([{"premise": "a", "hypothesis": "b", "label": 0}])
    task = at("xnli", publish(tmp_path / "xnli", {("de", "test"): table}))
    before = fingerprint(task, "de", "test", Hub(cache=tmp_path / "cache"))
    publish(tmp_path / "xnli", {("de", "test"): table.map(lambda row: {"label": 1})})
    assert fingerprint(task, "de", "test", Hub(cache=tmp_path / "cache")) != before


def test_the_versions_of_the_readers_are_part_of_the_fingerprint(tmp_path: Path, hub: Hub) -> None:
    table = datasets.Dataset.from_list([{"premise": "a", "hypothesis": "b", "label": 0}])
    task = at("xnli", publish(tmp_path / "xnli", {("de", "test"): table}))
    assert task.hub is not None
    converted = replace(task, hub=replace(task.hub, version=2))
    read = replace(task, files=replace(task.files, version=task.files.version + 1))
    prints = {fingerprint(t, "de", "test", hub) for t in (task, converted, read)}
    assert len(prints) == 3


def test_class_labels_of_words_become_tags(tmp_path: Path, hub: Hub) -> None:
    tags = datasets.ClassLabel(names=["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"])
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": datasets.List(tags)})
    table = datasets.Dataset.from_list([{"tokens": ["Ann", "kam"], "ner_tags": [1, 0]}], features=features)
    data = load(at("panx", publish(tmp_path / "wikiann", {("de", "test"): table})), "de", "test", hub)
    assert data.examples == (TaggingExample("panx/test/de-0", "panx/test/de-0", "de", ("Ann", "kam"), ("B-PER", "O")),)


def test_udpos_configurations_bear_the_names_of_languages(tmp_path: Path, hub: Hub) -> None:
    table = datasets.Dataset.from_list([{"tokens": ["Ann"], "pos_tags": ["PROPN"]}])
    task = at("udpos", publish(tmp_path / "xtreme", {("udpos.German", "test"): table}))
    assert load(task, "de", "test", hub).examples[0].id == "udpos/test/de-0"
    bad = datasets.Dataset.from_list([{"tokens": ["Ann"], "pos_tags": ["PRPN"]}])
    task = at("udpos", publish(tmp_path / "bad", {("udpos.German", "test"): bad}))
    with pytest.raises(UserError, match=r"hub row 0: unknown tag 'PRPN'\n  did you mean 'PROPN'"):
        load(task, "de", "test", hub)


def qa(name: str, context: str, text: str, start: int) -> dict[str, Any]:
    return {
        "id": name,
        "title": "",
        "context": context,
        "question": f"{name}?",
        "answers": {"text": [text], "answer_start": [start]},
    }


def test_xquad_rows_group_into_paragraphs(tmp_path: Path, hub: Hub) -> None:
    rows = [qa("q2", "Ann kam.", "Ann", 0), qa("q1", "Ann kam.", "kam", 4)]
    folder = publish(tmp_path / "xquad", {("xquad.de", "validation"): datasets.Dataset.from_list(rows)})
    data = load(at("xquad", folder), "de", "test", hub)
    assert [(e.id, e.cluster) for e in data] == [("squad/dev/q2", "squad/dev/p-q1"), ("squad/dev/q1", "squad/dev/p-q1")]
    wrong = publish(
        tmp_path / "wrong", {("xquad.de", "validation"): datasets.Dataset.from_list([qa("q", "Ann", "Bob", 0)])}
    )
    with pytest.raises(UserError, match="hub row 0: question q: the answer is 'Bob', but the context has 'Ann' at 0"):
        load(at("xquad", wrong), "de", "test", hub)


def test_mlqa_takes_its_clusters_from_the_english_configuration(tmp_path: Path, hub: Hub) -> None:
    german = [qa("b", "Zwei.", "Zwei", 0)]
    english = [qa("a", "One two.", "One", 0), qa("b", "One two.", "two", 4)]
    folder = publish(
        tmp_path / "mlqa",
        {
            ("MLQA.de.de", "validation"): datasets.Dataset.from_list(german),
            ("MLQA.en.en", "validation"): datasets.Dataset.from_list(english),
        },
    )
    (example,) = load(at("mlqa", folder), "de", "dev", hub)
    assert isinstance(example, SpanExample)
    assert (example.context, example.cluster) == ("Zwei.", "mlqa/dev/p-a")
    assert [e.id for e in load(at("mlqa", folder), "en", "dev", hub)] == ["mlqa/dev/a", "mlqa/dev/b"]


def test_mlqa_has_a_configuration_for_each_pair_of_languages(tmp_path: Path, hub: Hub) -> None:
    english = [qa("a", "One two.", "One", 0), qa("b", "One two.", "two", 4)]
    folder = publish(
        tmp_path / "mlqa",
        {
            ("MLQA.de.es", "validation"): datasets.Dataset.from_list([qa("b", "Zwei.", "Zwei", 0)]),
            ("MLQA.en.en", "validation"): datasets.Dataset.from_list(english),
        },
    )
    task = at("mlqa", folder)
    (example,) = load(replace(task, counts={}), "es", "dev", hub, context_language="de")
    assert isinstance(example, SpanExample)
    assert (example.language, example.context_language) == ("es", "de")
    assert (example.context, example.cluster) == ("Zwei.", "mlqa/dev/p-a")
    prints = {fingerprint(task, language, "dev", hub, context_language="de") for language in ("es", "de", "en")}
    assert len(prints) == 3
    with pytest.raises(UserError, match="the passages of 'xquad' are in the language of their questions"):
        fingerprint(at("xquad", folder), "es", "test", hub, context_language="de")


def test_tatoeba_configurations_bear_iso_639_3_codes(tmp_path: Path, hub: Hub) -> None:
    rows = [{"sentence1": "eins", "sentence2": "one"}, {"sentence1": "zwei", "sentence2": "two"}]
    folder = publish(tmp_path / "tatoeba", {("deu-eng", "test"): datasets.Dataset.from_list(rows)})
    data = load(at("tatoeba", folder), "de", "test", hub)
    assert data.examples[1] == QueryExample(
        "tatoeba/test/de-1", "tatoeba/test/de-1", "en", "two", ("tatoeba/test/de-1/de",)
    )
    assert data.pool is not None
    assert [c.text for c in data.pool.candidates] == ["eins", "zwei"]


def test_a_plain_repository_without_configurations_is_parquet_or_the_declaration_says_why_not(
    tmp_path: Path, hub: Hub
) -> None:
    row = qa("q", "Ann kam.", "Ann", 0)
    plain, written = tmp_path / "plain", tmp_path / "written"
    plain.mkdir()
    written.mkdir()
    datasets.Dataset.from_list([row]).to_parquet(str(plain / "train.parquet"))
    (written / "train.jsonl").write_text(json.dumps(row) + "\n")
    data = load(at("squad", plain), "en", "train", hub)
    assert ([e.id for e in data], data.notes) == (["squad/train/q"], ())
    with pytest.raises(UserError) as caught:
        load(at("squad", written), "en", "train", hub)
    assert "declared/squad.py: " in str(caught.value)
    assert "written (default, train) is kept as train.jsonl, not as Parquet: types and" in str(caught.value)
    assert "say in its `HubSource` why these may be read (`not_parquet`)" in str(caught.value)
    data = load(at("squad", written, not_parquet="it has no other files"), "en", "train", hub)
    assert [e.id for e in data] == ["squad/train/q"]
    (note,) = data.notes
    assert note.endswith(f"read from {written} (default, train): train.jsonl, no Parquet (it has no other files)")


def test_a_repository_of_ones_own_may_be_csv_which_is_noted(tmp_path: Path, hub: Hub) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "test.csv").write_text("premise,hypothesis,label\nA,B,neutral\n")
    task = own_task(
        "mine",
        {"like": "xnli", "hub": {"repo": str(folder), "splits": {"test": "test"}}, "languages": ["de"]},
        {"xnli": TASKS["xnli"]},
    )
    data = load(task, "de", "test", hub)
    assert [e.label for e in data if isinstance(e, PairExample)] == [1]
    (note,) = data.notes
    assert f"read from {folder} (default, test): test.csv, no Parquet (data of the study's own; its columns " in note


ROW = {"premise": "a", "hypothesis": "b", "label": 0}
CLASSES = "where entailment, neutral, contradiction are expected in this order"


@pytest.mark.parametrize(
    ("row", "classes", "fault"),
    [
        (ROW, ["entailment", "neutral", "contradiction"], ""),
        ({**ROW, "label": "entailment"}, None, ""),
        ({**ROW, "more": 1}, ["entailment", "neutral", "contradiction"], ""),
        (
            ROW,
            ["contradiction", "entailment", "neutral"],
            f"the column 'label' of FOLDER (de, test) has the classes contradiction, entailment, neutral, {CLASSES}",
        ),
        (ROW, None, f"the column 'label' of FOLDER (de, test) has numbers without the names of classes, {CLASSES}"),
        (
            {"premise": "a", "conclusion": "b"},
            None,
            "FOLDER (de, test) has no column 'hypothesis', 'label'; it has premise, conclusion",
        ),
    ],
)
def test_columns_and_classes_are_compared_with_the_declaration_before_a_row_is_read(
    tmp_path: Path, hub: Hub, row: dict[str, Any], classes: list[str] | None, fault: str
) -> None:
    table = datasets.Dataset.from_list([row])
    if classes is not None:
        table = table.cast_column("label", datasets.ClassLabel(names=classes))
    folder = publish(tmp_path / "xnli", {("de", "test"): table})

    def convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
        read.extend(rows)
        return TASKS["xnli"].hub.convert(read, language, split)  # type: ignore[union-attr]

    read: list[Mapping[str, Any]] = []
    task = at("xnli", folder, convert=convert)
    if not fault:
        assert [e.label for e in load(task, "de", "test", hub) if isinstance(e, PairExample)] == [0]
        return
    with pytest.raises(UserError) as caught:
        load(task, "de", "test", hub)
    assert fault.replace("FOLDER", str(folder)) in str(caught.value)
    assert "pin the commit that was checked (`revision`), or declare what it holds" in str(caught.value)
    assert read == []


def test_tags_in_another_order_are_refused(tmp_path: Path, hub: Hub) -> None:
    tags = datasets.ClassLabel(names=["O", "B-ORG", "I-ORG", "B-PER", "I-PER", "B-LOC", "I-LOC"])
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": datasets.List(tags)})
    table = datasets.Dataset.from_list([{"tokens": ["Ann"], "ner_tags": [1]}], features=features)
    folder = publish(tmp_path / "wikiann", {("de", "test"): table})
    with pytest.raises(
        UserError, match=r"has the classes O, B-ORG, I-ORG, B-PER, I-PER, .* where O, B-PER, I-PER, B-O"
    ):
        load(at("panx", folder), "de", "test", hub)


def test_every_repository_of_a_task_declares_the_columns_that_it_reads() -> None:
    sources = {task.name: task.hub for task in TASKS if task.hub is not None}
    assert len(sources) > 20
    assert [name for name, source in sources.items() if not source.columns or source.not_parquet] == []
    # Every column of classes is one of them.
    assert [n for n, s in sources.items() if not {*s.classes} <= {*s.columns}] == []
    unpinned = {source.repo for source in sources.values() if len(source.revision) != 40}
    assert unpinned == {"unimelb-nlp/wikiann", "squadshifts"}


def rows_of(task: str, language: str, split: str, *rows: Mapping[str, Any]) -> list[Any]:
    declared = TASKS[task].hub
    assert isinstance(declared, HubSource)
    return list(declared.convert(rows, language, split).examples)


# One row of each schema as the hub's data set viewer shows it, its label and its id in the official files
SCHEMAS: list[tuple[str, str, dict[str, Any], str, int | None]] = [
    ("pawsx", "dev", {"id": 1, "sentence1": "a", "sentence2": "b", "label": 1}, "pawsx/dev/0", 1),
    (
        "xcopa",
        "dev",
        {"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": 1, "idx": 4, "changed": False},
        "copa/dev/4",
        1,
    ),
    (
        "copa",
        "test",
        {"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": -1, "idx": 4},
        "copa/test/4",
        None,
    ),
    ("mnli", "dev", {"premise": "p", "hypothesis": "h", "label": "neutral", "idx": 0}, "mnli/dev/0", 1),
    ("snli", "dev", {"premise": "p", "hypothesis": "h", "label": 2}, "snli/dev/0", 2),
    ("anli", "dev_r3", {"uid": "u", "premise": "p", "hypothesis": "h", "label": 0, "reason": ""}, "anli/dev/u", 0),
    ("qqp", "dev", {"question1": "a", "question2": "b", "label": "not_duplicate", "idx": 3}, "qqp/dev/3", 0),
    (
        "commonsenseqa",
        "dev",
        {"id": "x", "question": "q", "choices": {"label": list("ABCDE"), "text": list("vwxyz")}, "answerKey": "E"},
        "commonsenseqa/dev/x",
        4,
    ),
    ("hellaswag", "dev", {"ind": 24, "ctx": "c", "endings": list("abcd"), "label": "3"}, "hellaswag/dev/0", 3),
    ("hellaswag", "test", {"ind": 24, "ctx": "c", "endings": list("abcd"), "label": ""}, "hellaswag/test/0", None),
    (
        "cosmosqa",
        "dev",
        {"id": "x", "context": "c", "question": "q", **{f"answer{n}": str(n) for n in range(4)}, "label": 2},
        "cosmosqa/dev/x",
        2,
    ),
    (
        "openbookqa",
        "dev",
        {
            "id": "8-376",
            "question_stem": "q",
            "choices": {"text": list("wxyz"), "label": list("ABCD")},
            "answerKey": "B",
        },
        "openbookqa/dev/8-376",
        1,
    ),
    ("piqa", "dev", {"goal": "g", "sol1": "a", "sol2": "b", "label": 1}, "piqa/dev/0", 1),
    (
        "siqa",
        "dev",
        {"context": "c", "question": "q", "answerA": "a", "answerB": "b", "answerC": "c", "label": "3"},
        "siqa/dev/0",
        2,
    ),
]


@pytest.mark.parametrize(("task", "split", "row", "name", "label"), SCHEMAS)
def test_each_hub_schema_gives_the_label_and_the_id_of_the_files(
    task: str, split: str, row: dict[str, Any], name: str, label: int | None
) -> None:
    (example,) = rows_of(task, TASKS[task].languages[0], split, row)
    assert (example.id, example.label) == (name, label)


def test_winogrande_ids_do_not_depend_on_the_copy(official_data: Callable[..., Path]) -> None:
    data = load(TASKS["winogrande"], "en", "dev", FilesSource(official_data("winogrande_1.1")))
    row = {
        "sentence": "Sarah was a much better surgeon than Maria so _ always got the easier cases.",
        "option1": "Sarah",
        "option2": "Maria",
        "answer": "2",
    }
    (example,) = rows_of("winogrande", "en", "dev", row)
    assert example.id == data.examples[0].id


def test_tydiqa_rows_are_divided_by_language() -> None:
    rows = [qa("finnish-1-0", "Yksi.", "Yksi", 0), qa("english-1-0", "One.", "One", 0)]
    assert [e.id for e in rows_of("tydiqa", "en", "dev", *rows)] == ["tydiqa/dev/english-1-0"]


def test_an_unreachable_repository_names_the_declaration_to_change(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError) as caught:
        load(TASKS["xnli"], "de", "dev", hub)
    text = str(caught.value)
    assert "tasks/declared/xnli.py: can't load facebook/xnli (de, validation) from the hub" in text
    assert "source: files" in text
    assert "`HubSource`" in text


def test_a_declaration_made_of_another_is_named_by_its_file(hub: Hub) -> None:
    for name, file in (("squadshifts-retrieval", "squadshifts"), ("squad2", "squad"), ("panx", "panx")):
        with pytest.raises(UserError, match=rf"tasks/declared/{file}\.py: can't load "):
            load(TASKS[name], "en", TASKS[name].splits[0], hub)


def test_a_missing_configuration_names_the_declaration_to_change(tmp_path: Path, hub: Hub) -> None:
    table = datasets.Dataset.from_list([{"premise": "a", "hypothesis": "b", "label": 0}])
    task = at("xnli", publish(tmp_path / "xnli", {("de", "test"): table}))
    with pytest.raises(UserError, match=r"tasks/declared/xnli\.py: can't load .*\(fr, test\) from the hub"):
        load(task, "fr", "test", hub)


def test_a_task_without_a_hub_source_says_so(hub: Hub) -> None:
    with pytest.raises(UserError, match=r"the task 'lareqa' has no hub source(.|\n)*source: files"):
        load(TASKS["lareqa"], "de", "test", hub)


def test_the_commit_of_a_cached_repository_is_known_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    reference = tmp_path / "datasets--facebook--xnli" / "refs" / "main"
    reference.parent.mkdir(parents=True)
    reference.write_text("0123456789abcdef0123456789abcdef01234567\n")
    declared = TASKS["xnli"].hub
    assert declared is not None
    task = replace(TASKS["xnli"], hub=replace(declared, revision="main"))
    first = fingerprint(task, "de", "dev", Hub())
    reference.write_text("f" * 40)
    assert fingerprint(task, "de", "dev", Hub()) != first
    assert fingerprint(TASKS["xnli"], "de", "dev", Hub()) not in ("", first)  # its pinned commit needs no cache


def test_the_commit_of_a_cached_table_is_read_off_its_addresses() -> None:
    sha = "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c"
    address = f"hf://datasets/nyu-mll/glue@{sha}/mnli/train-00000-of-00001.parquet"
    assert loaded_commits([address, "/local/train.parquet"]) == {sha}


# What public code that loads these repositories without scripts pins, or the pages of their commits
PINNED = {
    "xnli": "b8dd5d7af51114dbda02c0e3f6133f332186418e",
    "pawsx": "4cd8187c404bda33cb1f62b49b001115862acf37",
    "xquad": "51adfef1c1287aab1d2d91b5bead9bcfb9c68583",
    "tatoeba": "69e8f12da6e31d59addadda9a9c8a2e601a0e282",
    "copa": "3de24cf8022e94f4ee4b9d55a6f539891524d646",
    "mnli": "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
    "qqp": "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
    "snli": "cdb5c3d5eed6ead6e5a341c8e56e669bb666725b",
    "anli": "8e4813d81f46d313dac7892e1c28076917cfcdf9",
    "squad": "7b6d24c440a36b6815f21b70d25016731768db1f",
    "squad2": "3ffb306f725f7d2ce8394bc1873b24868140c412",
    "commonsenseqa": "94630fe30dad47192a8546eb75f094926d47e155",
    "openbookqa": "388097ea7776314e93a529163e0fea805b8a6454",
    "hellaswag": "218ec52e09a7e7462a5400043bb9a69a41d06b76",
    "winogrande": "01e74176c63542e6b0bcb004dcdea22d94fb67b5",
    "siqa": "54c6a1f8cb6daf4f5abf24a601852612fb35eb25",
    "piqa": "142f6d7367fd9877f0fb3b5734ea6a545f54cdd1",
    "cosmosqa": "ed50fe83db62b355759053b1cd5eef344ee371e0",
    "mlqa": "ec5f1f46e9af79639a90684a7a70a956c4998f04",
    "udpos": "ec5f1f46e9af79639a90684a7a70a956c4998f04",
    "xcopa": "042f78955ba48e6404616762fa6e05e839c3907a",
}
SCRIPTS = {"allenai/social_i_qa", "ybisk/piqa", "facebook/mlqa"}  # repositories of loading scripts alone


def test_hub_sources_pin_the_commit_that_was_checked_and_none_is_a_script() -> None:
    sources = {name: TASKS[name].hub for name in TASKS.names()}
    pinned = {name: hub.revision for name, hub in sources.items() if hub is not None and len(hub.revision) == 40}
    assert {name: pinned.get(name) for name in PINNED} == PINNED
    assert SCRIPTS.isdisjoint(hub.repo for hub in sources.values() if hub is not None)
    assert (sources["siqa"].repo, sources["piqa"].repo) == ("lighteval/siqa", "baber/piqa")  # type: ignore[union-attr]


def rows(n: int) -> Content:
    return Content(tuple(TaggingExample(str(i), str(i), "ru", ("a",), ("X",)) for i in range(n)))


def test_the_repository_of_udpos_has_counts_and_a_release_of_its_own() -> None:
    """The card of google/xtreme: UD 2.5, 11,336 Russian test sentences; the files of UD 2.7 have 8,973."""
    task = TASKS["udpos"]
    assert task.hub is not None
    assert task.hub.counts is not None
    sizes = {("en", "train"): 21253, ("el", "test"): 2809, ("et", "test"): 3760, ("ru", "test"): 11336,
             ("zh", "test"): 5528, ("tr", "test"): 4785, ("pt", "test"): 2681, ("yo", "test"): 100}  # fmt: skip
    assert {key: task.hub.counts[key] for key in sizes} == sizes
    assert (task.release, task.hub.release) == ("UD 2.7", "UD 2.5")
    commit = "0" * 40
    content = content_of(task.hub, task, Portion("ru", "test"), rows(11336), commit)
    assert (content.release, content.counted) == ("UD 2.5", False)
    assert content.notes == ()
    unpinned = content_of(replace(task.hub, revision="main"), task, Portion("ru", "test"), rows(11336), commit)
    assert unpinned.notes == (f"read from google/xtreme at commit {commit}, which `main` was: no commit is pinned",)


def test_another_size_says_which_repository_differs_from_what() -> None:
    task = TASKS["udpos"]
    assert task.hub is not None
    with pytest.raises(UserError) as caught:
        content_of(task.hub, task, Portion("ru", "test"), rows(8973), "0" * 40)
    text = str(caught.value)
    assert "tasks/declared/udpos.py: google/xtreme (udpos.Russian, test) at commit 0000" in text
    assert "has 8,973 examples of udpos, where 11,336 are declared for it (UD 2.5)" in text
    assert "the official files, which have 8,973 examples (UD 2.7)" in text


def test_a_language_that_the_repository_lacks_is_named_before_anything_is_asked(hub: Hub) -> None:
    with pytest.raises(UserError, match=r"google/xtreme has no udpos in 'lt'; it holds af ar(.|\n)*source: files"):
        fingerprint(TASKS["udpos"], "lt", "test", hub)


def test_the_release_of_the_official_files_is_known_by_their_size(official_data: Callable[..., Path]) -> None:
    files = FilesSource(official_data("udpos"))
    assert load(TASKS["udpos"], "te", "test", files).release == "UD 2.7"
    assert load(TASKS["xnli"], "de", "dev", FilesSource(official_data("xnli"))).release == ""
