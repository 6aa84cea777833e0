"""Errors of an object store, and what to do about them. Messages never contain credentials."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ADVICE", "explain"]

_CREDENTIALS: Final = (
    "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or AWS_PROFILE"
)
_RIGHTS: Final = (
    "allow these credentials s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and "
    "s3:DeleteObject below WAREHOUSE_URL"
)
_NETWORK: Final = "check the network and AWS_ENDPOINT_URL, then retry"
_REGION: Final = "set AWS_REGION to the region of the bucket"

#: Code of S3's response, or class of boto3's exception → what to do. Source: S3 API reference,
#: Error responses; botocore.exceptions.
ADVICE: Final[Mapping[str, str]] = {
    "NoSuchBucket": "create the bucket or correct WAREHOUSE_URL",
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "403"), _RIGHTS),
    **dict.fromkeys(
        (
            *("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"),
            *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
            *("ProfileNotFound", "TokenRetrievalError", "UnauthorizedSSOTokenError"),
        ),
        _CREDENTIALS,
    ),
    **dict.fromkeys(
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "301", "NoRegionError"), _REGION
    ),
    "RequestTimeTooSkewed": "set the clock of this machine",
    "EntityTooLarge": "an object may have at most 5 GB: request fewer breakdowns or fields",
    "NotImplemented": "use a store that supports If-Match and If-None-Match, as S3 does",
    "SlowDown": "the store is busy: retry later",
}

_SECRETS: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")


def explain(error: Exception) -> tuple[str, str, str]:
    """The code of an error (its class, if it has none); its text; what to do about it."""
    code, message = type(error).__name__, str(error)
    if isinstance(error, ClientError):
        refused = error.response["Error"]
        code, message = refused["Code"], f"{refused['Code']}: {refused.get('Message', '')}"
    return code, _hidden(message), ADVICE.get(code, _NETWORK)


def _hidden(text: str) -> str:
    """A message without credentials."""
    for secret in filter(None, map(os.environ.get, _SECRETS)):
        text = text.replace(secret, "<hidden>")
    return re.sub(r"//[^/@\s]+@", "//<hidden>@", text)
