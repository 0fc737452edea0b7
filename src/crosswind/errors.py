"""Errors for people: what is wrong, where, what to do.

A `UserError` is a mistake that the user can mend. The command line prints its text, without a
traceback, and exits with code 2; anything else that escapes is a fault of ours.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in the user's input.

    `what` says what is wrong, `where` names the file and line (`dev-de.tsv:17`) or the study key
    (`routes.english[0].tasks`), `hint` says what to do.
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        # What a file holds may stand in a message, and a file may hold anything: nobody reads more than this of it.
        self.what, self.where, self.hint = _cut(what), None if where is None else _cut(where), hint and _cut(hint)
        text = f"{self.where}: {self.what}" if where else self.what
        super().__init__(f"{text}\n  {self.hint}" if self.hint else text)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.hint)


class AbsentFileError(UserError):
    """A file that is not there, where others are: what works with the files that are there goes on without it."""


_LONGEST = 1500
# What a terminal would obey in place of showing it: control characters, and those that reorder a line.
_CONTROLS = {
    code: repr(chr(code))[1:-1]
    for code in (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def _cut(text: str) -> str:
    """A text of a message without its middle where it is too long; what cannot be shown is written out."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    return text.translate(_CONTROLS).encode(errors="backslashreplace").decode()


def _rebuild(cls: type[UserError], what: str, where: str | None, hint: str | None) -> UserError:
    return cls(what, where=where, hint=hint)


_LISTED = ("language", "metric", "perturbation", "recipe", "task")
"""Kinds of names that `crosswind list` has a list of, which is called as they are in the plural."""


def unknown(kind: str, name: str, known: Iterable[str], *, where: str | None = None) -> UserError:
    """An error for a name that does not exist: "unknown task 'xnIi'", did you mean 'xnli'?"""
    names = sorted({name for name in known if name})
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        hint = "did you mean " + " or ".join(repr(c) for c in close) + "?"
    elif len(names) <= 40:
        hint = f"known: {', '.join(names)}"
    else:
        shows = f"; `crosswind list {kind}s` shows them" if kind in _LISTED else ""
        hint = f"there are {len(names)} of them{shows}"
    return UserError(f"unknown {kind} {shown(name)}", where=where, hint=hint)


def mixed_labels(first: str, first_at: str, other: str, where: str) -> UserError:
    """An error for a file that writes some labels as names and others as numbers."""
    return UserError(
        f"names and numbers of labels in one file: {shown(other)}, and {shown(first)} in {first_at}",
        where=where,
        hint="which label a number means differs between data sets: write all labels of a file in one way",
    )


def shown(value: object) -> str:
    """A value of a file for an error message: at most some 80 characters on one line, whatever its size and depth."""
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlong = 40
_SHORT.maxlevel = 3
