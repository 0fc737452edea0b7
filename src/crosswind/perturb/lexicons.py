"""Bilingual lexicons: the microworld's own, and files `SOURCE-TARGET.txt`.

A line of these is a source word, a space or tab, and a target word, as in MUSE (Conneau et al. 2018). A
folder need only hold English to other languages: `en-de.txt` read backwards is German to English, and
German to Chinese goes through English.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from crosswind.data.languages import same_language
from crosswind.data.microworld import lexicon
from crosswind.data.microworld.generated import code_fingerprint
from crosswind.data.microworld.languages import CODES
from crosswind.errors import UserError
from crosswind.perturb.perturbation import Environment, NotApplicable
from crosswind.reading import expanded, json_file, lines

PIVOT = "en"
MICROWORLD_LEXICONS = "microworld"

Table = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LexiconFolder:
    """The lexicons of a folder (see `perturbation.Lexicons`)."""

    folder: Path

    def translations(self, source: str, target: str) -> Table:
        """Lower-cased word of `source` -> words of `target`, in the order of the files; see `_route` for errors."""
        return _chain(self.state(source, target))

    def state(self, source: str, target: str) -> tuple[tuple[Path, int, bool], ...]:
        """The files that `translations` reads, when each was last modified, and whether it is read backwards."""
        route = self._route(source, target)
        return tuple((path, path.stat().st_mtime_ns, backwards) for path, backwards in route)

    def lacking(self, source: str, target: str) -> str | None:
        """Why no file leads from `source` to `target`, or `None`; a `UserError` if there is no folder."""
        return _reason(self._route, source, target)

    def fingerprints(self, source: str, target: str) -> Mapping[str, str]:
        """File name -> SHA-256 of the files that `translations` reads."""
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p, _ in self._route(source, target)}

    def _route(self, source: str, target: str) -> list[tuple[Path, bool]]:
        """The files to read in turn, and whether backwards: a direct one before a detour through English.

        Raises `NotApplicable` if no file leads there and a `UserError` if there is no folder.
        """
        if not self.folder.is_dir():
            raise UserError(
                f"no folder of lexicons {str(self.folder)!r}", hint="name the folder that holds en-de.txt, …"
            )
        direct = self._between(source, target)
        if direct is not None:
            return [direct]
        halves = [self._between(source, PIVOT), self._between(PIVOT, target)]
        chain = [h for h in halves if h is not None]
        if len(chain) < 2:
            ends = [end for end, half in zip((source, target), halves, strict=True) if half is None]
            missing = " and ".join(f"{PIVOT}-{end}.txt" for end in ends if end != PIVOT)
            raise NotApplicable(
                f"no lexicon from {source} to {target} in {str(self.folder)!r}: it lacks {missing}",
                hint=f"add {missing} (a word, a space or tab, its translation a line) or {source}-{target}.txt",
            )
        return chain

    def _between(self, source: str, target: str) -> tuple[Path, bool] | None:
        forwards, backwards = _files_between(self.folder, source, target)
        if forwards.is_file():
            return forwards, False
        return (backwards, True) if backwards.is_file() else None


@lru_cache(maxsize=256)
def _files_between(folder: Path, source: str, target: str) -> tuple[Path, Path]:
    """The files of a pair in both directions, by whatever codes of the two languages a file is named (tl is fil)."""
    forwards, backwards = folder / f"{source}-{target}.txt", folder / f"{target}-{source}.txt"
    if forwards.is_file() or backwards.is_file():
        return forwards, backwards
    for path in sorted(folder.glob("*-*.txt")):
        ends = tuple(same_language(end) for end in path.stem.split("-"))
        if ends == (same_language(source), same_language(target)):
            forwards = path
        elif ends == (same_language(target), same_language(source)):
            backwards = path
    return forwards, backwards


@dataclass(frozen=True, slots=True)
class MicroworldLexicons:
    """The lexicons between the microworld's languages, which know their own words."""

    def translations(self, source: str, target: str) -> Table:
        """Word -> the words of the same meanings and forms; `NotApplicable` for other languages."""
        return lexicon.translations(_code(source), _code(target))

    def lacking(self, source: str, target: str) -> str | None:
        """Why there is no lexicon: a language is none of the microworld's."""
        return _reason(lambda a, b: (_code(a), _code(b)), source, target)

    def fingerprints(self, source: str, target: str) -> Mapping[str, str]:
        """Name -> fingerprint of the code that the words come from."""
        return {f"{MICROWORLD_LEXICONS}/{_code(source)}-{_code(target)}": code_fingerprint()}


def _reason(route: Callable[[str, str], object], source: str, target: str) -> str | None:
    try:
        route(source, target)
    except NotApplicable as reason:
        return reason.what
    return None


def _code(language: str) -> str:
    for code in CODES:
        if language in (code, code.partition("-")[0]):
            return code
    raise NotApplicable(f"{language} is no language of the microworld", hint=f"its languages: {', '.join(CODES)}")


@lru_cache(maxsize=64)
def _read(path: Path, modified: int, backwards: bool) -> Table:
    translations: dict[str, dict[str, None]] = {}
    for number, line in lines(path):
        if not line.strip():
            continue
        word, separator, other = line.partition("\t") if "\t" in line else line.strip().partition(" ")
        word, other = word.strip(), other.strip()
        if not separator or not word or not other:
            raise UserError(
                f"{line!r} is no entry of a lexicon",
                where=f"{path}:{number}",
                hint="write a word, a space or tab, a word",
            )
        if backwards:
            word, other = other, word
        translations.setdefault(word.lower(), {})[other] = None
    return {word: tuple(others) for word, others in translations.items()}


@lru_cache(maxsize=64)
def _chain(route: tuple[tuple[Path, int, bool], ...]) -> Table:
    table = _read(*route[0])
    for step in route[1:]:
        table = _joined(table, _read(*step))
    return table


def _joined(first: Table, second: Table) -> Table:
    joined = {}
    for word, pivots in first.items():
        others = dict.fromkeys(o for p in pivots for o in second.get(p.lower(), ()))
        if others:
            joined[word] = tuple(others)
    return joined


def oracle_sources(folder: Path) -> list[str]:
    """The test sets that lexicons of a folder were derived from, as the `….origin.json` beside them say."""
    return _named_in_origins(folder, "oracle")


def lexicon_sources(folder: Path) -> list[str]:
    """The tasks and corpora that lexicons of a folder were derived from; none for lexicons from elsewhere."""
    return _named_in_origins(folder, "sources")


def _named_in_origins(folder: Path, key: str) -> list[str]:
    sources: dict[str, None] = {}
    for path in sorted(folder.glob("*.origin.json")):
        value = json_file(path)
        named = value.get(key) if isinstance(value, dict) else None
        sources |= dict.fromkeys(map(str, named) if isinstance(named, list) else ())
    return list(sources)


def environment_of(lexicons: str | Path | None, *, where: str | None = None) -> Environment:
    """The perturbations' environment: the folder of bilingual lexicons, or `microworld`, if one is named.

    Of a user's own words `where` says which they are: a `UserError` if there is no such folder, whether lexicons are
    looked up or not.
    """
    if lexicons is None:
        return Environment()
    if str(lexicons) == MICROWORLD_LEXICONS:
        return Environment(lexicons=MicroworldLexicons())
    folder = expanded(lexicons, where or "lexicons")
    if where is not None and not folder.is_dir():
        hint = f"name the folder that holds en-de.txt, …, or {MICROWORLD_LEXICONS}"
        raise UserError(f"no folder of lexicons {str(folder)!r}", where=where, hint=hint)
    return Environment(lexicons=LexiconFolder(folder))
