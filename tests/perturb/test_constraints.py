"""Named constraints: what each forbids, on texts of several scripts and under every severity."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.examples import Dataset, Example, PairExample, Span, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.perturb.constraint import CONSTRAINTS, constraint_resources, parse_constraints, refusal_of
from crosswind.perturb.constraints.negation import negation_words, negations
from crosswind.perturb.damage import chrf
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.perturb.words import words
from crosswind.tasks.base import TASKS

SENTENCE = "In 1999 the 12 boys were not reading 3.5 great books."


def perturbed(
    examples: Sequence[Example], constraint: str, fields: Sequence[str], spec: str = "keyboard:1"
) -> PerturbedDataset:
    data = Dataset("xnli", examples[0].language, "test", tuple(examples), fingerprint="f")
    (named,) = parse_constraints([constraint])
    return perturb_dataset(data, parse_spec(spec), draw=1, fields=fields, constraints=(named.made(),))


def pair(text: str, language: str = "en", n: int = 0) -> PairExample:
    return PairExample(f"x/{n}", f"x/{n}", language, text, "", 0)


def first(data: PerturbedDataset) -> str:
    return data.examples[0].example.first  # type: ignore[union-attr]


def test_digits_stay_and_the_rest_changes() -> None:
    data = perturbed([pair(SENTENCE)], "digits", ("first",), "word-order:1")
    assert regex.findall(r"\d+(?:\.\d+)?", first(data)) == ["1999", "12", "3.5"]
    assert first(data) != SENTENCE
    assert data.examples[0].counts["digits"] > 0


@pytest.mark.parametrize(
    ("language", "text", "kept"),
    [
        ("en", "He isn't here and never was, without doubt; nothing noble.", ["n't", "never", "without", "nothing"]),
        ("de", "Niemand hat nichts gesehen, kein Mensch. Das Nichtige.", ["Niemand", "nichts", "kein"]),
        ("fr", "Il n'a pas vu le passeport.", ["n'", "pas"]),
        ("hi", "वह नहीं आया।", ["नहीं"]),
        ("zh", "他没有去。", ["没有"]),
        ("ha", "Ba zan tafi ba, babu ruwa; kada ka ji bako.", ["Ba", "ba", "babu", "kada"]),  # Newman 2000, chapter 48
        ("ru", "Он не знает, но небо синее.", ["не"]),
        ("th", "เขาไม่ไปโรงเรียน", ["ไม่"]),
    ],
)
def test_words_that_negate_are_whole_words_of_the_language(language: str, text: str, kept: list[str]) -> None:
    assert [text[a:b] for a, b in negations(text, language)] == kept


def test_words_that_negate_stay() -> None:
    text = "He has not seen the dog and never will."
    after = first(perturbed([pair(text)], "negation", ("first",)))
    assert " not " in after
    assert " never " in after
    assert after != text


def test_no_word_is_joined_to_one_that_negates() -> None:
    text = "He has not seen the dog."
    joined = perturbed([pair(text)], "negation", ("first",), "whitespace(mode=join):1")
    assert first(joined) == "Hehas not seenthedog."


def test_a_language_without_a_list_is_refused_and_the_lists_are_well_formed() -> None:
    named = parse_constraints(["negation"])
    assert refusal_of(named, TextScope("en")) is None
    assert refusal_of(named, TextScope("sw")) is None
    assert refusal_of(named, TextScope("cy")) == "the negating words of cy are not listed"
    every = {language for task in TASKS for language in task.languages}
    spoken = [language for language in sorted(every) if not language.startswith("q") or language == "qu"]
    assert len(spoken) >= 50
    assert [language for language in spoken if refusal_of(named, TextScope(language))] == []
    assert all(word == word.lower() for some in negation_words().values() for word in some)


def test_gold_answers_and_entities_stay() -> None:
    context = "The tower was built by Anna Schmidt in the old town."
    at = context.index("Anna Schmidt")
    span = SpanExample("q/0", "q/0", "en", "Who built it?", context, (Span(at, at + 12),))
    after = perturbed([span], "gold-answer", ("context",)).examples[0].example
    assert isinstance(after, SpanExample)
    assert after.answer_texts == ("Anna Schmidt",)
    assert after.context != context
    tagged = TaggingExample("t/0", "t/0", "en", ("Anna", "Schmidt", "reads", "books"), ("B-PER", "I-PER", "O", "O"))
    words_after = perturbed([tagged], "entity", ("words",)).examples[0].example
    assert isinstance(words_after, TaggingExample)
    assert words_after.words[:2] == ("Anna", "Schmidt")
    assert words_after.words[2:] != ("reads", "books")


def test_the_only_word_of_a_text_stays() -> None:
    data = perturbed([pair("Wonderful!"), pair("Wonderful day!", n=1)], "only-token", ("first",))
    assert [e.changed for e in data.examples] == [False, True]
    assert data.left_unperturbed == {"only-token": 1}


@pytest.mark.parametrize("least", [60, 90])
def test_chrf_never_falls_below_its_floor(least: int) -> None:
    data = perturbed([pair(SENTENCE)], f"chrf(least={least})", ("first",))
    assert least <= chrf(SENTENCE, first(data)) < 100


@given(st.floats(0.05, 1))
def test_no_more_words_are_hit_than_a_rate_allows(most: float) -> None:
    data = perturbed([pair(SENTENCE)], f"edit-rate(most={most:.3f})", ("first",))
    before, after = SENTENCE.split(), first(data).split()
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= round(most, 3) * len(words(SENTENCE, "en"))


def test_words_that_are_joined_are_hit() -> None:
    joined = perturbed(
        [pair("one two three four five six")], "edit-rate(most=0.4)", ("first",), "whitespace(mode=join):1"
    )
    assert first(joined).count(" ") == 4  # two of six words


def test_a_similarity_is_what_was_passed_in() -> None:
    (named,) = parse_constraints(["similarity(model=some/encoder,least=0.5)"])
    (need,) = named.needs()
    asked: list[tuple[str, str]] = []

    def similarity(pairs: Sequence[tuple[str, str]]) -> list[float]:
        asked.extend(pairs)
        return [0.4 if len(asked) > 3 else 0.6 for _ in pairs]

    data = Dataset("xnli", "en", "test", (pair(SENTENCE),), fingerprint="f")
    made = named.made({need: similarity})
    changed = perturb_dataset(data, parse_spec("swap:1"), draw=1, fields=("first",), constraints=(made,))
    assert sum(a != b for a, b in zip(SENTENCE.split(), first(changed).split(), strict=True)) <= 3
    assert asked[0][0] == SENTENCE
    with pytest.raises(UserError, match="needs its similarity, and it is not given"):
        named.made()


def test_constraints_are_parsed_sorted_and_printed() -> None:
    named = parse_constraints(["edit-rate(most=0.3)", "digits", "digits", "chrf(least=80)"])
    assert [str(c) for c in named] == ["chrf", "digits", "edit-rate(most=0.3)"]
    assert parse_constraints(map(str, named)) == named
    assert constraint_resources(named[1:2], TextScope("en")) == {"constraint/digits": "1"}
    assert {c.name for c in CONSTRAINTS} == {
        "chrf", "digits", "edit-distance", "edit-rate", "entity", "gold-answer", "negation", "only-token",
        "part-of-speech", "similarity",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("digit", "unknown constraint 'digit'"),
        ("chrf(most=3)", "unknown parameter of chrf 'most'"),
        ("chrf(least=101)", "least"),
        ("chrf:0.3", "unexpected ':'"),
        ("similarity", "the parameter 'model' is missing"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_constraints([text], where="perturb[0].constraints")


def test_levels_nest_under_a_constraint() -> None:
    small = perturbed([pair(SENTENCE)], "digits", ("first",), "swap:0.2")
    large = perturbed([pair(SENTENCE)], "digits", ("first",), "swap:0.6")
    changed = [{i for i, (a, b) in enumerate(zip(SENTENCE, first(d), strict=True)) if a != b} for d in (small, large)]
    assert changed[0] <= changed[1]
