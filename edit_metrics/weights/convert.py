"""Pickled checkpoints to safetensors, without ever running what a pickle says.

A pickle is a program. The flax checkpoints are read by an unpickler that knows three names, and each of them stands
for a plain data holder of this file: no class or function of another package is reached. Torch checkpoints go through
``torch.load(weights_only=True)``.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.errors import WeightsError
from edit_metrics.weights.entries import Conversion

Array = NDArray[Any]

_SAFETENSORS_DTYPES: Final = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64"}
_PICKLE_DTYPES: Final = frozenset({"f4", "f8", "i4", "i8"})


def convert(original: Path, target: Path, conversion: Conversion) -> None:
    """Write ``original`` as safetensors to ``target``.

    Raises:
        WeightsError: the original holds anything but named arrays.
    """
    if conversion == "flax_pickle_to_safetensors":
        tensors = flax_to_torch_layout(read_array_pickle(original.read_bytes(), where=str(original)))
    elif conversion == "torch_pickle_to_safetensors":
        tensors = _read_torch_pickle(original)
    else:
        raise ValueError(f"nothing to convert: {conversion!r}")
    target.write_bytes(to_safetensors(tensors))


def to_safetensors(tensors: Mapping[str, Array]) -> bytes:
    """Named arrays in the safetensors format, in the order given.

    Written here because the hash of the result is pinned: the library promises the format, not the bytes of its header.
    """
    header: dict[str, dict[str, Any]] = {}
    chunks: list[bytes] = []
    end = 0
    for name, tensor in tensors.items():
        dtype = _SAFETENSORS_DTYPES[str(tensor.dtype)]
        chunk = np.ascontiguousarray(tensor).astype(tensor.dtype.newbyteorder("<"), copy=False).tobytes()
        start, end = end, end + len(chunk)
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [start, end]}
        chunks.append(chunk)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data must start at a multiple of 8
    return b"".join([len(text).to_bytes(8, "little"), text, *chunks])


def flax_to_torch_layout(tree: Mapping[str, Any]) -> dict[str, Array]:
    """``{'AlexNet_0': {'Conv_0': {'kernel', 'bias'}}, …}`` to ``{'conv0.weight', 'conv0.bias', …}``, kernels OIHW.

    The linear layers of LPIPS, which the same files carry, are left out: the ``lpips`` package brings its own.
    """
    network = next((branch for name, branch in tree.items() if not name.startswith("NetLinLayer")), None)
    if not isinstance(network, Mapping):
        raise WeightsError("a tree with one convolutional network", f"the branches {sorted(tree)}")
    tensors: dict[str, Array] = {}
    for index in range(len(network)):
        layer = network[f"Conv_{index}"]
        tensors[f"conv{index}.weight"] = np.ascontiguousarray(layer["kernel"].transpose(3, 2, 0, 1))
        tensors[f"conv{index}.bias"] = layer["bias"]
    return tensors


def read_array_pickle(data: bytes, where: str = "") -> dict[str, Any]:
    """Read a pickle of nested dicts whose leaves are numpy arrays, and refuse any other.

    Raises:
        WeightsError: it names anything but numpy's array reconstruction, or is damaged.
    """
    try:
        tree = _unwrap(_ArrayUnpickler(io.BytesIO(data)).load())
    except WeightsError:
        raise
    except Exception as error:  # a damaged pickle may raise nearly anything, and all of it means the same
        raise WeightsError("a pickle of numpy arrays", f"{type(error).__name__}: {error}", where) from error
    if not isinstance(tree, dict):
        raise WeightsError("nested dicts of numpy arrays", type(tree).__name__, where)
    return tree


class _Dtype:
    """Stands for ``numpy.dtype`` while a pickle is read."""

    def __init__(self, code: str, *_flags: object) -> None:
        if code not in _PICKLE_DTYPES:
            raise WeightsError(f"arrays of {', '.join(sorted(_PICKLE_DTYPES))}", repr(code))
        self.code = code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", "|", "="):
            raise WeightsError("little-endian arrays", repr(state[1]))


class _Ndarray:
    """Stands for ``numpy.ndarray`` while a pickle is read."""

    value: Array

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, is_fortran, data = state
        if not isinstance(dtype, _Dtype) or not isinstance(data, bytes):
            raise WeightsError("an array's plain bytes", f"{type(dtype).__name__}, {type(data).__name__}")
        flat = np.frombuffer(data, dtype=f"<{dtype.code}")
        self.value = flat.reshape(shape, order="F" if is_fortran else "C")


def _reconstruct(kind: object, *_shape_and_typecode: object) -> _Ndarray:
    if kind is not _Ndarray:
        raise WeightsError("plain numpy arrays", repr(kind))
    return _Ndarray()


class _ArrayUnpickler(pickle.Unpickler):
    _KNOWN: Final[Mapping[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): _Ndarray,
        ("numpy", "dtype"): _Dtype,
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return self._KNOWN[module_name, global_name]
        except KeyError:
            raise WeightsError(
                "a pickle of numpy arrays alone",
                f"one that asks for {module_name}.{global_name}",
                todo="It was refused unread: a pickle can run any code. Do not load this file by other means.",
            ) from None


def _unwrap(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(name): _unwrap(child) for name, child in node.items()}
    if isinstance(node, _Ndarray):
        return node.value
    raise WeightsError("nested dicts of numpy arrays", type(node).__name__)


def _read_torch_pickle(path: Path) -> dict[str, Array]:
    """A state dict, each name led by its position (``007._bn0.bias``): readers sort by name, loaders need the order."""
    import torch  # not in backends/, on purpose: what is in the cache is safe before any backend opens it

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).split(".", 1)[0]
        todo = "It was refused: a checkpoint can run any code. Do not load this file by other means."
        raise WeightsError("a torch checkpoint of tensors alone", reason, str(path), todo) from error
    return {f"{position:03d}.{name}": tensor.numpy() for position, (name, tensor) in enumerate(state.items())}
