"""What became of one attacked example."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from crosswind.perturb.rewrite import Rewrite

End = Literal["success", "budget", "exhausted", "refused", "wrong before", "no site"]
"""Why an attack of an example ended: the goal was reached, the budget was used up, the search had nothing left to try
(its space was exhausted), constraints that ask a model refused too many texts (`runner.py`), the example was not right
before, it has no site that may change."""

ENDS: tuple[End, ...] = get_args(End)

NO_TEXT = frozenset({"protected", "beyond the window", "beyond the longest words", "no option", "label or edits"})
"""Why something was no site or no text, but for what constraints refuse, which is counted by their names."""


def refused_by_constraints(refused: Mapping[str, int]) -> dict[str, int]:
    """Of what was refused by reason, the texts that constraints refused."""
    return {name: many for name, many in refused.items() if name not in NO_TEXT}


@dataclass(frozen=True, slots=True)
class Point:
    """The best text after so many queries among those of at most this edit rate.

    `statistics` are those of the task's metric, so that its score can be read from curves.
    """

    query: int
    edit_rate: float
    right: float
    loss: float
    statistics: tuple[float, ...] = ()

    def to_json(self) -> list[Any]:
        """As plain data; `from_json` gives the same back."""
        return [self.query, self.edit_rate, self.right, self.loss, [*self.statistics]]

    @classmethod
    def from_json(cls, value: Any) -> Point:
        """What `to_json` gave."""
        query, edit_rate, right, loss, statistics = value
        return cls(query, edit_rate, right, loss, tuple(statistics))


@dataclass(frozen=True)
class Attacked:
    """The outcome of an example.

    `rewrites` and `tags` are those of the worst text that was found, by field; they are empty where nothing was better
    than the clean example. `queries` and `passes` are what it cost (`counted.py`), `found_at` the number of the query
    that gave this text. `positions` are the sites that could change, `alternatives` what they could become in all.
    `refused` counts by reason what was no site or no text. `curve` holds each text that was worse than all before it
    of no higher edit rate.
    """

    id: str
    end: End
    clean_right: float
    clean_loss: float
    right: float
    loss: float
    queries: int
    passes: int
    found_at: int
    edit_rate: float
    changes: int
    positions: int
    alternatives: int
    words: int
    rewrites: Mapping[str, Rewrite] = field(default_factory=dict)
    tags: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    curve: tuple[Point, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether a worse text was found."""
        return bool(self.rewrites)

    def dumps(self) -> str:
        """One line of JSON with its checksum; `loads` gives the same back."""
        value = asdict(self)
        value["rewrites"] = {name: rewrite.to_json() for name, rewrite in self.rewrites.items()}
        value["curve"] = [p.to_json() for p in self.curve]
        value["refused"] = dict(sorted(self.refused.items()))
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        return f"{text[:-1]}{_SEAL}{_hash(text)}{_END}"

    @classmethod
    def loads(cls, line: str) -> Attacked:
        """What `dumps` wrote; a `ValueError` for another line, be it one byte that differs."""
        head, _, seal = line.rpartition(_SEAL)
        text = f"{head}}}"
        if seal != f"{_hash(text)}{_END}":
            raise ValueError("no outcome with its checksum")
        value: dict[str, Any] = json.loads(text)
        value["rewrites"] = {name: Rewrite.from_json(rewrite) for name, rewrite in value["rewrites"].items()}
        value["tags"] = {name: None if tags is None else tuple(tags) for name, tags in value["tags"].items()}
        value["curve"] = tuple(map(Point.from_json, value["curve"]))
        return cls(**value)


_SEAL, _END = ', "sha256": "', '"}'


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Curve:
    """Collects the points of a curve: texts that are worse than every earlier one of no higher edit rate."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    def adds(self, edit_rate: float, right: float, loss: float) -> bool:
        """Whether a text is a point of the curve: no earlier one with as few edits is as bad."""
        badness = (-right, loss)
        return all((-p.right, p.loss) < badness or p.edit_rate > edit_rate for p in self.points)
