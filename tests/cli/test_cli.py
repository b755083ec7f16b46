"""The command line as a whole: what it imports, how it fails, what it prints where."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from edit_metrics.cli import main
from edit_metrics.types import DIMENSIONS

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "fixtures"

STUB = {
    "profile": "stub",
    "backends": {"perceptual": {"use": "stub"}, "safety": {"use": "stub"}},
    "dimensions": {
        "safety": {"metrics": ["nudity_max"], "curves": {"nudity_max": {"anchors": [[0, 1], [1, 0]]}}},
        "preservation": {"metrics": ["psnr"], "curves": {"psnr": {"anchors": [[10, 0], [50, 1]]}}},
    },
    "cannot_see": ["anything: this is a stub"],
}


@pytest.fixture
def stub_file(tmp_path: Path) -> Path:
    path = tmp_path / "stub.yaml"
    path.write_text(yaml.safe_dump(STUB))
    return path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process; returns the exit code."""
    monkeypatch.setattr(sys, "argv", ["edit-metrics", *arguments])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['edit-metrics', '--help']\n"
        "import edit_metrics.cli\n"
        "try: edit_metrics.cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'pyarrow', 'cv2', 'numpy', 'pydantic', 'scipy', 'transformers'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.stderr.write(','.join(sorted(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "score" in done.stdout


def test_score_prints_data_on_stdout_and_progress_on_stderr(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    manifest = str(FIXTURES / "manifest.jsonl")
    assert call(monkeypatch, "score", manifest, "--out", str(out), "--config", str(stub_file), "--limit", "5") == 0
    printed = capsys.readouterr()
    assert "5 of 5 edits scored in " in printed.out
    assert "preservation.psnr" not in printed.out
    assert "scoring 5 items" in printed.err
    assert "\x1b[" not in printed.out + printed.err


def test_score_prints_one_json_document_when_asked(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--out", str(tmp_path / "run"), "--config", str(stub_file), "--limit", "3", "--json")
    assert call(monkeypatch, "score", str(FIXTURES / "manifest.jsonl"), *arguments) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["counts"] == {"rows": 3, "scored": 3, "rejected": 0}
    assert data["metrics"]["preservation.psnr"]["n"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("score", "no-such.jsonl", "--out", "x"), ("manifest file", "no-such.jsonl")),
        (("score", "m.jsonl", "--out", "x", "--profile", "embeded"), ("Did you mean 'embedded'",)),
        (("score", "m.jsonl", "--out", "x", "--evidence", "som"), ("none, flagged or all", "--evidence")),
        (("score", "m.jsonl", "--out", "x", "--set", "engine.shard_sise=3"), ("shard_size",)),
    ],
)
def test_a_users_mistake_is_one_paragraph_and_exit_2(
    arguments: tuple[str, ...],
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, *arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith("edit-metrics: Expected ")
    assert "Traceback" not in message
    assert message.count("\n") == 1
    assert all(word in message for word in words)


def test_rejected_rows_exit_0_and_strict_2(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "m.jsonl"
    good = {"id": "a", "source": "coffee.png", "edited": "coffee.png", "instruction": "x"}
    manifest.write_text("\n".join(json.dumps(row) for row in (good, good | {"source": "../../x.png"}, {"id": "c"})))
    base = ("score", str(manifest), "--config", str(stub_file), "--root", str(FIXTURES / "images"))
    assert call(monkeypatch, *base, "--out", str(tmp_path / "a")) == 0
    assert "2 of 3 rows rejected" in capsys.readouterr().err
    rejected = [json.loads(line) for line in (tmp_path / "a" / "rejected.jsonl").read_text().splitlines()]
    assert [row["line"] for row in rejected] == [2, 3]
    assert call(monkeypatch, *base, "--out", str(tmp_path / "b"), "--strict") == 2
    assert not (tmp_path / "b").exists()


def test_strict_exits_2_also_for_a_row_that_is_rejected_while_decoding(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "m.jsonl"
    good = {"id": "a", "source": "coffee.png", "edited": "coffee.png", "instruction": "x"}
    manifest.write_text("\n".join(json.dumps(row) for row in (good, good | {"id": "b", "mask": "astronaut.jpg"})))
    base = ("score", str(manifest), "--config", str(stub_file), "--root", str(FIXTURES / "images"))
    assert call(monkeypatch, *base, "--out", str(tmp_path / "a")) == 0
    assert "1 of 2 rows rejected (rejected.jsonl):\n  line 2, mask: expected" in capsys.readouterr().err
    for _ in range(2):  # scored, and found complete
        assert call(monkeypatch, *base, "--out", str(tmp_path / "b"), "--strict") == 2
        assert "no rejected rows (--strict), got 1; the first: line 2, mask" in capsys.readouterr().err
    assert (tmp_path / "b" / "scores.parquet").read_bytes() == (tmp_path / "a" / "scores.parquet").read_bytes()
    manifest.write_text(json.dumps(good | {"mask": "astronaut.jpg"}))
    assert call(monkeypatch, *base, "--out", str(tmp_path / "c")) == 2
    assert "a row that can be scored, got 1 rejected rows" in capsys.readouterr().err


def test_an_unknown_verb_exits_2(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "skore") == 2


def test_version_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("edit-metrics 0.")


def test_verbose_and_show_print_every_table(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, manifest = str(tmp_path / "run"), str(FIXTURES / "manifest.jsonl")
    base = ("score", manifest, "--out", out, "--config", str(stub_file), "--limit", "3")
    assert call(monkeypatch, *base, "--verbose") == 0
    verbose = capsys.readouterr()
    assert call(monkeypatch, "show", out) == 0
    shown = capsys.readouterr()
    for printed in (verbose, shown):
        assert "preservation.psnr" in printed.out
        assert "not seen by this profile: anything" in printed.err


def test_score_ends_in_25_lines_of_80_columns(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    manifest = str(FIXTURES / "manifest.jsonl")
    assert call(monkeypatch, "score", manifest, "--out", str(out), "--config", str(stub_file)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "Look at these first:" in text
    assert "Next: edit-metrics report RUN" in text
    assert f"RUN is …{str(out)[-72:]}" in text or f"RUN is {out}" in text
    assert "29 items have no adherence: add target_caption with --profile clip, or ask a judge" in " ".join(
        text.split()
    )
    for name in DIMENSIONS:
        assert f"\n{name} " in text


def test_show_explains_an_item_and_lists_the_worst(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    assert call(monkeypatch, "score", str(FIXTURES / "manifest.jsonl"), "--out", out, "--config", str(stub_file)) == 0
    capsys.readouterr()
    assert call(monkeypatch, "show", out, "coffee_recolour_leaks") == 0
    text = capsys.readouterr().out
    assert "“Make the saucer green”" in text
    assert "preservation" in text
    assert "psnr " in text
    assert call(monkeypatch, "show", out, "--worst", "preservation", "-n", "3", "--json") == 0
    worst = json.loads(capsys.readouterr().out)
    assert len(worst) == 3
    assert [one["score"] for one in worst] == sorted(one["score"] for one in worst)
    assert call(monkeypatch, "show", out, "coffee_recolour_leak") == 2
    assert "Did you mean 'coffee_recolour_leaks'" in capsys.readouterr().err
    assert call(monkeypatch, "show", out, "--worst", "preservatoin") == 2
    assert "Did you mean 'preservation'" in capsys.readouterr().err


def test_when_every_row_is_rejected_the_call_is_wrong(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"id": "a", "image": "a.png", "output": "b.png", "prompt": "x"}\n', encoding="utf-8")
    assert call(monkeypatch, "score", str(manifest), "--out", str(tmp_path / "a"), "--config", str(stub_file)) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "Rename 'prompt' to 'instruction'." in message
    assert not (tmp_path / "a").exists()


def test_rejected_rows_are_shown_with_what_to_do_up_to_twenty(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "m.csv"
    good = "a,coffee.png,coffee.png,make it red\n"
    bad = "".join(f"b{n},coffee.png,coffee.png,make it red, then blue\n" for n in range(25))
    manifest.write_text(f"id,source,edited,instruction\n{good}{bad}", encoding="utf-8")
    base = ("score", str(manifest), "--config", str(stub_file), "--root", str(FIXTURES / "images"))
    assert call(monkeypatch, *base, "--out", str(tmp_path / "a")) == 0
    message = capsys.readouterr().err
    assert message.count("Quote the cell that holds a comma") == 20
    assert "and 5 more" in message


def test_a_csv_with_semicolons_says_so(
    stub_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text("id;source;edited;instruction\na;b.png;c.png;x\n", encoding="utf-8")
    assert call(monkeypatch, "score", str(manifest), "--out", str(tmp_path / "a"), "--config", str(stub_file)) == 2
    assert "separated by semicolons" in capsys.readouterr().err
