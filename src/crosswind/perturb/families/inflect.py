"""Inflection: a noun, verb or adjective in another form of its own paradigm.

Paradigms come from the user's tables: UniMorph (`lemma<TAB>form<TAB>features`) or treebanks of Universal
Dependencies (CoNLL-U). In a sentence with part-of-speech tags the form is of the word's part of speech.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import regex

from crosswind.errors import UserError
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.brought import FILE_LANGUAGE, Stamped, brought_fingerprints, named_files, stamped
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.pos import by_reading
from crosswind.perturb.treebanks import TREEBANKS, treebank_words
from crosswind.perturb.words import base_language, is_turkic, lowered, tokenization
from crosswind.reading import lines

# Languages whose words have one form (WALS feature 20A, isolating; Dryer & Haspelmath 2013) among XTREME-R's and their
# neighbours.
_ISOLATING = frozenset({"zh", "th", "vi", "lo", "km", "my", "yo", "ht"})
_UNIMORPH = {"N": "NOUN", "V": "VERB", "ADJ": "ADJ", "NOUN": "NOUN", "VERB": "VERB"}
_UD = frozenset({"NOUN", "VERB", "ADJ"})
_WORD = regex.compile(r"[\p{L}\p{M}\u200c\u200d’'-]+")

Paradigms = Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]
"""Form -> of each of its readings the part of speech and the other forms of its lemma."""


@lru_cache(maxsize=8)
def paradigms(files: Stamped, turkic: bool) -> Paradigms:
    """The paradigms of tables; a `UserError` with file:line for a line that is of neither format."""
    forms: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for path, _ in files:
        for pos, lemma, form in _conllu(path) if path.suffix == ".conllu" else _unimorph(path):
            if _WORD.fullmatch(form):
                forms[pos, lemma][lowered(form, turkic)] = None
    readings: defaultdict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for (pos, _), some in forms.items():
        for form in some:
            if len(some) > 1:
                readings[form].append((pos, tuple(other for other in some if other != form)))
    return {form: tuple(some) for form, some in readings.items()}


def _unimorph(path: Path) -> Iterator[tuple[str, str, str]]:
    for number, line in lines(path):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) < 3:
            raise UserError(
                f"{len(columns)} columns: an inflection table has a lemma, a form and features, with tabs between them",
                where=f"{path}:{number}",
                hint="name tables of UniMorph, or treebanks (.conllu)",
            )
        pos = _UNIMORPH.get(columns[2].partition(";")[0].partition(".")[0])
        if pos is not None:
            yield pos, columns[0].strip(), columns[1].strip()


def _conllu(path: Path) -> Iterator[tuple[str, str, str]]:
    for form, lemma, pos in treebank_words(path):
        if pos in _UD and lemma:
            yield pos, lemma, form


def _files(setting: Setting) -> tuple[Path, ...]:
    hint = "name their folder: inflect(tables=DIR), where DIR holds UniMorph's eng/eng, … or UD's en_*.conllu"
    lacking = UserError("inflect needs inflection tables", hint=hint)
    patterns = ("**/inflections-{}.tsv", "**/{0}/{0}", "**/{}.tsv", "**/{}.txt", *TREEBANKS)
    return named_files(setting, "tables", patterns, "inflection tables", lacking)


def _applies(setting: Setting) -> str | None:
    if base_language(setting.language) in _ISOLATING:
        return f"the words of {setting.language} are not inflected"
    return None if _files(setting) else f"there is no inflection table of {setting.language} among those named"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    table = paradigms(stamped(_files(setting)), is_turkic(setting.language))
    return by_reading(lambda word: table.get(word, ()), setting.language)


INFLECT = Perturbation(
    name="inflect",
    nature="preserving",
    summary="a noun, verb or adjective in another form of its lemma, by the user's UniMorph tables or treebanks",
    source="Tan et al. 2020 (It's Morphin' Time! Morpheus), §3",
    unit="inflected word",
    languages="languages with inflection of which the user names tables",
    applies=_applies,
    prepare=_prepare,
    kept=lambda setting: stamped(_files(setting)),
    resources=lambda setting: {
        **brought_fingerprints("inflections", _files(setting)),
        **tokenization(setting.language),
    },
    params=(
        Param("tables", "text", "folder of UniMorph tables or UD treebanks, or a file", location=True),
        FILE_LANGUAGE,
    ),
)
