"""Whether each perturbation changes a model's score: retrieval, inference and reading by an encoder that is not tuned.

    python benchmarks/perturbation_effect.py MODEL DATA [PHRASES] [--tagger DIR] [--inference DIR] [--page]

* retrieval: English sentences of Tatoeba find their translations (mean of the last layer, cosine); the translations are
  perturbed, of `real-noise` the English sentences; score: mean reciprocal rank of 40 in each of eight languages.
* inference (`distract-nli`): logistic regression on the vectors of XNLI's English dev pairs, applied to other pairs.
* reading (`distract-qa`): the sentence of an XQuAD context nearest to the question holds a gold answer, or not.
* `--tagger` (a checkpoint tuned on PAN-X) measures `entity-swap` and `--inference` (one tuned for XNLI)
  `translated-phrase`, by `crosswind evaluate` on 200 rows in each of the eight languages that the task has; intervals
  are over these languages.

`MODEL` is an encoder's folder, `DATA` holds tatoeba, xnli, panx, xquad, muse, unimorph, omw and misspellings, `PHRASES`
phrase tables of `crosswind lexicon bilingual`. A row is one perturbation at severity 0.3 (of whole texts: 1): clean and
perturbed score, the difference with its interval of 95 % (bootstrap over items, 2,000 resamples). `--page` writes the
table into docs/perturbations.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crosswind.data.examples import Candidate, Dataset, PairExample, Pool, QueryExample, Span, SpanExample
from crosswind.evaluate.metrics.base import METRICS
from crosswind.model.filling import EncoderFiller
from crosswind.model.similarity import EncoderSimilarity
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.needs import DataNeed, ModelNeed
from crosswind.perturb.perturbation import PERTURBATIONS, Environment
from crosswind.perturb.spec import Spec, TextScope, parse_spec
from crosswind.perturb.words import sentences
from crosswind.tasks.base import TASKS

Scores = npt.NDArray[np.float64]
LANGUAGES = {"de": "deu", "ru": "rus", "hi": "hin", "ar": "ara", "zh": "cmn", "nl": "nld", "fr": "fra", "he": "heb"}
ITEMS = 40
_OTHERS = {
    "entity-swap": "not measured: it takes a trained tagger",
    "translated-phrase": "not measured: it takes a tuned model and aligned translations",
    "option-order": "not by itself: options are scored one by one, whatever their order",
}
_PAGE = Path(__file__).resolve().parent.parent / "docs" / "perturbations.md"
_COLUMNS = ("perturbation", "measured by", "items", "clean", "perturbed", "difference", "changes it?")
_HEAD = f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}\n"
WHOLE = {"shuffle", "distract-nli", "distract-qa", "hard-negatives", "option-order"}


def lines(path: Path, count: int) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line in itertools.islice(file, count)]


class Effect:
    """The scores of one model on clean and perturbed texts."""

    def __init__(self, model: str, data: Path, phrases: str | None) -> None:
        self.model, self.data = model, data
        self.similarity = EncoderSimilarity(model)
        self.environment = Environment(LexiconFolder(data / "muse" / "dictionaries"))
        self.filler: EncoderFiller | None = None
        self.specs = {
            "codemix": "codemix(embed=en)",
            "inflect": f'inflect(tables="{data / "unimorph"}")',
            "synonym": f'synonym(wordnets="{data / "omw"}",senses=0)',
            "real-noise": f'real-noise(errors="{data / "misspellings"}")',
            "mlm": f'mlm(model="{model}",victim=same)',
            "codemix-phrase": f'codemix-phrase(embed=en,phrases="{phrases or "missing"}")',
        }
        self.english = {c: lines(data / f"tatoeba/v1/tatoeba.{x}-eng.eng", ITEMS) for c, x in LANGUAGES.items()}
        self.theirs = {c: lines(data / f"tatoeba/v1/tatoeba.{x}-eng.{x}", ITEMS) for c, x in LANGUAGES.items()}
        self.vectors: dict[str, npt.NDArray[np.float64]] = {}

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Vectors `(texts, width)` of length 1."""
        new = [t for t in dict.fromkeys(texts) if t not in self.vectors]
        for text, vector in zip(new, self.similarity._embed(new), strict=True):
            self.vectors[text] = vector.numpy().astype(np.float64)
        return np.stack([self.vectors[t] for t in texts])

    def ranks(self, queries: Sequence[str], pool: Sequence[str]) -> Scores:
        """The reciprocal rank of candidate i for query i among all candidates."""
        scores = self.embed(queries) @ self.embed(pool).T
        gold = np.diag(scores[: len(queries), : len(queries)])[:, None]
        reciprocal: Scores = 1.0 / (1 + (scores > gold + 1e-9).sum(axis=1))
        return reciprocal

    def retrieval(self, name: str) -> tuple[Scores, Scores]:
        spec = parse_spec(self.specs.get(name, name), severity=1.0 if name in WHOLE else 0.3)
        clean, noisy = [], []
        for language in LANGUAGES:
            english, theirs = self.english[language], self.theirs[language]
            if name == "real-noise":
                changed = self.changed(spec, english, "en")
                clean.append(self.ranks(english, theirs))
                noisy.append(self.ranks(changed, theirs))
                continue
            scope = TextScope(language, environment=self.environment)
            if spec.applies(scope) is None:
                clean.append(self.ranks(english, theirs))
                noisy.append(self.ranks(english, self.changed(spec, theirs, language)))
        return (np.concatenate(clean), np.concatenate(noisy)) if clean else (np.zeros(0), np.zeros(0))

    def changed(self, spec: Spec, texts: Sequence[str], language: str) -> list[str]:
        scope = TextScope(language, environment=self.environment)
        needs = spec.needs(scope)
        if needs and self.filler is None:
            self.filler = EncoderFiller(self.model)
        resolved = {n: self.filler for n in needs if isinstance(n, ModelNeed)}
        return list(perturb_lines(texts, spec, language, draw=1, environment=self.environment, resolved=resolved))

    def negatives(self) -> tuple[Scores, Scores]:
        clean, noisy = [], []
        for language in LANGUAGES:
            pool = Pool(tuple(Candidate(str(i), language, t) for i, t in enumerate(self.theirs[language])))
            queries = tuple(
                QueryExample(str(i), str(i), "en", t, (str(i),)) for i, t in enumerate(self.english[language])
            )
            data = Dataset("tatoeba", language, "test", queries, pool)
            spec = parse_spec("hard-negatives:1")
            result = perturb_dataset(data, spec, draw=1, fields=("query",), resolved={DataNeed("donors"): data})
            assert result.dataset.pool is not None
            clean.append(self.ranks(self.english[language], self.theirs[language]))
            noisy.append(self.ranks(self.english[language], [c.text for c in result.dataset.pool.candidates]))
        return np.concatenate(clean), np.concatenate(noisy)

    def inference(self) -> tuple[Scores, Scores]:
        from scipy.optimize import minimize

        labels = ("entailment", "neutral", "contradiction")
        rows = [line.split("\t") for line in lines(self.data / "xnli/dev-en.tsv", 450)]
        items = [PairExample(str(i), str(i), "en", a, b, labels.index(c)) for i, (a, b, c) in enumerate(rows)]
        gold = np.array([e.label for e in items])
        train, test = slice(0, 300), slice(300, 450)

        def features(examples: Sequence[PairExample]) -> npt.NDArray[np.float64]:
            a, b = self.embed([e.first for e in examples]), self.embed([e.second for e in examples])
            return np.hstack([a, b, np.abs(a - b), a * b, np.ones((len(a), 1))])

        x = features(items)
        mean, scale = x[train].mean(axis=0), x[train].std(axis=0) + 1e-6

        def loss(flat: Scores) -> tuple[float, Scores]:
            w = flat.reshape(-1, 3)
            z = ((x[train] - mean) / scale) @ w
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            hit = np.eye(3)[gold[train]]
            grad = ((x[train] - mean) / scale).T @ (p - hit) / len(p) + 0.1 * w
            return float(-np.log(p[hit > 0]).mean() + 0.05 * (w**2).sum()), grad.ravel()

        w = minimize(loss, np.zeros(x.shape[1] * 3), jac=True, method="L-BFGS-B").x.reshape(-1, 3)
        data = Dataset("xnli", "en", "dev", tuple(items[test]))
        new = perturb_dataset(data, parse_spec("distract-nli(mode=negation):1"), draw=1, fields=("first", "second"))
        after = features([e for e in new.dataset.examples if isinstance(e, PairExample)])
        right = [(((f - mean) / scale) @ w).argmax(axis=1) == gold[test] for f in (x[test], after)]
        return right[0].astype(float), right[1].astype(float)

    def reading(self) -> tuple[Scores, Scores]:
        items = []
        for article in json.loads((self.data / "xquad/xquad.en.json").read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                q = paragraph["qas"][0]
                at, text = q["answers"][0]["answer_start"], q["answers"][0]["text"]
                spans = (Span(at, at + len(text)),)
                items.append(SpanExample(q["id"], q["id"], "en", q["question"], paragraph["context"], spans))
        data = Dataset("xquad", "en", "test", tuple(items))
        few = Dataset("xquad", "en", "test", tuple(items[::6]))
        new = perturb_dataset(
            few, parse_spec("distract-qa:1"), draw=1, fields=("context",), resolved={DataNeed("donors"): data}
        )
        return self.holds(few.examples), self.holds(new.dataset.examples)

    def holds(self, examples: Sequence[object]) -> Scores:
        right = []
        for e in examples:
            assert isinstance(e, SpanExample)
            assert e.answers
            spans = sentences(e.context, "en")
            scores = self.embed([e.context[s.start : s.end].strip() for s in spans]) @ self.embed([e.question])[0]
            best = spans[int(scores.argmax())]
            right.append(float(any(best.start <= a.start < best.end for a in e.answers)))
        return np.array(right)


def rows(effect: Effect) -> Iterator[tuple[str, str, Scores, Scores]]:
    special: dict[str, tuple[str, Callable[[], tuple[Scores, Scores]]]] = {
        "hard-negatives": ("retrieval", effect.negatives),
        "distract-nli": ("inference", effect.inference),
        "distract-qa": ("reading", effect.reading),
    }
    for name in PERTURBATIONS.names():
        if name in _OTHERS:
            continue
        try:
            measure, run = special.get(name, ("retrieval", lambda name=name: effect.retrieval(name)))  # type: ignore[misc]
            yield name, measure, *run()
        except Exception as error:
            print(f"{name}: {error}", file=sys.stderr)


def by_checkpoint(checkpoint: Path, task: str, split: str, spec: str, data: Path) -> tuple[Scores, Scores]:
    """Clean and perturbed score in each language, in points of 1."""
    languages = ",".join(code for code in LANGUAGES if code in TASKS[task].languages)
    call = ["evaluate", checkpoint, "--task", task, "--languages", languages, "--split", split, "--limit", 200]
    call += ["--perturb", spec, "--data", data, "--json", "--quiet"]
    program = "from crosswind.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, *map(str, call)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    scores: dict[str, dict[bool, float]] = {}
    metric = TASKS[task].metrics[0]
    for row in json.loads(done.stdout):
        if (row["metric"], row["key"]) == (metric, METRICS[metric].headline):
            scores.setdefault(row["language"], {})[row["perturbation"] != "clean"] = row["score"] / 100
    if not scores:
        raise SystemExit(f"{task} has no {metric}")
    both = [pair for pair in scores.values() if len(pair) == 2]
    return np.array([pair[False] for pair in both]), np.array([pair[True] for pair in both])


def row_of(name: str, measure: str, clean: Scores, noisy: Scores) -> str:
    """A row of the table."""
    if not len(clean):
        return f"| {name} | {measure} | 0 | | | | applies to none of the languages |"
    gaps = 100 * (noisy - clean)
    rng = np.random.default_rng(1)
    means = gaps[rng.integers(0, len(gaps), (2000, len(gaps)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    verdict = "yes" if low > 0 or high < 0 else "no"
    numbers = f"{100 * clean.mean():.1f} | {100 * noisy.mean():.1f} | {gaps.mean():+.1f} ({low:+.1f} to {high:+.1f})"
    return f"| {name} | {measure} | {len(gaps)} | {numbers} | {verdict} |"


def onto_page(page: str, table: str) -> str:
    """The page with another table of effects: the lines from its head to the first that is none of it."""
    before, head, rest = page.partition(_HEAD)
    if not head:
        raise SystemExit(f"{_PAGE.name} has no table of effects")
    kept = itertools.dropwhile(lambda line: line.startswith("|"), rest.splitlines(keepends=True))
    return before + table + "".join(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("phrases", nargs="?")
    parser.add_argument("--tagger", type=Path, help="checkpoint tuned on PAN-X, for entity-swap")
    parser.add_argument("--inference", type=Path, help="checkpoint tuned for XNLI, for translated-phrase")
    parser.add_argument("--page", action="store_true", help="write the table into docs/perturbations.md")
    given = parser.parse_args()
    lines_of: list[str] = []
    print(_HEAD, end="")

    def show(line: str) -> None:
        print(line, flush=True)
        lines_of.append(line)

    for name, measure, clean, noisy in rows(Effect(given.model, given.data, given.phrases)):
        show(row_of(name, measure, clean, noisy))
    others = dict(_OTHERS)
    tuned = {
        "entity-swap": (given.tagger, "panx", "dev", "entity-swap:0.3"),
        "translated-phrase": (
            given.inference, "xnli", "test", f'translated-phrase(embed=fr,model="{given.model}"):0.3'
        ),
    }  # fmt: skip
    for name, (checkpoint, task, split, spec) in tuned.items():
        if checkpoint is not None:
            del others[name]
            show(row_of(name, f"{task}, tuned; languages", *by_checkpoint(checkpoint, task, split, spec, given.data)))
    for name, verdict in others.items():
        show(f"| {name} | | | | | | {verdict} |")
    if given.page:
        table = _HEAD + "".join(f"{line}\n" for line in lines_of)
        _PAGE.write_text(onto_page(_PAGE.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()
