"""Which head of a phase with several tasks the selection judges."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from crosswind.study.training import _judged
from crosswind.tasks.base import TASKS


def head(name: str) -> Any:
    return SimpleNamespace(kind=TASKS[name].kind, labels=TASKS[name].labels, name=name)


@pytest.mark.parametrize(
    ("trained", "judged", "expected"),
    [
        (("qqp", "mnli"), "mnli", "mnli"),  # its own
        (("qqp", "mnli", "snli"), "xnli", "mnli"),  # what XNLI is trained on
        (("qqp", "snli"), "xnli", "snli"),  # the same labels
        (("qqp", "udpos"), "xnli", "qqp"),  # no better one of its kind
    ],
)
def test_selection_judges_the_head_of_its_own_task(trained: tuple[str, ...], judged: str, expected: str) -> None:
    heads = {name: head(name) for name in trained}
    assert _judged(heads, TASKS[judged]).name == expected  # type: ignore[attr-defined]
