"""Which head of a phase with several tasks the selection judges, and what a budget takes."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from crosswind.data.examples import PairExample
from crosswind.tasks.base import TASKS
from crosswind.train.budget import limited
from crosswind.train.phase import selection_head


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
    task = TASKS[judged]
    head_judged = selection_head(heads, (task.name, task.trains_on), task.kind, task.labels)
    assert head_judged.name == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("by_cluster", [False, True])
def test_a_budget_of_items_takes_translations_together_and_clusters_where_they_matter(by_cluster: bool) -> None:
    examples: Any = [PairExample(f"i{i}", f"c{i // 3}", code, "", "", 0) for code in ("en", "de") for i in range(90)]
    chosen = limited(examples, 20, 1, by_cluster=by_cluster, where="t")
    ids = Counter(e.id for e in chosen)
    assert len(ids) == 20
    assert set(ids.values()) == {2}
    sizes = Counter(Counter(e.cluster for e in chosen if e.language == "en").values())
    assert (sizes == Counter({3: 6, 2: 1})) == by_cluster
    assert chosen != limited(examples, 20, 2, by_cluster=by_cluster, where="t")
    assert chosen == limited(examples[::-1], 20, 1, by_cluster=by_cluster, where="t")[::-1]
