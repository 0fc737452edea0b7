"""The command `crosswind translate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import (
    Include,
    Quiet,
    StoreOption,
    comma_separated,
    include_folders,
    progress,
    store_of,
)
from crosswind.errors import UserError


@app.command()
def translate(
    task: Annotated[str, typer.Option("--task", help="A task or a mixture.")],
    to: Annotated[list[str], typer.Option("--to", metavar="LANGUAGE", help="Comma-separated, or given again.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")],
    model: Annotated[
        str | None, typer.Option("--model", help="A seq2seq checkpoint: NLLB, M2M-100, mBART-50, opus-mt, MADLAD-400.")
    ] = None,
    lexicons: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Instead of a model: word by word, from en-LL.txt (or `microworld`)."),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="LANGUAGE", help="Default: the task's source.")
    ] = None,
    split: Annotated[str, typer.Option(help="Of the task.")] = "train",
    rows: Annotated[str | None, typer.Option(help="Rows of the split, such as 0-9999.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many examples, in whole clusters (at least one).")
    ] = None,
    codes: Annotated[
        list[str] | None, typer.Option("--code", metavar="OURS=THEIRS", help="The model's own code of a language.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Of the model, on the hub.")] = None,
    beams: Annotated[int, typer.Option(min=1, max=64, help="Of the model's search; 1 is greedy.")] = 4,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", envvar="CROSSWIND_DATA", help="Official files; without it, the hub.")
    ] = None,
    store: StoreOption = None,
    include: Include = None,
    quiet: Quiet = False,
) -> None:
    """Translate a task's training data; answers come along, or their questions are left out, with counts.

    Example: crosswind translate --task squad --to de,sw --model facebook/nllb-200-distilled-600M --out squad-mt
    """
    from crosswind.study.spec import Data, TaskUse
    from crosswind.study.translating import TASK_FILE, translate_into, translate_options
    from crosswind.tasks.base import TASKS
    from crosswind.tasks.mixture import members_of

    include_folders(include)
    own_codes = dict(_code(text) for text in codes or ())
    if device not in ("auto", "cpu", "cuda"):
        raise UserError(f"no device {device!r}", where="--device", hint="auto, cpu or cuda")
    spec = translate_options(
        model, lexicons is not None and model is None, revision=revision, source=source, codes=own_codes, beams=beams
    )
    languages = [code for text in to for code in comma_separated(text, "--to")]
    if not languages:
        raise UserError("names no language", where="--to", hint="for example --to de,sw")
    use = TaskUse(name=task, languages=languages, split=split, rows=rows, limit=limit, translate=spec)
    if any(TASKS[name].generated is not None for name in members_of(task) if name in TASKS):
        where, lexicons = Data(source="microworld"), None
    else:
        where = Data(source="files", root=data) if data is not None else Data()
    with progress(quiet) as reporter:
        files = translate_into(use, out, store_of(store), reporter, data=where, lexicons=lexicons, device=device)
    for file in files:
        for note in file.notes:
            print(f"note: {note}", file=sys.stderr)
        print(f"{file.path}: {file.count:,} of {file.of:,} examples")
    print(f"{out / TASK_FILE}: reads them as data of your own")


def _code(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals or not ours or not theirs:
        raise UserError(f"{text!r} is not OURS=THEIRS", where="--code", hint="for example --code qu=quy_Latn")
    return ours, theirs
