"""A run, judged: what will be asked, the asking, and the run's folder with the answers in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from edit_metrics.backends.chat_judge import ChatJudge, ChatRequest
from edit_metrics.config import Config
from edit_metrics.errors import JudgeError, TableError
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.judge.answers import JudgeAnswer, parse_answer
from edit_metrics.judge.asking import AskingProgress, Meter, ask_all
from edit_metrics.judge.batch import Imported, canary_name, export_requests, import_answers
from edit_metrics.judge.canaries import VERSION, CanaryReport, ask_canaries, canaries
from edit_metrics.judge.candidates import PicturePlace, read_candidates, read_edits
from edit_metrics.judge.joining import ItemAnswers, average, join_answers, with_judge, without_answers
from edit_metrics.judge.questions import JudgedEdit, Question, by_edit, make_questions, to_request
from edit_metrics.judge.selection import Selection, SelectionRule, select, select_listed
from edit_metrics.judge.store import AnswerStore
from edit_metrics.judge.template import JudgeTemplate
from edit_metrics.scores.cells import text
from edit_metrics.scores.judging import (
    INCLUSION_PROB,
    JUDGED_DIMENSIONS,
    SELECTED_BY,
    CanaryRecord,
    JudgeRecord,
    RuleRecord,
    SelectedBy,
    TemplateRecord,
    find_drift,
)
from edit_metrics.scores.run_info import RunInfo
from edit_metrics.scores.signatures import Signature
from edit_metrics.scores.table import ScoreTable, read_scores
from edit_metrics.types import Missing, unavailable

_RULES_VERSION = 1
"""Of how answers become pre-scores beyond what the sections of the config say; part of the signature."""


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """What will be asked of one run.

    Attributes:
        folder: the run's.
        table: as metrics alone score it.
        config: the run's profile with what a judge adds.
        edits: what is shown of the asked items, in the order of ``selection.asked``.
    """

    folder: Path
    info: RunInfo
    table: pa.Table
    config: Config
    rule: SelectionRule
    selection: Selection
    edits: tuple[JudgedEdit, ...]
    template: JudgeTemplate
    repeat: int

    def questions(self, judge: ChatJudge) -> list[Question]:
        """Every repetition of every item."""
        return make_questions(self.edits, self.template, judge.fingerprint, self.repeat)

    def request(self, question: Question) -> ChatRequest:
        """A question as it is sent."""
        return to_request(self.edits[question.edit], self.template, question.repetition)


def run_config(run: ScoreTable) -> Config:
    """The profile that a run was scored with.

    Raises:
        TableError: the table has none beside it.
    """
    if run.run_folder is None or run.info is None or run.info.config is None:
        raise TableError(
            "a run folder as `edit-metrics score` writes it",
            "a table without the run.json that says how it was scored",
            str(run.path),
            "Score its manifest first; a profile with few metrics takes seconds.",
        )
    return run.info.resolved_config(str(run.path.parent / "run.json"))


def plan_judging(
    run: ScoreTable,
    rule: SelectionRule,
    template: JudgeTemplate,
    *,
    repeat: int = 1,
    root: str | None = None,
    allow_outside_root: bool = False,
    same_ids: frozenset[str] | None = None,
    listed: frozenset[str] | None = None,
    p_pass: Mapping[str, float] | None = None,
) -> JudgePlan:
    """Choose the items, find their pictures, and make sure that these are the ones that were scored.

    Args:
        run: a run folder's table.
        rule: which items.
        template: what is asked.
        repeat: answers of each item.
        root: what the table's paths start from; the recorded root by default.
        allow_outside_root: also read pictures that lie elsewhere.
        same_ids: with ``rule.same_as``; see :func:`asked_ids`.
        listed: with ``rule.listed``: ask about these, beside what was asked before.
        p_pass: item → calibrated probability that people pass it.

    Raises:
        TableError: no run folder; pictures that are absent or have changed.
    """
    config = with_judge(run_config(run))
    table = without_answers(pq.ParquetFile(run.path).read(), config)
    candidates = read_candidates(table, config, p_pass)
    if listed is None:
        selection = select(candidates, rule, same_ids)
    else:
        selection = select_listed(candidates, listed, *_asked_before(run))
    place = PicturePlace(root or run.pictures_root, allow_outside_root, config.decode.max_bytes)
    edits = tuple(read_edits(table, selection.asked, place))
    info = run.info or RunInfo()
    return JudgePlan(run.path.parent, info, table, config, rule, selection, edits, template, repeat)


def _asked_before(run: ScoreTable) -> tuple[dict[str, SelectedBy], float | None]:
    """Item → why its judge was asked, and the random slice's probability."""
    frame = run.frame
    if SELECTED_BY not in frame.columns:
        return {}, None
    by = {str(name): SelectedBy(one) for name, one in zip(frame["id"], frame[SELECTED_BY], strict=True) if text(one)}
    drawn = frame[INCLUSION_PROB][frame[SELECTED_BY] == SelectedBy.RANDOM]
    return by, float(drawn.iloc[0]) if len(drawn) else None


def asked_ids(run: str | Path) -> frozenset[str]:
    """Items that another run's judge was asked about, or would have been had they not been settled.

    Raises:
        TableError: no run, or one that was not judged.
    """
    other = read_scores(run)
    if SELECTED_BY not in other.frame.columns:
        raise TableError("a run that was judged", "one that was not", str(other.path), "Judge it first.")
    return frozenset(other.frame["id"][other.frame[SELECTED_BY].notna()])


@dataclass(frozen=True, slots=True)
class Judged:
    """Answers, before they are written.

    Attributes:
        answers: row → answers, or why there are none.
        stopped: interrupted: the rest is not asked yet.
        meter: what this call spent; None when nothing was asked.
    """

    answers: Mapping[int, ItemAnswers | Missing]
    record: JudgeRecord
    stopped: bool = False
    meter: Meter | None = None


@dataclass(frozen=True, slots=True)
class Greeting:
    """Who answers, by the canaries.

    Attributes:
        model: as the server names it, else as configured.
        drift: since the first answers that are kept of this judge, in words.
    """

    model: str
    report: CanaryReport
    drift: tuple[str, ...]


def greet(judge: ChatJudge, template: JudgeTemplate, store: AnswerStore) -> Greeting:
    """Ask the canaries: is anybody there, who, and does it still answer as it did?

    Raises:
        JudgeError: nobody, or nobody who can be understood.
    """
    asyncio.run(judge.find_model())
    report = ask_canaries(judge, template)
    if not report.answers:
        raise JudgeError(
            "answers to the canaries, eight questions about drawn pictures",
            f"none that can be read; the first: {report.problems[0]}",
            ", ".join(judge.urls),
            "See docs/judge.md; `edit-metrics doctor --judge` asks more.",
        )
    model = report.model or judge.model
    key = canonical_json_sha256([template.sha256, asdict(judge.fingerprint)])
    first = store.first_canaries(key, model, VERSION, report.answers)
    return Greeting(model, report, find_drift(first, report.answers).sentences)


def open_questions(plan: JudgePlan, judge: ChatJudge, store: AnswerStore, model: str) -> list[Question]:
    """Those without an answer of that model that can be read; equal questions once."""
    questions = plan.questions(judge)
    kept = _kept(questions, plan.template, store, model)
    return list({q.key: q for q in questions if q.key not in kept}.values())


def judge_run(
    plan: JudgePlan, judge: ChatJudge, store: AnswerStore, greeting: Greeting, progress: AskingProgress
) -> Judged:
    """Ask what is not answered yet.

    Raises:
        JudgeError: nothing can be asked like this.
        RunError: the servers have stopped answering; what was answered is kept.
    """
    asked = ask_all(
        judge,
        open_questions(plan, judge, store, greeting.model),
        plan.request,
        plan.template,
        store,
        model=greeting.model,
        progress=progress,
    )
    missing = {question.key: why for question, why in asked.missing.items()}
    report = greeting.report
    record = CanaryRecord(version=VERSION, answers=report.answers, doubts=report.doubts(), drift=greeting.drift)
    spent = {"calls": asked.meter.calls, "tokens_in": asked.meter.tokens_in, "tokens_out": asked.meter.tokens_out}
    answers, fingerprints = _answers(plan, judge, store, greeting.model, missing)
    return Judged(
        answers, _record(plan, judge, greeting.model, answers, fingerprints, record, spent), asked.stopped, asked.meter
    )


def export_run(plan: JudgePlan, judge: ChatJudge, store: AnswerStore, path: Path) -> list[Path]:
    """Write the open questions and the canaries as requests of a batch queue.

    Raises:
        JudgeError: no model is named: a batch has no server to ask.
    """
    if not judge.model:
        raise JudgeError("the name of the judge's model", "none", "--export", "Give --model NAME.")
    named = [(question.key, plan.request(question)) for question in open_questions(plan, judge, store, judge.model)]
    asked = [(canary_name(one.name), to_request(one.edit, plan.template, 1)) for one in canaries()]
    return export_requests(judge, [*asked, *named], path)


def import_run(plan: JudgePlan, judge: ChatJudge, store: AnswerStore, paths: Sequence[Path]) -> tuple[Judged, Imported]:
    """Take answers from a batch queue's files.

    Raises:
        TableError: none of them answers a question of this run.
    """
    found = import_answers(paths, plan.template, store)
    keys = [question.key for question in plan.questions(judge)]
    named = store.models(keys)
    model = max(found.models, key=lambda name: found.models[name], default=next(iter(named), ""))
    if model not in named:
        raise TableError(
            "answers to questions of this run",
            f"{found.kept} answers to others, {found.foreign} lines of another kind, {sum(found.problems.values())} "
            f"that cannot be read ({', '.join(found.problems) or 'none'})",
            ", ".join(map(str, paths)),
            "Import with the model, template, --set and selection of the export.",
        )
    record = CanaryRecord(version=VERSION, answers=found.canaries) if found.canaries else None
    answers, fingerprints = _answers(plan, judge, store, model, {})
    return Judged(answers, _record(plan, judge, model or judge.model, answers, fingerprints, record, {})), found


def write_judged(plan: JudgePlan, judge: ChatJudge, judged: Judged) -> None:
    """The run's table with the answers, and its ``run.json``, which names the judge.

    Raises:
        TableError: a metric of the profile is not in the table.
    """
    from edit_metrics.io.tables import write_csv, write_parquet
    from edit_metrics.scores.compact import NAME, compact_table

    table = join_answers(plan.table, plan.config, plan.selection, judged.answers)
    # The table that is read again comes last but one: a kill before it leaves a run that was not judged.
    write_csv(table, plan.folder / "scores.csv")
    write_csv(compact_table(table.to_pandas()), plan.folder / NAME)
    write_parquet(table, plan.folder / "scores.parquet")
    signatures = dict(plan.info.score_signature)
    for name in JUDGED_DIMENSIONS:
        if name in signatures:
            signatures[name] = _signature(plan, judge, judged.record, name)
    changed = {
        "config": plan.config.model_dump(mode="json"),
        "score_signature": signatures,
        "judge": judged.record,
    }
    data = plan.info.model_dump(exclude_unset=True) | changed
    RunInfo.model_validate(data).with_files(plan.folder).write(plan.folder)


def _signature(plan: JudgePlan, judge: ChatJudge, record: JudgeRecord, dimension: str) -> Signature:
    answered_by = {
        "model": record.model,
        "revision": record.model_revision,
        "preprocessing": judge.fingerprint.preprocessing,
        "template": record.template.model_dump(),
        "repetitions": record.repetitions,
        "rules": _RULES_VERSION,
    }
    parts = dict(plan.info.score_signature[dimension].parts)
    section = plan.config.dimension(dimension).model_dump(mode="json")
    return Signature.of(parts | {"section": section, "judge": answered_by})


def _kept(
    questions: Sequence[Question], template: JudgeTemplate, store: AnswerStore, model: str
) -> dict[str, tuple[JudgeAnswer, str]]:
    """Key → answer and the build that gave it, of the answers that can be read."""
    keys = dict.fromkeys(question.key for question in questions)
    found = {}
    for stored in store.get(keys, model):
        answer = parse_answer(stored.text, template)
        if isinstance(answer, JudgeAnswer):
            found[stored.key] = (answer, stored.fingerprint)
    return found


def _answers(
    plan: JudgePlan, judge: ChatJudge, store: AnswerStore, model: str, missing: Mapping[str, Missing]
) -> tuple[dict[int, ItemAnswers | Missing], dict[str, int]]:
    asked = plan.questions(judge)
    kept = _kept(asked, plan.template, store, model)
    builds: Counter[str] = Counter()
    answers: dict[int, ItemAnswers | Missing] = {}
    for edit, questions in by_edit(asked):
        given = [kept[question.key] for question in questions if question.key in kept]
        builds.update(build for _, build in given)
        row = plan.selection.asked[edit]
        if given:
            answers[row] = average([answer for answer, _ in given], model or judge.model)
        else:
            reasons = (missing[question.key] for question in questions if question.key in missing)
            answers[row] = next(reasons, unavailable("judge_not_asked"))
    return answers, dict(builds)


def _record(
    plan: JudgePlan,
    judge: ChatJudge,
    model: str,
    answers: Mapping[int, ItemAnswers | Missing],
    fingerprints: Mapping[str, int],
    canary: CanaryRecord | None,
    spent: Mapping[str, int],
) -> JudgeRecord:
    answered = sum(isinstance(one, ItemAnswers) for one in answers.values())
    counts = {"asked": len(answers), "answered": answered, "left_out": plan.selection.left_out}
    return JudgeRecord(
        model=model,
        model_revision=judge.fingerprint.weights["revision"],
        urls=judge.urls,
        fingerprints={build: n for build, n in fingerprints.items() if build},
        template=TemplateRecord(name=plan.template.name, sha256=plan.template.sha256),
        repetitions=plan.repeat,
        rule=RuleRecord(**asdict(plan.rule)),
        settled=plan.selection.settled,
        counts={**counts, **spent},
        canaries=canary,
    )
