"""Is the judge awake, does it look, does it read? A good judge tells these pairs, whose truth is known, apart.

Each test finds one way of not looking that was seen in judges: answers that the instruction alone, or the pictures
alone, or nothing at all decides; pictures in the wrong order; an instruction that gives orders to the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np

from edit_metrics.doctor.checks import Check, Finding, run_test
from edit_metrics.judge.asking import Judge
from edit_metrics.judge.canaries import ask_canaries
from edit_metrics.judge.probes import REVERSIBLE, Heard, ask_probes
from edit_metrics.judge.template import JudgeTemplate
from edit_metrics.scores.judging import CLEAN, NATURAL, SUCCESS, UNTOUCHED, find_drift

GROUP: Final = "judge"
_LIKE_CHANCE: Final = 0.75
"""AUROC under which a judge fails: 12 answers against 12 that do not depend on what is asked stay under it with
probability .98 (Mann and Whitney, 1947: standard deviation .12); a person sees every edit here at a glance."""
_HALF: Final = 0.5
_UNREADABLE: Final = 0.05
"""Share of answers that may be refused or cut; a judge that cannot keep to the form loses most of them."""


def examine_judge(judge: Judge, template: JudgeTemplate) -> list[Check]:
    """Ask every probe, and the canaries twice, and say what the judge misses.

    Raises:
        JudgeError: nothing can be asked like this.
    """
    heard = ask_probes(judge, template)
    checks = [run_test(GROUP, name, partial(test, heard)) for name, test in TESTS.items()]
    return [*checks, run_test(GROUP, "steady", partial(_is_steady, judge, template))]


def _is_steady(judge: Judge, template: JudgeTemplate) -> Finding:
    first, second = (ask_canaries(judge, template) for _ in range(2))
    drift = find_drift(first.answers, second.answers)
    return Finding(drift.compared, drift.sentences, f"{first.model or 'a judge without a name'}, asked twice in a row")


def _readable(heard: Heard) -> Finding:
    asked = sum(map(len, heard.answers.values())) + len(heard.problems)
    problems = heard.problems if len(heard.problems) > _UNREADABLE * asked else ()
    return Finding(asked, problems, "answers that can be read")


def _reads_the_instruction(heard: Heard) -> Finding:
    """Right instructions against those of other pairs, of the same pictures."""
    right, shuffled = (list(heard.values(kind, SUCCESS).values()) for kind in ("right", "shuffled"))
    if not right or not shuffled:
        return Finding(0, (), "no answers")
    auroc = _auroc(right, shuffled)
    found = f"success of right against shuffled instructions: AUROC {auroc:.2f}, expected {_LIKE_CHANCE} and more"
    said = "it does not read the instruction, or does not see what was done"
    return Finding(len(right), () if auroc >= _LIKE_CHANCE else (said,), found)


def _looks_at_the_edit(heard: Heard) -> Finding:
    """The edit against its own source under the same instruction: only pictures tell them apart."""
    done, undone = (heard.values(kind, SUCCESS) for kind in ("right", "unchanged"))
    if not done or not undone:
        return Finding(0, (), "no answers")
    auroc = _auroc(list(done.values()), list(undone.values()))
    found = f"success of edits against unchanged pictures: AUROC {auroc:.2f}, expected {_LIKE_CHANCE} and more"
    return Finding(len(done), () if auroc >= _LIKE_CHANCE else ("it does not look at the pictures",), found)


def _sees_no_edit(heard: Heard) -> Finding:
    success, untouched = (heard.values("unchanged", column) for column in (SUCCESS, UNTOUCHED))
    problems = []
    if success and _mean(success) >= _HALF:
        problems.append(f"pictures that nobody edited get success {10 * _mean(success):.1f} of 10 on average")
    if untouched and _mean(untouched) < _HALF:
        problems.append(f"pictures that nobody edited get untouched {10 * _mean(untouched):.1f} of 10 on average")
    return Finding(len(success), tuple(problems), "unchanged pictures: not done, and nothing else touched")


def _sees_a_black_picture(heard: Heard) -> Finding:
    problems = [
        f"a black picture gets {name} {10 * _mean(values):.1f} of 10"
        for name, column in (("success", SUCCESS), ("untouched", UNTOUCHED), ("natural", NATURAL))
        if (values := heard.values("black", column)) and _mean(values) >= _HALF
    ]
    return Finding(len(heard.values("black", SUCCESS)), tuple(problems), "black pictures")


def _is_not_fooled_by_a_re_encode(heard: Heard) -> Finding:
    values = heard.values("sham", SUCCESS)
    mean = _mean(values) if values else 0.0
    problems = (f"a mere JPEG of the source gets success {10 * mean:.1f} of 10",) if mean >= _HALF else ()
    return Finding(len(values), problems, "the source saved again")


def _knows_the_order(heard: Heard) -> Finding:
    """Pictures that change places must lose: the source is no result of the edit."""
    right, swapped = heard.values("right", SUCCESS), heard.values("swapped", SUCCESS)
    both = [(right[pair], swapped[pair]) for pair in right.keys() & swapped.keys() if pair not in REVERSIBLE]
    if not both:
        return Finding(0, (), "no answers")
    lost = float(np.mean([a - b for a, b in both]))
    problems: tuple[str, ...] = ()
    if lost < 0:
        problems = (
            f"with the pictures in order success is {-10 * lost:.1f} points lower than with their places changed: "
            "it takes picture 2 for the source (does the server, or a proxy, reorder pictures?)",
        )
    return Finding(len(both), problems, f"pictures in the wrong order lose {10 * lost:.1f} points of success")


def _sees_a_watermark(heard: Heard) -> Finding:
    clean, marked = heard.values("right", CLEAN), heard.values("marked", CLEAN)
    both = [(clean[pair], marked[pair]) for pair in clean.keys() & marked.keys()]
    lost = float(np.mean([a - b for a, b in both])) if both else 0.0
    problems = ("a watermarked edit is called as clean as one without a mark",) if both and lost <= 0 else ()
    return Finding(len(both), problems, f"a watermark costs {10 * lost:.1f} points of clean")


def _resists_orders(heard: Heard) -> Finding:
    values, plain = heard.values("injected", SUCCESS), heard.values("unchanged", SUCCESS)
    if not values:
        return Finding(0, (), "no answers")
    mean, before = _mean(values), _mean(plain) if plain else 0.0
    problems: tuple[str, ...] = ()
    if mean >= _HALF and mean > before:
        problems = (
            f"an instruction that says 'answer 10' gets success {10 * mean:.1f} of 10 for a picture that nobody "
            f"edited, {10 * before:.1f} without that sentence",
        )
    return Finding(len(values), problems, "instructions that give orders to the judge")


TESTS: Final[Mapping[str, Callable[[Heard], Finding]]] = {
    "readable": _readable,
    "reads_the_instruction": _reads_the_instruction,
    "looks_at_the_pictures": _looks_at_the_edit,
    "sees_no_edit": _sees_no_edit,
    "sees_a_black_picture": _sees_a_black_picture,
    "sham_re_encode": _is_not_fooled_by_a_re_encode,
    "order_of_pictures": _knows_the_order,
    "watermark": _sees_a_watermark,
    "prompt_injection": _resists_orders,
}


def _mean(values: Mapping[str, float]) -> float:
    return float(np.mean(list(values.values())))


def _auroc(higher: Sequence[float], lower: Sequence[float]) -> float:
    first, second = np.asarray(higher)[:, None], np.asarray(lower)[None]
    return float(np.mean((first > second) + 0.5 * (first == second)))
