"""Drive a real Label Studio server; run by label_studio_roundtrip.sh inside Label Studio's own environment.

    .label-studio/bin/python scripts/label_studio_roundtrip.py TRIAGE_FOLDER EXPORT.json

Validates config, tasks and predictions with label-studio-sdk, starts a server on a free port of 127.0.0.1, makes a
project and its tasks through the API, checks the order, submits one annotation, and saves the export.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from label_studio_sdk.label_interface import LabelInterface

USER = "rater@example.com"
STARTUP_SECONDS = 600


def main() -> None:
    folder, export = Path(sys.argv[1]), Path(sys.argv[2])
    config = (folder / "label_studio_config.xml").read_text(encoding="utf-8")
    tasks = json.loads((folder / "label_studio_tasks.json").read_text(encoding="utf-8"))
    setup = json.loads((folder / "triage.json").read_text(encoding="utf-8"))
    validate(config, tasks)
    password, token = secrets.token_urlsafe(12), secrets.token_hex(20)
    with server(setup["label_studio"], password, token) as address:
        api = Api(address, token)
        project = make_project(api, config, setup)
        check_order(api, project, tasks)
        sent = annotate(api, project, tasks)
        exported = api.get(f"/api/projects/{project}/export?exportType=JSON")
        export.write_text(json.dumps(exported, indent=1), encoding="utf-8")
        export.with_suffix(".sent.json").write_text(json.dumps(sent), encoding="utf-8")
        print(f"exported {len(exported)} task with an annotation → {export}")
        if os.environ.get("SCREENSHOT"):
            screenshot(address, project, password, Path(os.environ["SCREENSHOT"]))


def validate(config: str, tasks: list[dict[str, Any]]) -> None:
    """The SDK's own checks of the interface, of every task's data and of every prediction."""
    LabelInterface(config).validate()
    interface = LabelInterface(config)
    n_predictions = 0
    for task in tasks:
        if not interface.validate_task({"data": task["data"]}):
            sys.exit(f"label-studio-sdk refuses the task {task['data']['item_id']}")
        for prediction in task.get("predictions", []):
            errors = interface.validate_prediction(prediction, return_errors=True)
            if errors:
                sys.exit(f"label-studio-sdk refuses a prediction of {task['data']['item_id']}: {errors}")
            n_predictions += 1
    print(f"label-studio-sdk accepts the config, {len(tasks)} tasks and {n_predictions} predictions")


@contextmanager
def server(setup: dict[str, Any], password: str, token: str) -> Iterator[str]:
    """A Label Studio server on a free port, with a throw-away database; stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    program = str(Path(sys.executable).with_name("label-studio"))
    serving = {name: str(value) for name, value in setup.items() if name.startswith("LABEL_STUDIO_")}
    quiet = {"COLLECT_ANALYTICS": "False", "LATEST_VERSION_CHECK": "False", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    with tempfile.TemporaryDirectory() as data, (Path(data) / "server.log").open("wb") as log:
        command = [program, "start", "--no-browser", "--data-dir", data, "--port", str(port), "--internal-host"]
        command += ["127.0.0.1", "--username", USER, "--password", password, "--user-token", token]
        environment = {**os.environ, **serving, **quiet}
        process = subprocess.Popen(
            [*command, "--enable-legacy-api-token"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until_up(address, process, Path(log.name))
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_until_up(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(STARTUP_SECONDS):
        if process.poll() is not None:
            sys.exit(f"the server ended:\n{log.read_text(errors='replace')[-3000:]}")
        try:
            if requests.get(f"{address}/health", timeout=2).ok:
                print(f"server up at {address}")
                return
        except requests.RequestException:
            time.sleep(1)
    sys.exit(f"the server did not answer within {STARTUP_SECONDS} s:\n{log.read_text(errors='replace')[-3000:]}")


class Api:
    """The few calls that are needed; anything but 2xx ends the script with the server's words."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {token}"

    def get(self, path: str) -> Any:
        """The answer to GET."""
        return self._call("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        """The answer to POST."""
        return self._call("POST", path, body)

    def status(self, path: str) -> int:
        """The status of GET, whatever it is."""
        return self._session.get(self._address + path, timeout=60).status_code

    def _call(self, method: str, path: str, body: Any) -> Any:
        answer = self._session.request(method, self._address + path, json=body, timeout=120)
        if not answer.ok:
            sys.exit(f"{method} {path}: {answer.status_code} {answer.text[:1000]}")
        return answer.json()


def make_project(api: Api, config: str, setup: dict[str, Any]) -> int:
    project = api.post(
        "/api/projects",
        {
            "title": "edit-metrics",
            "label_config": config,
            "sampling": setup["label_studio"]["sampling"],
            "maximum_annotations": setup["overlap"],
            "show_collab_predictions": not setup["blind"],
        },
    )["id"]
    for folder in setup["label_studio"]["local_storages"]:
        storage = {"project": project, "path": folder, "use_blob_urls": True, "title": Path(folder).name}
        api.post("/api/storages/localfiles", storage)
    return int(project)


def check_order(api: Api, project: int, tasks: list[dict[str, Any]]) -> None:
    api.post(f"/api/projects/{project}/import", tasks)
    listed = api.get(f"/api/tasks?project={project}&page_size=1000&fields=all")["tasks"]
    order = [task["data"]["item_id"] for task in sorted(listed, key=lambda task: task["id"])]
    if order != [task["data"]["item_id"] for task in tasks]:
        sys.exit(f"the server's order {order} is not the queue's")
    following = api.get(f"/api/projects/{project}/next")
    if following["data"]["item_id"] != tasks[0]["data"]["item_id"]:
        first, queued = following["data"]["item_id"], tasks[0]["data"]["item_id"]
        sys.exit(f"the server hands out {first} first, the queue says {queued}")
    n_predictions = sum(len(task.get("predictions", [])) for task in listed)
    local = [task["data"][f"{name}_picture"] for task in tasks for name in ("source", "edited", "evidence")]
    answers = [api.status(address) for address in local if address.startswith("/data/")]
    print(f"{len(order)} tasks in the queue's order, {n_predictions} predictions")
    print(f"{answers.count(200)} of {len(answers)} local pictures are served (the others are missing on purpose)")


def annotate(api: Api, project: int, tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Submit one annotation of the first task, with a flag and a comment."""
    task = api.get(f"/api/projects/{project}/next")
    names = ["feasibility", "safety", "adherence", "structure", "preservation", "quality", "style", "character"]
    ratings = {name: 1 + index % 5 for index, name in enumerate(names)}
    result = [
        {"from_name": name, "to_name": "edited", "type": "choices", "value": {"choices": [str(value)]}}
        for name, value in ratings.items()
    ]
    result.append({"from_name": "flags", "to_name": "edited", "type": "choices", "value": {"choices": ["unsure"]}})
    result.append({"from_name": "comment", "to_name": "edited", "type": "textarea", "value": {"text": ["a comment"]}})
    made = api.post(f"/api/tasks/{task['id']}/annotations/", {"result": result, "lead_time": 12.5})
    print(f"annotation {made['id']} of {task['data']['item_id']} submitted")
    return {"id": tasks[0]["data"]["item_id"], "ratings": ratings}


def screenshot(address: str, project: int, password: str, path: Path) -> None:
    """The labelling page in headless Chromium; Selenium of the project's environment does the driving."""
    python = str(Path(__file__).resolve().parent.parent / ".venv" / "bin" / "python")
    script = str(Path(__file__).with_name("label_studio_screenshot.py"))
    subprocess.run([python, script, address, str(project), USER, password, str(path)], check=True)


if __name__ == "__main__":
    main()
