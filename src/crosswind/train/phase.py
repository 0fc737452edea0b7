"""What the parts of a phase have in common: seeds of heads, shares, what is trained, what is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from torch import nn

from crosswind.data.examples import Kind
from crosswind.model.encoder import Encoder
from crosswind.model.heads import Head
from crosswind.run.step import digest
from crosswind.train.objective import Objective


def head_seed(seed: int, name: str, kind: Kind) -> int:
    """The seed of a task's new head, from the pipeline seed, the task and its kind alone.

    So routes of one pipeline seed begin their target phase with the same head.
    """
    return int(digest([seed, name, kind])[:15], 16)


def modules_of(encoder: Encoder, heads: Mapping[str, Head]) -> dict[str, nn.Module]:
    """What the loop trains, by the names under which checkpoints keep it: the encoder and `head-NAME` of each head."""
    return {"encoder": encoder.modules(), **{f"head-{name}": head.module for name, head in heads.items()}}


def frozen_parameters(encoder: Encoder, freeze: str) -> list[nn.Parameter]:
    """The parameters that `freeze` (`nothing` or `embeddings`) keeps as they are."""
    return list(encoder.backbone.get_input_embeddings().parameters()) if freeze == "embeddings" else []


def mean_tokens(sources: Sequence[Objective]) -> float:
    """Non-padding tokens an example, over all sources."""
    tokens = sum(len(r) for s in sources for i in range(len(s.lengths)) for r in s.rows(i))
    return tokens / sum(len(s.lengths) for s in sources)


def with_masked_lm(steps: int, shares: Sequence[float], share: float) -> tuple[int, list[float]]:
    """The steps and shares of a phase after masked LM came on top of `steps` labelled ones, as `share` of all."""
    return round(steps / (1 - share)), [s * (1 - share) for s in shares] + [share]


def selection_head(heads: Mapping[str, Head], names: Iterable[str | None], kind: Kind, labels: Sequence[str]) -> Head:
    """The head that a selection task judges: that of the first of `names` (the task, what it is trained on) that
    is there and of its kind; else one with its labels; else one of its kind.
    """
    for name in names:
        if name is not None and name in heads and heads[name].kind == kind:
            return heads[name]
    alike = [h for h in heads.values() if h.kind == kind]
    return next((h for h in alike if h.labels == tuple(labels)), alike[0])
