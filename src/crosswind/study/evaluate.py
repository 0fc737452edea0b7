"""Evaluating any checkpoint: a study without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crosswind.errors import UserError
from crosswind.study.spec import Data, PerturbSpec, Study, Target, Targets, TrainingSpec
from crosswind.tasks.base import TASKS


def evaluation(
    model: str,
    tasks: Sequence[str],
    *,
    languages: Sequence[str] = (),
    perturb: Sequence[str] = (),
    data: Path | None = None,
    split: str | None = None,
    limit: int | None = None,
    draws: int = 1,
    lexicons: Path | None = None,
    precision: str = "fp32",
    max_length: int = 128,
) -> Study:
    """The study that evaluates a fine-tuned checkpoint (or, for retrieval, any encoder).

    The microworld's tasks are generated; of others, with `data` the official files below it are read, otherwise
    the hub. Raises `UserError` for no task.
    """
    if not tasks:
        raise UserError("no task is named", where="--task", hint="for example --task xnli")
    if limit is not None and limit < 1:
        raise UserError(f"the limit is {limit}", where="--limit", hint="evaluate at least one example")
    target = Target(split=split, limit=limit, train=[])
    return Study(
        name="evaluate",
        encoder=model,
        fine_tuned=True,
        draws=draws,
        data=_data(tasks, data),
        lexicons=lexicons,
        training=TrainingSpec(precision="bf16" if precision == "bf16" else "fp32", max_length=max_length),
        routes={"none": []},
        targets=Targets(tasks=dict.fromkeys(tasks, target), languages=list(languages) or None),
        perturb=[PerturbSpec(spec=p) for p in perturb],
    )


def _data(tasks: Sequence[str], root: Path | None) -> Data:
    generated = [name for name in tasks if name in TASKS and TASKS[name].generated is not None]
    if not generated:
        return Data(source="files", root=root) if root else Data(source="hub")
    if len(generated) < len(tasks):
        raise UserError(
            f"{generated[0]} is generated and {next(n for n in tasks if n not in generated)} is not",
            where="--task",
            hint="evaluate the microworld's tasks apart",
        )
    return Data(source="microworld")
