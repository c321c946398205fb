"""The hub that timm downloads weights from: used only where it can be reached, so that an error comes in seconds."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from huggingface_hub import constants


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
