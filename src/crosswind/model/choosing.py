"""How likely words are in a place of a text, by the masked-LM head of an encoder: spelling correction asks for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from crosswind.model.encoder import Encoder
from crosswind.model.offsets import raw, template
from crosswind.model.pooling import text_encoder
from crosswind.model.rows import Padding, Row, pad

_HEIGHT = 16  # rows of a pass, and positions of a pass of the head
_STEP = 16  # a pass's length is a multiple of it
_LONGEST = 512  # tokens


class _Masked(NamedTuple):
    """A word in its text: the ids without special tokens, its pieces masked; where these begin, and what they are."""

    ids: tuple[int, ...]
    first: int
    pieces: tuple[int, ...]


class WordScorer:
    """The log-probabilities of words in their places.

    That of a word is the sum over its pieces as the tokenizer cuts the text with the word in it, all of them masked at
    once. Every row has the shape of its own length and every pass the same height, so that what is said of a word does
    not depend on what else is asked.
    """

    def __init__(self, encoder: Encoder) -> None:
        assert encoder.lm is not None
        self.encoder = encoder
        self._template = template(encoder.tokenizer)
        self._padding = Padding.of(encoder.tokenizer)
        self._mask = int(encoder.tokenizer.mask_token_id)
        self._longest = min(_LONGEST, encoder.max_positions)

    def likelihoods(self, places: Sequence[tuple[str, int, int]], words: Sequence[Sequence[str]]) -> list[list[float]]:
        """For each place (text, start, end) the log-probability of each of its words there, in nats.

        A word of which the tokenizer makes nothing has minus infinity.
        """
        written: list[str] = []
        spans: list[tuple[int, int]] = []
        for (text, start, end), some in zip(places, words, strict=True):
            written += [text[:start] + word + text[end:] for word in some]
            spans += [(start, start + len(word)) for word in some]
        cut = raw(self.encoder.tokenizer, written)
        masked = [self._masked(ids, offsets, *span) for (ids, offsets), span in zip(cut, spans, strict=True)]
        of_words = iter(self._scored(masked))
        return [[next(of_words) for _ in some] for some in words]

    def _masked(self, ids: Sequence[int], offsets: Sequence[tuple[int, int]], start: int, end: int) -> _Masked:
        """The pieces that stand for `start:end` behind masks, with as much text around as there is room for."""
        # The mark of a word's beginning may be a piece of its own that stands for no character.
        covered = [i for i, (s, e) in enumerate(offsets) if (s < end and start < e) or start <= s == e < end]
        if not covered:
            return _Masked((), 0, ())
        room = self._longest - self._template.single_overhead
        low, high = covered[0], min(covered[-1] + 1, covered[0] + room)
        left = room - (high - low)
        before = min(low, max(left // 2, left - (len(ids) - high)))
        kept = (*ids[low - before : low], *[self._mask] * (high - low), *ids[high : high + left - before])
        return _Masked(kept, before, tuple(ids[low:high]))

    @torch.inference_mode()
    def _scored(self, words: Sequence[_Masked]) -> list[float]:
        """The log-probability of each word; a row that several share is read once."""
        scores = [0.0 if word.pieces else -math.inf for word in words]
        by_length: dict[int, dict[tuple[int, ...], list[int]]] = {}
        for number, word in enumerate(words):
            if word.pieces:
                length = -(-(len(word.ids) + self._template.single_overhead) // _STEP) * _STEP
                by_length.setdefault(length, {}).setdefault(word.ids, []).append(number)
        for length, of_rows in by_length.items():
            different = [*of_rows]
            for start in range(0, len(different), _HEIGHT):
                part = different[start : start + _HEIGHT]
                rows = [Row(*self._template.single(ids), 0) for ids in part]
                batch = pad(rows, self._padding, height=_HEIGHT, length=length)
                asked = []  # row, position and piece of every piece, and the word that it is of
                for r, ids in enumerate(part):
                    shift = len(self._template.head) + (length - len(rows[r]) if self._padding.left else 0)
                    for number in of_rows[ids]:
                        word = words[number]
                        asked += [(r, shift + word.first + k, piece, number) for k, piece in enumerate(word.pieces)]
                said = self._said(batch, sorted({(r, position) for r, position, _, _ in asked}))
                for r, position, piece, number in asked:
                    scores[number] += float(said[r, position][piece])
        return scores

    def _said(self, batch: dict[str, Any], at: Sequence[tuple[int, int]]) -> dict[tuple[int, int], torch.Tensor]:
        """The log-probabilities (vocabulary,) at positions (row, column) of a pass."""
        head = self.encoder.lm_head()
        if head is None:
            assert self.encoder.lm is not None
            logits = self.encoder.lm(**batch).logits
            return {(r, column): logits[r, column].float().log_softmax(dim=0) for r, column in at}
        hidden = text_encoder(self.encoder.backbone)(**batch).last_hidden_state
        said: dict[tuple[int, int], torch.Tensor] = {}
        for start in range(0, len(at), _HEIGHT):
            part = at[start : start + _HEIGHT]
            rows, columns = torch.tensor([*part, *[part[-1]] * (_HEIGHT - len(part))]).T
            scores = head(hidden[rows, columns]).float().log_softmax(dim=1)
            said |= {one: scores[i] for i, one in enumerate(part)}
        return said
