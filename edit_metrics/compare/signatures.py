"""Two score tables may be compared only when their scores mean the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edit_metrics.errors import SignatureError
from edit_metrics.scores.columns import DimensionColumns
from edit_metrics.scores.signatures import Signature, differences
from edit_metrics.scores.table import ScoreTable


def check_signatures(runs: Sequence[ScoreTable]) -> tuple[str, ...]:
    """Compare every run with the first.

    Returns:
        A warning when some run carries no signature.

    Raises:
        SignatureError: a dimension that both scored was scored with different definitions; the message names the
            dimension and the settings that differ.
    """
    unsigned = [run.name for run in runs if not signatures(run)]
    for run in runs[1:]:
        ours, theirs = signatures(runs[0]), signatures(run)
        shared = [name for name in ours if name in theirs and (_has_scores(runs[0], name) or _has_scores(run, name))]
        differing = [name for name in shared if ours[name].sha256 != theirs[name].sha256]
        if differing:
            raise _mismatch(runs[0], run, differing)
    if not unsigned:
        return ()
    return (f"unsigned, so nothing shows that the scores mean the same: {', '.join(unsigned)} (no run.json)",)


def signatures(run: ScoreTable) -> Mapping[str, Signature]:
    """Of each dimension's definitions; empty for an unsigned table."""
    return {} if run.info is None else run.info.score_signature


def _has_scores(run: ScoreTable, dimension: str) -> bool:
    column = DimensionColumns(dimension).score
    return column in run.frame.columns and bool(run.frame[column].notna().any())


def _mismatch(first: ScoreTable, other: ScoreTable, dimensions: Sequence[str]) -> SignatureError:
    ours, theirs = signatures(first), signatures(other)
    hashes = "; ".join(f"{name} {ours[name].short} against {theirs[name].short}" for name in dimensions)
    settings = differences([ours[name] for name in dimensions], [theirs[name] for name in dimensions])
    what = f". What differs: {settings}" if settings else ""
    return SignatureError(
        f"scores made with the same definitions as {first.name}",
        f"different ones in {other.name} for {', '.join(dimensions)} ({hashes}){what}",
        f"{first.path} and {other.path}",
        "Score both with the same profile, config and program version.",
    )
