"""A model's classes under a task's names: by name, said, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from crosswind.errors import UserError
from crosswind.model.labels import ClassMap, map_classes

NLI = ("entailment", "neutral", "contradiction")
NER = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
POS = ("ADJ", "NOUN", "PROPN", "PUNCT", "VERB", "X")


def mapped(kind: Any, named: tuple[str, ...], labels: tuple[str, ...], *given: str) -> ClassMap:
    return map_classes(kind, named, labels, source="their-model", given=given)


def test_classes_of_the_tasks_names_are_read_without_a_word_in_any_order() -> None:
    found = mapped("pair", ("contradiction", "entailment", "neutral"), NLI)
    assert found == ClassMap(("contradiction", "entailment", "neutral"))
    assert (found.notes, found.signature) == ((), {})


@pytest.mark.parametrize(
    "named", [("LABEL_0", "LABEL_1", "LABEL_2"), ("0", "1", "2"), ("label 0", "label 1", "label 2"), ("1", "2", "3")]
)
def test_classes_without_names_are_refused_unless_the_user_names_them(named: tuple[str, ...]) -> None:
    with pytest.raises(
        UserError, match=r"the classes of 'their-model' have no names \(.*\), and their order is not"
    ) as e:
        mapped("pair", named, NLI)
    assert "--labels entailment,neutral,contradiction" in str(e.value)
    found = mapped("pair", named, NLI, "contradiction", "neutral", "entailment")
    assert found.labels == ("contradiction", "neutral", "entailment")


def test_one_class_without_a_name_among_others_is_refused_too() -> None:
    with pytest.raises(UserError, match="have no names"):
        mapped("tagging", (*NER, "LABEL_7"), NER)


def test_a_task_whose_labels_are_numbers_knows_them_by_name() -> None:
    assert mapped("pair", ("LABEL_1", "LABEL_0"), ("0", "1")).labels == ("1", "0")


def test_spellings_that_are_plainly_the_tasks_are_mapped_noted_and_signed() -> None:
    found = mapped("pair", ("CONTRADICT", " Entailment ", "neutral"), NLI)
    assert found.labels == ("contradiction", "entailment", "neutral")
    assert found.notes == (
        "The model's classes were read as the task's: CONTRADICT as contradiction, Entailment as entailment.",
    )
    assert found.signature == {"classes_read": "CONTRADICT>contradiction, Entailment >entailment"}
    tags = ("O", "B-person", "I-Person", "B_organisation", "I-organization", "b-location", "I-LOC ")
    assert mapped("tagging", tags, NER).labels == NER
    assert mapped("pair", ("paraphrase", "not_paraphrase"), ("different", "paraphrase")).labels == (
        "paraphrase",
        "different",
    )


def test_a_name_that_only_begins_like_a_label_is_not_mapped() -> None:
    """OntoNotes has PERCENT, which is no person."""
    found = mapped("tagging", (*NER, "B-PERCENT", "I-PERCENT"), NER)
    assert found.labels == (*NER, "O", "O")
    assert found.extra == ("B-PERCENT", "I-PERCENT")


def test_classes_beyond_the_tasks_are_never_right_noted_and_signed() -> None:
    conll = ("O", "B-MISC", "I-MISC", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
    found = mapped("tagging", conll, NER)
    assert found.labels == ("O", "O", "O", *NER[1:])
    assert found.notes == ("The model has 2 classes that the task has not (B-MISC, I-MISC), which are read as O.",)
    assert found.signature == {"classes_beyond": "B-MISC,I-MISC"}
    assert mapped("tagging", (*POS, "_"), POS).labels == (*POS, "O")
    pair = mapped("pair", ("entailment", "neutral", "contradiction", "hidden"), NLI)
    assert pair.labels == (*NLI, "")
    assert pair.notes == ("The model has 1 class that the task has not (hidden), which is never right.",)


def test_tags_that_mark_ends_and_single_words_are_read_in_iob2() -> None:
    iobes = mapped("tagging", (*tuple(f"{p}-{t}" for t in ("PER", "ORG", "LOC") for p in "BIES"), "O", "S-MISC"), NER)
    assert iobes.labels[:4] == ("B-PER", "I-PER", "I-PER", "B-PER")
    assert iobes.labels[-2:] == ("O", "O")
    assert iobes.extra == ("S-MISC",)
    assert "E-PER as I-PER, S-PER as B-PER" in iobes.notes[0]
    bilou = mapped("tagging", ("O", *(f"{p}_{t}" for p in "BILU" for t in ("per", "org", "loc"))), NER)
    assert bilou.labels[7::3] == ("I-PER", "B-PER")
    assert mapped("pair", (*NLI, "s-neutral"), NLI).extra == ("s-neutral",)  # classes of texts have no borders


def test_fewer_classes_are_refused_and_the_missing_ones_named() -> None:
    with pytest.raises(UserError, match=r"are entailment, contradiction; none of them is neutral, and the task has"):
        mapped("pair", ("entailment", "contradiction"), NLI)
    with pytest.raises(UserError, match=r"none of them is B-ORG, I-ORG"):
        mapped("tagging", ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"), NER)


def test_two_classes_of_one_label_are_refused() -> None:
    with pytest.raises(UserError, match=r"2 classes for contradiction: 'contradict', 'contradiction'"):
        mapped("pair", ("entailment", "neutral", "contradict", "contradiction"), NLI)


def test_labels_name_every_class_and_may_name_more_than_the_tasks() -> None:
    with pytest.raises(UserError, match="has 3 classes, and labels names 2"):
        mapped("pair", ("LABEL_0", "LABEL_1", "LABEL_2"), NLI, "entailment", "neutral")
    named = tuple(f"LABEL_{i}" for i in range(4))
    assert mapped("pair", named, NLI, "other", *NLI).labels == ("", *NLI)


def test_choice_and_span_heads_have_no_classes_to_name() -> None:
    assert mapped("choice", ("LABEL_0",), ("0", "1")).labels == ("0", "1")
    assert mapped("span", ("LABEL_0", "LABEL_1"), ()).labels == ()
