"""The application that the commands add themselves to."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Does zero-shot cross-lingual transfer survive adversarial perturbation?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
