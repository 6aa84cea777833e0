"""Errors of an object store, and what to do about them. Messages never contain credentials."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ADVICE", "BY_CODE", "DENIED", "NO_BUCKET", "Refusal", "explain", "hidden"]

#: Scheme of WAREHOUSE_URL → kind of error → what to do.
ADVICE: Final[Mapping[str, Mapping[str, str]]] = {
    "s3": {
        "credentials": (
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary "
            "keys), or give this machine a role. AWS_PROFILE and ~/.aws need boto3: "
            "pip install boto3"
        ),
        "rights": (
            "grant these credentials s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject "
            "and s3:DeleteObject on everything below WAREHOUSE_URL"
        ),
        "network": "check the network and AWS_ENDPOINT_URL, then retry",
        "region": "set AWS_REGION to the bucket's region",
    },
    "gs": {
        "credentials": (
            "set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account, or run "
            "`gcloud auth application-default login`"
        ),
        "rights": "give these credentials the role roles/storage.objectAdmin on the bucket",
        "network": "check the network and any proxy, then retry",
        "region": "check WAREHOUSE_URL",
    },
    "az": {
        "credentials": (
            "set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_KEY "
            "or AZURE_CLIENT_ID with its secret and AZURE_TENANT_ID"
        ),
        "rights": "give these credentials the role Storage Blob Data Contributor on the container",
        "network": "check the network, AZURE_STORAGE_ACCOUNT_NAME and any proxy, then retry",
        "region": "check WAREHOUSE_URL",
    },
}

#: Kind of error → what to do, whatever the store.
_ANYWHERE: Final[Mapping[str, str]] = {
    "bucket": "create the bucket, or set WAREHOUSE_URL to one that exists",
    "clock": "correct this machine's clock",
    "size": "request fewer breakdowns or fields: an object may have at most 5 GB",
    "conditions": "use a store that supports If-Match and If-None-Match, such as S3",
    "archive": "restore it from the archive",
    "busy": "retry later: the store is busy",
    "conflict": "retry later: another process writes there",
    "other": "retry; if it persists, check the status page of the store",
}

#: Code of the response, or else its HTTP status → kind of error. Source: S3 API reference, Error
#: responses; Cloud Storage XML API, Error responses; Azure Blob Storage error codes.
BY_CODE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("NoSuchBucket", "ContainerNotFound", "404"), "bucket"),
    **dict.fromkeys(
        (
            *("AccessDenied", "AllAccessDisabled", "403"),
            *("AuthorizationFailure", "AuthorizationPermissionMismatch"),
            *("InsufficientAccountPermissions", "AccountIsDisabled"),
        ),
        "rights",
    ),
    **dict.fromkeys(
        (
            *("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"),
            *("AuthenticationFailed", "AuthenticationRequired", "InvalidSecurity"),
            *("NoAuthenticationInformation", "401", "NoCredentials"),
        ),
        "credentials",
    ),
    **dict.fromkeys(("PermanentRedirect", "AuthorizationHeaderMalformed", "301"), "region"),
    "RequestTimeTooSkewed": "clock",
    "EntityTooLarge": "size",
    "NotImplemented": "conditions",
    **dict.fromkeys(("InvalidObjectState", "BlobArchived"), "archive"),
    **dict.fromkeys(("SlowDown", "ServerBusy", "429", "503"), "busy"),
    **dict.fromkeys(("ConditionalRequestConflict", "OperationAborted", "409"), "conflict"),
    "Unreachable": "network",
}

#: The bucket itself does not exist. "404" may be an object too.
NO_BUCKET: Final = {"NoSuchBucket", "ContainerNotFound"}

#: Kinds of error of an object or a prefix that these credentials may not see.
DENIED: Final = {"rights", "archive"}

#: Where a machine in a cloud finds its role. No answer there: it has none.
_METADATA: Final = re.compile(r"//(169\.254\.|metadata\.google\.internal|\[fd00:ec2)")

#: What is nobody's business, by the name of its variable.
_SECRET: Final = re.compile(r"^(AWS|AZURE|GOOGLE)_\w*(KEY|TOKEN|SECRET|SAS)\w*$")


#: A shorter text is not a key, and would hide letters everywhere.
_SHORTEST: Final = 8


class Refusal(NamedTuple):
    """`code`: of the store, or the HTTP status, or ``Unreachable``; `kind`: see `ADVICE`."""

    code: str
    kind: str
    message: str
    advice: str


def explain(error: Exception, scheme: str) -> Refusal:
    """What an error of obstore says, in a line; its text goes on for dozens of lines."""
    text, _, details = str(error).partition("\n\nDebug source:")
    status = _first(r"status code: (\d{3})", text)
    code = _first(r"<Code>\s*(\w+)", text) or status
    reason = _first(r"<Message>\s*([^<\n]*)", text)
    if _METADATA.search(text):
        code, reason = "NoCredentials", "Unable to locate credentials"
    elif "without LOCATION" in text:  # the answer of S3 to a request for another region
        code, reason = "PermanentRedirect", "the bucket is in another region"
    elif not status and "HTTP error" in text:
        code, reason = "Unreachable", _unreachable(text, details)
    kind = BY_CODE.get(code) or BY_CODE.get(status, "other")
    message = ": ".join(filter(None, (code, reason))) or text.splitlines()[0]
    advice = ADVICE[scheme].get(kind) or _ANYWHERE[kind]
    return Refusal(code, kind, hidden(message), advice)


def _unreachable(text: str, details: str) -> str:
    """Who did not answer, and why: the innermost reason, as the system puts it."""
    host = _first(r"(https?://[^/\s]+)", text)
    why = (
        _first(r"InvalidCertificate\((\w+)", details, "its certificate is not trusted ({})")
        or _first(r'(?:message|error): "([^"]+)"', details)
        or _first(r"kind: (Timeout)", details, "it did not answer in time")
        or text.rpartition(": ")[2]
    )
    return f"{host}: {why}"


def _first(pattern: str, text: str, form: str = "{}") -> str:
    found = re.search(pattern, text)
    return form.format(found[1].strip()) if found else ""


def hidden(text: str) -> str:
    """A message without credentials."""
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and _SECRET.match(name):
            text = text.replace(value, "<hidden>")
    return re.sub(r"//[^/@\s]+@", "//<hidden>@", text)
