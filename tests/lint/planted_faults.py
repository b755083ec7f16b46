"""A drawn set of edits in which nothing is wrong, and the same with every fault planted once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

SIDE = 120
CLEAN = 12
BOX = (30, 40, 70, 90)

Row = dict[str, Any]


def picture(seed: int, size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """Shapes on a slope of two colours: no two seeds look alike."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(40, 216, (2, 2, 3))
    slope = Image.fromarray(ends.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(slope)
    for _ in range(9):
        x, y = rng.integers(0, [size[0] - 20, size[1] - 20])
        width, height = rng.integers(12, 50, 2)
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((x, y, x + width, y + height), fill=tuple(rng.integers(0, 256, 3).tolist()))
    return slope


def edit(source: Image.Image, colour: str = "magenta") -> Image.Image:
    """One thing is put in."""
    done = source.copy()
    ImageDraw.Draw(done).rectangle(BOX, fill=colour)
    return done


def mask(size: tuple[int, int] = (SIDE, SIDE), white: int = 255, black: int = 0) -> Image.Image:
    done = Image.new("L", size, black)
    ImageDraw.Draw(done).rectangle(BOX, fill=white)
    return done


class Planter:
    """Writes rows and their pictures into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[Row] = []

    def save(self, name: str, shown: Image.Image) -> str:
        shown.save(self.folder / name)
        return name

    def row(self, name: str, before: Image.Image, after: Image.Image, **cells: Any) -> Row:
        """A row with files of its own, unless the cells name others."""
        row: Row = {"id": name, "instruction": "add a magenta box", "group": name}
        row["source"] = self.save(f"{name}_source.png", before)
        row["edited"] = self.save(f"{name}_edited.png", after)
        self.rows.append(row | cells)
        return self.rows[-1]

    def write(self) -> Path:
        path = self.folder / "manifest.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows), encoding="utf-8")
        return path


def clean_set(folder: Path) -> Planter:
    """Local edits with masks, nothing wrong."""
    plant = Planter(folder)
    file = plant.save("mask.png", mask())
    for seed in range(CLEAN):
        source = picture(seed)
        plant.row(f"clean{seed}", source, edit(source), mask=file, edit_type="add", model="drawn")
    return plant


def faulty_set(folder: Path) -> tuple[Planter, dict[str, set[str]]]:
    """Each fault on rows of its own; returns also code → ids of the rows that it is to be found on."""
    plant = clean_set(folder)
    planted: dict[str, set[str]] = {}
    seeds = iter(range(100, 200))

    def put(code: str, name: str, after: Image.Image | None = None, **cells: Any) -> Row:
        source = cells.pop("shows", None) or picture(next(seeds))
        planted.setdefault(code, set()).add(name)
        return plant.row(name, source, after or edit(source), **cells)

    put("rejected_row", "no_words", instruction=None)
    put("missing_file", "gone", edited="not_there.png")
    (folder / put("unreadable_file", "cut")["edited"]).write_bytes((folder / "clean0_edited.png").read_bytes()[:900])

    wide = picture(next(seeds), (180, SIDE))
    put("other_aspect", "wide", edit(wide).crop((0, 0, SIDE, SIDE)), shows=wide)
    near = picture(next(seeds))
    put("near_aspect", "near", edit(near).resize((SIDE, 116)), shows=near)
    put(
        "other_size",
        "double",
        edit(near).resize((2 * SIDE, 2 * SIDE)),
        instruction="add a box",
        shows=near,
        group="near",
    )
    tiny = picture(next(seeds)).resize((40, 40))
    put("tiny_picture", "tiny", Image.eval(tiny, lambda level: 255 - level), shows=tiny)

    labels = mask()
    ImageDraw.Draw(labels).rectangle((80, 80, 110, 110), fill=1)
    put("mask_levels", "labels", mask=plant.save("labels.png", labels))
    put("mask_size", "mask_wide", mask=plant.save("mask_wide.png", mask((160, SIDE))))
    put("mask_polarity", "turned", _all_but_the_box(shown := picture(next(seeds))), shows=shown, mask="mask.png")
    put("mask_empty_or_full", "black_mask", mask=plant.save("black.png", Image.new("L", (SIDE, SIDE), 0)))
    doubtful = Image.new("RGB", (SIDE, SIDE), (90, 10, 10))
    ImageDraw.Draw(doubtful).rectangle(BOX, fill=(10, 240, 10))
    put("mask_doubtful", "coloured_mask", mask=plant.save("coloured.png", doubtful))

    same = picture(next(seeds))
    put("same_file", "unchanged", same, shows=same)
    speck = picture(next(seeds))
    touched = speck.copy()
    red, green, blue = touched.getpixel((60, 60))  # type: ignore[misc]
    touched.putpixel((60, 60), (red ^ 16, green, blue))
    put("same_look", "speck", touched, shows=speck)
    one, two = picture(next(seeds)), picture(next(seeds))
    put("other_rows_source", "swapped1", edit(two), shows=one)
    put("other_rows_source", "swapped2", edit(one), shows=two)
    reversed_source = picture(next(seeds))
    kept = plant.row("right_way", reversed_source, edit(reversed_source), group="r")
    put("edit_is_a_source", "wrong_way", shows=edit(reversed_source, "yellow"), edited=kept["source"], group="r")
    beside = picture(next(seeds))
    put("picture_in_picture", "strip", strip(beside, edit(beside), across=True).resize((SIDE, SIDE)), shows=beside)
    above = picture(next(seeds))
    put("picture_in_picture", "stack", strip(above, edit(above), across=False).resize((SIDE, SIDE)), shows=above)

    twice = picture(next(seeds))
    first = plant.row("once", twice, edit(twice), instruction="draw a box", group="twice")
    put("duplicate_row", "twice", shows=twice, **{k: first[k] for k in ("instruction", "edited", "group")})
    put("reused_edit", "reused", shows=twice, instruction="paint the sky green", edited=first["edited"], group="twice")
    put("repeated_task", "again", edit(twice, "cyan"), shows=twice, instruction="draw a box", group="twice")
    plant.row("labelled", near, edit(near, "cyan"), instruction="put a box there", edit_type="add", group="near")
    put("contradiction", "other_label", edit(near, "lime"), shows=near, instruction="Put a box there.",
        edit_type="style",
        group="near", model="second")  # fmt: skip
    put(
        "source_in_several_groups",
        "two_groups",
        edit(near, "navy"),
        shows=near,
        instruction="add a navy box",
        group="x",
    )
    noisy = Image.eval(near, lambda level: min(level + 1, 255))
    put("near_duplicate_sources", "near_source", edit(noisy), shows=noisy)
    a = picture(next(seeds))
    plant.row("sample1", a, edit(a), instruction="insert a box", group="a", seed=1)
    put("near_duplicate_row", "sample2", Image.eval(edit(a), lambda level: max(level - 2, 0)), shows=a,
        instruction="insert a box", group="a", seed=2)  # fmt: skip

    put("empty_instruction", "blank", instruction=" … ")
    put("listed_instruction", "listed", instruction="['make it red', 'make it blue']")
    put("equal_captions", "captions", source_caption="a cake on a plate", target_caption="A cake on a plate.")
    put("other_language", "german", instruction="mache das Haus rot und entferne die Wolken aus dem Bild")
    put("unknown_edit_type", "unknown", edit_type="frobnicate")
    put("unread_instruction", "unread", instruction="zorble the quux until it flarbs")
    planted["several_languages"] = {"german"}
    planted["unread_instruction"] |= {"german", "listed"}
    return plant, planted


def strip(source: Image.Image, edited: Image.Image, *, across: bool) -> Image.Image:
    done = Image.new("RGB", (2 * SIDE, SIDE) if across else (SIDE, 2 * SIDE))
    done.paste(source, (0, 0))
    done.paste(edited, (SIDE, 0) if across else (0, SIDE))
    return done


def _all_but_the_box(source: Image.Image) -> Image.Image:
    done = Image.eval(source, lambda level: 255 - level)
    done.paste(source.crop((*BOX[:2], BOX[2] + 1, BOX[3] + 1)), BOX[:2])
    return done
