"""`validity.py`'s rows as one Markdown page, an earlier run's numbers beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from ordering import Estimate
from validity_table import Row

from edit_metrics.claims import supported_confidence, validated

Before = Mapping[str, Row]


def render(rows: Sequence[Row], before: Before, head: str) -> str:
    """The page."""
    parts = [head, *_order(rows, before), *_queue(rows, before), *_pairs(rows, before), *_alarms(rows, before)]
    return "\n".join([*parts, *_facts(rows), *_claims(rows, before)]) + "\n"


def _order(rows: Sequence[Row], before: Before) -> Iterator[str]:
    yield "\n## Order: does a better score mean a better edit?\n"
    yield (
        "ρ: Spearman with the rating. AUROC: chance that a bad edit scores below another. In brackets 95 % of "
        "resampled groups. *was* is the code before this round."
    )
    chosen = [row for row in rows if row.table == "order"]
    for (name, part), group in groupby(chosen, key=lambda row: (row.set, row.slice)):
        yield f"\n### {name}, {part}\n"
        yield "| against | score | scored; bad | ρ was | ρ | AUROC was | AUROC |\n|---|---|---|---|---|---|---|"
        for row in group:
            old = before.get(row.key)
            cells = [row.against, row.score, row.note]
            for statistic in ("rho", "auroc"):
                cells += [_short(old, statistic), _full(row.values.get(statistic))]
            yield "| " + " | ".join(cells) + " |"


def _queue(rows: Sequence[Row], before: Before) -> Iterator[str]:
    yield "\n## Queue: how many of the bad edits stand at its front?\n"
    yield "*less LPIPS*: of the first 40 %, less what highest LPIPS first finds there, with 95 % of resampled groups.\n"
    yield "| set | bad | order | first 20 % was | first 20 % | first 40 % was | first 40 % | less LPIPS |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        if row.table == "queue":
            old = before.get(row.key)
            cells = [f"{row.set}, {row.slice}", row.note, row.score]
            for share in ("20%", "40%"):
                cells += [_short(old, share), _full(row.values.get(share))]
            cells.append(_full(row.values.get("more")))
            yield "| " + " | ".join(cells) + " |"


def _pairs(rows: Sequence[Row], before: Before) -> Iterator[str]:
    yield "\n## Pairs: of two models' edits of one source, two points apart, which is better?\n"
    yield "| set | against | score | pairs scored | right was | right |\n|---|---|---|---|---|---|"
    for row in rows:
        if row.table == "pairs":
            old = before.get(row.key)
            cells = [row.set, row.against, row.score, row.note, _short(old, "right"), _full(row.values["right"])]
            yield "| " + " | ".join(cells) + " |"


def _alarms(rows: Sequence[Row], before: Before) -> Iterator[str]:
    yield "\n## Preservation below .7: false alarms and finds\n"
    yield "| set | mask | was | now |\n|---|---|---|---|"
    for row in rows:
        if row.table == "alarms":
            old = before.get(row.key)
            yield f"| {row.set} | {row.slice} | {old.note if old else '–'} | {row.note} |"


def _facts(rows: Sequence[Row]) -> Iterator[str]:
    yield "\n## Edits that are called no edit at all (`adherence.no_op`); all of these sets' are edits\n"
    yield "| set | called so |\n|---|---|"
    for row in rows:
        if row.table == "facts":
            yield f"| {row.set} | {row.note} |"


def _claims(rows: Sequence[Row], before: Before) -> Iterator[str]:
    yield "\n## Confidence: what is claimed, and what was found\n"
    yield (
        "C: share of pairs that scores of this kind put in the ratings' order; L: its lower 90 % bound over resampled "
        "groups; supported: max(0, 2·L − 1). Fewer than 30 items or 20 groups: unvalidated, .2 at most. Over several "
        "sets the lowest counts."
    )
    for title, chosen in (("Now", [row for row in rows if row.table == "claims"]), ("Before", _old_claims(before))):
        yield f"\n### {title}\n"
        yield (
            "| dimension | kind | set, against | items | groups | C | L | supported | claimed: mean (largest) |\n"
            "|---|---|---|---|---|---|---|---|---|"
        )
        for row in chosen:
            found = row.values["concordance"]
            cells = [row.score, row.slice, f"{row.set} {row.against}", str(found.n), str(found.groups)]
            cells += [_number(found.value), _number(found.lower_tenth), _support(found), row.note]
            yield "| " + " | ".join(cells) + " |"
    yield _scale(rows)


def _scale(rows: Sequence[Row]) -> str:
    """What one person reaches against the mean of the others."""
    found = [
        (row.against, row.values["concordance"])
        for row in rows
        if row.table == "order" and row.score == "one rater against the rest"
    ]
    listed = "; ".join(
        f"{name}: C {_number(one.value)}, L {_number(one.lower_tenth)}, {_number(supported(one))}"
        for name, one in found
    )
    return f"\nFor scale, one rater against the mean of the others: {listed}."


def _support(found: Estimate) -> str:
    return _number(supported(found)) if validated(found.n, found.groups) else "unvalidated, ≤ .20"


def supported(found: Estimate) -> float:
    """The confidence that one line of the table supports."""
    low = 0.5 if found.lower_tenth is None else found.lower_tenth
    return supported_confidence(low, found.n, found.groups)


def _old_claims(before: Before) -> list[Row]:
    return [row for row in before.values() if row.table == "claims"]


def _short(row: Row | None, statistic: str) -> str:
    found = row.values.get(statistic) if row is not None else None
    return _number(found.value) if found is not None else "–"


def _full(found: Estimate | None) -> str:
    if found is None or found.value is None:
        return "–"
    if found.low is None or found.high is None:
        return _number(found.value)
    return f"{_number(found.value)} [{_number(found.low)}, {_number(found.high)}]"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    text = f"{value:.2f}".replace("-", "−")
    return text.replace("0.", ".", 1) if abs(value) < 1 and text.lstrip("−") != "0.00" else text.replace("0.00", "0")
