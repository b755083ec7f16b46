"""Label Studio: a labelling config from the rubric, and ordered tasks with predictions."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from edit_metrics.evidence.files import evidence_name
from edit_metrics.ratings.label_studio import ITEM_KEY
from edit_metrics.ratings.rubric import Rubric
from edit_metrics.scores.cells import number, text
from edit_metrics.scores.codes import UNSAFE
from edit_metrics.scores.columns import DimensionColumns
from edit_metrics.triage.lanes import Lane, Placement
from edit_metrics.triage.picture_places import NO_PICTURE, PicturePlaces
from edit_metrics.types import DIMENSIONS

_PICTURES: Final = ("source", "edited", "evidence")
"""Their task data are ``<name>_picture``: Label Studio uses ``source`` for the task itself."""
_ROWS: Final = ("12345", "qwert", "asdfg", "67890", "yuiop")
_HOTKEYS: Final = (
    *(key for row in _ROWS for key in row),
    *(f"shift+{key}" for row in ("qwert", "asdfg", "yuiop", "zxcnm") for key in row),
)
"""One for each option, half a row of the keyboard a question. Neither ``v``, which is Label Studio's key for moving,
nor digits with shift, which are its data manager's."""
_STYLE: Final = """
.em-pictures { display: flex; gap: 12px; align-items: flex-start; overflow: hidden; }
.em-picture { flex: 1 1 0; min-width: 0; }
.em-ratings { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 4px 24px; }
.em-task:has(.em-unsafe) .em-picture { filter: blur(28px); transition: filter 0.2s; }
.em-task:has(.em-unsafe) .em-picture:hover, .em-task:has(.em-unsafe) .em-picture:focus-within { filter: none; }
.em-unsafe { color: #9b1c1c; font-weight: 600; }
"""


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """How pictures are reached and what raters may see.

    Attributes:
        places: from paths to addresses.
        evidence: folder of evidence pictures; None when the run has none.
        blind: no predictions: showing them anchors raters.
    """

    places: PicturePlaces
    evidence: Path | None = None
    blind: bool = False


def labelling_config(rubric: Rubric) -> str:
    """The labelling interface as XML: instruction, source | edited | evidence, one question a dimension, flags."""
    view = ET.Element("View", className="em-task")
    ET.SubElement(view, "Style").text = _STYLE
    ET.SubElement(view, "Header", value="$instruction", size="3")
    ET.SubElement(view, "HyperText", name="notice", value="$notice", inline="true")
    ET.SubElement(view, "Text", name="guide", value=rubric.guide.replace("$", "\\$"))
    row = ET.SubElement(view, "View", className="em-pictures")
    for name in _PICTURES:
        cell = ET.SubElement(row, "View", className="em-picture")
        ET.SubElement(cell, "Header", value=name.capitalize(), size="5")
        ET.SubElement(cell, "Image", name=name, value=f"${name}_picture", zoom="true", zoomControl="true", width="100%")
    ratings = ET.SubElement(view, "View", className="em-ratings")
    keys = iter(_HOTKEYS)
    for name in (one for one in DIMENSIONS if one in rubric.dimensions):
        _question(ratings, name, rubric, keys)
    ET.SubElement(view, "Header", value="Flags", size="5")
    flags = ET.SubElement(view, "Choices", name="flags", toName="edited", choice="multiple", showInline="true")
    for code, label in rubric.flags.items():
        _option(flags, label, code, keys)
    ET.SubElement(
        view, "TextArea", name="comment", toName="edited", placeholder=rubric.comment, rows="2", maxSubmissions="1"
    )
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _option(parent: ET.Element, label: str, code: str, keys: Iterator[str]) -> None:
    """With a key of its own, as long as there are keys."""
    option = ET.SubElement(parent, "Choice", value=label, alias=code)
    if (key := next(keys, None)) is not None:
        option.set("hotkey", key)


def _question(parent: ET.Element, name: str, rubric: Rubric, keys: Iterator[str]) -> None:
    dimension = rubric.dimensions[name]
    block = ET.SubElement(parent, "View", className="em-rating")
    ET.SubElement(block, "Header", value=f"{name.capitalize()}: {dimension.question}", size="5")
    choices = ET.SubElement(
        block, "Choices", name=name, toName="edited", choice="single-radio", required="true",
        requiredMessage=f"Rate {name}",
    )  # fmt: skip
    for value in rubric.scale:
        _option(choices, f"{value} - {dimension.anchors[value]}", str(value), keys)


def labelling_tasks(
    queue: Sequence[Placement], frame: pd.DataFrame, rubric: Rubric, target: str | None, options: TaskOptions
) -> list[dict[str, Any]]:
    """One task a queued item, in the queue's order.

    Why an item is in the queue is not part of a task, so that raters cannot tell gold and audit items from others;
    ``ratings import --queue`` joins it back.

    Args:
        queue: from triage.
        frame: the score table, with the columns ``source`` and ``edited``.
        rubric: names the dimensions and the scale.
        target: dimension that the calibration predicts; None without one.
        options: see :class:`TaskOptions`.
    """
    names = [str(name) for name in frame.columns]
    places = {str(name): place for place, name in enumerate(frame["id"])}
    rows = (dict(zip(names, frame.iloc[places[item.id]].tolist(), strict=True)) for item in queue)
    return [_task(item, row, rubric, target, options) for item, row in zip(queue, rows, strict=True)]


def _task(
    item: Placement, row: Mapping[str, Any], rubric: Rubric, target: str | None, options: TaskOptions
) -> dict[str, Any]:
    data: dict[str, Any] = {
        ITEM_KEY: item.id,
        "order": item.position,
        "instruction": text(row.get("instruction")) or text(row.get("target_caption")) or "(no instruction)",
        "source_picture": options.places.url(text(row.get("source"))),
        "edited_picture": options.places.url(text(row.get("edited"))),
        "evidence_picture": _evidence_url(item.id, options),
        "notice": _notice(item),
    }
    if options.blind:
        return {"data": data}
    predicted = {name: _predicted(name, item, row, target, rubric) for name in rubric.dimensions}
    result = [_choice(name, value) for name, value in predicted.items() if value is not None]
    prediction = {"model_version": "edit-metrics", "result": result}
    return {"data": data, "predictions": [prediction] if result else []}


def _evidence_url(name: str, options: TaskOptions) -> str:
    if options.evidence is not None and (file := options.evidence / evidence_name(name, "change")).is_file():
        return options.places.url(str(file.resolve()))
    return NO_PICTURE


def _notice(item: Placement) -> str:
    """Only what raters must know before they look: reasons and lanes would tell audit and gold items apart."""
    if item.lane is Lane.UNSAFE or UNSAFE in item.reasons:
        return '<p class="em-unsafe">Flagged as unsafe: the pictures are blurred; point at one to see it.</p>'
    return "<p></p>"


def _predicted(name: str, item: Placement, row: Mapping[str, Any], target: str | None, rubric: Rubric) -> int | None:
    if name == target and item.expected_rating is not None:
        return min(rubric.scale, key=lambda value: abs(value - (item.expected_rating or 0.0)))
    score = number(row.get(DimensionColumns(name).score))
    return None if score is None else rubric.scale[round(score * (len(rubric.scale) - 1))]


def _choice(name: str, value: int) -> dict[str, Any]:
    return {
        "id": name,
        "from_name": name,
        "to_name": "edited",
        "type": "choices",
        "value": {"choices": [str(value)]},
    }
