"""Predictions of every kind, the same bytes whatever else is predicted beside them.

Every forward pass has a canonical shape: a length rounded up to a multiple of 16, by the number of rows that goes with
it (`Predictor.height`), filled up with dummies. A row's outputs then do not depend on its neighbours (bit for bit:
measured on CPU in fp32 and bf16), so cells may be grouped, split and resumed at will. Ties go to the lower index.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, assert_never

import numpy as np
import torch

from crosswind.data.examples import (
    ChoiceExample,
    Example,
    Kind,
    PairExample,
    Pool,
    QueryExample,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.evaluate.grid import Floats
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.ranking import rank
from crosswind.model.encoder import Encoder
from crosswind.model.finite import first_not_finite
from crosswind.model.heads import Head
from crosswind.model.labels import NO_CLASS
from crosswind.model.lengths import LENGTHS, overlap
from crosswind.model.memory import names_memory
from crosswind.model.offsets import Ints
from crosswind.model.rows import (
    Padding,
    Row,
    encode_choices,
    encode_pairs,
    encode_spans,
    encode_tagging,
    encode_texts,
    pad,
    query_text,
)
from crosswind.perturb.graphemes import whole_clusters

HEIGHT = 16  # rows of a forward pass on an accelerator
GRAIN = 16  # lengths are rounded up to a multiple of this
N_BEST = 20  # start and end candidates of a window (XTREME, run_squad)
ANSWER_TOKENS = 30  # longest answer (XTREME, run_squad)
POOL_BLOCK = 16_384  # candidates that are embedded and written at once
REMEMBERED = 32_768  # predictions or vectors that a predictor keeps: vectors of 1024 numbers are 128 MiB


Shape = tuple[int, bool, int]
"""Length in tokens, whether the row fills it, and what else the head tells apart."""


class Predictor:
    """A model with its head, ready to predict.

    The latest `remembered` predictions are kept by the example's texts: what a perturbation left
    unchanged is not predicted again. `precision` is `fp32` or `bf16`; lengths are tokens (default: the kind's; never
    more than the model has positions), `query_length` that of queries (default: `max_length`, which is that of
    candidates and of all other rows), `stride` how many of them two windows of a context share; `labels` are the
    task's classes, in whose order pair predictions are given (default: the head's); `name` is what errors call it.

    Every output of a forward pass is finite, or a `UserError` names the model, the example and the layer.
    """

    def __init__(
        self,
        encoder: Encoder,
        head: Head,
        *,
        max_length: int | None = None,
        query_length: int | None = None,
        stride: int | None = None,
        precision: str = "fp32",
        device: torch.device | None = None,
        unanswerable: bool = False,
        labels: Sequence[str] = (),
        remembered: int = REMEMBERED,
        name: str = "the model",
    ) -> None:
        self.encoder, self.head, self.name = encoder, head, name
        # Somebody else's model may have the task's classes in another order.
        self._order: Any = [head.labels.index(x) for x in labels] if labels and head.kind == "pair" else slice(None)
        self._beyond = [i for i, label in enumerate(head.labels) if head.kind == "pair" and label == NO_CLASS]
        self.max_length = min(max_length or LENGTHS[head.kind], encoder.max_positions)
        self.set_query_length(query_length)
        self.stride = overlap(stride, self.max_length)
        self.precision, self.unanswerable = precision, unanswerable
        self.device = device or torch.device("cpu")
        head.module.to(self.device)
        self._memory: _Memory = _Memory(remembered)

    def set_query_length(self, tokens: int | None) -> None:
        """Cut the queries of retrieval at so many tokens; None: as other texts."""
        self.query_length = self.max_length if tokens is None else min(tokens, self.encoder.max_positions)

    def predict(
        self, examples: Sequence[Example], pool: Pool | None = None, vectors: Floats | None = None
    ) -> list[Prediction]:
        """A record for each example, in order. Query examples need a pool and its `vectors`."""
        if self.head.kind == "query":
            assert pool is not None
            assert vectors is not None
            return self._rank(examples, pool, vectors)
        by_content = {_content(e): e for e in examples}
        records = self._remembered(list(by_content), lambda fresh: self._predict([by_content[k] for k in fresh]))
        return [records[_content(e)] for e in examples]

    def embed(
        self, texts: Sequence[str], contexts: Sequence[str] | None = None, *, max_length: int | None = None
    ) -> Floats:
        """Unit vectors `(texts, width)` of texts cut at `max_length` (default: the predictor's).

        A text may come with its context (LAReQA's candidates).
        """
        contexts = contexts or [""] * len(texts)
        length = self.max_length if max_length is None else max_length
        prefix = self.head.pooling.prefix if self.head.pooling else ""
        keys = [(text, context, length) for text, context in zip(texts, contexts, strict=True)]

        def embed_fresh(fresh: Sequence[tuple[str, str, int]]) -> list[Floats]:
            firsts, seconds = [prefix + text for text, _, _ in fresh], [context for _, context, _ in fresh]
            rows = encode_texts(self.encoder.tokenizer, firsts, length, seconds)
            # A copy, so that the memory does not keep the whole output of a forward pass for one of its rows.
            return self.forward(rows, lambda row, out: out.copy(), [f"the text {text[:60]!r}" for text, _, _ in fresh])

        vectors = self._remembered(list(dict.fromkeys(keys)), embed_fresh)
        return np.stack([vectors[k] for k in keys])

    def _remembered(self, keys: Sequence[Any], make: Callable[[Sequence[Any]], Sequence[Any]]) -> dict[Any, Any]:
        """The values of the keys: those in memory, and the others as `make` makes them."""
        values = {k: self._memory[k] for k in keys if k in self._memory}
        fresh = [k for k in keys if k not in values]
        if fresh:
            made = dict(zip(fresh, make(fresh), strict=True))
            self._memory.update(made)
            values |= made
        return values

    def forward(self, rows: Sequence[Row], read: Callable[[Row, Floats], Any], names: Sequence[str]) -> list[Any]:
        """Run the rows in canonical shapes; `read` takes what is kept of a row's output.

        The output is `(length, …)` for tagging and span, `(classes,)`, `()` or `(width,)` otherwise. `names` are what
        errors call the owners of rows.
        """
        by_length: dict[Shape, list[int]] = defaultdict(list)
        padding = Padding.of(self.encoder.tokenizer)
        for i, row in enumerate(rows):
            by_length[self.shape(row)].append(i)
        results: list[Any] = [None] * len(rows)
        module = self.head.module
        training = module.training
        module.eval()
        with torch.inference_mode(), self._autocast():
            for (length, *_), members in sorted(by_length.items()):
                height = self.height(length)
                for begin in range(0, len(members), height):
                    part = members[begin : begin + height]
                    batch = pad([rows[i] for i in part], padding, height=height, length=length)
                    inputs = {k: v.to(self.device) for k, v in batch.items()}
                    with self._memory_errors(length):
                        out = self.head(inputs).float().cpu().numpy()
                    for number, i in enumerate(part):
                        # What stands at padding is nobody's; some architectures write infinities there.
                        mine = out[number][: len(rows[i])] if self.head.kind in ("tagging", "span") else out[number]
                        if not np.isfinite(mine).all():
                            raise self._not_finite(inputs, names[rows[i].owner], mine)
                        results[i] = read(rows[i], out[number])
        module.train(training)
        return results

    def shape(self, row: Row) -> Shape:
        """The canonical shape of a row: rows of one shape share a forward pass of `height` rows.

        Rows that fill their length go apart: a batch without any padding may take another way through the model.
        """
        length = min(-(-len(row) // GRAIN) * GRAIN, max(self.encoder.max_positions, len(row)))
        return length, len(row) == length, self.head.group(row)

    def height(self, length: int) -> int:
        """The rows of every forward pass of a length: missing ones are filled up, so that the shape is always the same.

        One thread of a CPU gains nothing from more rows than these (benchmarks/README.md), and few rows fill them.
        """
        if self.device.type != "cpu":
            return HEIGHT
        return 8 if length <= 32 else 4

    def _not_finite(self, inputs: dict[str, torch.Tensor], name: str, output: Floats) -> UserError:
        value = output[~np.isfinite(output)][0]
        layer = first_not_finite(self.head, inputs)
        hint = "its weights are damaged, or numbers grow too large" + (
            "; predict in fp32" if self.precision == "bf16" else ""
        )
        what = f"{self.name} gives {value} as {_OUTPUTS[self.head.kind]} of {name}; the first layer to do so is {layer}"
        return UserError(what, where="MODEL", hint=hint)

    def _autocast(self) -> Any:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16")

    def _memory_errors(self, length: int) -> contextlib.AbstractContextManager[None]:
        hint = f"lower max_length (now {self.max_length}), or take a machine with more memory"
        what = f"predictions of {self.height(length)} rows of {length} tokens"
        return names_memory(what, where="max_length", hint=hint)

    def _predict(self, examples: Sequence[Any]) -> list[Prediction]:
        tokenizer = self.encoder.tokenizer
        names = [e.id for e in examples]
        match self.head.kind:
            case "pair":
                rows = encode_pairs(tokenizer, examples, self.max_length)
                return self.forward(rows, lambda row, out: _classified(out[self._order], out[self._beyond]), names)
            case "choice":
                rows = encode_choices(tokenizer, examples, self.max_length)
                scores: list[list[float]] = [[] for _ in examples]
                for row, score in zip(rows, self.forward(rows, lambda row, out: float(out), names), strict=True):
                    scores[row.owner].append(score)
                return [_classified(np.array(s, dtype=np.float32)) for s in scores]
            case "tagging":
                rows = encode_tagging(tokenizer, examples, self.max_length)
                tags: list[list[str]] = [[] for _ in examples]
                best = self.forward(rows, lambda row, out: out[row.positions].argmax(-1), names)
                for row, picked in zip(rows, best, strict=True):
                    tags[row.owner] += [self.head.labels[i] for i in picked]
                return [{"tags": t} for t in tags]
            case "span":
                rows = encode_spans(tokenizer, examples, self.max_length, self.stride)
                windows: list[list[_WindowSpan]] = [[] for _ in examples]
                for row, span in zip(rows, self.forward(rows, _best_span, names), strict=True):
                    windows[row.owner].append(span)
                return [self._answer(e, spans) for e, spans in zip(examples, windows, strict=True)]
            case "query":
                raise ValueError("queries are ranked against a pool")
            case other:
                assert_never(other)

    def rows(self, examples: Sequence[Any]) -> list[Row]:
        """The rows that the model sees of examples (not of queries), in their order."""
        tokenizer = self.encoder.tokenizer
        match self.head.kind:
            case "pair":
                return encode_pairs(tokenizer, examples, self.max_length)
            case "choice":
                return encode_choices(tokenizer, examples, self.max_length)
            case "tagging":
                return encode_tagging(tokenizer, examples, self.max_length)
            case "span":
                return encode_spans(tokenizer, examples, self.max_length, self.stride)
            case "query":
                raise ValueError("queries are embedded")
            case other:
                assert_never(other)

    def outputs(self, examples: Sequence[Any], rows: Sequence[Row] | None = None) -> list[list[tuple[Row, Floats]]]:
        """The rows of each example (not of a query) and what the head gives for each, in the shapes of `Head`.

        Of a tagged sentence and of a question the tokens of the row alone; `in_order` sorts the classes of a pair.
        `rows` are theirs, where they are known.
        """
        rows = self.rows(examples) if rows is None else rows
        by_token = self.head.kind in ("tagging", "span")

        def read(row: Row, out: Floats) -> Floats:
            return (out[: len(row)] if by_token else out).copy()

        given: list[list[tuple[Row, Floats]]] = [[] for _ in examples]
        for row, out in zip(rows, self.forward(rows, read, [e.id for e in examples]), strict=True):
            given[row.owner].append((row, out))
        return given

    def in_order(self, scores: Floats) -> Floats:
        """A pair's scores `(classes,)` of the head in the order of the task's classes."""
        ordered: Floats = scores[self._order]
        return ordered

    def read(self, example: Any, outputs: Sequence[tuple[Row, Floats]]) -> Prediction:
        """The prediction of an example from its `outputs`: what `predict` gives for it."""
        match self.head.kind:
            case "pair":
                ((_, out),) = outputs
                return _classified(out[self._order], out[self._beyond])
            case "choice":
                return _classified(np.array([float(out) for _, out in outputs], dtype=np.float32))
            case "tagging":
                best = (out[row.positions].argmax(-1) for row, out in outputs)
                return {"tags": [self.head.labels[i] for picked in best for i in picked]}
            case "span":
                return self._answer(example, [_best_span(row, out) for row, out in outputs])
            case "query":
                raise ValueError("queries are ranked against a pool")
            case other:
                assert_never(other)

    def _answer(self, example: SpanExample, windows: Sequence[_WindowSpan]) -> Prediction:
        """The best span over the windows, those first that have one among their n best.

        No answer where the null score of every window beats it.
        """
        score, _, start, end, _ = max(windows, key=lambda f: (f[4], f[0]))
        if self.unanswerable and min(null for _, null, *_ in windows) > score:
            return {"text": "", "start": 0, "end": 0, "score": score}
        text, start, end = answer_text(example.context, start, end)
        return {"text": text, "start": start, "end": end, "score": score}

    def _rank(self, examples: Sequence[Any], pool: Pool, vectors: Floats) -> list[Prediction]:
        queries = self.embed([query_text(e) for e in examples], max_length=self.query_length)
        gold = [[pool.index[g] for g in e.gold if g in pool.index] for e in examples]
        return [
            {
                "top": [pool.candidates[int(i)].id for i in ranked.top],
                "scores": ranked.scores.tolist(),
                "ranks": list(ranked.ranks),
                "pool": len(pool),
            }
            for ranked in rank(queries, vectors, gold)
        ]


def answer_text(context: str, start: int, end: int) -> tuple[str, int, int]:
    """The text of an answer between two tokens' offsets, and where it lies.

    White space at its ends goes. It begins and ends with whole grapheme clusters: a tokenizer that composes
    what is written decomposed (Korean in NFD) ends a token's offsets before its last vowel.
    """
    start, end = whole_clusters(context, start, end)
    text = context[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    return text, start, start + len(text)


class _Memory:
    """Values by content, at most `most` of them: the one that was asked for least recently goes first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: OrderedDict[Any, Any] = OrderedDict()

    def __contains__(self, key: Any) -> bool:
        return key in self._values

    def __getitem__(self, key: Any) -> Any:
        self._values.move_to_end(key)
        return self._values[key]

    def __len__(self) -> int:
        return len(self._values)

    def update(self, values: Mapping[Any, Any]) -> None:
        for key, value in values.items():
            self._values[key] = value
            self._values.move_to_end(key)
        while len(self._values) > self.most:
            self._values.popitem(last=False)


def embed_pool(predictor: Predictor, pool: Pool, path: Path | None = None) -> Floats:
    """The vectors of a pool's candidates, `(candidates, width)` float32, in the pool's order.

    With `path` they are written to that `.npy` file block by block, and given back memory-mapped.
    """
    blocks = [pool.candidates[i : i + POOL_BLOCK] for i in range(0, len(pool), POOL_BLOCK)]
    parts = (predictor.embed([c.text for c in block], [c.context for c in block]) for block in blocks)
    if path is None:
        return np.concatenate(list(parts))
    first = next(parts)
    shape = (len(pool), first.shape[1])
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    start = 0
    for part in itertools.chain([first], parts):
        file[start : start + len(part)] = part
        start += len(part)
    file.flush()
    vectors: Floats = np.load(path, mmap_mode="r", allow_pickle=False)
    return vectors


def embed_texts(predictor: Predictor, texts: Sequence[str], path: Path, max_length: int) -> Floats:
    """The vectors of texts, written to the `.npy` file `path` block by block, and given back memory-mapped."""
    width = predictor.embed(texts[:1], max_length=max_length).shape[1]
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(len(texts), width))
    for start in range(0, len(texts), POOL_BLOCK):
        block = texts[start : start + POOL_BLOCK]
        file[start : start + len(block)] = predictor.embed(block, max_length=max_length)
    file.flush()
    vectors: Floats = np.load(path, mmap_mode="r", allow_pickle=False)
    return vectors


def embed_again(predictor: Predictor, pool: Pool, changed: Set[str], clean: Path, path: Path) -> None:
    """Writes the vectors of `pool` to the `.npy` file `path`: those of the candidates whose ids are `changed`, and of
    those added behind the others, anew; all else is copied from `clean`, the vectors of the unchanged pool.
    Holds one block in memory."""
    before = np.load(clean, mmap_mode="r", allow_pickle=False)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(len(pool), before.shape[1]))
    for start in range(0, len(before), POOL_BLOCK):
        some_before = before[start : start + POOL_BLOCK]
        file[start : start + len(some_before)] = some_before
    rows = [i for i, c in enumerate(pool.candidates) if i >= len(before) or c.id in changed]
    for start in range(0, len(rows), POOL_BLOCK):
        block = rows[start : start + POOL_BLOCK]
        some = [pool.candidates[i] for i in block]
        file[block] = predictor.embed([c.text for c in some], [c.context for c in some])
    file.flush()


# What the output of a kind is called.
_OUTPUTS: Mapping[Kind, str] = {
    "pair": "a class's score",
    "choice": "the score of a choice",
    "tagging": "a tag's score",
    "span": "the score of a start or an end",
    "query": "the embedding",
}

_WindowSpan = tuple[float, float, int, int, bool]
"""A window's best span: score, null score, start and end in characters, and whether it is one of the n best."""


def _content(example: Example) -> Any:
    match example:
        case PairExample():
            return (example.first, example.second)
        case ChoiceExample():
            return (example.context, example.question, example.choices)
        case TaggingExample():
            return example.words
        case SpanExample():
            return (example.question, example.context)
        case QueryExample():
            return query_text(example)
        case other:
            assert_never(other)


def _classified(scores: Floats, beyond: Floats | None = None) -> Prediction:
    """The best of the scores; -1, which is no class, where one of those that the task does not have is better."""
    other = beyond is not None and len(beyond) and beyond.max() > scores.max()
    return {"predicted": -1 if other else int(scores.argmax()), "scores": [float(s) for s in scores]}


def _best_span(row: Row, out: Floats) -> _WindowSpan:
    """(score, null score, start, end, whether it is one of the n best) of a window's best span of at most 30 tokens.

    As in the official scripts the 20 best starts and ends are those of all the window's tokens, of which those outside
    the context then fall away. Where nothing is left, the best single token is given, as none of the n best.
    """
    assert row.offsets is not None
    null = float(out[0, 0] + out[0, 1])
    if len(row.positions) == 0:
        return null, null, 0, 0, False  # a context without tokens is answered by nothing
    start, end = out[row.positions, 0], out[row.positions, 1]
    # In the order of the text, so that of equal sums the earliest and then the shortest is found.
    starts, ends = (_among_best(out[: len(row), i], row.positions) for i in (0, 1))
    width = ends[None, :] - starts[:, None]
    sums = start[starts][:, None] + end[ends][None, :]
    sums = np.where((width >= 0) & (width < ANSWER_TOKENS), sums, -np.inf)
    if not np.isfinite(sums).any():
        # No start lies before an end among the best: a single token always does.
        both = int((start + end).argmax())
        return float(start[both] + end[both]), null, int(row.offsets[both, 0]), int(row.offsets[both, 1]), False
    i, j = divmod(int(sums.argmax()), len(ends))
    return float(sums[i, j]), null, int(row.offsets[starts[i], 0]), int(row.offsets[ends[j], 1]), True


def _among_best(scores: Floats, positions: Ints) -> Ints:
    """Which of the context's tokens, by number, are among the window's 20 best; in the order of the text."""
    best = np.argsort(-scores, kind="stable")[:N_BEST]
    return np.flatnonzero(np.isin(positions, best))
