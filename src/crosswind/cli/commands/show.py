"""The command `crosswind show`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, comma_separated, include_folders


@app.command()
def show(
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="Default: a sentence in ten scripts.")] = None,
    language: Annotated[str | None, typer.Option(help="Comma-separated; of TEXT, or of samples.")] = None,
    perturb: Annotated[list[str] | None, typer.Option(metavar="SPEC", help="For example keyboard:0.3.")] = None,
    include: Include = None,
) -> None:
    """Show what perturbations do to a sentence: no model, no network.

    Example: crosswind show "Does it survive?" --language en
    """
    from crosswind.perturb.show import SHOWN_SPECS, lines_of, shown_texts

    include_folders(include)
    for number, shown in enumerate(shown_texts(text, comma_separated(language, "--language"), perturb or SHOWN_SPECS)):
        if number:
            print()
        for line in lines_of(shown, colour=sys.stdout.isatty()):
            print(line)
