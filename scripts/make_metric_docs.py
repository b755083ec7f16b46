"""Write the reference part of docs/metrics.md from the registry and the docstrings, so that it cannot go stale.

Beside it what readers of tables need without the registry: edit_metrics/scores/metric_facts.json.

python scripts/make_metric_docs.py            # rewrite the page below its marker, and the facts
python scripts/make_metric_docs.py --check    # exit 1 when a file is not what would be written
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from edit_metrics.plugins import owner_of
from edit_metrics.registry import BASE_INPUTS, Feature, Metric, all_features, all_metrics
from edit_metrics.types import DIMENSIONS, Direction, Grid, Missing

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
FACTS: Final = Path(__file__).resolve().parents[1] / "edit_metrics" / "scores" / "metric_facts.json"
MARKER: Final = "<!-- Below this line the page is written by scripts/make_metric_docs.py. -->"
BETTER: Final = {Direction.HIGHER_IS_BETTER: "higher", Direction.LOWER_IS_BETTER: "lower", Direction.NEITHER: "neither"}
OPTIONAL_INPUTS: Final = {
    "mask": "mask",
    "references": "references",
    "instruction": "instruction",
    "source_caption": "source caption",
    "target_caption": "target caption",
    "edit_type": "edit type",
}
CODE: Final = re.compile(r"\b(?:not_applicable|undefined|unavailable)\(\w+\)")
NAME: Final = r"[A-Z][\w-]+"
CITATION: Final = re.compile(rf"{NAME}(?:(?:, | & | and ){NAME})*(?: et al\.)?,? \(?(?:19|20)\d\d\)?")
PAPERS: Final = tomllib.loads((Path(__file__).parent / "papers.toml").read_text(encoding="utf-8"))
OWN: Final = "*Source:* this project, or a plain statistic; no paper."
GRIDS: Final = {
    Grid.WORKING: "*Grid:* working, a longer side of at most `features.working_grid.max_side` px.",
    Grid.PERCEPTUAL: "*Grid:* perceptual, a longer side of at most `features.perceptual_grid.max_side` px.",
}
TITLES: Final = frozenset({"CLIPScore", "BBAND", "CLIP-IQA", "MUSIQ", "TOPIQ"})
"""Names of methods that stand before their authors in a docstring."""
SECTION: Final = re.compile(r"^(Args|Returns|Raises|References):$", re.MULTILINE)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    check: bool = arguments.parse_args().check
    page = PAGE.read_text(encoding="utf-8")
    head, marker, _ = page.partition(MARKER)
    if not marker:
        print(f"Expected the line {MARKER!r} in {PAGE}.", file=sys.stderr)
        return 2
    # Plug-ins that happen to be installed have pages of their own.
    metrics, features = ([s for s in specs if owner_of(s.module) is None] for specs in (all_metrics(), all_features()))
    fresh = f"{head}{MARKER}\n\n{write_reference(metrics, features)}"
    facts = write_facts(metrics)
    if check:
        stale = [PAGE.name] if fresh != page else []
        stale += [FACTS.name] if not FACTS.is_file() or FACTS.read_text(encoding="utf-8") != facts else []
        for name in stale:
            print(f"{name} is stale. Run: python scripts/make_metric_docs.py", file=sys.stderr)
        return int(bool(stale))
    PAGE.write_text(fresh, encoding="utf-8")
    FACTS.write_text(facts, encoding="utf-8")
    print(f"{len(all_metrics())} metrics → {PAGE.name}", file=sys.stderr)
    return 0


def write_facts(metrics: list[Metric]) -> str:
    """JSON: column → direction, unit and grid, a line each; by name, since who imported what first must not matter."""
    rows = [
        f"  {json.dumps(one.name)}: {json.dumps([one.direction.value, one.unit, one.grid.value], ensure_ascii=False)}"
        for one in sorted(metrics, key=lambda metric: metric.name)
    ]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def write_reference(metrics: list[Metric], features: list[Feature]) -> str:
    """Markdown: per dimension a table of columns, then each definition with its missing cases and papers."""
    known = {feature.name: feature for feature in features}
    parts = []
    for dimension in DIMENSIONS:
        mine = sorted((m for m in metrics if m.dimension == dimension), key=_order)
        if not mine:
            continue
        rows = [_row(metric, known) for metric in mine]
        table = "| column | better | range | unit | needs | meaning |\n|---|---|---|---|---|---|\n" + "\n".join(rows)
        alike: dict[str, list[Metric]] = {}
        for metric in mine:
            alike.setdefault(inspect.getdoc(metric.function) or "", []).append(metric)
        definitions = "\n\n".join(_definition(docstring, group, known) for docstring, group in alike.items())
        parts.append(f"## {dimension}\n\n{table}\n\n### {dimension}: definitions\n\n{definitions}\n")
    return "\n".join(parts)


def _order(metric: Metric) -> tuple[str, int, str]:
    place = metric.function.__code__
    return Path(place.co_filename).name, place.co_firstlineno, metric.name


def _row(metric: Metric, known: dict[str, Feature]) -> str:
    lower, upper = metric.bounds
    limits = f"{_number(lower, '−∞')} … {_number(upper, '∞')}"
    request = " (on request)" if metric.on_request else ""
    needs = ", ".join(_needs(metric, known)) or "pictures"
    meaning = _plain(inspect.getdoc(metric.function) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    cells = (f"`{metric.name}`{request}", BETTER[metric.direction], limits, metric.unit or "–", needs, meaning)
    return f"| {' | '.join(cells)} |"


def _number(bound: float | None, absent: str) -> str:
    return absent if bound is None else f"{bound:.4g}"


def _required(names: Iterable[str], known: dict[str, Feature]) -> Iterator[str]:
    """Everything that must be there, base inputs and features, each once."""
    pending, seen = list(names), set()
    while pending:
        name = pending.pop(0)
        if name in seen:
            continue
        seen.add(name)
        yield name
        if name not in BASE_INPUTS:
            pending.extend(known[name].required)


def _needs(metric: Metric, known: dict[str, Feature]) -> list[str]:
    names = list(_required(metric.required, known))
    inputs = [words for name, words in OPTIONAL_INPUTS.items() if name in names]
    roles = sorted({f"`{known[name].backend}`" for name in names if name in known and known[name].backend})
    return inputs + roles


def _definition(docstring: str, columns: list[Metric], known: dict[str, Feature]) -> str:
    """One docstring with all columns that it defines."""
    sections = _sections(docstring)
    lines = [f"**{', '.join(f'`{metric.name}`' for metric in columns)}**", _plain(sections["body"])]
    if "Returns" in sections:
        lines.append(f"*Value:* {_plain(sections['Returns'])}")
    codes = _codes(columns[0], known)
    if codes:
        lines.append(f"*Missing:* {', '.join(f'`{code}`' for code in codes)}.")
    if identities := list(_identities(columns)):
        lines.append(f"*E = S:* {'; '.join(identities)}.")
    if properties := list(_properties(columns)):
        lines.append(f"*Holds:* {'; '.join(properties)}.")
    lines.append(_source(docstring, sections, columns))
    lines += [GRIDS[grid] for grid in dict.fromkeys(metric.grid for metric in columns) if grid in GRIDS]
    options = [f"`{option.name}` = {option.default!r}" for option in columns[0].options]
    if options:
        lines.append(f"*Options:* {', '.join(options)}.")
    return "\n\n".join(lines)


def _source(docstring: str, sections: dict[str, str], columns: list[Metric]) -> str:
    """Links to where a definition comes from, then what its docstring cites beside them; or that it is our own."""
    linked = [key for metric in columns for key in papers_of(metric.name)]
    entries = [PAPERS["papers"][key] for key in dict.fromkeys(linked)]
    cited = [found.replace("(", "").replace(")", "") for found in CITATION.findall(docstring)]
    if "References" in sections:
        cited = [_plain(sections["References"]).replace("\n", " ")]
    said = {(first_name(one["cited"]), one["cited"][-4:]) for one in entries}
    others = [text for text in dict.fromkeys(cited) if (first_name(text), text.rstrip(".")[-4:]) not in said]
    links = [f"[{one['cited']}]({one['url']})" for one in entries]
    if not links and not others:
        return OWN
    return f"*Paper:* {'; '.join([*links, *others]).rstrip('.')}."


def papers_of(metric: str) -> list[str]:
    """Keys of the papers behind a column."""
    return [key for pattern, keys in PAPERS["metrics"].items() if fnmatchcase(metric, pattern) for key in keys]


def first_name(citation: str) -> str:
    """Of the first author: ``CLIPScore, Hessel 2021`` is Hessel's."""
    words = re.findall(r"[^\W\d_][\w-]+", citation)
    return next((word for word in words if word not in TITLES), "")


def _identities(columns: list[Metric]) -> Iterator[str]:
    """What the columns of one definition give for an unchanged picture; names only where they differ."""
    by_words: dict[str, list[str]] = {}
    for metric in columns:
        by_words.setdefault(_identity(metric), []).append(f"`{metric.name}`")
    for words, names in by_words.items():
        if not words:
            continue
        yield words if len(by_words) == 1 else f"{', '.join(names)}: {words}"


def _identity(metric: Metric) -> str:
    declared = metric.identity
    if declared is None or isinstance(declared, str):
        return ""
    if isinstance(declared, Missing):
        return f"`{declared.status}({declared.reason})`"
    within = f" within {declared.within:g}" if declared.within else ""
    return f"{declared.value:g}{within}{', where S moved by whole pixels' if declared.moved else ''}"


def _properties(columns: list[Metric]) -> Iterator[str]:
    claims = {
        "S and E may change places": lambda metric: metric.symmetric is not None,
        "changes its sign when S and E change places": lambda metric: metric.antisymmetric is not None,
        "pictures and mask may be mirrored": lambda metric: metric.flip_invariant is not None,
        "pixels inside the mask do not matter": lambda metric: metric.blind_inside,
    }
    for words, holds in claims.items():
        names = [f"`{metric.name}`" for metric in columns if holds(metric)]
        if names:
            yield words if len(names) == len(columns) else f"{words} ({', '.join(names)})"


def _codes(metric: Metric, known: dict[str, Feature]) -> list[str]:
    """Reasons for a missing value that the docstrings of the metric and of what it requires name."""
    found = CODE.findall(inspect.getdoc(metric.function) or "")
    for name in _required(metric.required, known):
        if name in known:
            found += CODE.findall(inspect.getdoc(known[name].function) or "")
    return list(dict.fromkeys(found))


def _sections(docstring: str) -> dict[str, str]:
    pieces = SECTION.split(docstring)
    found = {"body": pieces[0].strip()}
    for title, text in zip(pieces[1::2], pieces[2::2], strict=True):
        found[title] = inspect.cleandoc(text)
    return found


def _plain(text: str) -> str:
    """Turn reStructuredText roles and literals into Markdown code."""
    without_roles = re.sub(r":\w+:`[~.]*([^`]+)`", r"`\1`", text)
    return without_roles.replace("``", "`").strip()


if __name__ == "__main__":
    sys.exit(main())
