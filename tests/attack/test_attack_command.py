"""`crosswind attack`: a checkpoint, a function of the user's, a model behind an address that fails half-way."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from crosswind.attack.endpoint import Endpoint
from crosswind.cli import app
from crosswind.data.examples import PairExample
from crosswind.errors import UserError
from crosswind.model.checkpoint import save_head
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.study.encoders import place_of
from crosswind.tasks.base import TASKS, classes

COMMON = ["--task", "mw-nli", "--language", "qla-Latn", "--recipe", "deepwordbug", "--budget", "24", "--quiet"]


def crosswind(*arguments: str) -> Any:
    result = CliRunner().invoke(app, ["attack", *arguments], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped encoder with an untrained head."""
    folder = tmp_path_factory.mktemp("checkpoint")
    encoder = load_encoder(place_of("microworld"), seed=1)
    save_head(folder, encoder, attach(encoder, "pair", classes(TASKS["mw-nli"]), seed=2))
    return folder


def test_a_checkpoint_is_attacked_beside_its_control_and_found_again(checkpoint: Path, tmp_path: Path) -> None:
    arguments = [str(checkpoint), *COMMON, "--examples", "12", "--store", str(tmp_path / "store"), "--out"]
    first = crosswind(*arguments, str(tmp_path / "one"), "--json")
    value = json.loads(first.stdout)
    (line,) = value["attacks"]
    assert (line["attack"], line["budget"], line["language"]) == ("deepwordbug", 24, "qla-Latn")
    assert line["after"]["score"] <= line["before"]["score"]
    assert line["gain"]["score"] == pytest.approx(line["control"]["score"] - line["after"]["score"])
    # Success is 1 - A'/A of the initially right (perturbations.md, "Metrics").
    assert line["success"]["score"] == pytest.approx(100 * (1 - line["after"]["score"] / line["before"]["score"]))
    assert line["over_budget"][-1][1] == pytest.approx(line["after"]["score"])
    assert [b for b, _ in line["over_budget"]] == [1, 2, 5, 10, 20, 24]
    assert line["queries"][0] <= 24
    assert value["examples"]
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
    assert set(rows["rows"]) == {"all", "12 by clusters"}
    again = crosswind(*arguments, str(tmp_path / "two"), "--json", "--width", "5")
    assert json.loads(again.stdout) == value
    names = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("rewrites/**/*.parquet"))
    assert names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


FUNCTION = """
import hashlib

def predict(examples):
    records = []
    for e in examples:
        h = hashlib.sha256((e.first + e.second).encode()).digest()
        records.append({"scores": [h[0] / 64, h[1] / 64, h[2] / 64]})
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
    with pytest.raises(UserError, match="nan as a score"):
        crosswind(f"{file}:broken", *COMMON, "--examples", "30")
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
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests += 1
                status = fails(outer.requests)
                answer = {"predictions": [{"scores": scores(e)} for e in body["examples"]]}
                data = json.dumps(answer).encode() if not status else b"busy"
                self.send_response(status or 200)
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
    with pytest.raises(UserError, match="cannot be reached"):
        Endpoint("http://127.0.0.1:9/", "mw-nli", retries=0)(examples)
    now = [0.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    Endpoint(serve(lambda n: 0).url, "mw-nli", batch=2, rate=4.0, clock=lambda: now[0], sleep=sleep)(examples)
    assert waits == [0.25] * 4


def test_evaluate_attacks_beside_the_clean_scores(checkpoint: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", str(checkpoint), "--task", "mw-nli", "--languages", "qla-Latn", "--limit", "12", "--quiet"]
    more = ["--attack", "deepwordbug", "--budget", "6", "--examples", "5", "--store", str(tmp_path / "store"), "--json"]
    result = CliRunner().invoke(app, [*arguments, *more])
    rows = json.loads(result.stdout)
    assert {(r["attack"], r["budget"]) for r in rows} == {("none", 0), ("deepwordbug", 6), ("deepwordbug.random", 6)}
    refused = CliRunner().invoke(app, [*arguments, "--attack", "add-one-sent"])
    assert isinstance(refused.exception, UserError)
    assert "attacks span tasks; mw-nli is a pair task" in str(refused.exception)
