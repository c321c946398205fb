"""One thing that was looked at."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

OK, OPTIONAL, MISSING = "ok", "optional", "missing"


@dataclass(frozen=True)
class Finding:
    """What was found.

    state: ok; optional (absent, and the active grid runs without it); missing (it does not). next: the command, or
    where none can help the one thing to do; may be empty where all is well.
    """

    area: str
    name: str
    state: str
    detail: str
    next: str = ""


def python() -> str:
    """The interpreter as a user types it in this folder."""
    path = Path(sys.executable)  # not resolved: in a virtual environment it is a link
    here = Path.cwd()
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)
