"""Answers kept on disk: paid for once, whatever happens to the run. Errors are never kept.

One SQLite file in write-ahead mode, one transaction an answer: a process killed at any moment loses the requests under
way and nothing else, and several runs may write at the same time. An entry is found by everything that decided the
answer (see :func:`edit_metrics.judge.questions.question_key`) and by the model that gave it, as the server named it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edit_metrics.errors import RunError

ENVIRONMENT_VARIABLE: Final = "EDIT_METRICS_JUDGE_CACHE"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT NOT NULL, text TEXT NOT NULL,
    tokens_in INTEGER, tokens_out INTEGER, given REAL NOT NULL, PRIMARY KEY (key, model)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS canaries (
    judge TEXT NOT NULL, model TEXT NOT NULL, version INTEGER NOT NULL, answers TEXT NOT NULL, given REAL NOT NULL,
    PRIMARY KEY (judge, model, version)
) WITHOUT ROWID;
"""
_SECONDS_TO_WAIT: Final = 60.0
"""For another process that writes."""
_KEYS_A_QUERY: Final = 500  # under SQLite's oldest limit of 999 variables


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as the model gave it.

    Attributes:
        key: of the question.
        model: as the server named it.
        fingerprint: likewise; empty where it names none.
        text: all of it: what it means is read anew each time.
    """

    key: str
    model: str
    fingerprint: str
    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None


def default_folder() -> Path:
    """``EDIT_METRICS_JUDGE_CACHE``, else the user's cache folder on this platform."""
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("edit-metrics")) / "judge"


class AnswerStore:
    """Answers by question and model. One connection; use it from one thread.

    Args:
        folder: where ``answers.sqlite`` lies; made when absent.

    Raises:
        RunError: the file cannot be opened, or is no database: it may hold paid answers, so it is never replaced.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "answers.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=_SECONDS_TO_WAIT)
            self._connection.execute("PRAGMA journal_mode = WAL")
            # Survives the death of the process; a power cut may take the last seconds.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise _broken(self.path, error) from None

    def put(self, answers: Iterable[StoredAnswer]) -> None:
        """Keep answers; they are on disk when this returns.

        Raises:
            RunError: they cannot be written (disk full).
        """
        now = time.time()
        rows = [(a.key, a.model, a.fingerprint, a.text, a.tokens_in, a.tokens_out, now) for a in answers]
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise _broken(self.path, error) from None

    def get(self, keys: Iterable[str], model: str) -> Iterator[StoredAnswer]:
        """Answers of that model to these questions; those that are not there are left out."""
        for part in _parts(keys):
            marks = ",".join("?" * len(part))
            query = (
                "SELECT key, model, fingerprint, text, tokens_in, tokens_out "  # noqa: S608 - question marks alone
                f"FROM answers WHERE model = ? AND key IN ({marks})"
            )
            try:
                rows = self._connection.execute(query, (model, *part)).fetchall()
            except sqlite3.Error as error:
                raise _broken(self.path, error) from None
            yield from (StoredAnswer(*row) for row in rows)

    def models(self, keys: Iterable[str]) -> dict[str, int]:
        """Model → how many of these questions it has answered, most first."""
        counts: dict[str, int] = {}
        for part in _parts(keys):
            marks = ",".join("?" * len(part))
            query = f"SELECT model, COUNT(*) FROM answers WHERE key IN ({marks}) GROUP BY model"  # noqa: S608 - as above
            for model, count in self._connection.execute(query, part):
                counts[model] = counts.get(model, 0) + count
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def first_canaries(
        self, judge: str, model: str, version: int, answers: Mapping[str, Mapping[str, float]]
    ) -> Mapping[str, Mapping[str, float]]:
        """The canaries' first answers of that judge, which are these where there are none yet.

        Args:
            judge: hash of prompt and settings.
            model: as the server names it.
            version: of the set of canaries.
            answers: canary → column → [0, 1].

        Raises:
            RunError: they cannot be written.
        """
        row = (judge, model, version, json.dumps(answers), time.time())
        try:
            with self._connection:
                self._connection.execute("INSERT OR IGNORE INTO canaries VALUES (?, ?, ?, ?, ?)", row)
            query = "SELECT answers FROM canaries WHERE judge = ? AND model = ? AND version = ?"
            ((text,),) = self._connection.execute(query, (judge, model, version)).fetchall()
        except sqlite3.Error as error:
            raise _broken(self.path, error) from None
        first: dict[str, dict[str, float]] = json.loads(text)
        return first

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _parts(keys: Iterable[str]) -> Iterator[list[str]]:
    listed = list(keys)
    for start in range(0, len(listed), _KEYS_A_QUERY):
        yield listed[start : start + _KEYS_A_QUERY]


def _broken(path: Path, error: Exception) -> RunError:
    return RunError(
        "a file for the judge's answers that can be read and written",
        str(error),
        str(path),
        "It may hold answers that were paid for, so it stays as it is; --cache FOLDER takes another one.",
    )
