"""YAML files of a user's: plain values alone, and no more of them than a person writes.

An alias costs six characters and stands for everything that it names: nine lines of nine aliases each are a billion
values once something walks over them. The text is therefore composed into nodes first, in which an alias is one
reference, counted as if every alias were written out, and refused before any value is made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from edit_metrics.errors import ConfigError

_MOST_VALUES: Final = 200_000
"""With every alias written out. The largest shipped profile has 1,700."""
_DEEPEST: Final = 60
"""Mappings and lists inside each other; the deepest shipped profile has 7."""


def read_yaml(path: Path, what: str = "config file") -> Any:
    """The plain value of a YAML file; None for an empty one.

    Raises:
        ConfigError: unreadable, not UTF-8, not YAML, too many values, or a value that is not plain.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        got = "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror or error)
        raise ConfigError(f"a readable {what}", got, str(path)) from None
    except UnicodeDecodeError as error:
        got = f"byte {error.start}, which is not"
        raise ConfigError(f"a {what} in UTF-8", got, str(path), "Save it as UTF-8.") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str, what: str = "a YAML file") -> Any:
    """The plain value of YAML text: None, truth values, finite numbers, strings, lists, mappings by text or number.

    Raises:
        ConfigError: see :func:`read_yaml`.
    """
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {}, 0, where)
        return _checked(loader.construct_document(node), "", where)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        # Dates and numbers that do not exist are ValueErrors of the library's.
        got = " ".join(str(error).split())[:300]
        raise ConfigError(what, got, where) from None
    finally:
        if loader is not None:
            loader.dispose()


def _count(node: yaml.Node, known: dict[int, int], depth: int, where: str) -> int:
    """Values at and below a node, with every alias written out."""
    if id(node) in known:
        if known[id(node)] == 0:
            raise ConfigError("values that end", "an alias to what it stands in", where)
        return known[id(node)]
    if depth > _DEEPEST:
        raise ConfigError(f"at most {_DEEPEST} mappings and lists inside each other", "more", where)
    known[id(node)] = 0
    children: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        children = [child for pair in node.value for child in pair]
    total = 1 + sum(_count(child, known, depth + 1, where) for child in children)
    if total > _MOST_VALUES:
        raise ConfigError(f"at most {_MOST_VALUES:,} values, aliases written out", f"{total:,} or more", where)
    known[id(node)] = total
    return total


def _checked(value: Any, key: str, where: str) -> Any:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(name, bool) or not isinstance(name, (str, int)):  # `on` and `no` are truth values in YAML
                todo = f"Put it in quotes: '{name}'."
                raise ConfigError(
                    "keys that are text or whole numbers", f"{name!r}{f' in {key!r}' if key else ''}", where, todo
                )
            _checked(inner, f"{key}.{name}" if key else str(name), where)
    elif isinstance(value, list):
        for inner in value:
            _checked(inner, key, where)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ConfigError(f"finite numbers under {key or 'the key'!r}", str(value), where)
    elif not (value is None or isinstance(value, (str, int))):
        todo = "Put it in quotes if text is meant."
        raise ConfigError(f"text, numbers, lists and mappings under {key or 'the key'!r}", repr(value), where, todo)
    return value
