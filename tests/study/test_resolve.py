"""From a study as written to phases and targets with nothing left open."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from crosswind.errors import UserError
from crosswind.study.preset import presets
from crosswind.study.resolve import lacking_languages, only_in_files, routes, targets
from crosswind.study.spec import Study, parse_study
from crosswind.tasks.base import TASKS
from crosswind.train.settings import Training

STUDY = """
name: small
encoder: owner/name
data: {source: files, root: /data}
routes:
  none: []
  english: [{tasks: [mnli], training: {max_length: 96}}]
targets:
  tasks: {xnli: {languages: [en, de]}}
"""

STUDIES = Path(__file__).resolve().parents[2] / "studies"


def study(*overrides: str) -> Study:
    return parse_study(STUDY, list(overrides))


def resolved(found: Study) -> None:
    routes(found)
    targets(found)


def refused(*overrides: str) -> UserError:
    found = study(*overrides)
    with pytest.raises(UserError) as caught:
        resolved(found)
    return caught.value


def test_without_settings_a_target_is_trained_like_xtreme_for_one_epoch_on_its_english_task() -> None:
    (xnli,) = targets(study())
    assert [(d.task, d.language, d.split) for d in xnli.data] == [("xnli", "en", "test"), ("xnli", "de", "test")]
    (phase,) = xnli.chain
    assert [(d.task, d.language, d.split) for d in phase.heads[0].data] == [("mnli", "en", "train")]
    trained = phase.effective()
    assert trained == Training(batch_size=32, learning_rate=2e-5, epsilon=1e-8, clip=1.0, max_length=128)
    assert xnli.max_length == 128
    assert phase.budget.epochs == 1


def test_the_last_one_that_sets_a_training_key_wins() -> None:
    # preset phang2020: 1e-5 for all; xtreme-r: 3e-5 for xquad
    base = ("targets.preset=xtreme-r", "targets.tasks={xquad: {}, xnli: {}}")
    xquad, xnli = targets(study(*base))
    assert (xquad.training.learning_rate, xnli.training.learning_rate) == (3e-5, 2e-5)
    assert (xquad.training.max_length, xnli.training.max_length) == (384, 128)
    # The study's own settings, then the target's, then the phase's.
    xquad, xnli = targets(study(*base, "training.learning_rate=1.0e-4"))
    assert (xquad.training.learning_rate, xnli.training.learning_rate) == (1e-4, 1e-4)
    assert xquad.training.warmup == 500
    target = "targets.tasks.xquad.training.learning_rate=5.0e-4"
    xquad, xnli = targets(study(*base, "training.learning_rate=1.0e-4", target))
    assert (xquad.training.learning_rate, xnli.training.learning_rate) == (5e-4, 1e-4)
    train = "targets.tasks.xquad.train={tasks: [squad], training: {learning_rate: 6.0e-4}}"
    xquad, _ = targets(study(*base, "training.learning_rate=1.0e-4", target, train))
    assert xquad.chain[0].training.learning_rate == 6e-4
    assert xquad.chain[0].training.weight_decay == 1e-4


def test_a_routes_phase_inherits_from_the_preset_and_the_study() -> None:
    assert routes(study())["english"][0].training == Training(max_length=96)
    found = routes(study("targets.preset=phang2020", "training.batch_size=8"))["english"][0].training
    assert (found.learning_rate, found.warmup, found.weight_decay) == (1e-5, 0.1, 0.01)
    assert (found.batch_size, found.max_length) == (8, 96)


def test_a_preset_gives_its_targets_and_a_study_chooses_among_them() -> None:
    everything = targets(study("targets={preset: xtreme}"))
    names = "xnli pawsx udpos panx xquad mlqa tydiqa tatoeba bucc2018"
    assert [t.task.name for t in everything] == names.split()
    some = targets(study("targets={preset: xtreme, tasks: {tydiqa: null, xnli: {languages: [sw]}}}"))
    assert [t.task.name for t in some] == ["tydiqa", "xnli"]
    assert {d.split for d in some[0].data} == {"dev"}
    assert [d.language for d in some[1].data] == ["sw"]
    limited = targets(study("targets={preset: xtreme, limit: 5, tasks: {xnli: {limit: 7}, panx: {}}}"))
    assert {d.limit for d in limited[0].data} == {7}
    assert {d.limit for d in limited[1].data} == {5}


def test_the_studys_languages_narrow_a_preset() -> None:
    found = targets(study("targets={preset: xtreme, languages: [ja, sw]}"))
    assert {t.task.name: [d.language for d in t.data] for t in found} == {
        "xnli": ["sw"],
        "pawsx": ["ja"],
        "udpos": ["ja"],
        "panx": ["ja", "sw"],
        "tydiqa": ["sw"],
        "tatoeba": ["ja", "sw"],
    }
    (xnli,) = targets(study("targets={preset: xtreme, languages: [ja], tasks: {xnli: {languages: [de]}}}"))
    assert [d.language for d in xnli.data] == ["de"]


# github.com/google-research/xtreme, evaluate.py at 838c13b: languages a task
OFFICIAL = {
    "xtreme": {
        "xnli": 15, "pawsx": 7, "panx": 40, "udpos": 33, "tatoeba": 36, "xquad": 11, "mlqa": 7, "tydiqa": 9,
        "bucc2018": 4,
    },
    "xtreme-r": {
        "xnli": 15, "xcopa": 11, "panx": 48, "udpos": 38, "tatoeba": 41, "lareqa": 11, "xquad": 12, "mlqa": 7,
        "tydiqa": 9, "mewslix": 11,
    },
}  # fmt: skip
OFFICIAL["phang2020"] = OFFICIAL["xtreme"]


@pytest.mark.parametrize("preset", sorted(OFFICIAL))
def test_presets_have_the_benchmarks_languages(preset: str) -> None:
    found = targets(study(f"targets={{preset: {preset}}}"))
    assert {t.task.name: len({d.language for d in t.data}) for t in found} == OFFICIAL[preset]
    assert presets()[preset]


# The table of training defaults and the paragraph on Phang et al. of the protocol specification, row by row: training
# data, length, learning rate (of base-size models), epochs of each phase, evaluated every so many steps (None: the last
# checkpoint), batch, warm-up, weight decay.
XTREME_ROWS = {
    "xnli": (["mnli"], 128, 2e-5, [5], 100, 32, 0, 0),
    "pawsx": (["pawsx"], 128, 2e-5, [5], 200, 32, 0, 0),
    "udpos": (["udpos"], 128, 2e-5, [10], 500, 32, 0, 0),
    "panx": (["panx"], 128, 2e-5, [10], 1000, 32, 0, 0),
    "xcopa": (["siqa", "copa"], 128, 2e-5, [5, 5], None, 32, 0, 0),
    "xquad": (["squad"], 384, 3e-5, [3], None, 32, 500, 1e-4),
    "mlqa": (["squad"], 384, 3e-5, [3], None, 32, 500, 1e-4),
    "tydiqa": (["tydiqa"], 384, 3e-5, [3], None, 32, 500, 1e-4),
    "lareqa": (["squad-retrieval"], 256, 2e-5, [3], 1000, 16, 0, 0),
    "mewslix": (["mewslix-pairs"], 64, 2e-5, [2], None, 256, 0, 0),
}  # fmt: skip
PHANG_ROWS = {
    "xnli": (["mnli"], 256, 1e-5, [2], 1000, 32, 0.1, 0.01),
    "pawsx": (["pawsx"], 256, 1e-5, [5], 1000, 32, 0.1, 0.01),
    "udpos": (["udpos"], 256, 1e-5, [10], 1000, 32, 0.1, 0.01),
    "panx": (["panx"], 256, 1e-5, [10], 1000, 32, 0.1, 0.01),
    "xquad": (["squad"], 384, 1e-5, [2], 1000, 16, 0.1, 0.01),
    "mlqa": (["squad"], 384, 1e-5, [2], 1000, 16, 0.1, 0.01),
    "tydiqa": (["tydiqa"], 384, 1e-5, [2], 1000, 16, 0.1, 0.01),
}  # fmt: skip
ROWS = {
    **{("xtreme", task): row for task, row in XTREME_ROWS.items() if task not in ("xcopa", "lareqa", "mewslix")},
    **{("xtreme-r", task): row for task, row in XTREME_ROWS.items() if task != "pawsx"},
    **{("phang2020", task): row for task, row in PHANG_ROWS.items()},
}


@pytest.mark.parametrize("preset", ["xtreme", "xtreme-r", "phang2020"])
def test_presets_have_the_hyper_parameters_of_the_protocols_table(preset: str) -> None:
    for target in targets(study(f"targets={{preset: {preset}}}")):
        assert target.protocol == preset
        if target.task.name in ("tatoeba", "bucc2018"):
            assert target.pooling is not None
            assert target.pooling.mode == "mean"
            continue
        last = target.chain[-1].effective()
        asked = (
            [head.name for phase in target.chain for head in phase.heads],
            last.max_length,
            last.learning_rate,
            [phase.budget.epochs for phase in target.chain],
            last.evaluate_every if target.chain[-1].select else None,
            last.batch_size,
            last.warmup,
            last.weight_decay,
        )
        assert asked == ROWS[preset, target.task.name], target.task.name
        assert (last.epsilon, last.clip, last.decay) == (1e-8, 1.0, "linear")
        assert last.patience == (30 if preset == "phang2020" else None)
        assert target.stride == (128 if target.task.kind == "span" else None)
        selected = target.chain[-1].select
        assert {ref.limit or (ref.rows and 500) for ref in selected} == (
            {500} if preset == "phang2020" else {None}
        ) or (target.task.name == "lareqa" or not selected)
    untuned = {"tatoeba"} | ({"bucc2018"} if preset != "xtreme-r" else set())
    assert {task for p, task in ROWS if p == preset} | untuned == set(OFFICIAL[preset])


def test_lareqas_questions_have_96_tokens_and_its_passages_256() -> None:
    (lareqa,) = targets(study("targets={preset: xtreme-r, tasks: {lareqa: {}}}"))
    trained = lareqa.chain[0].effective()
    assert (trained.query_length, trained.max_length) == (96, 256)


def test_a_protocol_says_what_a_study_changes_of_it() -> None:
    def protocol(*overrides: str) -> str:
        return targets(study("targets={preset: xtreme, tasks: {xnli: {}}}", *overrides))[0].protocol

    assert protocol() == "xtreme"
    assert protocol("targets.languages=[de, sw]", "training={precision: bf16, micro_tokens: 1024}") == "xtreme"
    assert protocol("training.learning_rate=3.0e-5") == "xtreme but learning_rate"
    assert protocol("targets.limit=100", "targets.tasks.xnli.training.batch_size=8") == "xtreme but limit, batch_size"
    train = "targets.tasks.xnli.train={tasks: [{name: mnli, rows: 0-99}], budget: {epochs: 2}}"
    assert protocol(train) == "xtreme but tasks, budget, select"
    assert targets(study("targets={tasks: {xnli: {}}}"))[0].protocol == ""


def test_no_preset_trains_or_selects_on_the_rows_that_it_evaluates() -> None:
    for preset in OFFICIAL:
        plans = targets(study(f"targets={{preset: {preset}}}"))
        evaluated = {(d.task, d.language, d.split) for t in plans for d in t.data}
        learned = {
            (d.task, d.language, d.split)
            for t in plans
            for p in t.chain
            for d in [*(d for h in p.heads for d in h.data), *p.select]
        }
        assert not evaluated & learned
        # XQuAD and LAReQA translate SQuAD's development set.
        assert not {s for s in learned if s[0].startswith("squad") and s[2] == "dev"}


def test_retrieval_may_be_trained_on_question_answering() -> None:
    (tatoeba,) = targets(study("targets={preset: xtreme-r, tasks: {tatoeba: {}}}"))
    assert tatoeba.chain[0].heads[0].kind == "span"
    (untuned,) = targets(study("targets={preset: xtreme-r, tasks: {tatoeba: {train: []}}}"))
    assert untuned.chain == ()


def test_anli_plus_is_three_data_sets_under_one_head() -> None:
    phase = routes(study("routes.english.0.tasks=[anli+, mnli]"))["english"][0]
    assert [h.name for h in phase.heads] == ["anli+", "mnli"]
    assert [d.task for d in phase.heads[0].data] == ["snli", "mnli", "anli"]


def test_the_same_task_in_several_languages_has_one_head() -> None:
    tasks = "[{name: xnli, languages: [en], rows: 0-9}, {name: xnli, languages: [de, ru], rows: 10-19}]"
    (head,) = routes(study(f"routes.english.0.tasks={tasks}"))["english"][0].heads
    assert [(d.language, d.rows) for d in head.data] == [("en", "0-9"), ("de", "10-19"), ("ru", "10-19")]


ROUTE, XNLI = "routes.english.0", "targets.tasks.xnli"


@pytest.mark.parametrize(
    ("override", "where", "what", "hint"),
    [
        ("targets.tasks={xnIi: {}}", "targets.tasks.xnIi", "unknown task 'xnIi'", "'xnli'"),
        (f"{XNLI}.languages=[dee]", f"{XNLI}.languages", "unknown language 'dee'", "'de'"),
        (f"{XNLI}.split=tset", f"{XNLI}.split", "unknown split of xnli 'tset'", "'test'"),
        ("targets.preset=xtrem", "targets.preset", "unknown preset 'xtrem'", "'xtreme'"),
        ("targets={}", "targets", "no target is named", "preset"),
        ("targets={preset: xtreme, languages: [dee]}", "targets.languages", "unknown language 'dee'", "'de'"),
        (
            "targets={tasks: {xnli: {}, pawsx: {}}, languages: [ja]}",
            f"{XNLI}.languages",
            "xnli has none of the languages ja",
            "it has ar, bg",
        ),
        (f"{ROUTE}.tasks=[mnly]", "routes.english[0].tasks[0]", "unknown task 'mnly'", "'mnli'"),
        (f"{ROUTE}.tasks=[{{name: mnli, languages: de}}]", "routes.english[0].tasks[0].languages", "'de'", "en"),
        (f"{ROUTE}.tasks=[{{name: mnli, split: test}}]", "routes.english[0].tasks[0].split", "'test'", "train"),
        (f"{ROUTE}.mlm={{corpora: [ntrx]}}", "routes.english[0].mlm.corpora[0]", "unknown corpus 'ntrx'", "'ntrex'"),
        (f"{ROUTE}.mlm={{languages: [xx]}}", "routes.english[0].mlm.languages", "unknown language 'xx'", ""),
        (f"{ROUTE}.select={{name: squad, split: dev}}", "routes.english[0].select", "squad cannot judge", "same kind"),
        (f"{ROUTE}.select={{name: qqp, split: dev}}", "routes.english[0].select", "qqp cannot judge", "same labels"),
        (f"{XNLI}.train={{tasks: [squad]}}", f"{XNLI}.train[0].tasks", "squad (span) cannot train xnli", "kind"),
        (f"{XNLI}.train={{tasks: [qqp]}}", f"{XNLI}.train[0].tasks", "qqp (pair with 2 labels) cannot", "labels"),
        (f"{XNLI}.train={{tasks: [mnli, snli]}}", f"{XNLI}.train[0]", "a target phase trains one task", "route"),
        (f"{XNLI}.train=[]", f"{XNLI}.train", "xnli needs a head", "mnli"),
        (f"{XNLI}.average=3", f"{XNLI}.average", "the phase has one, its end", "evaluate_every"),
        (f"{XNLI}={{train: [], average: 3}}", f"{XNLI}.train", "xnli needs a head", ""),
        (
            "targets={tasks: {tatoeba: {train: [], average: 2}}}",
            "targets.tasks.tatoeba.average",
            "nothing is trained",
            "",
        ),
        (f"{XNLI}.oracle={{name: panx, split: dev, languages: de}}", f"{XNLI}.oracle", "panx cannot judge", ""),
    ],
)
def test_what_does_not_exist_or_fit_is_named_with_its_place(override: str, where: str, what: str, hint: str) -> None:
    error = refused(override)
    assert error.where == where
    assert what in error.what
    assert hint in (error.hint or "")


def test_choice_tasks_train_each_other_whatever_their_number_of_choices() -> None:
    train = "[{tasks: [siqa]}, {tasks: [copa], select: {name: e-care, split: dev}}]"
    (xcopa,) = targets(study(f"targets.tasks={{xcopa: {{train: {train}}}}}"))
    assert xcopa.chain[0].heads[0].fits(TASKS["copa"])
    assert [p.heads[0].name for p in xcopa.chain] == ["siqa", "copa"]


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_study_that_comes_with_crosswind_resolves(path: Path) -> None:
    found = parse_study(path.read_text(encoding="utf-8"), name=path.name)
    assert routes(found)
    assert targets(found)


def test_settings_that_no_head_reads_do_not_change_a_steps_identity() -> None:
    of = "targets.tasks={mw-pos: {}, mw-sentences: {train: [{tasks: mw-answers}]}, mw-nli: {}}"
    plain = study("data={source: microworld}", of)
    pooled = study("data={source: microworld}", of, "training={classifier_pooling: mean, batch_by: clusters}")
    found = [[asdict(t.chain[0].params(seed=1).training) for t in targets(s)] for s in (plain, pooled)]
    pos, sentences, nli = ([(k, a[k], b[k]) for k in a if a[k] != b[k]] for a, b in zip(*found, strict=True))
    assert pos == [("batch_by", "examples", "clusters")]
    assert sentences == []
    assert [k for k, *_ in nli] == ["batch_by", "classifier_pooling"]


def test_phases_that_share_no_head_may_pool_otherwise() -> None:
    chain = "[{tasks: mw-reading, training: {classifier_pooling: max}}, {tasks: mw-nli}]"
    resolved(study("data={source: microworld}", f"targets.tasks={{mw-nli: {{train: {chain}}}}}"))


def test_lengths_and_windows_are_the_official_scripts_where_a_study_says_nothing() -> None:
    tasks = "targets.tasks={xnli: {}, xcopa: {}, udpos: {}, xquad: {}, tatoeba: {train: []}}"
    plans = targets(study(tasks, "targets.languages=null"))
    assert [(p.task.name, p.max_length, p.stride) for p in plans] == [
        ("xnli", 128, None),
        ("xcopa", 128, None),
        ("udpos", 128, None),
        ("xquad", 384, 128),
        ("tatoeba", 512, None),
    ]
    (xquad,) = targets(study("targets.tasks={xquad: {}}", "targets.languages=null"))
    trained = xquad.chain[-1].effective()
    assert (trained.max_length, trained.stride) == (384, 128)
    (short,) = targets(study("targets.tasks={xquad: {training: {max_length: 192}}}", "targets.languages=null"))
    assert (short.max_length, short.stride) == (192, 64)


def test_windows_that_would_not_get_on_are_refused() -> None:
    with pytest.raises(UserError, match=r"(?s)windows of 192 tokens, .* cannot share 128.*share at most 123"):
        targets(study("targets.tasks={xquad: {training: {max_length: 192, stride: 128}}}", "targets.languages=null"))


def test_labels_name_the_classes_of_fine_tuned_checkpoints_only() -> None:
    named = "{labels: [contradiction, neutral, entailment]}"
    (xnli,) = targets(study("fine_tuned=true", f"targets.tasks={{xnli: {named}}}"))
    assert xnli.labels == ("contradiction", "neutral", "entailment")
    with pytest.raises(UserError, match="this target trains its own head"):
        targets(study(f"targets.tasks={{xnli: {named}}}"))
    with pytest.raises(UserError, match="xquad is a span task, whose head has no classes to name"):
        targets(study("fine_tuned=true", f"targets.tasks={{xquad: {named}}}", "targets.languages=null"))


def test_a_preset_on_the_hub_alone_leaves_out_what_only_official_files_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSWIND_DATA", raising=False)
    preset = ("targets.preset=xtreme-r", "targets.tasks=null", "targets.languages=null", "data={source: hub}")
    absent = {"lareqa": ("lareqa",), "mewslix": ("mewslix", "mewslix-pairs")}
    assert only_in_files(study(*preset)) == absent
    assert only_in_files(study("targets.preset=xtreme", *preset[1:])) == {"bucc2018": ("bucc2018",)}
    names = [plan.task.name for plan in targets(study(*preset))]
    assert names == ["xnli", "xcopa", "udpos", "panx", "xquad", "mlqa", "tydiqa", "tatoeba"]
    # Official files beside the hub, of all or of one task, or the study's own word for a target.
    assert only_in_files(study(*preset, "data={source: hub, root: /data}")) == {}
    tasks = "{lareqa: {source: files, root: /data}}"
    assert [*only_in_files(study(*preset, f"data={{source: hub, tasks: {tasks}}}"))] == ["mewslix"]
    assert only_in_files(study("targets.preset=xtreme-r", "targets.tasks={lareqa: {}}", *preset[2:])) == {}
    monkeypatch.setenv("CROSSWIND_DATA", "/data")
    assert only_in_files(study(*preset)) == {}


def test_languages_that_the_repository_on_the_hub_lacks_are_known_unless_the_target_names_some() -> None:
    """google/xtreme has XTREME's 33 languages of UD-POS and not the five that XTREME-R adds."""
    preset, hub, udpos = "targets.preset=xtreme-r", "data={source: hub}", TASKS["udpos"]
    assert lacking_languages(study(preset, hub, "targets.tasks={udpos: {}}"), udpos) == ("lt", "pl", "ro", "uk", "wo")
    files = study(preset, "targets.tasks={udpos: {}}", "data={source: files, root: /data}")
    assert lacking_languages(files, udpos) == ()
    assert lacking_languages(study(preset, hub, "targets.tasks={udpos: {languages: [en, lt]}}"), udpos) == ()
    assert lacking_languages(study(preset, hub), TASKS["xnli"]) == ()
