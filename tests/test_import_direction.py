"""Imports point one way, and nowhere in a circle; read from the source, so that a lazy import counts too.

The layers are those of the drawing in docs/architecture.md.
"""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "edit_metrics"


def read_drawing() -> tuple[tuple[frozenset[str], bool], ...]:
    """From the bottom up: the parts of each layer, and whether they may import each other."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = text.split("```text\n", 1)[1].split("```", 1)[0]
    lines = [line.split("  ", 1)[0] for line in drawing.splitlines() if line.strip()]
    parts = [(frozenset(line.replace("|", "·").replace(" ", "").split("·")), "|" not in line) for line in lines]
    return tuple(reversed(parts))


LAYERS = read_drawing()


def layer_of(part: str) -> int:
    return next(number for number, (layer, _) in enumerate(LAYERS) if part in layer)


def part_of(module: str) -> str:
    return module.split(".")[1]


def imports_of(file: Path) -> list[tuple[int, str]]:
    """Line and module of every import in a file, apart from those for type checkers alone.

    An import inside a function counts as one at the top does: it is a dependency that was put off, not one less.
    """
    found = []
    for node in import_nodes(file):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif node.module:
            # What is imported may be a module of that package.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(node.lineno, name if name in modules() else node.module) for name in names]
    return list(dict.fromkeys(found))


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def import_nodes(file: Path) -> list[ast.Import | ast.ImportFrom]:
    found: list[ast.Import | ast.ImportFrom] = []
    left: list[ast.AST] = list(parsed(file).body)
    while left:
        node = left.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            left += node.orelse
        elif not isinstance(node, ast.expr):  # no expression holds a statement
            left += ast.iter_child_nodes(node)
    return sorted(found, key=lambda node: node.lineno)


def package_files() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its import path."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def first_circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other, in a ring; none where there is no circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        return ring
    return []


def test_the_drawing_names_every_part_once_and_nothing_else() -> None:
    parts = [file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in package_files()]
    drawn = [part for layer, _ in LAYERS for part in layer]
    assert sorted(set(parts)) == sorted(drawn)


def test_no_module_imports_itself_through_others() -> None:
    """Also inside a folder. Not counted: that a submodule's import runs its packages' ``__init__``."""
    graph = {name: {module for _, module in imports_of(file)} & modules().keys() for name, file in modules().items()}
    assert len(graph) > 200  # it has read something
    assert not first_circle(graph)


def test_a_circle_would_be_found() -> None:
    assert set(first_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}
    assert first_circle({"a": {"b", "c"}, "b": {"c"}}) == []


@pytest.mark.parametrize("file", package_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(file: Path) -> None:
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    wrong = []
    for line, module in imports_of(file):
        if not module.startswith("edit_metrics."):
            continue
        other = part_of(module)
        upwards = layer_of(other) > layer_of(own)
        sideways = other != own and layer_of(other) == layer_of(own) and not LAYERS[layer_of(own)][1]
        if upwards or sideways:
            wrong.append(f"{file.name}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", package_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_torch_is_imported_where_it_computes_and_never_at_the_top(file: Path) -> None:
    # weights: reading a .pth safely takes torch.load(weights_only=True), once, when the file is pulled.
    # pixels: on a GPU the kernels of the dearest measures run beside the models (docs/decisions/0010).
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    torch_lines = [line for line, module in imports_of(file) if module.split(".")[0] in ("torch", "torchvision")]
    assert not torch_lines or own in ("backends", "weights", "pixels")
    top_level = {n.lineno for n in parsed(file).body}
    assert not top_level & set(torch_lines)
