"""The verb as a whole, and faults that are not on the list of published bugs."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest_doctor import Doctor, failed

from edit_metrics import registry
from edit_metrics.cli import main
from edit_metrics.config import validate_config
from edit_metrics.doctor import environment
from edit_metrics.doctor.checks import Check, Finding, State, is_healthy, run_test
from edit_metrics.doctor.environment import check_environment
from edit_metrics.engine import inputs
from edit_metrics.engine.plan import build_plan
from edit_metrics.io import formats
from edit_metrics.registry import get_metric

PLAIN: dict[str, Any] = {"dimensions": {"preservation": {"metrics": ["mae", "kept_share"]}}}
SAFETY: dict[str, Any] = {
    "backends": {"safety": {"use": "open_nsfw"}},
    "dimensions": {"safety": {"metrics": ["nudity_max"]}, "preservation": {"metrics": ["kept_share"]}},
}


def test_tables_go_to_stdout_and_the_verdict_to_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text(yaml.safe_dump({"profile": "plain", **PLAIN}))
    monkeypatch.setattr(sys, "argv", ["edit-metrics", "doctor", "--config", str(file)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    printed = capsys.readouterr()
    for words in ("environment", "self-tests", "known bugs", "speed", "identity_values", "nan_turned_into_a_number"):
        assert words in printed.out
    assert "plain: healthy" in printed.err


def test_a_missing_weight_fails_with_the_command_that_fetches_it(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDIT_METRICS_MODELS", str(tmp_path / "none"))
    code, checks = doctor(SAFETY)
    assert code == 1
    assert failed(checks) == {"open_nsfw", "load_safety"}
    assert "edit-metrics models pull open_nsfw" in checks["open_nsfw"]["detail"]
    assert checks["mask_complement"]["state"] == "pass"


def test_a_corrupt_weight_fails(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "open_nsfw"
    folder.mkdir()
    from edit_metrics.weights.catalogue import get

    (folder / get("open_nsfw").files[0].name).write_bytes(b"not the model")
    monkeypatch.setenv("EDIT_METRICS_MODELS", str(tmp_path))
    code, checks = doctor(SAFETY)
    assert code == 1
    assert "the catalogue pins" in checks["open_nsfw"]["detail"]


def test_an_unknown_metric_is_the_callers_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text("profile: x\ndimensions: {preservation: {metrics: [pnsr]}}\n")
    monkeypatch.setattr(sys, "argv", ["edit-metrics", "doctor", "--config", str(file)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "preservation.psnr" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bug", "name"),
    [
        (lambda source, edited, kept: 1 / 0, "nothing_failed"),
        (lambda source, edited, kept: 1.5, "declared_bounds"),
        (lambda source, edited, kept: 0.25, "identity_values"),
        (lambda source, edited, kept: float(edited.mean()) / 255, "symmetry"),
        (lambda source, edited, kept: float(edited[:, :9].mean()) / 255, "horizontal_flip"),
        (
            lambda source, edited, kept: float(abs(edited - source).mean()) / 255,
            "inside_the_mask_does_not_matter",
        ),
        (lambda source, edited, kept: 0.0, "monotone_noise"),
        (lambda source, edited, kept=None: 0.0, "missing_values_are_typed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_metric_that_breaks_a_property_is_named(
    bug: Any, name: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = "preservation.psnr" if name == "missing_values_are_typed" else "preservation.mae"
    honest = get_metric(which)
    bugged = replace(honest, function=bug)
    if name == "missing_values_are_typed":
        bugged = replace(bugged, inputs={"source": "source", "edited": "edited"}, optional={"kept": "kept"})
    monkeypatch.setitem(registry._METRICS, which, bugged)
    code, checks = doctor({"dimensions": {"preservation": {"metrics": [which.split(".")[1], "kept_share"]}}})
    assert code == 1
    assert name in failed(checks)


def test_an_orientation_tag_that_is_not_applied_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_TRANSPOSES", {})
    code, checks = doctor(PLAIN)
    assert (code, failed(checks)) == (1, {"decode_traps"})
    assert "exif_orientation" in checks["decode_traps"]["detail"]


def test_a_mask_read_the_wrong_way_round_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = inputs.decode_mask_bytes
    monkeypatch.setattr(
        inputs, "decode_mask_bytes", lambda data, limits, white, *, where: decode(data, limits, "edited", where=where)
    )
    code, checks = doctor(PLAIN)
    assert (code, failed(checks)) == (1, {"mask_polarity"})


def test_a_value_that_depends_on_the_batch_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    from edit_metrics.backends.stub import StubEncoder

    encode = StubEncoder.encode_images

    def leaning(self: StubEncoder, pictures: Any) -> Any:
        found = encode(self, pictures)
        mixed = found + 0.2 * found.mean(axis=0)
        return (mixed.T / (mixed**2).sum(axis=1) ** 0.5).T

    monkeypatch.setattr(StubEncoder, "encode_images", leaning)
    profile = {"backends": {"conse": {"use": "stub"}}, "dimensions": {"adherence": {"metrics": ["conse_t"]}}}
    code, checks = doctor(profile)
    assert code == 1
    assert "batch_of_one_equals_batch" in failed(checks)


def test_two_opencv_distributions_are_a_warning_where_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"opencv-python": "5.0", "opencv-python-headless": "4.9"}
    monkeypatch.setattr(environment, "_version", versions.get)
    checks = {c.name: c for c in check_environment(validate_config({"profile": "x"}, "test"), _empty_plan())}
    assert checks["opencv"].state is State.WARN
    assert "opencv-python 5.0 and opencv-python-headless 4.9" in checks["opencv"].detail


def test_two_opencv_distributions_of_one_version_are_what_pip_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_version", {"opencv-python": "5.0", "opencv-python-headless": "5.0"}.get)
    checks = {c.name: c for c in check_environment(validate_config({"profile": "x"}, "test"), _empty_plan())}
    assert checks["opencv"].state is State.PASS


def test_a_missing_extra_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    config = validate_config({"profile": "x", **SAFETY}, "test")
    monkeypatch.setattr(environment, "_version", lambda name: None)
    checks = {c.name: c for c in check_environment(config, build_plan(config))}
    assert checks["extras"].state is State.FAIL
    assert "edit-metrics[embedded]" in checks["extras"].detail
    assert checks["packages"].state is State.FAIL


def test_a_torchvision_that_does_not_import_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    checks = {c.name: c for c in check_environment(validate_config({"profile": "x"}, "test"), _empty_plan())}
    assert checks["torch_and_torchvision"].state is State.FAIL
    assert "import torchvision fails" in checks["torch_and_torchvision"].detail


def test_a_device_that_is_not_there_is_a_failure() -> None:
    config = validate_config({"profile": "x", "engine": {"device": "cuda:99"}}, "test")
    checks = {c.name: c for c in check_environment(config, _empty_plan())}
    assert checks["device"].state is State.FAIL


def test_a_self_test_that_breaks_has_failed() -> None:
    check = run_test("self-tests", "x", lambda: Finding(1 // 0, (), ""))
    assert check.state is State.FAIL
    assert "ZeroDivisionError" in check.detail


def test_a_self_test_without_anything_to_compare_is_skipped_and_healthy() -> None:
    check = run_test("self-tests", "x", lambda: Finding(0, (), "nothing here"))
    assert check == Check("self-tests", "x", State.SKIP, "nothing to look at: nothing here")
    assert is_healthy([check, Check("environment", "y", State.WARN, "")])
    assert not is_healthy([check, Check("environment", "y", State.FAIL, "")])


def _empty_plan() -> Any:
    return build_plan(validate_config({"profile": "x"}, "test"))
