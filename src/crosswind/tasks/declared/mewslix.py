"""Mewsli-X: which of a million entities a mention in an article is; descriptions are in 50 languages.

The text of a query is the mention in its sentence, marked, as in XTREME-R's script (`model.rows.query_text`). With
one right candidate each, `map@20` is the reciprocal rank at 20.
"""

from __future__ import annotations

from pathlib import Path

from crosswind.data.examples import Candidate, Pool, QueryExample
from crosswind.data.files import Files
from crosswind.data.mewslix import entity_candidate, entity_pool, json_objects, mention_example, mentions
from crosswind.data.source import Content, FileLayout
from crosswind.errors import UserError
from crosswind.tasks.base import Task

_LANGUAGES = ("ar", "de", "en", "es", "fa", "ja", "pl", "ro", "ta", "tr", "uk")
_ENTITIES = 1_003_893  # of the release of May 2022 (mewsli-x.md)
_LENGTH = 64  # tokens of a mention and of a description (XTREME-R: train_mewslix.sh, --max_seq_length 64)
_ORIGIN = (
    "the release is https://storage.googleapis.com/gresearch/mewsli/mewsli-x_20220518_6.zip; its get-mewsli-x.sh "
    "(google-research/google-research, dense_representations_for_entity_retrieval/mel) fills in the articles; "
    "Apache 2.0, texts CC BY-SA and CC BY (Wikipedia, WikiNews)"
)
# Mentions of the release, dev and test (mewsli-x.md, "Statistics").
_DEV = dict(zip(_LANGUAGES, (318, 326, 316, 311, 72, 310, 304, 145, 312, 262, 315), strict=True))
_TEST = dict(zip(_LANGUAGES, (1501, 1551, 1490, 1552, 458, 1519, 1562, 672, 1567, 1215, 1537), strict=True))


def _find(files: Files, name: str, what: str) -> Path:
    folders = ("mewslix", "mewsli-x", "mewsli_x/output/dataset")
    return files.find(*(f"{folder}/{name}" for folder in folders), what=what, origin=_ORIGIN)


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    what = f"mewslix {split}"
    entities = _find(files, "candidate_set_entities.jsonl", f"{what} (candidates)")
    return _find(files, f"wikinews_mentions-{split}.jsonl", what), entities


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    queries = tuple(mentions(paths[0], f"mewslix/{split}", language))
    pool = entity_pool(paths[1])
    notes: tuple[str, ...] = ()
    if len(pool) != _ENTITIES:
        notes = (f"the pool has {len(pool):,} entities, that of the release {_ENTITIES:,}: ranks are not comparable",)
    return Content(queries, pool, notes=notes)


def _locate_pairs(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (_find(files, f"wikipedia_pairs-{split}.jsonl", f"mewslix-pairs {split}"),)


def _read_pairs(paths: tuple[Path, ...], language: str, split: str) -> Content:
    """Pairs of a mention and its entity; the pool holds the entities of the split, each once."""
    queries: list[QueryExample] = []
    candidates: dict[str, Candidate] = {}
    for line in json_objects(paths[0]):
        pair = line.under("contextual_mention")
        query = mention_example(pair.under("context"), pair.under("mention"), f"mewslix-pairs/{split}")
        entity = entity_candidate(line.under("entity"))
        if query.gold != (entity.id,):
            what = f"the mention is of {query.gold[0]}, and the entity beside it is {entity.id}"
            raise UserError(what, where=line.where, hint="fetch the file again")
        queries.append(query)
        candidates.setdefault(entity.id, entity)
    return Content(tuple(queries), Pool(tuple(candidates.values())))


MEWSLIX = Task(
    name="mewslix",
    kind="query",
    summary="mentions of entities in news look for their descriptions among a million",
    group="entity-linking",
    related=("answer-retrieval",),
    languages=_LANGUAGES,
    splits=("dev", "test"),
    files=FileLayout(_locate, _read),
    hub=None,  # no copy there that is the release's own
    metrics=("map@20",),
    submission="links",
    perturbed=("context",),
    counts={
        **{(language, "dev"): n for language, n in _DEV.items()},
        **{(language, "test"): n for language, n in _TEST.items()},
    },
    release="Mewsli-X of May 2022",
    max_length=_LENGTH,
    query_length=_LENGTH,
    shared_pool=True,
    trains_on="mewslix-pairs",
    licence="Apache 2.0; texts CC BY-SA 3.0 (Wikipedia) and CC BY 2.5 (WikiNews)",
    citation="Ruder et al. 2021, XTREME-R: Towards More Challenging and Nuanced Multilingual Evaluation",
)
MEWSLIX_PAIRS = Task(
    name="mewslix-pairs",
    kind="query",
    summary="English mentions in Wikipedia and the entities that they are of: what mewslix is trained on",
    group="entity-linking",
    related=("answer-retrieval",),
    languages=("en",),
    splits=("train", "dev"),
    files=FileLayout(_locate_pairs, _read_pairs),
    hub=None,
    metrics=("map@20",),
    perturbed=("context",),
    counts={("en", "train"): 167_719, ("en", "dev"): 14_051},
    release="Mewsli-X of May 2022",
    max_length=_LENGTH,
    query_length=_LENGTH,
    trains_on="mewslix-pairs",
    licence=MEWSLIX.licence,
    citation=MEWSLIX.citation,
)
