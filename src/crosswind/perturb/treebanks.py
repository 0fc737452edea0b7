"""Words of treebanks (CoNLL-U) that a user names: their parts of speech and lemmas, without sentences."""

from __future__ import annotations

import re
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

TREEBANKS = ("**/{}_*-ud-*.conllu", "**/{}[-_.]*.conllu", "**/{}.conllu")
"""What the files of a language are called below a folder of treebanks (`{}`: the names of the language).

`fro_…` is Old French: what begins with the letters of a code is not of its language.
"""

_COLUMNS = 10
_ID = re.compile(r"([0-9]+)([-.][0-9]+)?")  # of a word; of a range of words or an empty node


_HINT = "name treebanks of Universal Dependencies as they are distributed"


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
                hint=_HINT,
            )
        number_of = _ID.fullmatch(columns[0])
        if number_of is None or not columns[1]:
            what = f"{columns[0]!r} is no number of a word" if number_of is None else "a word without a form"
            raise UserError(what, where=f"{path}:{number}", hint=_HINT)
        if number_of[2] is None:
            lemma = "" if columns[2] == "_" else columns[2]
            yield TreebankWord(columns[1], lemma, columns[3])


PosLexicon = Mapping[str, frozenset[str]]
"""Word in lower case -> the parts of speech that it has in treebanks."""


@lru_cache(maxsize=16)
def pos_lexicon(files: Stamped, turkic: bool) -> PosLexicon:
    """The parts of speech of every word of treebanks (those of Universal Dependencies 2).

    Raises a `UserError` where no word has one: a constraint that knows nothing would let everything pass.
    """
    known: defaultdict[str, set[str]] = defaultdict(set)
    for path, _ in files:
        for word in treebank_words(path):
            if word.pos in UPOS:
                known[lowered(word.form, turkic)].add(word.pos)
    if not known:
        names = ", ".join(str(path) for path, _ in files)
        what = "no word has a part of speech of Universal Dependencies (NOUN, VERB, …)"
        raise UserError(what, where=names, hint=_HINT)
    return {form: frozenset(tags) for form, tags in known.items()}
