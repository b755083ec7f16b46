"""Instructions, captions and labels."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Final

from edit_metrics.errors import suggest
from edit_metrics.lint.edit_set import EditSet
from edit_metrics.lint.registry import Hit, Severity, check
from edit_metrics.lint.wording import READ, language_of, normal

_MOST_READ: Final = 2000
"""Different instructions that are read: each takes some milliseconds."""
_LIST: Final = re.compile(r"\s*\[.*[\"'].*\]\s*", re.DOTALL)


@check(
    "empty_instruction", Severity.ERROR, "An instruction is blank.",
    "Write it, or leave the cell out where a target_caption says what is wanted.",
)  # fmt: skip
def empty_instruction(edits: EditSet) -> Iterator[Hit]:
    """Present, and nothing but blanks or marks."""
    for index, item in enumerate(edits.items):
        if item.instruction is not None and not re.search(r"\w", item.instruction):
            yield Hit(index, repr(item.instruction))


@check(
    "listed_instruction", Severity.WARNING, "An instruction is a list that was written as text.",
    "Make a row of each, or choose one.",
)  # fmt: skip
def listed_instruction(edits: EditSet) -> Iterator[Hit]:
    """``['make it red', 'make it blue']``."""
    for index, item in enumerate(edits.items):
        if item.instruction is not None and _LIST.fullmatch(item.instruction):
            yield Hit(index, item.instruction[:120])


@check(
    "equal_captions", Severity.WARNING, "Source and target caption say the same.",
    "Say in the target caption what the edit changes: directional similarity is undefined without a difference.",
)  # fmt: skip
def equal_captions(edits: EditSet) -> Iterator[Hit]:
    """But for case, spaces and marks at the ends."""
    for index, item in enumerate(edits.items):
        if normal(item.source_caption) and normal(item.source_caption) == normal(item.target_caption):
            yield Hit(index, (item.source_caption or "")[:120])


@check(
    "other_language", Severity.WARNING, "An instruction is in a language that is not read.",
    "Translate it: encoders and checks here know English, and plain Chinese.",
)  # fmt: skip
def other_language(edits: EditSet) -> Iterator[Hit]:
    """By script, and by function words where that is Latin."""
    for index, item in enumerate(edits.items):
        language = language_of(item.instruction or "")
        if language and language not in READ:
            yield Hit(index, f"{language}: {(item.instruction or '')[:100]}")


@check(
    "several_languages", Severity.NOTE, "The instructions are in several languages.",
    "Slice by language, or keep one: scores that read text differ between languages.",
)  # fmt: skip
def several_languages(edits: EditSet) -> Iterator[Hit]:
    """One hit for each language but the commonest."""
    found: dict[str, list[int]] = {}
    for index, item in enumerate(edits.items):
        language = language_of(item.instruction or "")
        if language:
            found.setdefault(language, []).append(index)
    for language, rows in sorted(found.items(), key=lambda one: -len(one[1]))[1:]:
        yield Hit(rows[0], f"{len(rows)} in {language}")


@check(
    "unknown_edit_type", Severity.WARNING, "An edit type is none that is known.",
    "Rename it, or leave it out: an unknown one is ignored, and the instruction's own words count.",
)  # fmt: skip
def unknown_edit_type(edits: EditSet) -> Iterator[Hit]:
    """Held against the labels of all benchmarks that are known."""
    from edit_metrics.instruction.labels import label_table, label_to_type

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = {item.edit_type for item in edits.items if item.edit_type is not None}
        unknown = {label: suggest(label, label_table()) for label in labels if label_to_type(label) is None}
    for index, item in enumerate(edits.items):
        if item.edit_type in unknown:
            yield Hit(index, f"{item.edit_type!r}. {unknown[item.edit_type]}")


@check(
    "unread_instruction", Severity.NOTE, "An instruction is not read in full: no typed check judges its edit.",
    "Nothing to mend; simpler words are read more often (docs/typed-checks.md).",
)  # fmt: skip
def unread_instruction(edits: EditSet) -> Iterator[Hit]:
    """With the word that stopped the reading; of very large sets every n-th different instruction is read."""
    from edit_metrics.instruction.instruction import understand

    texts = Counter(item.instruction for item in edits.items if re.search(r"\w", item.instruction or ""))
    step = -(-len(texts) // _MOST_READ) or 1
    tried = list(texts)[::step]
    stopped = {text: read.stopped for text in tried if not (read := understand(text)).read}
    sampled = "" if step == 1 else f" ({len(tried)} of {len(texts)} different instructions were read)"
    for index, item in enumerate(edits.items):
        if item.instruction in stopped:
            yield Hit(index, f"stopped at {stopped[item.instruction]!r}{sampled}")
