"""Why a stage failed when it was last run: a line in an ignored file of its own, until the stage succeeds."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fer_bench.errors import InputError

_DVC = Path(".dvc")
FOLDER = _DVC / "tmp/fer-bench/failed"  # ignored by git through DVC's own .gitignore
_LONGEST = 2000  # characters of a reason


def note(stage: str, reason: str, root: Path = Path()) -> None:
    """Keep the reason of a failure; where that is impossible (no DVC repository, a full disk) nothing is written.

    stage: as dvc.lock names it, such as `train@synthetic-resnet10t-au-0`.
    """
    line = " ".join(reason.split())[:_LONGEST]
    with suppress(OSError):  # the failure itself must not be hidden by another one
        (root / _DVC).stat()
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        (root / FOLDER / stage).write_text(f"{line}\n", encoding="utf-8")


def forget(stage: str, root: Path = Path()) -> None:
    """Say that a stage has succeeded."""
    with suppress(OSError):
        (root / FOLDER / stage).unlink(missing_ok=True)


def noted(root: Path = Path()) -> dict[str, str]:
    """Stage -> reason of its last failure, for all that have not succeeded since."""
    return {path.name: path.read_text(encoding="utf-8").strip() for path in sorted((root / FOLDER).glob("*"))}


@contextmanager
def watched(stage: str, root: Path = Path()) -> Iterator[None]:
    """Note the failure of the work inside, whatever it is, and let it pass; forget an earlier one on success."""
    try:
        yield
    except BaseException as error:
        note(stage, _words(error), root)
        raise
    forget(stage, root)


def _words(error: BaseException) -> str:
    """An error of the user speaks for itself; of any other the kind is needed to understand it."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}".removesuffix(": ")
