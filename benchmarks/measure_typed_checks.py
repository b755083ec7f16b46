"""How accurate the typed checks are on generated truth; prints the tables of docs/typed-checks.md.

    python benchmarks/measure_typed_checks.py [reader] [colour] [shade] [tone] [geometry] [text] [area] [competence]

Pictures and fonts are those that scikit-image and matplotlib ship; nothing is downloaded. A verdict counts as *yes*
from a score of .5. ``done`` rows ask for what was done (right = yes); ``other`` rows ask for something else, or nothing
was done (right = no). ``missing`` counts answers without a verdict. Under each table stands the precision of yes and of
no. Deterministic. The text part takes minutes.
"""

from __future__ import annotations

import inspect
import json
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont
from skimage import data
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

from edit_metrics.instruction.check_area import check_change_area
from edit_metrics.instruction.check_colour import check_colour
from edit_metrics.instruction.check_geometry import Pose, check_geometry, find_pose, fit_of_pose
from edit_metrics.instruction.check_text import check_text
from edit_metrics.instruction.check_tone import check_tone
from edit_metrics.instruction.checking import YES
from edit_metrics.instruction.edits import TurnFrame
from edit_metrics.instruction.instruction import understand
from edit_metrics.pixels.change import change_reference, find_changes
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.types import RGB, Mask, Missing, Noted, Result

SIDE = 256
Answer = Result


class Tally:
    """Right, wrong and missing answers by row of a table."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.rows: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self.reasons: dict[str, int] = defaultdict(int)
        self.said: dict[bool, list[int]] = {True: [0, 0], False: [0, 0]}

    def add(self, row: str, answer: Answer, yes: bool) -> None:
        """Count one answer; ``yes`` is the right one."""
        if isinstance(answer, Missing):
            self.rows[row][2] += 1
            self.reasons[f"{answer.status}({answer.reason})"] += 1
        else:
            said = value_of(answer) >= YES
            self.rows[row][said != yes] += 1
            self.said[said][said != yes] += 1

    def show(self) -> None:
        """Print the table."""
        print(f"\n## {self.title}\n\n| case | right | wrong | missing | accuracy of verdicts |\n|---|---|---|---|---|")
        for row, (right, wrong, missing) in self.rows.items():
            accuracy = f"{right / (right + wrong):.1%}" if right + wrong else "–"
            print(f"| {row} | {right} | {wrong} | {missing} | {accuracy} |")
        for said, (right, wrong) in self.said.items():
            print(f"\nprecision of {'yes' if said else 'no'}: {right} of {right + wrong}", end="")
        print()
        if self.reasons:
            print("\nmissing: " + ", ".join(f"{reason} {count}" for reason, count in sorted(self.reasons.items())))


def value_of(answer: Answer) -> float:
    """The number of a verdict."""
    return answer.value if isinstance(answer, Noted) else float(answer)


def ask(check: Callable[..., Answer], text: str, source: RGB, edited: RGB, **given: object) -> Answer:
    """A check's answer to an instruction; it is given the features that it reads."""
    known = {"source": source, "edited_native": edited, "blank": False, "edited": edited, **given}
    wanted = inspect.signature(check).parameters
    return check(understand(text), **{name: value for name, value in known.items() if name in wanted})


@cache
def picture(name: str) -> RGB:
    image = getattr(data, name)()[..., :3]
    scale = SIDE / min(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[:, : round(1.5 * SIDE)])


PICTURES = ("astronaut", "chelsea", "coffee", "rocket", "immunohistochemistry", "hubble_deep_field")


def changed_pixels(source: RGB, edited: RGB) -> Mask:
    return find_changes(change_reference(rgb_to_lab(source)), rgb_to_lab(edited)).changed


def jpeg(image: RGB, quality: int = 75) -> RGB:
    _, coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])


# --- colour -----------------------------------------------------------------------------------------------------------


def measure_colour() -> None:
    tally = Tally("Recolour: every CSS colour, 4 pictures, flat and shaded, JPEG 75")
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        source = picture(name)
        mask = ellipse(source.shape[:2])
        for colour, shading in product(sorted(ImageColor.colormap), (False, True)):
            rgb = ImageColor.getrgb(colour)
            edited = jpeg(recolour(source, mask, rgb, shading))
            changed = changed_pixels(source, edited)
            kind = "shaded" if shading else "flat"
            for how, given in (("mask given", mask), ("no mask", None)):
                tally.add(f"{kind}, {how}, done", ask_colour(colour, source, edited, changed, given), yes=True)
            tally.add(
                f"{kind}, other colour asked", ask_colour(far_from(rgb), source, edited, changed, mask), yes=False
            )
        copy = jpeg(source)
        for colour in sorted(ImageColor.colormap):
            if distance(ImageColor.getrgb(colour), median_colour(source, mask)) > 40:
                answer = ask_colour(colour, source, copy, changed_pixels(source, copy), mask)
                tally.add("nothing done (JPEG copy)", answer, yes=False)
    tally.show()


def ask_colour(colour: str, source: RGB, edited: RGB, changed: Mask, mask: Mask | None) -> Answer:
    return ask(check_colour, f"paint the box {colour}", source, edited, changed_pixels=changed, mask=mask)


def measure_shade() -> None:
    tally = Tally("Shades: 24 colours of middle lightness, 4 pictures, 12 L* either way, JPEG 75")
    names = [name for name in sorted(ImageColor.colormap) if 35 < lightness(name) < 65][:24]
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        mask = ellipse(picture(name).shape[:2])
        for colour in names:
            source = recolour(picture(name), mask, ImageColor.getrgb(colour), shading=True)
            for way, step in (("darker", -12.0), ("lighter", 12.0)):
                edited = jpeg(shifted(source, mask, step))
                for asked, other in (("darker", "lighter"), ("lighter", "darker")):
                    for text in (f"make the box a {asked} {colour}", f"make the box a {asked} shade"):
                        answer = ask(
                            check_colour, text, source, edited, changed_pixels=changed_pixels(source, edited), mask=mask
                        )
                        row = f"{asked}, done" if asked == way else f"{asked}, but {other} was done"
                        tally.add(row, answer, yes=asked == way)
    tally.show()


def lightness(colour: str) -> float:
    return float(rgb2lab(np.array([[ImageColor.getrgb(colour)[:3]]], np.uint8))[0, 0, 0])


def shifted(image: RGB, mask: Mask, step: float) -> RGB:
    lab = rgb2lab(image)
    lab[..., 0] = np.where(mask, np.clip(lab[..., 0] + step, 0, 100), lab[..., 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # colours outside sRGB are clipped
        moved = np.round(lab2rgb(lab) * 255).astype(np.uint8)
    return np.where(mask[..., None], moved, image)


def recolour(source: RGB, mask: Mask, rgb: tuple[int, ...], shading: bool) -> RGB:
    """A flat fill, or the colour with the region's own light and shade (its L* deviation, at 60 %)."""
    lab = rgb2lab(source)
    target = rgb2lab(np.array([[rgb[:3]]], np.uint8))[0, 0]
    relief = 0.6 * (lab[..., 0] - lab[..., 0][mask].mean()) if shading else 0.0
    painted = lab.copy()
    painted[..., 0] = np.where(mask, np.clip(target[0] + relief, 0, 100), lab[..., 0])
    painted[..., 1:] = np.where(mask[..., None], target[1:], lab[..., 1:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # colours outside sRGB are clipped: that is wanted
        whole = np.round(lab2rgb(painted) * 255).astype(np.uint8)
    return np.where(mask[..., None], whole, source)


def ellipse(shape: tuple[int, int]) -> Mask:
    drawn = np.zeros(shape, np.uint8)
    cv2.ellipse(drawn, (shape[1] // 2, shape[0] // 2), (shape[1] // 5, shape[0] // 4), 20, 0, 360, 1, -1)
    return drawn > 0


def distance(first: tuple[int, ...], second: tuple[int, ...]) -> float:
    labs = [rgb2lab(np.array([[rgb[:3]]], np.uint8)) for rgb in (first, second)]
    return float(deltaE_ciede2000(labs[0], labs[1], kL=2)[0, 0])


def median_colour(image: RGB, mask: Mask) -> tuple[int, ...]:
    return tuple(int(value) for value in np.median(image[mask], axis=0))


def far_from(rgb: tuple[int, ...]) -> str:
    """The nearest basic colour that is over 30 ΔE away: asking for it must be answered with no."""
    basic = ("red", "green", "blue", "yellow", "purple", "orange", "cyan", "black", "white")
    apart = {name: distance(rgb, ImageColor.getrgb(name)) for name in basic}
    return min((name for name in basic if apart[name] > 30), key=lambda name: apart[name])


# --- tone -------------------------------------------------------------------------------------------------------------

STRENGTHS = (0.1, 0.2, 0.4, 0.6)


def measure_tone() -> None:
    tally = Tally("Tone: 6 pictures, ±10 … ±60 %, JPEG 90")
    for name in PICTURES:
        source = picture(name)
        for kind, asked, opposite, edit in tone_edits():
            edited = jpeg(edit(source), 90)
            tally.add(f"{kind}, done", ask_tone(asked, source, edited), yes=True)
            if opposite:
                tally.add(
                    f"{kind.split()[0]} {kind.split()[-1]}, opposite asked",
                    ask_tone(opposite, source, edited),
                    yes=False,
                )
        for asked in (*UP.values(), *DOWN.values(), "make it black and white", "apply a sepia tone"):
            for quality in (95, 75):
                tally.add(f"nothing done (JPEG {quality})", ask_tone(asked, source, jpeg(source, quality)), yes=False)
    tally.show()


UP = {
    "brightness": "make it brighter", "contrast": "increase the contrast", "saturation": "increase the saturation",
    "warmth": "make it warmer", "sharpness": "sharpen the image",
}  # fmt: skip
DOWN = {
    "brightness": "make it darker", "contrast": "reduce the contrast", "saturation": "desaturate the image",
    "warmth": "make the colors cooler", "sharpness": "blur the image",
}  # fmt: skip


def tone_edits() -> Iterator[tuple[str, str, str | None, Callable[[RGB], RGB]]]:
    for strength, sign in product(STRENGTHS, (1, -1)):
        asked, opposite = (UP, DOWN) if sign > 0 else (DOWN, UP)
        for kind, edit in TONE_EDITS.items():
            amount = sign * strength
            row = f"{kind} {amount:+.0%}"
            yield row, asked[kind], opposite[kind], lambda image, edit=edit, amount=amount: edit(image, amount)
    yield "black and white", "make it black and white", None, to_grey
    yield "sepia", "apply a sepia tone", None, to_sepia


def ask_tone(text: str, source: RGB, edited: RGB) -> Answer:
    return ask(check_tone, text, source, edited)


def _clip(values: np.ndarray) -> RGB:
    return np.round(np.clip(values, 0, 255)).astype(np.uint8)


def _luma(image: RGB) -> np.ndarray:
    return (image @ np.array([0.299, 0.587, 0.114]))[..., None]


def _sharpness(image: RGB, amount: float) -> RGB:
    """Up: unsharp mask of that weight at σ = 1.5; down: blend with a blur of σ = 1.5 by that share."""
    soft = cv2.GaussianBlur(image.astype(np.float64), (0, 0), 1.5)
    return _clip(image + amount * (image - soft))


TONE_EDITS: dict[str, Callable[[RGB, float], RGB]] = {
    "brightness": lambda image, amount: _clip(image * (1.0 + amount)),
    "contrast": lambda image, amount: _clip(image.mean() + (image - image.mean()) * (1 + amount)),
    "saturation": lambda image, amount: _clip(_luma(image) + (image - _luma(image)) * (1 + amount)),
    "warmth": lambda image, amount: _clip(image * (1 + amount * np.array([0.5, 0.0, -0.5]))),
    "sharpness": _sharpness,
}


def to_grey(image: RGB) -> RGB:
    return np.repeat(_clip(_luma(image)), 3, axis=2)


def to_sepia(image: RGB) -> RGB:
    matrix = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    return _clip(image @ matrix.T)


# --- geometry ---------------------------------------------------------------------------------------------------------


def measure_geometry() -> None:
    tally = Tally("Geometry: 6 pictures, JPEG 75; every operation against every question")
    operations = geometry_operations()
    for name in PICTURES:
        source = picture(name)
        for done, (edit, _) in operations.items():
            edited = jpeg(edit(source))
            pose = find_pose(source, edited)
            for asked, (_, satisfied_by) in operations.items():
                answer = judge_pose(asked, pose)
                row = f"done: {asked}" if done in satisfied_by else "another operation done"
                tally.add(row, answer, yes=done in satisfied_by)
        pose = find_pose(source, jpeg(source))
        for asked in operations:
            tally.add("nothing done (JPEG copy)", judge_pose(asked, pose), yes=False)
    tally.show()


def judge_pose(asked: str, pose: Pose | Missing) -> Answer:
    """As check_geometry does; a pose is found once for all questions."""
    edit = understand(asked).edit
    if not isinstance(edit, TurnFrame):
        raise TypeError(f"{asked!r} was read as {edit}")
    return pose if isinstance(pose, Missing) else fit_of_pose(edit, pose)


def geometry_operations() -> dict[str, tuple[Callable[[RGB], RGB], frozenset[str]]]:
    """Instruction → the edit that does it, and the instructions whose edits satisfy it."""
    zooms = {"crop the image", "zoom in", "zoom in by 2x"}
    edits: dict[str, tuple[Callable[[RGB], RGB], set[str]]] = {
        "flip the image horizontally": (lambda i: i[:, ::-1], set()),
        "flip the image vertically": (lambda i: i[::-1], set()),
        "rotate the image 90 degrees clockwise": (lambda i: np.rot90(i, -1), set()),
        "rotate the image 180 degrees": (lambda i: np.rot90(i, 2), set()),
        "rotate the image 90 degrees counterclockwise": (lambda i: np.rot90(i, 1), set()),
        "rotate the image by 30 degrees clockwise": (lambda i: turn(i, 30), set()),
        "rotate the image by 45 degrees counterclockwise": (lambda i: turn(i, -45), set()),
        "crop the image": (lambda i: cut(i, 0.7), zooms),
        "zoom in": (lambda i: grow(cut(i, 0.8), i.shape), zooms),
        "zoom in by 2x": (lambda i: grow(cut(i, 0.5), i.shape), zooms),
        "zoom out": (zoom_out, set()),
    }
    return {text: (edit, frozenset({text, *others})) for text, (edit, others) in edits.items()}


def turn(image: RGB, clockwise: float) -> RGB:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -clockwise, 1.0)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def cut(image: RGB, side: float) -> RGB:
    height, width = image.shape[:2]
    top, left = round(height * (1 - side) / 2), round(width * (1 - side) / 2)
    return image[top : height - top, left : width - left]


def grow(image: RGB, shape: tuple[int, ...]) -> RGB:
    return np.asarray(cv2.resize(image, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.uint8)


def zoom_out(image: RGB) -> RGB:
    small = cv2.resize(image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    rows, columns = image.shape[0] - small.shape[0], image.shape[1] - small.shape[1]
    return cv2.copyMakeBorder(
        small, rows // 2, rows - rows // 2, columns // 2, columns - columns // 2, cv2.BORDER_REPLICATE
    )


# --- text -------------------------------------------------------------------------------------------------------------

FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "DejaVuSans-BoldOblique", "STIXGeneralItalic")
STRINGS = (
    "OPEN", "CLOSED", "Welcome", "Happy Birthday", "No Parking", "Exit", "SALE 50%", "Coffee Shop", "Don't panic",
    "Love", "Hello World", "Fresh Bread", "Room 101", "Since 1984", "Bakery", "Just Married", "Main Street", "STOP",
    "One Way", "Hotel", "Thank You", "Beware of the dog", "Free WiFi", "Taxi", "Police", "Ambulance", "School Bus",
    "Good Morning", "The End", "Game Over", "Level 7", "Pizza & Pasta", "New York", "Paris 2024", "Museum", "Library",
    "Keep Calm", "Carry On", "Mind the gap", "Lost & Found", "Push", "Pull", "Wet Paint", "Handle with care",
    "Organic Tea", "Volume 3", "Chapter One", "Summer Festival", "Winter Is Coming", "Ice Cream",
)  # fmt: skip
OLD = "Temporary notice"


def measure_text() -> None:
    from edit_metrics.backends.rapid_ocr import RapidOcr

    reader = RapidOcr(threads=1)
    tally = Tally("Text: 50 strings, 5 fonts, on photographs, JPEG 85")
    for font in FONTS:
        for number, text in enumerate(STRINGS):
            scene = picture(("astronaut", "coffee", "rocket", "chelsea")[number % 4])
            size = (18, 24, 32)[number % 3]
            edited = jpeg(written(scene, text, font, size), 85)
            before, (after,) = scene_lines(reader, number % 4, font), reader.read_text([edited])
            other = STRINGS[(number + 7) % len(STRINGS)]
            asked = {
                f'change "{OLD}" to "{text}"': True,
                f'change "{OLD}" to "{other}"': False,
                f'write "{text}"': True,
            }
            for question, yes in asked.items():
                row = (
                    "other string asked" if not yes else f"{font}, {'replaced' if 'change' in question else 'written'}"
                )
                tally.add(row, read(question, before, after), yes=yes)
            tally.add("old text removed", read(f'remove the text "{OLD}"', before, after), yes=True)
            tally.add("old text kept", read(f'remove the text "{OLD}"', before, before), yes=False)
            tally.add("nothing written", read(f'write "{text}"', before, before), yes=False)
    tally.show()


def read(text: str, before: object, after: object) -> Answer:
    blank = picture("astronaut")
    return ask(check_text, text, blank, blank, source_text=before, edited_text=after)


_SCENES: dict[tuple[int, str], tuple[object, ...]] = {}


def scene_lines(reader: object, number: int, font: str) -> tuple[object, ...]:
    key = (number, font)
    if key not in _SCENES:
        scene = picture(("astronaut", "coffee", "rocket", "chelsea")[number])
        _SCENES[key] = reader.read_text([jpeg(written(scene, OLD, font, 24), 85)])[0]
    return _SCENES[key]


def written(scene: RGB, text: str, font: str, size: int) -> RGB:
    """Letters on a plain board, as on a sign, tilted by a few degrees."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    face = ImageFont.truetype(str(path), size)
    canvas = Image.fromarray(scene)
    left, top, right, bottom = face.getbbox(text)
    board = Image.new("RGBA", (right - left + 24, bottom - top + 20), (235, 230, 215, 255))
    ImageDraw.Draw(board).text((12 - left, 10 - top), text, font=face, fill=(40, 30, 90, 255))
    tilted = board.rotate(3, expand=True, resample=Image.Resampling.BICUBIC)
    canvas.paste(tilted, (16, 90), tilted)
    return np.asarray(canvas, np.uint8)


# --- area -------------------------------------------------------------------------------------------------------------


def measure_area() -> None:
    tally = Tally("Changed area: things pasted into 6 pictures, JPEG 90")
    for name, other, size in product(PICTURES, PICTURES, (24, 64, 120)):
        if name == other:
            continue
        source = picture(name)
        row, column = source.shape[0] - size - 10, 10
        edited = source.copy()
        edited[row : row + size, column : column + size] = cv2.resize(picture(other), (size, size))
        mask = np.zeros(source.shape[:2], np.bool_)
        mask[row - 4 : row + size + 4, column - 4 : column + size + 4] = True
        changed = changed_pixels(source, jpeg(edited, 90))
        wrong = np.ascontiguousarray(mask[::-1, ::-1])
        for question, given, label, yes in (
            ("add a bird in the bottom left corner", None, "the named corner, no mask", True),
            ("add a bird in the top right corner", None, "another corner, no mask", False),
            ("add a bird", mask, "right mask", True),
            ("remove the bird", wrong, "wrong mask", False),
        ):
            tally.add(label, area(question, changed, given), yes=yes)
        tally.add(
            "nothing done (JPEG 75)",
            area("add a bird", changed_pixels(source, jpeg(source)), mask),
            yes=False,
        )
    tally.show()


def area(text: str, changed: Mask, mask: Mask | None = None) -> Answer:
    any_picture = picture("astronaut")
    return ask(check_change_area, text, any_picture, any_picture, changed_pixels=changed, mask=mask)


# --- reader -----------------------------------------------------------------------------------------------------------


def labelled_instructions() -> list[dict[str, object]]:
    path = Path(__file__).resolve().parents[1] / "tests" / "instruction" / "instructions.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def measure_reader() -> None:
    print("\n## Reader: edit type of the project's own labelled instructions\n")
    print("| split | instructions | right | wrong: `other` | wrong: another type |\n|---|---|---|---|---|")
    for split in ("tuned", "held_out"):
        pairs = [
            (str(row["edit_type"]), str(understand(str(row["text"])).edit_type))
            for row in labelled_instructions()
            if row["split"] == split
        ]
        wrong = [found for label, found in pairs if found != label]
        right, silent = 1 - len(wrong) / len(pairs), wrong.count("other")
        print(f"| {split} | {len(pairs)} | {right:.1%} | {silent} | {len(wrong) - silent} |")


# --- competence -------------------------------------------------------------------------------------------------------


def measure_competence() -> None:
    """Every check on every labelled instruction of another type, and on pictures where it cannot know."""
    rows = labelled_instructions()
    source, edited = picture("astronaut"), jpeg(to_sepia(picture("astronaut")))
    changed = changed_pixels(source, edited)
    outside: dict[str, list[str]] = defaultdict(list)
    asked = 0
    for row in rows:
        text = str(row["text"])
        answers: dict[tuple[str, ...], Answer] = {
            ("recolour", "background"): ask(check_colour, text, source, edited, changed_pixels=changed),
            ("tone",): ask(check_tone, text, source, edited, changed_pixels=changed),
            ("text",): read(text, (), ()),
            ("geometry",): ask(check_geometry, text, source, edited),
            ("add", "remove"): area(text, changed),
        }
        for kinds, answer in answers.items():
            if row["edit_type"] not in kinds:
                asked += 1
                if not isinstance(answer, Missing):
                    outside[kinds[0]].append(row["text"])
    print("\n## Competence\n")
    print(f"verdicts outside the labelled type: {sum(map(len, outside.values()))} of {asked} {dict(outside)}")
    cannot_know(source)


def cannot_know(source: RGB) -> None:
    grey, flat = to_grey(source), np.full_like(source, 128)
    other, symmetric = picture("coffee")[:, : source.shape[1]], np.concatenate([source, source[:, ::-1]], axis=1)
    answers = {
        "black and white of a grey source": ask_tone("make it black and white", grey, grey),
        "saturation of a grey source": ask_tone("increase the saturation", grey, grey),
        "contrast of a flat source": ask_tone("increase the contrast", flat, flat),
        "brighter, another picture": ask_tone("make it brighter", source, other),
        "weather": ask_tone("make it night", source, source),
        "part without a region": ask_tone("make the dog brighter", source, source),
        "flip of a flat picture": ask(check_geometry, "flip the image", flat, flat),
        "flip of a symmetric picture": ask(check_geometry, "flip it horizontally", symmetric, symmetric),
        "flip, another picture": ask(check_geometry, "flip the image", source, other),
        "rotation without an angle": ask(check_geometry, "rotate the image", source, source),
        "a thing is moved": ask(check_geometry, "move the cup to the left", source, source),
        "several colours": ask(
            check_colour, "make the flag red and white", source, source, changed_pixels=grey[..., 0] > 0
        ),
        "no colour named": ask(
            check_colour, "change her hair to blonde", source, source, changed_pixels=grey[..., 0] > 0
        ),
        "text without quotation marks": read("write hello on the wall", (), ()),
        "text in another script": read('write "Привет"', (), ()),
        "two edits at once": area("remove the hat and add a scarf", grey[..., 0] > 0),
    }
    verdicts = [name for name, answer in answers.items() if not isinstance(answer, Missing)]
    print(f"verdicts where the check cannot know: {len(verdicts)} of {len(answers)} {verdicts}")
    for name, answer in answers.items():
        print(f"  {name}: {f'{answer.status}({answer.reason})' if isinstance(answer, Missing) else answer}")


PARTS: dict[str, Callable[[], None]] = {
    "reader": measure_reader,
    "colour": measure_colour,
    "shade": measure_shade,
    "tone": measure_tone,
    "geometry": measure_geometry,
    "text": measure_text,
    "area": measure_area,
    "competence": measure_competence,
}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
