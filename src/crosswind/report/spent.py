"""Attacks that spent their budget before they changed a text: what is left then says nothing of robustness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

import polars as pl

from crosswind.analysis.condition import is_transferred

_Key = tuple[str, str, int]
_NAMES = ("target", "attack", "budget")
_MANY = 10.0  # per cent of the attacked examples, from which on readers are told


def spent_words(untried: float, budget: int, positions: float) -> str:
    """Why an attack changed nothing in `untried` per cent of its examples; empty where these are few."""
    if untried < _MANY:
        return ""
    return (
        f"{untried_words(untried)}: all {budget:,} queries went before the first change, into ranking what"
        f" to change ({positions:g} positions in the median text). What is left there is the clean score and no"
        " robustness; a larger budget would attack."
    )


def untried_words(untried: float) -> str:
    """Of how many attacked examples nothing was tried, in per cent; empty where these are few."""
    if untried < _MANY:
        return ""
    which = "every attacked example" if untried >= 100 else f"{untried:.0f} % of the attacked examples"
    return f"of {which} no changed text was tried"


def untried_shares(attacked: pl.DataFrame) -> dict[_Key, float]:
    """The per cent of attacked examples of which nothing was tried, the mean over the rows of a target and attack."""
    return {key: untried for key, untried, _ in _shares(attacked)}


def spent_remarks(curves: pl.DataFrame, attacked: pl.DataFrame) -> tuple[str, ...]:
    """A remark for each target and attack that spent its budget so, as `CURVE_COLUMNS` and `ATTACKED_COLUMNS` show.

    Runs that do not say what an attack asked about first are judged by what they have: nothing was edited and no space
    exhausted; or only curves, which are flat while random draws from the same alternatives are not.
    """
    said = dict(_of_figures(attacked))
    flat = {key: text for key, text in _of_curves(curves) if key not in _attacks(attacked)}
    return tuple(f"{target}, {attack}: {text}" for (target, attack, _), text in {**said, **flat}.items())


def _attacks(attacked: pl.DataFrame) -> set[_Key]:
    return set(attacked.select(_NAMES).iter_rows())


def _of_figures(attacked: pl.DataFrame) -> Iterator[tuple[_Key, str]]:
    for key, untried, positions in _shares(attacked):
        if text := spent_words(untried, key[2], positions):
            yield key, text


def _shares(attacked: pl.DataFrame) -> Iterator[tuple[_Key, float, float]]:
    """What was not tried, and the positions of the median text, of each target and attack."""
    for (target, attack, budget), rows in attacked.group_by(_NAMES, maintain_order=True):
        positions = median(rows["positions"].drop_nulls().to_list() or [0])
        shares = rows["untried"].drop_nulls().to_list() if "untried" in rows.columns else []
        untried = sum(shares) / len(shares) if shares else None
        if untried is None:  # An older version: what changed nothing, used its budget and had more to try.
            idle = rows.filter(
                pl.col("edit_rate").is_null()
                & (pl.col("exhausted") == 0)
                & (pl.col("queries_median") >= pl.col("budget"))
                & (pl.col("positions") > pl.col("budget"))
            )
            untried = 100 * len(idle) / len(rows)
        yield (str(target), str(attack), int(str(budget))), untried, positions


def _of_curves(curves: pl.DataFrame) -> Iterator[tuple[_Key, str]]:
    drawn = {(target, attack.replace(".random", "", 1), budget): rows for (target, attack, budget), rows
             in _grouped(curves.filter("control"))}  # fmt: skip
    for key, rows in _grouped(curves.filter(~pl.col("control"))):
        if is_transferred(key[1]) or key not in drawn or _moves(rows) or not _moves(drawn[key]):
            continue
        text = (
            f"the attack changed no score in {key[2]:,} queries, and random draws from the same alternatives do. The"
            " likely reason: a search that ranks words first asks a query for each before it changes one, and the"
            " budget ends before that. What is left is the clean score and no robustness; a larger budget would attack."
        )
        yield key, text


def _grouped(curves: pl.DataFrame) -> Iterator[tuple[_Key, pl.DataFrame]]:
    for (target, attack, budget), rows in curves.group_by(_NAMES, maintain_order=True):
        yield (str(target), str(attack), int(str(budget))), rows


def _moves(rows: pl.DataFrame) -> bool:
    """Whether a score on some curve of these is another than at no query."""
    cell: Sequence[str] = [c for c in rows.columns if c not in ("at", "score")]
    return bool(rows.group_by(cell).agg(pl.col("score").n_unique() > 1)["score"].any())
