"""The command line: parse, call, print. No logic; heavy modules are imported by the command that needs them."""

from __future__ import annotations

import errno
import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosswind.errors import UserError, unknown
from crosswind.output import (
    end_with,
    json_rows,
    lines_in,
    lines_out,
    print_finished,
    print_forecast,
    print_table,
    short_value,
    use_utf8,
)
from crosswind.run.folders import FULL
from crosswind.run.outcome import StepFailed
from crosswind.run.stop import Stopped, stoppable

if TYPE_CHECKING:
    from crosswind.run.store import Store

app = typer.Typer(
    help="Does zero-shot cross-lingual transfer survive adversarial perturbation?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the file.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The run folder.")]
StoreOption = Annotated[
    Path | None, typer.Option("--store", metavar="DIR", help="Where weights and shared steps live (CROSSWIND_STORE).")
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Print the long table, every condition of every target.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


# What the owner of a disk refuses, and what lies in the place of a file or folder, is a mistake that the user can mend.
_REFUSED = (
    *(errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG),
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP),
)
# These keep all that they have done in the store.
_RESUMABLE = ("demo", "run", "evaluate", "pretrain")


def main() -> None:
    """The entry point: exit code 0; 1 if something ran and failed; 2 for a mistake in the input; 130 after Ctrl-C."""
    # Before any library starts its threads: one thread a step (results depend on it, and spinning
    # threads of several processes take the cores from each other).
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # CPU kernels are kept by shape, and a run sees many shapes: 1,024 (the default) or 128 of them hold up to a
    # gigabyte, 16 cost no measurable time more.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
    use_utf8()
    try:
        with stoppable():
            app()
    except UserError as error:
        print(f"crosswind: {error}", file=sys.stderr)
        sys.exit(2)
    except StepFailed as error:
        print(f"crosswind: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in (*FULL, *_REFUSED):
            raise
        print(f"crosswind: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        sys.exit(1 if error.errno in FULL else 2)
    except Stopped as stopped:
        print(f"crosswind: {_farewell(stopped, sys.argv[1:])}", file=sys.stderr)
        sys.exit(stopped.code)


def _farewell(stopped: Stopped, arguments: Sequence[str]) -> str:
    """What a stopped command says: what is kept, and how to go on."""
    what = "stopped" if stopped.name == "SIGINT" else f"stopped by {stopped.name}"
    if not arguments or arguments[0] not in _RESUMABLE:
        return what
    command = shlex.join(["crosswind", *arguments])
    return f"{what}; everything that was done is kept, and the same command goes on from there:\n  {command}"


@app.command()
def demo(
    out: Out = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Pretrain a small encoder first, instead of the shipped one.")
    ] = False,
    store: StoreOption = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Default: one a core.")] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """See the whole mission work on artificial languages, in minutes, without a network.

    Example: crosswind demo --out runs/demo
    """
    from crosswind.study import demo as microworld
    from crosswind.study.folder import check_out
    from crosswind.study.run import run_study

    folder = out or Path("runs/demo")
    spec = microworld.demo_study(from_scratch=from_scratch)
    check_out(folder, spec.name)
    with _progress(quiet) as reporter:
        finished = run_study(
            spec, out=folder, store=_store(store), reporter=reporter, workers=workers or microworld.workers()
        )
    print_finished(finished, verbose=verbose)


@app.command()
def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    overrides: Set = None,
    out: Out = None,
    store: StoreOption = None,
    executor: Annotated[str, typer.Option(help="local")] = "local",
    workers: Annotated[int, typer.Option(min=1, help="Processes of one thread each.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the steps and the estimated work.")] = False,
    include: Annotated[list[Path] | None, typer.Option(help="A folder of declarations of yours.")] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Run a study: train, evaluate, perturb, compare. Found again: what is there already.

    Example: crosswind run studies/real-mini.yaml --set data.root=DIR --workers 2
    """
    from crosswind.study.folder import check_out
    from crosswind.study.run import forecast, run_study
    from crosswind.study.spec import read_study

    _include(include)
    spec = read_study(study, overrides)
    folder = out or Path("runs") / spec.name
    check_out(folder, spec.name)
    artifacts = _store(store)
    if dry_run:
        print_forecast(forecast(spec, artifacts, executor))
        return
    with _progress(quiet) as reporter:
        finished = run_study(spec, out=folder, store=artifacts, reporter=reporter, executor=executor, workers=workers)
    print_finished(finished, verbose=verbose)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A checkpoint: folder or hub id.")],
    task: Annotated[
        list[str] | None, typer.Option("--task", help="A task, or several (--task xnli --task pawsx).")
    ] = None,
    languages: Annotated[str | None, typer.Option(help="Comma-separated; default: all of the task's.")] = None,
    perturb: Annotated[list[str] | None, typer.Option(metavar="SPEC", help="For example keyboard:0.1,0.2.")] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Official files (CROSSWIND_DATA); default: the hub.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Default: test.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most N examples of each language, in whole clusters.")] = None,
    draws: Annotated[int, typer.Option(min=1, help="Realisations of each perturbation.")] = 1,
    lexicons: Annotated[Path | None, typer.Option(metavar="DIR", help="Bilingual lexicons, for codemix.")] = None,
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
    task_file: Annotated[
        Path | None, typer.Option("--task-file", metavar="FILE", help="YAML that declares tasks of your own.")
    ] = None,
    include: Annotated[list[Path] | None, typer.Option(help="A folder of declarations of yours.")] = None,
    out: Out = None,
    store: StoreOption = None,
    workers: Annotated[int, typer.Option(min=1)] = 1,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Evaluate any checkpoint in many languages, clean and perturbed.

    Example: crosswind evaluate my-xnli-model --task xnli --languages en,de,sw --perturb keyboard:0.1 --data DIR
    """
    import tempfile

    from crosswind.study.evaluate import evaluation, pooling_option
    from crosswind.study.folder import check_out
    from crosswind.study.run import run_study

    _include(include)
    if precision not in ("fp32", "bf16"):
        raise unknown("precision", precision, ("fp32", "bf16"), where="--precision")
    variable = os.environ.get("CROSSWIND_DATA")
    spec = evaluation(
        model,
        task or (),
        languages=_listed(languages),
        perturb=perturb or (),
        data=data,
        official=Path(variable) if variable else None,
        split=split,
        limit=limit,
        draws=draws,
        lexicons=lexicons,
        precision=precision,
        max_length=max_length,
        stride=stride,
        pooling=pooling_option(pooling, prefix),
        labels=_listed(labels),
        task_file=task_file,
    )
    if out is not None:
        check_out(out)
    with tempfile.TemporaryDirectory() as scratch, _progress(quiet) as reporter:
        finished = run_study(spec, out=out or Path(scratch), store=_store(store), reporter=reporter, workers=workers)
        rows = json_rows(finished) if as_json else []
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        end_with(finished)
    else:
        print_finished(finished, folder=out is not None, verbose=True)


@app.command()
def pretrain(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.yaml")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the checkpoint goes.")],
    overrides: Set = None,
    store: StoreOption = None,
    include: Annotated[list[Path] | None, typer.Option(help="A folder of declarations of yours.")] = None,
    quiet: Quiet = False,
) -> None:
    """Pretrain an encoder (masked LM, translation LM) from raw and parallel text, or go on with one.

    Example: crosswind pretrain tiny.yaml --out encoders/tiny
    """
    from crosswind.study.pretrain import pretrain_into, read_config

    _include(include)
    spec = read_config(config, overrides)
    with _progress(quiet) as reporter:
        facts = pretrain_into(spec, out, _store(store), reporter)
    loss = facts["losses"][-1][1]
    print(f"{out}: {facts['steps']} steps, last mean loss {loss:.3f} nats, {facts['tokens']:,} tokens")


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
    include: Annotated[list[Path] | None, typer.Option(help="A folder of declarations of yours.")] = None,
) -> None:
    """Perturb lines of text: a Unix filter. With --task-file: the texts of a data set, as JSON lines.

    Example: echo "Does it survive?" | crosswind perturb keyboard --language en --severity 0.2
    """
    from crosswind.perturb.lexicons import environment_of
    from crosswind.perturb.lines import perturb_stream
    from crosswind.perturb.spec import spec_at

    _include(include)
    parsed = spec_at(spec, severity, where="SPEC", option="--severity")
    environment = environment_of(lexicons)
    count = changed = 0
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
        for line, differs in perturb_stream(lines, parsed, language or "en", draw=seed, environment=environment):
            write("".join(line).encode())
            count, changed = count + 1, changed + differs
    print(f"crosswind: {changed:,} of {count:,} lines changed", file=sys.stderr)


@app.command()
def show(
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="Default: a sentence in ten scripts.")] = None,
    language: Annotated[str | None, typer.Option(help="Comma-separated; of TEXT, or of samples.")] = None,
    perturb: Annotated[list[str] | None, typer.Option(metavar="SPEC", help="For example keyboard:0.3.")] = None,
    include: Annotated[list[Path] | None, typer.Option(help="A folder of declarations of yours.")] = None,
) -> None:
    """Show what perturbations do to a sentence: no model, no network.

    Example: crosswind show "Does it survive?" --language en
    """
    from crosswind.perturb.show import SHOWN_SPECS, lines_of, shown_texts

    _include(include)
    for number, shown in enumerate(shown_texts(text, _listed(language), perturb or SHOWN_SPECS)):
        if number:
            print()
        for line in lines_of(shown, colour=sys.stdout.isatty()):
            print(line)


@app.command()
def score(
    predictions: Annotated[Path, typer.Argument(metavar="PREDICTIONS")],
    labels: Annotated[Path, typer.Argument(metavar="LABELS")],
    benchmark: Annotated[str, typer.Option(help="xtreme or xtreme-r")] = "xtreme-r",
    allow_missing: Annotated[bool, typer.Option("--allow-missing", help="Average over what is there.")] = False,
    include: Annotated[list[Path] | None, typer.Option(help="A folder of declarations of yours.")] = None,
    as_json: Json = False,
) -> None:
    """Score official submission folders, PREDICTIONS/{task}/test-{language}.{tsv,json,jsonl}.

    Example: crosswind score predictions labels --benchmark xtreme --allow-missing
    """
    from crosswind.evaluate.score import score_folder

    _include(include)
    scores = score_folder(predictions, labels, benchmark, allow_missing=allow_missing)
    if as_json:
        print(json.dumps(scores.to_json(), ensure_ascii=False, indent=1))
        return
    rows = [
        (name, str(len(t.languages)), "  ".join(f"{k} {v:.2f}" for k, v in t.average.items()), f"{t.score:.2f}")
        for name, t in scores.tasks.items()
    ]
    print_table(("task", "languages", "mean over languages", "score"), rows)
    print(f"{benchmark}: {scores.score:.2f}, the mean of {', '.join(scores.averaged)}")
    for group, value in scores.groups.items():
        print(f"{group}: {value:.2f}")
    if scores.missing:
        print(f"missing: {', '.join(scores.missing)}")
    if scores.ignored:
        print(f"not in {benchmark}, left out: {', '.join(scores.ignored)}")
    unanswered = {name: task.unanswered for name, task in scores.tasks.items() if task.unanswered}
    by_task = f", which scored 0 ({', '.join(f'{name} {n}' for name, n in unanswered.items())})" if unanswered else ""
    print(f"unanswered: {sum(unanswered.values())} questions{by_task}")
    for note in scores.notes:
        print(f"note: {note}")


@app.command("list")
def list_things(
    what: Annotated[
        str, typer.Argument(metavar="tasks|perturbations|languages|metrics|presets|corpora|executors|steps|stages")
    ],
    include: Annotated[list[Path] | None, typer.Option(help="A folder of declarations of yours.")] = None,
    as_json: Json = False,
) -> None:
    """List what there is.

    Example: crosswind list tasks
    """
    from crosswind.study.catalogue import CATALOGUE

    _include(include)
    if what not in CATALOGUE:
        raise unknown("list", what, CATALOGUE, where="list")
    rows = CATALOGUE[what]()
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    columns = list(rows[0]) if rows else []
    print_table(columns, [tuple(short_value(r[c]) for c in columns) for r in rows])


def _include(folders: Sequence[Path] | None) -> None:
    if folders:
        from crosswind.registry import include

        for folder in folders:
            include(folder)


def _store(given: Path | None) -> Store:
    from crosswind.run.store import Store
    from crosswind.study.run import default_store

    return Store(given or default_store())


@contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    from crosswind.run.progress import display

    with display(quiet=quiet) as reporter:
        yield reporter


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] if text else []
