"""Real noise: a word becomes a misspelling of it that people were seen to write, by an error lexicon with weights.

Three formats: `right<TAB>wrong[<TAB>count]`; a word and its misspellings with spaces between them; codespell's
`wrong->right, right`. A misspelling is drawn by its count (1 where there is none).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from crosswind.errors import UserError, shown
from crosswind.perturb.alternatives import Alternatives, Sites
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.brought import FILE_LANGUAGE, Stamped, brought_fingerprints, named_files, stamped
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import base_language, cased_like, is_turkic, lowered, tokenization
from crosswind.perturb.wordwise import ByWeightedWord, WeightedOptions
from crosswind.reading import lines

ErrorTable = Mapping[str, tuple[tuple[str, float], ...]]
"""Word in lower case -> its misspellings with their weights, the commonest first."""


@lru_cache(maxsize=8)
def misspellings(files: Stamped, turkic: bool) -> ErrorTable:
    """The error lexicon of files; a `UserError` with file:line for a line of no format or a count that is none."""
    table: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for path, _ in files:
        for right, wrong, weight in _entries(path):
            right = lowered(right, turkic)
            if wrong != right:
                table[right][wrong] = table[right].get(wrong, 0.0) + weight
    return {word: tuple(sorted(some.items(), key=lambda e: (-e[1], e[0]))) for word, some in table.items()}


def _entries(path: Path) -> Iterator[tuple[str, str, float]]:
    for number, line in lines(path):
        text = line.strip()
        where = f"{path}:{number}"
        if not text or text.startswith("#"):
            continue
        if "\t" in text:
            columns = [column.strip() for column in text.split("\t")]
            if not columns[1]:
                raise _without_misspelling(text, where)
            yield columns[0], columns[1], _count(columns[2], where) if len(columns) > 2 else 1.0
        elif "->" in text:
            wrong, _, right = text.partition("->")
            if not wrong.strip():
                raise _without_misspelling(text, where)
            # A reason may follow the last comma of codespell: "clas->class, disabled because of name clash".
            for one in right.split(","):
                if one.strip() and " " not in one.strip():
                    yield one.strip(), wrong.strip(), 1.0
        else:
            right, *wrongs = text.split()
            if not wrongs:
                raise _without_misspelling(text, where)
            yield from ((right, wrong, 1.0) for wrong in wrongs)


def _without_misspelling(text: str, where: str) -> UserError:
    hint = "write right<TAB>wrong<TAB>count, or a word and its misspellings with spaces between them"
    return UserError(f"{shown(text)} has no misspelling", where=where, hint=hint)


def _count(text: str, where: str) -> float:
    try:
        count = float(text)
    except ValueError:
        count = -1.0
    if not 0 < count < float("inf"):
        raise UserError(f"{text!r} is no count", where=where, hint="the third column says how often it was seen")
    return count


def _files(setting: Setting) -> tuple[Path, ...]:
    hint = "name its folder: real-noise(errors=DIR), where DIR holds en.tsv, … (right, wrong, count)"
    lacking = UserError("real-noise needs an error lexicon", hint=hint)
    patterns = ["**/errors-{}.tsv", "**/{}.tsv", "**/{}.txt", "**/spelling_{}.txt", "**/*_{}.tsv"]
    if base_language(setting.language) == "en":
        patterns.append("**/codespell_dictionary.txt")
    return named_files(setting, "errors", patterns, "error lexicon", lacking)


def _applies(setting: Setting) -> str | None:
    return None if _files(setting) else f"there is no error lexicon of {setting.language} among those named"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    turkic = is_turkic(setting.language)
    table = misspellings(stamped(_files(setting)), turkic)

    def seen(surface: str) -> WeightedOptions | None:
        """The misspellings of a word in its own case, without what reads as it does."""
        entries = table.get(lowered(surface, turkic))
        if entries is None:
            return None
        cased = [(cased_like(o, surface, turkic), weight) for o, weight in entries]
        differ = [(o, weight) for o, weight in cased if o != surface]
        return tuple(o for o, _ in differ), tuple(weight for _, weight in differ)

    def sites(passage: Passage) -> Sites:
        text = passage.text
        every = [(w, seen(text[w.start : w.end])) for w in passage_words(passage, endings=False)]
        known = [(w, entry) for w, entry in every if entry is not None]
        return Sites(
            [w.start for w, _ in known],
            [w.end for w, _ in known],
            lambda i: known[i][1][0],
            weights=lambda i: known[i][1][1],
        )

    return ByWeightedWord(sites, seen, setting.language)


def _resources(setting: Setting) -> dict[str, str]:
    return {**brought_fingerprints("errors", _files(setting)), **tokenization(setting.language, endings=False)}


REAL_NOISE = Perturbation(
    name="real-noise",
    nature="preserving",
    summary="a word becomes a misspelling that was seen, drawn by how often, by the user's error lexicon",
    source="Belinkov & Bisk 2018, §3.1 (natural noise); Cooper Stickland et al. 2023 (Robustification of multilingual "
    "language models to real-world noise)",
    unit="word with a known misspelling",
    languages="languages of which the user names an error lexicon",
    applies=_applies,
    prepare=_prepare,
    kept=lambda setting: stamped(_files(setting)),
    resources=_resources,
    params=(Param("errors", "text", "folder of error lexicons en.tsv, …, or a file", location=True), FILE_LANGUAGE),
)
