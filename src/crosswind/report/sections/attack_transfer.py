"""How adversarial examples transfer: by how a model is related to their source, and from route to route."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from crosswind.analysis.results import NONE
from crosswind.analysis.transfer import RELATIONS, SAME_ROUTE, TransferRate, transfer_rates
from crosswind.report.inert import shortened
from crosswind.report.parts import Column, TextTable
from crosswind.report.view import figure

_MOST = 400  # rows
_ATTACK = ("target", "attack", "budget", "protection", "selection", "defence")
_MEANING = (
    "Of the items that both models have right when clean, and that the attack made wrong for the model that it was made"
    " on, the share in percent that are wrong for the other model too: quotients of counts over all pairs of models,"
    " means over languages. Intervals of 95 % are over clusters of items, for these models: seeds are not drawn anew."
)


def transfer_tables(frame: pl.DataFrame) -> tuple[TextTable, ...]:
    """A table by relation and one by route; nothing where no adversarial example was scored on another model."""
    if not frame["broken"].sum():
        return ()
    relations = sorted(
        transfer_rates(frame, (*_ATTACK, "relation"), baseline=SAME_ROUTE),
        key=lambda rate: RELATIONS.index(rate.name["relation"]),
    )
    order = list(dict.fromkeys(_attack(rate) for rate in relations))
    relations.sort(key=lambda rate: order.index(_attack(rate)))
    routes = transfer_rates(frame, (*_ATTACK, "source_route", "route", "relation"))
    return (
        TextTable(
            "transfer",
            f"How adversarial examples transfer, by how the model is related to the one they were made on. {_MEANING}"
            " Models of one pipeline seed share what it draws, such as first weights of heads and orders of examples.",
            _columns(("model",), "more than with the same route and another seed"),
            tuple(
                (*_attack(r), r.name["relation"], figure(r.rate), figure(r.more, signed=True), *_counts(r))
                for r in relations
            ),
            filters=(0, 1, 2),
        ),
        TextTable(
            "transfer-routes",
            f"How adversarial examples transfer from route to route. {_MEANING}",
            _columns(("made on", "scored on", "seed")),
            tuple(
                (
                    *_attack(r), r.name["source_route"], r.name["route"],
                    r.name["relation"].rpartition(", ")[2], figure(r.rate), *_counts(r),
                )
                for r in routes[:_MOST]
            ),
            filters=(0, 1, 2, 3, 4),
            missing="" if len(routes) <= _MOST else f"{_MOST} of {len(routes):,} rows; transfer.parquet has all.",
        ),
    )  # fmt: skip


def _columns(names: Sequence[str], *further: str) -> tuple[Column, ...]:
    return (
        *map(Column, ("target", "attack", "defence", *names)),
        Column("transfer rate", "number"),
        *(Column(title, "number") for title in further),
        *(Column(title, "number") for title in ("adversarial examples", "pairs of models")),
    )


def _attack(rate: TransferRate) -> tuple[str, str, str]:
    name = rate.name
    protection = "" if name["protection"] == NONE else f", {name['protection']} protected"
    attack = shortened(f"{name['attack']}, {name['budget']:,} queries", 60) + protection
    apart = "" if name["selection"] == "english" else f" · {name['selection']}"
    return name["target"], attack, name["defence"] + apart


def _counts(rate: TransferRate) -> tuple[str, str]:
    return f"{rate.broken:,}", f"{rate.pairs:,}"
