"""A command line whose start is paid once: `serving` loads it, and every call of `CALL` is a fork of that process.

Each call is a process of its own, with the caller's folder, environment, streams and exit code; what is left out is the
import of pandas and scipy each time.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

LOADED = (
    "pandas", "pyarrow.compute", "pyarrow.parquet", "rich.table", "scipy.stats", "edit_metrics.cli",
    "edit_metrics.compare.baseline", "edit_metrics.compare.gate_junit", "edit_metrics.compare.gate_output",
)  # fmt: skip
"""What the gate and `accept` take."""
CALL = """
    import json, os, socket
    with socket.socket(socket.AF_UNIX) as line:
        line.connect({address!r})
        socket.send_fds(line, [b"."], [0, 1, 2])
        line.sendall(json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode())
        line.shutdown(socket.SHUT_WR)
        sys.exit(int(line.makefile().read()))
"""
"""The indented end of a Python script that has imported sys; ``format`` it with the address."""


@contextmanager
def serving() -> Iterator[str]:
    """The address at which `edit-metrics` is called, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "line")
        command = [sys.executable, __file__, address]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == "ready\n"
                yield address
            finally:
                server.terminate()


def serve(address: str) -> None:
    """Fork for every call; the answer is its exit code."""
    for name in LOADED:
        import_module(name)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        print("ready", flush=True)  # noqa: T201
        while True:
            line, _ = door.accept()
            with line:
                _, streams, _, _ = socket.recv_fds(line, 1, 3)
                words, folder, environment = json.loads(line.makefile().read())
                child = os.fork()
                if not child:
                    _be(words, folder, environment, streams)
                _, status = os.waitpid(child, 0)
                line.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            for stream in streams:
                os.close(stream)


def _be(words: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> None:
    """Become the process that the caller wanted to start."""
    from edit_metrics.cli import main

    code = 1
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode) for n, mode in enumerate("rww"))
        sys.argv = words
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
