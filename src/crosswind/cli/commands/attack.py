"""The command `crosswind attack`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import (
    Include,
    Json,
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
from crosswind.output import end_with


@app.command()
def attack(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A checkpoint (folder or hub id), http://… or FILE.py:FUNCTION.")
    ],
    task: Annotated[str, typer.Option("--task", help="The task that it is attacked on.")],
    language: Annotated[str, typer.Option("--language", help="A language, or several: de,sw.")],
    recipe: Annotated[
        str, typer.Option("--recipe", help="For example polygloss(embed=de,zh); `crosswind list recipes`.")
    ],
    budget: Annotated[int, typer.Option(help="Queries that an example may cost.")] = 100,
    examples: Annotated[int, typer.Option(help="At most N examples, in whole clusters (at least one).")] = 100,
    restarts: Annotated[int, typer.Option(min=0, help="Further starts of a search that draws.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the search.")] = 1,
    protect: Annotated[str, typer.Option(help="none, answers (span QA) or entities (NER).")] = "none",
    fields: Annotated[
        str | None, typer.Option(metavar="A,B", help="Only these change: premise, hypothesis, question, context, …")
    ] = None,
    constraint: Annotated[
        list[str] | None, typer.Option(help="What no text may violate: digits, chrf(least=80), …; may be repeated.")
    ] = None,
    control: Annotated[bool, typer.Option(help="Draw at random from the same alternatives beside it.")] = True,
    shown: Annotated[int, typer.Option(min=0, help="Examples that are shown at the end.")] = 3,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Official files (CROSSWIND_DATA); default: the hub.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Default: test.")] = None,
    lexicons: Annotated[Path | None, typer.Option(metavar="DIR", help="Lexicons; microworld: its own.")] = None,
    precision: Annotated[str, typer.Option(help="fp32, or bf16 where the hardware has it.")] = "fp32",
    max_length: Annotated[int | None, typer.Option(min=8, help="Tokens; default: the kind's.")] = None,
    labels: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="The model's classes, in its order, where they have no names.")
    ] = None,
    task_file: TaskFile = None,
    rate: Annotated[
        float, typer.Option(min=0.0, help="Of an address: at most N requests a second; 0: no limit.")
    ] = 0.0,
    width: Annotated[int, typer.Option(min=1, help="Examples that are attacked at once; changes no result.")] = 64,
    include: Include = None,
    out: Out = None,
    store: StoreOption = None,
    workers: Annotated[int, typer.Option(min=1)] = 1,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Attack a model: search for small changes of its test set that make it wrong.

    Example: crosswind attack my-xnli-model --task xnli --language de --recipe deepwordbug --budget 100 --examples 50
    """
    import tempfile

    from crosswind.analysis.left_out import left_out_lines
    from crosswind.attack.allowed import require_budget
    from crosswind.attack.recipe import parse_recipe
    from crosswind.report.attacked import render_attacks
    from crosswind.study.attacked import read_attacks, require_attackable
    from crosswind.study.evaluate import evaluation
    from crosswind.study.folder import check_out
    from crosswind.study.run import run_study
    from crosswind.study.stages.attack import AttackSpec
    from crosswind.study.victims import VictimAttacks, is_victim, timed

    include_folders(include)
    if precision not in ("fp32", "bf16"):
        raise unknown("precision", precision, ("fp32", "bf16"), where="--precision")
    require_budget(budget, "--budget")
    if examples < 1:
        raise UserError(f"{examples} examples", where="--examples", hint="attack at least one example")
    wanted = {
        "recipe": recipe,
        "budget": budget,
        "examples": examples,
        "restarts": restarts,
        "seed": seed,
        "fields": comma_separated(fields, "--fields"),
        "protect": protect,
        "constraints": constraint or [],
        "control": control,
        "width": width,
    }
    direct = is_victim(model)
    without_effect = (
        {
            "--labels": (labels is not None, "scores are in the order of the task's classes"),
            "--precision": (precision != "fp32", "it computes as it does"),
            "--max-length": (max_length is not None, "it cuts texts itself, or does not"),
            "--workers": (workers != 1, "it is asked by one process"),
        }
        if direct
        else {"--rate": (rate > 0, "a checkpoint is asked as fast as it answers")}
    )
    for option, (given, why) in without_effect.items():
        if given:
            whom = "a function or an address" if direct else "a checkpoint"
            raise UserError(f"it would change nothing of {whom}: {why}", where=option, hint="leave it out")
    study = evaluation(
        "victim" if direct else model,
        [task],
        languages=comma_separated(language, "--language"),
        data=data,
        official=official_folder(),
        split=split,
        lexicons=lexicons,
        precision=precision,
        max_length=max_length,
        labels=comma_separated(labels, "--labels"),
        task_file=task_file,
        attack=[wanted],
        attacked_only=examples,
    )
    named = parse_recipe(recipe, where="--recipe").limited_to(comma_separated(fields, "--fields"), "--fields")
    require_attackable(study, str(named))
    with tempfile.TemporaryDirectory() as scratch, progress(quiet) as reporter:
        if direct:
            asked, report = AttackSpec.model_validate(wanted), timed(reporter.log, quiet=quiet)
            result = VictimAttacks(model, study, asked, store_of(store), out, report, rate).run(shown)
            finished = None
        else:
            if out is not None:
                check_out(out)
            keep = store_of(store)
            finished = run_study(study, out=out or Path(scratch), store=keep, reporter=reporter, workers=workers)
            result = read_attacks(finished.plan, keep, most=shown)
    if as_json:
        print(json.dumps(result.to_json(), ensure_ascii=False, indent=1))
    else:
        print(render_attacks(result.lines, result.shown))
    for attacked in result.lines:
        if attacked.n > examples:
            why = f"are attacked: a cluster is attacked whole, and this one is larger than --examples {examples}"
            print(f"note: {attacked.target} {attacked.language}: {attacked.n} examples {why}", file=sys.stderr)
    for note in result.notes:
        print(f"note: {note}", file=sys.stderr)
    if finished is not None:
        for line in left_out_lines(finished.plan.left_out):
            print(f"left out: {line}", file=sys.stderr)
        for note in (*finished.plan.notes, *finished.notes):
            print(f"note: {note}", file=sys.stderr)
        end_with(finished)
