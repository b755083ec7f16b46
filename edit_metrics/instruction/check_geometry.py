"""Geometry of the frame: flip, rotation, crop, zoom, found by registering E on S and on S's mirror image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edit_metrics.instruction.checking import judge, ramp, typed_check
from edit_metrics.instruction.edits import Edit, MoveThing, TurnFrame
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.instruction.kinds import GeometryKind
from edit_metrics.types import RGB, Float32, Float64, Missing, Noted, Result, not_applicable, undefined

WORK_SIDE: Final = 480
MAX_POINTS: Final = 800
MATCH_RATIO: Final = 0.8
"""Lowe 2004: a match counts when the second nearest descriptor is this much farther."""
MIN_INLIERS: Final = 12
CLEAR: Final = 1.5
"""How many times more inliers the better of plain and mirrored must have."""
ANGLE_TOLERANCE: Final = 5.0
GEOMETRY_EDITS: Final = (TurnFrame, MoveThing)


@dataclass(frozen=True, slots=True)
class Pose:
    """How E's frame lies on S.

    Attributes:
        mirrored: E shows S's mirror image (left and right exchanged, before the rotation).
        angle: clockwise rotation of E's content against S (or its mirror image), degrees in (−180, 180].
        share: area of E's frame over S's, in S's pixels: < 1 crop or zoom in, > 1 zoom out.
        inliers: matched points that agree.
    """

    mirrored: bool
    angle: float
    share: float
    inliers: int


@typed_check("adherence.check_geometry")
def check_geometry(
    parsed_instruction: Instruction, source: RGB, edited_native: RGB, blank: bool | None = None
) -> Result:
    """Whether the frame was flipped, rotated, cropped or zoomed as asked, by registering E on S.

    Args:
        parsed_instruction: a geometry edit of the whole picture.
        source: S, H×W×3.
        edited_native: E on its own grid; a rotation may exchange its sides.
        blank: E shows nothing.

    Returns:
        1 where the registered pose is the asked one, 0 where it is another; a crop or zoom under 15 % counts in part.
        ``not_applicable``: as :func:`.checking.judge`, ``object_geometry`` (a thing is moved, turned, resized),
        ``no_angle``. ``undefined``: ``no_registration`` (pictures without matching detail), ``symmetric_picture``.
    """

    def one(edit: Edit) -> Result:
        if not isinstance(edit, TurnFrame):
            return not_applicable("object_geometry")
        if edit.kind is GeometryKind.ROTATE and not accepted_angles(edit):
            return not_applicable("no_angle")
        pose = find_pose(source, edited_native)
        if isinstance(pose, Missing):
            return pose
        mirror = "mirrored, " if pose.mirrored else ""
        seen = f"geometry: {mirror}rotated {round(pose.angle)}° clockwise, {pose.share:.0%} of the source's frame"
        return Noted(fit_of_pose(edit, pose), (), seen)

    return judge(parsed_instruction, GEOMETRY_EDITS, one, blank)


def accepted_angles(edit: TurnFrame) -> tuple[float, ...]:
    """Clockwise angles that a rotation may have; both ways where none is said; empty where no angle is."""
    if edit.degrees is None:
        return ()
    if edit.way is None:
        return (edit.degrees, -edit.degrees)
    return (edit.degrees if edit.way == "clockwise" else -edit.degrees,)


def find_pose(source: RGB, edited: RGB) -> Pose | Missing:
    """Register E on S and on its mirror image by SIFT matches and a similarity transform (RANSAC).

    Returns:
        ``undefined(no_registration)`` under 12 agreeing points; ``undefined(symmetric_picture)`` where both fit.
    """
    frame, other = _prepare(source), _prepare(edited)
    plain, mirrored = _register(other, frame), _register(other, np.ascontiguousarray(frame[:, ::-1]))
    best, second = sorted((plain, mirrored), key=lambda found: found.inliers, reverse=True)
    if best.inliers < MIN_INLIERS:
        return undefined("no_registration")
    if best.inliers < CLEAR * second.inliers:
        return undefined("symmetric_picture")
    a, b = best.matrix[0, 0], best.matrix[1, 0]
    area = (a * a + b * b) * other.shape[0] * other.shape[1] / (frame.shape[0] * frame.shape[1])
    return Pose(best is mirrored, -math.degrees(math.atan2(b, a)), float(area), best.inliers)


def fit_of_pose(edit: TurnFrame, pose: Pose) -> float:
    """1 where a pose is the asked one, 0 where it is another; a crop or zoom under 15 % counts in part."""
    if edit.kind is GeometryKind.FLIP:
        return float(_is_flip(edit, pose))
    if edit.kind is GeometryKind.ROTATE:
        turned = any(_apart(pose.angle, angle) <= ANGLE_TOLERANCE for angle in accepted_angles(edit))
        return float(turned and not pose.mirrored)
    if pose.mirrored or _apart(pose.angle, 0) > ANGLE_TOLERANCE:
        return 0.0
    outwards = edit.kind is GeometryKind.ZOOM_OUT
    return ramp(pose.share, 1.03, 1.15) if outwards else ramp(pose.share, 0.97, 0.85)


def _is_flip(edit: TurnFrame, pose: Pose) -> bool:
    """Left-right and top-bottom flips are mirror images turned by 0° and by 180°; an unnamed axis may be either."""
    sideways, over = (_apart(pose.angle, angle) <= ANGLE_TOLERANCE for angle in (0, 180))
    if not pose.mirrored:
        return edit.either and over
    if edit.way is None:
        return sideways or over
    return over if edit.way == "vertical" else sideways


@dataclass(frozen=True, slots=True)
class _Fit:
    matrix: Float64
    inliers: int


def _prepare(image: RGB) -> RGB:
    scale = min(WORK_SIDE / max(image.shape[:2]), 1.0)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _register(moving: RGB, fixed: RGB) -> _Fit:
    nothing = _Fit(np.eye(2, 3), 0)
    sift = cv2.SIFT.create(MAX_POINTS)
    (points, features), (other_points, other_features) = (sift.detectAndCompute(g, None) for g in (moving, fixed))
    if features is None or other_features is None or min(len(points), len(other_points)) < MIN_INLIERS:
        return nothing
    pairs = cv2.BFMatcher().knnMatch(features, other_features, k=2)
    good = [m for m, second in (p for p in pairs if len(p) == 2) if m.distance < MATCH_RATIO * second.distance]
    if len(good) < MIN_INLIERS:
        return nothing
    start = np.array([points[m.queryIdx].pt for m in good], np.float32)
    end = np.array([other_points[m.trainIdx].pt for m in good], np.float32)
    cv2.setRNGSeed(0)
    matrix, inliers = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=3.0, maxIters=2000)
    return nothing if matrix is None else _Fit(np.asarray(matrix, np.float64), _distinct(end[inliers[:, 0] > 0]))


def _distinct(points: Float32) -> int:
    """How many different places, 4 px apart: one strong corner gives several descriptors."""
    return len({(round(float(x) / 4), round(float(y) / 4)) for x, y in points})


def _apart(first: float, second: float) -> float:
    return abs((first - second + 180) % 360 - 180)
