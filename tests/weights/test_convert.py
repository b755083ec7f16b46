"""Pickles are read without being run, and what is written is the same bytes every time."""

from __future__ import annotations

import builtins
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from edit_metrics.errors import WeightsError
from edit_metrics.weights.convert import convert, flax_to_torch_layout, read_array_pickle, to_safetensors


class Payload:
    """Pickles to a call of ``function(*arguments)``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.arguments


def tree(rng: np.random.Generator) -> dict[str, Any]:
    kernel = rng.normal(size=(5, 3, 2, 4)).astype(np.float32)
    return {
        "Net_0": {"Conv_0": {"kernel": kernel, "bias": np.arange(4, dtype=np.float32)}},
        "NetLinLayer_0": {"Conv_0": {"kernel": np.ones((1, 1, 4, 1), np.float32)}},
    }


@pytest.mark.parametrize("protocol", [3, 4])
def test_a_pickle_of_arrays_reads_as_the_plain_unpickler_reads_it(protocol: int, rng: np.random.Generator) -> None:
    expected = tree(rng)
    found = read_array_pickle(pickle.dumps(expected, protocol=protocol))
    np.testing.assert_array_equal(found["Net_0"]["Conv_0"]["kernel"], expected["Net_0"]["Conv_0"]["kernel"])
    np.testing.assert_array_equal(found["Net_0"]["Conv_0"]["bias"], expected["Net_0"]["Conv_0"]["bias"])


def test_an_array_in_fortran_order_keeps_its_elements_in_place(rng: np.random.Generator) -> None:
    array = np.asfortranarray(rng.normal(size=(3, 4)))
    np.testing.assert_array_equal(read_array_pickle(pickle.dumps({"a": array}, protocol=4))["a"], array)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (os.system, ("touch {marker}",)),
        (builtins.exec, ("open({marker!r}, 'w')",)),
        (builtins.eval, ("open({marker!r}, 'w')",)),
        (Path, ("{marker}",)),
        (np.load, ("{marker}",)),
        (builtins.getattr, (np, "save")),
    ],
)
def test_a_pickle_that_calls_anything_is_refused_and_not_run(
    tmp_path: Path, protocol: int, function: Any, arguments: tuple[Any, ...]
) -> None:
    marker = str(tmp_path / "it_ran")
    filled = [part.format(marker=marker) if isinstance(part, str) else "numpy" for part in arguments]
    data = pickle.dumps({"Net_0": Payload(function, *filled)}, protocol=protocol)
    with pytest.raises(WeightsError, match="asks for"):
        read_array_pickle(data)
    assert not Path(marker).exists()


def test_an_array_of_python_objects_is_refused() -> None:
    with pytest.raises(WeightsError, match="O8"):
        read_array_pickle(pickle.dumps({"a": np.array([{}, []], dtype=object)}, protocol=4))


@pytest.mark.parametrize("value", [{"a": "text"}, {"a": [1, 2]}, [1], {"a": None}])
def test_anything_but_nested_dicts_of_arrays_is_refused(value: Any) -> None:
    with pytest.raises(WeightsError, match="nested dicts of numpy arrays"):
        read_array_pickle(pickle.dumps(value, protocol=2))


def test_a_damaged_pickle_is_reported_as_such(rng: np.random.Generator) -> None:
    whole = pickle.dumps(tree(rng), protocol=4)
    with pytest.raises(WeightsError, match="pickle of numpy arrays"):
        read_array_pickle(whole[: len(whole) // 2])


def test_a_torch_checkpoint_that_calls_anything_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "it_ran"
    torch.save({"a": Payload(os.system, f"touch {marker}")}, tmp_path / "bad.pth")
    with pytest.raises(WeightsError, match="tensors alone"):
        convert(tmp_path / "bad.pth", tmp_path / "out.safetensors", "torch_pickle_to_safetensors")
    assert not marker.exists()


def test_kernels_change_from_hwio_to_oihw(rng: np.random.Generator) -> None:
    source = tree(rng)
    tensors = flax_to_torch_layout(source)
    assert list(tensors) == ["conv0.weight", "conv0.bias"]
    assert tensors["conv0.weight"].shape == (4, 2, 5, 3)
    assert tensors["conv0.weight"][3, 1, 4, 2] == source["Net_0"]["Conv_0"]["kernel"][4, 2, 1, 3]


def test_the_safetensors_library_reads_what_is_written(rng: np.random.Generator) -> None:
    tensors = {"b": rng.normal(size=(3, 5)).astype(np.float32), "a": np.array(7, dtype=np.int64)}
    found = safetensors.numpy.load(to_safetensors(tensors))
    assert set(found) == {"a", "b"}
    np.testing.assert_array_equal(found["b"], tensors["b"])
    np.testing.assert_array_equal(found["a"], tensors["a"])


def test_a_torch_checkpoint_keeps_its_order_in_the_names(tmp_path: Path) -> None:
    state = {"z.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2, dtype=torch.int64)}
    torch.save(state, tmp_path / "net.pth")
    convert(tmp_path / "net.pth", tmp_path / "net.safetensors", "torch_pickle_to_safetensors")
    found = safetensors.numpy.load_file(tmp_path / "net.safetensors")
    assert sorted(found) == ["000.z.weight", "001.a.bias"]
    np.testing.assert_array_equal(found["000.z.weight"], state["z.weight"].numpy())


def test_the_same_arrays_give_the_same_bytes(rng: np.random.Generator) -> None:
    tensors = flax_to_torch_layout(tree(rng))
    copies = {name: np.asfortranarray(tensor.copy()) for name, tensor in tensors.items()}
    assert to_safetensors(tensors) == to_safetensors(copies)
