"""Where perturbations apply: each of them for every kind of example and every language, by their own word.

Nothing is read and no model is loaded: a cell is what the declaration's `applies` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from crosswind.errors import UserError
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.perturb.spec import POOL, Atom, TextScope

_CODES = (
    "af ar az bg bn de el en es et eu fa fi fr gu he hi ht hu id it ja jv ka kk ko lt ml mr ms my nl pa pl pt qu ro "
    "ru sw ta te th tl tr uk ur vi wo yo zh"
)
XTREME_R_LANGUAGES = tuple(_CODES.split(" "))
"""The 50 languages of XTREME-R (Ruder et al. 2021, appendix)."""

# What a column stands for: the kind of its examples, the fields that may change, a task of that kind.
_COLUMNS: dict[str, TextScope] = {
    "line": TextScope("en"),
    "nli": TextScope("en", "pair", ("first", "second"), task="xnli"),
    "paraphrase": TextScope("en", "pair", ("first", "second"), task="pawsx"),
    "choice": TextScope("en", "choice", ("context", "question", "choices"), task="xcopa"),
    "ner": TextScope("en", "tagging", ("words",), task="panx"),
    "pos": TextScope("en", "tagging", ("words",), task="udpos"),
    "qa": TextScope("en", "span", ("question", "context"), task="xquad"),
    "query": TextScope("en", "query", ("query",), task="lareqa"),
    "pool": TextScope("en", "query", (POOL,), task="tatoeba"),
}
MATRIX_KINDS = tuple(_COLUMNS)
"""The columns: kinds of examples, pairs and tagged sentences by what is asked of them."""


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """A perturbation on a kind of example in a language.

    `state` is `applies`, `needs` (it applies once what `reason` names is given: a lexicon, a table, a model) or
    `n/a` for the `reason`.
    """

    perturbation: str
    kind: str
    language: str
    state: Literal["applies", "needs", "n/a"]
    reason: str = ""


def matrix(languages: Sequence[str] = XTREME_R_LANGUAGES) -> Iterator[MatrixCell]:
    """The cells of every perturbation, kind by kind and language by language."""
    for name in PERTURBATIONS.names():
        for kind, scope in _COLUMNS.items():
            for language in languages:
                yield _cell(name, kind, language, scope)


def _cell(name: str, kind: str, language: str, scope: TextScope) -> MatrixCell:
    atom = Atom(name, (), 1.0)
    missing = [p for p in atom.perturbation.params if p.default is None and not p.location]
    at = TextScope(language, scope.kind, scope.fields, scope.environment, scope.task)
    try:
        reason = atom.applies(at)
    except UserError as error:
        return MatrixCell(name, kind, language, "needs", error.what)
    except KeyError:
        return MatrixCell(name, kind, language, "needs", f"{name} needs {', '.join(p.name for p in missing)}")
    if reason is not None:
        return MatrixCell(name, kind, language, "n/a", reason)
    if missing:
        return MatrixCell(name, kind, language, "needs", f"{name} needs {', '.join(p.name for p in missing)}")
    return MatrixCell(name, kind, language, "applies")
