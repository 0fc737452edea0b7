"""Perturbed examples: labels survive, whatever the kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.perturb.dataset import perturb_dataset, perturb_example, perturb_examples
from crosswind.perturb.example import Protection
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.perturbed import Perturbed
from crosswind.perturb.pieces import Keep
from crosswind.perturb.replay import replay
from crosswind.perturb.retag import entities
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import parse_spec

CONTEXT = "The Amazon rainforest covers most of the Amazon basin of South America, an area of 7,000,000 km2."


def span_example(*answers: str, context: str = CONTEXT, number: int = 0) -> SpanExample:
    spans = tuple(Span(context.index(a), context.index(a) + len(a)) for a in answers)
    return SpanExample(f"squad/dev/{number}", "squad/p1", "en", "What does it cover?", context, spans)


def noisy(
    example: Example, spec: str, fields: Sequence[str], *, draw: int = 0, protect: Protection = "none"
) -> Perturbed[Example]:
    return perturb_example(example, parse_spec(spec), task="t", draw=draw, fields=fields, protect=protect)


@pytest.mark.parametrize(
    "spec", ["swap:0.3", "keyboard:0.3", "homoglyph:0.5", "word-order:0.5", "swap:0.2+word-order:0.3"]
)
@pytest.mark.parametrize("draw", range(8))
def test_answers_are_sliced_from_their_new_offsets(spec: str, draw: int) -> None:
    example = span_example("Amazon basin", "South America", "an")
    result = noisy(example, spec, ("context",), draw=draw)
    assert isinstance(result.example, SpanExample)
    assert result.example.context == result.rewrites["context"].apply(example.context)
    assert result.example.answers == result.rewrites["context"].carry(example.answers or ())
    assert result.example.question == example.question
    for old, new in zip(example.answer_texts, result.example.answer_texts, strict=True):
        if spec.startswith("homoglyph"):
            assert len(old) == len(new)
        elif spec.startswith("swap:0.3"):
            assert sorted(old) == sorted(new)


def test_a_protected_answer_keeps_its_text_and_the_rest_does_not() -> None:
    example = span_example("Amazon basin")
    protected = noisy(example, "keyboard:1", ("context",), protect="answers")
    assert isinstance(protected.example, SpanExample)
    assert protected.example.answer_texts == ("Amazon basin",)
    assert protected.changed
    open_ = noisy(example, "keyboard:1", ("context",))
    assert isinstance(open_.example, SpanExample)
    assert open_.example.answer_texts != ("Amazon basin",)


def test_a_change_that_would_split_an_answer_is_dropped_and_counted() -> None:
    example = SpanExample("x/1", "x", "en", "q", "alpha beta", (Span(0, 7),))  # "alpha b"
    result = noisy(example, "word-order:1", ("context",))
    assert result.example == example
    assert not result.changed
    assert result.rejected == 1


def test_an_answer_outside_its_context_is_an_error_that_names_the_example() -> None:
    broken = SpanExample("x/7", "x", "en", "q", "short", (Span(3, 9),))
    with pytest.raises(UserError, match="x/7"):
        noisy(broken, "swap:0.5", ("context",))


def test_the_context_of_a_mixed_pair_is_perturbed_in_its_own_language() -> None:
    example = SpanExample("x/1", "x", "en", "Where?", "Съешь ещё мягких булок", (Span(0, 5),), context_language="ru")
    result = noisy(example, "keyboard:1", ("context",))
    assert isinstance(result.example, SpanExample)
    assert all("а" <= c <= "я" or c == "ё" for c in result.example.context.replace(" ", "").lower())


TAGGED = TaggingExample(
    "panx/1", "panx/1", "en", ("Mr", "New", "York", "Times", "met", "Ann", "."),
    ("O", "B-ORG", "I-ORG", "I-ORG", "O", "B-PER", "O"),
)  # fmt: skip


def test_entities_are_runs_of_iob2_tags() -> None:
    assert entities(TAGGED.tags or ()) == [[1, 2, 3], [5]]
    assert entities(("I-PER", "I-PER", "I-LOC", "B-LOC", "O")) == [[0, 1], [2], [3]]
    assert entities(("NOUN", "PUNCT")) == []


@pytest.mark.parametrize(
    "spec", ["swap:0.6", "keyboard:0.5", "homoglyph:0.7", "diacritics(languages=all):1", "word-order:0.6"]
)
@pytest.mark.parametrize("draw", range(12))
def test_tags_follow_words_and_entities_stay_in_one_piece(spec: str, draw: int) -> None:
    result = noisy(TAGGED, spec, ("words",), draw=draw)
    new = result.example
    assert isinstance(new, TaggingExample)
    assert new.tags is not None
    assert len(new.words) == len(TAGGED.words) == len(new.tags)
    assert all(w and not any(c.isspace() for c in w) for w in new.words)
    groups = entities(new.tags)
    assert sorted([new.tags[i] for i in g] for g in groups) == [["B-ORG", "I-ORG", "I-ORG"], ["B-PER"]]
    if spec.startswith("word-order"):
        assert sorted(new.words) == sorted(TAGGED.words)
        names = [{new.words[i] for i in g} for g in groups]
        assert {"Ann"} in names
        assert {"New", "York", "Times"} in names
    else:
        assert new.tags == TAGGED.tags
        assert [len(w) for w in new.words] == [len(w) for w in TAGGED.words]


def test_words_move_with_their_part_of_speech() -> None:
    example = TaggingExample("u/1", "u/1", "en", ("dogs", "bark"), ("NOUN", "VERB"))
    new = noisy(example, "word-order:1", ("words",)).example
    assert new == replace(example, words=("bark", "dogs"), tags=("VERB", "NOUN"))


def test_words_in_an_entity_may_change_places_and_it_still_begins_with_b() -> None:
    example = TaggingExample("p/1", "p/1", "en", ("New", "York"), ("B-LOC", "I-LOC"))
    new = noisy(example, "word-order:1", ("words",)).example
    assert new == replace(example, words=("York", "New"))
    assert not noisy(example, "word-order:1", ("words",), protect="entities").changed


def test_an_entity_that_strays_behind_another_of_its_kind_stays_an_entity_of_its_own() -> None:
    """PAN-X has I-X without B-X before it: 501 times in Japanese dev, 476 in Chinese."""
    example = TaggingExample("p/1", "p/1", "en", ("a", "b", "c"), ("B-LOC", "O", "I-LOC"))
    moved = Rewrite.of([Keep(0, 2), Keep(4, 5), Keep(3, 4), Keep(2, 3)], 5)
    new = replay(example, {"words": moved}).example
    assert new == replace(example, words=("a", "c", "b"), tags=("B-LOC", "B-LOC", "O"))
    other = replace(example, tags=("B-PER", "O", "I-LOC"))
    assert replay(other, {"words": moved}).example == replace(
        other, words=("a", "c", "b"), tags=("B-PER", "I-LOC", "O")
    )


def test_a_protected_entity_keeps_its_words() -> None:
    new = noisy(TAGGED, "keyboard:1", ("words",), protect="entities").example
    assert isinstance(new, TaggingExample)
    assert [new.words[i] for i in (1, 2, 3, 5)] == ["New", "York", "Times", "Ann"]
    assert new.words[0] != "Mr"


def test_a_translation_with_a_space_is_no_option_for_a_tagged_word(tmp_path: Path) -> None:
    (tmp_path / "en-fr.txt").write_text("met\ta rencontré\nann\tanne\n", encoding="utf-8")
    environment = Environment(LexiconFolder(tmp_path))
    spec = parse_spec("codemix(embed=fr):1")
    new = perturb_example(TAGGED, spec, task="t", draw=0, fields=("words",), environment=environment).example
    assert isinstance(new, TaggingExample)
    assert new.words == ("Mr", "New", "York", "Times", "met", "Anne", ".")
    pair = PairExample("x", "x", "en", "met", "")
    result = perturb_example(pair, spec, task="t", draw=0, fields=("first",), environment=environment).example
    assert result == replace(pair, first="a rencontré")


def test_only_the_named_fields_change() -> None:
    pair = PairExample("x/1", "x", "en", "the first sentence", "the second sentence", 1)
    result = noisy(pair, "swap:1", ("second",))
    assert isinstance(result.example, PairExample)
    assert result.example.first == pair.first
    assert result.example.label == 1
    assert set(result.rewrites) == {"second"}
    choice = ChoiceExample("x/1", "x", "en", "it was raining", "effect", ("he got wet", "he stayed dry"), 0)
    changed = noisy(choice, "swap:1", ("context", "choices")).example
    assert isinstance(changed, ChoiceExample)
    assert changed.question == "effect"
    assert changed.context != choice.context
    assert all(a != b for a, b in zip(changed.choices, choice.choices, strict=True))
    with pytest.raises(UserError, match="unknown text field 'hypothesis'"):
        noisy(pair, "swap:1", ("hypothesis",))
    with pytest.raises(UserError, match="unknown protection"):
        noisy(pair, "swap:1", ("second",), protect="anwsers")  # type: ignore[arg-type]


def test_a_draw_depends_on_task_language_id_field_and_number_alone() -> None:
    text = "a sentence that is long enough to be changed in many places"
    base = PairExample("x/1", "x", "en", text, text)

    def first(example: Example, task: str = "t", draw: int = 0, field: str = "first") -> str:
        new = perturb_example(example, parse_spec("swap:0.3"), task=task, draw=draw, fields=(field,)).example
        return str(getattr(new, field))

    assert first(base) == first(replace(base, label=1, cluster="y"))
    others = [
        first(base, task="u"),
        first(base, draw=1),
        first(replace(base, id="x/2")),
        first(replace(base, language="de")),
        first(base, field="second"),
    ]
    assert len({first(base), *others}) == 6


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_order_and_company_change_nothing(shuffler: random.Random, draw: int) -> None:
    examples = [span_example("Amazon basin", number=i) for i in range(12)]
    spec = parse_spec("swap:0.2+keyboard:0.1")
    together = perturb_examples(examples, spec, task="t", draw=draw, fields=("context", "question"))
    mixed = examples.copy()
    shuffler.shuffle(mixed)
    by_id = {
        p.example.id: p for p in perturb_examples(mixed, spec, task="t", draw=draw, fields=("question", "context"))
    }
    assert [by_id[e.id] for e in examples] == together


def test_a_dataset_carries_its_pool_and_a_fingerprint_of_everything() -> None:
    pool = Pool(
        (
            Candidate("c1", "en", "The cat sat.", "It was warm. The cat sat. It slept.", "p1"),
            Candidate("c2", "en", "It slept.", "It was warm. The cat sat. It slept.", "p1"),
            Candidate("c3", "en", "A sentence alone."),
        )
    )
    dataset = Dataset("lareqa", "en", "test", (QueryExample("q1", "q1", "en", "Who sat there?", ("c1",)),), pool, "abc")
    spec = parse_spec("swap:0.5")
    both = perturb_dataset(dataset, spec, draw=0, fields=("query", "pool"))
    assert both.dataset.pool is not None
    one, two, three = both.dataset.pool.candidates
    assert one.text in one.context
    assert one.context == two.context  # candidates of a paragraph share its noise
    assert two.text in two.context
    assert three.text != "A sentence alone."
    assert both.changed_share == 1
    only = perturb_dataset(dataset, spec, draw=0, fields=("pool",))
    assert only.dataset.examples == dataset.examples
    assert only.dataset.pool == both.dataset.pool
    assert only.changed_share == 1
    prints = {d.dataset.fingerprint for d in (both, only, perturb_dataset(dataset, spec, draw=1, fields=("query",)))}
    assert len(prints | {"abc"}) == 4


def test_two_equal_words_that_change_places_are_no_change() -> None:
    example = PairExample("x/1", "x", "en", "abba", "")
    assert noisy(example, "diacritics(languages=all):1", ("first",)).changed is False
    tagged = TaggingExample("x/2", "x", "en", ("that", "that"), ("PRON", "DET"))
    assert noisy(tagged, "word-order:1", ("words",)).example == tagged


@pytest.mark.parametrize("language", ["ar", "de", "el", "hi", "ru", "th", "vi", "zh"])
def test_gold_answers_of_xquad_survive_every_perturbation(language: str, official_data: Callable[..., Path]) -> None:
    import json

    data = json.loads((official_data("xquad") / "xquad" / f"xquad.{language}.json").read_text(encoding="utf-8"))
    examples = [
        SpanExample(q["id"], p["context"][:20], language, q["question"], p["context"],
                    tuple(Span(a["answer_start"], a["answer_start"] + len(a["text"])) for a in q["answers"]))
        for article in data["data"][:4] for p in article["paragraphs"][:2] for q in p["qas"][:3]
    ]  # fmt: skip
    assert len(examples) > 20
    for spec in ("swap(scripts=all):0.2", "word-order:0.3"):
        found = perturb_examples(examples, parse_spec(spec), task="xquad", draw=0, fields=("question", "context"))
        assert all(p.changed for p in found)
        for old, new in zip(examples, found, strict=True):
            assert isinstance(new.example, SpanExample)
            assert old.answers is not None
            assert new.rewrites["context"].carry(old.answers) == new.example.answers
            assert new.rewrites["context"].apply(old.context) == new.example.context
            for a, b in zip(old.answer_texts, new.example.answer_texts, strict=True):
                assert sorted(a.replace(" ", "")) == sorted(b.replace(" ", ""))  # permuted inside, never cut


def test_tags_of_udpos_stay_with_their_words(official_data: Callable[..., Path]) -> None:
    path = official_data("udpos") / "udpos/test-hi.tsv"
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")[:150]
    rows = [[line.split("\t") for line in block.splitlines()] for block in blocks]
    examples = [
        TaggingExample(f"udpos/{i}", f"udpos/{i}", "hi", tuple(r[0] for r in row), tuple(r[1] for r in row))
        for i, row in enumerate(rows)
    ]
    found = perturb_examples(examples, parse_spec("word-order:0.4"), task="udpos", draw=0, fields=("words",))
    assert sum(p.changed for p in found) > 140
    for old, new in zip(examples, found, strict=True):
        assert isinstance(new.example, TaggingExample)
        assert sorted(zip(old.words, old.tags or (), strict=True)) == sorted(
            zip(new.example.words, new.example.tags or (), strict=True)
        )
