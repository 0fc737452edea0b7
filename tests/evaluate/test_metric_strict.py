"""Strict IOB2 entities as seqeval 1.2.2 has them, against a reference that is made of its pattern tables."""

from __future__ import annotations

import random

import pytest

from crosswind.data.examples import TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.judge import judge
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.metrics.strict_tagging import strict_entities, strict_statistics

STRICT = METRICS["seqeval-f1-strict"]

# (prefix before, prefix, whether the types must be the same): the tables of the class IOB2 in seqeval 1.2.2, scheme.py.
START = {(p, "B", None) for p in "BIO"}
INSIDE = {("B", "I", True), ("I", "I", True)}
END = {(p, q, None) for p in "BI" for q in "OB"} | {(p, "I", False) for p in "BI"}


def matches(before: str, tag: str, table: set[tuple[str, str, bool | None]]) -> bool:
    """Whether two neighbouring tags are in a table; a type is what follows the letter, stripped of hyphens."""
    same = (before[1:].strip("-") or "_") == (tag[1:].strip("-") or "_")
    return any(before[0] == p and tag[0] == q and want in (None, same) for p, q, want in table)


def reference(tags: list[str]) -> list[tuple[str, int, int]]:
    """`Tokens.entities` of seqeval 1.2.2: walk from start to start, keep what ends by the table."""
    extended = [*tags, "O"]
    entities, i, before = [], 0, "O"
    while i < len(extended):
        if matches(before, extended[i], START):
            end = i + 1
            while matches(extended[end - 1], extended[end], INSIDE):
                end += 1
            if matches(extended[end - 1], extended[end], END):
                entities.append((extended[i][1:].strip("-") or "_", i, end - 1))
            i = end
        else:
            i += 1
        before = extended[i - 1]
    return entities


TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B", "I", "B--X-", "I-X", "B-A-B", "I-A-B")


def test_ten_thousand_random_sequences_have_the_entities_of_the_reference() -> None:
    """The real seqeval 1.2.2 was compared once on 10,000 such pairs: f1, precision and recall had no difference."""
    rng = random.Random(1)
    for _ in range(10_000):
        tags = rng.choices(TAGS, [rng.choice((1, 1, 3)) for _ in TAGS], k=rng.randint(1, 12))
        assert strict_entities(tags) == reference(tags)


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        ("B-PER I-PER O", [("PER", 0, 1)]),
        ("I-PER I-PER O", []),  # the default mode has an entity here
        ("B-PER I-LOC", [("PER", 0, 0)]),
        ("B-PER I-LOC I-PER", [("PER", 0, 0)]),
        ("B-PER B-PER", [("PER", 0, 0), ("PER", 1, 1)]),
        ("O I-LOC B-LOC I-LOC", [("LOC", 2, 3)]),
    ],
)
def test_an_entity_is_a_b_tag_and_what_continues_it(tags: str, entities: list[tuple[str, int, int]]) -> None:
    assert strict_entities(tags.split()) == entities


def test_strict_scores_differ_from_the_default_where_an_entity_begins_with_i() -> None:
    """By hand: gold has 2 entities, the prediction 1 in strict mode (right) and 2 in the default (both right)."""
    gold = [["B-PER", "I-PER", "O", "B-LOC"]]
    predicted = [["B-PER", "I-PER", "O", "I-LOC"]]
    assert STRICT.all_scores(strict_statistics(predicted, gold)) == {
        "f1": pytest.approx(100 * 2 / 3),
        "precision": 100.0,
        "recall": 50.0,
        "token_accuracy": 75.0,
    }
    examples = [TaggingExample("a", "a", "en", ("w",) * 4, tuple(gold[0]))]
    default = judge(METRICS["seqeval-f1"], examples, [{"tags": predicted[0]}], where="panx")
    assert METRICS["seqeval-f1"].all_scores(default.statistics)["f1"] == 100.0


def test_tags_of_another_scheme_are_refused() -> None:
    examples = [TaggingExample("a", "a", "en", ("w",), ("NOUN",))]
    with pytest.raises(UserError, match="'NOUN' is no tag of the scheme IOB2"):
        judge(STRICT, examples, [{"tags": ["NOUN"]}], where="udpos")
