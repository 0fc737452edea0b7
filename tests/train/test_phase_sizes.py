"""A phase's steps and lengths come from what it is trained on, not from what it was given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crosswind.data.examples import Candidate, Dataset, Pool, QueryExample, Span, SpanExample
from crosswind.model.encoder import load_encoder
from crosswind.steps.train import HeadParams, TrainParams, _Anew, _parts
from crosswind.tasks.refs import DataRef
from crosswind.train.budget import Budget
from crosswind.train.settings import Training


@dataclass(frozen=True)
class Given:
    """One data set, whatever is asked for."""

    data: Dataset

    def dataset(self, ref: DataRef) -> Dataset:
        return self.data


def parts_of(data: Dataset, kind: Any, encoder: Path, **training: Any) -> Any:
    heads = (HeadParams("t", kind, (), (DataRef("t", "en", "train"),)),)
    params = TrainParams(seed=1, training=Training(batch_size=2, **training), heads=heads, budget=Budget(epochs=1))
    given: Any = Given(data)
    return _parts(params, given, load_encoder(str(encoder)), None, _Anew(None, ()))


def test_questions_without_a_placed_answer_take_no_steps(tiny_encoder: Path) -> None:
    placed = [SpanExample(str(i), str(i), "en", "q", "a b", (Span(0, 1),)) for i in range(4)]
    lost = [SpanExample(f"u{i}", f"u{i}", "en", "q", "a b", (), unplaced=("c",)) for i in range(6)]
    parts = parts_of(Dataset("t", "en", "train", (*placed, *lost)), "span", tiny_encoder, max_length=32)
    assert len(parts.sources[0].lengths) == 4
    assert parts.steps == 2


def test_queries_are_cut_to_the_models_positions(tiny_encoder: Path) -> None:
    pool = Pool((Candidate("c", "en", "a"), Candidate("d", "en", "b")))
    queries = tuple(QueryExample(i, i, "en", "a b " * 900, (i,)) for i in "cd")
    parts = parts_of(Dataset("t", "en", "train", queries, pool), "query", tiny_encoder, query_length=1500)
    assert max(parts.sources[0].lengths) <= parts.encoder.max_positions
