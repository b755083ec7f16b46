"""Label Studio: a labelling config from the rubric, and ordered tasks with predictions."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pandas as pd

from edit_metrics.human.lanes import Lane, Placement
from edit_metrics.human.rubric import Rubric
from edit_metrics.io.sources import is_url
from edit_metrics.types import DIMENSIONS

LOCAL_FILES: Final = "/data/local-files/?d="
"""Where Label Studio serves files below LOCAL_FILES_DOCUMENT_ROOT."""
_PICTURES: Final = ("source", "edited", "evidence")
_STYLE: Final = """
.em-pictures { display: flex; gap: 12px; align-items: flex-start; }
.em-picture { flex: 1 1 0; min-width: 0; }
.em-ratings { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 4px 24px; }
.em-task:has(.em-unsafe) .em-picture { filter: blur(28px); transition: filter 0.2s; }
.em-task:has(.em-unsafe) .em-picture:hover, .em-task:has(.em-unsafe) .em-picture:focus-within { filter: none; }
.em-unsafe { color: #9b1c1c; font-weight: 600; }
"""
_NO_EVIDENCE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="320"><rect width="320" height="320" fill="#eeeeee"/>'
    '<text x="160" y="165" text-anchor="middle" font-family="sans-serif" font-size="18" fill="#555555">no evidence '
    "picture</text></svg>"
)


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """How pictures are reached and what raters may see.

    Attributes:
        base: folder that relative paths of the table start from.
        picture_root: local pictures are addressed relative to this folder; Label Studio's document root.
        url_prefix: put before the relative path.
        evidence: folder of evidence pictures; None when the run has none.
        blind: no predictions and no reasons: showing them anchors raters.
    """

    base: Path
    picture_root: Path
    url_prefix: str = LOCAL_FILES
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
        ET.SubElement(cell, "Image", name=name, value=f"${name}", zoom="true", zoomControl="true", width="100%")
    ratings = ET.SubElement(view, "View", className="em-ratings")
    for name in (one for one in DIMENSIONS if one in rubric.dimensions):
        _question(ratings, name, rubric)
    ET.SubElement(view, "Header", value="Flags", size="5")
    flags = ET.SubElement(view, "Choices", name="flags", toName="edited", choice="multiple", showInline="true")
    for code, label in rubric.flags.items():
        ET.SubElement(flags, "Choice", value=label, alias=code)
    ET.SubElement(
        view, "TextArea", name="comment", toName="edited", placeholder=rubric.comment, rows="2", maxSubmissions="1"
    )
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _question(parent: ET.Element, name: str, rubric: Rubric) -> None:
    dimension = rubric.dimensions[name]
    block = ET.SubElement(parent, "View", className="em-rating")
    ET.SubElement(block, "Header", value=f"{name.capitalize()}: {dimension.question}", size="5")
    choices = ET.SubElement(
        block, "Choices", name=name, toName="edited", choice="single-radio", required="true",
        requiredMessage=f"Rate {name}",
    )  # fmt: skip
    for value in rubric.scale:
        ET.SubElement(choices, "Choice", value=f"{value} - {dimension.anchors[value]}", alias=str(value))


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


def common_root(frame: pd.DataFrame, base: Path, evidence: Path | None) -> Path:
    """The deepest folder that holds every local picture of the table, and the evidence."""
    paths = [_text(path) for name in ("source", "edited") for path in frame[name]]
    folders = {str((base / path).resolve().parent) for path in paths if path and not is_url(path)}
    folders |= {str(evidence.resolve())} if evidence is not None else set()
    return Path(os.path.commonpath(sorted(folders))) if folders else Path.cwd()


def _task(
    item: Placement, row: Mapping[str, Any], rubric: Rubric, target: str | None, options: TaskOptions
) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": item.id,
        "order": item.position,
        "instruction": _text(row.get("instruction")) or _text(row.get("target_caption")) or "(no instruction)",
        "source": picture_url(_text(row.get("source")), options),
        "edited": picture_url(_text(row.get("edited")), options),
        "evidence": _evidence_url(item.id, options),
        "notice": _notice(item, options.blind),
    }
    if options.blind:
        return {"data": data}
    predicted = {name: _predicted(name, item, row, target, rubric) for name in rubric.dimensions}
    result = [_choice(name, value) for name, value in predicted.items() if value is not None]
    prediction = {"model_version": "edit-metrics", "result": result}
    return {"data": data, "predictions": [prediction] if result else []}


def picture_url(path: str, options: TaskOptions) -> str:
    """Where Label Studio finds a picture: URLs as they are, local files below the document root.

    A file outside that root keeps its path and will not load: Label Studio refuses such files, rightly.
    """
    if not path or is_url(path) or path.startswith(("/data/", "data:")):
        return path or _placeholder()
    try:
        relative = (options.base / path).resolve().relative_to(options.picture_root.resolve())
    except ValueError:
        return path
    return options.url_prefix + quote(relative.as_posix())


def _evidence_url(name: str, options: TaskOptions) -> str:
    # The report names evidence pictures by the SHA-256 of the id, since ids may hold any character.
    stem = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    if options.evidence is not None and (file := options.evidence / f"{stem}-change.webp").is_file():
        return picture_url(str(file), options)
    return _placeholder()


def _placeholder() -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(_NO_EVIDENCE.encode()).decode()


def _notice(item: Placement, blind: bool) -> str:
    if item.lane is Lane.UNSAFE or "unsafe" in item.reasons:
        return '<p class="em-unsafe">Flagged as unsafe: the pictures are blurred; point at one to see it.</p>'
    if blind or not item.reasons:
        return "<p></p>"
    return f"<p>{html.escape('; '.join(item.reasons))}</p>"


def _predicted(name: str, item: Placement, row: Mapping[str, Any], target: str | None, rubric: Rubric) -> int | None:
    if name == target and item.expected_rating is not None:
        return min(rubric.scale, key=lambda value: abs(value - (item.expected_rating or 0.0)))
    score = row.get(f"{name}.score")
    if score is None or pd.isna(score):
        return None
    return rubric.scale[round(float(score) * (len(rubric.scale) - 1))]


def _choice(name: str, value: int) -> dict[str, Any]:
    return {
        "id": name,
        "from_name": name,
        "to_name": "edited",
        "type": "choices",
        "value": {"choices": [str(value)]},
    }


def _text(value: Any) -> str:
    return "" if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)) else str(value)
