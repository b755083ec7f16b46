"""Python, packages, processor, memory, device: what a run will stand on."""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any, Final

from edit_metrics.backends.registry import get_backend
from edit_metrics.backends.torch_runtime import choose_device
from edit_metrics.config import Config
from edit_metrics.doctor.checks import Check, State
from edit_metrics.engine.plan import Plan
from edit_metrics.errors import ConfigError

GROUP: Final = "environment"
_DISTRIBUTION: Final = "edit-metrics"
_OLDEST_PYTHON: Final = (3, 11)
_OPENCV: Final = (
    "opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless",
)  # fmt: skip
_LITTLE_MEMORY: Final = 4 * 2**30
"""Bytes: `embedded` peaks at 1.3 GiB on pictures of 512 px and at 2.4 on 2048 px (docs/performance.md)."""


def check_environment(config: Config, plan: Plan) -> Iterator[Check]:
    """Every check of the group, in the order of the table."""
    yield _python()
    yield _packages()
    yield _extras(config, plan)
    yield _opencv()
    yield _torch()
    yield _cores()
    yield _memory()
    yield _device(config.engine.device)


def _python() -> Check:
    found = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"
    fits = sys.version_info >= _OLDEST_PYTHON
    return Check(GROUP, "python", State.PASS if fits else State.FAIL, f"{found}; 3.11 or newer is needed")


def _packages() -> Check:
    """The required distributions, against the versions that this package asks for."""
    try:
        requirements = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        todo = f"{_DISTRIBUTION} is not installed (it runs from a folder): its requirements were not checked"
        return Check(GROUP, "packages", State.WARN, todo)
    required = [line for line in requirements if "extra ==" not in line]
    problems = [problem for line in required if (problem := _requirement_problem(line))]
    if problems:
        return Check(GROUP, "packages", State.FAIL, "; ".join(problems))
    shown = ("numpy", "opencv-python", "torch", "torchvision", "open-clip-torch", "lpips", "transformers")
    versions = ", ".join(f"{name} {version}" for name in shown if (version := _version(name)))
    return Check(GROUP, "packages", State.PASS, f"{len(required)} requirements met; {versions}")


def _requirement_problem(line: str) -> str:
    from packaging.requirements import Requirement

    requirement = Requirement(line.partition(";")[0])
    found = _version(requirement.name)
    if found is None and requirement.name in _OPENCV:
        found = next((version for name in _OPENCV if (version := _version(name))), None)
    if found is None:
        return f"{requirement.name} is not installed: pip install '{requirement}'"
    if not requirement.specifier.contains(found, prereleases=True):
        return f"{requirement.name} {found} is installed, {requirement.specifier} is needed"
    return ""


def _extras(config: Config, plan: Plan) -> Check:
    """The optional packages that the profile's backends import."""
    problems, present = [], []
    for role in plan.roles:
        backend = get_backend(role, str(config.backends[role].get("use")))
        found = [f"{name} {version}" for name in backend.packages if (version := _version(name))]
        present += found
        if backend.packages and not found:
            problems.append(f"{backend.packages[0]} for {role}: pip install 'edit-metrics[{backend.extra}]'")
    if problems:
        return Check(GROUP, "extras", State.FAIL, "not installed: " + "; ".join(problems))
    return Check(GROUP, "extras", State.PASS, ", ".join(present) or "the profile needs none")


def _opencv() -> Check:
    """OpenCV's distributions overwrite each other's files: of two versions, which one is imported is chance.

    Two of one version are harmless, and what a user gets: rapidocr asks for the headless one beside opencv-python.
    """
    present = {name: version for name in _OPENCV if (version := _version(name))}
    if len(set(present.values())) > 1:
        named = " and ".join(f"{name} {version}" for name, version in present.items())
        return Check(GROUP, "opencv", State.WARN, f"{named} are installed over each other: bring them to one version")
    return _imports("opencv", ("cv2",), State.FAIL)


def _torch() -> Check:
    """A torchvision built for another torch imports with an error, or not at all."""
    return _imports("torch_and_torchvision", ("torch", "torchvision"), State.FAIL)


def _imports(name: str, modules: tuple[str, ...], otherwise: State) -> Check:
    versions = []
    for module in modules:
        try:
            loaded: Any = importlib.import_module(module)
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            text = f"import {module} fails: {' '.join(str(error).split())[:200]}"
            return Check(GROUP, name, otherwise, text)
        versions.append(f"{module} {loaded.__version__}")
    return Check(GROUP, name, State.PASS, ", ".join(versions))


def _cores() -> Check:
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = [f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if name in os.environ]
    text = f"{own} usable of {os.cpu_count()}" + (f"; {', '.join(limits)}" if limits else "")
    return Check(GROUP, "cores", State.INFO, text)


def _memory() -> Check:
    total, free = _meminfo("MemTotal"), _meminfo("MemAvailable")
    if total is None or free is None:
        return Check(GROUP, "memory", State.SKIP, "this system does not say how much there is")
    state = State.WARN if free < _LITTLE_MEMORY else State.INFO
    return Check(GROUP, "memory", state, f"{free / 2**30:.1f} GiB available of {total / 2**30:.1f} GiB")


def _meminfo(key: str) -> int | None:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:  # noqa: PTH123 - a kernel interface, not a file
            found = re.search(rf"^{key}:\s+(\d+) kB", lines.read(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def _device(wanted: str) -> Check:
    try:
        device = choose_device(wanted)
    except ConfigError as error:
        return Check(GROUP, "device", State.FAIL, str(error))
    if device.type != "cuda":
        return Check(GROUP, "device", State.INFO, f"{device} (engine.device is {wanted!r})")
    torch: Any = sys.modules["torch"]
    properties = torch.cuda.get_device_properties(device)
    return Check(GROUP, "device", State.INFO, f"{device}: {properties.name}, {properties.total_memory / 2**30:.0f} GiB")


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
