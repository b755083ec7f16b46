"""Grids with a cap: they change nothing under it, nothing leaks over it, and places are told in S's own pixels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from edit_metrics.backends.stub import StubEncoder, StubFaces, StubPerceptual, StubSafety
from edit_metrics.config import load_config
from edit_metrics.engine.definitions import score_signatures
from edit_metrics.engine.plan import Plan, build_plan
from edit_metrics.engine.scoring import Scorer
from edit_metrics.errors import ConfigError
from edit_metrics.evidence.registry import all_evidence
from edit_metrics.features.grids import picture_grid
from edit_metrics.metrics.reframing import Frame
from edit_metrics.pixels.reducing import capped_size, reduced, reduced_area
from edit_metrics.scores.facts import metric_facts
from edit_metrics.scores.items import read_items
from edit_metrics.scores.rows import ScoredItem
from edit_metrics.scores.sentences import explain_in_words
from edit_metrics.types import RGB, EditItem, Grid, Mask, Status, undefined

IMAGES = Path(__file__).resolve().parents[2] / "data" / "fixtures" / "images"
WIDTH, HEIGHT = 772, 580
CAPS = (480, 340)
BACKENDS = {"perceptual": StubPerceptual(), "safety": StubSafety(), "conse": StubEncoder(), "faces": StubFaces()}


def plan(working: int | None, perceptual: int | None) -> Plan:
    caps = {"working_grid": working, "perceptual_grid": perceptual}
    overrides = [f"features.{name}.max_side={'null' if cap is None else cap}" for name, cap in caps.items()]
    overrides.append("dimensions.preservation.metrics=[+lpips_aligned]")
    return build_plan(load_config("embedded", overrides=overrides))


def source() -> RGB:
    with Image.open(IMAGES / "coffee.png") as picture:
        return np.asarray(picture.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def region() -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(mask, (400, 280), (102, 74), 20, 0, 360, 1, -1)
    return mask.astype(np.bool_)


def edit(picture: RGB, area: Mask) -> RGB:
    edited = picture.copy()
    edited[area] = edited[area] // 2 + np.array([10, 20, 110], np.uint8)
    return edited


def score(
    folder: Path, plan: Plan, edited: RGB, mask: Mask | None = None, frame: str = "same", **keywords: Any
) -> ScoredItem:
    paths = {"source": source(), "edited": edited}
    paths |= {} if mask is None else {"mask": mask.astype(np.uint8) * 255}
    for name, picture in paths.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    names: dict[str, Any] = {name: str(folder / f"{name}.png") for name in paths}
    item = EditItem(id="one", instruction="Make the cup blue", row=0, frame=frame, **names)  # type: ignore[arg-type]
    (scored,) = Scorer(plan, BACKENDS, workers=1, **keywords).score_shard([item]).scored
    return scored


def values(scored: ScoredItem) -> dict[str, tuple[float | None, str]]:
    return {name: (one.value, one.reason) for name, one in scored.measurements.items()}


def variants() -> dict[str, tuple[RGB, Mask | None, str]]:
    small = cv2.resize(edit(source(), region()), (WIDTH * 3 // 4, HEIGHT * 3 // 4), interpolation=cv2.INTER_AREA)
    zoomed = cv2.resize(source()[40:-40, 54:-54], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    moved = np.roll(source(), (4, 4), axis=(0, 1))
    return {
        "masked": (edit(source(), region()), region(), "same"),
        "unmasked": (edit(source(), region()), None, "same"),
        "moved": (edit(moved, region()), region(), "same"),
        "smaller": (small, None, "same"),
        "reframed": (zoomed, None, "reframed"),
        "another shape": (np.ascontiguousarray(source()[:, 120:]), None, "same"),
    }


@pytest.mark.parametrize("name", variants())
def test_over_the_caps_nothing_fails_and_what_is_drawn_natively_is_drawn(tmp_path: Path, name: str) -> None:
    pictures: dict[int | None, set[str]] = {}
    found: dict[int | None, ScoredItem] = {}
    for working, perceptual in ((None, None), CAPS):

        def draw(scored: ScoredItem, held: Any, cap: int | None = working) -> None:
            pictures[cap] = {one.name for one in all_evidence().values() if one.draw(held) is not None}

        kept = {need for one in all_evidence().values() for need in one.needs}
        found[working] = score(tmp_path, plan(working, perceptual), *variants()[name], watch=draw, keep=kept)
    capped, native = found[CAPS[0]].measurements, found[None].measurements
    assert not {n: m.reason for n, m in capped.items() if m.status is Status.FAILED}
    measured = [{metric for metric, one in side.items() if one.value is not None} for side in (capped, native)]
    assert measured[0] == measured[1]
    assert pictures[CAPS[0]] == pictures[None] != set()
    assert any(native[n].value != capped[n].value for n in native)


@pytest.mark.parametrize("name", ["masked", "unmasked", "reframed"])
def test_a_picture_within_the_caps_has_the_values_of_its_own_pixels(tmp_path: Path, name: str) -> None:
    native, capped = (score(tmp_path, plan(cap, cap), *variants()[name]) for cap in (None, WIDTH))
    assert values(native) == values(capped)
    assert native.labels == capped.labels


def test_what_lies_inside_the_mask_has_no_influence_on_a_reduced_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    one = edit(source(), region())
    other = one.copy()
    other[region()] = rng.integers(0, 256, (int(region().sum()), 3), np.uint8)
    capped = plan(*CAPS)
    first, second = (score(tmp_path, capped, edited, region()).measurements for edited in (one, other))
    blind = [spec.name for spec in capped.metrics if spec.blind_inside]
    assert len([name for name in blind if first[name].value is not None]) > 20
    assert {n: first[n].value for n in blind} == {n: second[n].value for n in blind}


def test_a_shift_is_told_in_pixels_of_the_source(tmp_path: Path) -> None:
    edited, mask, _ = variants()["moved"]
    for caps in ((None, None), CAPS):
        shift = score(tmp_path, plan(*caps), edited, mask).measurements["preservation.shift_px"].value
        assert shift == pytest.approx(4 * 2**0.5, abs=0.15)


def test_a_cap_is_in_the_signatures_of_what_reads_it_alone() -> None:
    own, other = (score_signatures(plan(*caps), {}) for caps in (CAPS, (CAPS[0], CAPS[1] + 1)))
    moved = {name for name in own if own[name] != other[name]}
    assert moved == {"adherence", "preservation", "style"}


def test_a_cap_that_leaves_nothing_to_measure_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"64 or more.*got 32.*features\.working_grid\.max_side"):
        plan(32, None)


@pytest.mark.parametrize("size", [(480, 361), (386, 290), (386, 580), (193, 140), (772, 579)])
def test_a_reduced_area_holds_what_lies_in_it_whole(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    area = rng.random((HEIGHT, WIDTH)) < 0.98
    found = reduced_area(area, size)
    width, height = size
    step_y, step_x = HEIGHT / height, WIDTH / width
    for y, x in rng.integers(0, (height, width), (300, 2)):
        rows = slice(int(y * step_y + 1e-9), int(np.ceil((y + 1) * step_y - 1e-9)))
        columns = slice(int(x * step_x + 1e-9), int(np.ceil((x + 1) * step_x - 1e-9)))
        assert found[y, x] == area[rows, columns].all()
    assert reduced_area(np.ones_like(area), size).all()
    assert not reduced_area(np.zeros_like(area), size).any()


def test_an_area_of_whole_steps_is_reduced_as_exactly() -> None:
    area = np.ones((64, 64), np.bool_)
    area[5, 40] = False
    assert np.argwhere(~reduced_area(area, (4, 4))).tolist() == [[0, 2]]


def test_a_picture_under_the_cap_is_the_very_same_array() -> None:
    picture = source()
    for cap in (None, WIDTH, WIDTH + 1):
        grid = picture_grid(picture, max_side=cap)
        assert (grid.size, grid.scale) == ((WIDTH, HEIGHT), 1.0)
        assert reduced(picture, grid.size) is picture
    grid = picture_grid(picture, max_side=386)
    assert (grid.size, grid.scale) == ((386, 290), 2.0)
    assert capped_size(3000, 4000, 1000) == (750, 1000)
    assert capped_size(352, 4000, 1000) == (176, 2000)
    assert capped_size(64, 4000, 1000) == (64, 4000)


def test_a_frame_lies_where_it_lay_on_reduced_pictures() -> None:
    frame = Frame(0.8, 0.82, -12.0, 7.0, (400, 300), (320, 256), 0.9, 40)
    small = frame.between((200, 150), (160, 128))
    assert np.array(small.box) == pytest.approx(np.array(frame.box) / 2)
    assert (small.zoom, small.kept) == (pytest.approx(frame.zoom), pytest.approx(frame.kept))
    assert frame.between((400, 300), (320, 256)) is frame


def test_an_item_says_on_which_pixels_it_was_measured(tmp_path: Path) -> None:
    native, capped = (score(tmp_path, plan(*caps), source()) for caps in ((None, None), CAPS))
    assert native.labels["grids"] == "native"
    assert capped.labels["grids"] == "working 480×361, perceptual 340×255 of 772×580"
    facts = metric_facts()
    assert facts["structure.gmsd"].grid is Grid.WORKING
    assert facts["preservation.lpips"].grid is Grid.PERCEPTUAL
    assert facts["preservation.psnr"].grid is facts["quality.noise_sigma_delta"].grid is Grid.NATIVE


def test_show_says_that_an_item_was_measured_on_smaller_pictures() -> None:
    row = {"id": "a", "source": "s.png", "edited": "e.png", "preservation.score": 0.5, "preservation.status": "ok"}
    told = []
    for grids in ("native", "working 1024×768, perceptual 768×576 of 4096×3072"):
        frame = pd.DataFrame([{**row, "grids": grids}])
        told.append(explain_in_words(read_items(frame, {})[0], frame))
    assert "smaller" not in told[0]
    assert "Measured on smaller pictures (working 1024×768, perceptual 768×576 of 4096×3072)" in told[1]


def test_the_caps_of_the_page_are_a_profile(tmp_path: Path) -> None:
    page = (IMAGES.parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(extends: embedded\nfeatures:.*?)```", page, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(f"profile: mine\n{block}", encoding="utf-8")
    options = {step.spec.name: step.options for step in build_plan(load_config(file=tmp_path / "mine.yaml")).steps}
    assert options["working_grid"] == {"max_side": 2048}
    assert options["perceptual_grid"] == {"max_side": None}


def test_a_displacement_is_told_in_pixels_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, ...]] = []

    def found(pictures: RGB, *_: Any) -> Any:
        given.append(pictures.shape[:2])
        return undefined("nothing_correlates")

    monkeypatch.setattr("edit_metrics.pixels.displacement.find_displacement", found)
    spec = all_evidence()["displacement"]
    score(tmp_path, plan(*CAPS), variants()["moved"][0], watch=lambda _, held: spec.draw(held), keep=spec.needs)
    assert given == [(HEIGHT, WIDTH)]
