"""Attacks on the decoder: pictures that were damaged on their way, alone and as items of a run."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from attacking import PROFILE, Attack, Outcome, call_here, write_manifest
from PIL import Image

from edit_metrics.errors import ImageError
from edit_metrics.io.images import decode_bytes
from edit_metrics.io.masks import decode_mask

RUN_SIZE = 50
Damage = Callable[[Attack, bytes], bytes]


def decoder(attack: Attack) -> list[Outcome]:
    """Damaged files of every format through the decoder: a picture, or an error with a code, and nothing else."""
    whole = _pictures(attack)
    outcomes = []
    for name, damage in DAMAGES.items():
        codes: Counter[str] = Counter()
        wrong: list[str] = []
        for _ in range(attack.tries):
            kind, data = attack.draw.choice(whole)
            broken = damage(attack, data)
            try:
                decoded = decode_bytes(broken)
            except ImageError as error:
                codes[error.code] += 1
            except BaseException as error:
                wrong.append(f"{kind}: {type(error).__name__}: {error}")
            else:
                fine = decoded.pixels.dtype == np.uint8 and decoded.pixels.ndim == 3 and decoded.pixels.shape[2] == 3
                codes["decoded" if fine else "odd"] += 1
                wrong += [] if fine else [f"{kind}: {decoded.pixels.shape}"]
        said = ", ".join(f"{code} {n}" for code, n in codes.most_common())
        outcomes.append(
            Outcome(f"a picture with {name}", attack.tries, said, "; ".join(wrong[:3]) or "nothing", not wrong)
        )
    return outcomes


def masks(attack: Attack) -> list[Outcome]:
    """The same as masks."""
    whole = _pictures(attack)
    place = attack.folder / "mask.png"
    codes: Counter[str] = Counter()
    wrong: list[str] = []
    from edit_metrics.config import DecodeLimits

    for _ in range(attack.tries):
        kind, data = attack.draw.choice(whole)
        place.write_bytes(attack.draw.choice(list(DAMAGES.values()))(attack, data))
        try:
            decode_mask(str(place), DecodeLimits(), "edited")
            codes["decoded"] += 1
        except ImageError as error:
            codes[error.code] += 1
        except BaseException as error:
            wrong.append(f"{kind}: {type(error).__name__}: {error}")
    said = ", ".join(f"{code} {n}" for code, n in codes.most_common())
    return [Outcome("a damaged mask", attack.tries, said, "; ".join(wrong[:3]) or "nothing", not wrong)]


def pictures_in_a_run(attack: Attack) -> list[Outcome]:
    """Damaged sources, edits and masks as items: each has a row, the whole ones their scores."""
    whole = _pictures(attack, (96, 72))
    folder = attack.folder
    (folder / "profile.json").write_text(json.dumps(PROFILE))
    runs = max(1, attack.tries // RUN_SIZE)
    n_items = n_scored = 0
    wrong: list[str] = []
    for run in range(runs):
        place = folder / f"run{run}"
        place.mkdir()
        rows: list[dict[str, str]] = [_good(place)]
        for n in range(RUN_SIZE):
            row = {"id": f"i{n}", "instruction": "make it red"}
            for field in ("source", "edited", *(["mask"] if attack.draw.random() < 0.3 else [])):
                _, data = attack.draw.choice(whole)
                data = attack.draw.choice(list(DAMAGES.values()))(attack, data) if attack.draw.random() < 0.7 else data
                (place / f"{field}{n}").write_bytes(data)
                row[field] = f"{field}{n}"
            rows.append(row)
        write_manifest(rows, place / "m.jsonl")
        ended = call_here("score", place / "m.jsonl", "--config", folder / "profile.json", "--out", place / "out")
        wrong += (
            [] if ended.code == 0 and not ended.traceback else [f"run {run}: exit {ended.code}: {ended.err[-200:]}"]
        )
        if ended.code != 0:
            continue
        table = pd.read_parquet(place / "out" / "scores.parquet")
        rejected = [
            json.loads(line)["id"] for line in (place / "out" / "rejected.jsonl").read_text("utf-8").split("\n") if line
        ]
        named = sorted([*table["id"], *rejected])
        wrong += [] if named == sorted(row["id"] for row in rows) else [f"run {run}: rows {len(named)} of {len(rows)}"]
        good = table.set_index("id").loc["good"]
        wrong += (
            []
            if good["preservation.status"] == "ok" and good["feasibility.score"] == 1
            else [f"run {run}: good is not"]
        )
        n_items += len(rows)
        n_scored += int(table["preservation.score"].notna().sum())
    said = (
        f"exit 0 in {runs - len(wrong)} of {runs} runs; {n_items} rows, each once; {n_scored} with a preservation score"
    )
    return [
        Outcome(
            "items whose pictures are damaged, through `score`",
            runs * RUN_SIZE,
            said,
            "; ".join(wrong[:3]) or "nothing",
            not wrong,
        )
    ]


def _good(place: Path) -> dict[str, str]:
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(place / "gs.png")
    Image.fromarray(pixels ^ np.uint8(1)).save(place / "ge.png")
    Image.fromarray(np.pad(np.full((24, 24), 255, np.uint8), 20)).save(place / "gm.png")
    return {"id": "good", "source": "gs.png", "edited": "ge.png", "mask": "gm.png", "instruction": "make it red"}


def _pictures(attack: Attack, size: tuple[int, int] = (36, 28)) -> list[tuple[str, bytes]]:
    """Small whole files of every format and mode that the decoder takes."""
    noise = np.random.default_rng(attack.draw.randrange(2**31))
    colour = Image.fromarray(noise.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    gray, alpha = colour.convert("L"), colour.convert("RGBA")
    alpha.putalpha(gray)
    exif = Image.Exif()
    exif[0x0112] = 6
    made: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("PNG", colour, {}), ("PNG", gray, {}), ("PNG", alpha, {}), ("PNG", colour.convert("P"), {}),
        ("PNG", colour, {"exif": exif}), ("PNG", gray.convert("I;16"), {}), ("PNG", gray.convert("1"), {}),
        ("JPEG", colour, {}), ("JPEG", colour, {"progressive": True}), ("JPEG", gray, {}),
        ("JPEG", colour, {"exif": exif}),
        ("JPEG", colour.convert("CMYK"), {}), ("JPEG", colour, {"restart_marker_rows": 1}),
        ("WEBP", colour, {}), ("WEBP", alpha, {"lossless": True}), ("BMP", colour, {}),
        ("GIF", colour.convert("P"), {}),
        ("TIFF", colour, {}), ("TIFF", colour, {"compression": "tiff_deflate"}),
        ("TIFF", colour, {"compression": "tiff_lzw"}),
        ("TIFF", colour.convert("CMYK"), {}), ("TIFF", gray.convert("1"), {"compression": "group4"}),
    ]  # fmt: skip
    files = []
    for kind, image, options in made:
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        files.append((f"{kind} {image.mode} {options or ''}".strip(), stream.getvalue()))
    return files


def _flipped(attack: Attack, data: bytes) -> bytes:
    broken = bytearray(data)
    for _ in range(attack.draw.randint(1, 12)):
        broken[attack.draw.randrange(len(broken))] ^= 1 << attack.draw.randrange(8)
    return bytes(broken)


def _overwritten(attack: Attack, data: bytes) -> bytes:
    start, length = attack.draw.randrange(len(data)), attack.draw.randint(1, 64)
    fill = (
        attack.draw.choice([b"\0", b"\xff", b"\x7f"]) * length
        if attack.draw.random() < 0.5
        else attack.draw.randbytes(length)
    )
    return data[:start] + fill + data[start + length :]


def _cut(attack: Attack, data: bytes) -> bytes:
    return data[: attack.draw.randrange(len(data))]


def _holed(attack: Attack, data: bytes) -> bytes:
    start = attack.draw.randrange(len(data))
    return data[:start] + data[start + attack.draw.randint(1, 200) :]


def _spliced(attack: Attack, data: bytes) -> bytes:
    _, other = attack.draw.choice(_pictures(attack)) if attack.draw.random() < 0.02 else ("", data[::-1])
    start = attack.draw.randrange(len(data))
    return data[:start] + other[attack.draw.randrange(len(other)) :]


def _resized(attack: Attack, data: bytes) -> bytes:
    """A number of four or two bytes near the head becomes a large one, a negative one, or zero."""
    size = attack.draw.choice([2, 4])
    start = attack.draw.randrange(min(len(data), 64))
    value = attack.draw.choice(
        [0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 1) - 1, 65535 % 2 ** (8 * size)]
    )
    return data[:start] + value.to_bytes(size, attack.draw.choice(["big", "little"])) + data[start + size :]


def _followed(attack: Attack, data: bytes) -> bytes:
    return data + attack.draw.randbytes(attack.draw.randint(1, 300))


DAMAGES: dict[str, Damage] = {
    "flipped bits": _flipped,
    "a stretch overwritten": _overwritten,
    "its end cut off": _cut,
    "a hole": _holed,
    "another file's end": _spliced,
    "odd numbers in its head": _resized,
    "bytes behind its end": _followed,
}
FAMILIES = {"decoder": decoder, "masks": masks, "pictures_in_a_run": pictures_in_a_run}
