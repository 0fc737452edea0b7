"""CCG supertagging from the user's own copy of CCGbank (AUTO files): a category for each word.

CCGbank may not be passed on: it is bought from the Linguistic Data Consortium. Its splits are those of the
literature (Clark and Curran 2007, section 4): sections 02-21 for training, 00 for development, 23 for testing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from crosswind.data.examples import TaggingExample
from crosswind.data.files import Files
from crosswind.data.source import Content, FileLayout
from crosswind.errors import UserError, shown
from crosswind.reading import lines
from crosswind.tasks.base import Task

_SECTIONS = {"train": tuple(f"{n:02d}" for n in range(2, 22)), "dev": ("00",), "test": ("23",)}
_FOLDERS = ("ccgbank_1_1/data/AUTO", "ccgbank/data/AUTO", "ccgbank/AUTO")
_SIZES = {"train": 39604, "dev": 1913, "test": 2407}  # sentences, Clark and Curran 2007, section 4
_WHERE_FROM = (
    "CCGbank (Hockenmaier and Steedman 2005) is LDC2005T13, https://catalog.ldc.upenn.edu/LDC2005T13: licensed by the "
    "Linguistic Data Consortium under its user agreement, so nobody else may pass it on. Put its AUTO files below "
    "the folder of official files (data.root, --data, CROSSWIND_DATA) as ccgbank_1_1/data/AUTO/SS/wsj_SSNN.auto"
)
# A leaf: <L category modified-POS original-POS word predicate-argument-category> (Hockenmaier and Steedman 2005)
_LEAF = re.compile(r"<L (\S+) \S+ \S+ (\S+) \S+>")
_BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LCB-": "{", "-RCB-": "}", "-LSB-": "[", "-RSB-": "]"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """The AUTO files of all sections of a split; a `UserError` that says where CCGbank is to be had."""
    sections = _SECTIONS[split]
    folder = next((f for f in _FOLDERS if (files.root / f).is_dir()), None)
    if folder is None:
        raise UserError(f"no file of ccg {split} below this folder", where=str(files.root), hint=_WHERE_FROM)
    paths: list[Path] = []
    for section in sections:
        there = files.glob(f"{folder}/{section}/*.auto")
        if not there:
            what = f"ccg {split} needs section {section}, and there is no *.auto file of it"
            raise UserError(what, where=str(files.root / folder / section), hint=_WHERE_FROM)
        paths += there
    return tuple(paths)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    examples = tuple(example for path in paths for example in _sentences(path, split))
    size = _SIZES[split]
    notes: tuple[str, ...] = ()
    if len(examples) != size:
        sections = f"sections {_SECTIONS[split][0]} to {_SECTIONS[split][-1]}"
        notes = (f"{len(examples):,} sentences were read; {sections} of CCGbank have {size:,}",)
    return Content(examples, notes=notes)


def _sentences(path: Path, split: str) -> Iterator[TaggingExample]:
    """The sentences of a file: a line `ID=… PARSER=GOLD NUMPARSE=1`, then the derivation in one line."""
    name = ""
    for number, text in lines(path):
        where = f"{path}:{number}"
        if text.startswith("ID="):
            name = text.split()[0].removeprefix("ID=")
        elif text.startswith("("):
            leaves = _LEAF.findall(text)
            if not name:
                raise UserError("a derivation without an ID= line before it", where=where, hint=_AUTO)
            if not leaves or len(leaves) != text.count("<L "):
                raise UserError(f"leaves that cannot be read: {shown(text)}", where=where, hint=_AUTO)
            item = f"ccg/{split}/{name}"
            words = tuple(_word(word) for _, word in leaves)
            yield TaggingExample(item, item, "en", words, tuple(category for category, _ in leaves))
            name = ""
        elif text.strip():
            raise UserError(f"neither an ID= line nor a derivation: {shown(text)}", where=where, hint=_AUTO)


_AUTO = "an AUTO file has ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1, then (<T …> … <L N/N NNP NNP Pierre N_73/N_73>) …"


def _word(written: str) -> str:
    """The word as text: the Penn Treebank escapes brackets, slashes and asterisks."""
    return _BRACKETS.get(written) or written.replace("\\/", "/").replace("\\*", "*")


CCG = Task(
    name="ccg",
    kind="tagging",
    summary="English CCG supertags, from your own CCGbank (LDC2005T13); the tags are those of the training files",
    group="ccg",
    related=("pos",),
    languages=("en",),
    splits=tuple(_SECTIONS),
    files=FileLayout(_locate, _read),
    hub=None,
    metrics=("token-accuracy",),
    perturbed=("words",),
    open_labels=True,
    trains_on="ccg",
    licence="LDC User Agreement (LDC2005T13); not redistributable",
    citation="Hockenmaier and Steedman 2007, CCGbank: A Corpus of CCG Derivations and Dependency Structures",
)
