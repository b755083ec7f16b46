"""Make data/fixtures from pictures that scikit-image ships: small edits whose truth is known.

Run `python scripts/make_fixtures.py` after a change; the result is committed. The pictures are public domain or CC0
(see the README that this writes). Nothing is random, so that the same script makes the same files.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

WIDTH = 420
"""px; wide enough for registration, which wants four textured 96-px tiles."""
FOLDER = Path(__file__).resolve().parent.parent / "data" / "fixtures"
RGB = NDArray[np.uint8]
Mask = NDArray[np.bool_]

README = """# Fixtures

Small edits with known truth, made by `scripts/make_fixtures.py` from pictures that scikit-image ships:

| picture | origin | licence |
|---|---|---|
| `coffee` | Rachel Michetti, Pikolo Espresso Bar | CC0 |
| `chelsea` (cat) | Stefan van der Walt | CC0 |
| `rocket` | SpaceX, launch of DSCOVR | public domain |
| `astronaut` | NASA, Eileen Collins | public domain |

`manifest.jsonl` holds the items, `expected.yaml` the order relations that must hold between them, which
`tests/test_fixtures.py` checks on real weights. Each edit is drawn or computed; no model made any of them.
"""


@dataclass
class Writer:
    """Collects manifest rows and writes each picture once."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def picture(self, name: str, image: RGB, *, quality: int | None = None) -> str:
        """Write a PNG, or a JPEG of that quality; return the path as it stands in the manifest."""
        path = FOLDER / "images" / f"{name}.{'jpg' if quality else 'png'}"
        options: dict[str, Any] = {"quality": quality} if quality else {"optimize": True}
        Image.fromarray(image).save(path, **options)
        return f"images/{path.name}"

    def mask(self, name: str, mask: Mask) -> str:
        """Write a mask, white = may change."""
        return self.picture(f"mask_{name}", mask.astype(np.uint8) * 255)

    def add(self, name: str, **columns: Any) -> None:
        """Add a manifest row."""
        self.rows.append({"id": name, **columns})


def main() -> None:
    (FOLDER / "images").mkdir(parents=True, exist_ok=True)
    for old in (FOLDER / "images").iterdir():
        old.unlink()
    writer = Writer()
    add_coffee(writer)
    add_rocket(writer)
    add_cat(writer)
    add_faces(writer)
    lines = [json.dumps(row, ensure_ascii=False) for row in writer.rows]
    (FOLDER / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (FOLDER / "README.md").write_text(README, encoding="utf-8")
    print(f"{len(writer.rows)} items, {size_of(FOLDER) / 1e6:.1f} MB in {FOLDER}")


def add_coffee(writer: Writer) -> None:
    """A recoloured saucer, and everything that can go wrong around it."""
    image = shrink(skimage.data.coffee(), WIDTH)
    area = ellipse(image, (193, 165), (160, 115))
    source = writer.picture("coffee", image)
    mask = writer.mask("coffee_saucer", area)
    red, green_level = image[..., 0].astype(int), image[..., 1].astype(int)
    saucer = area & (red > 2.2 * green_level)
    green = np.where(saucer[..., None], turn_hue(image, 100), image)
    common: dict[str, Any] = {
        "source": source,
        "instruction": "Make the saucer green",
        "source_caption": "a cup of coffee on a red saucer",
        "target_caption": "a cup of coffee on a green saucer",
        "edit_type": "recolour",
        "model": "drawn",
    }
    leak = ellipse(image, (378, 238), (34, 28))
    shifted = np.roll(green, 1, axis=1)
    shifted[:, 0] = green[:, 0]
    edits = {
        "coffee_recolour_clean": green,
        "coffee_recolour_leaks": np.where((saucer | leak)[..., None], turn_hue(image, 100), image),
        "coffee_recolour_shifted": shifted,
        "coffee_recolour_blurred": cv2.GaussianBlur(green, (0, 0), 1.5),
        "coffee_recolour_darkened": np.where(area[..., None], green, (image * 0.75).astype(np.uint8)),
    }
    for name, edited in edits.items():
        writer.add(name, edited=writer.picture(name, edited), mask=mask, **common)
    writer.add(
        "coffee_recolour_reencoded", edited=writer.picture("coffee_recolour_reencoded", green, quality=60), mask=mask,
        **common,
    )  # fmt: skip
    writer.add("coffee_no_op", edited=source, mask=mask, **common)
    writer.add("coffee_no_op_reencoded", edited=writer.picture("coffee_jpeg75", image, quality=75), **common)
    larger = cv2.resize(green, None, fx=1.3, fy=1.3, interpolation=cv2.INTER_CUBIC)
    writer.add("coffee_larger", edited=writer.picture("coffee_larger", larger), mask=mask, **common)
    squeezed = cv2.resize(green, (280, 280), interpolation=cv2.INTER_AREA)
    writer.add("coffee_other_shape", edited=writer.picture("coffee_other_shape", squeezed), mask=mask, **common)
    unrelated = shrink(skimage.data.rocket(), WIDTH)[:280, :420]
    unrelated = cv2.resize(unrelated, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_AREA)
    writer.add("coffee_unrelated", edited=writer.picture("coffee_unrelated", unrelated), **common)
    equal = common | {"target_caption": common["source_caption"]}
    writer.add("coffee_equal_captions", edited="images/coffee_recolour_clean.png", mask=mask, **equal)
    writer.add("coffee_full_mask", edited="images/coffee_recolour_clean.png",
               mask=writer.mask("full", np.ones_like(area)), **common)  # fmt: skip
    writer.add("coffee_empty_mask", edited="images/coffee_recolour_clean.png",
               mask=writer.mask("empty", np.zeros_like(area)), **common)  # fmt: skip
    long_text = "Make the saucer green, " + "and keep every detail of the wooden table exactly as it is, " * 50
    writer.add("coffee_long_instruction", edited="images/coffee_recolour_clean.png", mask=mask,
               **(common | {"instruction": long_text.strip(", ")}))  # fmt: skip
    text = image.copy()
    cv2.putText(text, "OPEN", (250, 80), cv2.FONT_HERSHEY_DUPLEX, 1.8, (255, 255, 255), 3, cv2.LINE_AA)
    writer.add("coffee_text", source=source, edited=writer.picture("coffee_text", text), model="drawn",
               instruction='Add the text "OPEN" at the top right', edit_type="text")  # fmt: skip


def add_rocket(writer: Writer) -> None:
    """A pasted object, tone and geometry edits without a mask."""
    image = shrink(skimage.data.rocket(), WIDTH)
    source = writer.picture("rocket", image, quality=92)
    decoded = read(source)
    sky = ellipse(decoded, (84, 84), (56, 56))
    balloon = decoded.copy()
    cv2.circle(balloon, (84, 77), 34, (200, 30, 30), -1, cv2.LINE_AA)
    cv2.line(balloon, (84, 111), (84, 134), (230, 230, 230), 1, cv2.LINE_AA)
    pasted = writer.picture("rocket_balloon", balloon)
    common: dict[str, Any] = {"source": source, "model": "drawn"}
    add = {"instruction": "Add a red balloon to the sky on the left", "edit_type": "add"}
    writer.add("rocket_balloon", edited=pasted, mask=writer.mask("rocket_sky", sky), **common, **add)
    writer.add("rocket_balloon_no_mask", edited=pasted, **common, **add)
    gray = np.repeat(cv2.cvtColor(decoded, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    tone = {"instruction": "Make the photo black and white", "edit_type": "tone"}
    writer.add("rocket_black_and_white", edited=writer.picture("rocket_gray", gray), **common, **tone)
    writer.add("rocket_not_black_and_white", edited=pasted, **common, **tone)
    flipped = np.ascontiguousarray(decoded[:, ::-1])
    writer.add("rocket_flipped", edited=writer.picture("rocket_flipped", flipped), **common,
               instruction="Flip the image horizontally", edit_type="geometry")  # fmt: skip


def add_cat(writer: Writer) -> None:
    """A mask that lies in the alpha channel and marks what must stay, and files that do not decode."""
    image = shrink(skimage.data.chelsea(), WIDTH)
    source = writer.picture("cat", image)
    eyes = ellipse(image, (158, 112), (32, 28)) | ellipse(image, (293, 126), (24, 24))
    edited = np.where(eyes[..., None], turn_hue(image, 210), image)
    alpha = np.where(eyes, 0, 255).astype(np.uint8)
    Image.fromarray(np.dstack([image, alpha])).save(FOLDER / "images" / "mask_cat_alpha.png", optimize=True)
    common: dict[str, Any] = {"source": source, "instruction": "Turn the cat's eyes blue", "model": "drawn"}
    recoloured = writer.picture("cat_blue_eyes", edited)
    preserved = {"mask": "images/mask_cat_alpha.png", "mask_white_means": "preserved"}
    writer.add("cat_alpha_mask", edited=recoloured, **preserved, **common)
    shifted = np.roll(edited, 1, axis=1)
    shifted[:, 0] = edited[:, 0]
    writer.add("cat_shifted", edited=writer.picture("cat_shifted", shifted), **preserved, **common)
    cut = (FOLDER / recoloured).read_bytes()
    (FOLDER / "images" / "cat_truncated.png").write_bytes(cut[: len(cut) // 2])
    writer.add("cat_unreadable", edited="images/cat_truncated.png", **common)
    writer.add("cat_missing_file", edited="images/this_file_does_not_exist.png", **common)


def add_faces(writer: Writer) -> None:
    """One face: kept, blurred, warped, removed."""
    image = shrink(skimage.data.astronaut()[:320, 60:380], WIDTH)
    source = writer.picture("astronaut", image, quality=92)
    decoded = read(source)
    face = ellipse(decoded, (216, 157), (67, 87))
    common: dict[str, Any] = {"source": source, "instruction": "Make the background darker", "model": "drawn"}
    background = ~ellipse(decoded, (216, 280), (175, 252))
    dark = np.where(background[..., None], (decoded * 0.5).astype(np.uint8), decoded)
    writer.add("face_kept", edited=writer.picture("face_kept", dark), **common)
    blurred = np.where(face[..., None], cv2.GaussianBlur(dark, (0, 0), 6), dark)
    writer.add("face_blurred", edited=writer.picture("face_blurred", blurred), **common)
    warped = np.where(face[..., None], swirl(dark, (216, 157), 84), dark)
    writer.add("face_warped", edited=writer.picture("face_warped", warped), **common)
    skin = np.full_like(dark, (196, 150, 125))
    removed = np.where(face[..., None], skin, dark)
    writer.add("face_removed", edited=writer.picture("face_removed", removed), **common)


def shrink(image: RGB, width: int) -> RGB:
    """The picture at that width, antialiased."""
    height = round(image.shape[0] * width / image.shape[1])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def ellipse(image: RGB, center: tuple[int, int], axes: tuple[int, int]) -> Mask:
    """True inside an axis-parallel ellipse; center and half axes as (x, y)."""
    canvas = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(canvas, center, axes, 0, 0, 360, 1, -1)
    return canvas.astype(bool)


def turn_hue(image: RGB, hue: int) -> RGB:
    """The picture painted in one hue (degrees), its lightness kept."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = hue // 2
    hsv[..., 1] = np.maximum(hsv[..., 1], 150)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def swirl(image: RGB, center: tuple[int, int], radius: int) -> RGB:
    """The picture twisted around a point, so that a face there is another's or nobody's."""
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    dx, dy = xs - center[0], ys - center[1]
    distance = np.hypot(dx, dy)
    angle = 2.2 * np.exp(-((distance / (radius / 1.6)) ** 2))
    map_x = center[0] + dx * np.cos(angle) - dy * np.sin(angle)
    map_y = center[1] + dx * np.sin(angle) + dy * np.cos(angle)
    return cv2.remap(image, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR)


def read(path: str) -> RGB:
    """A written picture as a reader will see it."""
    return np.asarray(Image.open(io.BytesIO((FOLDER / path).read_bytes())).convert("RGB"))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
