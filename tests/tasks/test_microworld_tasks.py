"""The microworld's tasks: translations, gold answers, balance, and what nothing may give away.

A field alone must not tell the label. Where several labels share a field by construction that is
checked exactly; elsewhere a linear classifier on word pairs must be at chance, within the 99.9 %
interval of its test items.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from crosswind.data.examples import Dataset, QueryExample, SpanExample
from crosswind.data.leakage import leakage_hashes, normalized_hash
from crosswind.data.microworld.languages import CODES
from crosswind.data.microworld.lexicon import lexicon
from crosswind.data.microworld.names import given_names
from crosswind.data.sources.microworld import MicroworldSource
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.lexicons import MicroworldLexicons
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.load import load, load_text

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data" / "microworld"))
from bags import classified, crossed, ranked

SOURCE = MicroworldSource()
NAMES = [name for name in TASKS.names() if name.startswith("mw-")]
LABELLED = ("mw-nli", "mw-paraphrase", "mw-causes", "mw-completion", "mw-reading")
TRAIN = 3000


@cache
def read(name: str, language: str = "en", split: str = "test", limit: int | None = None) -> Dataset:
    return load(TASKS[name], language, split, SOURCE, limit=limit)


def held_out(name: str) -> list[Any]:
    return [*read(name).examples, *read(name, split="test2").examples]


def is_at_chance(right: int, of: int, chance: float) -> bool:
    interval = binomtest(right, of).proportion_ci(0.999)
    return bool(interval.low <= chance <= interval.high)


@pytest.mark.parametrize("name", NAMES)
def test_translations_share_id_cluster_and_label(name: str) -> None:
    languages = TASKS[name].languages
    one, other = (read(name, code, "dev") for code in (languages[0], languages[-1]))
    assert [(e.id, e.cluster) for e in one] == [(e.id, e.cluster) for e in other]
    assert [getattr(e, "label", None) for e in one] == [getattr(e, "label", None) for e in other]
    assert len({e.id for e in one}) == len(one)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_in_two_splits(name: str) -> None:
    seen: dict[str, str] = {}
    for split in TASKS[name].splits:
        examples = read(name, TASKS[name].languages[0], split).examples
        hashes = {h for e in examples for h in leakage_hashes(e)}
        if name == "mw-sentences":
            pool = read(name, "qla-Latn", split).pool
            assert pool is not None
            hashes |= {normalized_hash(c.text) for c in pool.candidates}
        assert not hashes & seen.keys()
        seen |= dict.fromkeys(hashes, split)


@pytest.mark.slow
def test_no_line_of_the_corpora_is_the_text_of_an_example() -> None:
    source = MicroworldSource(lines=1500)
    lines = {
        h
        for corpus in ("mw-text", "mw-parallel")
        for line in load_text(CORPORA[corpus], ["en"], source)
        for h in leakage_hashes(line)
    }
    assert len(lines) > 2500
    for name in ("mw-pos", "mw-ner", "mw-qa", "mw-answers", "mw-nli"):
        for split in ("test", "test2"):
            assert not lines & {h for e in read(name, split=split) for h in leakage_hashes(e)}
    for split in ("test", "test2"):
        assert not lines & {normalized_hash(e.query) for e in read("mw-sentences", "qla-Latn", split)}  # type: ignore[union-attr]


@pytest.mark.slow
def test_no_sentence_to_tag_or_to_find_is_translated_in_the_corpora() -> None:
    parallel = load_text(CORPORA["mw-parallel"], ["en"], MicroworldSource(lines=20_000))
    translated = {s for line in parallel for _, t in line.texts for s in re.split(r"(?<=[.?]) ", t)}  # type: ignore[union-attr]
    assert len(translated) > 20_000
    for split in ("test", "test2"):
        assert not translated & {e.query for e in read("mw-sentences", "qla-Latn", split)}  # type: ignore[union-attr]
        for name in ("mw-pos", "mw-ner"):
            sentences = {" ".join(e.words) for e in read(name, split=split)}  # type: ignore[union-attr]
            assert not translated & {re.sub(r" (?=[.?,])", "", s) for s in sentences}


def test_no_word_of_the_second_sentence_tells_a_paraphrase() -> None:
    of_word: dict[str, Counter[int]] = defaultdict(Counter)
    for example in read("mw-paraphrase", split="train"):
        for word in set(example.second.split()):  # type: ignore[union-attr]
            of_word[word][example.label] += 1  # type: ignore[union-attr]
    told = {w: n for w, n in of_word.items() if n.total() > 60}
    assert len(told) > 100
    for word, counts in told.items():
        assert binomtest(counts[0], counts.total()).pvalue > 0.001 / len(told), (word, counts)


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("split", ["train", "test", "test2"])
def test_labels_are_balanced(name: str, split: str) -> None:
    examples: Any = read(name, split=split).examples
    counts = Counter(e.label for e in examples)
    classes = len(examples[0].choices) if hasattr(examples[0], "choices") else len(TASKS[name].labels)
    assert all(is_at_chance(n, len(examples), 1 / classes) for n in counts.values())
    assert len(counts) == classes


@pytest.mark.parametrize(("name", "labels"), [("mw-nli", {0, 1, 2}), ("mw-paraphrase", {0, 1})])
def test_every_first_text_has_a_partner_of_each_label(name: str, labels: set[int]) -> None:
    groups: defaultdict[tuple[str, str], set[int | None]] = defaultdict(set)
    for example in held_out(name):
        groups[example.cluster, example.first].add(example.label)
    assert all(found == labels for found in groups.values())


@pytest.mark.parametrize("name", ["mw-nli", "mw-paraphrase"])
def test_the_second_text_alone_tells_nothing(name: str) -> None:
    train: Any = read(name, split="train").examples[:TRAIN]
    test = held_out(name)
    right, of = classified(
        [e.second for e in train], [e.label for e in train], [e.second for e in test], [e.label for e in test]
    )
    assert is_at_chance(right, of, 1 / len(TASKS[name].labels)), f"{right} of {of}"


def test_the_classifier_that_finds_nothing_there_finds_the_label_in_both_texts() -> None:
    def both(example: Any) -> str:
        first, second = set(example.first.split()), example.second.split()
        return " ".join(
            ["same" if word in first else "other" for word in second] + ["not" * (w == "not") for w in second]
        )

    train: Any = read("mw-nli", split="train").examples[:TRAIN]
    test = held_out("mw-nli")
    right, of = classified(
        [both(e) for e in train], [e.label for e in train], [both(e) for e in test], [e.label for e in test]
    )
    assert right / of > 0.45


def test_without_its_question_a_cause_looks_like_its_twin_of_the_other_label() -> None:
    groups: defaultdict[Any, list[int]] = defaultdict(list)
    for example in held_out("mw-causes"):
        groups[example.cluster, example.context, example.choices].append(example.label)
    assert all(len(set(labels)) == len(labels) == len(key[2]) for key, labels in groups.items())


@pytest.mark.parametrize("name", ["mw-causes", "mw-completion", "mw-reading"])
def test_question_and_choices_without_the_context_tell_nothing(name: str) -> None:
    train: Any = read(name, split="train").examples[:TRAIN]
    test = held_out(name)
    texts = [[[crossed(e.question, c) for c in e.choices] for e in part] for part in (train, test)]
    right, of = ranked(texts[0], [e.label for e in train], texts[1], [e.label for e in test])
    assert is_at_chance(right, of, 1 / len(test[0].choices)), f"{right} of {of}"


@pytest.mark.parametrize("name", ["mw-causes", "mw-completion", "mw-reading"])
def test_context_and_question_without_the_choices_tell_nothing(name: str) -> None:
    train: Any = read(name, split="train").examples[:TRAIN]
    test = held_out(name)
    texts = [[f"{e.context} {e.question}" for e in part] for part in (train, test)]
    right, of = classified(texts[0], [e.label for e in train], texts[1], [e.label for e in test])
    assert is_at_chance(right, of, 1 / len(test[0].choices)), f"{right} of {of}"


def _by_text(name: str, language: str) -> list[list[SpanExample]]:
    groups: defaultdict[str, list[SpanExample]] = defaultdict(list)
    for example in read(name, language):
        assert isinstance(example, SpanExample)
        groups[example.cluster].append(example)
    return list(groups.values())


@pytest.mark.parametrize("language", CODES)
def test_without_the_question_no_answer_is_right_for_more_than_one_of_four(language: str) -> None:
    """Four questions of a text have four answers, so whoever sees the text alone is right in at most 25 %."""
    best = total = 0
    for examples in _by_text("mw-qa", language):
        assert len({e.context for e in examples}) == 1
        assert all(len(e.answer_texts) == 1 and e.answer_texts[0] for e in examples)
        best += max(Counter(e.answer_texts for e in examples).values())
        total += len(examples)
    assert best / total < 0.27  # a few pairs fall together in writing


def test_without_the_text_an_answer_is_not_told_by_its_question() -> None:
    """Of what the text says of two people, the question's words do not tell which is asked for."""
    train, test = _pairs("train"), _pairs("test")
    right, of = ranked([t for t, _ in train], [g for _, g in train], [t for t, _ in test], [g for _, g in test])
    assert of > 400
    assert is_at_chance(right, of, 0.5), f"{right} of {of}"


def _pairs(split: str) -> list[tuple[list[str], int]]:
    """Questions that differ in whom they ask about, each with both answers as alternatives."""
    found = []
    examples: Any = read("mw-qa", split=split).examples[:4000]
    for at in range(0, len(examples), 2):
        pair = examples[at : at + 2]
        if pair[0].question.split()[:1] != pair[1].question.split()[:1]:
            continue
        answers = [e.answer_texts[0] for e in pair]
        for which, example in enumerate(pair):
            order = (0, 1) if (at // 2 + which) % 2 else (1, 0)
            texts = [crossed(example.question, answers[i]) for i in order]
            found.append((texts, order.index(which)))
    return found


@pytest.mark.parametrize("language", ["en", "qla-Latn", "qlo-Latn", "qhb-Hebr"])
def test_the_answer_stands_in_the_sentence_that_speaks_of_whom_the_question_names(language: str) -> None:
    words = lexicon(language)
    names = {
        words.name(name, ending) for name in given_names("test") for ending in ("", *words.language.cases.values())
    }
    asked = 0
    for example in read("mw-qa", language).examples[:400]:
        assert isinstance(example, SpanExample)
        assert example.answers
        start = example.answers[0].start
        sentence = example.context[example.context.rfind(". ", 0, start) + 1 :].split(". ")[0]
        named = names & set(re.findall(r"\w+", example.question))
        asked += len(named)
        assert named <= set(re.findall(r"\w+", sentence))
    assert asked > 200


def test_the_pool_of_answers_holds_the_gold_of_every_language_once() -> None:
    data = load(TASKS["mw-answers"], "qcy-Cyrl", "dev", SOURCE, pool_languages=["en", "qcy-Cyrl", "qth-Thai"])
    assert data.pool is not None
    assert Counter(c.language for c in data.pool.candidates) == {"en": 300, "qcy-Cyrl": 300, "qth-Thai": 300}
    for example in data:
        assert isinstance(example, QueryExample)
        gold = [data.pool.candidates[data.pool.index[name]] for name in example.gold]
        assert [c.language for c in gold] == ["en", "qcy-Cyrl", "qth-Thai"]
        assert all(c.text in c.context for c in gold)


@pytest.mark.slow
def test_no_two_sentences_of_a_pool_read_the_same() -> None:
    for code in TASKS["mw-sentences"].languages:
        pool = read("mw-sentences", code).pool
        assert pool is not None
        assert len({c.text for c in pool.candidates}) >= 0.99 * len(pool)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mw-ner", "mw-pos"])
def test_names_of_the_test_sets_are_not_in_training(name: str) -> None:
    def entities(split: str) -> set[str]:
        ner: Any = read("mw-ner", split=split).examples
        return {w for e in ner for w, t in zip(e.words, e.tags, strict=True) if t in ("B-PER", "I-PER", "B-LOC")}

    known = {w for e in read(name, split="train").examples for w in e.words}  # type: ignore[union-attr]
    assert len(known) > 300
    for split in ("test", "test2"):
        assert not entities(split) & known
    assert not entities("test") & entities("test2")


def test_one_stem_names_families_towns_and_firms() -> None:
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for example in read("mw-ner", split="train"):
        for word, tag in zip(example.words, example.tags or (), strict=True):  # type: ignore[union-attr]
            if tag != "O":
                kinds[word].add(tag[2:])
    assert sum(len(found) > 1 for found in kinds.values()) > 100


def test_every_task_has_four_splits_and_whole_ones_have_their_declared_sizes() -> None:
    for name in NAMES:
        task = TASKS[name]
        assert task.splits == ("train", "dev", "test", "test2")
        for split in ("dev", "test", "test2"):
            language = task.languages[0]
            assert len(read(name, language, split)) == task.counts[language, split]


@pytest.mark.parametrize(
    "spec", ["keyboard:0.3", "swap:0.3", "word-order:0.5", "homoglyph:0.3", "codemix(embed=en,qcy):0.4"]
)
@pytest.mark.parametrize("language", CODES)
def test_perturbations_apply(spec: str, language: str) -> None:
    environment = Environment(lexicons=MicroworldLexicons())
    parsed = parse_spec(spec)
    if language == "qdv-Deva" and spec.startswith("swap"):
        assert parsed.applies(TextScope(language, "pair", ("first", "second"), environment)) is not None  # syllables
        return
    if language in ("qdv-Deva", "qhb-Hebr", "qth-Thai") and spec.startswith("homoglyph"):
        scope = TextScope(language, "pair", ("first", "second"), environment)
        assert parsed.applies(scope) is not None  # hardly any look alike there
        return
    data = read("mw-nli", language, limit=60)
    fields = TASKS["mw-nli"].perturbed
    found = perturb_dataset(data, parsed, draw=1, fields=fields, environment=environment)
    assert found.changed_share > 0.5
