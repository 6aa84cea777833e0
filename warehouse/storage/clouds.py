"""The object stores that a lake can be in, and how each finds its credentials: by obstore, from the
variables that the tools of each cloud know.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from warehouse.errors import BucketError
from warehouse.storage.bucket_errors import ADVICE, hidden
from warehouse.storage.retry import REQUESTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obstore.store import ClientConfig, RetryConfig

__all__ = ["Client", "client"]

_TYPES: Final[Mapping[str, Any]] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}

Client = S3Store | GCSStore | AzureStore

_CONNECT: Final = timedelta(seconds=10)

#: How long a store may be silent; while a large object is sent it says nothing.
_SILENT: Final = timedelta(seconds=60)

#: How long one request may take at all.
_WHOLE: Final = timedelta(hours=1)

#: The longest wait between two attempts of a request; the first ones are shorter, with jitter.
_LONGEST_WAIT: Final = timedelta(seconds=20)

#: What obstore and boto3 read from the environment.
_PREFIXES: Final = ("AWS_", "AZURE_", "AZURITE_", "GOOGLE_")

#: Threads that begin together make one client.
_ONE_AT_A_TIME: Final = Lock()

#: Variables by which a machine of AWS says that it has a role.
_ROLES: Final = (
    *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def client(scheme: str, bucket: str, prefix: str, *, patient: bool = False) -> Client:
    """The client of a bucket, whose keys begin below `prefix`; one for all who want the same.

    `patient`: for large uploads. Raises BucketError if it lacks settings or credentials.
    """
    with _ONE_AT_A_TIME:
        given = [item for item in os.environ.items() if item[0].startswith(_PREFIXES)]
        # To obstore an empty variable is a value; .env files are full of empty variables.
        for name in (name for name, value in given if not value):
            del os.environ[name]
        settings = tuple(sorted(item for item in given if item[1]))
        made, process = _client(scheme, bucket, prefix, patient, settings)
    if process != os.getpid():  # its threads are in the other process: a request would never end
        raise BucketError(
            f"{scheme}://{bucket} was used before this process was forked",
            "start worker processes with multiprocessing's method 'spawn' or 'forkserver', and"
            " Celery's with --include pipelines.assembly instead of pipelines.definitions",
        )
    return made


@cache
def _client(
    scheme: str,
    bucket: str,
    prefix: str,
    patient: bool,  # noqa: FBT001  part of the key
    settings: tuple[tuple[str, str], ...],
) -> tuple[Client, int]:
    environ = dict(settings)
    options: ClientConfig = {
        "allow_http": True,  # only where the endpoint that somebody has set says so
        "connect_timeout": _CONNECT,
        "timeout": _WHOLE,
    }
    if not patient:
        options["read_timeout"] = _SILENT
    more = _of_aws(environ, options) if scheme == "s3" else {}
    patience: RetryConfig = {
        "max_retries": _attempts(environ) - 1,
        "backoff": {"max_backoff": _LONGEST_WAIT},
    }
    try:
        made: Client = _TYPES[scheme](
            bucket, prefix=prefix or None, client_options=options, retry_config=patience, **more
        )
    except BaseError as error:  # such as a key file that is not there
        reason = re.sub(r"^Generic \w+ error: ", "", hidden(str(error).partition("\n")[0]))
        advice = ADVICE[scheme]["credentials"]
        raise BucketError(f"Cannot use {scheme}://{bucket}: {reason}", advice) from None
    return made, os.getpid()


def _attempts(environ: Mapping[str, str]) -> int:
    attempts = environ.get("AWS_MAX_ATTEMPTS", str(REQUESTS))
    if not re.fullmatch(r"[1-9]\d{0,3}", attempts):
        reason = f"AWS_MAX_ATTEMPTS is {attempts!r}, which is not a number of attempts"
        raise BucketError(reason, f"set it to {REQUESTS}, or remove it")
    return int(attempts)


def _of_aws(environ: Mapping[str, str], options: ClientConfig) -> dict[str, Any]:
    """What obstore does not find by itself; adds to `options`."""
    more: dict[str, Any] = {}
    if bundle := environ.get("AWS_CA_BUNDLE"):
        try:
            options["root_certificate"] = Path(bundle).read_bytes()
        except OSError as error:
            reason = f"AWS_CA_BUNDLE cannot be read: {error.strerror}: {bundle}"
            raise BucketError(reason, "correct AWS_CA_BUNDLE") from None
    if endpoint := environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL"):
        parts = urlsplit(endpoint)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BucketError(
                "AWS_ENDPOINT_URL is not an address", "set it to one such as https://s3.example.com"
            )
        more["endpoint"] = endpoint
    if "AWS_ACCESS_KEY_ID" in environ:
        return more
    return {**more, **_by_boto3(environ)}


def _by_boto3(environ: Mapping[str, str]) -> dict[str, Any]:
    """Profiles, SSO and ~/.aws, which only boto3 reads; without it, roles of this machine."""
    absent = BucketError("Unable to locate credentials", ADVICE["s3"]["credentials"])
    try:
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415  only who has boto3
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415  the same
    except ModuleNotFoundError:
        has_no_role = environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
        if "AWS_PROFILE" in environ or (has_no_role and not environ.keys() & {*_ROLES}):
            raise absent from None
        return {}
    try:
        provider = Boto3CredentialProvider()
    except BotoCoreError as error:
        raise BucketError(hidden(str(error)), ADVICE["s3"]["credentials"]) from None
    except ValueError:
        raise absent from None
    return {"credential_provider": provider}
