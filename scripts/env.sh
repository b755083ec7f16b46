#!/usr/bin/env bash
# Make or refresh the environment in .venv at the project's root. Sourced by demo.sh, test.sh and check.sh.
# Safe to run twice: it installs again only when pyproject.toml or the constraints have changed.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
PYTHON=${PYTHON:-python3}
EXTRAS=all,serving,dev

stamp=$(cat pyproject.toml scripts/constraints.txt | sha256sum | cut -d' ' -f1)
if [ ! -x .venv/bin/python ] || [ "$(cat .venv/stamp 2>/dev/null)" != "$stamp" ]; then
    echo "── environment: installing into .venv (torch is large: a few minutes on a first run)"
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "Expected Python 3.11 or newer, got $("$PYTHON" --version). Set PYTHON=/path/to/python3.11." >&2
        exit 2
    }
    [ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
    # The pip that comes with Python 3.11 was still resolving after eight minutes; a newer one takes half a minute.
    .venv/bin/python -m pip install --quiet --upgrade "pip>=25" || echo "── pip stays as it is"
    # torch and torchvision in one call, from one index: builds of different origin do not import side by side.
    # Bytecode is written as modules are first imported: all of it at once takes long, and most is never read.
    .venv/bin/python -m pip install --quiet --no-compile --constraint scripts/constraints.txt torch torchvision
    .venv/bin/python -m pip install --quiet --no-compile --constraint scripts/constraints.txt --editable ".[$EXTRAS]"
    echo "$stamp" > .venv/stamp
else
    echo "── environment: .venv is up to date"
fi
# Some images set it; each of the tests' many starts of the command line would then compile the package anew.
unset PYTHONDONTWRITEBYTECODE
export PATH="$ROOT/.venv/bin:$PATH"
