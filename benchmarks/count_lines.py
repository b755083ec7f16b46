"""Lines of code by package: those that are not blank, not a comment and not part of a docstring.

python benchmarks/count_lines.py                    # of this checkout
python benchmarks/count_lines.py COMMIT [COMMIT]    # of commits of this repository, side by side
"""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tarfile
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDERS: Final = ("edit_metrics", "tests", "benchmarks", "scripts")
_NO_CODE: Final = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)


def count_code(text: str) -> int:
    """Lines of a file that hold code."""
    documented: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            # A docstring, or the words below an attribute.
            documented.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            held.update(range(token.start[0], token.end[0] + 1))
    return len(held - documented)


def files_here() -> Iterator[tuple[str, str]]:
    """Path and text of the Python files of this checkout."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def files_of(commit: str) -> Iterator[tuple[str, str]]:
    """The same of a commit."""
    known = subprocess.run(["git", "ls-tree", "--name-only", commit], cwd=ROOT, capture_output=True, check=True)
    folders = [name for name in known.stdout.decode().split() if name in FOLDERS]
    packed = subprocess.run(["git", "archive", commit, *folders], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            if member.name.endswith(".py"):
                stream = archive.extractfile(member)
                if stream is not None:
                    yield member.name, stream.read().decode()


def by_package(files: Iterable[tuple[str, str]]) -> Counter[str]:
    """Lines by package: folders of ``edit_metrics``, its own files together, and the other folders as wholes."""
    total: Counter[str] = Counter()
    for path, text in files:
        top, *rest = path.split("/")
        part = f"/{rest[0]}" if top == "edit_metrics" and len(rest) > 1 else "/*.py" if top == "edit_metrics" else ""
        total[f"{top}{part}"] += count_code(text)
    return total


def main() -> None:
    commits = sys.argv[1:]
    columns = [by_package(files_of(commit)) for commit in commits] or [by_package(files_here())]
    names = sorted({name for column in columns for name in column})
    print(f"| package | {' | '.join(commits or ['here'])} |\n|---|{'---:|' * len(columns)}")
    for name in names:
        print(f"| {name} | {' | '.join(str(column[name]) for column in columns)} |")
    own = [sum(n for name, n in column.items() if name.startswith("edit_metrics")) for column in columns]
    print(f"| **edit_metrics** | {' | '.join(map(str, own))} |")


if __name__ == "__main__":
    main()
