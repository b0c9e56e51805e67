"""Names and addresses of hosts."""

import ipaddress

LOCAL_NAMES = ("127.0.0.1", "localhost", "::1")


def is_loopback(host: str | None) -> bool:
    """Whether only this machine reaches the host."""
    try:
        return (host or "").lower() in LOCAL_NAMES or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
