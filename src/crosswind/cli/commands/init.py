"""The command `crosswind init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app


@app.command()
def init(file: Annotated[Path, typer.Argument(metavar="[FILE]")] = Path("study.yaml")) -> None:
    """Write a commented study file to begin with. It runs as it is, without a network; never overwrites.

    Example: crosswind init my-study.yaml
    """
    from crosswind.study.template import write_template

    write_template(file)
    print(f"{file}: written; look before you run: crosswind run {file} --dry-run")
