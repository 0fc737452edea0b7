"""Tables that were derived from test text may perturb and attack, which is noted; no training learns from them."""

from __future__ import annotations

from crosswind.errors import UserError
from crosswind.perturb.lexicons import LexiconFolder, oracle_sources
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Spec


def refuse_test_text(spec: Spec, environment: Environment, where: str) -> None:
    """Raise a `UserError` where alternatives that training learns from draw on tables derived from test text."""
    folders = [folder for atom in spec.atoms for folder in atom.folders]
    mixed = any(atom.name == "codemix" and "lexicon" not in dict(atom.params) for atom in spec.atoms)
    if mixed and isinstance(environment.lexicons, LexiconFolder):
        folders.append(environment.lexicons.folder)
    for folder in folders:
        if tests := oracle_sources(folder):
            raise UserError(
                f"{spec.name} would train on tables in {str(folder)!r} that were derived from the test text of "
                f"{', '.join(tests)}",
                where=where,
                hint="derive them from other text: crosswind lexicon bilingual --from ntrex,flores …",
            )
