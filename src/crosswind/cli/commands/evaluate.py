"""The command `crosswind evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import (
    Include,
    Json,
    LexiconsOption,
    Out,
    Quiet,
    StoreOption,
    TaskFile,
    comma_separated,
    include_folders,
    official_folder,
    progress,
    store_of,
)
from crosswind.errors import UserError, unknown
from crosswind.output import end_with, json_benchmarks, json_rows, print_finished


@app.command()
def evaluate(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A checkpoint: folder or hub id; with --predictions its name alone."),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option("--task", help="A task, or several (--task xnli --task pawsx).")
    ] = None,
    languages: Annotated[str | None, typer.Option(help="Comma-separated; default: all of the task's.")] = None,
    perturb: Annotated[list[str] | None, typer.Option(metavar="SPEC", help="For example keyboard:0.1,0.2.")] = None,
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
    attack: Annotated[
        list[str] | None, typer.Option(metavar="RECIPE", help="For example deepwordbug; beside it its control.")
    ] = None,
    budget: Annotated[int, typer.Option(help="Of --attack: queries an example.")] = 100,
    attacked: Annotated[
        int, typer.Option("--examples", help="Of --attack: at most N examples, in whole clusters (at least one).")
    ] = 500,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Official files (CROSSWIND_DATA); default: the hub.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Default: test.")] = None,
    limit: Annotated[
        int | None, typer.Option(help="At most N examples of each language, in whole clusters (at least one).")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Realisations of each perturbation.")] = 1,
    lexicons: LexiconsOption = None,
    precision: Annotated[str, typer.Option(help="fp32, or bf16 where the hardware has it.")] = "fp32",
    max_length: Annotated[
        int | None, typer.Option(min=8, help="Tokens; default: 384 for span QA, 512 for retrieval, else 128.")
    ] = None,
    stride: Annotated[
        int | None, typer.Option(min=0, help="Tokens that windows of span QA share; default: 128 of 384.")
    ] = None,
    pooling: Annotated[
        str | None,
        typer.Option(metavar="MODE[:LAYER]", help="Of retrieval: mean, cls, pooler; default: the checkpoint's own."),
    ] = None,
    prefix: Annotated[
        str | None, typer.Option(help='Text before every query and candidate of retrieval, such as "query: ".')
    ] = None,
    labels: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="The model's classes, in its order, where they have no names.")
    ] = None,
    task_file: TaskFile = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option("--predictions", metavar="FILE", help="Predictions made elsewhere: Parquet, CSV, JSON lines."),
    ] = None,
    include: Include = None,
    out: Out = None,
    store: StoreOption = None,
    workers: Annotated[int, typer.Option(min=1)] = 1,
    as_json: Json = False,
    benchmarks: Annotated[
        bool, typer.Option("--benchmarks", help="With --json: the scores of benchmarks in place of the result rows.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Evaluate any checkpoint in many languages, clean and perturbed.

    Example: crosswind evaluate my-xnli-model --task xnli --languages en,de,sw --perturb keyboard:0.1 --data DIR
    """
    import tempfile

    from crosswind.study.attacked import require_attackable
    from crosswind.study.evaluate import evaluation, pooling_option
    from crosswind.study.folder import check_out
    from crosswind.study.run import run_study

    include_folders(include)
    if benchmarks and not as_json:
        raise UserError("--benchmarks says what --json writes", where="--benchmarks", hint="add --json")
    if precision not in ("fp32", "bf16"):
        raise unknown("precision", precision, ("fp32", "bf16"), where="--precision")
    if model is None:
        if not predictions:
            raise UserError("no model is named", where="MODEL", hint="a checkpoint, or --predictions FILE")
        model = predictions[0].name.partition(".")[0]
    spec = evaluation(
        model,
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
        draws=draws,
        lexicons=lexicons,
        precision=precision,
        max_length=max_length,
        stride=stride,
        pooling=pooling_option(pooling, prefix),
        labels=comma_separated(labels, "--labels"),
        task_file=task_file,
        predictions=predictions,
        attack=[{"recipe": recipe, "budget": budget, "examples": attacked} for recipe in attack or ()],
    )
    if attack and predictions:
        hint = "name the model, or attack it by an address (`crosswind attack`)"
        raise UserError("files of predictions cannot be attacked", where="--attack", hint=hint)
    for recipe in attack or ():
        require_attackable(spec, recipe, "--attack")
    if out is not None:
        check_out(out)
    with tempfile.TemporaryDirectory() as scratch, progress(quiet) as reporter:
        finished = run_study(spec, out=out or Path(scratch), store=store_of(store), reporter=reporter, workers=workers)
        rows = (json_benchmarks if benchmarks else json_rows)(finished) if as_json else []
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        end_with(finished)
    else:
        print_finished(finished, folder=out is not None, verbose=True)
