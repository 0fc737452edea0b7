"""Which head of a phase with several tasks the selection judges, and which items a budget takes."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from crosswind.data.examples import PairExample
from crosswind.study.training import _judged, limited
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


@pytest.mark.parametrize("by_cluster", [False, True])
def test_a_budget_of_items_takes_translations_together_and_clusters_where_they_matter(by_cluster: bool) -> None:
    examples: Any = [PairExample(f"i{i}", f"c{i // 3}", code, "", "", 0) for code in ("en", "de") for i in range(90)]
    found = limited(examples, 20, 1, by_cluster=by_cluster, where="t")
    ids = Counter(e.id for e in found)
    assert len(ids) == 20
    assert set(ids.values()) == {2}
    sizes = Counter(Counter(e.cluster for e in found if e.language == "en").values())
    assert (sizes == Counter({3: 6, 2: 1})) == by_cluster
    assert found != limited(examples, 20, 2, by_cluster=by_cluster, where="t")
    assert found == limited(examples[::-1], 20, 1, by_cluster=by_cluster, where="t")[::-1]
