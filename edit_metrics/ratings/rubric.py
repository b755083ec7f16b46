"""The rubric that raters see: ``configs/rubric.yaml``, validated."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from edit_metrics.config import configs_folder
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.plain_yaml import read_yaml
from edit_metrics.ratings.scale import Scale
from edit_metrics.types import DIMENSIONS


class RubricDimension(BaseModel):
    """One question and what each rating means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    anchors: dict[int, str]


class Rubric(BaseModel):
    """What raters are asked.

    Attributes:
        version: raised with every change that makes old and new ratings incomparable.
        scale: the ratings in rising order, worst first.
        guide: shown above the pictures.
        overall: the edit as a whole, asked by `edit-metrics rate` where no dimension is named.
        flags: code → label of things that a rating cannot say.
        comment: prompt of the free text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    scale: tuple[int, ...]
    guide: str
    dimensions: dict[str, RubricDimension]
    overall: RubricDimension | None = None
    flags: dict[str, str]
    comment: str

    @model_validator(mode="after")
    def _complete(self) -> Rubric:
        for name in self.dimensions:
            if name not in DIMENSIONS:
                raise ValueError(f"{name!r} is not a dimension. {suggest(name, DIMENSIONS)}")
        for name, dimension in {**self.dimensions, **({"overall": self.overall} if self.overall else {})}.items():
            if tuple(dimension.anchors) != self.scale:
                raise ValueError(f"{name} needs an anchor for each of {self.scale}, got {tuple(dimension.anchors)}")
        if len(self.scale) < 2 or list(self.scale) != sorted(set(self.scale)):
            raise ValueError(f"a scale of at least two rising ratings, got {self.scale}")
        return self

    @property
    def rating_scale(self) -> Scale:
        """The scale of the ratings that this rubric produces."""
        values = tuple(float(value) for value in self.scale)
        return Scale(values[0], values[-1], values, "ordinal")


def load_rubric(path: Path | None = None) -> Rubric:
    """Read a rubric; None: the shipped one.

    Raises:
        ConfigError: the file is absent, is not YAML, or breaks the rubric's form; the error names the place.
    """
    file = path or configs_folder() / "rubric.yaml"
    try:
        return Rubric.model_validate(read_yaml(file, "rubric file"))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the rubric"
        raise ConfigError(f"a valid {key}", first["msg"], str(file)) from None
