"""Written text: does the asked string stand in E and not in S, is the old one gone?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Protocol

from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.verdict import Verdict, out_of_scope, ramp
from edit_metrics.types import Missing, not_applicable, undefined

READABLE: Final = 0.25
"""Character error rate up to which a string counts as read."""
GONE: Final = 0.5
"""Rate from which on it counts as absent: unrelated words share a letter or two."""
MIN_LENGTH: Final = 2


class Line(Protocol):
    """A line of text that was read off a picture."""

    @property
    def text(self) -> str:
        """Its characters."""
        ...


def check_text(
    parsed: ParsedInstruction, source_lines: Sequence[Line], edited_lines: Sequence[Line]
) -> Verdict | Missing:
    """The quoted strings against what was read off both pictures; case, spaces and punctuation do not count.

    Args:
        parsed: a text edit.
        source_lines: what was read off S.
        edited_lines: what was read off E.

    Returns:
        1 − 2 · the character error rate of the new string in E (0 from a rate of .5, which chance reaches), and/or the
        same of what is left of the old one; the lower of the two.
        ``not_applicable``: ``no_quoted_text``, ``script_not_read``, ``text_too_short``; ``undefined``:
        ``text_already_in_source``, ``old_text_not_read`` (what is to go or to be replaced was not read in S).
    """
    missing = out_of_scope(parsed, EditType.TEXT) or _unfit(parsed)
    if missing is not None:
        return missing
    before, after = ([line.text for line in lines] for lines in (source_lines, edited_lines))
    if parsed.new_text is None:
        return _judge_removal(parsed.old_text or "", before, after)
    return _judge_new(parsed.new_text, parsed.old_text, before, after)


def _unfit(parsed: ParsedInstruction) -> Missing | None:
    strings = [text for text in (parsed.new_text, parsed.old_text) if text]
    if not strings or "unquoted_text" in parsed.doubts:
        return not_applicable("no_quoted_text")
    if any(not _is_latin(text) for text in strings):
        return not_applicable("script_not_read")
    if any(len(plain(text)) < MIN_LENGTH for text in strings):
        return not_applicable("text_too_short")
    return None


def _judge_new(new: str, old: str | None, before: Sequence[str], after: Sequence[str]) -> Verdict | Missing:
    error, error_before = best_error(new, after), best_error(new, before)
    if error_before <= READABLE / 2 and not (old and plain(new) in plain(old)):
        return undefined("text_already_in_source")
    found = ramp(error, GONE, 0.0)
    evidence = f"text: read {_show(after)}, character error rate of {new!r} {error:.2f}"
    if old is None:
        return Verdict(found, evidence)
    if best_error(old, before) > READABLE:
        if error > READABLE:  # neither was read: perhaps the quotation marks do not mean written text at all
            return undefined("old_text_not_read")
        return Verdict(found, f"{evidence}; {old!r} was not read in the source", ("old_text_not_read",))
    rest = after if plain(old) not in plain(new) else [text for text in after if best_error(new, [text]) > READABLE]
    gone = ramp(best_error(old, rest), READABLE, GONE)
    return Verdict(min(found, gone), f"{evidence}; {old!r} {'gone' if gone > 0.5 else 'still there'}")


def _judge_removal(old: str, before: Sequence[str], after: Sequence[str]) -> Verdict | Missing:
    if best_error(old, before) > READABLE:
        return undefined("old_text_not_read")
    error = best_error(old, after)
    return Verdict(
        ramp(error, READABLE, GONE), f"text: read {_show(after)}, nearest to {old!r}: error rate {error:.2f}"
    )


def best_error(wanted: str, read: Sequence[str]) -> float:
    """Lowest character error rate of a string against any stretch of any line, or of the lines joined in their order.

    Short strings are held against whole words only: ``go`` is not read in ``mango``.

    Returns:
        Edit distance / length of the wanted string, at most 1; 1 where nothing was read.
    """
    target = plain(wanted)
    if len(target) < 4:
        tokens = {plain(token) for text in read for token in re.split(r"\s+", text)} | {plain(text) for text in read}
        return min((min(_distance(target, token) / len(target), 1.0) for token in tokens if token), default=1.0)
    places = [*map(plain, read), plain(" ".join(read))]
    return min((_stretch_distance(target, place) / len(target) for place in places if place), default=1.0)


def plain(text: str) -> str:
    """Letters and digits only, lower case, accents taken off."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())


def _stretch_distance(target: str, text: str) -> int:
    """Edit distance of the target to the nearest stretch of the text (Sellers 1980); at most its length."""
    row = [0] * (len(text) + 1)
    for i, wanted in enumerate(target, start=1):
        previous, row = row, [i]
        for j, found in enumerate(text, start=1):
            row.append(min(previous[j - 1] + (wanted != found), previous[j] + 1, row[j - 1] + 1))
    return min(row)


def _distance(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        previous, row = row, [i]
        for j, b in enumerate(second, start=1):
            row.append(min(previous[j - 1] + (a != b), previous[j] + 1, row[j - 1] + 1))
    return row[-1]


def _is_latin(text: str) -> bool:
    return all(character.isascii() for character in unicodedata.normalize("NFKD", text) if character.isalnum())


def _show(read: Sequence[str], longest: int = 80) -> str:
    joined = " | ".join(read)
    return repr(joined if len(joined) <= longest else joined[: longest - 1] + "…")
