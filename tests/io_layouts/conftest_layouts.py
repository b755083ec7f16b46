"""Each benchmark's layout, built small."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image


def png(seed: int, size: tuple[int, int] = (64, 64), mode: str = "RGB") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format="PNG")
    return buffer.getvalue()


def mask_png(alpha: bool = False) -> bytes:
    region = np.zeros((64, 64), dtype=np.uint8)
    region[16:48, 16:48] = 255
    if alpha:
        picture = Image.open(BytesIO(png(3))).convert("RGBA")
        picture.putalpha(Image.fromarray(255 - region))
    else:
        picture = Image.fromarray(region)
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def put(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    base = tmp_path / "bench"
    for index, name in enumerate(("a", "b", "c")):
        put(base / "source" / f"{name}.png", png(index))
        put(base / "edited" / f"{name}.png", png(10 + index))
    put(base / "masks" / "a.png", mask_png())
    put(
        base / "tasks.csv",
        "id,instruction,edit_type,difficulty\na,make it red,recolour,3\nb.png,remove it,,\nc,add,,\n",
    )
    return base


@pytest.fixture
def pie(tmp_path: Path) -> Path:
    base = tmp_path / "pie"
    entries = {}
    for index, kind in enumerate(("0", "6")):
        key, picture = f"00000000000{index}", f"{kind}_type/{index}.jpg"
        put(base / "annotation_images" / picture, png(index, (512, 512)))
        put(base / "output" / "p2p" / "annotation_images" / picture, png(9, (512, 512)))
        put(base / "output" / "flat" / picture, png(8, (512, 512)))
        entries[key] = {
            "image_path": picture,
            "original_prompt": "a [round] cake",
            "editing_prompt": "a [square]  cake",
            "editing_instruction": "Make it square",
            "editing_type_id": kind,
            "mask": [1024 * 3 + 100, 50, 512 * 100, 512],
        }
    put(base / "mapping_file.json", json.dumps(entries))
    return base


@pytest.fixture
def magicbrush(tmp_path: Path) -> Path:
    base = tmp_path / "dev"
    turns = [
        {"input": "30-input.png", "mask": "30-mask1.png", "output": "30-output1.png", "instruction": "add a cat"},
        {"input": "30-output1.png", "mask": "30-mask2.png", "output": "30-output2.png", "instruction": "add a dog"},
    ]
    put(base / "edit_sessions.json", json.dumps({"30": turns}))
    captions = {"30": {"30-input.png": "a room", "30-output1.png": "a cat", "30-output2.png": "a cat and a dog"}}
    put(base / "global_descriptions.json", json.dumps(captions))
    for index, name in enumerate(("input", "output1", "output2")):
        put(base / "images" / "30" / f"30-{name}.png", png(index))
    put(base / "images" / "30" / "30-mask1.png", mask_png(alpha=True))
    put(base / "images" / "30" / "30-mask2.png", mask_png())
    for name in ("30_1", "30_inde_2", "30_iter_2"):
        put(base / "results" / "30" / f"{name}.png", png(20))
    return base


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    shared = {"bytes": png(0), "path": "x.png"}
    rows = [
        {
            "img_id": "7",
            "turn_index": turn,
            "source_img": shared,
            "mask_img": {"bytes": mask_png(alpha=True), "path": None},
            "instruction": f"turn {turn}",
            "target_img": {"bytes": png(turn), "path": None},
        }
        for turn in (1, 2)
    ]
    folder = tmp_path / "hf"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), folder / "dev-0.parquet")
    return folder
