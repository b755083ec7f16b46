"""The Python front door: what may be handed over, what comes back, and what a mistake says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import edit_metrics
from edit_metrics.config import Config, validate_config
from edit_metrics.engine import job as engine_job
from edit_metrics.errors import ManifestError, TableError, UserError
from edit_metrics.io.manifest import read_manifest
from edit_metrics.types import DIMENSIONS

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "fixtures"
COFFEE, EDIT = FIXTURES / "images" / "coffee.png", FIXTURES / "images" / "coffee_recolour_leaks.png"
MASK = FIXTURES / "images" / "mask_coffee_saucer.png"
PROFILE = {
    "profile": "stub",
    "backends": {"safety": {"use": "stub"}},
    "dimensions": {
        "safety": {"metrics": ["nudity_max"], "curves": {"nudity_max": {"anchors": [[0, 1], [1, 0]]}}},
        "preservation": {"metrics": ["psnr"], "curves": {"psnr": {"anchors": [[10, 0], [50, 1]]}}},
    },
}
ASK = "make the saucer green"


@pytest.fixture
def config() -> Config:
    return validate_config(PROFILE, "tests")


@pytest.fixture
def pair() -> tuple[Image.Image, Image.Image]:
    return Image.open(COFFEE).convert("RGB"), Image.open(EDIT).convert("RGB")


def forms(source: Image.Image, edited: Image.Image) -> dict[str, tuple[Any, Any]]:
    import torch

    arrays = np.asarray(source), np.asarray(edited)
    tensors = tuple(torch.from_numpy(one.copy()).permute(2, 0, 1) / 255 for one in arrays)
    return {
        "paths": (COFFEE, str(EDIT)), "PIL": (source, edited), "bytes": arrays,
        "floats": (arrays[0] / 255, (arrays[1] / 255).astype(np.float32)), "tensors": tensors,
    }  # fmt: skip


def test_paths_pil_arrays_and_tensors_score_alike(config: Config, pair: tuple[Image.Image, Image.Image]) -> None:
    scorer = edit_metrics.Scorer(config)
    found = {name: scorer(*two, ASK, mask=MASK) for name, two in forms(*pair).items()}
    values = {name: frame.loc[0, "preservation.psnr"] for name, frame in found.items()}
    assert len(set(values.values())) == 1
    assert values["PIL"] == pytest.approx(edit_metrics.psnr(*pair, mask=MASK))
    assert list(found["PIL"]["id"]) == ["0001"]
    assert list(found["PIL"]["instruction"]) == [ASK]


def test_lists_rows_frames_and_items_score_alike(config: Config, pair: tuple[Image.Image, Image.Image]) -> None:
    scorer = edit_metrics.Scorer(config)
    rows = [
        {"source": pair[0], "edited": pair[1], "instruction": ASK},
        {"source": pair[1], "edited": pair[0], "instruction": ASK},
    ]
    named = pd.DataFrame(rows, index=["a", "b"])
    found = [
        scorer([pair[0], pair[1]], [pair[1], pair[0]], ASK), scorer(rows), scorer(pd.DataFrame(rows)), scorer(named),
        scorer([(pair[0], pair[1], ASK), (pair[1], pair[0], ASK)]),
    ]  # fmt: skip
    assert [list(one["id"]) for one in found] == [["0001", "0002"]] * 3 + [["a", "b"], ["0001", "0002"]]
    assert len({tuple(one["safety.score"]) for one in found}) == 1
    items = read_manifest(FIXTURES / "manifest.jsonl").items[:2]
    assert list(scorer(items)["id"]) == [item.id for item in items]


def test_the_models_are_loaded_once_and_kept(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    real = engine_job.build_backend

    def counted(role: str, *arguments: Any, **options: Any) -> Any:
        loaded.append(role)
        return real(role, *arguments, **options)

    monkeypatch.setattr(engine_job, "build_backend", counted)
    scorer = edit_metrics.Scorer(config)
    assert repr(scorer) == "Scorer('stub', not loaded yet)"
    first = scorer(COFFEE, EDIT, ASK)
    second = scorer(COFFEE, EDIT, ASK)
    assert loaded == ["safety"]
    pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(second))


def test_the_frame_shows_eight_scores_and_the_worst_reason(config: Config) -> None:
    frame = edit_metrics.score(FIXTURES / "manifest.jsonl", profile=config)
    text = repr(frame)
    assert text.splitlines()[0].split() == ["id", *DIMENSIONS, "why"]
    assert ".explain(id), .worst(dimension, n), .compact" in text
    assert "the first 20 of 29 items" in text
    assert "…" not in text.splitlines()[0]
    page = frame._repr_html_()
    assert page is not None
    assert page.count('<img src="data:image/webp;base64,') >= 30
    assert "preservation" in page
    assert repr(frame[["id", "safety.score"]]).splitlines()[0].split() == ["id", "safety.score"]


def test_worst_and_explain(config: Config) -> None:
    frame = edit_metrics.score(FIXTURES / "manifest.jsonl", profile=config)
    worst = frame.worst("preservation", 3)
    assert list(worst["preservation.score"]) == sorted(frame["preservation.score"].dropna())[:3]
    text = worst.explain(worst["id"].iloc[0])
    assert "preservation" in text
    assert "psnr" in text
    assert text == edit_metrics.explain(frame.head(29), worst["id"].iloc[0]).replace(" of 29 ", " of 3 ")
    with pytest.raises(TableError, match="Did you mean 'preservation'"):
        frame.worst("preservaton")
    with pytest.raises(TableError, match="Did you mean"):
        frame.explain("coffee_recolour_leak")


def test_html_escapes_and_blurs(config: Config, pair: tuple[Image.Image, Image.Image]) -> None:
    frame = edit_metrics.score(*pair, "x", profile=config, id="<script>alert(1)</script>")
    frame["flags"] = "unsafe"
    page = frame._repr_html_()
    assert page is not None
    assert "<script>" not in page
    assert page.count("filter:blur") == 2


def test_pictures_in_memory_lie_beside_the_run_when_it_is_kept(
    config: Config, pair: tuple[Image.Image, Image.Image], tmp_path: Path
) -> None:
    frame = edit_metrics.score(*pair, ASK, profile=config, out=tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run-pictures").iterdir()) == ["0001-edited.png", "0001-source.png"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "run-pictures" / "0001-source.png")), np.asarray(pair[0]))
    assert len(frame) == 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: edit_metrics.score([]), ManifestError, "at least one edit"),
        (lambda: edit_metrics.score(COFFEE, EDIT), UserError, "score(source, edited, instruction)"),
        (lambda: edit_metrics.score("m.jsonl", "embedded"), UserError, "score(manifest, profile=NAME)"),
        (lambda: edit_metrics.score(Image.new("RGB", (8, 8))), UserError, "got Image"),
        (lambda: edit_metrics.score([COFFEE, COFFEE], [EDIT], "x"), UserError, "2 values, as there are sources"),
        (lambda: edit_metrics.score(COFFEE, [EDIT], "x"), UserError, "two pictures or two lists"),
        (lambda: edit_metrics.score(np.zeros((8, 8, 7)), EDIT, "x"), UserError, "H×W×3"),
        (lambda: edit_metrics.score(np.full((8, 8, 3), 200.0), EDIT, "x"), UserError, "Divide by 255"),
        (lambda: edit_metrics.score(np.full((8, 8, 3), -1.0), EDIT, "x"), UserError, "(x + 1) / 2"),
        (lambda: edit_metrics.score([{"image": "a", "prompt": "x"}]), ManifestError, "Rename"),
        (lambda: edit_metrics.score([1, 2]), UserError, "rows: mappings"),
        (lambda: edit_metrics.score("no.jsonl", mask="m.png"), UserError, "mask beside them"),
        (lambda: edit_metrics.score("no.jsonl"), ManifestError, "no such file"),
        (lambda: edit_metrics.psnr(COFFEE, FIXTURES / "images" / "cat.png"), UserError, "two pictures of one size"),
        (lambda: edit_metrics.ssim(COFFEE, 3), UserError, "a path, a PIL picture, an array or a tensor"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_call_says_what_to_do(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_one_liners_agree_with_the_score_table_and_do_not_look_inside_the_mask(
    pair: tuple[Image.Image, Image.Image],
) -> None:
    from skimage.metrics import peak_signal_noise_ratio

    source, edited = (np.asarray(one) for one in pair)
    assert edit_metrics.psnr(*pair) == pytest.approx(peak_signal_noise_ratio(source, edited))
    for name in ("psnr", "ssim", "ms_ssim"):
        assert getattr(edit_metrics, name)(source, source) == pytest.approx(100 if name == "psnr" else 1)
    for name in ("mse", "mae", "gmsd"):
        assert getattr(edit_metrics, name)(source, source) == pytest.approx(0)
    mask = np.zeros(source.shape[:2], bool)
    mask[100:200, 100:250] = True
    changed = source.copy()
    changed[mask] = 255 - changed[mask]
    assert edit_metrics.psnr(source, changed, mask) == 100
    assert edit_metrics.ssim(source, changed, mask) == pytest.approx(1)
    with pytest.raises(UserError, match="can be measured on"):
        edit_metrics.psnr(source, changed, np.ones_like(mask))


@pytest.mark.weights
def test_lpips_is_zero_for_equal_pictures_and_blind_inside_the_mask(pair: tuple[Image.Image, Image.Image]) -> None:
    assert edit_metrics.lpips(pair[0], pair[0]) == pytest.approx(0, abs=1e-6)
    assert edit_metrics.lpips(*pair) > 0.01
    whole = np.ones((pair[0].height, pair[0].width), bool)
    whole[:, :200] = False
    changed = np.asarray(pair[0]).copy()
    changed[whole] = 0
    assert edit_metrics.lpips(pair[0], changed, whole) == pytest.approx(0, abs=1e-6)


def test_metrics_are_listed_with_their_meaning() -> None:
    table = edit_metrics.list_metrics()
    assert {"preservation.lpips", "adherence.no_op"} <= set(table["name"])
    assert set(table["dimension"]) == set(DIMENSIONS)
    assert table["meaning"].str.len().gt(10).all()
    assert set(table["direction"]) <= {"higher", "lower", "neither"}


def test_the_package_lists_its_names_and_imports_nothing_heavy() -> None:
    assert set(edit_metrics.__all__) <= set(dir(edit_metrics))
    assert all(getattr(edit_metrics, name) is not None for name in edit_metrics.__all__)
    with pytest.raises(AttributeError, match="no attribute 'scores_'"):
        _ = edit_metrics.scores_
    code = "import sys, edit_metrics; dir(edit_metrics); print({'torch', 'pandas', 'cv2', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_python_m_edit_metrics_is_the_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "edit_metrics", "-h"], capture_output=True, text=True, check=True)
    assert "score" in done.stdout
    assert "show" in done.stdout
