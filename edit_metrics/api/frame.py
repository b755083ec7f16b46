"""A score table that reads like an answer: eight scores and the worst reason; pictures in a notebook."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from edit_metrics.report.pictures import TINY_SIDE, PictureStore
from edit_metrics.scores.columns import PRIORITY, DimensionColumns, dimensions_in
from edit_metrics.scores.items import Item, read_items
from edit_metrics.scores.sentences import OVERALL, explain_in_words, lowest, worst_in_words

_MOST_ROWS: Final = 20  # a screenful; the frame itself has all
_ROOT: Final = "pictures_root"


class Scores(pd.DataFrame):
    """The table of ``scores.parquet``, one row an item; a DataFrame in every respect, with a shorter ``repr``."""

    @property
    def _constructor(self) -> Callable[..., Scores]:
        return Scores

    def explain(self, id: str) -> str:  # noqa: A002 - the column's name
        """One item in words: what was asked, each dimension with its reasons and measurements.

        Raises:
            TableError: no such id.
        """
        return explain(self, id)

    def worst(self, dimension: str = OVERALL, n: int = 10) -> Scores:
        """The rows with the lowest scores of a dimension, lowest first; items without a score are left out.

        Raises:
            TableError: no such dimension.
        """
        found = lowest(_items(self), dimension, n)
        place = {name: row for row, name in enumerate(self["id"].astype(str))}
        return Scores(self.iloc[[place[item.id] for item in found]])

    @property
    def compact(self) -> pd.DataFrame:
        """Id, eight scores, and in one sentence what is worst about each item."""
        items = _items(self)
        names = dimensions_in(self.columns)
        table = pd.DataFrame({"id": [item.id for item in items]})
        for name in names:
            table[name] = self[DimensionColumns(name).score].to_numpy()
        return table.assign(why=[worst_in_words(item) for item in items])

    def __repr__(self) -> str:
        if not _is_whole(self):
            return super().__repr__()
        shown = Scores(self.head(_MOST_ROWS)).compact
        text = shown.to_string(index=False, max_colwidth=60, na_rep="–", float_format=lambda value: f"{value:.2f}")
        return f"{text}\n{_more(self)}"

    def _repr_html_(self) -> str | None:
        if not _is_whole(self):
            return pd.DataFrame(self).to_html(max_rows=60, max_cols=20, show_dimensions=True)
        head = Scores(self.head(_MOST_ROWS))
        store = PictureStore(self.attrs.get(_ROOT) or ".", allow_outside_root=True)
        names = ["source", "edited", "id", *dimensions_in(self.columns), "why"]
        rows = "".join(_html_row(item, store) for item in _items(head))
        heads = "".join(f"<th>{html.escape(name)}</th>" for name in names)
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table><p>{html.escape(_more(self))}</p>"


def explain(frame: pd.DataFrame, id: str) -> str:  # noqa: A002 - the column's name
    """One item of a score table in words.

    Raises:
        TableError: no such id.
    """
    from edit_metrics.errors import TableError, suggest

    found = frame[frame["id"].astype(str) == str(id)]
    if found.empty:
        raise TableError("an id of the table", repr(id), todo=suggest(str(id), frame["id"].astype(str)))
    (item,) = _items(found.head(1))
    return explain_in_words(item, frame)


def _items(frame: pd.DataFrame) -> list[Item]:
    return read_items(pd.DataFrame(frame), {})


def _is_whole(frame: pd.DataFrame) -> bool:
    """A selection of columns, or a changed index, prints as any frame does."""
    return "id" in frame.columns and PRIORITY in frame.columns and bool(dimensions_in(frame.columns))


def _more(frame: pd.DataFrame) -> str:
    shown = f"the first {_MOST_ROWS} of {len(frame)} items" if len(frame) > _MOST_ROWS else f"{len(frame)} items"
    rejected = len(frame.attrs.get("rejected") or ())
    said = f", {rejected} rejected (frame.attrs['rejected'])" if rejected else ""
    return f"{shown}, {len(frame.columns)} columns{said}; .explain(id), .worst(dimension, n), .compact"


def _html_row(item: Item, store: PictureStore) -> str:
    blur = ' style="filter:blur(10px)"' if item.sensitive else ""
    cells = []
    for path, name in ((item.source, "source"), (item.edited, "edited")):
        uri = store.tiny(path, name)
        cells.append(f'<img src="{uri}" alt="{name}" width="{TINY_SIDE}"{blur}>' if uri else "–")
    cells.append(html.escape(item.id))
    cells += ["–" if one.score is None else f"{one.score:.2f}" for one in item.scores.values()]
    cells.append(html.escape(worst_in_words(item)))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def framed(frame: pd.DataFrame, root: str, rejected: list[Any]) -> Scores:
    """A table as :class:`Scores`, with what a notebook needs beside it."""
    scores = Scores(frame)
    scores.attrs |= {"rejected": rejected, _ROOT: root}
    return scores
