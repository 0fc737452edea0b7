"""How long rows are and how far windows overlap where nobody says so: by kind, as the official scripts have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crosswind.data.examples import Kind

# Tokens of a row. XTREME's scripts: train_xnli.sh, train_pawsx.sh, train_udpos.sh, train_panx.sh and train_xcopa.sh
# have 128, train_qa.sh 384, run_tatoeba.sh 512.
LENGTHS: Mapping[Kind, int] = {"pair": 128, "choice": 128, "tagging": 128, "span": 384, "query": 512}
STRIDE = 128  # tokens that two windows of a context share (Hugging Face's run_qa.py with 384 tokens)
QUESTION_TOKENS = 64  # longest question of span QA (XTREME's max_query_length)
_SPECIAL = 4  # special tokens around question and context, at most


def default_length(kinds: Iterable[Kind]) -> int:
    """The longest of the kinds' lengths; that of classifiers for none (masked LM)."""
    return max((LENGTHS[kind] for kind in kinds), default=LENGTHS["pair"])


def most_overlap(max_length: int) -> int:
    """The most tokens that two windows may share, so that one behind the longest question still gets on."""
    room = max_length - _SPECIAL
    return max(room - min(QUESTION_TOKENS, room * 3 // 4) - 1, max_length // 3)


def overlap(stride: int | None, max_length: int) -> int:
    """The tokens that two windows share: as asked for, within `most_overlap`; else 128, in short windows a third."""
    return min(STRIDE, max_length // 3) if stride is None else min(stride, most_overlap(max_length))
