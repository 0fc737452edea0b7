"""Mappings that are checked key by key: unknown keys, and what could never run, are errors that name the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from crosswind.errors import UserError, shown, unknown
from crosswind.plain_yaml import parse_yaml_value


class StrictModel(BaseModel):
    """A mapping of a file: unknown keys are errors. `has_examples`: the package brings such files to look at."""

    has_examples: ClassVar[bool] = False

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def at_most(limit: int, reason: str) -> AfterValidator:
    """Refuses a larger number, or a longer list, and says why: what could never run is no study."""

    def check(value: Any) -> Any:
        size = len(value) if isinstance(value, list) else value
        if size is not None and size > limit:
            raise ValueError(f"at most {limit:,}: {reason}")
        return value

    return AfterValidator(check)


def distinct(values: list[Any] | None) -> list[Any] | None:
    """Refuses what a list names twice: it would be taken once, and the user meant something else."""
    for i, value in enumerate(values or ()):
        if values is not None and value in values[:i]:
            raise ValueError(f"{value!r} is there twice\nname each once")
    return values


Length = Annotated[int | None, at_most(100_000, "no encoder reads so many tokens at once")]
"""Tokens of a row."""


Amount = Annotated[int | None, at_most(10**12, "no run of that length ends")]
"""Of examples, tokens or steps."""


def row_range(value: object) -> object:
    """A range of rows that YAML reads as a number."""
    return str(value) if isinstance(value, int) else value


def listed(value: object) -> object:
    """One entry as a list of it."""
    return [value] if isinstance(value, str | Mapping) else value


def listed_number(value: object) -> object:
    """One number as a list of it."""
    return [value] if isinstance(value, int | float) else value


def as_named(value: object) -> object:
    """A name alone as a mapping with it."""
    return {"name": value} if isinstance(value, str) else value


def set_key(value: dict[str, Any], override: str) -> None:
    """Apply `a.b.0.c=YAML` to a nested value; a `UserError` where the path does not fit."""
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise UserError(f"{override!r} is not KEY=VALUE", where="--set", hint="for example --set data.root=DIR")
    try:
        new = parse_yaml_value(text, "")
    except UserError as error:
        hint = "quote it for the shell: --set 'seeds=[1, 2]'"
        raise UserError(f"{error.what}: {shown(text)}", where=f"--set {path}", hint=hint) from error
    node: Any = value
    parts = path.split(".")
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        if isinstance(node, list):
            if not (part.isascii() and part.isdigit() and len(part) < 10) or int(part) >= len(node):
                raise UserError(f"{'.'.join(parts[:i])} is a list of {len(node)}", where=f"--set {path}")
            key: Any = int(part)
        elif isinstance(node, dict):
            key = part
        else:
            raise UserError(f"{'.'.join(parts[:i])} holds no keys", where=f"--set {path}", hint="set the whole value")
        if last:
            node[key] = new
        else:
            if isinstance(node, dict) and node.get(key) is None:
                node[key] = {}
            node = node[key]


def validate_mapping(model: type[Any], value: Mapping[str, Any], name: str) -> Any:
    """A pydantic model from a value; the first fault as a `UserError` that names the key."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise first_fault(error, name, model) from error


def first_fault(error: ValidationError, name: str, model: Any, prefix: str = "") -> UserError:
    """The first fault; a misspelt key is also missing under its right name, and the first is what the user did."""
    fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    key = _key((prefix, *fault["loc"]) if prefix else fault["loc"])
    where = f"{name}: {key}" if key else name
    if fault["type"] == "extra_forbidden":
        return unknown("key", str(fault["loc"][-1]), _known(model, fault["loc"][:-1]), where=where)
    given = "" if isinstance(fault.get("input"), Mapping | list) else f" (it is {fault.get('input')!r})"
    text, _, advice = fault["msg"].removeprefix("Value error, ").partition("\n")
    hint = advice or ("studies/ has commented examples" if getattr(model, "has_examples", False) or prefix else None)
    return UserError(f"{text}{given}", where=where, hint=hint)


def _key(loc: tuple[str | int, ...]) -> str:
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not part.startswith(("function-", "list[", "union", "literal")):
            text += f".{part}" if text else part
    return text


def _known(model: Any, loc: tuple[str | int, ...]) -> list[str]:
    """The keys of the model that an unknown key was written into; `model` may be a list of models."""
    nested: Any = next(iter(_models(model)), None)
    fields = set(nested.model_fields) if nested is not None else set()
    for part in loc:
        field = nested.model_fields.get(part) if isinstance(part, str) and hasattr(nested, "model_fields") else None
        if field is not None:
            inner = _models(field.annotation)
            nested = inner[0] if inner else nested
            fields = set(nested.model_fields)
    return sorted(fields)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for a in getattr(annotation, "__args__", ()) for m in _models(a)]
