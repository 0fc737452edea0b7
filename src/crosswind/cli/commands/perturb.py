"""The command `crosswind perturb`."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, LexiconsOption, comma_separated, include_folders, official_folder
from crosswind.errors import UserError, unknown
from crosswind.output import lines_in, lines_out

if TYPE_CHECKING:
    from crosswind.data.examples import Dataset
    from crosswind.perturb.applied import Constraint
    from crosswind.perturb.lines import EndedLine
    from crosswind.perturb.perturbed import PerturbedDataset
    from crosswind.perturb.spec import Resolved, Spec, TextScope


_TABLES = (".tsv", ".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".conll", ".conllu")


@app.command()
def perturb(
    spec: Annotated[str, typer.Argument(metavar="SPEC")],
    source: Annotated[Path | None, typer.Argument(metavar="[IN]")] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", help="Of the lines (default: en), or of the task where it has several."),
    ] = None,
    severity: Annotated[float | None, typer.Option(help="For a SPEC without one, in (0, 1].")] = None,
    damage: Annotated[
        str | None,
        typer.Option(
            metavar="AXIS=VALUE",
            help="Find the severity that does this damage to the first thousand lines: chrf=90, edits=2 (a line) or "
            "words=0.1 (their share).",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The number of the draw.")] = 1,
    lexicons: LexiconsOption = None,
    target: Annotated[Path | None, typer.Option("-o", "--output", metavar="OUT")] = None,
    task_file: Annotated[
        Path | None, typer.Option("--task-file", metavar="FILE", help="YAML that declares data of your own.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="A task, whose official file is written with its texts perturbed; with --task-file one of FILE's.",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Of the task.")] = "test",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where the task's files lie; default: CROSSWIND_DATA, or beside the --task-file."
        ),
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,…",
            help="Of a task's examples, what may change: premise, hypothesis, question, context, query, pool; "
            "default: as the task says.",
        ),
    ] = None,
    constraint: Annotated[
        list[str] | None,
        typer.Option("--constraint", help="What must hold: digits, chrf(least=80), similarity(model=DIR), …"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Of a task: a line of JSON an example, its texts and their rewrites.")
    ] = False,
    review: Annotated[
        int | None,
        typer.Option("--review", metavar="N", min=2, help="Pages for annotators to judge N perturbed items of a task."),
    ] = None,
    on_error: Annotated[
        str,
        typer.Option("--on-error", metavar="fail|skip", help="A line that is not UTF-8 ends it, or stays as it is."),
    ] = "fail",
    include: Include = None,
) -> None:
    """Perturb lines of text: a Unix filter. With --task: a task's official file. With --task-file: data of your own.

    A task's official file comes out in its official layout, as `crosswind export` writes it (a task of several files
    into the folder -o); IN may name it where it lies. Data of your own come out as lines of JSON.

    Example: echo "Does it survive?" | crosswind perturb keyboard --language en --severity 0.2
    """
    from crosswind.data.languages import spelled
    from crosswind.perturb.constraint import parse_constraints
    from crosswind.perturb.lexicons import environment_of
    from crosswind.perturb.lines import perturb_stream
    from crosswind.perturb.spec import TextScope, spec_at

    include_folders(include)
    of_lines = spelled(language, "--language") if language is not None else "en"
    if damage is not None and (severity is not None or task is not None or task_file is not None):
        hint = "--severity says it; --damage finds it on lines"
        raise UserError("the severity is found or said, not both, and found on lines", where="--damage", hint=hint)
    if on_error not in ("fail", "skip"):
        raise unknown("way", on_error, ("fail", "skip"), where="--on-error")
    if on_error == "skip" and (task is not None or task_file is not None or review is not None):
        hint = "examples that cannot be read are never left out: put the file right"
        raise UserError("only lines are skipped", where="--on-error", hint=hint)
    level = severity if damage is None else 1.0
    parsed = spec_at(spec, level, where="SPEC", option="--severity" if damage is None else "--damage")
    environment = environment_of(lexicons, where="--lexicons")
    constraints = parse_constraints(constraint or (), where="--constraint")
    if fields is not None and task_file is None and task is None:
        hint = "lines have none; --task or --task-file FILE is for examples"
        raise UserError("there are no fields to choose from", where="--fields", hint=hint)
    if task is None and task_file is None and (data is not None or split != "test"):
        option = "--data" if data is not None else "--split"
        raise UserError("lines are read as they are", where=option, hint="it is for --task or --task-file FILE")
    if source is not None:
        _keep_clean(target, [source], "text")
        if task is None and source.suffix.lower() in _TABLES:
            hint = "name its task with --task, or declare it with --task-file FILE; lines all the same: < FILE"
            raise UserError(
                "is a table: lines would have their labels and names perturbed", where=str(source), hint=hint
            )
    if as_json and (review is not None or (task is None and task_file is None)):
        raise UserError("lines stay lines", where="--json", hint="--task or --task-file FILE is for examples")
    if review is not None and source is not None:
        raise UserError("lines have no labels to review", where="IN", hint="name a task: --task or --task-file")
    if review is not None and task is None and task_file is None:
        hint = "crosswind perturb SPEC --review 50 --task xnli --language de --data DIR -o FOLDER; --task-file"
        raise UserError("a review is of a task's items", where="--review", hint=hint)
    if task is not None or task_file is not None:
        from crosswind.study.own_text import official_dataset, own_dataset, perturbed_own

        root = None
        if task_file is not None:
            if source is not None:
                hint = "it says itself where its files lie: leave IN out"
                raise UserError("the data are those that --task-file declares", where="IN", hint=hint)
            dataset = own_dataset(task_file, task, language, split, data)
            folder = data or task_file.absolute().parent
        else:
            assert task is not None
            dataset, folder = official_dataset(task, language, split, data or official_folder(), source)
            root = folder
        names = _field_names(fields)
        if review is not None:
            from crosswind.study.review import review_dataset

            made = review_dataset(
                parsed, dataset, folder, review, target,
                draw=seed, environment=environment, fields=names, constraints=constraints,
            )  # fmt: skip
            _say_reviewed(dataset, target, made)
            return
        changed = perturbed_own(
            parsed, dataset, folder, draw=seed, environment=environment, fields=names, constraints=constraints
        )
        _write_task(dataset, changed, None if as_json else root, target, rewrites=as_json)
        return
    from crosswind.study.needed import met_on_lines

    count = changed_lines = 0
    scope = TextScope(of_lines, environment=environment)
    resolved, limits = met_on_lines(parsed, scope, constraints)
    with lines_in(source, skip=on_error == "skip") as lines, lines_out(target) as write:
        batches: Iterator[list[EndedLine]] = iter(lines)
        if damage is not None:
            head, parsed = _tuned(spec, damage, batches, scope, seed, resolved, limits)
            batches = itertools.chain(head, batches)
        for batch in perturb_stream(
            batches,
            parsed,
            scope.language,
            draw=seed,
            environment=environment,
            resolved=resolved,
            constraints=limits,
        ):
            write("".join(line.whole for line, _ in batch).encode("utf-8", "surrogateescape"))
            if target is None:
                sys.stdout.flush()  # who waits for the answer to a line gets it
            count, changed_lines = count + len(batch), changed_lines + sum(differs for _, differs in batch)
    for fault in lines.skipped:
        print(f"crosswind: {fault.where}: {fault.what}; left as it is", file=sys.stderr)
    if lines.skip_count > len(lines.skipped):
        print(f"crosswind: {lines.skip_count:,} lines that are not UTF-8 were left as they are", file=sys.stderr)
    print(f"crosswind: {changed_lines:,} of {count:,} lines changed", file=sys.stderr)


def _say_reviewed(dataset: Dataset, out: Path | None, made: tuple[int, int, int]) -> None:
    """What the pages for two annotators hold."""
    for note in dataset.notes:
        print(f"note: {note}", file=sys.stderr)
    held = "{} perturbed, {} clean and {} catch items for each of two annotators".format(*made)
    print(f"crosswind: {out}: {held}; key.json is not for them", file=sys.stderr)


def _write_task(
    dataset: Dataset, changed: PerturbedDataset, root: Path | None, target: Path | None, *, rewrites: bool
) -> None:
    """The official files below `root` with what a data set became; as lines of JSON without."""
    from crosswind.run.folders import new_folder
    from crosswind.study.own_text import official_texts, text_lines

    lines = [*text_lines(dataset, changed, rewrites=rewrites)]
    notes = [*dataset.notes]
    if root is None:
        with lines_out(target) as write:
            for text, _ in lines:
                write(f"{text}\n".encode())
    else:
        files, more = official_texts(dataset, changed.dataset, root)
        notes += more
        _keep_clean(target, [root / name for name in files], "official file")
        if len(files) == 1:
            with lines_out(target) as write:
                write(*files.values())
        elif target is None:
            hint = f"name a new folder for {', '.join(files)} with -o, or --json"
            raise UserError(f"{dataset.task} has {len(files)} files", where="-o", hint=hint)
        else:
            with new_folder(target) as draft:
                for name, content in files.items():
                    (draft / name).parent.mkdir(parents=True, exist_ok=True)
                    (draft / name).write_bytes(content)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"crosswind: {sum(d for _, d in lines):,} of {len(lines):,} texts changed", file=sys.stderr)


def _keep_clean(target: Path | None, clean: Sequence[Path], what: str) -> None:
    """Raise a `UserError` where what is written would take the place of one of the files that are read."""
    if target is not None and target.exists() and any(p.exists() and p.samefile(target) for p in clean):
        hint = "what perturbs it another time would perturb it twice: name another file"
        raise UserError(f"would take the place of the clean {what}", where=str(target), hint=hint)


def _field_names(fields: str | None) -> tuple[str, ...]:
    from crosswind.perturb.extent import check_fields

    return check_fields(comma_separated(fields, "--fields"), "--fields")


def _tuned(
    spec: str,
    damage: str,
    batches: Iterator[list[EndedLine]],
    scope: TextScope,
    draw: int,
    resolved: Resolved,
    constraints: Sequence[Constraint],
) -> tuple[list[list[EndedLine]], Spec]:
    """The first lines, and the spec at the severity that does a damage to them."""
    from crosswind.perturb.damage import SAMPLE
    from crosswind.perturb.spec import spec_at
    from crosswind.perturb.tuning import damage_of_lines, parse_damage, tuned_severity

    def at(severity: float) -> Spec:
        return spec_at(spec, severity, where="SPEC", option="--damage")

    wanted = parse_damage(damage, "--damage")
    head: list[list[EndedLine]] = []
    while sum(map(len, head)) < SAMPLE and (batch := next(batches, None)):
        head.append(batch)
    texts = [line.text for batch in head for line in batch][:SAMPLE]
    if not texts:
        return head, at(1.0)
    measured = damage_of_lines(texts, at, scope, draw=draw, resolved=resolved, constraints=constraints)
    severity = tuned_severity(measured, wanted)
    done = measured(severity)
    print(
        f"crosswind: severity {severity:g}: {wanted.axis}={wanted.of(done):.4g} on the first {len(texts):,} lines",
        file=sys.stderr,
    )
    return head, at(severity)
