"""Whether checkpoints were chosen without the target languages' data."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown


def _look(run: AuditedRun) -> Shown:
    ways = run.run.rows["selection"].unique().sort().to_list()
    splits = run.run.rows["split"].unique().sort().to_list()
    text = f"checkpoints: {', '.join(ways)}; scored on {', '.join(splits)}"
    if splits == ["dev"] and "english" in ways:
        return Shown(False, f"{text}: chosen and scored on development data")
    return Shown(True, f"{text}; oracle ones are in no contrast" if "oracle" in ways else text)


SELECTION = Review("selection", "Were checkpoints chosen on other data than they are scored on?", _look)
