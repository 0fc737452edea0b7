"""A model's classes under a task's names: by name, never by guessing. Needs no torch.

Foreign checkpoints call their classes as they like. What is plainly the task's is mapped, and said; classes without
names are refused unless the user names them; classes that the task does not have are never right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crosswind.data.examples import Kind
from crosswind.errors import UserError

NO_TAG = "O"  # what a tag that the task does not have is read as
NO_CLASS = ""  # the same of a class: it is never right
_LISTED = 12  # classes that a note names

# Other spellings of labels, as checkpoints have them.
_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "entailment": ("entail", "entails", "entailed"),
    "contradiction": ("contradict", "contradicts", "contradictory"),
    "different": ("not paraphrase", "not duplicate", "no paraphrase"),
    "loc": ("location",),
    "org": ("organization", "organisation"),
    "per": ("person", "pers"),
    "adj": ("adjective",),
    "adp": ("adposition",),
    "adv": ("adverb",),
    "aux": ("auxiliary",),
    "cconj": ("coordinating conjunction",),
    "det": ("determiner",),
    "intj": ("interjection",),
    "num": ("numeral",),
    "part": ("particle",),
    "pron": ("pronoun",),
    "propn": ("proper noun",),
    "punct": ("punctuation",),
    "sconj": ("subordinating conjunction",),
    "sym": ("symbol",),
}


@dataclass(frozen=True)
class ClassMap:
    """What each output of a head stands for: a label of the task, or `NO_TAG` or `NO_CLASS`.

    `read` are the pairs (the model's name, the task's) that differ, `extra` the model's classes that the task lacks.
    """

    labels: tuple[str, ...]
    read: tuple[tuple[str, str], ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know."""
        notes = []
        if self.read:
            pairs = [f"{name.strip() or repr(name)} as {label}" for name, label in self.read]
            notes.append(f"The model's classes were read as the task's: {_some(pairs)}.")
        if self.extra:
            many = len(self.extra) > 1
            nothing = "are read as O" if NO_TAG in self.labels else "are never right"
            notes.append(
                f"The model has {len(self.extra)} class{'es' if many else ''} that the task has not "
                f"({_some(self.extra)}), which {nothing if many else nothing.replace('are', 'is', 1)}."
            )
        return tuple(notes)

    @property
    def signature(self) -> dict[str, str]:
        """What of this changes a number's meaning."""
        signed = {
            "classes_read": ",".join(f"{name}>{label}" for name, label in self.read),
            "classes_beyond": ",".join(self.extra),
        }
        return {key: re.sub(r"[|=]", "_", value) for key, value in signed.items() if value}


def map_classes(
    kind: Kind, named: Sequence[str], labels: Sequence[str], *, source: str, given: Sequence[str] = ()
) -> ClassMap:
    """A model's classes in its own order, under the task's labels; choice, span and query heads have none.

    `named` are the names that the checkpoint carries, `given` those that the user gives instead. Raises `UserError`
    for classes without names, for two of one name, and where a label of the task has no class.
    """
    if kind not in ("pair", "tagging"):
        return ClassMap(tuple(labels))
    if not labels:  # an open set of tags: the model's own, which it was trained on
        return ClassMap(tuple(given or named))
    if given and len(given) != len(named):
        raise UserError(
            f"{source!r} has {len(named)} classes, and labels names {len(given)} ({', '.join(given)})",
            where="labels",
            hint="name every class, in the order of the model's outputs",
        )
    names = tuple(given or named)
    known = _known(labels)
    read = [name if name in labels else known.get(_plain(name)) for name in names]
    borders = [known.get(_in_iob2(name)) if kind == "tagging" and label is None else None
               for name, label in zip(names, read, strict=True)]  # fmt: skip
    read = [label or border for label, border in zip(read, borders, strict=True)]
    for name, label in zip(names, read, strict=True):
        if label is None and _plain(name).isdecimal():
            raise _unnamed(source, names, labels)
    lacking = [label for label in labels if label not in read]
    if lacking:
        raise UserError(
            f"the classes of {source!r} are {_some(names)}; none of them is {_some(lacking)}, and the task has "
            f"{', '.join(labels)}",
            where="MODEL",
            hint="name a model of this task, or name its classes in its order: --labels A,B,C (in a study: labels)",
        )
    single = [label for label, border in zip(read, borders, strict=True) if label is not None and border is None]
    twice = [label for label, count in Counter(single).items() if count > 1]
    if twice:
        same = [name for name, label in zip(names, read, strict=True) if label == twice[0]]
        raise UserError(
            f"{source!r} has {len(same)} classes for {twice[0]}: {', '.join(map(repr, same))}",
            where="MODEL",
            hint="name its classes in its order: --labels A,B,C (in a study: labels)",
        )
    nothing = NO_TAG if kind == "tagging" else NO_CLASS
    return ClassMap(
        tuple(nothing if label is None else label for label in read),
        tuple((name, label) for name, label in zip(names, read, strict=True) if label is not None and label != name),
        tuple(name for name, label in zip(names, read, strict=True) if label is None),
    )


def _known(labels: Sequence[str]) -> dict[str, str]:
    """The labels by their plain form and by their other spellings; a label's own form goes first."""
    known: dict[str, str] = {}
    for label in labels:
        prefix, _, rest = _plain(label).rpartition(" ")
        for spelling in _SPELLINGS.get(rest if len(prefix) == 1 else _plain(label), ()):
            known[f"{prefix} {spelling}" if len(prefix) == 1 else spelling] = label
    return known | {_plain(label): label for label in labels}


def _plain(name: str) -> str:
    """A name without case, blanks around it, and what only says that it is a class; `B-LOC` and `b_loc` are one."""
    words = re.sub(r"[\s_-]+", " ", name).strip().casefold()
    return re.sub(r"^(label|class) (?=.)", "", words)


def _in_iob2(name: str) -> str:
    """The plain form in IOB2 of a tag that marks ends (`E-`, `L-`) and entities of one word (`S-`, `U-`) too."""
    prefix, _, rest = _plain(name).partition(" ")
    iob2 = {"s": "b", "u": "b", "e": "i", "l": "i"}.get(prefix)
    return f"{iob2} {rest}" if iob2 and rest else ""


def _unnamed(source: str, names: Sequence[str], labels: Sequence[str]) -> UserError:
    return UserError(
        f"the classes of {source!r} have no names ({_some(names)}), and their order is not known",
        where="MODEL",
        hint=f"name them in the model's order, for example --labels {','.join(labels)} (in a study: labels)",
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
