"""`crosswind audit`: reviews of run folders."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from crosswind.errors import UserError
from crosswind.plain_yaml import parse_yaml, yaml_text
from crosswind.study.about import read_audited
from crosswind.study.audit import Audit, AuditedRun, audit_of
from crosswind.study.folder import STUDY
from crosswind.study.joined import join_runs
from crosswind.study.own import declare_tasks
from crosswind.study.spec import read_study


def audit_runs(runs: Sequence[Path]) -> Audit:
    """Every review of one run, or of several of one study."""
    joined = join_runs(runs)
    with suppress(UserError):  # The study's own data may have gone since: the review that needs them says so.
        declare_tasks(read_study(runs[0] / STUDY))
    study = parse_yaml(yaml_text(runs[0] / STUDY, "study"), str(runs[0] / STUDY))
    return audit_of(AuditedRun(joined, joined.summary(), study, read_audited(runs)))
