"""The words of the microworld's languages without spaces, by their own lexicons."""

from __future__ import annotations

from functools import cache, partial

from crosswind.data.microworld import names
from crosswind.data.microworld.generated import code_fingerprint
from crosswind.data.microworld.languages import LANGUAGES
from crosswind.data.microworld.lexicon import lexicon
from crosswind.data.segmenter import Segmenter


def cut(text: str, code: str) -> list[str]:
    """The fewest words that cover the most of the text; what is no word of the language stays in one piece."""
    known, longest = _known(code)
    n = len(text)
    # (characters that are no word's, words) from each place to the end, and where the first piece ends
    best: list[tuple[int, int, int]] = [(0, 0, n)] * (n + 1)
    for start in range(n - 1, -1, -1):
        unknown, count, _ = best[start + 1]
        choice = (unknown + 1, count, start + 1)
        for end in range(start + 1, min(n, start + longest) + 1):
            if text[start:end] in known:
                unknown, count, _ = best[end]
                # At a tie the longer word: it is looked at last.
                if (unknown, count + 1) <= choice[:2]:
                    choice = (unknown, count + 1, end)
        best[start] = choice
    pieces: list[str] = []
    at, loose = 0, False
    while at < n:
        end = best[at][2]
        stray = text[at:end] not in known
        if stray and loose:
            pieces[-1] += text[at:end]
        else:
            pieces.append(text[at:end])
        at, loose = end, stray
    return pieces


@cache
def _known(code: str) -> tuple[frozenset[str], int]:
    words = lexicon(code)
    known = {word for form in words.table().values() for word in form.split()}
    known |= {words.name(name) for name in (*names.given_names("all"), *names.stems("all"))}
    return frozenset(known), max(map(len, known))


MICROWORLD_SEGMENTERS: tuple[Segmenter, ...] = tuple(
    Segmenter(language.code.partition("-")[0], partial(cut, code=language.code), code_fingerprint)
    for language in LANGUAGES
    if not language.spaced
)
