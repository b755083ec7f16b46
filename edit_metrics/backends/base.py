"""What a backend is: a pretrained model behind one method that takes a batch.

A backend is built once a process from its config section, is in eval mode, takes 8-bit RGB arrays and returns numpy
arrays or frozen dataclasses. Device, dtype, preprocessing and gradient mode are its own business, so that a caller
cannot get them wrong. Its fingerprint names everything that its numbers depend on.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, Literal, Protocol, runtime_checkable

from edit_metrics.errors import ConfigError, MissingExtraError, suggest
from edit_metrics.perceived import Face, PerceptualPair, TextLine
from edit_metrics.types import RGB, Float32, Mask

DTYPES: Final = ("float32", "bfloat16")
"""What ``dtype`` may be. bfloat16 is the network's alone (inputs and outputs stay float32), and only on devices that
compute it natively; others run it in float32, see :func:`edit_metrics.backends.torch_runtime.computing_dtype`."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a backend's numbers depend on: part of the score signature and of every cache key.

    Attributes:
        name: backend and model, ``open_clip/ViT-B-32``.
        weights: role of the file → its sha256.
        preprocessing: resize, crop, normalisation, in words that change when they change.
        dtype: ``float32``, ``bfloat16`` …
        version: of our code around the model, raised when its numbers change.
    """

    name: str
    weights: Mapping[str, str]
    preprocessing: str
    dtype: str = "float32"
    version: int = 1


@runtime_checkable
class Backend(Protocol):
    """What every backend has.

    Its class also has :class:`Describable`'s two class methods; its options are the keyword-only parameters of
    ``__init__``, each with a default, besides ``device``, ``threads`` and what its class attribute ``on_demand`` names,
    which the engine sets: those are true where something reads what they stand for (``gram``). A class whose methods
    may run in several threads at once says ``reentrant = True``; others run in one at a time.
    """

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`Fingerprint`."""
        ...


class Describable(Protocol):
    """What a backend's class says of an instance before it is built: nothing is loaded, torch is not imported."""

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """References (see ``edit_metrics.weights``) of what an instance with these options loads; all options given.

        Raises:
            ConfigError: an option's value does not exist.
        """
        ...

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """The fingerprint that an instance with these options has; all options given.

        Raises:
            ConfigError: an option's value does not exist.
            WeightsError: a weight whose hash is not pinned is missing.
        """
        ...


def one_of(option: str, value: Any, known: Sequence[str]) -> str:
    """The value, if it is one of the known.

    Raises:
        ConfigError: it is not; the message suggests the nearest.
    """
    if value not in known:
        expected = f"one of {', '.join(map(repr, known))} for the backend option {option!r}"
        raise ConfigError(expected, repr(value), todo=suggest(str(value), known))
    return str(value)


def require_package(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional dependency.

    Raises:
        MissingExtraError: it is not installed; the message names the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise  # it is installed, and broken: that must show as it is
        raise MissingExtraError(module, extra, purpose) from error


@dataclass(frozen=True, slots=True)
class EncoderTraits:
    """What the metrics must know of a text-image encoder.

    Attributes:
        name: model and tag, shown beside every value that carries an encoder's name.
        crop: which part of the picture the encoder sees: ``center`` (shorter side to size, centre crop), ``squash``.
        context_length: tokens that it reads, special tokens included.
        blind_below: ‖ΔI‖ under which a change of image is not told from a re-encode (docs/profiles.md): ``undefined``.
    """

    name: str
    crop: Literal["center", "squash"]
    context_length: int
    blind_below: float


class ImageTextEncoder(Backend, Protocol):
    """Role ``clip`` or ``conse``: pictures and texts in one space."""

    @property
    def traits(self) -> EncoderTraits:
        """See :class:`EncoderTraits`."""
        ...

    def encode_images(self, images: Sequence[RGB]) -> Float32:
        """N pictures of any size → N×D, unit norm."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Float32:
        """N texts → N×D, unit norm; what is over the context length is cut off."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text before truncation, special tokens included."""
        ...


class PerceptualBackbone(Backend, Protocol):
    """Role ``perceptual``: LPIPS."""

    def compare(
        self, sources: Sequence[RGB], edited: Sequence[RGB], kept: Sequence[Mask | None], *, gram: bool = True
    ) -> list[PerceptualPair]:
        """Pairs of equal size within a pair, any size between pairs; bucketed by size, never padded.

        Args:
            sources: S, each H×W×3.
            edited: E on S's grid, already filled from S wherever it must not matter.
            kept: U as weights of the Gram matrices (area-downsampled to each layer); None = everywhere.
            gram: whether the Gram distances of these pairs are read; without, ``gram_distances`` may be empty.
        """
        ...


class SafetyClassifier(Backend, Protocol):
    """Role ``safety``."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Columns of the result: ``nudity``, ``violence`` …"""
        ...

    def probabilities(self, images: Sequence[RGB]) -> Float32:
        """N pictures → N×len(categories), each in [0, 1]."""
        ...


class FaceAnalyzer(Backend, Protocol):
    """Role ``faces``: detection, alignment and embedding."""

    def find_faces(self, images: Sequence[RGB]) -> list[tuple[Face, ...]]:
        """Faces of each picture, largest first; those under the size or score gate are left out."""
        ...

    def similarity(self, first: Float32, second: Float32) -> Float32:
        """N×D and M×D embeddings → N×M published similarity in [0, 1], mapped so that .5 is the backend's threshold."""
        ...


class PatchEncoder(Backend, Protocol):
    """Role ``patches``: a ViT whose last-layer keys describe structure (Splice, 2022)."""

    def encode_patches(self, images: Sequence[RGB]) -> list[Float32]:
        """N pictures → per picture T×D last-layer keys of the patch tokens, T the patches in row-major order."""
        ...


class TextReader(Backend, Protocol):
    """Role ``ocr``."""

    def read_text(self, images: Sequence[RGB]) -> list[tuple[TextLine, ...]]:
        """Lines of each picture, from top to bottom; empty where nothing was read."""
        ...


@runtime_checkable
class PartReader(TextReader, Protocol):
    """Role ``ocr``, of a reader that may be shown parts of a picture; others are shown all of it."""

    def read_parts(self, image: RGB, parts: Sequence[tuple[int, int, int, int]]) -> list[tuple[TextLine, ...]]:
        """Lines that lie in each part, wholly or not, read as they would be in the whole picture.

        Args:
            image: the whole picture.
            parts: left, top, right, bottom in px of the picture, the last two outside.

        Returns:
            Of each part its lines, from top to bottom; boxes in px of the picture. They may reach over the part.
        """
        ...
