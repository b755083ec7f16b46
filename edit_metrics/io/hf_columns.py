"""Which column of a data set is which field of a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from edit_metrics.errors import ConfigError, suggest

if TYPE_CHECKING:
    import pyarrow as pa

GUESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "uid", "idx", "key"),
    "source": (
        "source", "source_img", "source_image", "input_image", "input_img", "original_image", "src_img", "image",
        "input", "original", "input_images",
    ),
    "edited": (
        "edited", "edited_image", "target_img", "target_image", "output_image", "output_img", "edited_img", "output",
        "output_images",
    ),
    "mask": ("mask", "mask_img", "mask_image"),
    "references": ("references", "reference_images", "ref_images"),
    "instruction": ("instruction", "edit_instruction", "editing_instruction", "edit_prompt", "prompt"),
    "source_caption": ("source_caption", "input_caption", "input_prompt", "original_prompt", "input_caption_by_llama"),
    "target_caption": (
        "target_caption", "output_caption", "edited_prompt", "output_prompt", "output_caption_by_llama",
    ),
    "edit_type": ("edit_type", "editing_type", "task"),
    "model": ("model",),
    "group": ("group", "img_id", "image_id"),
}  # fmt: skip
"""Field → what data sets call its column, whatever the case: MagicBrush, UltraEdit, HumanEdit (in capitals), the Emu
Edit test set, InstructPix2Pix and their kin. HumanEdit's OUTPUT_DESCRIPTION is metadata: its two captions pair."""
PICTURES: Final = ("source", "edited", "mask", "references")
EDIT_COLUMNS: Final = ("input_images", "output_images", "prompt")
"""An edit of ImgEdit's training tables."""
TURNS: Final = "data"
"""Their column of conversations, which are lists of edits."""


def has_turns(schema: pa.Schema) -> bool:
    """Whether a row is a conversation of ImgEdit's."""
    from pyarrow import types

    column = schema.field(TURNS).type if TURNS in schema.names else None
    if column is None or not (types.is_list(column) or types.is_large_list(column)):
        return False
    turn = column.value_type
    return types.is_struct(turn) and all(turn.get_field_index(name) >= 0 for name in EDIT_COLUMNS)


def choose_columns(
    names: Iterable[str],
    given: Mapping[str, str],
    where: str,
    *,
    pictures: Iterable[str] | None = None,
    complete: bool = True,
) -> dict[str, str]:
    """Field → column: what the user said, else the one column with a usual name.

    Args:
        names: of all columns.
        given: field → column, as the user said.
        where: named in errors.
        pictures: columns that may hold pictures; None: any.
        complete: refuse what lacks a picture or the words.

    Raises:
        ConfigError: an unknown field or column, several candidates, or no column for a picture or for the words.
    """
    names, chosen = tuple(names), dict[str, str]()
    for field, column in given.items():
        if field not in GUESSES:
            raise ConfigError(
                "--column FIELD=COLUMN with a manifest field", repr(field), where, suggest(field, GUESSES)
            )
        if column not in names and not complete:
            continue
        if column not in names:
            raise ConfigError(f"a column for {field!r}", repr(column), where, suggest(column, names))
        chosen[field] = column
    lowered = {name.lower(): name for name in names}
    able = set(names if pictures is None else pictures)
    for field, guesses in GUESSES.items():
        named = [lowered[guess] for guess in guesses if guess in lowered]
        found = [name for name in named if name not in chosen.values() and (field not in PICTURES or name in able)]
        if field in chosen or not found:
            continue
        if len(found) > 1 and found[0] != field:
            todo = f"Say which: --column {field}={found[0]}"
            raise ConfigError(f"one column for {field!r}", " and ".join(found), where, todo)
        chosen[field] = found[0]
    for field in ("source", "edited") if complete else ():
        if field not in chosen:
            raise ConfigError(f"a column for {field!r}", ", ".join(names), where, f"Name it: --column {field}=COLUMN")
    if complete and not {"instruction", "target_caption"} & set(chosen):
        raise ConfigError("a column of instructions", ", ".join(names), where, "Name it: --column instruction=COLUMN")
    return chosen
