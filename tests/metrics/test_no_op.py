"""An edit that did nothing is flagged; an edit that did something is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from resolving import Resolver
from skimage import data

from edit_metrics.io.images import decode_image
from edit_metrics.types import RGB, Status


def encoded(extension: str, flag: int, quality: int) -> Callable[[RGB], RGB]:
    return lambda image: np.asarray(cv2.imdecode(cv2.imencode(extension, image, [flag, quality])[1], 1), np.uint8)


COPIES: dict[str, Callable[[RGB], RGB]] = {
    "equal": lambda image: image.copy(),
    "jpeg95": encoded(".jpg", cv2.IMWRITE_JPEG_QUALITY, 95),
    "jpeg75": encoded(".jpg", cv2.IMWRITE_JPEG_QUALITY, 75),
    "jpeg30": encoded(".jpg", cv2.IMWRITE_JPEG_QUALITY, 30),
    "webp75": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 75),
    "resized": lambda image: np.asarray(cv2.resize(image, None, fx=0.992, fy=0.992, interpolation=cv2.INTER_AREA)),
    "one level": lambda image: np.where(image < 255, image + 1, image).astype(np.uint8),
}


def no_op(source: RGB, edited: RGB) -> float | None:
    return Resolver(source, edited).measure("adherence.no_op").value


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_a_copy_is_a_no_op(name: str, copy: str) -> None:
    source = np.ascontiguousarray(getattr(data, name)()[:375, :400])
    assert no_op(source, COPIES[copy](source)) == 1


def test_a_shifted_copy_is_a_no_op() -> None:
    whole = data.coffee()
    assert no_op(np.ascontiguousarray(whole[3:380, 3:500]), np.ascontiguousarray(whole[:377, :497])) == 1


def test_a_small_patch_a_tone_change_and_another_picture_are_edits() -> None:
    source = np.ascontiguousarray(data.coffee()[:375, :500])
    patched = source.copy()
    patched[100:130, 100:130] = (30, 160, 60)
    darker = (source * 0.85).astype(np.uint8)
    grey = np.repeat(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    other = np.ascontiguousarray(data.astronaut()[:375, :500])
    assert [no_op(source, edited) for edited in (patched, darker, grey, other)] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("instruction", "frame", "value"),
    [
        ("Extend the picture on all sides", "reframed", 0),
        ("outpaint it", "reframed", 0),
        ("make the cup blue", "reframed", 1),
    ],
)
def test_a_picture_extended_as_asked_is_an_edit(instruction: str, frame: str, value: float) -> None:
    source = np.ascontiguousarray(data.coffee())
    canvas = np.asarray(cv2.resize(np.ascontiguousarray(data.chelsea()), (900, 600)), np.uint8)
    canvas[100:500, 150:750] = source
    found = Resolver(source, canvas, instruction=instruction, frame=frame).measure("adherence.no_op")
    assert found.value == value


@pytest.mark.parametrize(
    ("instruction", "asked"),
    [
        ("uncrop the photo", True), ("Zoom out", True), ("expand the whole scene to the left", True),
        ("extend his arm", False), ("make the picture frame red", False), ("expand the image background", True),
    ],
)  # fmt: skip
def test_more_around_the_picture_is_asked_for_by_these_words(instruction: str, asked: bool) -> None:
    from edit_metrics.instruction.scope import asks_for_more

    assert asks_for_more(instruction, None) == asked
    assert asks_for_more(instruction, "outpainting")


def test_what_the_mask_hides_still_counts_as_an_edit() -> None:
    source = np.ascontiguousarray(data.chelsea())
    mask = np.zeros(source.shape[:2], np.bool_)
    mask[100:150, 100:150] = True
    edited = source.copy()
    edited[mask] = (250, 0, 0)
    resolver = Resolver(source, edited, mask)
    assert resolver.measure("adherence.no_op").value == 0
    assert resolver.measure("preservation.identical").value == 1


def test_small_letters_are_not_called_nothing_where_letters_were_asked_for(shared_data: Path) -> None:
    folder = shared_data / "multi_method"
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]
    for row in (row for row in rows if row["id"] in ("firered_cmp_ours", "firered_cmp_seedream4")):
        source, edited = (decode_image(str(folder / row[key])).pixels for key in ("source", "edited"))
        found = Resolver(source, edited, instruction=row["instruction"]).measure("adherence.no_op")
        assert (found.status, found.reason) == (Status.UNDEFINED, "too_small_to_see")
        assert Resolver(source, source, instruction=row["instruction"]).measure("adherence.no_op").value == 1


def test_no_real_edit_is_called_a_no_op_and_every_jpeg_copy_is(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "triples.jsonl").read_text("utf-8").splitlines()]
    flagged, missed, seen = [], [], 0
    for row in rows[::3]:
        source = decode_image(str(shared_data / row["source"])).pixels
        if source.shape[0] * source.shape[1] > 512 * 640:
            continue
        result = Resolver(source, decode_image(str(shared_data / row["edited"])).pixels).measure("adherence.no_op")
        if result.status is Status.OK:
            seen += 1
            flagged += [row["id"]] if result.value else []
        if no_op(source, COPIES["jpeg75"](source)) != 1:
            missed.append(row["id"])
    assert seen >= 12
    assert flagged == []
    assert missed == []
