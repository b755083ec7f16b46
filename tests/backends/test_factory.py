"""Config sections to backends, and what is known of a backend before it is built."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
import yaml

from edit_metrics.backends import base, registry
from edit_metrics.backends.factory import build_backend, describe_backend, weights_of
from edit_metrics.backends.registry import known_backends
from edit_metrics.backends.stub import StubPerceptual, StubSafety
from edit_metrics.errors import ConfigError, MissingExtraError, WeightsError
from edit_metrics.weights import store
from edit_metrics.weights.catalogue import CATALOGUE

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def profiles() -> list[tuple[str, dict[str, Any]]]:
    documents = [(path.stem, yaml.safe_load(path.read_text())) for path in sorted(CONFIGS.glob("*.yaml"))]
    return [(name, document["backends"]) for name, document in documents if document and "backends" in document]


def test_a_section_becomes_the_backend_that_it_names() -> None:
    backend = build_backend("safety", {"use": "stub"}, device="cpu", threads=1)
    assert isinstance(backend, StubSafety)


@pytest.mark.parametrize(
    ("role", "section", "hint"),
    [
        ("safty", {"use": "stub"}, "safety"),
        ("safety", {"use": "open_nsfv"}, "open_nsfw"),
        ("safety", {}, "None"),
        ("perceptual", {"use": "lpips", "nett": "alex"}, "net"),
        ("perceptual", {"use": "lpips", "net": "alexnet"}, "alex"),
        ("perceptual", {"use": "lpips", "dtype": "float16"}, "float32"),
        ("perceptual", {"use": "lpips", "device": "cpu"}, "device"),
    ],
)
def test_an_unknown_role_name_option_or_value_is_a_config_error_with_a_hint(
    role: str, section: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ConfigError, match=hint):
        describe_backend(role, section)


def test_every_backend_can_be_described() -> None:
    known = known_backends()
    assert {"clip", "conse", "faces", "iqa", "ocr", "patches", "perceptual", "safety", "safety_second"} <= set(known)
    for role, backends in known.items():
        for spec in backends.values():
            assert callable(spec.kind.describe), (role, spec.name)
            assert callable(spec.kind.weights), (role, spec.name)
            assert bool(spec.packages) == bool(spec.extra), (role, spec.name)


def test_any_package_may_register_a_backend_and_a_taken_name_says_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_BACKENDS", {role: dict(names) for role, names in known_backends().items()})
    registry.backend("red", "safety", "mood")(StubSafety)
    assert isinstance(build_backend("mood", {"use": "red"}), StubSafety)
    with pytest.raises(
        ConfigError, match=r"'red', which edit_metrics\.backends\.stub has registered for the role 'mood'"
    ):
        registry.backend("red", "mood")(type("Other", (), {}))


@pytest.mark.parametrize(("wants", "gram"), [(None, True), ({"gram"}, True), ((), False)])
def test_what_a_backend_computes_on_demand_is_set_by_what_is_wanted_and_is_no_option(
    wants: Collection[str] | None, gram: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnDemand(StubPerceptual):
        on_demand = ("gram",)

        def __init__(self, *, side: int = 8, gram: bool = True) -> None:
            self.given = (side, gram)

    monkeypatch.setattr(registry, "_BACKENDS", {role: dict(names) for role, names in known_backends().items()})
    registry.backend("on_demand", "perceptual")(OnDemand)
    assert build_backend("perceptual", {"use": "on_demand", "side": 4}, wants=wants).given == (4, gram)
    with pytest.raises(ConfigError, match="option of the backend 'on_demand'"):
        describe_backend("perceptual", {"use": "on_demand", "gram": False})


def test_missing_weights_are_found_without_building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.ENVIRONMENT_VARIABLE, str(tmp_path))
    section = {"use": "lpips", "net": "vgg"}
    assert weights_of("perceptual", section) == ("lpips.vgg",)
    with pytest.raises(WeightsError, match=r"lpips\.vgg"):
        store.require(weights_of("perceptual", section))
    with pytest.raises(WeightsError, match=r"lpips\.vgg"):
        build_backend("perceptual", section, device="cpu")


def test_a_fingerprint_needs_no_weights_on_disk_and_follows_the_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.ENVIRONMENT_VARIABLE, str(tmp_path))
    plain = describe_backend("perceptual", {"use": "lpips"})
    assert plain.weights["convolutions"] == CATALOGUE["lpips.alex"].files[0].sha256
    others = [
        describe_backend("perceptual", {"use": "lpips", **option})
        for option in ({"net": "vgg"}, {"max_side": 512}, {"dtype": "bfloat16"})
    ]
    assert all(other != plain for other in others)
    assert describe_backend("perceptual", {"use": "lpips", "batch_pixels": 1}) == plain


@pytest.mark.parametrize(("profile", "sections"), profiles(), ids=[name for name, _ in profiles()])
def test_pulling_a_profile_brings_all_that_its_backends_load(profile: str, sections: dict[str, Any]) -> None:
    needed = {name for role, section in sections.items() for name in weights_of(role, section)}
    assert needed <= {name for name, weight in CATALOGUE.items() if profile in weight.profiles}


def test_a_missing_package_names_the_extra_and_a_broken_one_shows_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingExtraError, match=r"edit-metrics\[embedded\]"):
        base.require_package("no_such_package_of_ours", "embedded", "a test")
    (tmp_path / "broken_package_of_ours.py").write_text("import no_such_dependency")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        base.require_package("broken_package_of_ours", "embedded", "a test")


def test_describing_every_shipped_profile_imports_no_torch() -> None:
    code = (
        "import sys, yaml, pathlib\n"
        "from edit_metrics.backends.factory import describe_backend\n"
        f"document = yaml.safe_load(pathlib.Path({str(CONFIGS / 'embedded.yaml')!r}).read_text())\n"
        "for role, section in document['backends'].items():\n"
        "    describe_backend(role, section)\n"
        "print('torch' in sys.modules, 'onnxruntime' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CONFIGS.parent)
    assert done.stdout.split() == ["False", "False"]
