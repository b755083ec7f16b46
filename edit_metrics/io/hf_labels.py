"""Class names of a Hugging Face data set: a ``ClassLabel`` column holds numbers, its names lie in the schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def class_names(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Column → names of its classes, for the columns that the ``datasets`` library declared a ``ClassLabel``.

    What it declares is JSON in the schema's metadata, ``{"info": {"features": {COLUMN: {"_type": …, "names": […]}}}}``;
    other writers have none, and what cannot be read names nothing.
    """
    try:
        told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = told["info"]["features"].items()
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return {}
    return {
        column: tuple(feature["names"])
        for column, feature in features
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and _are_texts(feature.get("names"))
    }


def with_names(record: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> Mapping[str, Any]:
    """The record with each class's name in place of its number; −1, which stands for none, becomes empty."""
    if not names:
        return record
    named = dict(record)
    for column, classes in names.items():
        value = named.get(column)
        if isinstance(value, int) and value < len(classes):
            named[column] = classes[value] if value >= 0 else None
    return named


def _are_texts(names: object) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) for name in names)
