"""The contract of metrics, features and labels: how inputs are bound, what is declared where they are registered."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edit_metrics import registry
from edit_metrics.computation import to_columns
from edit_metrics.config import validate_config
from edit_metrics.engine.plan import build_plan
from edit_metrics.engine.scoring import Scorer
from edit_metrics.errors import ConfigError
from edit_metrics.io.manifest import items_from_rows
from edit_metrics.registry import (
    all_metrics,
    evidence_columns,
    feature,
    get_feature,
    get_label,
    get_metric,
    label,
    metric,
    per_role,
)
from edit_metrics.types import RGB, Direction, Measurement, Missing, Noted, Result, Status, not_applicable, undefined

ROOT = Path(__file__).resolve().parent.parent
PLAIN = {"direction": Direction.NEITHER, "bounds": (None, None), "unit": ""}


@pytest.fixture(autouse=True)
def scratch_registry() -> Iterator[None]:
    """What a test registers is gone afterwards."""
    registry.load_all()
    tables = (registry._METRICS, registry._FEATURES, registry._LABELS)
    saved = [dict(table) for table in tables]
    yield
    for table, before in zip(tables, saved, strict=True):
        table.clear()
        table.update(before)  # type: ignore[arg-type]


def test_arguments_are_bound_by_name_and_a_missing_optional_one_is_none() -> None:
    @metric("quality.probe", features={"a": "source"}, **PLAIN)
    def probe(a: int, kept: int | None = None, *, floor: float = 0.5) -> float:
        return a + (kept or 0) + floor

    spec = get_metric("quality.probe")
    assert spec.needs == ("source", "kept")
    assert spec.bind({"source": 2, "kept": 3}) == {"a": 2, "kept": 3}
    assert spec.bind({"source": 2, "kept": not_applicable("no_mask")}) == {"a": 2, "kept": None}
    assert probe(2) == 2.5


def test_the_first_required_value_that_is_missing_is_what_binding_gives() -> None:
    @metric("quality.probe", requires=("kept",), **PLAIN)
    def probe(source: int, edited: int) -> float:
        return source - edited

    spec = get_metric("quality.probe")
    shape, mask = undefined("geometry_mismatch"), not_applicable("no_mask")
    assert spec.required == ("source", "edited", "kept")
    assert spec.bind({"source": 1, "edited": 1, "kept": 1}) == {"source": 1, "edited": 1}
    assert spec.bind({"source": 1, "edited": shape, "kept": mask}) == shape
    assert spec.bind({"source": 1, "edited": 1, "kept": mask}) == mask


def test_arguments_of_a_batch_stand_in_columns() -> None:
    assert to_columns([{"a": 1, "b": None}, {"a": 2, "b": 3}]) == {"a": [1, 2], "b": [None, 3]}


def test_declared_cautions_go_before_the_metrics_own_and_only_onto_values() -> None:
    metric("quality.probe", cautions="pixel_cautions", **PLAIN)(lambda source: source)
    spec = get_metric("quality.probe")
    assert spec.needs == ("source", "pixel_cautions")
    given = {"pixel_cautions": ("resized",)}
    assert spec.measurement(1.0, given) == Measurement(1.0, Status.OK, "resized")
    assert spec.measurement(Noted(1.0, ("zero_shot",)), given).cautions == ("resized", "zero_shot")
    assert spec.measurement(undefined("flat"), given) == Measurement(None, Status.UNDEFINED, "flat")
    assert spec.measurement(1.0, {"pixel_cautions": undefined("geometry_mismatch")}) == Measurement(1.0)


def test_roles_fill_in_names_features_and_the_backend() -> None:
    @feature("{role}_mood", backend="{role}", roles=("clip", "conse"), features={"picture": "source"})
    def mood(picture: RGB, backend: object) -> float:
        return float(picture.mean()) + (backend is None)

    @label("adherence.{role}_mood_word", roles=("clip", "conse"), features=per_role("mood"))
    @metric(
        "adherence.{role}_mood", roles=("clip", "conse"), features=per_role("mood"), requires=("{role}_crop",), **PLAIN
    )
    def mood_of(mood: float) -> float:
        return mood

    for role in ("clip", "conse"):
        assert get_feature(f"{role}_mood").backend == role
        assert get_feature(f"{role}_mood").inputs == {"picture": "source"}
        assert get_metric(f"adherence.{role}_mood").required == (f"{role}_mood", f"{role}_crop")
        assert get_label(f"adherence.{role}_mood_word").inputs == {"mood": f"{role}_mood"}


@pytest.mark.parametrize(("name", "roles"), [("quality.{role}_x", ()), ("quality.x", ("clip",))])
def test_roles_and_their_place_in_the_name_go_together(name: str, roles: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="role"):
        metric(name, roles=roles, **PLAIN)(lambda source: source)


def test_constants_tell_the_columns_of_one_function_apart() -> None:
    @metric("quality.double", constants={"factor": 2}, **PLAIN)
    @metric("quality.triple", constants={"factor": 3}, **PLAIN)
    def times(factor: int, source: int) -> float:
        return factor * source

    for name, value in (("quality.double", 8), ("quality.triple", 12)):
        spec = get_metric(name)
        assert spec.needs == ("source",)
        assert spec.options == ()
        assert times(**spec.bind({"source": 4})) == value


def test_the_error_for_a_taken_name_says_which_modules_want_it() -> None:
    foreign = ModuleType("mine.contrast")
    code = "def contrast(source):\n    return 1.0\n"
    exec(compile(code, "/plugins/mine/contrast.py", "exec"), foreign.__dict__)  # noqa: S102 - a stand-in for a package
    feature("contrast")(foreign.contrast)
    assert get_feature("contrast").module == "mine.contrast"
    with pytest.raises(ConfigError) as raised:
        feature("contrast")(lambda source: source)
    assert "mine.contrast has registered (/plugins/mine/contrast.py:1)" in str(raised.value)
    assert __name__ in str(raised.value)


def plan_of(*metrics: str, labels: tuple[str, ...] = ()) -> object:
    data = {"profile": "test", "labels": labels, "dimensions": {"adherence": {"metrics": metrics}}}
    return build_plan(validate_config(data, "tests"))


def test_a_check_is_one_function_that_gives_a_verdict_evidence_in_words_and_cautions() -> None:
    shared = {"bounds": (0.0, 1.0), "direction": Direction.HIGHER_IS_BETTER, "unit": "", "evidence": "adherence.why"}

    @metric("adherence.first", **shared)
    def first(source: RGB, instruction: str) -> Result:
        return Noted(1.0, ("approximate",), f"first: {instruction} on {source.shape[1]} px")

    metric("adherence.second", **shared)(lambda source: not_applicable("another_edit_type"))
    metric("adherence.third", **shared)(lambda source: Noted(0.25, evidence="third: too dark"))
    plan = plan_of("third", "second", "first", labels=("adherence.why",))
    folder = ROOT / "data" / "fixtures"
    row = next(iter((folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()))
    items = items_from_rows([json.loads(row) | {"instruction": "flip it"}], root=str(folder)).items
    (scored,) = Scorer(plan, {}).score_shard(items).scored
    assert scored.measurements["adherence.first"].value == 1.0
    assert scored.measurements["adherence.first"].cautions == ("approximate",)
    assert scored.measurements["adherence.second"].evidence == ""
    width = int(re.search(r"on (\d+) px", scored.labels["adherence.why"])[1])
    assert scored.labels == {"adherence.why": f"first: flip it on {width} px / third: too dark"}


def test_words_of_no_check_leave_the_column_empty() -> None:
    assert plan_of(labels=("adherence.check_evidence",)).evidence_columns == {
        "adherence.check_evidence": tuple(m.name for m in evidence_columns()["adherence.check_evidence"])
    }


def test_a_label_may_not_take_the_name_of_a_column_of_evidence() -> None:
    label("adherence.check_evidence")(lambda source: "x")
    with pytest.raises(ConfigError, match=r"adherence\.check_evidence"):
        evidence_columns()


def test_what_backends_compute_on_demand_is_wanted_by_what_reads_it_alone() -> None:
    data = {"profile": "test", "dimensions": {"style": {"metrics": ["gram_distance"]}}}
    assert build_plan(validate_config(data, "tests")).wants == {"gram"}
    data["dimensions"]["style"]["metrics"] = ["reference_gram_distance"]
    assert build_plan(validate_config(data, "tests")).wants == {"gram"}
    data["dimensions"] = {"preservation": {"metrics": ["lpips"]}, "style": {"metrics": ["colour_emd"]}}
    assert build_plan(validate_config(data, "tests")).wants == set()


def test_every_column_is_found_by_its_name_or_by_its_name_with_a_role() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("metrics", "instruction")
        for path in (ROOT / "edit_metrics" / folder).glob("*.py")
    )
    named = set(re.findall(r'"((?:\w+)\.(?:\w|[{}])+)"', sources))
    for spec in all_metrics():
        with_role = re.sub(r"\.(?:clip|conse)_", ".{role}_", spec.name)
        assert named & {spec.name, with_role}, spec.name


def test_no_positional_parameter_of_a_metric_goes_unread() -> None:
    for spec in all_metrics():
        if spec.function.__name__ == "<lambda>":
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(spec.function)))
        (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef))
        body = [node for statement in function.body for node in ast.walk(statement)]
        read = {node.id for node in body if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        deleted = {node.id for node in body if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)}
        unread = {*spec.inputs, *spec.optional, *spec.constants} - read
        assert not unread | deleted, (spec.name, "say requires=… instead")


def test_a_metrics_function_returns_what_the_engine_makes_a_measurement_of() -> None:
    allowed = {"float", "Noted", "Result", "float | Missing", "float | Noted | Missing"}
    for spec in all_metrics():
        assert str(inspect.signature(spec.function).return_annotation) in allowed, spec.name
    assert Measurement.of(np.float32(0.5)) == Measurement(0.5)
    assert isinstance(Missing(Status.UNDEFINED, "x"), Missing)
