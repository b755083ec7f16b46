"""The error tree.

    EditMetricsError
    ├── UserError                 exit 2: the call or its input is wrong
    │   ├── ManifestError         a manifest that cannot be read at all (a bad row is a rejection, not an error)
    │   ├── ConfigError           unknown key, wrong type, unknown metric or backend
    │   ├── ImageError            one file that is missing, too large, or does not decode
    │   ├── TableError            a score or rating table without the columns that the verb needs
    │   ├── WeightsError          a weight that is absent, or whose bytes are not the pinned ones
    │   ├── MissingExtraError     an optional dependency that is not installed
    │   ├── JudgeError            the judge's server, key, model or settings are not what the call needs
    │   ├── SignatureError        two things that were made with different definitions
    │   └── NotEnoughDataError    fewer ratings or items than the method needs
    └── RunError                  exit 4: the run broke (disk full, a worker died too often)

Every error says what was expected, what was found, where, and what to do; the command line prints that as one
paragraph without a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from edit_metrics.printable import printable

_NO_MEMORY: Final = (
    "can't allocate memory", "cannot allocate memory", "out of memory", "insufficient memory", "bad_alloc",
    "failed to allocate", "failed to map segment", "can't start new thread",
)  # fmt: skip
"""What others say whose exceptions are no MemoryError: torch, the system (ENOMEM), OpenCV, C++, ONNX Runtime, the
loader of libraries, Python's threads."""
_NEAR: Final = 0.5
"""Similarity (``difflib``) from which on a known name may be what was meant. Of the 134 metric columns typed without
their dimension 123 are found at .5, 101 at the library's own .6; of 11 unrelated words none at .5, 5 at .4."""
_MOST_LISTED: Final = 40  # a screenful; a table of another program may have hundreds of columns


class EditMetricsError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        expected: what would have been right.
        got: what was found instead.
        where: file, line, item or option; empty when there is nothing to point at.
        todo: what the user can do about it.
    """

    exit_code = 4

    def __init__(self, expected: str, got: str, where: str = "", todo: str = "") -> None:
        self.expected = expected
        self.got = got
        self.where = where
        self.todo = todo
        super().__init__(expected, got, where, todo)

    def __str__(self) -> str:
        parts = [f"Expected {self.expected}, got {self.got}"]
        if self.where:
            parts.append(f" ({self.where})")
        parts.append(".")
        if self.todo:
            parts.append(f" {self.todo}")
        # Names and cells of strangers stand in it: one paragraph, whatever they hold.
        return printable("".join(parts))


class UserError(EditMetricsError):
    """The call or its input is wrong."""

    exit_code = 2


class ManifestError(UserError):
    """A manifest that cannot be read at all."""


class ConfigError(UserError):
    """A configuration key, value, metric or backend that does not exist or does not fit."""


class ImageError(UserError):
    """One picture file that is missing, over a limit, or does not decode.

    Args:
        code: the reason code that lands in the score table, for example ``unreadable``.
        passing: another time the file may be read: what failed is the way to it.
    """

    def __init__(
        self,
        expected: str,
        got: str,
        where: str = "",
        todo: str = "",
        *,
        code: str = "unreadable",
        passing: bool = False,
    ) -> None:
        super().__init__(expected, got, where, todo)
        self.code = code
        self.passing = passing


class TableError(UserError):
    """A table that lacks the columns, or has the values, that the verb cannot work with."""


class WeightsError(UserError):
    """A weight file that is absent, or whose bytes are not the pinned ones."""


class MissingExtraError(UserError):
    """An optional dependency that is not installed.

    Args:
        package: the import that failed.
        extra: the extra of this package that brings it.
        purpose: what it is needed for, as a noun phrase.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            expected=f"the package {package!r} for {purpose}",
            got="no such package in this environment",
            todo=f"Install it with: pip install 'edit-metrics[{extra}]'",
        )


EXTRAS: Final = {
    "accelerate": "serving",
    "cv2": "embedded",
    "dlib": "embedded",
    "lemminflect": "embedded",
    "lpips": "embedded",
    "matplotlib": "human",
    "onnxruntime": "embedded",
    "open_clip": "clip",
    "openai": "judge",
    "pyiqa": "iqa",
    "pywt": "embedded",
    "rapidocr": "embedded",
    "ray": "ray",
    "s3fs": "ray",
    "safetensors": "embedded",
    "skimage": "embedded",
    "starlette": "rate",
    "timm": "embedded",
    "tokenizers": "embedded",
    "torch": "embedded",
    "torchvision": "embedded",
    "transformers": "clip",
    "uvicorn": "rate",
}
"""Import → the extra of this package that brings it; what reads tables alone needs none."""


def missing_extra(error: ModuleNotFoundError, purpose: str) -> MissingExtraError | None:
    """What to tell a user whose environment lacks a package; None where it is none that an extra brings."""
    package = (error.name or "").partition(".")[0]
    return MissingExtraError(package, EXTRAS[package], purpose) if package in EXTRAS else None


class JudgeError(UserError):
    """The judge cannot be asked like this: no server there, a key or a model that it refuses, a setting it rejects."""


class SignatureError(UserError):
    """Two things made with different definitions, which may not be mixed."""


class NotEnoughDataError(UserError):
    """Fewer ratings, groups or items than the method needs for its promise."""


class RunError(EditMetricsError):
    """The run broke for a reason that is not the user's input."""

    exit_code = 4


def suggest(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known names, or lists some when none is near."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=_NEAR)
    if near:
        return f"Did you mean {' or '.join(repr(n) for n in near)}?"
    return f"Known: {', '.join(sorted(names)[:_MOST_LISTED])}."


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that there was no memory, on the machine or on its GPU."""
    if isinstance(error, MemoryError):
        return True
    try:
        text = str(error).casefold()
    except Exception:  # a library's exception whose own text raises
        return False
    return isinstance(error, Exception) and any(words in text for words in _NO_MEMORY)
