"""The hub that timm downloads weights from: used only where it can be reached, so that an error comes in seconds."""

import hashlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from huggingface_hub import constants, try_to_load_from_cache

from fer_bench.errors import InputError

_FILES = ("model.safetensors", "pytorch_model.bin")
_SHA256 = re.compile("[0-9a-f]{64}")


@contextmanager
def cached_only_if_unreachable() -> Iterator[OSError | None]:
    """Put the hub's client into its offline mode for the block if its server cannot be reached; yield the reason.

    Offline, weights still come from the cache, and absent ones are reported at once. Otherwise the client would retry
    for the better part of a minute, which none of its settings prevents.
    """
    before = constants.HF_HUB_OFFLINE
    reason = None if before else unreachable()
    constants.HF_HUB_OFFLINE = before or reason is not None  # the variable of that name is read on import only
    try:
        yield reason
    finally:
        constants.HF_HUB_OFFLINE = before


def check_cached(repository: str, where: str) -> None:
    """Compare cached weights with the SHA-256 that the hub gave for them, by which its client names the stored file.

    A file that was damaged on the way, or changed afterwards, is found; one that was changed on the hub itself is not.

    Raises:
        InputError: a file has another content.
    """
    for name in _FILES if repository else ():
        found = try_to_load_from_cache(repository, name)
        stored = Path(found).resolve() if isinstance(found, str) else Path()
        if not _SHA256.fullmatch(stored.name):
            continue
        with stored.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != stored.name:
            raise InputError(
                f"{where}: {stored} has sha256 {digest[:16]}..., the hub gave {stored.name[:16]}...: damaged or "
                "changed; remove it and let it be fetched again"
            )


def unreachable() -> OSError | None:
    """Return why the server does not take a connection, None if it does, or if a proxy would have to be asked.

    The time it gets is the client's own for a first answer: 10 seconds, or HF_HUB_ETAG_TIMEOUT.
    """
    server = urlsplit(constants.ENDPOINT)
    host, port = server.hostname or "", server.port or (80 if server.scheme == "http" else 443)
    if {server.scheme, "all"} & set(getproxies()) and not proxy_bypass(host):
        return None
    try:
        socket.create_connection((host, port), timeout=constants.HF_HUB_ETAG_TIMEOUT).close()
    except OSError as error:
        return OSError(f"{host} cannot be reached ({error})")
    return None
