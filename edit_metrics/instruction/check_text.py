"""Written text: does the asked string stand in E where the old one stood in S?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edit_metrics.instruction.checking import YES, judge, ramp, typed_check
from edit_metrics.instruction.edits import Edit, LookOfText, Place, WriteText
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.instruction.letters import READABLE, UNLIKE, Line, best_error, is_latin, plain
from edit_metrics.types import RGB, Missing, Noted, Result, not_applicable, unavailable, undefined

TEXT_EDITS: Final = (WriteText, LookOfText)
MIN_LENGTH: Final = 2
OVER_THE_MIDDLE: Final = 0.1
"""Of the frame's side: how far over the middle letters may stand that belong on one side of it."""


@typed_check("adherence.check_text")
def check_text(
    parsed_instruction: Instruction,
    edited_native: RGB,
    source_text: Sequence[Line] | None = None,
    edited_text: Sequence[Line] | None = None,
    blank: bool | None = None,
) -> Result:
    """Whether the quoted string is read in E and was not in S, and the string that it replaces is gone.

    Each line that was read belongs to the nearer of the old and the new string (``2023`` and ``2024`` are one character
    apart). 1 − 2 · the character error rate of the new string, letters and digits only; 0 where the old one still
    stands, or where chance reads as well. The weakest of several strings counts.

    Args:
        parsed_instruction: a text edit.
        edited_native: E on its own grid, H×W×3.
        source_text: lines read off S.
        edited_text: lines read off E.
        blank: E shows nothing.

    Returns:
        Score in [0, 1]. ``not_applicable``: as :func:`.checking.judge`, ``look_of_text`` (size, font, place of
        letters), ``script_not_read`` (not Latin), ``text_too_short``, ``same_letters`` (old and new differ in case or
        punctuation alone). ``undefined``: ``text_already_in_source``, ``old_text_not_read`` (neither in S),
        ``neither_text_nearer``, ``old_text_left_elsewhere`` (gone here and left there), ``text_not_read`` (what
        was to stay; a string half read), ``look_of_text``. ``unavailable(no_ocr)``.
    """

    def one(edit: Edit) -> Result:
        if not isinstance(edit, WriteText):
            return not_applicable("look_of_text")
        if (gap := why_unreadable(edit)) is not None:
            return gap
        if source_text is None or edited_text is None:
            return unavailable("no_ocr")
        size = (edited_native.shape[1], edited_native.shape[0])
        return _judge(edit, source_text, edited_text, size)

    return judge(parsed_instruction, TEXT_EDITS, one, blank)


@dataclass(frozen=True, slots=True)
class _Count:
    """How many lines of each picture read a string."""

    before: int
    after: int


def why_unreadable(edit: WriteText) -> Missing | None:
    """Why the text that is asked for cannot be told from what is read, whatever that is; None where it can."""
    strings = [text for pair in edit.pairs for text in pair if text] + list(edit.kept)
    if any(not is_latin(text) for text in strings):
        return not_applicable("script_not_read")
    if any(len(plain(text)) < MIN_LENGTH for text in strings):
        return not_applicable("text_too_short")
    same = any(old and new and plain(old) == plain(new) for old, new in edit.pairs)
    return not_applicable("same_letters") if same else None


def _judge(edit: WriteText, before: Sequence[Line], after: Sequence[Line], size: tuple[int, int]) -> Result:
    found = [_pair(old, new, before, after) for old, new in edit.pairs]
    found += [_kept(text, before, after) for text in edit.kept]
    if edit.place is not None:
        found += [_placed(new, edit.place, after, size) for _, new in edit.pairs if new]
    values = [one for one in found if isinstance(one, Noted)]
    gaps = [one for one in found if isinstance(one, Missing)]
    if values and min(value.value for value in values) < YES:
        gaps = []  # one that is not there is enough
    if gaps or (edit.styled and min(value.value for value in values) >= YES):
        return gaps[0] if gaps else undefined("look_of_text")
    notes = tuple(dict.fromkeys(code for value in values for code in value.cautions))
    seen = "; ".join(value.evidence for value in values)
    return Noted(min(value.value for value in values), notes, f"text: read {_show(after)}, {seen}")


def _pair(old: str | None, new: str | None, before: Sequence[Line], after: Sequence[Line]) -> Result:
    if new is None:
        return _removed(old or "", before, after)
    if old is None:
        return _written(new, before, after)
    return _replaced(old, new, before, after)


def _written(new: str, before: Sequence[Line], after: Sequence[Line]) -> Result:
    error = _error(new, after)
    if _error(new, before) <= READABLE / 2 and _lines_of(new, None, after) <= _lines_of(new, None, before):
        return undefined("text_already_in_source")
    if READABLE < error < min(UNLIKE, _error(new, before)):
        return undefined("text_not_read")
    return Noted(ramp(error, UNLIKE, 0.0), (), f"character error rate of {new!r} {error:.2f}")


def _removed(old: str, before: Sequence[Line], after: Sequence[Line]) -> Result:
    if _error(old, before) > READABLE:
        return undefined("old_text_not_read")
    error, count = _error(old, after), _counted(old, None, before, after)
    if 0 < count.after < count.before:
        return undefined("old_text_left_elsewhere")
    return Noted(ramp(error, READABLE, UNLIKE), (), f"nearest to {old!r}: error rate {error:.2f}")


def _replaced(old: str, new: str, before: Sequence[Line], after: Sequence[Line]) -> Result:
    olds, news = _counted(old, new, before, after), _counted(new, old, before, after)
    if (gap := _undecided(old, new, before, after)) is not None:
        return gap
    error = _error(new, after)
    seen = f"character error rate of {new!r} {error:.2f}, of {old!r} {_error(old, after):.2f}"
    if not olds.before:
        return Noted(ramp(error, UNLIKE, 0.0), ("old_text_not_read",), f"{seen}; {old!r} was not read in the source")
    done = news.after > news.before and not olds.after
    left = "still there" if olds.after else "gone"
    return Noted(ramp(error, UNLIKE, 0.0) if done else 0.0, (), f"{seen}; {old!r} {left}")


def _undecided(old: str, new: str, before: Sequence[Line], after: Sequence[Line]) -> Missing | None:
    """Why what was read does not say whether one string has taken the other's place."""
    olds, news = _counted(old, new, before, after), _counted(new, old, before, after)
    half_read = _error(new, after) < min(UNLIKE, _error(old, after), _error(new, before))
    appeared, fewer = news.after > news.before, olds.after < olds.before
    findings = {
        "neither_text_nearer": _tied(old, new, after),
        # Without the old string in S, perhaps the quotation marks do not mean written text at all.
        "old_text_not_read": not olds.before and not news.before and not news.after,
        "text_already_in_source": news.before and not appeared and (fewer or not olds.before),
        "text_not_read": not news.after and not olds.after and half_read,
        "old_text_left_elsewhere": appeared and fewer and olds.after,
    }
    return next((undefined(code) for code, found in findings.items() if found), None)


def _kept(text: str, before: Sequence[Line], after: Sequence[Line]) -> Result:
    if _error(text, before) > READABLE:
        return undefined("text_not_read")
    error = _error(text, after)
    return Noted(ramp(error, UNLIKE, READABLE), (), f"{text!r} had to stay: error rate {error:.2f}")


def _placed(new: str, place: Place, after: Sequence[Line], size: tuple[int, int]) -> Result:
    """1 where the string's middle is in the named part of the frame; 0 from a tenth of its side beyond it."""
    lines = [line for line in after if best_error(new, [line.text]) <= READABLE]
    if not lines:
        return Noted(1.0, (), "its place not seen")
    return max((_in_place(line, place, size) for line in lines), key=lambda found: found.value)


def _in_place(line: Line, place: Place, size: tuple[int, int]) -> Noted:
    left, top, right, bottom = line.box
    x, y = (left + right) / 2 / size[0] - 0.5, (top + bottom) / 2 / size[1] - 0.5
    words = place.split()
    wanted = {"left": -x, "right": x, "top": -y, "bottom": y}
    inside = [ramp(wanted[word], -OVER_THE_MIDDLE, 0.0) for word in words if word in wanted]
    if "center" in words:
        inside.append(ramp(max(abs(x), abs(y)), 0.35, 0.25))
    return Noted(min(inside), (), f"{x + 0.5:.0%} from the left and {y + 0.5:.0%} from the top")


def _error(wanted: str, lines: Sequence[Line]) -> float:
    return best_error(wanted, [line.text for line in lines])


def _counted(wanted: str, other: str | None, before: Sequence[Line], after: Sequence[Line]) -> _Count:
    return _Count(_lines_of(wanted, other, before), _lines_of(wanted, other, after))


def _lines_of(wanted: str, other: str | None, lines: Sequence[Line]) -> int:
    """Lines that read a string and are nearer to it than to the other one; 1 where only all lines together do."""
    own = sum(_reads(wanted, other, [line.text]) for line in lines)
    return own or int(_reads(wanted, other, [line.text for line in lines]))


def _reads(wanted: str, other: str | None, read: Sequence[str]) -> bool:
    error = best_error(wanted, read)
    if error > READABLE:
        return False
    return other is None or error < best_error(other, read) or (error == 0 and plain(other) in plain(wanted))


def _tied(old: str, new: str, lines: Sequence[Line]) -> bool:
    """Whether some line is as near to the old string as to the new one, and near to both."""
    pairs = [(best_error(old, [line.text]), best_error(new, [line.text])) for line in lines]
    nested = plain(old) in plain(new) or plain(new) in plain(old)
    return not nested and any(a == b <= READABLE for a, b in pairs)


def _show(lines: Sequence[Line], longest: int = 80) -> str:
    joined = " | ".join(line.text for line in lines)
    return repr(joined if len(joined) <= longest else joined[: longest - 1] + "…")
