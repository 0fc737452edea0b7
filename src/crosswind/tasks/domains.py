"""The domain of the text that tasks are made of, as their papers say: what two intermediate tasks may differ in besides
the task itself. Data of users' own, mixtures and generated data have none here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_DOMAINS: Mapping[str, str] = {
    "anli": "Wikipedia, news, fiction, speech, WikiHow",  # Nie et al. 2020, section 2.3 and table 2
    "bucc2018": "Wikipedia, news",  # Zweigenbaum et al. 2018, section 2
    "ccg": "news",  # Hockenmaier and Steedman 2007: the Wall Street Journal part of the Penn Treebank
    "commonsenseqa": "questions from ConceptNet",  # Talmor et al. 2019, section 3
    "copa": "everyday events, written for it",  # Roemmele et al. 2011
    "cosmosqa": "personal blogs",  # Huang et al. 2019, section 2.1
    "hellaswag": "video captions, WikiHow",  # Zellers et al. 2019, section 3
    "lareqa": "Wikipedia",  # Roy et al. 2020: XQuAD and MLQA
    "mewslix": "Wikinews",  # Ruder et al. 2021, appendix
    "mlqa": "Wikipedia",  # Lewis et al. 2020, section 3
    "mlqa-gxlt": "Wikipedia",
    "mnli": "ten genres of speech and writing",  # Williams et al. 2018, section 2
    "openbookqa": "elementary science",  # Mihaylov et al. 2018
    "panx": "Wikipedia",  # Pan et al. 2017
    "pawsx": "Wikipedia",  # Yang et al. 2019, section 2: PAWS-Wiki
    "piqa": "household instructions",  # Bisk et al. 2020, section 2
    "qqp": "Quora",  # Iyer et al. 2017
    "siqa": "social situations from ATOMIC",  # Sap et al. 2019, section 3
    "snli": "image captions",  # Bowman et al. 2015, section 2
    "squad": "Wikipedia",  # Rajpurkar et al. 2016, section 3
    "squad2": "Wikipedia",  # Rajpurkar et al. 2018, section 4
    "tatoeba": "sentences for learners",  # Artetxe and Schwenk 2019, section 4.3
    "tydiqa": "Wikipedia",  # Clark et al. 2020, section 3
    "udpos": "treebanks, mixed",  # Nivre et al. 2020
    "winogrande": "written for it",  # Sakaguchi et al. 2020, section 2
    "xcopa": "everyday events, written for it",  # Ponti et al. 2020: COPA
    "xnli": "ten genres of speech and writing",  # Conneau et al. 2018, section 3: as MultiNLI
    "xquad": "Wikipedia",  # Artetxe et al. 2020, section 4
}


def domains_of(tasks: Iterable[str]) -> str:
    """The domains of tasks, each once; empty where one of them is not known."""
    known = [_DOMAINS.get(task, "") for task in tasks]
    return "; ".join(sorted(set(known))) if all(known) else ""
