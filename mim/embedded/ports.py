"""Free and taken TCP ports."""

import errno
import socket

from mim.embedded.failures import CannotStart


def free_port(host: str = "127.0.0.1", *, preferred: int | None = None) -> int:
    """A port nothing listens on now: the preferred one if it is free, else any."""
    if preferred is not None and preferred < 65536 and _can_bind(host, preferred) is None:
        return preferred
    with socket.socket(_family(host), socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def require_free(host: str, port: int, *, option: str = "--port") -> None:
    """Raises CannotStart with the way out, another value of `option`, when `up` could not listen on this address."""
    error = _can_bind(host, port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        raise CannotStart(
            f"Port {port} on {host} is taken by another program. Stop that program, or choose another port: "
            f"python3 manage.py up {option} {port + 1 if port < 65535 else port - 1}"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        raise CannotStart(
            f"This account may not listen on port {port}; ports below 1024 belong to root. "
            f"Choose another: python3 manage.py up {option} {8000 if option == '--port' else 2526}"
        )
    raise CannotStart(
        f"{host} is not an address of this machine ({error.strerror or error}). "
        f"Use --host 127.0.0.1 for this machine only, or --host 0.0.0.0 for every network."
    )


def accepts(host: str, port: int, *, timeout: float = 0.5) -> bool:
    """True when something accepts a connection there within `timeout` seconds."""
    try:
        socket.create_connection((host, port), timeout=timeout).close()
    except OSError:
        return False
    return True


def own_address() -> str:
    """The address other machines reach this one by; 127.0.0.1 when there is no network. Sends nothing."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _can_bind(host: str, port: int) -> OSError | None:
    try:
        with socket.socket(_family(host), socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except OSError as error:
        return error
    return None
