"""How much of the texts a model did not see: rows that were longer than it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from crosswind.data.examples import Pool
from crosswind.evaluate.predict import Predictor
from crosswind.model.lengths import QUESTION_TOKENS
from crosswind.model.rows import BLOCK, Row, encode_choices, encode_pairs, encode_spans, encode_texts, query_text

_SPECIAL = 16  # tokens beside a text's own, at most: a text has no more tokens than bytes and these


@dataclass(frozen=True)
class Cuts:
    """Of `rows` `what` (pairs, choices, texts, questions) `cut` were longer than `tokens`."""

    what: str
    rows: int
    cut: int
    tokens: int

    @property
    def note(self) -> str | None:
        """The sentence for whoever reads the results; `None` where nothing was cut."""
        if not self.cut:
            return None
        were = "was" if self.cut == 1 else "were"
        return f"{self.cut:,} of {self.rows:,} {self.what} {were} longer than {self.tokens} tokens and {were} cut."


def count_cuts(predictor: Predictor, examples: Sequence[Any]) -> Cuts:
    """What of the examples was cut. Long tagging sentences and contexts are not: they are read in windows."""
    tokenizer, length = predictor.encoder.tokenizer, predictor.max_length
    prefix = predictor.head.pooling.prefix if predictor.head.pooling else ""
    match predictor.head.kind:
        case "pair":
            long = [e for e in examples if _may_exceed(length, e.first, e.second)]
            return Cuts("pairs", len(examples), _cut(encode_pairs(tokenizer, long, length)), length)
        case "choice":
            long = [e for e in examples if _may_exceed(length, e.context, e.question, *e.choices)]
            rows = sum(len(e.choices) for e in examples)
            return Cuts("choices", rows, _cut(encode_choices(tokenizer, long, length)), length)
        case "span":
            # The first window says whether its question was cut.
            long = [e for e in examples if _may_exceed(QUESTION_TOKENS, e.question)]
            firsts = {r.owner: r for r in encode_spans(tokenizer, long, length, predictor.stride)}
            return Cuts("questions", len(examples), _cut([*firsts.values()]), QUESTION_TOKENS)
        case "query":
            length = predictor.query_length
            texts = [prefix + query_text(e) for e in examples]
            long = [text for text in texts if _may_exceed(length, text)]
            return Cuts("queries", len(examples), _cut(encode_texts(tokenizer, long, length)), length)
        case "tagging":
            return Cuts("sentences", len(examples), 0, length)
        case other:
            assert_never(other)


def count_pool_cuts(predictor: Predictor, pool: Pool) -> Cuts:
    """What of a pool's candidates was cut."""
    length = predictor.max_length
    prefix = predictor.head.pooling.prefix if predictor.head.pooling else ""
    long = [c for c in pool.candidates if _may_exceed(length, prefix, c.text, c.context)]
    cut = 0
    for start in range(0, len(long), BLOCK):  # the rows of a million candidates would fill the memory
        part = long[start : start + BLOCK]
        texts, contexts = [prefix + c.text for c in part], [c.context for c in part]
        cut += _cut(encode_texts(predictor.encoder.tokenizer, texts, length, contexts))
    return Cuts("candidates", len(pool), cut, length)


def _may_exceed(tokens: int, *texts: str) -> bool:
    """Whether texts can have more tokens than that; most are too short for it, and need not be read again."""
    return sum(len(t.encode("utf-8", "replace")) for t in texts) + _SPECIAL > tokens


def _cut(rows: Sequence[Row]) -> int:
    return sum(row.cut for row in rows)
