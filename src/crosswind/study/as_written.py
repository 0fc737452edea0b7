"""Whether the tables of a run folder are those that its run wrote: every reader asks before it trusts a number.

`logs/tables.json` has the SHA-256 of each. A folder without it, as one that was kept without its logs, says nothing of
its tables, and neither does one of an older version of those that it did not note. The table of comparisons is not
looked at: no number is read from it, and a report that lies in the folder may write it anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from crosswind.errors import UserError
from crosswind.report.content import CONTRASTS_FILE
from crosswind.run.folders import file_hash
from crosswind.study.folder import TABLE_HASHES

_AGAIN = "run the study again: nothing is computed anew, and the tables are written as they were"


def require_as_written(run: Path, only: Collection[str] | None = None) -> None:
    """A `UserError` where a table of a run, of `only` these or of all, is not byte for byte as it was written."""
    hashes = _hashes(run / TABLE_HASHES)
    for name in hashes:
        if name == CONTRASTS_FILE or (only is not None and name not in only):
            continue
        try:
            same = file_hash(run / name) == hashes[name]
        except FileNotFoundError:
            raise UserError("is gone, which the run wrote", where=str(run / name), hint=_AGAIN) from None
        except OSError as error:
            raise UserError(f"cannot be read ({error.strerror})", where=str(run / name), hint=_AGAIN) from error
        if not same:
            what = "is not the table that the run wrote: it was changed, or comes from elsewhere"
            raise UserError(what, where=str(run / name), hint=_AGAIN)


def _hashes(path: Path) -> dict[str, str]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot be read ({type(error).__name__})", where=str(path), hint=_AGAIN) from error
    if not isinstance(value, dict):
        raise UserError("holds no checksums of tables", where=str(path), hint=_AGAIN)
    return value
