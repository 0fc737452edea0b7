"""The application that the commands add themselves to."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer
from typer.core import TyperGroup, TyperOption

from crosswind.errors import UserError


class Commands(TyperGroup):
    """Commands whose options are given once, unless they collect all that they are given."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that `args` begin with.

        Raises a `UserError` for an option of it that takes one value and is given again: the parser would keep the
        last without a word.
        """
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not isinstance(command, TyperGroup):
            parser = command.make_parser(command.context_class(command, info_name=name, parent=ctx))
            _, _, given = parser.parse_args(list(rest))
            if not any(parameter.is_eager for parameter in given):  # --help answers whatever else is there
                _refuse_repeated(given)
        return name, command, rest


def _refuse_repeated(given: list[Any]) -> None:
    """Raise a `UserError` for the first of the given parameters that stands there more often than it is read."""
    for option, times in Counter(given).items():
        if times > 1 and isinstance(option, TyperOption) and _takes_one(option):
            hint = "give it once; where it takes several, they stand in one value, with commas between them"
            raise UserError(f"given {times} times, and it takes one value", where=option.opts[0], hint=hint)


def _takes_one(option: TyperOption) -> bool:
    """Whether the last of an option's values would be kept alone; a switch says the same however often it is given."""
    return not option.multiple and not option.count and (not option.is_flag or bool(option.secondary_opts))


app = typer.Typer(
    cls=Commands,
    help="Does zero-shot cross-lingual transfer survive adversarial perturbation?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
