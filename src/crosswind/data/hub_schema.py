"""Whether a repository of the hub is as a declaration expects: Parquet files, and columns with classes in their order.

Parquet says what its columns are; the types of JSON lines and CSV are guessed, and have no names of classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crosswind.data.source import HubSource
from crosswind.errors import UserError


def checked_files(source: HubSource, files: Iterable[str], address: str, where: str) -> tuple[str, ...]:
    """A note on the files of a configuration that are no Parquet where the declaration allows them.

    Raises `UserError` at the declaration `where` that names these files where it does not.
    """
    names = sorted({_name(file) for file in files if not file.endswith(".parquet")})
    if not names:
        return ()
    several = f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}"
    if source.not_parquet:
        return (f"read from {address}: {several}, no Parquet ({source.not_parquet})",)
    raise UserError(
        f"{address} is kept as {several}, not as Parquet: types and the names of classes would be guessed",
        where=where,
        hint="read the official files, or say in its `HubSource` why these may be read (`not_parquet`)",
    )


def check_features(source: HubSource, features: Mapping[str, Any], address: str, where: str) -> None:
    """A `UserError` at the declaration `where` unless the columns and their classes are those that it expects.

    `features` are those of a table of `datasets`. Other columns than the declared ones may be there. A column of
    classes names them as declared, in this order, or holds the names themselves.
    """
    hint = "the repository has changed: pin the commit that was checked (`revision`), or declare what it holds "
    hint += "(`columns`, `classes` of its `HubSource`), or read the official files"
    columns = dict(_leaves(features))
    absent = [name for name in source.columns if name not in columns]
    if absent:
        raise UserError(
            f"{address} has no column {', '.join(map(repr, absent))}; it has {', '.join(columns)}",
            where=where,
            hint=hint,
        )
    for name, expected in source.classes.items():
        given = _classes(columns.get(name, "string"))
        if given is not None and given != expected:
            reads = f"the classes {', '.join(given)}" if given else "numbers without the names of classes"
            raise UserError(
                f"the column {name!r} of {address} has {reads}, where {', '.join(expected)} are expected in this order",
                where=where,
                hint=hint,
            )


def _leaves(features: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each column that holds values, those within others as `outer.inner`."""
    for name, feature in features.items():
        inner = feature if isinstance(feature, Mapping) else getattr(feature, "feature", None)
        if isinstance(inner, Mapping):
            yield from ((f"{name}.{below}", value) for below, value in _leaves(inner))
        else:
            yield name, feature


def _classes(feature: Any) -> tuple[str, ...] | None:
    """The names of the classes of a column, or of the items of its lists; none: () of numbers, None of texts."""
    inner = getattr(feature, "feature", feature)
    names = getattr(inner, "names", None)
    if names is not None:
        return tuple(names)
    return None if getattr(inner, "dtype", "string") in ("string", "large_string") else ()


def _name(file: str) -> str:
    """The last part of a file's address; of `zip://inner::outer` that of the archive."""
    return file.rpartition("::")[2].rpartition("/")[2]
