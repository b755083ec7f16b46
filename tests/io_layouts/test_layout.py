"""What a layout is: a function in a file of its own, whose parameters say which options it understands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edit_metrics.errors import ConfigError, UserError
from edit_metrics.io import layout as registration
from edit_metrics.io.layout import get_layout, layout, layout_names
from edit_metrics.io.layout_rows import Converted
from edit_metrics.io.layouts import own_layouts

NOTHING = Converted((), ())


@pytest.fixture
def scratch_layouts() -> Iterator[None]:
    before = dict(registration._LAYOUTS)
    yield
    registration._LAYOUTS.clear()
    registration._LAYOUTS.update(before)


@pytest.mark.parametrize("name", own_layouts())
def test_a_file_registers_the_layout_that_it_is_called_after(name: str) -> None:
    assert get_layout(name).name == name
    assert get_layout(name).function.__module__ == f"edit_metrics.io.layouts.{name.replace('-', '_')}"


def test_an_unknown_layout_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match=r"folders, .*Did you mean 'magicbrush'"):
        get_layout("magicbush")


@pytest.mark.usefixtures("scratch_layouts")
def test_a_layout_gets_the_options_that_it_names_and_refuses_others(tmp_path: Path) -> None:
    seen: dict[str, object] = {}

    @layout("scratch")
    def read(path: Path, *, files: Path, model: str = "none") -> Converted:
        seen.update(path=path, files=files, model=model)
        return NOTHING

    assert "scratch" in layout_names()
    found = get_layout("scratch")
    assert found.read(tmp_path, tmp_path / "f", {}) is NOTHING
    assert seen == {"path": tmp_path, "files": tmp_path / "f", "model": "none"}
    found.read(tmp_path, tmp_path / "f", {"model": "m"})
    assert seen["model"] == "m"
    with pytest.raises(UserError, match=r"format 'scratch', got --edited, --column"):
        found.read(tmp_path, tmp_path / "f", {"edited": tmp_path, "columns": {}, "model": "m"})


@pytest.mark.usefixtures("scratch_layouts")
def test_a_parameter_that_is_no_option_and_a_name_that_is_taken_are_refused() -> None:
    def read_shards(path: Path, *, shards: int = 1) -> Converted:
        return NOTHING

    with pytest.raises(ConfigError, match="'shards'"):
        layout("scratch")(read_shards)
    layout("taken")(lambda path: NOTHING)
    with pytest.raises(ConfigError, match="'taken', which"):
        layout("taken")(lambda path: NOTHING)
