"""From what the user asked for to a session that can be served."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edit_metrics.errors import MissingExtraError, TableError
from edit_metrics.rate.log import RaterLog, log_name
from edit_metrics.rate.pictures import RunPictures
from edit_metrics.rate.queue import make_plan
from edit_metrics.rate.server import RatingPage
from edit_metrics.rate.session import Session
from edit_metrics.ratings.rubric import Rubric, load_rubric
from edit_metrics.report.inputs import picture_store
from edit_metrics.scores.items import reachable_confidence, read_items
from edit_metrics.scores.table import ScoreTable, read_scores

FOLDER = "ratings"


@dataclass(frozen=True, slots=True)
class RateRequest:
    """See the options of ``edit-metrics rate``."""

    run: Path
    rater: str
    queue: Path | None = None
    dimensions: tuple[str, ...] = ()
    overlap: int | None = None
    out: Path | None = None
    rubric: Path | None = None
    blind: bool = True
    root: str | None = None
    allow_outside_root: bool = False


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session with its file locked.

    Attributes:
        file: of this rater's answers.
        plan_source: in words, where the order comes from.
    """

    request: RateRequest
    run: ScoreTable
    rubric: Rubric
    session: Session
    file: Path
    plan_source: str

    def page(self, hosts: frozenset[str]) -> RatingPage:
        """What the server shows, under a new random token."""
        asked, run = self.request, self.run
        order = {item.id: place for place, item in enumerate(self.session.plan.items)}
        frame = run.frame[run.frame["id"].isin(order.keys())]
        items = sorted(read_items(frame, reachable_confidence(run.info, run.frame)), key=lambda item: order[item.id])
        pictures = RunPictures(picture_store(run, asked.root, asked.allow_outside_root))
        token = secrets.token_urlsafe(18)
        return RatingPage(
            self.session, tuple(items), pictures, self.rubric, asked.rater.strip(), asked.blind, token, hosts
        )


@contextmanager
def open_session(request: RateRequest) -> Iterator[OpenedSession]:
    """Check everything, lock the rater's file, and hand the session over.

    Raises:
        MissingExtraError: the extra ``rate`` is not installed.
        TableError: the run has no pictures, or the queue is not its own.
        UserError: an unknown dimension, or a rater who is rating already.
    """
    _need_extra()
    run = read_scores(request.run)
    absent = [name for name in ("source", "edited") if name not in run.frame]
    if absent:
        raise TableError("the columns source and edited", f"no {', '.join(absent)}", str(run.path))
    rubric = load_rubric(request.rubric)
    plan = make_plan(run, rubric, request.queue, request.dimensions, request.overlap)
    folder = request.out or run.path.parent / FOLDER
    with RaterLog(folder / log_name(request.rater)) as log:
        session = Session(plan, log, request.rater.strip(), tuple(rubric.flags))
        yield OpenedSession(request, run, rubric, session, log.path, plan.source)


def _need_extra() -> None:
    for package in ("starlette", "uvicorn"):
        try:
            __import__(package)
        except ImportError:
            raise MissingExtraError(package, "rate", "the rating page") from None
