"""Two score tables may be compared only when their scores mean the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from edit_metrics.compare.pairing import Run
from edit_metrics.errors import SignatureError

_SHOWN: Final = 8


def check_signatures(runs: Sequence[Run]) -> tuple[str, ...]:
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
        differing = [name for name in shared if ours[name] != theirs[name]]
        if differing:
            raise _mismatch(runs[0], run, differing)
    if not unsigned:
        return ()
    return (f"unsigned, so nothing shows that the scores mean the same: {', '.join(unsigned)} (no run.json)",)


def signatures(run: Run) -> Mapping[str, str]:
    """The hash of each dimension's definitions; empty for an unsigned table."""
    return {name: str(entry["sha256"]) for name, entry in _entries(run).items()}


def _entries(run: Run) -> Mapping[str, Mapping[str, Any]]:
    found = (run.info or {}).get("score_signature")
    return found if isinstance(found, Mapping) else {}


def _has_scores(run: Run, dimension: str) -> bool:
    column = f"{dimension}.score"
    return column in run.frame.columns and bool(run.frame[column].notna().any())


def _mismatch(first: Run, other: Run, dimensions: Sequence[str]) -> SignatureError:
    hashes = "; ".join(
        f"{name} {signatures(first)[name][:12]} against {signatures(other)[name][:12]}" for name in dimensions
    )
    settings = dict.fromkeys(line for name in dimensions for line in _settings_that_differ(first, other, name))
    shown = list(settings)[:_SHOWN] + ([f"and {len(settings) - _SHOWN} more"] if len(settings) > _SHOWN else [])
    what = f". What differs: {'; '.join(shown)}" if shown else ""
    return SignatureError(
        f"scores made with the same definitions as {first.name}",
        f"different ones in {other.name} for {', '.join(dimensions)} ({hashes}){what}",
        f"{first.path} and {other.path}",
        "Score both with the same profile, config and program version.",
    )


def _settings_that_differ(first: Run, other: Run, dimension: str) -> Iterator[str]:
    yield from _differences(_entries(first)[dimension].get("parts"), _entries(other)[dimension].get("parts"))


def _differences(ours: object, theirs: object, path: str = "") -> Iterator[str]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in dict.fromkeys([*ours, *theirs]):
            yield from _differences(ours.get(key), theirs.get(key), f"{path}.{key}" if path else str(key))
    elif ours != theirs:
        yield f"{path}: {_short(ours)} against {_short(theirs)}"


def _short(value: object) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
