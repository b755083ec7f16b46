#!/usr/bin/env bash
# What a GPU gives this project: values against the CPU's, items a second, memory. Six minutes at most; needs no package
# index and no model hub. Run it on the machine that has the GPU, from the project's root.
#
#     bash scripts/gpu_check.sh [--wheels DIR] [--models DIR] [arguments of benchmarks/gpu_check.py]
#
# --wheels DIR   wheels of what that machine's python3 lacks; installed beside it, into a folder of their own
# --models DIR   a model cache (edit-metrics models pull) carried there; without it every model is drawn at random
#
# To carry wheels, on a machine that has an index, name each package that the other one lacks:
#     python3 -m pip download --no-deps --only-binary=:all: --python-version 3.12 \
#         --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 -d DIR NAME==VERSION
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --wheels) wheels=$2; shift 2 ;;
        --models) export EDIT_METRICS_MODELS=$2; shift 2 ;;
        *) arguments+=("$1"); shift ;;
    esac
done
if [ -n "${wheels:-}" ]; then
    site=$(mktemp -d)
    trap 'rm -rf "$site"' EXIT
    echo "── installing $(ls "$wheels"/*.whl | wc -l) wheels from $wheels into a folder of their own"
    python3 -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$site" "$wheels"/*.whl
    export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}"
fi
export PYTHONPATH="$PWD:$PWD/benchmarks${PYTHONPATH:+:$PYTHONPATH}" HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader || echo "── no nvidia-smi here"
timeout 360 python3 benchmarks/gpu_check.py ${arguments[@]+"${arguments[@]}"}
