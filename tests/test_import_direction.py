"""Imports point one way; this reads them from the source, so that a lazy import counts too."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "edit_metrics"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"_version", "choices", "claims", "errors", "plugins", "types"}),
    frozenset({"computation", "config", "io", "pixels", "registry", "stats"}),
    frozenset({"scores"}),
    frozenset({"weights", "metrics", "dimensions", "instruction", "compare", "report"}),
    frozenset({"backends"}),
    frozenset({"features"}),
    frozenset({"engine"}),
    frozenset({"judge"}),
    frozenset({"ratings"}),
    frozenset({"calibration"}),
    frozenset({"triage"}),
    frozenset({"rate"}),
    frozenset({"doctor", "testing", "cli"}),
    frozenset({"__main__"}),
)
MAY_NOT_MEET = LAYERS[3]
"""Parts of this layer do not import each other; in the others siblings may."""


def layer_of(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def part_of(module: str) -> str:
    return module.split(".")[1]


def imports_of(file: Path) -> list[tuple[int, str]]:
    """Line and module of every import of this package in a file, apart from those for type checkers alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for statement in branch.body
        for node in ast.walk(statement)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "edit_metrics":
                found += [(node.lineno, f"edit_metrics.{alias.name}") for alias in node.names]
            else:
                found.append((node.lineno, node.module))
    return found


def package_files() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def test_every_file_belongs_to_a_layer() -> None:
    parts = {file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in package_files()}
    assert parts <= frozenset().union(*LAYERS)


@pytest.mark.parametrize("file", package_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(file: Path) -> None:
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    wrong = []
    for line, module in imports_of(file):
        if not module.startswith("edit_metrics."):
            continue
        other = part_of(module)
        upwards = layer_of(other) > layer_of(own)
        sideways = other != own and {other, own} <= MAY_NOT_MEET
        if upwards or sideways:
            wrong.append(f"{file.name}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", package_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_torch_is_imported_in_backends_only_and_never_at_the_top(file: Path) -> None:
    # weights: reading a .pth safely takes torch.load(weights_only=True), once, when the file is pulled.
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    torch_lines = [line for line, module in imports_of(file) if module.split(".")[0] in ("torch", "torchvision")]
    assert not torch_lines or own in ("backends", "weights")
    top_level = {n.lineno for n in ast.parse(file.read_text(encoding="utf-8")).body}
    assert not top_level & set(torch_lines)
