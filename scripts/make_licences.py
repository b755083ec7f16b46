"""Write docs/licences.md: the licences of what an installation brings along, and of the weights.

From the metadata of the distributions that are installed here, followed from this package's own requirements, and from
the catalogue of weights. Not a legal opinion: it is what their authors declare.

python scripts/make_licences.py            # rewrite the page
python scripts/make_licences.py --check    # exit 1 when a requirement or a weight is not on it
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from edit_metrics.weights.catalogue import CATALOGUE

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "licences.md"
OWN: Final = "edit-metrics"
GROUPS: Final = ("", "embedded", "clip", "judge", "rate", "ray", "human")
HEAD: Final = """# Licences

This program is Apache-2.0. Below is what an installation brings along, as the authors' own metadata declare it, and
what the weights are under. Written by `python scripts/make_licences.py` from the distributions installed where it ran
(Linux, CPython {python}); another platform may bring others. It is no legal opinion.
"""


def main() -> int:
    """Write the page, or hold it against the requirements and the catalogue."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare only; exit 1 when something is not listed")
    if arguments.parse_args().check:
        missing = not_listed(PAGE.read_text(encoding="utf-8"))
        for name in missing:
            print(f"{name} is not in {PAGE.name}. Run: python scripts/make_licences.py", file=sys.stderr)
        return int(bool(missing))
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name} written", file=sys.stderr)
    return 0


def page() -> str:
    """The whole page."""
    listed: set[str] = set()
    parts = [HEAD.format(python=".".join(map(str, sys.version_info[:2])))]
    for group in GROUPS:
        found = {name: licence for name, licence in followed(group).items() if name not in listed}
        listed |= found.keys()
        title = f"`[{group}]` adds" if group else "Always"
        rows = [f"| {name} | {licence} |" for name, licence in sorted(found.items())]
        body = "\n".join(["| distribution | licence |", "|---|---|", *rows]) if rows else "Nothing further."
        parts.append(f"## {title}\n\n{body}\n")
    rows = [f"| {one.name} | {one.role} | {one.licence} | {', '.join(one.profiles)} |" for one in CATALOGUE.values()]
    parts.append(
        "## Weights\n\n| weight | what it is | licence | profiles |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )
    return "\n".join(parts)


def not_listed(text: str) -> list[str]:
    """Direct requirements and weights that a page lacks, or has without a licence."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [
        *project["dependencies"],
        *(line for name in GROUPS[1:] for line in project["optional-dependencies"][name]),
    ]
    names = {canonicalize_name(Requirement(line).name) for line in lines} - {OWN}
    return sorted(
        name
        for name in (*names, *CATALOGUE)
        if not re.search(rf"^\| {re.escape(name)} \|.*\w.*\|$", text, re.MULTILINE)
    )


def followed(group: str) -> dict[str, str]:
    """Distribution → licence, of everything that this package asks for with an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = list(project["optional-dependencies"][group]) if group else list(project["dependencies"])
    waiting = [Requirement(line) for line in asked]
    seen: set[tuple[str, str]] = set()
    found: dict[str, str] = {}
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name == OWN:
            waiting += [Requirement(line) for one in wanted.extras for line in project["optional-dependencies"][one]]
            continue
        for extra in ("", *wanted.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                distribution = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                found[name] = "not installed where this page was written"
                break
            found[name] = licence_of(distribution)
            environment = {**default_environment(), "extra": extra}
            further = map(Requirement, distribution.requires or ())
            waiting += [one for one in further if one.marker is None or one.marker.evaluate(environment)]
    return found


def licence_of(distribution: metadata.Distribution) -> str:
    """What the metadata declare: an SPDX expression, else the classifiers, else the first line of the free text."""
    own = distribution.metadata
    if expression := own.get("License-Expression"):
        return expression
    named = [line.rpartition(" :: ")[2] for line in own.get_all("Classifier") or () if line.startswith("License ::")]
    first = (own.get("License") or "").strip().split("\n")[0][:80]
    return "; ".join(named) or first or "none declared"


if __name__ == "__main__":
    sys.exit(main())
