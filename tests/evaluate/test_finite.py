"""Between the forward pass and the metric every value is a number, or the step says which is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.evaluate.judge import fit, judge
from crosswind.evaluate.metrics.accuracy import ACCURACY
from crosswind.evaluate.metrics.base import Metric, mean_of
from crosswind.evaluate.predict import Predictor, embed_pool
from crosswind.evaluate.ranking import rank
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from tiny_models import TEXTS, write_encoder

POOL = Pool((Candidate("d0", "en", TEXTS[0]), Candidate("d1", "en", TEXTS[1])))
EXAMPLES: dict[Any, Any] = {
    "pair": PairExample("nli/test/7", "c", "en", TEXTS[0], TEXTS[1], 0),
    "choice": ChoiceExample("copa/test/7", "c", "en", TEXTS[0], "Why?", ("it", "they"), 0),
    "tagging": TaggingExample("ner/test/7", "c", "en", tuple(TEXTS[0].split())),
    "span": SpanExample("qa/test/7", "c", "en", "Who jumps?", TEXTS[0], (Span(4, 9),)),
    "query": QueryExample("tatoeba/test/7", "c", "en", TEXTS[2], ("d0",)),
}
LABELS: dict[Any, tuple[str, ...]] = {"pair": ("yes", "no"), "tagging": ("O", "B-PER")}
OUTPUTS = {
    "pair": "a class's score of nli/test/7",
    "choice": "the score of a choice of copa/test/7",
    "tagging": "a tag's score of ner/test/7",
    "span": "the score of a start or an end of qa/test/7",
    "query": f"the embedding of the text {TEXTS[2]!r}",
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_encoder(tmp_path_factory.mktemp("encoder"), "xlm-roberta"))


@pytest.fixture
def broken(checkpoint: str) -> Callable[..., Predictor]:
    """A model of a kind with one value in the last bias of its encoder."""

    def make(kind: Any, value: float) -> Predictor:
        encoder = load_encoder(checkpoint)
        layers: Any = encoder.backbone.encoder
        with torch.no_grad():
            layers.layer[-1].output.dense.bias[3] = value
        return Predictor(encoder, attach(encoder, kind, LABELS.get(kind, ()), seed=1), name="xlmr-broken")

    return make


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("kind", EXAMPLES)
def test_one_bias_that_is_no_number_stops_every_kind_and_names_model_example_and_layer(
    kind: str, value: float, broken: Callable[..., Predictor]
) -> None:
    predictor = broken(kind, value)
    vectors = np.zeros((2, 16), dtype=np.float32) if kind == "query" else None
    with pytest.raises(UserError) as caught:
        predictor.predict([EXAMPLES[kind]], POOL if kind == "query" else None, vectors)
    said = caught.value.what
    assert re.match(r"xlmr-broken gives (nan|-?inf) as ", said)
    assert OUTPUTS[kind] in said
    assert said.endswith("the first layer to do so is " + _layer(predictor))


def _layer(predictor: Predictor) -> str:
    names = [n for n, _ in predictor.head.module.named_modules() if n.endswith("encoder.layer.1.output.dense")]
    assert len(names) == 1
    return names[0]


def test_a_pool_that_is_no_numbers_names_the_candidates_text(broken: Callable[..., Predictor]) -> None:
    with pytest.raises(UserError, match=r"the embedding of the text 'The quick brown fox"):
        embed_pool(broken("query", float("inf")), POOL)


def test_what_stands_at_padding_is_nobodys(checkpoint: str) -> None:
    """Some architectures write infinities to masked positions."""
    encoder = load_encoder(checkpoint)
    head = attach(encoder, "span", (), seed=1)
    clean = Predictor(encoder, head).predict([EXAMPLES["span"]])

    def masked(module: Any, args: Any, kwargs: Any, output: Any) -> Any:
        output.start_logits = output.start_logits.masked_fill(kwargs["attention_mask"] == 0, float("-inf"))
        return output

    hook = head.module.register_forward_hook(masked, with_kwargs=True)
    assert Predictor(encoder, head).predict([EXAMPLES["span"]]) == clean
    hook.remove()


def test_the_answer_to_an_empty_context_has_a_score_that_is_a_number(checkpoint: str) -> None:
    encoder = load_encoder(checkpoint)
    empty = SpanExample("e", "c", "en", "Who?", "", ())
    (record,) = Predictor(encoder, attach(encoder, "span", (), seed=1)).predict([empty])
    assert np.isfinite(record["score"])


def test_vectors_that_are_no_numbers_are_not_ranked() -> None:
    vectors = np.eye(2, dtype=np.float32)
    with pytest.raises(ValueError, match="ranking takes finite vectors"):
        rank(vectors, np.array([[1, 0], [np.nan, 0]], dtype=np.float32), [[0], [0]])


def test_a_stored_score_that_is_no_number_is_judged_by_no_metric_and_fits_no_threshold() -> None:
    example = EXAMPLES["pair"]
    prediction = {"predicted": 0, "scores": [0.5, float("nan")]}
    with pytest.raises(UserError, match=r"a score of nli/test/7 is not finite"):
        judge(ACCURACY, [example], [prediction], where="nli")
    fitting = Metric(
        name="fitting",
        version=1,
        columns=("correct", "n"),
        scores={"accuracy": mean_of(0, 1)},
        judge=ACCURACY.judge,
        kinds=("pair",),
        fit=lambda examples, predictions: {"threshold": max(p["scores"][0] for p in predictions)},
    )
    with pytest.raises(UserError, match="a score of nli/test/7 is not finite"):
        fit(fitting, [example], [prediction], where="nli")
    with pytest.raises(UserError, match="fitted threshold = inf"):
        fit(
            Metric(**{**fitting.__dict__, "fit": lambda examples, predictions: {"threshold": float("inf")}}),
            [example],
            [{"predicted": 0, "scores": [0.5, 0.1]}],
            where="nli",
        )
