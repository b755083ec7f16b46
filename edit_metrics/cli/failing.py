"""How a verb ends: whatever happens in it, one paragraph and an exit code that means what docs/exit-codes.md says.

Python ends with 1 after an exception that nobody caught, and so does typer after a closed pipe; here 1 is a verdict.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import platform
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

import typer

from edit_metrics._version import __version__
from edit_metrics.errors import EditMetricsError, RunError, UserError, is_out_of_memory, missing_extra
from edit_metrics.printable import printable

BROKEN: Final = RunError.exit_code
WRONG: Final = UserError.exit_code
_CODES: Final = frozenset({0, 1, WRONG, 3, BROKEN})
_USAGE_ERROR: Final = typer.BadParameter.__mro__[2]  # click's ClickException, which typer carries along unnamed
_COMPLETION: Final = "_EDIT_METRICS_COMPLETE"
_WRONG_PLACE: Final = frozenset(
    {
        errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST,
        errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTEMPTY, errno.EINVAL, errno.ENODEV, errno.ENXIO, errno.EBUSY,
    }
)  # fmt: skip
"""What a path that was given can be wrong by; everything else of the system's is a run that broke."""
_NEEDS_LESS: Final = "Fewer workers need less: --workers 1, --set engine.lanes=1. `score` goes on where it stopped."
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def run_safely(call: Callable[[], object], *, debug: bool = False) -> int:
    """Run a verb; returns the exit code, after one paragraph on stderr where it is not the verb's own.

    Args:
        call: the verb. What it returns is its exit code, if it is a number.
        debug: print the traceback too, instead of keeping it in a file.
    """
    prepare_streams()
    # A warning is for the user of the program: without the line of our source that Python would print with it.
    before, warnings.formatwarning = warnings.formatwarning, lambda text, *_, **__: f"warning: {printable(str(text))}\n"
    try:
        code = _code_of(call(), debug)
        sys.stdout.flush()
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: a backend may raise either
        code = _explain(error, debug)
    finally:
        warnings.formatwarning = before
    return code if _settle() else max(code, BROKEN)


def prepare_streams() -> None:
    """Closed standard streams become the null device; what a terminal's encoding lacks is printed as its escape."""
    for name, number, mode in (("stdin", 0, os.O_RDONLY), ("stdout", 1, os.O_RDONLY), ("stderr", 2, os.O_WRONLY)):
        stream = getattr(sys, name)
        if stream is None:
            # stdout is opened for reading: data for which there is no place is an error, not silence.
            with contextlib.suppress(OSError):
                opened = os.open(os.devnull, mode)
                if opened != number:
                    os.dup2(opened, number)
                    os.close(opened)
                raw = io.FileIO(number, "r" if name == "stdin" else "w", closefd=False)
                buffered = io.BufferedReader(raw) if name == "stdin" else io.BufferedWriter(raw)
                setattr(sys, name, io.TextIOWrapper(buffered, encoding="utf-8"))
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def keep_traceback(error: BaseException) -> Path | None:
    """Write the traceback to a file of its own, readable by the user alone; None where no folder takes it."""
    import platformdirs

    text = "".join(
        [
            f"edit-metrics {__version__}, Python {platform.python_version()}, {platform.platform()}\n",
            f"called as: {sys.argv!r}\n\n",
            *traceback.format_exception(error),
        ]
    )
    for folder in (Path(platformdirs.user_log_dir("edit-metrics")), Path(tempfile.gettempdir())):
        with contextlib.suppress(OSError, RuntimeError):  # no home folder is a RuntimeError
            folder.mkdir(parents=True, exist_ok=True)
            prefix = time.strftime("edit-metrics-%Y%m%d-%H%M%S-")
            descriptor, path = tempfile.mkstemp(".log", prefix, folder)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
            return Path(path)
    return None


def _code_of(returned: object, debug: bool) -> int:
    if returned is None:
        return 0
    if isinstance(returned, int) and returned in _CODES:
        return returned
    return _explain(KeyboardInterrupt(), debug)  # what typer makes of an interrupt: 130


def _explain(error: BaseException, debug: bool) -> int:
    if debug:
        _say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, EditMetricsError):
        _say(f"edit-metrics: {error}")
        return WRONG if error.exit_code == WRONG else BROKEN
    if isinstance(error, _USAGE_ERROR):
        return _explain_usage(error)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        _say("edit-metrics: interrupted.")
        return BROKEN
    if isinstance(error, SystemExit) and not error.code and _asks_for_completion():
        return 0
    found = _as_our_own(error)
    log = None if debug else keep_traceback(error)
    kept = f"The traceback is in {log}." if log else "See the traceback with: edit-metrics --debug …"
    _say(f"edit-metrics: {found}{'' if debug else f' {kept}'}")
    return found.exit_code


def _asks_for_completion() -> bool:
    """Typer ends the program itself once it has printed or installed what a shell completes with."""
    return _COMPLETION in os.environ or any(
        word.startswith(("--show-completion", "--install-completion")) for word in sys.argv[1:2]
    )


def _explain_usage(error: BaseException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        if text := str(error):  # where rich has printed the help, none is left
            _say(text)
        return WRONG
    verb = context.command_path if context else "edit-metrics"
    message = " ".join(error.format_message().split()).rstrip(".")  # type: ignore[attr-defined]
    _say(f"edit-metrics: {message}. What it takes: {verb} --help")
    return WRONG


def _as_our_own(error: BaseException) -> EditMetricsError:
    """An exception that nobody foresaw, in the form of those that somebody did."""
    if is_out_of_memory(error):
        return RunError("enough memory", " ".join(str(error).split())[:300] or "none left", todo=_NEEDS_LESS)
    if isinstance(error, OSError):
        return _system_error(error)
    if isinstance(error, ModuleNotFoundError) and (known := missing_extra(error, "this call")) is not None:
        return known
    if isinstance(error, SystemExit):
        if isinstance(error.__context__, BrokenPipeError):  # rich ends the program itself, with 1
            return _system_error(error.__context__)
        return RunError("the verb to come to its end", f"a library that ended the program (exit {error.code!r})")
    text = " ".join(str(error).split())[:300]
    return RunError("no error that this program does not know", f"{type(error).__name__}{f': {text}' if text else ''}")


def _system_error(error: OSError) -> EditMetricsError:
    where = str(error.filename) if error.filename is not None else ""
    got = str(error.strerror or error or type(error).__name__)
    if isinstance(error, BrokenPipeError):
        return RunError("somebody to read the output", "a closed pipe", where)
    if error.errno in _NO_ROOM:
        return RunError("room on the disk", got, where, "Make some; `score` goes on where it stopped.")
    if error.errno in _WRONG_PLACE and where:
        return UserError("a place that can be read or written there", got, where, "Choose another one.")
    return RunError("the system to do what was asked of it", got, where)


def _say(text: str) -> None:
    # With a stderr that takes nothing the exit code is all that is left, and it must not change.
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _settle() -> bool:
    """Flush both streams for good; whether stdout took everything. Python would end with 120 if it found out."""
    took = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            took = took and stream is not sys.stdout
            _point_at_nothing(stream)
    return took


def _point_at_nothing(stream: IO[str]) -> None:
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
