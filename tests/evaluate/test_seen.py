"""How much of what a model sees a perturbation changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crosswind.data.examples import Candidate, ChoiceExample, PairExample, QueryExample, SpanExample, TaggingExample
from crosswind.evaluate.predict import Predictor
from crosswind.evaluate.seen import compared, tokens_embedded, tokens_seen
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from tiny_models import write_encoder

LABELS: dict[Any, tuple[str, ...]] = {"pair": ("yes", "no"), "tagging": ("NOUN", "VERB")}
WORDS = [f"w{i} the house by the river" for i in range(12)]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_encoder(str(write_encoder(Path(tmp_path_factory.mktemp("seen")) / "tiny", "xlm-roberta")), seed=1)


def predictor(encoder: Any, kind: Any, max_length: int = 128) -> Predictor:
    return Predictor(encoder, attach(encoder, kind, LABELS.get(kind, ()), seed=1), max_length=max_length, stride=16)


def pieces(encoder: Any, text: str) -> list[int]:
    return list(encoder.tokenizer(text, add_special_tokens=False)["input_ids"])


@pytest.mark.parametrize(
    ("clean", "perturbed", "differ", "tokens"),
    [
        ((1, 2, 3, 4), (1, 2, 3, 4), 0, 4),
        ((1, 2, 3, 4), (1, 9, 3, 4), 1, 4),  # one exchanged
        ((1, 2, 3, 4), (1, 2, 8, 9, 3, 4), 2, 6),  # two put in
        ((1, 2, 3, 4), (1, 4), 2, 4),  # two taken out
        ((1, 2, 3), (3, 1, 2), 1, 3),  # one moved
        ((1, 2), (), 2, 2),
        ((), (5,), 1, 1),
        ((), (), 0, 0),
        (tuple(range(100)), tuple(range(1, 101)), 1, 100),  # longer than a machine word
    ],
)
def test_tokens_differ_that_no_longest_common_subsequence_has(
    clean: tuple[int, ...], perturbed: tuple[int, ...], differ: int, tokens: int
) -> None:
    count = compared([(clean, perturbed)])
    assert (count.differ, count.tokens) == (differ, tokens)


def test_the_share_is_of_the_tokens_of_all_pairs_together() -> None:
    assert compared([((1, 2, 3), (1, 2, 3)), ((4,), (5,))]).share == 0.25
    assert compared([]).share == 0.0


def test_special_tokens_are_not_counted_and_unknown_ones_are(encoder: Any) -> None:
    example = PairExample("a", "a", "en", "the house ☃", "the river", 0)
    (seen,) = tokens_seen(predictor(encoder, "pair"), [example])
    assert list(seen) == pieces(encoder, "the house ☃") + pieces(encoder, "the river")


@pytest.mark.parametrize(
    ("kind", "example", "text"),
    [
        ("choice", ChoiceExample("a", "a", "en", "the house", "", ("the river", "the old"), 0), None),
        ("tagging", TaggingExample("a", "a", "en", tuple(" ".join(WORDS).split())), " ".join(WORDS)),
        ("query", QueryExample("a", "a", "en", "the house", ("b",)), "the house"),
        ("span", SpanExample("a", "a", "en", "the river", " ".join(WORDS), ()), "the river " + " ".join(WORDS)),
    ],
)
def test_every_token_of_every_window_is_seen_once(encoder: Any, kind: Any, example: Any, text: str | None) -> None:
    cut = predictor(encoder, kind, max_length=48)
    (seen,) = tokens_seen(cut, [example])
    if text is None:  # the prompt stands before every choice
        assert list(seen) == [i for x in ("the house", "the river", "the house", "the old") for i in pieces(encoder, x)]
    else:
        assert list(seen) == [i for word in text.split() for i in pieces(encoder, word)]


def test_what_is_cut_is_not_seen(encoder: Any) -> None:
    long = PairExample("a", "a", "en", " ".join(WORDS), "the house", 0)
    end = replace(long, first=" ".join([*WORDS[:-1], "another end of it"]))
    cut = predictor(encoder, "pair", max_length=24)
    assert tokens_seen(cut, [long]) == tokens_seen(cut, [end])


def test_candidates_are_seen_with_their_context(encoder: Any) -> None:
    both = tokens_embedded(predictor(encoder, "query"), [Candidate("b", "en", "the house", "the house by the river")])
    assert list(both[0]) == pieces(encoder, "the house") + pieces(encoder, "the house by the river")
