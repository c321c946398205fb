"""What the machine does to a stage (a full disk, a killed worker), as one line: what, where, what next."""

import errno
import os
import re

_GOES_ON = "then run the same command again: it goes on from what is finished"
_FREE = f"free some space, {_GOES_ON}"
_ALLOW = f"make it writable, {_GOES_ON}"
_FEWER = f"have fewer of them (params.yaml: runtime) if it happens again, {_GOES_ON}"
_ADVICE = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: _FREE,
    errno.EFBIG: f"raise the limit (ulimit -f), {_GOES_ON}",
    errno.EROFS: _ALLOW,
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.ENOTDIR: f"a file stands where a folder belongs; move it away, {_GOES_ON}",
    errno.EEXIST: f"a file stands where a folder belongs; move it away, {_GOES_ON}",
    errno.EISDIR: f"a folder stands where a file belongs; move it away, {_GOES_ON}",
    errno.EIO: f"look at the disk and its mount, {_GOES_ON}",
    errno.EMFILE: f"raise the limit (ulimit -n), {_GOES_ON}",
}
_WORKER = re.compile(r"DataLoader worker|terminated abruptly")
_MEMORY = re.compile(r"can't allocate memory|Cannot allocate memory")


def worded(error: BaseException) -> str:
    """Return the line for an error that is no fault of the code; empty for any other."""
    if isinstance(error, OSError) and error.errno in _ADVICE:
        return f"{_where(error)}{os.strerror(error.errno)}; {_ADVICE[error.errno]}"
    text = " ".join(str(error).split())
    number = re.search(r"os error (\d+)", text)  # as safetensors words what the system said
    if number and int(number[1]) in _ADVICE:
        return f"{text}; {_ADVICE[int(number[1])]}"
    if _WORKER.search(text):
        return f"a worker process was killed ({text}), out of memory perhaps; {_FEWER}"
    if isinstance(error, MemoryError) or _MEMORY.search(text):
        return f"out of memory ({text}); end other programs or lower the batch size, {_GOES_ON}"
    return ""


def _where(error: OSError) -> str:
    return f"{error.filename}: " if error.filename else ""
