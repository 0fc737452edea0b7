"""Tables that were derived from test text may perturb and attack, which is noted; no training learns from them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from crosswind.errors import UserError
from crosswind.perturb.lexicons import LexiconFolder, oracle_sources
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Spec


def oracle_notes(folders: Iterable[Path]) -> list[str]:
    """What a reader of results must know of folders of tables: which were derived from test text."""
    tests = {folder: oracle_sources(folder) for folder in folders}
    return [
        f"Tables in {folder.name} were derived from the test text of {', '.join(names)} (oracle access)."
        for folder, names in tests.items()
        if names
    ]


def folders_drawn_on(spec: Spec, environment: Environment) -> list[Path]:
    """The folders of tables that alternatives come from: those that are named, and the study's lexicons."""
    folders = [folder for atom in spec.atoms for folder in atom.folders]
    mixed = any(atom.name == "codemix" and "lexicon" not in dict(atom.params) for atom in spec.atoms)
    if mixed and isinstance(environment.lexicons, LexiconFolder):
        folders.append(environment.lexicons.folder)
    return folders


def refuse_test_text(spec: Spec, environment: Environment, where: str) -> None:
    """Raise a `UserError` where alternatives that training learns from draw on tables derived from test text."""
    for folder in folders_drawn_on(spec, environment):
        if tests := oracle_sources(folder):
            raise UserError(
                f"{spec.name} would train on tables in {str(folder)!r} that were derived from the test text of "
                f"{', '.join(tests)}",
                where=where,
                hint="derive them from other text: crosswind lexicon bilingual --from ntrex,flores …",
            )
