"""Config sections to backends, and what is known of a backend before it is built."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from edit_metrics.backends import base
from edit_metrics.backends.factory import BACKENDS, build_backend, describe_backend, weights_of
from edit_metrics.backends.stub import StubSafety
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


def test_every_name_of_the_table_leads_to_a_class_that_can_be_described() -> None:
    for role, names in BACKENDS.items():
        for place in names.values():
            module, _, attribute = place.partition(":")
            kind = getattr(importlib.import_module(module), attribute)
            assert callable(kind.describe), (role, place)
            assert callable(kind.weights), (role, place)


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
