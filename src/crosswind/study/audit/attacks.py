"""Whether what attacks did may be read as robustness: near texts that keep the label, beside a control."""

from __future__ import annotations

import polars as pl

from crosswind.analysis.condition import FROM, control_of, is_control
from crosswind.analysis.results import NONE
from crosswind.attack.recipe import parse_recipe
from crosswind.errors import UserError
from crosswind.report.content import ATTACKED_COLUMNS, LATER_COLUMNS
from crosswind.study.attacked import ATTACKED_TABLE
from crosswind.study.audit import AuditedRun, Review, Shown, kept_list, several
from crosswind.study.joined import read_table
from crosswind.study.kept import DIAGNOSTIC_ATTACKS

MOST_EDITS = 0.5  # edits per word: beyond, most of a text is another one (TextAttack's recipes allow 0.1 to 0.4)


def _look(run: AuditedRun) -> Shown:
    direct = ~pl.col("attack").str.contains(FROM, literal=True)  # not made against another model
    attacked = run.run.rows.filter((pl.col("attack") != NONE) & direct)
    columns = ("attack", "budget", "target", "language")
    there = set(attacked.select(columns).unique().iter_rows())
    searched = sorted(cell for cell in there if not is_control(cell[0]))
    if not searched:
        return Shown(None, "nothing was attacked")
    diagnostic = {str(x) for kept in run.kept for x in kept_list(kept.get(DIAGNOSTIC_ATTACKS))}
    faults = []
    if spoiled := sorted({attack for attack, *_ in searched if attack in diagnostic}):
        faults.append(f"labels need not hold under {several(spoiled)}")
    bare = {a for a, *cell in searched if (control_of(a), *cell) not in there and not _is_blind(a)}
    if bare:
        faults.append(f"no random draws at equal budget stand beside {several(sorted(bare))}")
    near, far = _distances(run)
    if far:
        faults.append(f"more than {MOST_EDITS:g} edits a word: {several(far)}")
    text = near or "how far the texts are from the originals was not kept"
    if faults:
        return Shown(False, f"{'; '.join(faults)} ({text})")
    return Shown(True, f"{text} (whether readers keep the labels: crosswind review --calibrate)")


def _is_blind(attack: str) -> bool:
    """Whether a recipe looks at nothing that the model says, so that it is its own control."""
    try:
        return parse_recipe(attack.partition(";")[0]).declaration.blind
    except UserError:  # A recipe of the user's that is not included now.
        return False


def _distances(run: AuditedRun) -> tuple[str, list[str]]:
    """How near each attack's changed examples are, and those attacks and targets that are too far."""
    tables = [path / ATTACKED_TABLE for path in run.run.paths if (path / ATTACKED_TABLE).is_file()]
    if not tables:
        return "", []
    wanted = ("attack", "target", "edit_rate", "chrf")
    whole = pl.concat([read_table(path, ATTACKED_COLUMNS, LATER_COLUMNS).select(wanted) for path in tables])
    changed = whole.drop_nulls("edit_rate")
    means = changed.group_by("attack", "target", maintain_order=True).agg(pl.col("edit_rate", "chrf").mean())
    near, far = [], []
    for attack, target, edits, chrf in means.iter_rows():
        kept = "" if chrf is None else f", chrF {chrf:.0f}"
        near.append(f"{attack} on {target}: {edits:.2f} edits a word{kept}")
        if edits > MOST_EDITS:
            far.append(f"{attack} on {target}")
    return several(near, 4) or "no text was changed in the end: none made an example worse", far


ATTACKS_NEAR = Review("attacks", "Do attacked texts stay near, with their labels, and beside a control?", _look)
