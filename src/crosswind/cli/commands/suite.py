"""The command `crosswind suite`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosswind.cli.app import app
from crosswind.cli.options import Include, comma_separated, include_folders, official_folder, refuse_unread
from crosswind.errors import UserError
from crosswind.output import lines_out

if TYPE_CHECKING:
    from crosswind.study.review import Reviewed


@app.command("suite")
def suite_command(
    title: Annotated[str, typer.Argument(metavar="SUITE", help="For example crosswind-c-1.")],
    task: Annotated[
        list[str] | None, typer.Option("--task", help="A task, or several; without: the definition.")
    ] = None,
    languages: Annotated[str | None, typer.Option(help="Comma-separated; default: all whose files are there.")] = None,
    split: Annotated[str | None, typer.Option(help="Of the tasks; default: test.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Official files (default: CROSSWIND_DATA).")] = None,
    target: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE")] = None,
    review: Annotated[
        list[Path] | None,
        typer.Option(
            "--review", metavar="DIR", help="A review of a condition: its folder, the annotators' answers*.csv in it."
        ),
    ] = None,
    include: Include = None,
) -> None:
    """What a frozen suite is, and the SHA-256 of what it makes of official test sets, compared with the published ones.

    Example: crosswind suite crosswind-c-1 --task xcopa --data DIR
    """
    from crosswind.perturb.suite import load_suite
    from crosswind.study.suites import suite_hashes, suite_reviews

    include_folders(include)
    suite = load_suite(title, where="SUITE")
    if not task:
        refuse_unread(
            "what a suite is depends on no data",
            "name a --task",
            languages=languages,
            split=split,
            data=data,
            output=target,
        )
        reviews = suite_reviews(suite, review or ())
        count = len({r.spec for r in reviews})
        judged = f"{count} of them reviewed" if count else "unreviewed"
        conditions = f"{len(suite.specs)} conditions, {judged}"
        print(f"{suite.title}: draw {suite.draw}, {conditions}, {len(suite.published):,} published files")
        for spec in suite.specs:
            said = [_judgement(r) for r in reviews if r.spec == str(spec)]
            print(f"{spec}\t{'; '.join(said) or 'unreviewed'}")
        return
    if review:
        raise UserError("reviews are of conditions", where="--review", hint="leave --task out")
    root = data or official_folder()
    if root is None:
        raise UserError("no folder of official files is named", where="--data", hint="or set CROSSWIND_DATA")
    unequal = unknown = count = 0
    notes: dict[str, None] = {}
    with lines_out(target) as write:
        hashes = suite_hashes(
            suite, task, comma_separated(languages, "--languages"), split or "test", root, note=notes.setdefault
        )
        for row, published in hashes:
            write(("\t".join(row) + "\n").encode())
            count += 1
            unknown += published is None
            if published not in (None, row[-1]):
                unequal += 1
                print(f"crosswind: differs from the published one: {' '.join(row[:-1])}", file=sys.stderr)
    for text in notes:
        print(f"note: {text}", file=sys.stderr)
    compared = count - unknown
    lines = [f"{compared - unequal:,} are the published ones, {unequal:,} differ"] if compared else []
    lines += [f"{unknown:,} have no published hash and were not compared"] if unknown else []
    print(f"crosswind: {count:,} files: {'; '.join(lines) or 'nothing to compare'}", file=sys.stderr)
    if unequal:
        raise typer.Exit(1)


def _judgement(review: Reviewed) -> str:
    """What a review found of the labels: validity with its interval and items, and where."""
    valid = review.validity
    share = f"{100 * valid.value:.0f} % valid [{100 * valid.low:.0f}, {100 * valid.high:.0f}]"
    missed = [f"{name} {count - hit} of {count}" for name, hit, count in review.caught if hit < count]
    warned = f" (catch items were missed: {', '.join(missed)}; such verdicts say little)" if missed else ""
    return f"{share} of {valid.n} items of {review.task}, {review.language}{warned}"
