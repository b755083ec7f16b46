"""Every planted fault is found, on its row; nothing is found where nothing is planted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from planted_faults import CLEAN, clean_set, faulty_set, picture
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.errors import ConfigError, UserError
from edit_metrics.io.glance import glance
from edit_metrics.io.hashing import perceptual_hash
from edit_metrics.io.images import decode_image
from edit_metrics.lint import registry
from edit_metrics.lint.edit_set import EditSet
from edit_metrics.lint.findings import Linted, as_json, as_text, codes_to_fail_on, id_of, lint
from edit_metrics.lint.nearest import bits_apart, close_pairs, nearest_bits
from edit_metrics.lint.registry import Hit, Severity, all_checks, check
from edit_metrics.lint.wording import language_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, set[str]]]:
    plant, planted = faulty_set(tmp_path_factory.mktemp("faulty"))
    return plant.write(), planted


@pytest.fixture(scope="module")
def linted(faulty: tuple[Path, dict[str, set[str]]]) -> Linted:
    return lint(faulty[0])


def found_ids(linted: Linted) -> dict[str, set[str]]:
    return {one.check.code: {id_of(linted, hit) for hit in one.hits} for one in linted.findings}


def test_nothing_is_found_in_a_set_without_faults(tmp_path: Path) -> None:
    linted = lint(clean_set(tmp_path).write())
    assert linted.rows == CLEAN
    assert found_ids(linted) == {}


def test_a_fault_is_planted_for_every_check(faulty: tuple[Path, dict[str, set[str]]]) -> None:
    assert set(faulty[1]) == set(all_checks())


@pytest.mark.parametrize("code", sorted(all_checks()))
def test_a_planted_fault_is_found_on_its_row_and_nowhere_else(
    code: str, faulty: tuple[Path, dict[str, set[str]]], linted: Linted
) -> None:
    assert found_ids(linted).get(code, set()) == faulty[1][code]


def test_on_real_edits_every_finding_is_a_true_one(shared_data: Path) -> None:
    """Looked at by eye: three samples of one parrot, a chain of turns, a generated picture of another aspect."""
    linted = lint(shared_data / "triples.jsonl")
    found = {code: ids for code, ids in found_ids(linted).items() if all_checks()[code].severity is not Severity.NOTE}
    assert found == {
        "repeated_task": {"editreward_parrot_1", "editreward_parrot_2"},
        "other_aspect": {"anyedit_visual_material_transfer_new"},
        "edit_is_a_source": {"magicbrush_368667_t1", "magicbrush_368667_t2"},
    }


def test_json_and_text_say_the_same(linted: Linted) -> None:
    told = json.loads(json.dumps(as_json(linted)))
    lines = as_text(linted, 1)
    assert {one["code"] for one in told["findings"]} == {one.check.code for one in linted.findings}
    for one in told["findings"]:
        assert sum(line.startswith(f"{one['severity']}  {one['code']}  {one['n']} ") for line in lines) == 1
    assert told["rows"] == linted.rows
    assert "1 rows" not in "\n".join(lines)


def test_the_exit_code_is_1_only_where_it_was_asked_for(faulty: tuple[Path, dict[str, set[str]]]) -> None:
    def code(*arguments: str) -> int:
        return CliRunner().invoke(app, ["lint", str(faulty[0]), "--limit", str(CLEAN), *arguments]).exit_code

    assert code() == 0
    assert code("--fail-on", "error,missing_file") == 0
    assert CliRunner().invoke(app, ["lint", str(faulty[0]), "--fail-on", "mask_size"]).exit_code == 1
    with pytest.raises(UserError, match="'missing_file'"):
        codes_to_fail_on("mising_file")


def test_the_page_shows_the_pictures_and_escapes_what_the_manifest_says(tmp_path: Path) -> None:
    plant = clean_set(tmp_path)
    source = picture(50)
    plant.row("odd", source, source, instruction="<script>alert(1)</script>")
    out = tmp_path / "lint.html"
    done = CliRunner().invoke(app, ["lint", str(plant.write()), "--html", str(out), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["counts"]["warning"] == 1
    page = out.read_text(encoding="utf-8")
    assert page.count("data:image/webp;base64,") >= 2
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_the_page_of_the_docs_lists_every_check() -> None:
    page = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
    for one in all_checks().values():
        assert f"| `{one.code}` | {one.severity} | {one.title} | {one.todo} |" in page
    assert f"{len(all_checks())} checks" in page


def test_a_check_of_a_taken_name_or_with_a_severity_for_a_name_is_refused() -> None:
    all_checks()
    for code in ("missing_file", "error", "Two words"):
        with pytest.raises(ConfigError):
            check(code, Severity.NOTE, "", "")(lambda edits: ())


def test_a_check_from_elsewhere_reports_beside_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    all_checks()
    monkeypatch.setattr(registry, "_CHECKS", dict(registry._CHECKS))

    @check("mine.purple", Severity.ERROR, "It is purple.", "Paint it.")
    def purple(edits: EditSet) -> Iterator[Hit]:
        yield Hit(0, f"{edits.name(0)} of {len(edits.items)}")

    linted = lint(clean_set(tmp_path).write(), limit=3)
    assert found_ids(linted) == {"mine.purple": {"clean0"}}
    assert linted.findings[0].hits[0].detail == "clean0 of 3"


def test_close_pairs_and_nearest_are_those_of_a_plain_search(rng: np.random.Generator) -> None:
    known = rng.integers(1, 2**63, 60, dtype=np.uint64)
    flips = (np.uint64(1) << rng.integers(0, 63, (4, 60), dtype=np.uint64)).astype(np.uint64)
    near = known.copy()
    for flip in flips:
        near ^= flip
    hashes = np.concatenate([known, near, np.zeros(2, np.uint64)])
    plain = [
        [i, j] for i in range(120) for j in range(i + 1, 120) if (int(hashes[i]) ^ int(hashes[j])).bit_count() <= 4
    ]
    assert len(plain) >= 60
    assert close_pairs(hashes, 4).tolist() == plain
    best = [min((int(h) ^ int(k)).bit_count() for k in known) for h in hashes]
    assert [one.bits for one in nearest_bits(hashes, known)] == best
    assert bits_apart(hashes[:1], known[:1]).tolist() == [0]


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_glance_tells_size_and_look_as_decoding_does(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"p.{suffix}"
    shown = picture(3, (640, 400))
    exif = shown.getexif()
    exif[0x0112] = 6  # lies on its side
    shown.save(path, exif=exif)
    seen, whole = glance(str(path)), decode_image(str(path))
    assert (seen.width, seen.height) == (whole.width, whole.height) == (400, 640)
    assert seen.sha256 == whole.sha256
    assert (seen.phash ^ int(perceptual_hash(whole.pixels), 16)).bit_count() <= 2


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("make the dog red", "English"), ("把狗变成红色", "Chinese"), ("犬を赤くしてください", "Japanese"),
        ("сделай собаку красной", "Cyrillic script"), ("mach den Hund rot und entferne die Leine", "German"),
        ("remplace le chien par un chat dans la rue", "French"),
        ("replace the sign with “大阪市中央区難波”", "English"),
        ("add a café", "English"), ("42!", ""),
    ],
)  # fmt: skip
def test_languages(text: str, language: str) -> None:
    assert language_of(text) == language
