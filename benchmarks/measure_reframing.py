"""Reframe real edits in known ways and see whether the frame is found, and whether what is measured on it holds.

    python benchmarks/measure_reframing.py PAIRS.jsonl [--sources 24] [--skip 0] [--unrelated 200]
    python benchmarks/measure_reframing.py PAIRS.jsonl --list      which of these real edits are called reframed
    python benchmarks/measure_reframing.py PAIRS.jsonl --outpainted   sources set into others, at so much of their width

PAIRS: a manifest of pairs of one size. Printed: how many frames are within .5 % and 1 px, CPU time, LPIPS and the
changed share before reframing against registered, and how many unrelated pictures are taken for reframed ones.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from bench_set import read_rgb

from edit_metrics.io.manifest import read_manifest
from edit_metrics.metrics.frame import in_words
from edit_metrics.metrics.frame_laying import lay_on_source
from edit_metrics.metrics.grid import fit_to_grid
from edit_metrics.metrics.reframing import Frame, find_frame, is_reframed
from edit_metrics.metrics.registration import register
from edit_metrics.pixels.change import change_reference, find_changes
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.types import RGB, EditItem, Mask, Missing

Box = tuple[float, float, float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--sources", type=int, default=24)
    parser.add_argument("--unrelated", type=int, default=200)
    parser.add_argument("--measures", type=int, default=8, help="sources whose LPIPS is compared too")
    parser.add_argument("--skip", type=int, default=0, help="sources passed over first")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--outpainted", action="store_true")
    arguments = parser.parse_args()
    items = read_manifest(arguments.pairs).items
    if arguments.list:
        list_reframed(items)
        return
    pairs = {}
    for item in items:
        source, edited = read_rgb(Path(item.source)), read_rgb(Path(item.edited))
        if source.shape == edited.shape and item.source not in pairs:
            pairs[item.source] = (source, edited)
    chosen = list(pairs.values())[arguments.skip : arguments.skip + arguments.sources]
    if arguments.outpainted:
        list_outpainted([source for source, _ in chosen])
        return
    found = defaultdict(list)
    times = []
    apart = defaultdict(list)
    wrong = 0
    for number, (source, edited) in enumerate(chosen, arguments.skip):
        for name, box, size in cases(source, np.random.default_rng(number)):
            picture = reframed(edited, box, size)
            started = time.process_time()
            frame = find_frame(source, picture)
            times.append(time.process_time() - started)
            found[name].append(is_right(frame, box, size))
            wrong += not found[name][-1] and not isinstance(frame, Missing)
            if number < arguments.skip + arguments.measures and not isinstance(frame, Missing):
                apart[name].append(differences(source, edited, picture, frame))
    total = [right for rights in found.values() for right in rights]
    print(f"{len(chosen)} sources; found within .5 % and 1 px: {sum(total)} of {len(total)}, {wrong} wrong; "
          f"{1e3 * np.median(times):.0f} CPU ms each (90 %: {1e3 * np.quantile(times, 0.9):.0f})")  # fmt: skip
    print(f"{'case':24}{'right':>10}{'LPIPS within .02':>20}{'share within .01':>20}")
    for name, rights in found.items():
        lpips, share = np.array(apart[name]).reshape(-1, 2).T
        near = [f"{np.sum(lpips <= 0.02)}/{len(lpips)}", f"{np.sum(share <= 0.01)}/{len(share)}"]
        print(f"{name:24}{f'{sum(rights)}/{len(rights)}':>10}{near[0]:>20}{near[1]:>20}")
    print(unrelated(list(pairs.values()), arguments.unrelated))


def list_reframed(items: Sequence[EditItem]) -> None:
    """As the program does: looked for where the aspect is off or nothing registers."""
    looked = found = 0
    for item in items:
        source, edited = read_rgb(Path(item.source)), read_rgb(Path(item.edited))
        grid = fit_to_grid(source, edited)
        placed = None if isinstance(grid, Missing) else register(source, grid.edited)
        if placed is not None and not isinstance(placed, Missing) and grid.relation in ("same", "resized"):
            continue
        looked += 1
        frame = find_frame(source, edited)
        if not isinstance(frame, Missing) and is_reframed(frame):
            found += 1
            sizes = " to ".join("x".join(map(str, size)) for size in (frame.source_size, frame.edited_size))
            agree = f"{frame.agreement:.2f} of {frame.tiles} tiles"
            print(f"{item.id}: {sizes}, kept {frame.kept:.2f}, {agree}; {in_words(frame)}")
    print(f"{len(items)} edits, looked for in {looked}, called reframed {found}")


def list_outpainted(sources: Sequence[RGB]) -> None:
    """How often the frame is found to within .5 % where S lies in another picture of 1024², or of its own size."""
    for share in (0.9, 0.7, 0.5, 0.4, 1 / 3, 0.25):
        right = []
        for number, source in enumerate(sources):
            for size in ((1024, 1024), (source.shape[1], source.shape[0])):
                # Not the neighbour: successive turns of one photograph stand beside each other.
                picture, scale = outpainted(source, sources[number - len(sources) // 2], size, share)
                frame = find_frame(source, picture)
                right.append(not isinstance(frame, Missing) and abs(frame.scale_x / scale - 1) <= 0.005)
        print(f"at {share:.2f} of its width or height: {sum(right)} of {len(right)}")


def outpainted(source: RGB, other: RGB, size: tuple[int, int], share: float) -> tuple[RGB, float]:
    """The other picture in that size with S in it, as JPEG 90; and the scale that S was drawn at."""
    scale = share * min(size[0] / source.shape[1], size[1] / source.shape[0])
    width, height = round(source.shape[1] * scale), round(source.shape[0] * scale)
    canvas = np.array(cv2.resize(other, size, interpolation=cv2.INTER_CUBIC))
    left, top = (size[0] - width) // 2, (size[1] - height) // 3
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    canvas[top : top + height, left : left + width] = cv2.resize(source, (width, height), interpolation=how)
    _, code = cv2.imencode(".jpg", canvas[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return np.ascontiguousarray(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1]), width / source.shape[1]


def cases(source: RGB, rng: np.random.Generator) -> list[tuple[str, Box, tuple[int, int]]]:
    """Name, E's frame on S in px (left, top, right, bottom), and E's size."""
    height, width = source.shape[:2]
    listed = []
    for zoom in (1.02, 1.05, 1.1, 1.2, 1.3):
        wide, high = width / zoom, height / zoom
        left, top = (rng.uniform(0, 1) * (full - part) for full, part in ((width, wide), (height, high)))
        listed.append((f"zoom {zoom}", (left, top, left + wide, top + high), (width, height)))
    dx, dy = (rng.uniform(0.02, 0.1) * side * rng.choice([-1, 1]) for side in (width, height))
    listed.append(("shift", (dx, dy, width + dx, height + dy), (width, height)))
    for name, aspect in (("1:1", 1.0), ("3:2", 1.5), ("16:9", 16 / 9)):
        wide, high = (width, width / aspect) if width / aspect <= height else (height * aspect, height)
        left, top = (width - wide) / 2, (height - high) / 2
        size = (16 * round(wide * 1.3 / 16), 16 * round(high * 1.3 / 16))
        listed.append((f"crop to {name}", (left, top, left + wide, top + high), size))
    size = (16 * round(width / 16) + 16, 16 * round(height / 16))
    listed.append(("sides in 16s", (0, 0, width, height), size))
    left, top = -0.075 * width, -0.075 * height
    listed.append(("zoom out 1.15", (left, top, width - left, height - top), (width, height)))
    return listed


def reframed(edited: RGB, box: Box, size: tuple[int, int]) -> RGB:
    """The part of the picture, drawn in that size, softened by .5 px of S, and saved as JPEG 85."""
    left, top, right, bottom = box
    scale = (size[0] / (right - left), size[1] / (bottom - top))
    soft = cv2.GaussianBlur(edited, (0, 0), 0.5)
    offsets = [-corner * scale[axis] + (scale[axis] - 1) / 2 for axis, corner in ((0, left), (1, top))]
    matrix = np.array([[scale[0], 0, offsets[0]], [0, scale[1], offsets[1]]])
    if min(scale) < 1:
        soft = cv2.GaussianBlur(soft, (0, 0), 0.5 * float(np.sqrt(1 / min(scale) ** 2 - 1)) + 1e-3)
    drawn = cv2.warpAffine(soft, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    _, code = cv2.imencode(".jpg", drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return np.ascontiguousarray(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1])


def is_right(frame: Frame | Missing, box: Box, size: tuple[int, int]) -> bool:
    """Scales within .5 %, and every corner of E's frame within 1 px of S."""
    if isinstance(frame, Missing):
        return False
    true = (size[0] / (box[2] - box[0]), size[1] / (box[3] - box[1]))
    scales = abs(frame.scale_x / true[0] - 1) <= 0.005 and abs(frame.scale_y / true[1] - 1) <= 0.005
    # Where S and E overlap: beyond it nothing could be seen, and nothing is measured.
    (width, height) = frame.source_size
    near = []
    for index, limit in enumerate((width, height, width, height)):
        inside = [min(max(b[index], 0), limit) for b in (box, frame.box)]
        near.append(abs(inside[0] - inside[1]) <= 1)
    return scales and all(near)


def differences(source: RGB, edited: RGB, picture: RGB, frame: Frame) -> tuple[float, float]:
    """LPIPS and changed share, registered against the pair before reframing, over the same pixels."""
    import edit_metrics

    first, second, overlap = lay_on_source(source, picture, frame)
    before = np.where(overlap[..., None], edited, source)
    lpips = [edit_metrics.lpips(a, b, ~overlap) for a, b in ((source, before), (first, second))]
    shares = [changed(a, b, overlap) for a, b in ((source, before), (first, second))]
    return abs(lpips[0] - lpips[1]), abs(shares[0] - shares[1])


def changed(source: RGB, edited: RGB, area: Mask) -> float:
    found = find_changes(change_reference(rgb_to_lab(source)), rgb_to_lab(edited), area)
    return float(found.changed[area].mean())


def unrelated(pairs: list[tuple[RGB, RGB]], count: int) -> str:
    rng = np.random.default_rng(0)
    accepted = tried = 0
    started = time.process_time()
    while tried < count:
        i, j = rng.integers(0, len(pairs), 2)
        if i == j:
            continue
        tried += 1
        frame = find_frame(pairs[i][0], pairs[j][1])
        accepted += not isinstance(frame, Missing) and is_reframed(frame)
    each = 1e3 * (time.process_time() - started) / max(tried, 1)
    return f"unrelated pictures called reframed: {accepted} of {tried}; {each:.0f} CPU ms each"


if __name__ == "__main__":
    main()
