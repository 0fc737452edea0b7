"""The command `crosswind lexicon`."""

from __future__ import annotations

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
    refuse_unread,
    store_of,
)
from crosswind.errors import UserError, unknown


@app.command("lexicon")
def lexicon_command(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="bilingual, alphabet, frequencies, inflections, errors, or measure.")
    ],
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILES]...")] = None,
    languages: Annotated[
        str | None, typer.Option(help="Comma-separated codes; pairs such as en-de,en-zh of bilingual lexicons.")
    ] = None,
    sources: Annotated[
        str | None, typer.Option("--from", metavar="NAME,…", help="Corpora and test sets: ntrex,flores,xnli.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Official files of --from (default: CROSSWIND_DATA).")
    ] = None,
    split: Annotated[str, typer.Option(help="Of test sets.")] = "test",
    least: Annotated[int, typer.Option(min=1, help="A translation has at least N links between aligned words.")] = 2,
    score: Annotated[float, typer.Option(min=0.0, max=1.0, help="Least Dice coefficient of a translation.")] = 0.3,
    phrases: Annotated[bool, typer.Option(help="Also the phrase table.")] = True,
    form: Annotated[str, typer.Option("--format", help="Of errors: pairs, codespell, spellings.")] = "pairs",
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where the tables go.")] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Of measure: a folder of lexicons that people made, as MUSE's.")
    ] = None,
    store: StoreOption = None,
    include: Include = None,
    quiet: Quiet = False,
) -> None:
    """Derive what perturbations draw on, offline: lexicons, phrase tables, alphabets, frequencies, inflections, errors.

    Example: crosswind lexicon bilingual --from ntrex,flores --languages en-de,en-sw --data DIR --out lexicons
    """
    from crosswind.steps.lexicon import DERIVATIONS, LexiconParams
    from crosswind.study.lexicon import derive_into, measure

    include_folders(include)
    if what == "measure":
        if not files or len(files) != 1 or against is None:
            hint = "crosswind lexicon measure DIR --against DIR"
            raise UserError("measure takes a folder, and one to measure it against", where="FILES", hint=hint)
        unread = {"from": sources, "data": data, "out": out, "store": store}
        refuse_unread("measure compares two folders and derives nothing", "leave it out", **unread)
        scores = measure(files[0], against, comma_separated(languages, "--languages"))
        print("pair\twords\tin both\tprecision at 1\tany right")
        for pair, measured in scores:
            first, any_of = 100 * measured.first, 100 * measured.any_of
            print(f"{pair}\t{measured.words}\t{measured.known}\t{first:.1f}\t{any_of:.1f}")
        return
    for known in DERIVATIONS:
        if what == known:
            params = LexiconParams(
                known,
                (),
                tuple(comma_separated(sources, "--from")),
                split,
                least=least,
                score=score,
                phrases=phrases,
                form=form,
            )
            break
    else:
        raise unknown("derivation", what, (*DERIVATIONS, "measure"), where="WHAT")
    refuse_unread(f"{what} are derived, not measured", "crosswind lexicon measure DIR --against DIR", against=against)
    if not sources:
        refuse_unread("official files are those of --from", "name corpora or test sets with --from", data=data)
    codes = comma_separated(languages, "--languages")
    if not codes or out is None:
        raise UserError(
            "name the languages and the folder of the result",
            where="--languages and --out",
            hint="for example --languages en-de --out lexicons",
        )
    settings = {"source": "files", **({"root": str(data)} if data else {})}
    with progress(quiet) as reporter:
        made = derive_into(params, codes, out, store_of(store), reporter, files=files or (), data=settings)
    for name, note in made:
        print(f"{out}: {name} {note}")
