"""The command `crosswind perturb`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, include_folders
from crosswind.errors import UserError
from crosswind.output import lines_in, lines_out


@app.command()
def perturb(
    spec: Annotated[str, typer.Argument(metavar="SPEC")],
    source: Annotated[Path | None, typer.Argument(metavar="[IN]")] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", help="Of the lines (default: en), or of the task where it has several."),
    ] = None,
    severity: Annotated[float | None, typer.Option(help="For a SPEC without one, in (0, 1].")] = None,
    seed: Annotated[int, typer.Option(help="The number of the draw.")] = 1,
    lexicons: Annotated[Path | None, typer.Option(metavar="DIR", help="Bilingual lexicons, for codemix.")] = None,
    target: Annotated[Path | None, typer.Option("-o", "--output", metavar="OUT")] = None,
    task_file: Annotated[
        Path | None, typer.Option("--task-file", metavar="FILE", help="YAML that declares data of your own.")
    ] = None,
    task: Annotated[str | None, typer.Option("--task", help="One of the file's tasks, where it has several.")] = None,
    split: Annotated[str, typer.Option(help="Of the file's task.")] = "test",
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the task's files lie; default: beside FILE.")
    ] = None,
    review: Annotated[
        int | None,
        typer.Option("--review", metavar="N", min=2, help="Pages for annotators to judge N perturbed items of --task."),
    ] = None,
    include: Include = None,
) -> None:
    """Perturb lines of text: a Unix filter. With --task-file: the texts of a data set, as JSON lines.

    Example: echo "Does it survive?" | crosswind perturb keyboard --language en --severity 0.2
    """
    from crosswind.perturb.lexicons import environment_of
    from crosswind.perturb.lines import perturb_stream
    from crosswind.perturb.spec import spec_at

    include_folders(include)
    parsed = spec_at(spec, severity, where="SPEC", option="--severity")
    environment = environment_of(lexicons)
    count = changed = 0
    if review is not None:
        from crosswind.study.review import review_task

        if task is None or task_file is not None:
            hint = "crosswind perturb SPEC --review 50 --task xnli --language de --data DIR -o FOLDER"
            raise UserError("a review is of an official task", where="--review", hint=hint)
        root = data or (Path(variable) if (variable := os.environ.get("CROSSWIND_DATA")) else None)
        counts = review_task(parsed, task, language, split, root, review, target, draw=seed, environment=environment)
        held = f"{counts[0]} perturbed, {counts[1]} clean and {counts[2]} catch items for each of two annotators"
        print(f"crosswind: {target}: {held}; key.json is not for them", file=sys.stderr)
        return
    if task is not None and task_file is None:
        raise UserError("a task without its file", where="--task", hint="name the file that declares it: --task-file")
    if task_file is not None:
        from crosswind.study.own_text import perturbed_texts

        texts, notes = perturbed_texts(
            parsed, task_file, task, language, split, data=data, draw=seed, environment=environment
        )
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
        with lines_out(target) as write:
            for text, differs in texts:
                write(f"{text}\n".encode())
                count, changed = count + 1, changed + differs
        print(f"crosswind: {changed:,} of {count:,} texts changed", file=sys.stderr)
        return
    with lines_in(source) as lines, lines_out(target) as write:
        for batch in perturb_stream(lines, parsed, language or "en", draw=seed, environment=environment):
            write("".join(part for line, _ in batch for part in line).encode())
            if target is None:
                sys.stdout.flush()  # who waits for the answer to a line gets it
            count, changed = count + len(batch), changed + sum(differs for _, differs in batch)
    print(f"crosswind: {changed:,} of {count:,} lines changed", file=sys.stderr)
