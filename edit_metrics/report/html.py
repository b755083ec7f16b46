"""Values to one HTML file: escaping, readable control characters, safe JSON, and a content security policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from edit_metrics.scores.words import flag_in_words, in_words, metric_in_words, status_in_words

_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control, direction and invisible characters, and lone surrogates: shown by name, so that a text looks as it is."""


def visible(text: str) -> str:
    """The text with every control and invisible character shown by its code point, as in ``[U+001B]``."""
    return _HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def safe_json(value: Any) -> Markup:
    """JSON for a ``<script type="application/json">``: nothing in it can end the element or start a comment."""
    text = json.dumps(_visible(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    escaped = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(escaped)  # noqa: S704 - escaped in the line above


def render(template: str, **values: Any) -> str:
    """Fill a template of this package; style and script go in whole, and only they may run.

    Args:
        template: file name in ``templates/``.
        values: what the template reads; every text in it is escaped.
    """
    style, viewer, script = f"{_file('style.css')}\n{_file('viewer.css')}", _file("viewer.js"), _file("report.js")
    page = _environment().get_template(template)
    # All were written by us, and their hashes in the policy keep everything else from running.
    parts = {"style": Markup(style), "viewer": Markup(viewer), "script": Markup(script)}  # noqa: S704
    return page.render(policy=_policy(style, viewer, script), **parts, **values)


def _policy(style: str, *scripts: str) -> str:
    """Pictures inside the page and files beside it, for the viewer; nothing from a network."""
    hashes = " ".join(f"'{_sha256(script)}'" for script in scripts)
    return (
        "default-src 'none'; img-src data: 'self' file:; "
        f"style-src '{_sha256(style)}'; script-src {hashes}; base-uri 'none'; form-action 'none'"
    )


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _file(name: str) -> str:
    # The newline after <style> and before </style> would be part of what is hashed.
    return resources.files("edit_metrics.report").joinpath("templates", name).read_text(encoding="utf-8").strip()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("edit_metrics.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "score": score_text,
        "words": in_words,
        "flag": flag_in_words,
        "metric": metric_in_words,
        "status": status_in_words,
        "tojson_text": lambda value: json.dumps(_visible(value), ensure_ascii=True, allow_nan=False),
    }
    return environment


def score_text(value: float | None, digits: int = 2) -> str:
    """A number with fixed decimals, an en dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): _visible(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_visible(one) for one in value]
    return value
