"""The documentation's examples run, and its links lead somewhere."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from edit_metrics.backends import factory

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def write_onnx_mean_model(path: Path) -> None:
    """A one-node model, in protobuf wire format: the mean of a picture as its probability."""

    def varint(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)

    def field(number: int, payload: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(payload)) + payload

    def number(field_number: int, value: int) -> bytes:
        return varint(field_number << 3) + varint(value)

    def shape(*sizes: int) -> bytes:
        return b"".join(field(1, field(2, b"n") if size < 0 else number(1, size)) for size in sizes)

    def tensor(name: str, sizes: bytes) -> bytes:
        return field(1, name.encode()) + field(2, field(1, number(1, 1) + field(2, sizes)))

    axes = field(5, field(1, b"axes") + field(8, bytes([1, 2, 3])) + number(20, 7))
    keep = field(5, field(1, b"keepdims") + number(3, 0) + number(20, 2))
    node = field(1, b"x") + field(2, b"y") + field(4, b"ReduceMean") + axes + keep
    graph = (
        field(1, node) + field(2, b"g") + field(11, tensor("x", shape(-1, 3, 8, 8))) + field(12, tensor("y", shape(-1)))
    )
    path.write_bytes(number(1, 8) + field(7, graph) + field(8, number(2, 13)))


def test_the_example_backend_runs_and_is_built_from_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("edit_metrics.backends.onnx_safety")
    first, second = blocks("adding-a-backend.md", "python")
    exec(first, module.__dict__)  # noqa: S102 - the page is ours
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(factory.BACKENDS["safety"], "onnx_safety", "")  # type: ignore[arg-type]
    exec(second, {})  # noqa: S102
    monkeypatch.setenv("EDIT_METRICS_MODELS", str(tmp_path / "models"))
    write_onnx_mean_model(tmp_path / "mean.onnx")
    section = {"use": "onnx_safety", "weights": str(tmp_path / "mean.onnx"), "size": 8}
    backend = factory.build_backend("safety", section, threads=1)
    gray = np.full((20, 30, 3), 51, np.uint8)
    white = np.full((9, 9, 3), 255, np.uint8)
    both = backend.probabilities([gray, white])  # type: ignore[attr-defined]
    np.testing.assert_allclose(both[:, 0], [0.2, 1.0], atol=1e-6)
    np.testing.assert_allclose(backend.probabilities([gray]), both[:1], atol=1e-6)  # type: ignore[attr-defined]
    assert factory.describe_backend("safety", section) == backend.fingerprint


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_lead_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if not (page.parent / link).exists()]
    assert not broken
