"""One record against the manifest's contract: an item, or the first rule that it breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from edit_metrics.choices import FramePolicy, WhiteMeans
from edit_metrics.io.records import Record
from edit_metrics.io.sources import OutsideRootError, resolve_path
from edit_metrics.types import MANIFEST_COLUMNS, EditItem, Rejection

_WHITE_MEANS: Final = get_args(WhiteMeans)
_FRAMES: Final = get_args(FramePolicy)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class _BrokenRuleError(Exception):
    """Carries a rejection's last three columns up to :meth:`RowReader.item_of`."""

    def __init__(self, field: str, expected: str, got: Any) -> None:
        super().__init__(field, expected, got)
        self.field = field
        self.expected = expected
        self.got = _shown(got)


class RowReader:
    """Checks rows in order; remembers the ids, which must be unique over the whole manifest.

    Args:
        root: what relative paths start from.
        allow_outside_root: lets paths leave it.
    """

    def __init__(self, root: str, allow_outside_root: bool) -> None:
        self._root = root
        self._allow_outside_root = allow_outside_root
        self._line_of_id: dict[str, int] = {}

    def item_of(self, row: int, record: Record) -> EditItem | Rejection:
        """The item, or why there is none.

        Args:
            row: 0-based position in the manifest.
            record: the row.
        """
        name: str | None = None
        try:
            name = self._id(record)
            return self._item(row, name, record)
        except _BrokenRuleError as broken:
            return Rejection(record.line, name, broken.field, broken.expected, broken.got)

    def _item(self, row: int, name: str, record: Record) -> EditItem:
        cells = record.cells
        _check_unicode(cells)
        instruction = _text(cells, "instruction")
        target_caption = _filled(_text(cells, "target_caption"))
        if instruction is None and target_caption is None:
            raise _BrokenRuleError("instruction", "an instruction or a target_caption", _absent(cells))
        mask = _filled(_text(cells, "mask"))
        return EditItem(
            row=row,
            line=record.line,
            id=name,
            source=self._path("source", _required(cells, "source")),
            edited=self._path("edited", _required(cells, "edited")),
            instruction=instruction,
            mask=None if mask is None else self._path("mask", mask),
            mask_white_means=_white_means(cells),
            source_caption=_filled(_text(cells, "source_caption")),
            target_caption=target_caption,
            edit_type=_label(cells, "edit_type"),
            model=_label(cells, "model"),
            references=tuple(self._path("references", path) for path in _references(cells)),
            group=_label(cells, "group"),
            frame=_frame(cells),
            metadata={key: value for key, value in cells.items() if key not in MANIFEST_COLUMNS},
        )

    def _id(self, record: Record) -> str:
        name = _label(record.cells, "id")
        if name is None:
            raise _BrokenRuleError("id", "a string or a whole number", _absent(record.cells))
        if _CONTROL.search(name):
            raise _BrokenRuleError("id", "an id without control characters", name)
        _check_unicode({"id": name})
        first = self._line_of_id.setdefault(name, record.line)
        if first != record.line:
            raise _BrokenRuleError("id", f"a unique id (line {first} has it first)", name)
        return name

    def _path(self, field: str, raw: str) -> str:
        try:
            return resolve_path(raw, self._root, self._allow_outside_root)
        except (OutsideRootError, OSError, ValueError):
            raise _BrokenRuleError(field, f"a path inside the root {self._root}", raw) from None


def _text(cells: Mapping[str, Any], field: str) -> str | None:
    value = cells.get(field)
    if value is not None and not isinstance(value, str):
        raise _BrokenRuleError(field, "a string", value)
    return value


def _label(cells: Mapping[str, Any], field: str) -> str | None:
    value = cells.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise _BrokenRuleError(field, "a string or a whole number", value)
    return _filled(value)


def _filled(text: str | None) -> str | None:
    return text if text and text.strip() else None


def _required(cells: Mapping[str, Any], field: str) -> str:
    text = _filled(_text(cells, field))
    if text is None:
        raise _BrokenRuleError(field, "a path", _absent(cells))
    return text


def _white_means(cells: Mapping[str, Any]) -> Any:
    value = _filled(_text(cells, "mask_white_means")) or "edited"
    if value not in _WHITE_MEANS:
        raise _BrokenRuleError("mask_white_means", " or ".join(map(repr, _WHITE_MEANS)), value)
    return value


def _frame(cells: Mapping[str, Any]) -> Any:
    value = _filled(_text(cells, "frame")) or "same"
    if value not in _FRAMES:
        raise _BrokenRuleError("frame", " or ".join(map(repr, _FRAMES)), value)
    return value


def _references(cells: Mapping[str, Any]) -> list[str]:
    value = cells.get("references")
    expected = "a list of paths (in CSV: a JSON list, or paths joined by ';')"
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            raise _BrokenRuleError("references", expected, value) from None
    elif isinstance(value, str):
        value = [part.strip() for part in value.split(";") if part.strip()]
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(path, str) and path.strip() for path in value):
        raise _BrokenRuleError("references", expected, value)
    return value


def _check_unicode(cells: Mapping[str, Any]) -> None:
    for field, value in cells.items():
        text = (
            f"{field}{value}"
            if isinstance(value, (str, int, float))
            else json.dumps([field, value], ensure_ascii=False)
        )
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise _BrokenRuleError(_shown(field), "valid Unicode text", value) from None


def _absent(cells: Mapping[str, Any]) -> str:
    others = [name for name in cells if name not in MANIFEST_COLUMNS]
    return f"nothing (other columns: {', '.join(others)[:150]})" if others else "nothing"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    writable = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return writable if len(writable) <= 200 else f"{writable[:200]}…"
