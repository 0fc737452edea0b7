"""Every task on its real files: counts, labels, ids and clusters that agree across languages."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from crosswind.data.examples import ChoiceExample, PairExample, QueryExample, Rows, SpanExample, TaggingExample
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.load import fingerprint, load, load_text, text_fingerprint

Official = Callable[..., Path]


def source(official_data: Official, *sets: str) -> FilesSource:
    return FilesSource(official_data(*sets))


# (set, task, language, split, examples, clusters, labels in order of their index): counts from the data's README
PAIRS_AND_CHOICES = [
    ("xnli", "xnli", "en", "dev", 2490, 830, (830, 830, 830)),
    ("xnli", "xnli", "ur", "test", 5010, 1670, (1670, 1670, 1670)),
    ("pawsx", "pawsx", "de", "test", 2000, 2000, (1105, 895)),
    ("pawsx", "pawsx", "ko", "dev", 2000, 2000, (1160, 840)),
    ("nli_en", "mnli", "en", "dev", 19647, 6669, (6998, 6117, 6532)),
    ("nli_en", "snli", "en", "dev", 9831, 3319, (3325, 3231, 3275)),
    ("anli", "anli", "en", "dev_r1", 1000, 845, (334, 333, 333)),
    ("copa", "copa", "en", "test", 500, 500, (250, 250)),
    ("xcopa", "xcopa", "qu", "test", 500, 500, (250, 250)),
    ("e-care", "e-care", "en", "dev", 2132, 2132, (1066, 1066)),
    ("commonsenseqa", "commonsenseqa", "en", "dev", 1221, 1221, (239, 255, 241, 251, 235)),
    ("hellaswag", "hellaswag", "en", "dev", 10042, 10042, (2515, 2485, 2584, 2458)),
    ("cosmosqa", "cosmosqa", "en", "dev", 2985, 2445, (744, 729, 761, 751)),
    ("winogrande_1.1", "winogrande", "en", "dev", 1267, 983, (628, 639)),
    ("openbookqa", "openbookqa", "en", "dev", 500, 500, (126, 138, 110, 126)),
    ("piqa", "piqa", "en", "dev", 1838, 1838, (910, 928)),
]


@pytest.mark.parametrize(("name", "task", "language", "split", "examples", "clusters", "labels"), PAIRS_AND_CHOICES)
def test_counts_clusters_and_labels_are_those_of_the_official_files(
    official_data: Official,
    name: str,
    task: str,
    language: str,
    split: str,
    examples: int,
    clusters: int,
    labels: tuple[int, ...],
) -> None:
    data = load(TASKS[task], language, split, source(official_data, name))
    found = Counter(e.label for e in data if isinstance(e, PairExample | ChoiceExample))
    assert (len(data), len({e.cluster for e in data})) == (examples, clusters)
    assert tuple(found[i] for i in range(len(labels))) == labels
    assert sum(labels) == examples
    assert TASKS[task].kind in ("pair", "choice")


def test_xnli_rows_are_read_as_they_stand(official_data: Official) -> None:
    data = load(TASKS["xnli"], "en", "dev", source(official_data, "xnli"))
    assert data.examples[1] == PairExample(
        "xnli/dev/1", "xnli/dev/p0", "en", "And he said, Mama, I'm home.", "He didn't say a word.", 2
    )


@pytest.mark.parametrize(
    ("name", "task", "split", "languages"),
    [
        ("xnli", "xnli", "dev", ("en", "sw", "zh")),
        ("xcopa", "xcopa", "test", ("et", "th", "zh")),
        ("xquad", "xquad", "test", ("en", "ro", "zh")),
        ("pawsx", "pawsx", "dev", ("en", "ja")),
        ("lareqa", "lareqa", "test", ("ar", "en")),
    ],
)
def test_translations_of_an_item_share_id_and_cluster(
    official_data: Official, name: str, task: str, split: str, languages: tuple[str, ...]
) -> None:
    files = source(official_data, name)
    names = [[(e.id, e.cluster) for e in load(TASKS[task], code, split, files)] for code in languages]
    assert all(other == names[0] for other in names[1:])


def test_xnli_clusters_hold_the_three_hypotheses_of_a_premise(official_data: Official) -> None:
    for e, first in _with_cluster_first(load(TASKS["xnli"], "th", "test", source(official_data, "xnli")).examples):
        assert e.first == first.first


def _with_cluster_first(examples: tuple[object, ...]) -> list[tuple[PairExample, PairExample]]:
    firsts: dict[str, PairExample] = {}
    pairs = [e for e in examples if isinstance(e, PairExample)]
    return [(e, firsts.setdefault(e.cluster, e)) for e in pairs]


def test_tasks_built_on_one_source_share_ids_and_clusters(official_data: Official) -> None:
    files = source(official_data, "xquad", "lareqa", "xcopa", "copa", "squadshifts")

    def names(task: str, language: str, split: str) -> list[tuple[str, str]]:
        return [(e.id, e.cluster) for e in load(TASKS[task], language, split, files)]

    assert names("xquad", "de", "test") == names("lareqa", "de", "test")
    assert names("xcopa", "id", "dev") == names("copa", "en", "dev")
    assert names("squadshifts", "en", "new_wiki") == names("squadshifts-retrieval", "en", "new_wiki")
    assert names("xquad", "en", "test")[0] == (
        "squad/dev/56beb4343aeaaa14008c925b",
        "squad/dev/p-56beb4343aeaaa14008c925b",
    )


def test_the_labels_of_copa_and_xcopa_agree_item_by_item(official_data: Official) -> None:
    files = source(official_data, "xcopa", "copa")
    english = [e.label for e in load(TASKS["copa"], "en", "test", files) if isinstance(e, ChoiceExample)]
    thai = [e.label for e in load(TASKS["xcopa"], "th", "test", files) if isinstance(e, ChoiceExample)]
    assert english == thai


def test_mlqa_clusters_are_the_english_paragraphs(official_data: Official) -> None:
    files = source(official_data, "mlqa")
    english = {e.id: e.cluster for e in load(TASKS["mlqa"], "en", "dev", files)}
    german = load(TASKS["mlqa"], "de", "dev", files)
    assert (len(english), len(german)) == (1148, 512)
    assert all(english[e.id] == e.cluster for e in german)


def test_span_answers_are_slices_of_the_context(official_data: Official) -> None:
    files = source(official_data, "xquad", "tydiqa", "squadshifts")
    first = load(TASKS["xquad"], "zh", "test", files).examples[0]
    assert isinstance(first, SpanExample)
    assert first.answer_texts == ("308",)
    several = load(TASKS["squadshifts"], "en", "new_wiki", files)
    assert sum(len(e.answers or ()) for e in several if isinstance(e, SpanExample)) > len(several)
    train = load(TASKS["tydiqa"], "sw", "train", files)
    assert all(isinstance(e, SpanExample) and e.answers for e in train)
    assert len(train) == 2755


def test_stripped_answers_are_unlabelled_not_unanswerable(official_data: Official) -> None:
    # the packed TyDiQA dev files are XTREME's, whose answers are blanked
    dev = load(TASKS["tydiqa"], "fi", "dev", source(official_data, "tydiqa"))
    assert len(dev) == 782
    assert {e.answers for e in dev if isinstance(e, SpanExample)} == {None}
    assert {e.id.split("/")[2].split("-")[0] for e in dev} == {"finnish"}


def test_unlabelled_pawsx_test_files_are_read_without_labels(official_data: Official) -> None:
    data = load(TASKS["pawsx"], "fr", "test", source(official_data, "pawsx"))
    assert len(data) == 2000
    assert {e.label for e in data if isinstance(e, PairExample)} == {None}


@pytest.mark.parametrize(
    ("task", "language", "split", "sentences", "first"),
    [
        ("udpos", "mr", "test", 47, None),
        ("udpos", "en", "dev", 3974, ("From", "ADP")),
        ("panx", "en", "dev", 10000, ("Sioux", "B-ORG")),
        ("panx", "yo", "dev", 100, None),
    ],
)
def test_tagged_sentences_have_a_tag_for_each_word(
    official_data: Official, task: str, language: str, split: str, sentences: int, first: tuple[str, str] | None
) -> None:
    data = load(TASKS[task], language, split, source(official_data, task))
    tagged = [e for e in data if isinstance(e, TaggingExample)]
    assert len(tagged) == sentences
    assert all(e.tags is not None and len(e.words) == len(e.tags) for e in tagged)
    assert {tag for e in tagged for tag in e.tags or ()} <= set(TASKS[task].labels)
    if first:
        assert (tagged[0].words[0], (tagged[0].tags or ())[0]) == first


def test_udpos_falls_back_to_the_treebanks(official_data: Official) -> None:
    # XTREME's test-de.tsv is not among the data, UD_German-GSD is: 977 sentences
    data = load(TASKS["udpos"], "de", "test", source(official_data, "udpos", "ud"))
    assert (len(data), data.examples[0].id) == (977, "udpos/test/de_gsd-test-s1")


def test_tatoeba_asks_in_english_and_searches_the_language(official_data: Official) -> None:
    files = source(official_data, "tatoeba")
    data = load(TASKS["tatoeba"], "jv", "test", files)
    assert data.pool is not None
    query, candidate = data.examples[0], data.pool.candidates[0]
    assert isinstance(query, QueryExample)
    assert (len(data), len(data.pool), query.language, candidate.language) == (205, 205, "en", "jv")
    assert candidate.text == "Tom karo Mary padha bengok-bengokan."
    assert query.gold == (candidate.id,)
    assert "en" not in TASKS["tatoeba"].languages
    assert len(TASKS["tatoeba"].languages) == 41


# README of the data: candidate sentences
SENTENCES = {
    "ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244,
    "ru": 1219, "th": 852, "tr": 1167, "vi": 1209, "zh": 1196,
}  # fmt: skip


def test_lareqa_has_one_pool_over_all_languages(official_data: Official) -> None:
    data = load(TASKS["lareqa"], "hi", "test", source(official_data, "lareqa"))
    assert data.pool is not None
    assert Counter(c.language for c in data.pool.candidates) == SENTENCES
    by_id = {c.id: c for c in data.pool.candidates}
    assert len(by_id) == len(data.pool)
    for query in data:
        assert isinstance(query, QueryExample)
        assert [by_id[name].language for name in query.gold] == list(SENTENCES)
        assert {by_id[name].cluster for name in query.gold} == {query.cluster}
    english = by_id[next(name for name in data.examples[0].gold if "/en/" in name)]  # type: ignore[union-attr]
    assert english.text.startswith("The Panthers defense gave up just 308 points")
    assert english.text in english.context


def test_lareqa_may_search_fewer_languages(official_data: Official) -> None:
    files = source(official_data, "lareqa")
    data = load(TASKS["lareqa"], "de", "test", files, pool_languages=("en", "th"))
    assert data.pool is not None
    assert Counter(c.language for c in data.pool.candidates) == {"en": 1180, "th": 852}
    assert {len(e.gold) for e in data if isinstance(e, QueryExample)} == {2}
    whole = fingerprint(TASKS["lareqa"], "de", "test", files)
    assert data.fingerprint == fingerprint(TASKS["lareqa"], "de", "test", files, pool_languages=("en", "th")) != whole


def test_a_limit_keeps_whole_paragraphs_and_their_candidates(official_data: Official) -> None:
    files = source(official_data, "lareqa")
    data = load(TASKS["lareqa"], "en", "test", files, limit=20, pool_languages=("en", "de"))
    whole = load(TASKS["lareqa"], "en", "test", files, pool_languages=("en", "de"))
    assert data.pool is not None
    assert whole.pool is not None
    clusters = {e.cluster for e in data}
    assert 0 < len(data) <= 20
    assert data.examples == tuple(e for e in whole if e.cluster in clusters)
    assert [c for c in whole.pool.candidates if c.cluster in clusters] == list(data.pool.candidates)
    assert all(name in data.pool.index for e in data if isinstance(e, QueryExample) for name in e.gold)


def test_rows_select_before_the_limit(official_data: Official) -> None:
    files = source(official_data, "copa")
    data = load(TASKS["copa"], "en", "train", files, rows=Rows.parse("100-199"), limit=3)
    # the least hashes: printf copa/train/110 | sha256sum is 04d2…, of 176 0529…, of 131 0a1a…
    assert [e.id for e in data] == ["copa/train/110", "copa/train/131", "copa/train/176"]
    with pytest.raises(UserError, match="rows 0-400 were asked for, there are 400"):
        load(TASKS["copa"], "en", "train", files, rows=Rows.parse("0-400"))


def test_the_winogrande_sentence_is_cut_at_the_blank(official_data: Official) -> None:
    first = load(TASKS["winogrande"], "en", "dev", source(official_data, "winogrande_1.1")).examples[0]
    assert isinstance(first, ChoiceExample)
    assert first.context == "Sarah was a much better surgeon than Maria so"
    assert first.choices == ("Sarah always got the easier cases.", "Maria always got the easier cases.")
    assert (first.label, first.cluster) == (1, "winogrande/dev/3FCO4VKOZ4BJQ6IFC0VAIBK4KTWE7U")


def test_openbookqa_choices_are_taken_apart(official_data: Official) -> None:
    first = load(TASKS["openbookqa"], "en", "train", source(official_data, "openbookqa")).examples[0]
    assert isinstance(first, ChoiceExample)
    assert first.question == "The sun is responsible for"
    assert first.choices[3] == "plants sprouting, blooming and wilting"
    assert first.label == 3


def test_flores_reads_parallel_sentences(official_data: Official) -> None:
    rows = load_text(CORPORA["flores"], ["en", "de", "jv"], source(official_data, "flores200_dataset"))
    assert len(rows) == 997
    assert rows[5].id == "flores/dev/5"
    files = source(official_data, "flores200_dataset")
    assert text_fingerprint(CORPORA["flores"], ["en"], files) != text_fingerprint(CORPORA["flores"], ["de"], files)


def test_fingerprints_of_a_study_read_each_file_once(official_data: Official, monkeypatch: pytest.MonkeyPatch) -> None:
    files = source(official_data, "xnli", "xquad", "tatoeba", "lareqa")
    cells = [
        (TASKS[name], code, split)
        for name, split in (
            ("xnli", "test"),
            ("xnli", "dev"),
            ("xquad", "test"),
            ("tatoeba", "test"),
            ("lareqa", "test"),
        )
        for code in TASKS[name].languages
    ]
    hashed: list[str] = []
    digest_of = hashlib.file_digest

    def counted(stream: BinaryIO, kind: str) -> Any:
        hashed.append(stream.name)
        return digest_of(stream, kind)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    first = [fingerprint(*cell, files) for cell in cells]
    assert len(hashed) == len(set(hashed)) > 0  # files that cells share are read once
    before = len(hashed)
    assert [fingerprint(*cell, files) for cell in cells for _ in range(3)][::3] == first
    assert load(*cells[0], files).fingerprint == first[0]
    assert len(hashed) == before
