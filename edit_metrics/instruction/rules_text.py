"""Rule for written letters."""

from __future__ import annotations

import re

from edit_metrics.instruction import words
from edit_metrics.instruction.clause import Clause, found
from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.skeleton import Verb

_SAYS = re.compile(
    r"\b(?:says?|saying|reads?|reading|write|spells?|print|type|states?|stating) (?P<text>.+?)(?: (?:on|in|at|"
    r"above|under|below|across|onto|over|to) (?:the|a|an|his|her|its?)\b.*)?$"
)


def read_text_edit(clause: Clause) -> ParsedInstruction | None:
    """Letters: quoted strings beside a word of writing, or a writing verb with what is to be written."""
    about_text = words.TEXT_NOUN.search(clause.text) or words.TEXT_VERB.search(clause.text)
    skeleton = clause.skeleton
    both_quoted = (
        skeleton is not None and _is_quote(skeleton.object) and (_is_quote(skeleton.result) or not skeleton.result)
    )
    if not (both_quoted or (about_text and (clause.quoted or _edits_text(clause)))):
        return None
    quoted = clause.quoted
    if skeleton and skeleton.verb is Verb.REMOVE:
        return found(clause, EditType.TEXT, old_text=quoted[0] if quoted else None)
    if len(quoted) > 1:
        swapped = re.search(r"qzq\d+qzq.*\b(?:instead of|rather than|in place of|not)\b.*qzq", clause.text) or (
            skeleton is not None
            and _is_quote(skeleton.result)
            and clause.text.startswith(("substitute", "add", "put", "write"))
        )
        old, new = (quoted[1], quoted[0]) if swapped else (quoted[0], quoted[1])
        return found(clause, EditType.TEXT, old_text=old, new_text=new)
    if len(quoted) == 1:
        only_old = (
            skeleton is not None
            and bool(skeleton.result)
            and not re.search("qzq", skeleton.result or "")
            and "qzq" in skeleton.object
        )
        return found(clause, EditType.TEXT, **({"old_text": quoted[0]} if only_old else {"new_text": quoted[0]}))
    said = _SAYS.search(clause.text)
    return found(clause, EditType.TEXT, new_text=said["text"] if said else None, doubts=("unquoted_text",))


def _is_quote(phrase: str | None) -> bool:
    return (
        phrase is not None
        and re.fullmatch(
            r"(?:the )?(?:text |words? |letters? )?qzq\d+qzq(?: text)?(?: (?:on|in|at|from|above|"
            r"below|under) .+)?",
            phrase.strip(),
        )
        is not None
    )


def _edits_text(clause: Clause) -> bool:
    """Without quotation marks: "write …", "make the sign say …", "add text", "remove the text"."""
    if re.match(r"^(?:write|type|print|spell|translate)\b|.*\b(?:says?|saying|reads?|spells?) \S+", clause.text):
        return not re.search(r"\b(?:reading|reads?) (?:a|the|his|her|book|newspaper)", clause.text)
    skeleton = clause.skeleton
    return skeleton is not None and words.TEXT_NOUN.search(skeleton.object) is not None
