"""Profiles of stubs and tiny random networks, and the command line in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from edit_metrics.cli import main

Doctor = Callable[[dict[str, Any]], tuple[int, dict[str, dict[str, str]]]]


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Doctor:
    """Run ``edit-metrics doctor --json`` on a profile; exit code, and name → check."""

    def run(profile: dict[str, Any]) -> tuple[int, dict[str, dict[str, str]]]:
        file = tmp_path / "profile.yaml"
        file.write_text(yaml.safe_dump({"profile": "test", "engine": {"workers": 2, "model_threads": 1}, **profile}))
        monkeypatch.setattr(sys, "argv", ["edit-metrics", "doctor", "--config", str(file), "--json"])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = json.loads(capsys.readouterr().out)
        return code, {check["name"]: check for check in printed["checks"]}

    return run


def failed(checks: dict[str, dict[str, str]]) -> set[str]:
    """Names of the checks that failed."""
    return {name for name, check in checks.items() if check["state"] == "fail"}
