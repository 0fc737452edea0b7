"""YAML as a careful reader takes it: what would mean something else than it says is refused or stays text.

YAML 1.1 reads `no` as false, `1:30:00` as 5400, `010` as 8 and `2024-01-01` as a date, and the last of two equal
keys wins. Here booleans are `true` and `false`, dates and `no` are text, and the others are errors with file, line
and column. Numbers are finite; a text holds no null character and no half of a surrogate pair; aliases do not
unfold to more than `NODE_LIMIT` values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from crosswind.errors import UserError, shown
from crosswind.reading import MIB, whole_text

YAML_LIMIT = MIB
"""Bytes of a YAML file: the longest study that comes with Crosswind has 6 KiB."""
NODE_LIMIT = 100_000
"""Values of a YAML file, aliases unfolded."""


def yaml_text(path: Path, what: str) -> str:
    """The text of a YAML file that the user names as `what`; a `UserError` where it cannot be read."""
    try:
        return whole_text(path, YAML_LIMIT)
    except UserError as error:
        reason = error.what.removeprefix("can't be read: ")
        raise UserError(f"cannot read the {what} ({reason})", where=error.where, hint="name a YAML file") from None


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """A YAML mapping; a `UserError` names file, line and column."""
    value = parse_yaml_value(text, name)
    if not isinstance(value, dict):
        raise UserError("not a mapping of keys to values", where=name, hint="see `crosswind run --help`")
    return value


def parse_yaml_value(text: str, name: str) -> Any:
    """Any YAML value (`--set KEY=VALUE`); a `UserError` names file, line and column."""
    loader = None
    try:
        loader = _Plain(text)
        loader.called = name
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _fault(f"not YAML: {error.problem or error.context}", name, mark, "mind indentation and quotes") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        hint = "name a text file; quote what is no number"
        raise UserError(f"not YAML: {reason}", where=name, hint=hint) from None
    except RecursionError:
        raise UserError("not YAML that can be read: nested too deeply", where=name, hint="is it a study?") from None
    finally:
        if loader is not None:
            loader.dispose()


def line_of(text: str, path: Sequence[str | int], holding: str = "") -> int | None:
    """The line, from 1, of the key or entry at a path of a YAML text, as far down as there is one; with `holding` of
    the first text at or below it that is this, or else has these characters. `None` where the text is no YAML."""
    try:
        node = yaml.compose(text, _Plain)
    except yaml.YAMLError:
        return None
    line = None
    for part in path:
        inside: Any = None
        if isinstance(node, yaml.MappingNode):
            inside = next(((key, value) for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            inside = (node.value[part], node.value[part])
        if inside is None:
            break
        line, node = inside[0].start_mark.line + 1, inside[1]
    if holding and node is not None:
        texts = [(str(n.value), n.start_mark.line + 1) for n in _scalars(node)]
        has = next((at for text, at in texts if holding in text), line)
        line = next((at for text, at in texts if text == holding), has)  # a sentence before it may hold a name
    return line


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    for part in node.value if isinstance(node.value, list) else ():
        for inner in part if isinstance(part, tuple) else (part,):
            yield from _scalars(inner)


def dump_yaml(value: Any) -> str:
    """YAML of plain values in their order, which `parse_yaml` and readers of YAML 1.1 take for the same values."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Plain(yaml.SafeLoader):
    """PyYAML's safe loader with the rules of this module."""

    called = ""
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("null", "merge")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def get_single_data(self) -> Any:
        node = self.get_single_node()
        if node is None:
            return None
        self._count(node, {}, set())
        return self.construct_document(node)

    def _count(self, node: yaml.Node, counts: dict[int, int], above: set[int]) -> int:
        """How many values a node unfolds to; a fault where they are too many, or one holds itself."""
        if id(node) in counts:
            return counts[id(node)]
        if id(node) in above:
            self.refuse(node, "a value that holds itself", "write it out")
        above.add(id(node))
        parts = node.value if isinstance(node.value, list) else []
        inner = [n for part in parts for n in (part if isinstance(part, tuple) else (part,))]
        total = 1 + sum(self._count(n, counts, above) for n in inner)
        if total > NODE_LIMIT:
            self.refuse(node, f"more than {NODE_LIMIT:,} values, aliases unfolded", "no study has so many")
        above.discard(id(node))
        counts[id(node)] = total
        return total

    def refuse(self, node: yaml.Node, what: str, hint: str) -> NoReturn:
        raise _fault(what, self.called, node.start_mark, hint)


def _fault(what: str, name: str, mark: yaml.Mark | None, hint: str) -> UserError:
    if mark is None:
        return UserError(what, where=name, hint=hint)
    return UserError(f"{what} (column {mark.column + 1})", where=f"{name}:{mark.line + 1}", hint=hint)


def _text(loader: _Plain, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    if "\0" in text:
        loader.refuse(node, "a null character in a text", "leave it out")
    if any("\ud800" <= c <= "\udfff" for c in text):
        loader.refuse(node, "half of a surrogate pair in a text, which is no character", "write the character itself")
    return text


def _number(loader: _Plain, node: yaml.ScalarNode) -> int | float:
    """A number as everybody reads it."""
    text = str(loader.construct_scalar(node))
    if ":" in text:
        loader.refuse(node, f"{text} would be a number of base 60", "quote it, or write the number")
    plain = text.replace("_", "")
    if len(plain) > 100:
        loader.refuse(node, f"a number of {len(plain):,} digits", "is it a text? quote it")
    if _DECIMAL.fullmatch(plain):
        if _OCTAL.fullmatch(plain):
            loader.refuse(node, f"{text} would be a number of base 8", "quote it, or write the number without the 0")
        return int(plain)
    if _BASED.fullmatch(plain):
        return int(plain, 0)
    if _INFINITE.fullmatch(plain):
        loader.refuse(node, f"{text} is no finite number", "leave the key out where nothing limits it")
    try:
        number = float(plain)
    except ValueError:
        loader.refuse(node, f"{shown(text)} is no number", "quote what is text")
    if number in (float("inf"), float("-inf")):
        loader.refuse(node, f"{text} is no finite number", "leave the key out where nothing limits it")
    return number


def _truth(loader: _Plain, node: yaml.ScalarNode) -> bool:
    text = str(loader.construct_scalar(node)).lower()
    if text not in ("true", "false"):
        loader.refuse(node, f"{shown(node.value)} is neither true nor false", "write true or false")
    return text == "true"


def _mapping(loader: _Plain, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[object, yaml.Node] = {}
    for key, _ in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            continue
        if not isinstance(key, yaml.ScalarNode):
            loader.refuse(key, "a key that is no text", "write KEY: VALUE")
        name = loader.construct_object(key)
        if name in seen:
            first = seen[name].start_mark.line + 1
            loader.refuse(key, f"the key {shown(name)} is given twice, first in line {first}", "keep one of them")
        seen[name] = key
    loader.flatten_mapping(node)
    return {
        loader.construct_object(key, deep=True): loader.construct_object(value, deep=True) for key, value in node.value
    }


def _sequence(loader: _Plain, node: yaml.SequenceNode) -> list[Any]:
    return [loader.construct_object(value, deep=True) for value in node.value]


def _foreign(loader: _Plain, node: yaml.Node) -> NoReturn:
    loader.refuse(node, f"the tag {shown(node.tag)} is not taken", "write the plain value")


_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"[-+]?0[0-9]+")
_BASED = re.compile(r"[-+]?0(?:x[0-9a-fA-F]+|b[01]+|o[0-7]+)")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"

_Plain.add_implicit_resolver(_TAG + "bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))
# 1.2's numbers, and those of 1.1 that are refused: base 60 and 8.
_Plain.add_implicit_resolver(
    _TAG + "int",
    re.compile(
        r"""(?:[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])*
        |[-+]?0(?:x[0-9a-fA-F_]+|b[01_]+|o[0-7_]+)
        |[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?
        |[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+
        |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
        |[-+]?\.(?:inf|Inf|INF)
        |\.(?:nan|NaN|NAN))\Z""",
        re.VERBOSE,
    ),
    list("-+0123456789."),
)
_Plain.add_constructor(_TAG + "str", _text)
_Plain.add_constructor(_TAG + "int", _number)
_Plain.add_constructor(_TAG + "float", _number)
_Plain.add_constructor(_TAG + "bool", _truth)
_Plain.add_constructor(_TAG + "map", _mapping)
_Plain.add_constructor(_TAG + "seq", _sequence)
for _tag in ("binary", "timestamp", "omap", "pairs", "set"):
    _Plain.add_constructor(_TAG + _tag, _foreign)
_Plain.add_constructor(None, _foreign)


class _Dumper(yaml.SafeDumper):
    """Quotes a text that either version of YAML would take for something else."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [*yaml.SafeDumper.yaml_implicit_resolvers.get(first, []), *_Plain.yaml_implicit_resolvers.get(first, [])]
        for first in {*yaml.SafeDumper.yaml_implicit_resolvers, *_Plain.yaml_implicit_resolvers}
    }

    def ignore_aliases(self, data: Any) -> bool:
        return True
