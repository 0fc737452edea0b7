"""The study file that `crosswind init` writes."""

from __future__ import annotations

from pathlib import Path

from crosswind.errors import UserError
from crosswind.run.folders import replacing

TEMPLATE = Path(__file__).resolve().parent / "configs" / "template.yaml"


def write_template(file: Path) -> None:
    """Write the commented study file; a `UserError` where something is there already or nothing can be written."""
    if file.exists() or file.is_symlink():
        raise UserError("is there already", where=str(file), hint="name another file: nothing is overwritten")
    if not file.absolute().parent.is_dir():
        raise UserError("there is no such folder", where=str(file.absolute().parent), hint="make it first")
    with replacing(file) as draft:
        draft.write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
