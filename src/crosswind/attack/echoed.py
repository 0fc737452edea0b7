"""Records that say by `id` which example they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from crosswind.errors import shown


def in_order_asked(asked: Sequence[str], records: Sequence[Any]) -> list[Any]:
    """As many records as were asked for, in the order of the ids asked.

    Records without `id` are in that order already. Those with it are put into it; an attack asks about several texts
    of one example, whose ids are one, so that these cannot be told apart and have to be in order. Raises a
    `ValueError`, which says what the victim does, where some records alone have an id, where the ids are not those
    asked, and where the order cannot be found again.
    """
    given = [record["id"] if isinstance(record, Mapping) and "id" in record else None for record in records]
    if all(one is None for one in given):
        return list(records)
    if any(one is None for one in given):
        raise ValueError(f"gives an id with {sum(one is not None for one in given)} of {len(given)} records")
    if given == list(asked):
        return list(records)
    if odd := [one for one in given if one not in asked]:
        raise ValueError(f"gives a record of the id {shown(odd[0])}, about which it was not asked")
    times = Counter(asked)
    if Counter(given) != times:
        missing = next(one for one in times if given.count(one) != times[one])
        count = given.count(missing)
        raise ValueError(f"gives {count} records of the id {missing!r}, and was asked for {times[missing]}")
    if several := next((one for one, count in times.items() if count > 1), None):
        raise ValueError(
            f"answers in another order than it was asked, in which {times[several]} texts have the id {several!r}"
        )
    placed = dict(zip(given, records, strict=True))
    return [placed[one] for one in asked]
