"""What models say of a picture: made by backends, read by features, metrics and evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

from edit_metrics.types import Float32


@dataclass(frozen=True, slots=True)
class PerceptualPair:
    """What one pass of the perceptual backbone says of a pair of the same size.

    Attributes:
        layer_maps: per layer the channel-weighted squared difference of unit-normalised features, H_l×W_l (LPIPS before
            its spatial average; their means add up to LPIPS).
        gram_distances: per layer ‖G(S) − G(E)‖_F / (‖G(S)‖_F + ‖G(E)‖_F) in [0, 1], Gram matrices averaged over the
            kept pixels, each picture's features taken in the same pass; empty from a backbone built without them.
    """

    layer_maps: tuple[Float32, ...]
    gram_distances: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face.

    Attributes:
        box: left, top, right, bottom in px of the picture; may reach over its edge.
        detection_score: the detector's own, in its own unit.
        embedding: D, in the embedder's native scale (dlib: raw, SFace: raw).
    """

    box: tuple[float, float, float, float]
    detection_score: float
    embedding: Float32 = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text that was read off a picture.

    Attributes:
        text: its characters.
        box: left, top, right, bottom in px of the picture.
        score: the reader's confidence in [0, 1].
    """

    text: str
    box: tuple[float, float, float, float]
    score: float
