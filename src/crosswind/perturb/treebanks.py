"""Words of treebanks (CoNLL-U) that a user names: their parts of speech and lemmas, without sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from crosswind.errors import UserError
from crosswind.perturb.brought import Stamped
from crosswind.perturb.pos import UPOS
from crosswind.perturb.words import lowered
from crosswind.reading import lines

TREEBANKS = ("**/{}_*-ud-*.conllu", "**/{}*.conllu")
"""What the files of a language are called below a folder of treebanks (`{}`: the names of the language)."""

_COLUMNS = 10


class TreebankWord(NamedTuple):
    """A syntactic word: its form, its lemma (empty where it has none) and its part of speech."""

    form: str
    lemma: str
    pos: str


def treebank_words(path: Path) -> Iterator[TreebankWord]:
    """The words of a file, multiword ranges and empty nodes passed over; a `UserError` with file:line for another line.

    A word without a tag (`_`) has none.
    """
    for number, line in lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != _COLUMNS:
            raise UserError(
                f"{len(columns)} columns where CoNLL-U has {_COLUMNS}",
                where=f"{path}:{number}",
                hint="name treebanks of Universal Dependencies as they are distributed",
            )
        if columns[0].isdecimal():
            lemma = "" if columns[2] == "_" else columns[2]
            yield TreebankWord(columns[1], lemma, columns[3])


PosLexicon = Mapping[str, frozenset[str]]
"""Word in lower case -> the parts of speech that it has in treebanks."""


@lru_cache(maxsize=16)
def pos_lexicon(files: Stamped, turkic: bool) -> PosLexicon:
    """The parts of speech of every word of treebanks (those of Universal Dependencies 2)."""
    known: defaultdict[str, set[str]] = defaultdict(set)
    for path, _ in files:
        for word in treebank_words(path):
            if word.pos in UPOS:
                known[lowered(word.form, turkic)].add(word.pos)
    return {form: frozenset(tags) for form, tags in known.items()}
