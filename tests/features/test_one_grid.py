"""What is laid beside each other lies on one grid: from declarations alone, and the declarations are held to arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_grids import CAPS, HEIGHT, WIDTH, plan, score, variants

from edit_metrics import registry
from edit_metrics.computation import Computation
from edit_metrics.config import Config, load_config
from edit_metrics.engine.plan import build_plan
from edit_metrics.errors import ConfigError
from edit_metrics.evidence import registry as pictures
from edit_metrics.evidence.registry import all_evidence, evidence
from edit_metrics.evidence.writer import EvidenceWriter
from edit_metrics.one_grid import check_grids
from edit_metrics.pixels.lab import LabPair
from edit_metrics.registry import NOWHERE, all_features, all_metrics, feature, get_feature, get_metric, metric
from edit_metrics.types import RGB, Direction, Grid, Mask

SIZES = {Grid.NATIVE: (HEIGHT, WIDTH), Grid.WORKING: (361, 480), Grid.PERCEPTUAL: (255, 340)}


def everything() -> list[Computation]:
    """Of this package."""
    registry.load_all()
    return [*all_features(), *all_metrics(), *registry._LABELS.values(), *all_evidence().values()]


@pytest.fixture
def scratch() -> Iterator[None]:
    """What a test registers is gone afterwards."""
    everything()
    tables: tuple[dict[str, Any], ...] = (registry._METRICS, registry._FEATURES, pictures._EVIDENCE)
    saved = [dict(table) for table in tables]
    yield
    for table, before in zip(tables, saved, strict=True):
        table.clear()
        table.update(before)


def register(**declared: Any) -> Callable[[Callable[..., float]], Callable[..., float]]:
    return metric(
        "quality.scratch", direction=Direction.NEITHER, bounds=(None, None), unit="", identity="a test", **declared
    )


def config() -> Config:
    return load_config("embedded", overrides=["dimensions.quality.metrics=[+scratch]"])


def refusal() -> str:
    with pytest.raises(ConfigError) as caught:
        build_plan(config())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_of_this_package_lays_two_grids_beside_each_other() -> None:
    check_grids(everything())


def test_each_exception_of_this_package_is_needed() -> None:
    excepted = [(spec, parameter) for spec in everything() for parameter in spec.off_grid]
    assert len(excepted) > 8
    for spec, parameter in excepted:
        without = replace(spec, off_grid=tuple(one for one in spec.off_grid if one != parameter))
        with pytest.raises(ConfigError, match=f"parameters of '{spec.name}' that lie on one grid"):
            check_grids([without])


@pytest.mark.usefixtures("scratch")
def test_a_metric_that_mixes_grids_is_refused_when_the_plan_is_made_and_told_what_to_declare() -> None:
    def darker(source: RGB, labs: LabPair, mask: Mask | None = None) -> float:
        return float(labs.source[..., 0].mean() - source.mean())

    register()(darker)
    said = refusal()
    assert "Expected parameters of 'quality.scratch' that lie on one grid" in said
    assert "got source, mask on the native grid beside labs on the working grid, which are two sizes" in said
    assert f"{__name__}, {__file__}:" in said
    assert "Declare grid=Grid.WORKING, which feeds source, mask from there." in said
    assert "off_grid=('source',)" in said
    for declared in ({"grid": Grid.WORKING}, {"off_grid": ("source", "mask")}):
        del registry._METRICS["quality.scratch"]
        register(**declared)(darker)
        assert "quality.scratch" in build_plan(config()).computed


def by_hand(area: Mask, changed_pixels: Mask) -> float:
    return float((area & changed_pixels).mean())


def no_core(kept_core: Mask, mask: Mask, changed_pixels: Mask) -> float:
    return float((kept_core & mask & changed_pixels).mean())


def two_caps(changed_pixels: Mask, rest: Mask) -> float:
    return float((changed_pixels & rest).mean())


@pytest.mark.parametrize(
    ("function", "declared", "remedy"),
    [
        (by_hand, {"features": {"area": "mask"}}, 'Map features={"area": "working_mask"}.'),
        (by_hand, {"features": {"area": "mask"}, "grid": Grid.WORKING}, 'Map features={"area": "working_mask"}.'),
        (no_core, {}, "There is no kept_core on the working grid: read another feature, or make one."),
        (two_caps, {"features": {"rest": "perceptual_mask"}}, "Bring them onto one grid in a feature of your own."),
    ],
)
@pytest.mark.usefixtures("scratch")
def test_what_to_do_fits_what_is_mixed(
    function: Callable[..., float], declared: Mapping[str, Any], remedy: str
) -> None:
    register(**declared)(function)
    assert remedy in refusal()


@pytest.mark.usefixtures("scratch")
def test_features_on_the_way_and_evidence_pictures_are_checked_too(tmp_path: Path) -> None:
    @feature(lies_on=Grid.NATIVE)
    def scratch_dark(source: RGB) -> Mask:
        return np.asarray(source.max(axis=2) < 20, np.bool_)

    @feature()
    def scratch_changed_dark(scratch_dark: Mask, changed_pixels: Mask) -> float:
        return float((scratch_dark & changed_pixels).mean())

    @register()
    def scratch_metric(scratch_changed_dark: float) -> float:
        return scratch_changed_dark

    assert "parameters of 'scratch_changed_dark'" in refusal()

    @evidence("scratch", caption="changed")
    def scratch_picture(edited: RGB, changed_pixels: Mask) -> RGB:
        return np.asarray(edited * changed_pixels[..., None], np.uint8)

    computed = build_plan(load_config("embedded")).computed
    with pytest.raises(ConfigError, match="'scratch' that lie on one grid, got edited on the native grid beside"):
        EvidenceWriter(load_config("embedded"), computed, tmp_path, "all")  # type: ignore[arg-type]


@pytest.mark.usefixtures("scratch")
def test_declarations_that_cannot_be_are_refused_where_they_stand() -> None:
    def alone(labs: LabPair) -> float:
        return float(labs.source.mean())

    with pytest.raises(ConfigError, match=r"parameters of the function in off_grid=, got 'mask'"):
        register(off_grid=("mask",))(alone)
    with pytest.raises(ConfigError, match=r"lies_on=Grid\.… or NOWHERE, got 'worknig'"):
        feature("scratch_alone", lies_on="worknig")(alone)
    feature("scratch_alone", grid=Grid.WORKING, lies_on=NOWHERE)(alone)
    feature("scratch_other", grid=Grid.WORKING)(alone)
    assert get_feature("scratch_alone").lies_on is None
    assert get_feature("scratch_other").lies_on is Grid.WORKING
    assert get_metric("preservation.psnr").off_grid == ()


def arrays(value: object) -> Iterator[tuple[int, ...]]:
    """Height and width of all arrays in it that have both."""
    if isinstance(value, np.ndarray):
        if value.ndim > 1:
            yield value.shape[:2]
    elif is_dataclass(value):
        yield from (one for part in fields(value) for one in arrays(getattr(value, part.name)))
    elif isinstance(value, tuple | list):
        yield from (one for part in value for one in arrays(part))


OF_ITS_OWN_SIZE = {"working_edited_native", "perceptual_edited_native"}
"""E's, which here is S's."""


def test_what_a_feature_says_that_it_lies_on_is_the_grid_of_its_arrays(tmp_path: Path) -> None:
    seen: set[str] = set()
    wrong: list[tuple[str, str, set[tuple[int, ...]]]] = []

    def look(_: object, held: Mapping[str, Any]) -> None:
        for one in all_features():
            found = set(arrays(held.get(one.name))) & set(SIZES.values())
            right = set() if one.lies_on is None else {SIZES[one.lies_on]}
            if found:
                seen.add(one.name)
            if found and found != right and one.name not in OF_ITS_OWN_SIZE:
                wrong.append((one.name, str(one.lies_on), found))

    names = [one.name for one in all_features()]
    for name in ("masked", "unmasked", "moved", "reframed"):
        score(tmp_path, plan(*CAPS), *variants()[name], watch=look, keep=names)
    assert wrong == []
    laid = {name for name in plan(*CAPS).computed.intersection(names) if get_feature(name).lies_on is not None}
    assert laid <= seen
    assert len(laid) > 30
