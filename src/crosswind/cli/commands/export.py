"""The command `crosswind export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import (
    Include,
    LexiconsOption,
    Quiet,
    StoreOption,
    TaskFile,
    comma_separated,
    include_folders,
    official_folder,
    progress,
    refuse_unread,
    store_of,
)
from crosswind.errors import UserError
from crosswind.output import print_table

if TYPE_CHECKING:
    from crosswind.study.items import ExportedItems


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder.")],
    submission: Annotated[
        Path | None, typer.Option("--submission", metavar="RUN", help="The predictions of a run, as official folders.")
    ] = None,
    adversarial: Annotated[
        Path | None,
        typer.Option("--adversarial", metavar="RUN", help="What attacks left: of a run, or of attack --out."),
    ] = None,
    attack: Annotated[
        str | None, typer.Option(help="Of --adversarial: one attack, as results call it; default: all.")
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Of --submission: xtreme or xtreme-r; default: xtreme-r.")
    ] = None,
    route: Annotated[str | None, typer.Option(help="Of --submission: one route of the run.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of --submission: one pipeline seed of the run.")] = None,
    condition: Annotated[
        str | None, typer.Option(help="Of --submission: clean, or such as keyboard:0.1; default: clean.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", metavar="DIR", help="Of --submission: a new folder for the labels.")
    ] = None,
    task: Annotated[list[str] | None, typer.Option("--task", help="Of items: a task, or several.")] = None,
    languages: Annotated[
        str | None,
        typer.Option("--languages", "--language", help="Of items: comma-separated; default: all of the task's."),
    ] = None,
    perturb: Annotated[
        list[str] | None, typer.Option(metavar="SPEC", help="Of items: for example keyboard:0.1,0.2.")
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(help="Of --perturb: premise, hypothesis, question, context, choices, query, pool."),
    ] = None,
    constraint: Annotated[
        list[str] | None, typer.Option("--constraint", help="Of --perturb: digits, negation, chrf(least=80), …")
    ] = None,
    suite: Annotated[
        str | None, typer.Option(metavar="SUITE", help="All conditions of a frozen suite: crosswind-c-1.")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="Of items and attacks: official, hf or lm-eval; default: official."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Official files (CROSSWIND_DATA); default: the hub, or the run's."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Of items; default: test.")] = None,
    limit: Annotated[
        int | None, typer.Option(help="Of items: at most N of each language, in whole clusters (at least one).")
    ] = None,
    draws: Annotated[
        int | None, typer.Option(min=1, help="Of items: realisations of each perturbation; default: 1.")
    ] = None,
    lexicons: LexiconsOption = None,
    task_file: TaskFile = None,
    include: Include = None,
    store: StoreOption = None,
    quiet: Quiet = False,
) -> None:
    """Write test sets (clean, perturbed, attacked) to be predicted elsewhere, or a run's predictions as submissions.

    Example: crosswind export --task xnli --language de --perturb keyboard:0.1 --format hf --data DIR --out items
    """
    from crosswind.study.adversarial import export_adversarial
    from crosswind.study.evaluate import evaluation
    from crosswind.study.items import export_items, item_form
    from crosswind.study.submitted import export_submission

    include_folders(include)
    if attack is not None and adversarial is None:
        raise UserError("no run is named", where="--attack", hint="--attack needs --adversarial RUN")
    if adversarial is not None:
        if submission is not None or task or perturb or suite or languages:
            hint = (
                "export a run's adversarial examples (--adversarial), its predictions (--submission), or items (--task)"
            )
            raise UserError("adversarial examples are an export of their own", where="--adversarial", hint=hint)
        refuse_unread(
            "not read of --adversarial, whose run says it",
            "leave it out",
            labels=labels,
            route=route,
            seed=seed,
            benchmark=benchmark,
            condition=condition,
            draws=draws,
            fields=fields,
            constraint=constraint,
            split=split,
            limit=limit,
            lexicons=lexicons,
            task_file=task_file,
            store=store,
        )
        _print_items(export_adversarial(adversarial, out, item_form(form or "official"), attack=attack, data=data))
        return
    if submission is not None:
        if task or perturb or suite or languages:
            hint = "export the run's predictions (--submission), or items (--task, --language, --perturb)"
            raise UserError("a submission and items are two exports", where="--submission", hint=hint)
        refuse_unread(
            "not read of --submission, whose run says it",
            "leave it out",
            format=form,
            draws=draws,
            fields=fields,
            constraint=constraint,
            split=split,
            limit=limit,
            lexicons=lexicons,
            task_file=task_file,
            store=store,
        )
        done = export_submission(
            submission,
            out,
            benchmark or "xtreme-r",
            route=route,
            seed=seed,
            condition=condition or "clean",
            data=data,
            labels=labels,
        )
        print_table(("folder", "task", "languages"), [(str(f), t, " ".join(x)) for f, t, x in done.files])
        for note in done.notes:
            print(f"note: {note}", file=sys.stderr)
        return
    refuse_unread(
        "no run is named",
        "it is of --submission RUN; leave it out for items",
        labels=labels,
        benchmark=benchmark,
        route=route,
        seed=seed,
        condition=condition,
    )
    study = evaluation(
        "items",
        task or (),
        languages=comma_separated(languages, "--languages"),
        perturb=perturb or (),
        suite=suite,
        fields=comma_separated(fields, "--fields"),
        constraints=constraint or (),
        data=data,
        official=official_folder(),
        split=split,
        limit=limit,
        draws=draws or 1,
        lexicons=lexicons,
        task_file=task_file,
        predictions=(),
    )
    with progress(quiet) as reporter:
        items = export_items(study, item_form(form or "official"), out, store_of(store), reporter)
    _print_items(items)


def _print_items(items: ExportedItems) -> None:
    rows = [
        (c["folder"], c["task"], c["language"], f"{c['items']:,}", f"{100 * c['changed_items']:.0f} %")
        for c in items.conditions
    ]
    print_table(("folder", "task", "language", "items", "changed"), rows)
    for note in items.notes:
        print(f"note: {note}", file=sys.stderr)
