"""What a checkpoint says of its classes, and what Crosswind recorded beside its own; checked, and without torch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from crosswind.data.examples import Kind
from crosswind.errors import shown
from crosswind.model.foreign import checkpoint_json, malformed

CONFIG = "config.json"
RECORD = "crosswind.json"  # beside config.json: kind, labels, pooling
MOST_CLASSES = 1_000_000
"""Classes of a model: more is a damaged file, of which a list would fill the memory."""

_POOLING: Mapping[str, type | tuple[type, ...]] = {"mode": str, "layer": (int, type(None)), "prefix": str}
_MODES = ("mean", "cls", "pooler")
_CLASSIFIER_POOLINGS = ("cls", "mean", "max", None)


@dataclass(frozen=True)
class Recorded:
    """What stands beside a checkpoint of ours; `pooling` are the fields of a `Pooling`."""

    kind: Kind
    labels: tuple[str, ...]
    pooling: Mapping[str, Any] | None
    classifier_pooling: str | None


def recorded_facts(source: str, revision: str | None = None) -> Recorded | None:
    """What Crosswind recorded beside a checkpoint; `None` for anybody else's. A `UserError` for what it cannot mean."""
    facts = checkpoint_json(source, RECORD, revision)
    if facts is None or not {"kind", "labels"} & facts.keys():
        return None
    kind: Any = facts.get("kind")
    labels = facts.get("labels")
    pooling, classifier = facts.get("pooling"), facts.get("classifier_pooling")
    if kind not in get_args(Kind):
        raise malformed(source, RECORD, f"`kind` is {shown(kind)}, and a kind is {', '.join(get_args(Kind))}")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise malformed(source, RECORD, f"`labels` is {shown(labels)}, not a list of names")
    if pooling is not None and not _is_pooling(pooling):
        raise malformed(source, RECORD, f"`pooling` is {shown(pooling)}, not mode, layer and prefix")
    if classifier not in _CLASSIFIER_POOLINGS:
        raise malformed(source, RECORD, f"`classifier_pooling` is {shown(classifier)}, not cls, mean or max")
    return Recorded(kind, tuple(labels), pooling, classifier)


def class_count(config: Mapping[str, Any], source: str) -> int | None:
    """`num_labels` of a configuration; a `UserError` for what is no number of classes."""
    count = config.get("num_labels")
    if count is not None and (type(count) is not int or not 0 <= count <= MOST_CLASSES):
        raise malformed(source, CONFIG, f"`num_labels` is {shown(count)}, no number of classes")
    return count


def class_names(named: object, source: str) -> list[str]:
    """The classes that `id2label` of a configuration names, in the order of the model's outputs."""
    if not isinstance(named, Mapping):
        raise malformed(source, CONFIG, f"`id2label` is {shown(named)}, not numbers with the names of classes")
    keys = {str(key): key for key in named}
    wrong = next((key for key in keys if not re.fullmatch(r"0|[1-9][0-9]{0,6}", key) or int(key) >= len(keys)), None)
    if wrong is not None or len(keys) < len(named):
        what = f"`id2label` has the number {shown(wrong)}, and {len(named)} classes are numbered from 0"
        raise malformed(source, CONFIG, what)
    names = [named[keys[str(i)]] for i in range(len(keys))]
    if any(isinstance(name, (list, dict)) for name in names):
        raise malformed(source, CONFIG, "`id2label` has a class whose name is no text")
    return [str(name) for name in names]


def refuse_other_orders(named: Sequence[str], id2label: object, label2id: object, source: str) -> None:
    """A `UserError` where `id2label` or `label2id` of a configuration gives some of the classes another number.

    `named` are the classes in the order that is read.
    """
    order = {name: i for i, name in enumerate(named)}
    other = dict(enumerate(class_names(id2label, source))) if id2label is not None else {}
    numbers = [("id2label", name, i) for i, name in other.items()]
    if isinstance(label2id, Mapping):
        numbers += [("label2id", str(name), i) for name, i in label2id.items()]
    for key, name, i in numbers:
        if name in order and str(i) != str(order[name]) and len(order) == len(named):
            what = f"`{key}` gives {name!r} the number {shown(i)}, and {order[name]} is read elsewhere"
            raise malformed(source, CONFIG, what)


def _is_pooling(value: object) -> bool:
    if not isinstance(value, dict) or not value.keys() <= _POOLING.keys() or value.get("mode", "mean") not in _MODES:
        return False
    return all(isinstance(part, _POOLING[key]) and not isinstance(part, bool) for key, part in value.items())
