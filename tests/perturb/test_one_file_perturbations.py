"""Perturbations of every sort, each a file that a user includes (`families/` beside this file)."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Dataset,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.perturb.applied import Constraint
from crosswind.perturb.dataset import perturb_dataset, perturb_example
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import PERTURBATIONS, NotApplicable
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.spec import TextScope, parse_spec


@pytest.fixture(autouse=True)
def included(tmp_path: Path) -> Iterator[None]:
    folder = tmp_path / "mine"
    shutil.copytree(Path(__file__).parent / "families", folder)
    known, folders = dict(PERTURBATIONS._in_files()), list(PERTURBATIONS.included)
    PERTURBATIONS.include(folder)
    yield
    PERTURBATIONS._entries, PERTURBATIONS.included = known, folders
    PERTURBATIONS.forget_written()


def stored(result: PerturbedDataset, original: Dataset, tmp_path: Path) -> PerturbedDataset:
    """The dataset replayed from its tables on disk."""
    result.table().write_parquet(tmp_path / "table.parquet")
    result.added_table().write_parquet(tmp_path / "added.parquet")
    tables = [pl.read_parquet(tmp_path / f"{n}.parquet") for n in ("table", "added")]
    again = replay_dataset(original, *tables)
    assert again.dataset.examples == result.dataset.examples
    assert again.dataset.pool == result.dataset.pool
    assert again.changed_ids == result.changed_ids
    assert again.added == result.added
    return again


def test_the_right_option_is_found_again_wherever_it_went(tmp_path: Path) -> None:
    items = tuple(ChoiceExample(f"c/{i}", "c", "en", "It rained.", "Why?", ("a", "bb", "ccc"), 1) for i in range(40))
    data = Dataset("copa", "en", "test", items)
    result = perturb_dataset(data, parse_spec("my-order:1"), draw=0, fields=("choices",))
    assert result.changed_share == 1
    new = [e for e in result.dataset.examples if isinstance(e, ChoiceExample)]
    assert all(e.label is not None and e.choices[e.label] == "bb" for e in new)
    assert all(e.context == "It rained." and e.question == "Why?" for e in new)
    assert {e.choices for e in new} == {
        ("a", "ccc", "bb"), ("bb", "a", "ccc"), ("bb", "ccc", "a"), ("ccc", "a", "bb"), ("ccc", "bb", "a")
    }  # fmt: skip
    assert result.table()["field"].unique().to_list() == ["example"]
    stored(result, data, tmp_path)


def test_text_noise_before_and_after_a_change_of_whole_examples_is_replayed(tmp_path: Path) -> None:
    items = tuple(
        ChoiceExample(f"c/{i}", "c", "en", "", "Why was it?", ("the rain", "the snow"), i % 2) for i in range(20)
    )
    data = Dataset("copa", "en", "test", items)
    spec = parse_spec("swap:0.5+my-order:0.5+keyboard:0.3")
    result = perturb_dataset(data, spec, draw=0, fields=("question", "choices"))
    assert {"choices.0", "1:example", "2:choices.0", "2:question"} <= set(result.table()["field"])
    stored(result, data, tmp_path)


def test_what_applies_is_known_by_kind_and_field_without_loading() -> None:
    order, distractor = parse_spec("my-order:1"), parse_spec("my-distractor:1")
    assert order.applies(TextScope("en", "choice", ("choices",))) is None
    assert order.applies(TextScope("en", "pair", ("first",))) == "only choice questions have options"
    assert distractor.applies(TextScope("en", "span", ("question",))) == "only for QA contexts"
    assert distractor.needs(TextScope("en", "span", ("context",))) == (DataNeed("donors"),)
    pair = PairExample("p", "p", "en", "a", "b", 0)
    with pytest.raises(NotApplicable, match="only choice questions"):
        perturb_example(pair, order, task="t", draw=0, fields=("first",))


def article(number: int, context: str, question: str, answer: str) -> SpanExample:
    at = context.index(answer)
    return SpanExample(f"q/{number}", f"a{number}", "en", question, context, (Span(at, at + len(answer)),))


def test_a_distractor_comes_from_the_whole_split_whatever_rows_are_perturbed(tmp_path: Path) -> None:
    items = tuple(article(i, f"Town {i} lies by river R{i}x.", f"Where is town {i}?", f"R{i}x") for i in range(30))
    whole = Dataset("xquad", "en", "test", items)
    spec, resolved = parse_spec("my-distractor:1"), {DataNeed("donors"): whole}
    result = perturb_dataset(whole, spec, draw=0, fields=("question", "context"), resolved=resolved)
    assert result.changed_share == 1
    for old, new in zip(items, result.dataset.examples, strict=True):
        assert isinstance(new, SpanExample)
        assert new.answers == old.answers
        assert new.context.startswith(old.context + " Where is town ")
        assert new.context[len(old.context) :].count(old.answer_texts[0]) == 0
    few = Dataset("xquad", "en", "test", items[7:9])
    part = perturb_dataset(few, spec, draw=0, fields=("question", "context"), resolved=resolved)
    assert part.dataset.examples == result.dataset.examples[7:9]
    stored(result, whole, tmp_path)
    with pytest.raises(UserError, match="needs its donors, which lines of text do not bring"):
        perturb_dataset(few, spec, draw=0, fields=("context",))


def test_at_most_one_site_of_a_group_changes_and_levels_nest() -> None:
    example = PairExample("p", "p", "en", "several rather long words stand here together", "")
    places: list[set[int]] = []
    for severity in (0.05, 0.1, 0.3, 1):
        spec = parse_spec("one-typo", severity=severity)
        new = perturb_example(example, spec, task="t", draw=2, fields=("first",))
        assert isinstance(new.example, PairExample)
        assert all(word.count("*") <= 1 for word in new.example.first.split())
        places.append({i for i, c in enumerate(new.example.first) if c == "*"})
        if severity == 1:
            assert new.counts == {"group": 39 - 7}
    assert all(a <= b for a, b in itertools.pairwise(places))
    assert len(places[-1]) == 7


def test_a_permutation_may_be_drawn_from_the_bits(tmp_path: Path) -> None:
    data = Dataset(
        "t", "en", "test", tuple(PairExample(f"p/{i}", "p", "en", "one two, three four.", "") for i in range(9))
    )
    result = perturb_dataset(data, parse_spec("full-shuffle:1"), draw=0, fields=("first",))
    new = [e.first for e in result.dataset.examples if isinstance(e, PairExample)]
    assert len(set(new)) > 5
    assert all(sorted(t.replace(",", "").replace(".", "").split()) == ["four", "one", "three", "two"] for t in new)
    assert all(t[-1] == "." and t.count(",") == 1 for t in new)
    stored(result, data, tmp_path)


def test_another_data_set_is_a_need_of_the_spec() -> None:
    english = Dataset("xnli", "en", "test", (PairExample("x/1", "x", "en", "A dog runs.", "An animal moves."),))
    german = Dataset("xnli", "de", "test", (PairExample("x/1", "x", "de", "Ein Hund läuft.", "Ein Tier läuft."),))
    spec = parse_spec("translated(into=de):1")
    (need,) = spec.needs(TextScope("en", "pair", ("first", "second")))
    assert need == DataNeed("translations", language="de")
    result = perturb_dataset(english, spec, draw=0, fields=("first", "second"), resolved={need: german})
    assert result.dataset.examples == (PairExample("x/1", "x", "en", "A dog runs.", "Ein Tier läuft."),)


TAGGED = TaggingExample("u/1", "u", "en", ("Ann", "saw", "New", "York"), ("B-PER", "O", "B-LOC", "I-LOC"))


def test_words_may_come_and_go_with_their_tags_if_the_perturbation_says_so(tmp_path: Path) -> None:
    data = Dataset("panx", "en", "test", (TAGGED,))
    less = perturb_dataset(data, parse_spec("drop:1"), draw=0, fields=("words",))
    # "Ann" is an entity of one word: without it a label would be lost.
    assert less.dataset.examples == (TaggingExample("u/1", "u", "en", ("Ann", "York"), ("B-PER", "B-LOC")),)
    assert less.counts == {"label": 1}
    stored(less, data, tmp_path)
    more = perturb_dataset(data, parse_spec("hedge:1"), draw=0, fields=("words",))
    words = ("Ann", "well", "saw", "well", "New", "York")
    # Between New and York it would tear the entity.
    assert more.dataset.examples == (
        TaggingExample("u/1", "u", "en", words, ("B-PER", "ADV", "O", "ADV", "B-LOC", "I-LOC")),
    )
    assert more.counts == {"label": 1}
    stored(more, data, tmp_path)


def test_an_option_that_would_add_a_word_to_a_tagged_sentence_is_counted() -> None:
    new = perturb_example(TAGGED, parse_spec("spaced:1"), task="t", draw=0, fields=("words",))
    assert not new.changed
    assert new.counts == {"white space": 1}


def test_added_candidates_end_the_pool_and_are_a_table_of_their_own(tmp_path: Path) -> None:
    pool = Pool((Candidate("c1", "en", "abc"), Candidate("c2", "en", "xyz")))
    data = Dataset("tatoeba", "en", "test", (QueryExample("q", "q", "en", "what", ("c1",)),), pool)
    result = perturb_dataset(data, parse_spec("reversed-negatives:1"), draw=0, fields=("query",))
    assert [c.text for c in result.added] == ["cba", "zyx"]
    assert result.dataset.pool == Pool((*pool.candidates, *result.added))
    assert result.dataset.examples == data.examples
    assert result.pool_changed
    assert result.changed_share == 1
    assert result.changed_ids == frozenset()
    stored(result, data, tmp_path)


def test_a_check_ends_the_changes_at_the_first_that_violates_it_so_that_levels_nest() -> None:
    def at_most_two(pairs: object) -> list[bool]:
        assert isinstance(pairs, list)
        return [new.text.count("*") <= 2 for _, new in pairs]

    example = PairExample("p", "p", "en", "several rather long words stand here together", "")
    limit = Constraint("two stars", check=at_most_two)
    texts = []
    for severity in (0.1, 0.5, 1):
        spec = parse_spec("one-typo", severity=severity)
        new = perturb_example(example, spec, task="t", draw=2, fields=("first",), constraints=(limit,))
        assert isinstance(new.example, PairExample)
        texts.append(new.example.first)
        if severity == 1:
            assert new.counts == {"group": 32, "two stars": 5}
    assert texts[1].count("*") == 2
    assert texts[1] == texts[2]


def test_a_mask_keeps_sites_and_counts_them() -> None:
    def odd(passage: Passage, sites: object) -> list[bool]:
        return [passage.text[s.start] != "o" for s in sites]  # type: ignore[attr-defined]

    example = PairExample("p", "p", "en", "go on", "")
    new = perturb_example(
        example,
        parse_spec("one-typo:1"),
        task="t",
        draw=0,
        fields=("first",),
        constraints=(Constraint("no o", mask=odd),),
    )
    assert isinstance(new.example, PairExample)
    assert new.example.first == "*o o*"
    assert new.counts == {"no o": 2}


@pytest.mark.parametrize("severity", [0.3, 0.6, 0.9, 1])
def test_an_answer_never_begins_or_ends_with_white_space_and_is_never_blank(severity: float, tmp_path: Path) -> None:
    items = tuple(article(i, f"It is {i} a b c, they say.", "What?", f"{i} a b c") for i in range(60))
    data = Dataset("xquad", "en", "test", items)
    spec = parse_spec("delete-letters", severity=severity)
    result = perturb_dataset(data, spec, draw=0, fields=("context",))
    for new in result.dataset.examples:
        assert isinstance(new, SpanExample)
        (answer,) = new.answer_texts
        assert answer
        assert answer == answer.strip()
    assert severity < 0.9 or result.rejected
    stored(result, data, tmp_path)


def test_a_candidate_is_trimmed_like_an_answer() -> None:
    pool = Pool((Candidate("c1", "en", "a bcdef", "x a bcdef y", "p"),))
    data = Dataset("lareqa", "en", "test", (QueryExample("q", "q", "en", "what", ("c1",)),), pool)
    for draw in range(30):
        result = perturb_dataset(data, parse_spec("delete-letters:0.4"), draw=draw, fields=("pool",)).dataset
        assert result.pool is not None
        (candidate,) = result.pool.candidates
        assert candidate.text == candidate.text.strip() != ""
        assert candidate.text in candidate.context


@pytest.mark.parametrize(("name", "written"), [("accent", "the sea"), ("accent-alone", "the\u0301 se\u0301a")])
def test_what_declares_to_change_the_form_may_and_nothing_else(name: str, written: str) -> None:
    data = Dataset("t", "en", "test", (PairExample("p/0", "p", "en", "the sea", "x", 0),))
    spec = parse_spec(name, severity=1.0)
    (example,) = perturb_dataset(data, spec, draw=1, fields=("first",)).dataset.examples
    assert isinstance(example, PairExample)
    assert example.first == written
