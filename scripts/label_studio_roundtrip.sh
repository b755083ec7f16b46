#!/usr/bin/env bash
# Round trip with a real Label Studio server on loopback: queue → config and tasks → one annotation → export → ratings.
#
#   scripts/label_studio_roundtrip.sh [RUN]      RUN: a scored run; default: the fixtures are scored first
#
# Label Studio lives in an environment of its own (.label-studio): it pulls another OpenCV and NumPy than this project.
# SCREENSHOT=FILE.png also opens the labelling page in headless Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
out=out/label_studio
mkdir -p "$out"

if [ ! -x .label-studio/bin/label-studio ]; then
  echo "installing Label Studio into .label-studio (about a minute)"
  .venv/bin/python -m venv .label-studio
  .label-studio/bin/pip install --quiet 'label-studio==1.23.*' 'label-studio-sdk==2.1.*'
fi

run=${1:-}
if [ -z "$run" ]; then
  run=$out/run
  .venv/bin/edit-metrics score data/fixtures/manifest.jsonl --out "$run" --profile embedded --evidence all
fi

rm -rf "$out/triage"
.venv/bin/edit-metrics triage "$run" --out "$out/triage" --budget 10 --overlap 2 >/dev/null
.label-studio/bin/python scripts/label_studio_roundtrip.py "$out/triage" "$out/export.json"
.venv/bin/edit-metrics ratings import "$out/export.json" --format label-studio --queue "$out/triage/queue.csv" \
  --out "$out/ratings.parquet"
.venv/bin/python scripts/label_studio_check.py "$out/export.sent.json" "$out/ratings.parquet"
