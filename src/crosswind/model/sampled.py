"""A tokenizer that cuts words into other pieces than usual: what subword regularisation trains on.

Normalisation, splitting and offsets are the plain tokenizer's. The libraries' own sampling has a random number
generator that cannot be seeded, so cuts are made here, by numbers that depend on seed, epoch and text alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from crosswind.perturb.draw import key

WordPart = tuple[int, int, int]
"""The number of a piece in the vocabulary, and the characters of the word that it stands for: start, end."""

WordCutter = Callable[[str, Callable[[], float]], list[WordPart]]
"""Cuts a word, as the tokenizer has normalised and split it, by random numbers in [0, 1)."""


class SampledTokenizer:
    """All that it is asked besides is answered by the plain tokenizer."""

    def __init__(self, plain: Any, segment: WordCutter, salt: tuple[str, ...]) -> None:
        self.plain, self._segment, self._salt = plain, segment, salt
        backend = plain.backend_tokenizer
        self._normalizer, self._splitter = backend.normalizer, backend.pre_tokenizer
        added = backend.get_added_tokens_decoder().values()
        self._whole = tuple(token.content for token in added if not token.special)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.plain, name)

    def salted(self, *salt: str) -> SampledTokenizer:
        """The same tokenizer with other draws."""
        other = SampledTokenizer.__new__(SampledTokenizer)
        other.__dict__.update(self.__dict__, _salt=(*self._salt, *salt))
        return other

    def raw(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]] | None]:
        """Ids and character offsets of each text, without special tokens; a text that is twice there is drawn twice.

        `None` for a text that holds a token which was added to the vocabulary: it has the usual pieces.
        """
        seen: Counter[str] = Counter()
        encoded = []
        for text in texts:
            encoded.append(None if any(t in text for t in self._whole) else self._cut(text, seen[text]))
            seen[text] += 1
        return encoded

    def _cut(self, text: str, number: int) -> tuple[list[int], list[tuple[int, int]]]:
        from tokenizers import PreTokenizedString, Token

        random = Random(key("pieces", *self._salt, text, str(number))).random

        def tokens(word: str) -> list[Any]:
            at = 0
            starts = [0, *(at := at + len(character.encode()) for character in word)]  # offsets are in bytes
            return [Token(i, "", (starts[a], starts[b])) for i, a, b in self._segment(word, random)]

        pieces = PreTokenizedString(text)
        if self._normalizer is not None:
            pieces.normalize(self._normalizer.normalize)
        if self._splitter is not None:
            self._splitter.pre_tokenize(pieces)
        pieces.tokenize(tokens)
        encoding = pieces.to_encoding(0)
        return encoding.ids, encoding.offsets


def fused(pieces: Sequence[WordPart], unknown: int | None) -> list[WordPart]:
    """The pieces with neighbouring unknown ones as one."""
    joined: list[WordPart] = []
    for number, start, end in pieces:
        if joined and number == unknown == joined[-1][0]:
            start = joined.pop()[1]
        joined.append((number, start, end))
    return joined
