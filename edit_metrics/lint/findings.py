"""A manifest to findings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edit_metrics.errors import UserError, missing_extra, suggest
from edit_metrics.io.manifest import read_manifest
from edit_metrics.lint.edit_set import EditSet, look_at
from edit_metrics.lint.registry import Check, Hit, Severity, all_checks
from edit_metrics.printable import printable


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: at least one hit."""

    check: Check
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that could not run here, and why."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Linted:
    """A set and what was found in it.

    Attributes:
        findings: errors first; checks that found nothing are not among them.
        checked: codes of all checks that ran.
    """

    edits: EditSet
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    skipped: tuple[Skipped, ...]

    @property
    def rows(self) -> int:
        """Of the manifest, rejected ones too."""
        return len(self.edits.items) + len(self.edits.manifest.rejections)

    def counts(self) -> dict[str, int]:
        """Severity → how many checks of it found something."""
        return {str(level): sum(one.check.severity is level for one in self.findings) for level in Severity}

    def failing(self, words: Collection[str]) -> list[Finding]:
        """The findings whose code or severity is among the words."""
        return [one for one in self.findings if one.check.code in words or one.check.severity in words]


def lint(
    path: str | Path,
    *,
    root: str | Path | None = None,
    allow_outside_root: bool = False,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Linted:
    """Run every check on a manifest.

    Args:
        path: the manifest.
        root: as when scoring.
        allow_outside_root: as when scoring.
        limit: only the first rows.
        progress: called with (files looked at, files in all).

    Raises:
        ManifestError: the manifest as a whole cannot be read.
    """
    checks = all_checks()
    edits = look_at(read_manifest(path, root=root, allow_outside_root=allow_outside_root, limit=limit), progress)
    findings, skipped = [], []
    for one in checks.values():
        try:
            hits = tuple(one.function(edits))
        except ModuleNotFoundError as error:
            lacking = missing_extra(error, f"the check {one.code}")
            if lacking is None:
                raise
            skipped.append(Skipped(one.code, str(lacking)))
            continue
        if hits:
            findings.append(Finding(one, hits))
    left_out = {one.code for one in skipped}
    return Linted(edits, tuple(findings), tuple(code for code in checks if code not in left_out), tuple(skipped))


def codes_to_fail_on(text: str | None) -> tuple[str, ...]:
    """``missing_file,warning`` as words: codes and severities.

    Raises:
        UserError: a word that is neither.
    """
    known = [*map(str, Severity), *all_checks()]
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    for word in words:
        if word not in known:
            raise UserError("codes or severities, with commas", repr(word), "--fail-on", suggest(word, known))
    return tuple(dict.fromkeys(words))


def line_of(linted: Linted, hit: Hit) -> int:
    """The line of the manifest that a hit is about; the row's number for Parquet."""
    return hit.line if hit.row is None else linted.edits.items[hit.row].line


def id_of(linted: Linted, hit: Hit) -> str:
    """The row's id; empty where it has none."""
    return hit.id if hit.row is None else linted.edits.name(hit.row)


def as_json(linted: Linted) -> Mapping[str, Any]:
    """All of it, for other programs."""
    return {
        "manifest": linted.edits.manifest.path,
        "rows": linted.rows,
        "files": len(linted.edits.seen) + len(linted.edits.masks) + len(linted.edits.failures),
        "counts": linted.counts(),
        "findings": [
            {
                "code": one.check.code,
                "severity": str(one.check.severity),
                "what": one.check.title,
                "todo": one.check.todo,
                "n": len(one.hits),
                "hits": [
                    {
                        "id": id_of(linted, hit), "line": line_of(linted, hit), "detail": hit.detail,
                        "also": [linted.edits.name(index) for index in hit.also],
                    }
                    for hit in one.hits
                ],
            }
            for one in linted.findings
        ],
        "checked": list(linted.checked),
        "skipped": [{"code": one.code, "why": one.why} for one in linted.skipped],
    }  # fmt: skip


def as_text(linted: Linted, most: int) -> list[str]:
    """Lines for a terminal.

    Args:
        linted: a set and what was found.
        most: hits that are shown of each finding.
    """
    counts = linted.counts()
    found = ", ".join(f"{n} {level}{'s' if n != 1 else ''}" for level, n in counts.items() if n)
    lines = [f"{linted.rows} rows, {len(linted.checked)} checks: {found or 'nothing found'}."]
    for one in linted.findings:
        rows = "row" if len(one.hits) == 1 else "rows"
        lines += ["", f"{one.check.severity}  {one.check.code}  {len(one.hits)} {rows}", f"  {one.check.title}"]
        lines.append(f"  {one.check.todo}")
        for hit in one.hits[:most]:
            lines.append(f"    {id_of(linted, hit) or '(no id)'}, line {line_of(linted, hit)}: {hit.detail}")
        if len(one.hits) > most:
            lines.append(f"    and {len(one.hits) - most} more: -n, --json or --html show them")
    lines += [f"not checked  {one.code}: {one.why}" for one in linted.skipped]
    return [printable(line) for line in lines]
