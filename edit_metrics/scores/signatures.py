"""Signatures: a hash over definitions, the definitions themselves, and where two of them differ, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from edit_metrics.io.hashing import canonical_json_sha256

_SHOWN: Final = 8
"""Differences in one message: more are counted, since nobody reads a whole profile in an error."""
_LONGEST: Final = 80
"""Characters of a value in a message: one line of a terminal."""


class Signature(BaseModel):
    """What a hash stands for.

    Attributes:
        sha256: of the parts as canonical JSON.
        parts: kept so that a mismatch can be shown in words; empty where a file holds the hash alone.
    """

    model_config = ConfigDict(frozen=True)

    sha256: str
    parts: Mapping[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> Signature:
        """Sign definitions."""
        return cls(sha256=canonical_json_sha256(parts), parts=parts)

    @property
    def short(self) -> str:
        """The start of the hash, for messages."""
        return self.sha256[:12]


def differences(held: Sequence[Signature], wanted: Sequence[Signature]) -> str:
    """Where signatures differ: ``section.cap: 0.5 → 0.3; …``, each setting once; empty where they do not.

    Args:
        held: what is there.
        wanted: what each of them is held against, in the same order.
    """
    pairs = zip(held, wanted, strict=True)
    found = list(dict.fromkeys(line for ours, theirs in pairs for line in _differences(ours.parts, theirs.parts, "")))
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return "; ".join(found[:_SHOWN] + more)


def _differences(held: object, wanted: object, path: str) -> Iterator[str]:
    if isinstance(held, Mapping) and isinstance(wanted, Mapping):
        for key in dict.fromkeys((*held, *wanted)):
            yield from _differences(held.get(key), wanted.get(key), f"{path}.{key}" if path else str(key))
    elif held != wanted:
        yield f"{path}: {_short(held)} → {_short(wanted)}"


def _short(value: object) -> str:
    text = "absent" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "…"
