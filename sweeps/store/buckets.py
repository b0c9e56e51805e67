"""Object stores: opened with credentials from the environment, retried with growing pauses, errors in one line."""

import contextlib
import functools
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from ..errors import StoreError

PATIENCE_S = 180.0
"""Time for which a run retries a store that does not answer, s, with growing pauses."""
_LOOK_S = 5.0
"""The same for commands that only read, and for a run's first request."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_MACHINE = "PHOTOGAP_CLOUD_IDENTITY"
_SAID = {
    "s3": (
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SKIP_SIGNATURE",
    ),
    "gs": (
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_SERVICE_ACCOUNT_KEY",
        "GOOGLE_SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT_PATH",
        "GOOGLE_SKIP_SIGNATURE",
    ),
    "az": (
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_SAS_KEY",
        "AZURE_STORAGE_TOKEN",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_CLIENT_SECRET",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_STORAGE_USE_EMULATOR",
        "AZURE_USE_AZURE_CLI",
        "AZURE_SKIP_SIGNATURE",
    ),
}
"""Variables of which one must be set; without any, the cloud library queries the machine's metadata address."""
_CODES = {
    "NoSuchBucket": "there is no such bucket",
    "ContainerNotFound": "there is no such container",
    "InvalidAccessKeyId": "the access key is not known there",
    "SignatureDoesNotMatch": "the secret key is wrong",
    "AccessDenied": "access is denied",
    "AuthenticationFailed": "the credentials are wrong",
    "AuthorizationFailure": "access is denied",
    "ExpiredToken": "the credentials have expired",
    "SlowDown": "it asks for fewer requests",
}
_KINDS = {
    "PermissionDeniedError": "access is denied; check the credentials",
    "UnauthenticatedError": "the credentials are missing or wrong",
}
_patience = 0


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Retry for `PATIENCE_S` if a store does not answer, rather than for the short time of interactive commands."""
    global _patience
    _patience += 1
    try:
        yield
    finally:
        _patience -= 1


def object_store(url: str) -> Any:
    """Store of a URL.

    Raises:
        StoreError: The environment has no credentials, or the URL is not a bucket.
    """
    return _opened(url, PATIENCE_S if _patience else _LOOK_S)


@functools.lru_cache
def _opened(url: str, seconds: float) -> Any:
    import obstore.store

    scheme = url.partition("://")[0]
    if scheme == "memory":
        return obstore.store.MemoryStore() if seconds == _LOOK_S else _opened(url, _LOOK_S)
    _refuse_the_metadata_address(url, scheme)
    retry: Any = {
        "max_retries": 1000,
        "retry_timeout": timedelta(seconds=seconds),
        "backoff": {
            "init_backoff": timedelta(seconds=_FIRST_PAUSE_S),
            "max_backoff": timedelta(seconds=_LONGEST_PAUSE_S),
            "base": 2,
        },
    }
    try:
        return obstore.store.from_url(url, retry_config=retry)
    except Exception as error:
        raise StoreError(f"`--store` {url!r} cannot be opened: {reason(error)}.") from error


def _refuse_the_metadata_address(url: str, scheme: str) -> None:
    if os.environ.get(_MACHINE) or any(os.environ.get(name) for name in _SAID[scheme]):
        return
    if scheme == "gs" and Path("~/.config/gcloud/application_default_credentials.json").expanduser().exists():
        return
    raise StoreError(
        f"`--store` {url!r} needs credentials: set {_SAID[scheme][0]} (see docs/store.md), "
        f"or {_MACHINE}=1 to use the identity of this machine in the cloud."
    )


@contextlib.contextmanager
def clear(url: str) -> Iterator[None]:
    """Errors of an object store as a StoreError of one line; errors about a missing or existing object are passed
    on."""
    try:
        yield
    except StoreError:
        raise
    except FileNotFoundError as error:
        if not re.search("NoSuchBucket|ContainerNotFound", str(error)):
            raise
        raise StoreError(f"the store {url.removesuffix('.state')} {told(error)}.") from error
    except Exception as error:
        if type(error).__name__ in ("AlreadyExistsError", "PreconditionError") or not is_of_bucket(error):
            raise
        raise StoreError(f"the store {url.removesuffix('.state')} {told(error)}.") from error


def is_of_bucket(error: BaseException | None) -> bool:
    """Return whether an error comes from the cloud library."""
    return type(error).__module__.startswith("obstore")


def told(error: BaseException) -> str:
    """`cannot be used: ...` or `does not answer: ...`, in one line."""
    text = reason(error)
    known = type(error).__name__ in _KINDS or text in _CODES.values()
    return f"cannot be used: {text}" if known else f"does not answer: {text}"


def reason(error: BaseException) -> str:
    """An error of the cloud library in one line, without its debug output."""
    text = str(error).split("\n\nDebug source")[0]
    code = re.search(r"<Code>(\w+)</Code>", text)
    if code:
        return _CODES.get(code[1], code[1])
    if type(error).__name__ in _KINDS:
        return _KINDS[type(error).__name__]
    endpoint = re.search(r"https?://[^\s/]+", text)
    if endpoint and ("error sending request" in text or "onnect" in text):
        return f"no connection to {endpoint[0]}"
    status = re.search(r"\b([45]\d\d [A-Z][A-Za-z ]+)", text)
    if endpoint and status:
        return f"{endpoint[0]} answers {status[1].strip()}"
    return (text.splitlines() or [type(error).__name__])[0].rstrip(" .:")[:300]
