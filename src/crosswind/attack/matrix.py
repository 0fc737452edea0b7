"""Where recipes attack: each of them for every kind of example and every language; nothing is read for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crosswind.attack.recipe import RECIPES, Call, Recipe, unattackable
from crosswind.errors import UserError
from crosswind.perturb.matrix import XTREME_R_LANGUAGES, MatrixCell
from crosswind.tasks.base import TASKS

ATTACKED_TASKS = {
    "nli": "xnli",
    "paraphrase": "pawsx",
    "choice": "xcopa",
    "ner": "panx",
    "pos": "udpos",
    "qa": "xquad",
    "query": "lareqa",
}
"""The columns, each with the task that stands for it."""


def recipe_cells(languages: Sequence[str] = XTREME_R_LANGUAGES) -> Iterator[MatrixCell]:
    """The cells of every recipe, kind by kind and language by language; `needs` where a parameter has no default.

    A recipe that has variants has rows of each, by its name with the parameter.
    """
    for recipe in RECIPES:
        for call in _variants(recipe):
            for kind in ATTACKED_TASKS:
                for language in languages:
                    yield _recipe_cell(call, kind, language)


def _variants(recipe: Recipe) -> list[Call]:
    choices = next((p.choices for p in recipe.params if p.name == recipe.variant), ())
    return [Call(recipe.name, ((recipe.variant, choice),)) for choice in choices] or [Call(recipe.name)]


def _recipe_cell(call: Call, kind: str, language: str) -> MatrixCell:
    task, recipe = TASKS[ATTACKED_TASKS[kind]], call.declaration
    if task.kind not in recipe.kinds:
        return MatrixCell(call.name, kind, language, "n/a", f"it attacks {', '.join(recipe.kinds)} tasks")
    missing = [p.name for p in recipe.params if p.default is None and not p.location]
    if missing:
        return MatrixCell(call.name, kind, language, "needs", f"{recipe.name} needs {', '.join(missing)}")
    try:
        reason = unattackable(call, call.setting(task, language))
    except UserError as error:
        return MatrixCell(call.name, kind, language, "needs", error.what)
    return MatrixCell(call.name, kind, language, "applies" if reason is None else "n/a", reason or "")
