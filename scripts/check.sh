#!/usr/bin/env bash
# Rules that live in tools: lint, format, types, import direction.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
echo "── ruff"
ruff check .
ruff format --check .
echo "── mypy, beside the next two"
mypy &
typed=$!
trap 'kill $typed 2>/dev/null || true' EXIT
echo "── docs as one book, strict"
NO_MKDOCS_2_WARNING=1 python -m mkdocs build --strict --quiet
echo "── import direction"
python -m pytest -q tests/test_import_direction.py
echo "── mypy's answer"
wait $typed
