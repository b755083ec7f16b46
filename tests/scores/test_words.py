"""Every code that the package can write has a sentence."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from edit_metrics.config import Config, load_config
from edit_metrics.registry import all_metrics
from edit_metrics.scores import codes
from edit_metrics.scores.columns import metric_name
from edit_metrics.scores.words import _tables, flag_in_words, in_words, metric_in_words, sentence

PACKAGE = Path(__file__).resolve().parents[2] / "edit_metrics"
PROFILES = sorted(
    p.stem for p in (PACKAGE.parent / "configs").glob("*.yaml") if "profile:" in p.read_text(encoding="utf-8")
)
FIRST, REST = slice(0, 1), slice(1, None)
REASONS = {
    **dict.fromkeys(("not_applicable", "undefined", "unavailable", "Finding"), FIRST),
    **dict.fromkeys(("with_cautions", "Missing"), REST),
    "Noted": slice(1, 2),
}
"""Calls that write codes, and in which arguments."""
CODE = re.compile(r"[a-z][a-z0-9_]*")


@cache
def written_codes() -> frozenset[tuple[str, str]]:
    """Code and file of each literal reason in the source: missing values, findings, decoder codes, cautions."""
    files = [file for file in PACKAGE.rglob("*.py") if "report" not in file.parts]
    return frozenset(
        (code, file.name)
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for code in _codes_of(node)
    )


def _codes_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        reasons = node.args[REASONS[node.func.id]] if node.func.id in REASONS else []
    elif isinstance(node, ast.Assign):
        named = any(isinstance(target, ast.Name) and target.id in ("cautions", "notes") for target in node.targets)
        reasons = [node.value] if named else []
    elif isinstance(node, ast.keyword):
        # A bare string is the name of the feature that yields a metric's cautions.
        names_a_feature = node.arg == "cautions" and isinstance(node.value, ast.Constant)
        reasons = [node.value] if node.arg in ("cautions", "because") and not names_a_feature else []
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        reasons = [node.value] if node.target.id in ("WHOLE_FRAME", "ENCODER_BLIND", "TRUNCATED") else []
    else:
        reasons = []
    return [text for reason in reasons for text in _texts(reason)]


def _texts(node: ast.AST) -> list[str]:
    """String literals that the expression may yield; f-strings, indices and comparisons are not codes."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) and CODE.fullmatch(node.value) else []
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    if isinstance(node, ast.Tuple):
        return [
            text
            for element in node.elts
            for text in _texts(element.value if isinstance(element, ast.Starred) else element)
        ]
    return []


def test_the_scan_finds_the_codes_of_the_source() -> None:
    found = {code for code, _ in written_codes()}
    assert {"no_mask", "geometry_mismatch", "encoder_blind", "already_that_colour", "empty_instruction"} <= found
    assert len(found) > 60


def test_every_code_in_the_source_has_a_sentence() -> None:
    silent = sorted({f"{code} ({file})" for code, file in written_codes() if sentence(code) is None})
    assert not silent


def configured_codes(config: Config) -> set[str]:
    found = {
        codes.NOT_IN_PROFILE,
        codes.NO_CURVE,
        codes.INFEASIBLE,
        codes.METRICS_DISAGREE,
        codes.NEAR_THRESHOLD,
        *config.confidence.cautions,
    }
    for name, section in config.dimensions.items():
        found |= {section.cap_reason} - {""}
        found |= set(section.gates)
        found |= {code(metric) for code in (codes.pulled_down_by, codes.missing_curve) for metric in section.curves}
        watched = [metric_name(name, metric) for metric in (*section.gates, *section.curves)]
        found |= {code(metric) for code in (codes.missing, codes.failed) for metric in watched}
        found |= {codes.missing(name), codes.low_confidence(name), codes.weakest(name, 0.25)}
    return found | {f"no_{role}_backend" for role in ("clip", "ocr", "patches", "safety_second")}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_code_and_flag_of_a_profile_has_words(profile: str) -> None:
    config = load_config(profile)
    assert sorted(code for code in configured_codes(config) if sentence(code) is None) == []
    assert sorted(flag for flag in config.flags if flag not in _tables()["flags"]) == []
    curves = [metric for section in config.dimensions.values() for metric in section.curves]
    assert sorted(metric for metric in curves if metric not in _tables()["metrics"]) == []


@pytest.mark.parametrize("file", ["source", "edited", "mask", "reference"])
def test_every_decoder_code_has_words_for_every_file(file: str) -> None:
    endings = {*codes.UNREADABLE, "too_small", "size_mismatch"}
    assert [code for code in endings if sentence(f"{file}_{code}") is None] == []


def test_words_of_metrics_name_registered_metrics() -> None:
    known = {metric.name.split(".", 1)[1] for metric in all_metrics()}
    assert set(_tables()["metrics"]) <= known


def test_patterns_fill_in_what_the_code_carries() -> None:
    assert in_words("low_ssim_core") == "Pulled down by SSIM of the kept area."
    assert in_words("low_mine.contrast") == "Pulled down by contrast."  # of a plug-in
    assert in_words("missing:structure.gmsd") == "Could not be measured: kept gradients (GMSD)."
    assert in_words("failed:structure.gmsd") == "The measurement failed: kept gradients (GMSD)."
    assert in_words("weakest:preservation=0.23") == "Weakest: preservation, 0.23."
    assert in_words("edited_unreadable") == "The edited picture cannot be read."
    assert in_words("not_a_add_edit") == "Not that kind of edit (add): the check does not apply."
    assert in_words("no_ocr_backend") == "The profile has no ocr model."


def test_codes_of_the_queue_have_sentences() -> None:
    queued = {codes.rank(0.5), codes.saving(0.25), codes.ordered_by("overall.min")}
    assert {code: in_words(code) for code in queued} == {
        "rank=0.500": "Calibrated rank 0.500.",
        "saves=0.250": "Expected saving from asking: 0.250.",
        "by:overall.min": "In order of overall.min.",
    }


def test_a_code_without_a_sentence_is_shown_as_it_is() -> None:
    assert sentence("brand_new_code") is None
    assert in_words("brand_new_code") == "brand_new_code"
    assert in_words("ValueError: no <b>") == "ValueError: no <b>"
    assert flag_in_words("brand_new") == "brand new"
    assert metric_in_words("adherence.brand_new") == "brand new"


@pytest.mark.parametrize(
    ("code", "part"),
    [("not_read", "in full"), ("not_read:except", "“except”"), ("not_read:<end>", "at its end"), ("not_read:;", "“;”")],
)
def test_what_was_not_read_says_where_it_stopped(code: str, part: str) -> None:
    assert part in in_words(code)
    assert in_words(code).endswith(".")
