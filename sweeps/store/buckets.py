"""Object stores: opened with credentials from the environment, retried with growing pauses, errors in one line."""

import contextlib
import functools
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from ..errors import StoreError

T = TypeVar("T")
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
"""Variables of which one must be set; without any, the cloud library queries the machine's metadata address.

The last of each cloud reads a public bucket without credentials.
"""
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
_ANSWERS = ("AlreadyExistsError", "PreconditionError")
_patience = 0
_given_up: set[str] = set()
"""Buckets that have not answered for a run's patience: what ends the run does not wait for them anew."""


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Retry for `PATIENCE_S` if a store does not answer, rather than for the short time of interactive commands."""
    global _patience
    if not _patience:
        _given_up.clear()
    _patience += 1
    try:
        yield
    finally:
        _patience -= 1


class Waits:
    """Growing pauses between the attempts of one request, up to a total time."""

    def __init__(self, url: str) -> None:
        self._url, self._pause = url, _FIRST_PAUSE_S
        self._end = time.monotonic() + patience_s(url)

    def after(self, error: Exception) -> float | None:
        """Pause before the next attempt, s; None if the request has failed."""
        if broke(error) and time.monotonic() < self._end:
            pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE_S)
            return pause
        if is_silent(error):
            _given_up.add(bucket_of(self._url))
        return None


def patiently(url: str, ask: Callable[[], T]) -> T:
    """Answer to a request that may be repeated, asked again after broken connections.

    The clouds' library retries a request that was not answered, but not one whose answer broke off.
    """
    waits = Waits(url)
    while True:
        try:
            return ask()
        except Exception as error:
            pause = waits.after(error)
            if pause is None:
                raise
            time.sleep(pause)


def object_store(url: str) -> Any:
    """Store of a URL.

    Raises:
        StoreError: The environment has no credentials, or the URL is not a bucket.
    """
    return _opened(url, patience_s(url))


def bucket_of(url: str) -> str:
    """Scheme and bucket of a URL."""
    scheme, sign, rest = url.partition("://")
    return scheme + sign + rest.partition("/")[0]


def patience_s(url: str) -> float:
    """Time for which requests to a silent store are repeated, s; longer in runs than in commands that only read."""
    return PATIENCE_S if _patience and bucket_of(url) not in _given_up else _LOOK_S


@functools.lru_cache
def _opened(url: str, seconds: float) -> Any:
    import obstore.store

    scheme = url.partition("://")[0]
    if scheme == "memory":
        return obstore.store.MemoryStore() if seconds == _LOOK_S else _opened(url, _LOOK_S)
    web: Any = {"client_options": {"allow_http": True}} if scheme in ("http", "https") else {}
    if not web:
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
        return obstore.store.from_url(url, retry_config=retry, **web)
    except Exception as error:
        raise StoreError(f"`--store` {url!r} cannot be opened: {reason(error)}.") from error


def _refuse_the_metadata_address(url: str, scheme: str) -> None:
    if os.environ.get(_MACHINE) or any(os.environ.get(name) for name in _SAID[scheme]):
        return
    if scheme == "gs" and Path("~/.config/gcloud/application_default_credentials.json").expanduser().exists():
        return
    raise StoreError(
        f"`--store` {url!r} needs credentials: set {_SAID[scheme][0]} (see docs/store.md), for a public bucket "
        f"{_SAID[scheme][-1]}=true, or {_MACHINE}=1 to use the identity of this machine in the cloud."
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
        raise StoreError(f"the store {url.removesuffix('.state')} {told(error, url)}.") from error
    except Exception as error:
        if type(error).__name__ in _ANSWERS or not is_of_bucket(error):
            raise
        raise StoreError(f"the store {url.removesuffix('.state')} {told(error, url)}.") from error


_there: set[str] = set()


def refuse_no_bucket(url: str) -> None:
    """Check once per process that a URL's bucket exists: a HEAD does not show whether bucket or object is missing.

    Raises:
        StoreError: There is no such bucket, or it may not be listed.
    """
    if url.startswith(("memory://", "http://", "https://")) or bucket_of(url) in _there:
        return
    with clear(url):
        try:
            patiently(url, lambda: object_store(url).list_with_delimiter())
        except Exception as error:
            if not hides_its_list(url, error):
                raise
    _there.add(bucket_of(url))


def hides_its_list(url: str, error: BaseException) -> bool:
    """Whether an error is a bucket's refusal to list: a public one may show its objects and no list of them."""
    scheme = url.partition("://")[0]
    public = os.environ.get(_SAID[scheme][-1] if scheme in _SAID else "", "").lower() in ("1", "true", "yes", "on")
    cause = error.__cause__ if isinstance(error, StoreError) and error.__cause__ else error
    return public and (type(cause).__name__ in _KINDS or "403 Forbidden" in str(cause))


def is_of_bucket(error: BaseException | None) -> bool:
    """Return whether an error comes from the cloud library."""
    return type(error).__module__.startswith("obstore")


def broke(error: BaseException | None) -> bool:
    """Return whether an error is a connection that ended before the answer was complete."""
    if isinstance(error, StoreError):
        return broke(error.__cause__)
    return is_of_bucket(error) and "HTTP error" in str(error).split("\n\nDebug source")[0]


def is_silent(error: BaseException) -> bool:
    """Return whether a store did not answer, as opposed to answering that it refuses."""
    found = is_of_bucket(error) and not isinstance(error, FileNotFoundError)
    return found and type(error).__name__ not in _ANSWERS and told(error).startswith("does not answer")


def told(error: BaseException, url: str = "") -> str:
    """`cannot be used: ...` or `does not answer: ...`, in one line; `url` names the bucket that is missing."""
    text = reason(error)
    known = type(error).__name__ in _KINDS or text in _CODES.values()
    bucket = url.partition("://")[2].partition("/")[0]
    if bucket and text in (_CODES["NoSuchBucket"], _CODES["ContainerNotFound"]):
        text += f" as {bucket!r}. Create it first, or correct `--store`"
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
    if endpoint and broke(error):
        return f"the connection to {endpoint[0]} was interrupted"
    return (text.splitlines() or [type(error).__name__])[0].rstrip(" .:")[:300]
