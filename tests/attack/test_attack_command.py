"""`crosswind attack`: a checkpoint, a function of the user's, a model behind an address that fails half-way."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from crosswind.attack.endpoint import Endpoint, address_shown
from crosswind.attack.outcome import Attacked
from crosswind.attack.run import _kept
from crosswind.attack.victim import PredictingVictim
from crosswind.cli import app
from crosswind.data.examples import PairExample, text_fields
from crosswind.data.source import open_source
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predictions import read_predictions
from crosswind.model.checkpoint import save_head
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.model.similarity import EncoderSimilarity
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.rewrite import Rewrite
from crosswind.study.encoders import place_of
from crosswind.study.evaluate import evaluation
from crosswind.study.plan import make_plan
from crosswind.study.victim_code import local_modules
from crosswind.tasks.base import TASKS, classes
from crosswind.tasks.load import load

COMMON = ["--task", "mw-nli", "--language", "qla-Latn", "--recipe", "deepwordbug", "--budget", "24", "--quiet"]


def crosswind(*arguments: str) -> Any:
    """An attack; of what COMMON names and a test names again, the latter is given."""
    last = {word: i for i, word in enumerate(arguments)}
    again = {i for i, word in enumerate(arguments) if word.startswith("--") and i < last[word]}
    words = [word for i, word in enumerate(arguments) if not {i, i - 1} & again]
    result = CliRunner().invoke(app, ["attack", *words], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSWIND_STORE", str(tmp_path / "default store"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped encoder with an untrained head."""
    folder = tmp_path_factory.mktemp("checkpoint")
    encoder = load_encoder(place_of("microworld"), seed=1)
    save_head(folder, encoder, attach(encoder, "pair", classes(TASKS["mw-nli"]), seed=2))
    return folder


@pytest.mark.slow
def test_a_checkpoint_is_attacked_beside_its_control_and_found_again(checkpoint: Path, tmp_path: Path) -> None:
    arguments = [str(checkpoint), *COMMON, "--examples", "12", "--store", str(tmp_path / "store"), "--out"]
    first = crosswind(*arguments, str(tmp_path / "one"), "--json")
    value = json.loads(first.stdout)
    (line,) = value["attacks"]
    assert (line["attack"], line["budget"], line["language"]) == ("deepwordbug", 24, "qla-Latn")
    assert line["after"]["score"] <= line["before"]["score"]
    assert line["gain"]["score"] == pytest.approx(line["control"]["score"] - line["after"]["score"])
    at_used = line["control_at_used"]["score"]
    assert line["control"]["score"] <= at_used <= line["before"]["score"]
    assert line["gain_at_used"]["score"] == pytest.approx(at_used - line["after"]["score"])
    # Success is 1 - A'/A of the initially right (perturbations.md, "Metrics").
    assert line["success"]["score"] == pytest.approx(100 * (1 - line["after"]["score"] / line["before"]["score"]))
    assert line["over_budget"][-1][1] == pytest.approx(line["after"]["score"])
    assert [b for b, _ in line["over_budget"]] == [1, 2, 5, 10, 20, 24]
    assert line["queries"][0] <= 24
    assert value["examples"]
    assert all(s["predicted_before"] == s["gold"] != s["predicted_after"] for s in value["examples"])
    shown = value["examples"][0]
    assert shown["after"]
    assert all(text != shown["before"][field] for field, text in shown["after"].items())
    rows = pl.read_parquet(tmp_path / "one" / "results.parquet")
    attacked = rows.filter(pl.col("attack") != "none")
    assert set(attacked["attack"]) == {"deepwordbug", "deepwordbug.random"}
    assert set(attacked["budget"]) == {24}
    assert float(attacked.filter(pl.col("attack") == "deepwordbug")["score"][0]) == pytest.approx(
        line["after"]["score"]
    )
    assert set(rows["rows"]) == {"12 by clusters"}  # nothing is predicted that is not attacked
    again = crosswind(*arguments, str(tmp_path / "two"), "--json", "--width", "5")
    assert json.loads(again.stdout) == value
    names = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("rewrites/**/*.parquet"))
    assert names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.slow
def test_as_many_queries_are_attacked_as_are_named_before_the_whole_pool(tmp_path: Path) -> None:
    model = place_of("microworld")
    query = ["--task", "mw-answers", "--language", "qla-Latn", "--budget", "4", "--no-control", "--quiet", "--json"]
    data = open_source({"source": "microworld"})
    one, pool = ("qla-Latn", "test", data), ("qla-Latn",)  # alone, a language is its own pool
    drawn = [e.id for e in load(TASKS["mw-answers"], *one, limit=9, pool_languages=pool)]
    whole = load(TASKS["mw-answers"], *one, pool_languages=pool)
    for recipe in ("deepwordbug", "hard-negative-pool(sites=2,options=2)"):
        out = tmp_path / recipe[:4]
        result = crosswind(model, *query, "--recipe", recipe, "--examples", "9", "--out", str(out))
        assert "every query" not in result.stderr
        (line,) = json.loads(result.stdout)["attacks"]
        assert (line["n"], line["of"]) == (len(drawn), len(whole))
        rows = pl.read_parquet(out / "results.parquet")
        assert dict(zip(rows["attack"], rows["rows"], strict=True)) == {
            "none": "all",
            recipe: "9 by clusters before the whole pool",
        }
        cells = pl.read_parquet(out / "cells.parquet").join(rows.select("cell", "attack"), on="cell")
        (file,) = cells.filter(attack=recipe)["file"].unique()
        assert pl.read_parquet(out / file)["id"].to_list() == drawn
        # The score before is that of these queries before every candidate.
        assert whole.pool is not None
        (clean,) = cells.filter(attack="none")["file"].unique()
        ids, before = read_predictions(out / clean)
        chosen = [p for i, p in zip(ids, before, strict=True) if i in set(drawn)]
        assert max(r for p in before for r in p["ranks"]) > len(drawn)
        metric = METRICS[TASKS["mw-answers"].metric]
        queries = [e for e in whole.examples if e.id in set(drawn)]
        judged = metric.judge(queries, chosen, {})
        assert line["before"]["score"] == pytest.approx(metric.score(judged.statistics.sum(axis=0)))
    told = crosswind(model, *[x for x in query if x != "--json"], "--recipe", "deepwordbug", "--examples", "9").stdout
    assert f"budget 4, {len(drawn)} of {len(whole)} examples" in told


def test_a_function_is_asked_about_no_query_that_is_not_attacked(tmp_path: Path) -> None:
    file, log = tmp_path / "mine.py", tmp_path / "asked"
    file.write_text(
        "def predict(examples):\n"
        f"    open({str(log)!r}, 'a').writelines(e.id + '\\n' for e in examples)\n"
        "    return [{'ranks': [1] * len(e.gold)} for e in examples]\n"
    )
    query = ["--task", "mw-answers", "--language", "qla-Latn", "--recipe", "deepwordbug", "--budget", "3", "--quiet"]
    value = json.loads(crosswind(f"{file}:predict", *query, "--examples", "9", "--json").stdout)
    assert (value["attacks"][0]["n"], len(set(log.read_text().split()))) == (8, 8)  # whole clusters


def test_a_note_says_in_which_order_the_scores_of_a_choice_are_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def predict(examples):\n    return [{'scores': [len(c) for c in e.choices]} for e in examples]\n")
    choice = ["--task", "mw-causes", "--language", "qla-Latn", "--recipe", "deepwordbug", "--budget", "3", "--quiet"]
    told = " ".join(crosswind(f"{file}:predict", *choice, "--examples", "2", "--no-control").stderr.split())
    assert "mine.py:predict: its scores of mw-causes are read in the order of each example's options." in told
    assert "are attacked" not in told


def test_a_cluster_larger_than_the_number_of_examples_is_attacked_whole_and_a_note_says_so(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FUNCTION)
    done = crosswind(f"{tmp_path / 'mine.py'}:predict", *COMMON, "--examples", "1", "--no-control")
    attacked = re.search(r"budget 24, (\d+) of", done.stdout)
    assert attacked is not None
    assert int(attacked[1]) > 1
    told = " ".join(done.stderr.split())
    assert f"note: mw-nli qla-Latn: {attacked[1]} examples are attacked: a cluster is attacked whole" in told


FUNCTION = """
import hashlib

def predict(examples):
    records = []
    for e in examples:
        h = hashlib.sha256((e.first + e.second).encode()).digest()
        records.append({"scores": [h[0] / 64, h[1] / 64, h[2] / 64]})
    return records

def raising(examples):
    raise RuntimeError("no memory")

def huge(examples):
    return [{"scores": [10**400, 0, 0]} for _ in examples]

def none(examples):
    return None

asked = set()

def fickle(examples):
    records = [{"scores": r["scores"][:: -1 if e in asked else 1]} for e, r in zip(examples, predict(examples))]
    asked.update(examples)
    return records

def broken(examples):
    return [{"scores": [float("nan")] * 3} for _ in examples]
"""


def scores(texts: dict[str, Any]) -> list[float]:
    h = hashlib.sha256((texts["first"] + texts["second"]).encode()).digest()
    return [h[0] / 64, h[1] / 64, h[2] / 64]


def test_a_function_of_a_file_is_attacked(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    result = crosswind(f"{file}:predict", *COMMON, "--examples", "30", "--json")
    (line,) = json.loads(result.stdout)["attacks"]
    assert line["after"]["score"] < line["before"]["score"]
    out = ["--out", str(tmp_path / "out"), "--no-control"]
    crosswind(f"{file}:predict", *COMMON, "--examples", "6", *out)
    file.write_text(FUNCTION + "\n# edited\n")
    crosswind(f"{file}:predict", *COMMON, "--examples", "6", *out)
    assert len([*(tmp_path / "out" / "finished").glob("*.jsonl")]) == 2  # an edited function is another victim
    oracle = ["--recipe", "polygloss(embed=qlo,senses=reference)", "--examples", "3", "--no-control"]
    told = crosswind(f"{file}:predict", *COMMON, *oracle).stderr
    assert "note: polygloss(embed=qlo,senses=reference) has oracle access: it reads the test set's own trans" in told
    for name, text in (("qla-qcy.txt", "a\tb\n"), ("qla-qcy.origin.json", '{"oracle": ["mw-nli"]}')):
        (tmp_path / name).write_text(text)
    tables = ["--recipe", f'polygloss(embed=qcy,lexicon="{tmp_path}")', "--examples", "2", "--no-control"]
    told = " ".join(crosswind(f"{file}:predict", *COMMON, *tables).stderr.split())
    assert "were derived from the test text of mw-nli (oracle access)" in told
    similar = ["--recipe", "textbugger(similarity=microworld,cosine=0.98)", "--examples", "6", "--no-control"]
    told = crosswind(f"{file}:predict", *COMMON, *similar).stderr
    # Of what a function says a sentence encoder may be asked as well.
    told = " ".join(told.split())
    assert re.search(
        r"cosine of the \d+ changed texts with the original ones is 0\.9\d\d on average and 0\.9[89]", told
    )
    told = " ".join(crosswind(f"{file}:fickle", *COMMON, "--examples", "6", "--no-control").stderr.split())
    assert re.search(r"of \d of 6 texts the victim said another thing when it was asked again", told)
    assert "its scores of mw-nli are read in the order entailment, neutral, contradiction." in " ".join(told.split())
    assert "said another thing" not in crosswind(f"{file}:predict", *COMMON, "--examples", "6").stderr
    with pytest.raises(UserError, match="nan as a score"):
        crosswind(f"{file}:broken", *COMMON, "--examples", "30")
    with pytest.raises(UserError, match=r"mine.py:12: raising: RuntimeError: no memory"):
        crosswind(f"{file}:raising", *COMMON, "--examples", "3")
    with pytest.raises(UserError, match=r"gives 1000.* as a score"):
        crosswind(f"{file}:huge", *COMMON, "--examples", "3")
    with pytest.raises(UserError, match="gives NoneType for 3 examples, not a list"):
        crosswind(f"{file}:none", *COMMON, "--examples", "3")
    with pytest.raises(UserError, match="--language: ',' names nothing"):
        crosswind(f"{file}:predict", *COMMON, "--language", ",")
    with pytest.raises(UserError, match=r"options: draws: at most 1,000"):
        evaluation("microworld", ["mw-nli"], draws=1001)
    with pytest.raises(UserError, match=r"unknown function 'predik'"):
        crosswind(f"{file}:predik", *COMMON)
    with pytest.raises(UserError, match="the budget is 0"):
        crosswind(f"{file}:predict", *COMMON, "--budget", "0")
    with pytest.raises(UserError, match="is no language of the microworld"):
        crosswind(f"{file}:predict", *COMMON, "--recipe", "polygloss(embed=fr)")


class Server:
    """A model behind an address; `fails(n)` says with which status request n is refused (0: it is answered)."""

    def __init__(self, fails: Callable[[int], int]) -> None:
        self.requests = 0
        self.authorizations: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests += 1
                outer.authorizations.append(self.headers["Authorization"])
                status = fails(outer.requests)
                answer = {"predictions": [{"scores": scores(e)} for e in body["examples"]]}
                data = json.dumps(answer).encode() if not status else b"busy"
                self.send_response(status or 200)
                if status == 302:
                    self.send_header("Location", "http://other.test/")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/predict"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[int], int]], Server]]:
    servers: list[Server] = []

    def new(fails: Callable[[int], int]) -> Server:
        servers.append(Server(fails))
        return servers[-1]

    yield new
    for server in servers:
        server.server.shutdown()
        server.server.server_close()


def test_an_endpoint_that_fails_half_way_loses_nothing(
    serve: Callable[[Callable[[int], int]], Server], tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    options = [*COMMON, "--examples", "30", "--width", "4", "--json", "--no-control"]
    whole = json.loads(crosswind(f"{file}:predict", *options).stdout)
    failing = serve(lambda n: 400 if n == 15 else 0)
    out = ["--out", str(tmp_path / "out")]
    with pytest.raises(UserError, match="answers 400"):
        crosswind(failing.url, *options, *out)
    (kept,) = (tmp_path / "out" / "finished").glob("*.jsonl")
    done = len(kept.read_text().splitlines())
    assert 0 < done < 30
    before = failing.requests
    resumed = json.loads(crosswind(failing.url, *options, *out).stdout)
    assert resumed["attacks"] == whole["attacks"]
    assert len(kept.read_text().splitlines()) == len(set(kept.read_text().splitlines()))
    fresh = serve(lambda n: 0)
    crosswind(fresh.url, *options)
    assert failing.requests - before < fresh.requests  # what was finished is not asked again


def test_what_an_address_asks_for_stands_in_no_file_of_an_attack(
    serve: Callable[[Callable[[int], int]], Server], tmp_path: Path
) -> None:
    server, out = serve(lambda n: 0), tmp_path / "out"
    for query in ("?key=hushhush", "?key=another1"):
        crosswind(server.url + query, *COMMON, "--examples", "2", "--no-control", "--out", str(out))
    assert len([*out.glob("*.attack.json")]) == 2  # two victims, told apart
    for path in (p for p in out.rglob("*") if p.is_file()):
        assert not re.search("hushhush|another1", path.name)
        assert not re.search(b"hushhush|another1", path.read_bytes()), path.name
    about = json.loads(min(out.glob("*.attack.json")).read_text())
    assert about["victim"].startswith(f"{server.url}#")
    assert address_shown(server.url) == server.url
    for secret in ("http://me:pw@host/a@b", "http://host/a@b?pw", "http://host/a@b#pw"):
        assert re.fullmatch(r"http://host/a@b#[0-9a-f]{8}", address_shown(secret))
    assert address_shown("http://[::1/x") == "http://[::1/x"  # no address: who asks there is told so


def test_what_was_finished_without_a_folder_is_kept_in_the_store_until_all_is_done(
    serve: Callable[[Callable[[int], int]], Server], tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    options = [*COMMON, "--examples", "30", "--width", "4", "--json"]
    whole = json.loads(crosswind(f"{file}:predict", *options).stdout)
    partial = tmp_path / "default store" / "partial"
    assert not [*partial.iterdir()]
    failing = serve(lambda n: 400 if n in (15, 40) else 0)  # within the attack, and within its control
    with pytest.raises(UserError, match="what is finished is kept, run it again"):
        crosswind(failing.url, *options)
    (kept,) = partial.glob("*/finished.jsonl")
    done = len(kept.read_text().splitlines())
    assert 0 < done < 30
    with pytest.raises(UserError, match="answers 400"):
        crosswind(failing.url, *options)
    assert len(kept.read_text().splitlines()) == 30
    assert len([*partial.glob("*/finished.jsonl")]) == 2
    resumed = crosswind(failing.url, *options)
    assert json.loads(resumed.stdout)["attacks"] == whole["attacks"]
    told = " ".join(resumed.stderr.split())
    assert (
        "deepwordbug on mw-nli/qla-Latn/test: what an earlier call had finished was not attacked again. What " in told
    )
    assert "answers at the address may have changed since: in a new folder (--out) all is attacked anew." in told
    assert not [*partial.iterdir()]  # what is at an address may change: a new attack begins anew


def test_the_microworlds_lexicons_are_named_as_in_studies(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    options = [f"{file}:predict", *COMMON, "--recipe", "polygloss(embed=qlo)", "--examples", "4", "--json"]
    unnamed, named = (crosswind(*options, *more).stdout for more in ([], ["--lexicons", "microworld"]))
    assert json.loads(named) == json.loads(unnamed)
    assert json.loads(named)["attacks"][0]["edit_rate"]["score"] > 0
    study = evaluation("microworld", ["mw-nli"], lexicons=Path("microworld"), perturb=["codemix(embed=qlo):0.5"])
    assert any(c.condition.perturbation.startswith("codemix") for c in make_plan(study).cells)


def test_a_constraint_asks_its_model_of_a_function_too(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    options = [f"{file}:predict", *COMMON, "--examples", "4", "--no-control", "--json"]
    for least in (0.98, 1.0):
        out = tmp_path / str(least)
        constraint = f"similarity(model=microworld,least={least})"
        (line,) = json.loads(crosswind(*options, "--constraint", constraint, "--out", str(out)).stdout)["attacks"]
        (outcomes,) = out.glob("*.outcomes.parquet")
        (rewrites,) = out.glob("*.rewrites.parquet")
        rows = pl.read_parquet(outcomes)
        refused = sum(json.loads(text).get(line["attack"].partition(";")[2], 0) for text in rows["refused"])
        assert refused > 0
        clean = load(TASKS["mw-nli"], "qla-Latn", "test", open_source({"source": "microworld"}), limit=4)
        changed = replay_dataset(clean, pl.read_parquet(rewrites)).examples
        pairs = [
            (text, text_fields(new.example)[field])
            for old, new in zip(clean.examples, changed, strict=True)
            for field, text in text_fields(old).items()
            if text != text_fields(new.example)[field]
        ]
        assert bool(pairs) == (least < 1)
        assert all(value >= least for value in EncoderSimilarity(place_of("microworld"))(pairs))
    with pytest.raises(UserError, match="the negating words of qla-Latn are not listed"):
        crosswind(*options, "--constraint", "negation")
    with pytest.raises(UserError, match="no folder"):
        crosswind(*options, "--constraint", "similarity(model=./nowhere)")


def test_an_example_of_which_a_model_refuses_too_much_ends_and_the_results_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crosswind.attack.runner.REFUSED", 20)
    monkeypatch.setattr("crosswind.attack.runner.REFUSED_A_QUERY", 0)
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    options = [f"{file}:predict", *COMMON, "--examples", "4", "--out", str(tmp_path / "out")]
    told = crosswind(*options, "--constraint", "similarity(model=microworld,least=1)", "--json")
    (line,) = json.loads(told.stdout)["attacks"]
    assert (line["refused"], line["given_up"], line["exhausted"]) == ([20, 20], 100, 0)
    said = " ".join(told.stderr.split())
    assert "attacked examples constraints refused similarity(model=microworld,least=1) " in said
    assert "of them ended because a model had refused too many" in said


HELD = """
def reversed_with_ids(examples):
    return [r | {"id": e.id} for e, r in zip(examples, predict(examples))][::-1]

def others(examples):
    return [r | {"id": str(i)} for i, r in enumerate(predict(examples))]

def some(examples):
    return [predict([e])[0] | ({"id": e.id} if i else {}) for i, e in enumerate(examples)]

def twice(examples):
    return [r | {"id": examples[0].id} for r in predict(examples)]
"""


def test_records_that_name_their_examples_are_taken_by_name(tmp_path: Path) -> None:
    functions: dict[str, Any] = {}
    exec(FUNCTION + HELD, functions)
    examples = [PairExample(f"e{i}", "c", "en", f"text {i}", "so", 0) for i in range(4)]
    metric = METRICS["accuracy"]
    named, plain = (
        PredictingVictim(functions[name], metric, classes=3)(examples) for name in ("reversed_with_ids", "predict")
    )
    assert named.predictions == plain.predictions
    assert named.loss.tolist() == plain.loss.tolist()
    assert len(set(plain.loss.tolist())) == 4
    for name, said in (
        ("others", "gives a record of the id '0', about which it was not asked"),
        ("some", "gives an id with 3 of 4 records"),
        ("twice", "gives 4 records of the id 'e0', and was asked for 1"),
    ):
        with pytest.raises(UserError, match=said):
            PredictingVictim(functions[name], metric, classes=3)(examples)
    # Candidates of an attack have the id of their example.
    same = [*examples, replace(examples[0], first="another text")]
    with pytest.raises(UserError, match="in another order than it was asked, in which 2 texts have the id 'e0'"):
        PredictingVictim(functions["reversed_with_ids"], metric, classes=3)(same)
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION + HELD)
    with pytest.raises(UserError, match=r"mine.py:others gives a record of the id '0'"):
        crosswind(f"{file}:others", *COMMON, "--examples", "3")


@pytest.mark.parametrize("record", [{"scores": [1e308, -1e308, 2]}, {"scores": [0, 1, 2], "loss": -1e308}])
@pytest.mark.filterwarnings("error")
def test_numbers_whose_differences_overflow_are_refused(record: dict[str, Any]) -> None:
    victim = PredictingVictim(lambda examples: [record for _ in examples], METRICS["accuracy"], classes=3)
    with pytest.raises(UserError, match=r"gives -?1e\+308 as a (score|loss) of e, which is beyond ±1e\+100"):
        victim([PairExample("e", "c", "en", "a text", "so", 0)])


def test_restarts_of_a_search_that_does_not_draw_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    for model in (f"{file}:predict", str(checkpoint)):
        with pytest.raises(UserError, match=r"restarts: deepwordbug has no restarts: its search, greedy, does the sam"):
            crosswind(model, *COMMON, "--restarts", "1")
    with pytest.raises(UserError, match=r"viper has no restarts: its search, random\(share=0.4\), draws without end"):
        crosswind(f"{file}:predict", *COMMON, "--recipe", "viper", "--restarts", "1")
    drawing = ["--recipe", "bad-characters(population=4,generations=1)", "--restarts", "1", "--examples", "2", "--json"]
    value = json.loads(crosswind(f"{file}:predict", *COMMON, *drawing).stdout)
    assert value["attacks"][0]["attack"].endswith(";restarts=1")


def test_what_has_no_effect_on_such_a_model_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    """Above all `--labels`: the scores of a function are in the task's order, whatever another order is called."""
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    for option, value, why in (
        ("--labels", "a,b,c", "scores are in the order of the task's classes"),
        ("--precision", "bf16", "it computes"),
        ("--max-length", "16", "it cuts texts itself"),
        ("--workers", "2", "it is asked by one process"),
    ):
        with pytest.raises(UserError, match=rf"{option}: it would change nothing of a function or an address: {why}"):
            crosswind(f"{file}:predict", *COMMON, option, value)
    with pytest.raises(UserError, match="--rate: it would change nothing of a checkpoint"):
        crosswind(str(checkpoint), *COMMON, "--rate", "2")


def test_a_busy_endpoint_is_asked_again_and_a_rate_is_kept(serve: Callable[[Callable[[int], int]], Server]) -> None:
    examples = [PairExample(f"e{i}", "c", "en", f"text {i}", "so", 0) for i in range(10)]
    slept: list[float] = []
    server = serve(lambda n: 503 if n in (1, 2, 4) else 0)
    endpoint = Endpoint(server.url, "mw-nli", batch=5, wait=0.5, sleep=slept.append)
    records = endpoint(examples)
    assert [r["scores"] for r in records] == [scores({"first": e.first, "second": e.second}) for e in examples]
    assert slept == [0.5, 1.0, 0.5]
    with pytest.raises(UserError, match=r"503 .*, 3 times in a row"):
        Endpoint(serve(lambda n: 503).url, "mw-nli", retries=2, sleep=slept.append)(examples)
    moved = serve(lambda n: 302)
    with pytest.raises(UserError, match=r"answers 302 .*: it is at http://other\.test/; name that one"):
        Endpoint(moved.url, "mw-nli", sleep=slept.append)(examples)
    with pytest.raises(UserError, match="cannot be reached"):
        Endpoint("http://127.0.0.1:9/", "mw-nli", retries=0)(examples)
    now = [0.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    Endpoint(serve(lambda n: 0).url, "mw-nli", batch=2, rate=4.0, clock=lambda: now[0], sleep=sleep)(examples)
    assert waits == [0.25] * 4


def asked(connection: socket.socket) -> bytes:
    """The whole request: a server that answers before it has read all resets the connection."""
    with connection.makefile("rb") as stream:
        length = 0
        while (line := stream.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return stream.read(length)


@pytest.fixture
def answers() -> Iterator[Callable[..., str]]:
    """The address of a server that gives the same bytes to every request, some at a time."""
    sockets: list[socket.socket] = []

    def serve_bytes(data: bytes, piece: int = 1 << 20, clock: Callable[[], object] = lambda: None) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def loop() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), connection:
                    asked(connection)
                    for start in range(0, len(data), piece):
                        clock()
                        connection.sendall(data[start : start + piece])

        threading.Thread(target=loop, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"

    yield serve_bytes
    for listening in sockets:
        listening.close()


OK = b"HTTP/1.0 200 OK\r\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x00\xff garbage\r\n\r\n", r"BadStatusLine\), 2 times in a row"),
        (OK + b"Content-Length: 100\r\n\r\n{}", r"IncompleteRead\), 2 times in a row"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", r"IncompleteRead\), 2 times in a row"),
        (OK + b"a: b\r\n" * 300 + b"\r\n{}", r"HTTPException\), 2 times in a row"),
        (OK + b'\r\n{"predictions": [{"sco', r"IncompleteRead\), 2 times in a row"),  # no length
        (OK + b"\r\n", r"IncompleteRead\), 2 times in a row"),
        (OK + b"\r\n<html>busy", r"answers with what is no JSON \('<html>busy'\)"),
        (b"HTTP/1.0 503 x\r\nRetry-After: \xb2\r\n\r\n", "answers 503 x, 2 times in a row"),
        (b"HTTP/1.0 400 \x1b[31mred\r\n\r\n", r"answers 400 \\x1b\[31mred"),
        (b"", "cannot be reached"),
    ],
)
def test_an_answer_that_is_none_is_said_in_a_sentence(answers: Callable[..., str], data: bytes, said: str) -> None:
    examples = [PairExample("e", "c", "en", "a text", "so", 0)]
    with pytest.raises(UserError, match=said):
        Endpoint(answers(data), "mw-nli", retries=1, sleep=lambda seconds: None)(examples)


def test_a_server_may_ask_for_minutes_not_for_days_and_may_not_trickle(answers: Callable[..., str]) -> None:
    examples = [PairExample("e", "c", "en", "a text", "so", 0)]
    slept: list[float] = []
    asking = answers(b"HTTP/1.0 503 x\r\nRetry-After: 99999999\r\n\r\n")
    with pytest.raises(UserError, match="503"):
        Endpoint(asking, "mw-nli", retries=1, sleep=slept.append)(examples)
    assert slept == [300.0]
    now = [0.0]

    def hour() -> float:
        now[0] += 3600
        return now[0]

    slow = answers(OK + b"\r\n" + b" " * 100, 50)
    with pytest.raises(UserError, match="no whole answer in 60 seconds"):
        Endpoint(slow, "mw-nli", retries=0, clock=hour)(examples)


def test_a_server_may_name_the_date_until_which_to_wait(answers: Callable[..., str]) -> None:
    """The three forms of RFC 9110 §5.6.7 name the same second."""
    examples = [PairExample("e", "c", "en", "a text", "so", 0)]
    second = 784111777.0
    for date, waits in (
        ("Sun, 06 Nov 1994 08:49:37 GMT", 90.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 90.0),
        ("Sun Nov  6 08:49:37 1994", 90.0),
        ("Sun, 06 Nov 1994 07:49:37 GMT", 0.0),
        ("Sun, 06 Nov 2094 07:49:37 GMT", 300.0),
        ("Sun, 99 Nov 1994 soon", 1.0),
    ):
        slept: list[float] = []
        busy = answers(f"HTTP/1.0 503 x\r\nRetry-After: {date}\r\n\r\n".encode())
        endpoint = Endpoint(busy, "mw-nli", retries=1, now=lambda: second - 90, sleep=slept.append)
        with pytest.raises(UserError, match="503"):
            endpoint(examples)
        assert slept == [waits], date


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"HTTP/1.0 302 x\r\nLocation: http://o.test/b?key=hush hush&v=1\r\n\r\n", "it is at http://o.test/b; name"),
        (b"HTTP/1.0 302 x\r\nLocation: http://me:hush@o.test/b\r\n\r\n", "it is at http://o.test/b; name that one"),
        (b"HTTP/1.0 308 x\r\nLocation: /b?key=hushhush\r\n\r\n", r"it is at http://127.0.0.1:\d+/b; name that one"),
        (b"HTTP/1.0 302 x\r\nLocation: http://[\r\n\r\n", "answers 302 x and does not say where it is"),
        (b"HTTP/1.0 302 x\r\n\r\n", "answers 302 x and does not say where it is"),
        (b"HTTP/1.0 400 no /?key=hushhush\r\n\r\n", "answers 400 no /?"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"." * 54 + b" hushhush me:hush", "no JSON"),
        (b"", "cannot be reached"),
    ],
)
def test_no_secret_of_an_address_is_told(answers: Callable[..., str], data: bytes, said: str) -> None:
    url = answers(data).replace("http://", "http://me:hush@") + "?key=hushhush&v=1#hush"
    with pytest.raises(UserError, match=said) as error:
        Endpoint(url, "mw-nli", retries=0)([PairExample("e", "c", "en", "a text", "so", 0)])
    assert "hush" not in str(error.value)
    assert "me:" not in str(error.value)


def test_an_address_that_is_none_and_one_that_is_no_victim_are_not_told_whole() -> None:
    for url in (
        "http://a b/?key=hushhush",
        "http://h:port/?key=hushhush",
        "http://h/?key=hushhush\x7f",
        "HTTP://[?hushh",
    ):
        with pytest.raises(UserError, match="no address") as error:
            Endpoint(url, "mw-nli")([PairExample("e", "c", "en", "a text", "so", 0)])
        assert "hush" not in str(error.value), url
    arguments = ["evaluate", "https://host/?key=hushhush", "--task", "mw-nli", "--languages", "en"]
    told = str(CliRunner().invoke(app, arguments).exception)
    assert "an address is no checkpoint (https://host/#" in told
    assert "hush" not in told


def test_one_call_at_a_time_attacks_into_a_folder(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.py", tmp_path / "out"
    file.write_text(FUNCTION)
    options = [f"{file}:predict", *COMMON, "--examples", "3", "--no-control", "--out", str(out), "--json"]
    whole = crosswind(*options).stdout
    with (
        FileLock(out / "finished" / "lock"),
        pytest.raises(UserError, match="out: another attack writes into this folder"),
    ):
        crosswind(*options)
    assert crosswind(*options).stdout == whole


def test_a_function_whose_own_modules_changed_is_another_victim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "mine.py", tmp_path / "out"
    (tmp_path / "kin").mkdir()
    (tmp_path / "kin" / "__init__.py").write_text("")
    (tmp_path / "kin" / "near.py").write_text("from . import far\n")
    (tmp_path / "kin" / "far.py").write_text("import json, numpy, crosswind, nowhere_at_all\n")
    (tmp_path / "late.py").write_text("SCALE = 64\n")
    (tmp_path / "other.py").write_text("")
    code = FUNCTION.replace("    records = []\n", "    from late import SCALE\n    records = []\n", 1)
    file.write_text("import os\nif os.sep == '?':\n    import kin.near\n" + code)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert sorted(local_modules(file)) == ["kin", "kin.far", "kin.near", "late"]
    options = [f"{file}:predict", *COMMON, "--examples", "3", "--no-control", "--out", str(out)]

    def attacked() -> tuple[int, str]:
        told = " ".join(crosswind(*options).stderr.split())
        return len([*(out / "finished").glob("*.jsonl")]), told

    assert attacked()[0] == 1
    kept, told = attacked()
    assert kept == 1
    assert "The function's file and the modules of yours that it imports are as they were; installed packages" in told
    (tmp_path / "other.py").write_text("edited = True\n")
    assert attacked()[0] == 1
    (tmp_path / "kin" / "far.py").write_text("edited = True\n")
    assert attacked()[0] == 2
    (tmp_path / "late.py").write_text("SCALE = 64  # edited\n")
    kept, told = attacked()
    assert kept == 3
    assert "as they were" not in told


@pytest.mark.parametrize("url", ["http://[", "http://a b/", "http://h:port/", "http://127.0.0.1/ä"])
def test_what_is_no_address_is_said_so(url: str) -> None:
    with pytest.raises(UserError, match="no address"):
        Endpoint(url, "mw-nli")([PairExample("e", "c", "en", "a text", "so", 0)])


def test_what_is_finished_is_found_again_whatever_its_text_and_wherever_a_kill_cut_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    options = [f"{file}:predict", *COMMON, "--examples", "6", "--no-control", "--out", str(tmp_path / "out"), "--json"]
    whole = crosswind(*options).stdout
    (kept,) = (tmp_path / "out" / "finished").glob("*.jsonl")
    lines = kept.read_bytes().splitlines()
    # A change that brought U+2028, a line that was cut within a character, and lines that are no outcome
    first = Attacked.loads(lines[0].decode())
    strange = replace(first, rewrites={"first": Rewrite.from_json([3, [["\u2028", [1, 2]]]])}).dumps().encode()
    kept.write_bytes(b"\n".join([strange, b'{"rewrites": []}', b"[]", b"1", *lines[1:], '{"id": "é'.encode()[:-1]]))
    outcomes = _kept(kept)
    assert list(outcomes) == [json.loads(line)["id"] for line in lines]
    assert outcomes[first.id].rewrites["first"].apply("abc") == "\u2028"
    kept.write_bytes(b"\n".join([*lines[1:], '{"id": "é'.encode()[:-1]]))
    assert crosswind(*options).stdout == whole
    # A byte that another one stands for is no result: the example is attacked again.
    for before, after in ((b'"queries": ', b'"queries": 9'), (b'"clean_right": 1.0', b'"clean_right": 0.0')):
        kept.write_bytes(b"\n".join(line.replace(before, after) for line in lines) + b"\n")
        assert len(_kept(kept)) == sum(before not in line for line in lines)
    assert crosswind(*options).stdout == whole


def test_evaluate_attacks_beside_the_clean_scores(checkpoint: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", str(checkpoint), "--task", "mw-nli", "--languages", "qla-Latn", "--limit", "12", "--quiet"]
    more = ["--attack", "deepwordbug", "--budget", "6", "--examples", "5", "--store", str(tmp_path / "store"), "--json"]
    result = CliRunner().invoke(app, [*arguments, *more])
    rows = json.loads(result.stdout)
    assert {(r["attack"], r["budget"]) for r in rows} == {("none", 0), ("deepwordbug", 6), ("deepwordbug.random", 6)}
    refused = CliRunner().invoke(app, [*arguments, "--attack", "add-one-sent"])
    assert isinstance(refused.exception, UserError)
    assert "attacks span tasks; mw-nli is a pair task" in str(refused.exception)


def test_a_user_in_an_address_is_sent_apart_and_shown_nowhere(serve: Callable[..., Server]) -> None:
    server = serve(lambda n: 0)
    address = server.url.replace("http://", "http://me:p%40ss@")
    endpoint = Endpoint(address, "mw-nli")
    assert endpoint.url == server.url
    endpoint([PairExample("e", "c", "en", "a text", "so", 0)])
    assert server.authorizations == ["Basic " + base64.b64encode(b"me:p@ss").decode()]
    with pytest.raises(UserError) as error:
        Endpoint("http://me:secret@127.0.0.1:9/", "mw-nli", retries=0)([PairExample("e", "c", "en", "a", "b", 0)])
    assert "secret" not in str(error.value)


def test_a_language_that_a_recipe_cannot_attack_is_left_out_before_anything_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    options = [
        "--task",
        "mw-nli",
        "--recipe",
        "polygloss(embed=en)",
        "--budget",
        "4",
        "--examples",
        "4",
        "--no-control",
    ]
    made = crosswind(f"{file}:predict", *options, "--language", "en,qla-Latn", "--json")
    assert [line["language"] for line in json.loads(made.stdout)["attacks"]] == ["qla-Latn"]
    assert "mw-nli/en/test is left out: codemix embeds only en" in (made.stderr + made.stdout)
    with pytest.raises(UserError, match="codemix embeds only en"):
        crosswind(f"{file}:raising", *options, "--language", "en")
