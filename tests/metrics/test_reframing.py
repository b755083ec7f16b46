"""E on a frame of its own: found where the pictures say so, never guessed, and what is measured on it holds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from edit_metrics.metrics.frame import in_words
from edit_metrics.metrics.frame_laying import fit_by_frame, lay_on_source
from edit_metrics.metrics.preservation import masked_mse, mse_to_psnr
from edit_metrics.metrics.reframing import Frame, find_frame, is_reframed
from edit_metrics.pixels.remembered import Remembered
from edit_metrics.types import RGB, Missing

Box = tuple[float, float, float, float]


def edited_coffee() -> tuple[RGB, RGB]:
    source = np.ascontiguousarray(data.coffee())  # 400×600
    edited = source.copy()
    edited[120:200, 300:420] = (40, 90, 200)
    return source, edited


def drawn_again(picture: RGB, box: Box, size: tuple[int, int]) -> RGB:
    left, top, right, bottom = box
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    matrix = np.array([[across, 0, -left * across + (across - 1) / 2], [0, down, -top * down + (down - 1) / 2]])
    drawn = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    _, code = cv2.imencode(".jpg", drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return np.ascontiguousarray(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1])


CASES = {
    "zoom": ((30.0, 20.0, 560.0, 373.3), (600, 400)),
    "shift": ((40.0, -20.0, 640.0, 380.0), (600, 400)),
    "square": ((100.0, 0.0, 500.0, 400.0), (512, 512)),
    "sixteens": ((0.0, 0.0, 600.0, 400.0), (608, 400)),
    "zoom_out": ((-60.0, -40.0, 660.0, 440.0), (600, 400)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_frame_is_found(name: str) -> None:
    box, size = CASES[name]
    source, edited = edited_coffee()
    frame = find_frame(source, drawn_again(edited, box, size))
    assert isinstance(frame, Frame)
    assert frame.scale_x == pytest.approx(size[0] / (box[2] - box[0]), rel=0.005)
    assert frame.scale_y == pytest.approx(size[1] / (box[3] - box[1]), rel=0.005)
    for found, true, limit in zip(frame.box, box, (600, 400, 600, 400), strict=True):
        # Beyond S nothing can be seen of E's frame.
        assert min(max(found, 0), limit) == pytest.approx(min(max(true, 0), limit), abs=1)


def test_what_is_measured_on_it_is_what_was_there_before() -> None:
    source, edited = edited_coffee()
    picture = drawn_again(edited, *CASES["zoom"])
    frame = find_frame(source, picture)
    assert isinstance(frame, Frame)
    first, second, overlap = lay_on_source(source, picture, frame)
    assert overlap.mean() == pytest.approx(frame.kept, abs=0.03)
    untouched = overlap.copy()
    untouched[110:210, 290:430] = False
    error = masked_mse(first, second, untouched)
    assert not isinstance(error, Missing)
    assert mse_to_psnr(error) > 33
    np.testing.assert_array_equal(second[~overlap], first[~overlap])


@pytest.mark.parametrize("other", ["astronaut", "chelsea", "rocket"])
def test_another_picture_has_no_frame(other: str) -> None:
    found = find_frame(data.coffee(), np.ascontiguousarray(getattr(data, other)()))
    assert isinstance(found, Missing)
    assert found.reason == "no_registration"


def test_a_flat_picture_has_no_frame() -> None:
    flat = np.full((300, 400, 3), 128, np.uint8)
    assert isinstance(find_frame(flat, flat), Missing)


def test_a_turned_picture_has_no_frame() -> None:
    source, _ = edited_coffee()
    turned = cv2.warpAffine(source, cv2.getRotationMatrix2D((300, 200), 8, 1), (600, 400))
    assert isinstance(find_frame(source, turned), Missing)


def test_at_one_size_a_picture_in_its_place_is_not_reframed() -> None:
    source, edited = edited_coffee()
    frame = find_frame(source, edited)
    assert isinstance(frame, Frame)
    assert not is_reframed(frame)
    moved = drawn_again(edited, *CASES["shift"])
    frame = find_frame(source, moved)
    assert isinstance(frame, Frame)
    assert is_reframed(frame)


def test_the_grid_of_a_reframed_edit_compares_the_overlap_alone() -> None:
    source, edited = edited_coffee()
    picture = drawn_again(edited, *CASES["square"])
    frame = find_frame(source, picture)
    assert isinstance(frame, Frame)
    grid = fit_by_frame(source, picture, frame)
    assert grid.relation == "reframed"
    assert grid.cautions == ("reframed",)
    assert grid.covered.mean() == pytest.approx(2 / 3, abs=0.02)
    np.testing.assert_array_equal(grid.edited[~grid.covered], source[~grid.covered])


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (Frame(1.08, 1.08, -80, 0, (1000, 750), (1000, 810), 1, 30), "zoomed by 1.00"),
        (Frame(1.0, 1.0, -250, 0, (1000, 750), (750, 750), 1, 30), "the picture was cropped on the left"),
        (Frame(0.8, 0.8, 100, 75, (1000, 750), (1000, 750), 1, 30), "the picture was zoomed out to 0.80 and extended"),
        (Frame(1.01, 1.0, 0, 0, (1000, 750), (1010, 750), 1, 30), "a frame of another aspect"),
    ],
)
def test_words(frame: Frame, words: str) -> None:
    if words == "zoomed by 1.00":
        assert "zoomed" not in in_words(frame)
    else:
        assert words in in_words(frame)


def test_with_a_mask_no_frame_is_looked_for() -> None:
    from edit_metrics.features.pixels import asked_frame
    from edit_metrics.features.reframing import found_frame

    source, edited = edited_coffee()
    picture = drawn_again(edited, *CASES["square"])
    mask = np.zeros((400, 600), np.bool_)
    mask[120:200, 300:420] = True
    assert isinstance(asked_frame(source, picture, "reframed"), Frame)
    for found in (asked_frame(source, picture, "reframed", mask), found_frame(source, picture, mask=mask)):
        assert isinstance(found, Missing)
        assert found.reason == "mask_given"


def test_a_run_says_it_and_the_manifest_may_allow_it(tmp_path: Path) -> None:
    from PIL import Image

    import edit_metrics

    source, edited = edited_coffee()
    Image.fromarray(source).save(tmp_path / "source.png")
    Image.fromarray(drawn_again(edited, *CASES["square"])).save(tmp_path / "edited.png")
    row = {"source": str(tmp_path / "source.png"), "edited": str(tmp_path / "edited.png"), "instruction": "Add a bird"}
    rows = [row | {"id": "delivered"}, row | {"id": "allowed", "frame": "reframed"}]
    overrides = [f"backends.{role}=null" for role in ("conse", "faces", "ocr", "safety")]
    found = edit_metrics.score(rows, overrides=overrides).set_index("id")
    assert found.loc["delivered", "geometry"].startswith("reframed:1.0")
    assert found.loc["delivered", "preservation.status"] != "ok"
    assert found.loc["allowed", "preservation.status"] == "ok"
    for name in ("delivered", "allowed"):
        assert found.loc[name, "preservation.frame_kept"] == pytest.approx(2 / 3, abs=0.01)
        assert found.loc[name, "preservation.frame_new"] == pytest.approx(0, abs=0.01)
        assert found.loc[name, "preservation.frame_evidence"] == "the picture was cropped on the left and right"
        assert found.loc[name, "preservation.lpips_registered"] < 0.15
        assert found.loc[name, "preservation.ssim_registered"] > 0.8


def test_keypoints_of_a_source_are_found_once_for_its_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    from edit_metrics.metrics import frame_keypoints

    source, edited = edited_coffee()
    pictures = [drawn_again(edited, *CASES[name]) for name in ("zoom", "square")]
    fresh = []
    for picture in pictures:
        monkeypatch.setattr(frame_keypoints, "_SOURCES", Remembered(64))
        fresh.append(find_frame(source, picture))
    looked: list[tuple[int, ...]] = []
    finder = frame_keypoints._orb

    def counted(grey: frame_keypoints.Grey) -> frame_keypoints.Described:
        looked.append(grey.shape)
        return finder(grey)

    monkeypatch.setattr(frame_keypoints, "_FINDERS", ((counted, cv2.NORM_HAMMING),))
    monkeypatch.setattr(frame_keypoints, "_SOURCES", Remembered(64))
    assert [find_frame(source, picture) for picture in pictures] == fresh
    assert len(looked) == 3  # S, and two edits


@pytest.mark.parametrize(
    ("agreement", "error", "accepted"), [(0.39, 0.1, True), (0.39, 0.2, False), (0.41, 0.2, True), (0.3, 0.05, False)]
)
def test_fewer_tiles_do_where_they_agree_closely(
    agreement: float, error: float, accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edit_metrics.metrics.frame_tiles import Placed, SourceTiles

    source, edited = edited_coffee()
    placed = Placed(np.array([1.1, 1.1]), np.zeros(2), agreement, 50, error)
    monkeypatch.setattr(SourceTiles, "refine", lambda *_: placed)
    assert isinstance(find_frame(source, drawn_again(edited, *CASES["zoom"])), Frame) == accepted


def test_the_error_of_a_map_is_that_of_its_lines() -> None:
    from edit_metrics.metrics.frame_tiles import _error

    rng = np.random.default_rng(0)
    places = rng.uniform(100, 300, (30, 2))
    size = np.array([600, 400])
    found = []
    for _ in range(400):  # shifts of .2 px of noise: how far the line at the farther border is off
        left = rng.normal(0, 0.2, (30, 2))
        (b, a) = np.polyfit(places[:, 0], left[:, 0], 1)
        found.append(a + b * 600)
    errors = [_error(places, rng.normal(0, 0.2, (30, 2)), size) for _ in range(50)]
    assert np.median(errors) == pytest.approx(np.std(found), rel=0.15)
    assert _error(places[:2], left[:2], size) == np.inf


def test_the_laid_edit_of_the_grid_is_taken_over() -> None:
    source, edited = edited_coffee()
    picture = drawn_again(edited, *CASES["square"])
    frame = find_frame(source, picture)
    assert isinstance(frame, Frame)
    again = lay_on_source(source, picture, frame, fit_by_frame(source, picture, frame).edited)
    for one, other in zip(lay_on_source(source, picture, frame), again, strict=True):
        np.testing.assert_array_equal(one, other)
