"""Words for blanks, by the masked-LM head of an encoder: what the perturbation `mlm` asks of a model."""

from __future__ import annotations

from collections.abc import Sequence

import regex
import torch

from crosswind.errors import UserError
from crosswind.model.choosing import WordScorer
from crosswind.model.encoder import load_encoder
from crosswind.model.offsets import raw, template
from crosswind.model.pooling import text_encoder
from crosswind.model.rows import Padding, Row, pad
from crosswind.perturb.families.mlm import Blank

_HEIGHT, _STEP = 16, 16  # rows of a forward pass, and what its length is a multiple of
_LONGEST = 512  # tokens
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}'’-]*")


class EncoderFiller:
    """The likeliest single tokens in a blank.

    A token fills a blank of a spaced language if it begins a word and is one (WordPiece's `##` and pieces that
    continue a word are left out); where words are joined, if it continues.
    """

    def __init__(self, source: str) -> None:
        self.encoder = load_encoder(source)
        tokenizer = self.encoder.tokenizer
        if self.encoder.lm is None or "lm_head" in self.encoder.fresh or tokenizer.mask_token_id is None:
            raise UserError(
                f"{source!r} has no masked language model",
                where="mlm",
                hint="name a checkpoint with its masked-LM head, as FacebookAI/xlm-roberta-base has",
            )
        self.encoder.lm.train(False)
        self.scorer = WordScorer(self.encoder)
        vocabulary = tokenizer.get_vocab()
        pieces = any(token.startswith("##") for token in vocabulary)  # WordPiece marks what continues a word
        special = set(tokenizer.all_special_ids)
        begins: list[tuple[int, str]] = []
        continues: list[tuple[int, str]] = []
        for token, number in sorted(vocabulary.items(), key=lambda item: item[1]):
            # Byte-level tokens are no text before they are decoded.
            plain = str(tokenizer.decode([number])).strip() if token.startswith("Ġ") else token.lstrip("▁")
            begin = not token.startswith("##") if pieces else token[:1] in ("▁", "Ġ")
            plain = plain.removeprefix("##")
            if _WORD.fullmatch(plain) and number not in special:
                (begins if begin else continues).append((number, plain))
        self._begins = _Tokens(begins)
        self._continues = _Tokens(continues) if continues else self._begins
        self.longest = min(_LONGEST, self.encoder.max_positions)

    @torch.inference_mode()
    def fill(self, blanks: Sequence[Blank], most: int) -> list[list[tuple[str, float]]]:
        """For each blank its `most` likeliest words and their probabilities."""
        tokenizer = self.encoder.tokenizer
        rows = self._rows(blanks)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        padding = Padding.of(tokenizer)
        filled: dict[int, list[tuple[str, float]]] = {}
        for start in range(0, len(order), _HEIGHT):
            some = order[start : start + _HEIGHT]
            length = -(-max(len(rows[i]) for i in some) // _STEP) * _STEP
            batch = pad([rows[i] for i in some], padding, height=_HEIGHT, length=length)
            is_mask = batch["input_ids"] == tokenizer.mask_token_id
            at = is_mask.int().argmax(dim=1)
            logits = self._logits(batch, at)
            for n, i in enumerate(some):
                tokens = self._continues if blanks[i].joined else self._begins
                filled[i] = tokens.likeliest(logits[n], most)
        return [filled[i] for i in range(len(rows))]

    def _rows(self, blanks: Sequence[Blank]) -> list[Row]:
        """A row a blank: what stands before it, the mask, what follows (a text never brings special tokens itself)."""
        tokenizer = self.encoder.tokenizer
        sides = [side for b in blanks for side in (b.text[: b.start], b.text[b.end :])]
        ids = [ids for ids, _ in raw(tokenizer, sides, offsets=False)]
        shape = template(tokenizer)
        room = (self.longest - shape.single_overhead - 1) // 2
        rows = []
        for i, (before, after) in enumerate(zip(ids[::2], ids[1::2], strict=True)):
            kept = [*before[max(len(before) - room, 0) :], tokenizer.mask_token_id, *after[:room]]
            sequence, types = shape.single(kept)
            rows.append(Row(sequence, types, i))
        return rows

    def _logits(self, batch: dict[str, torch.Tensor], at: torch.Tensor) -> torch.Tensor:
        """The scores `(rows, vocabulary)` at one position of each row."""
        rows = torch.arange(len(at))
        head = self.encoder.lm_head()
        if head is not None:
            hidden = text_encoder(self.encoder.backbone)(**batch).last_hidden_state
            scores: torch.Tensor = head(hidden[rows, at])
            return scores.float()
        assert self.encoder.lm is not None
        output: torch.Tensor = self.encoder.lm(**batch).logits
        return output[rows, at].float()


class _Tokens:
    """The tokens that may fill a blank, with the words that they are."""

    def __init__(self, tokens: Sequence[tuple[int, str]]) -> None:
        self._ids = torch.tensor([number for number, _ in tokens], dtype=torch.long)
        self._words = [word for _, word in tokens]

    def likeliest(self, logits: torch.Tensor, most: int) -> list[tuple[str, float]]:
        """The `most` likeliest of them, equal ones in the order of the vocabulary."""
        probabilities = logits.softmax(dim=0)[self._ids]
        values, at = torch.sort(probabilities, descending=True, stable=True)
        return [(self._words[i], float(p)) for i, p in zip(at[:most].tolist(), values[:most].tolist(), strict=True)]
