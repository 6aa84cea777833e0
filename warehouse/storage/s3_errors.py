"""What an object store refuses, and what to do about it. No credential gets into a message."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ADVICE", "told_of"]

_CREDENTIALS: Final = (
    "see to AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or to AWS_PROFILE"
)
_RIGHTS: Final = (
    "let these credentials do s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and "
    "s3:DeleteObject below WAREHOUSE_URL"
)
_NETWORK: Final = "see to the network and AWS_ENDPOINT_URL, then try again"
_REGION: Final = "set AWS_REGION to the region of the bucket"

#: Code of S3's answer, or class of boto3's exception → what to do. Source: S3 API reference, Error
#: responses; botocore.exceptions.
ADVICE: Final[Mapping[str, str]] = {
    "NoSuchBucket": "make the bucket, or correct WAREHOUSE_URL",
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
    "EntityTooLarge": "an object may have 5 GB: let the report ask for fewer breakdowns or fields",
    "NotImplemented": "take a store that knows If-Match and If-None-Match, as S3 does",
    "SlowDown": "the store is busy: try again later",
}

_SECRETS: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")


def told_of(error: Exception) -> tuple[str, str, str]:
    """The code of a refusal, or the class of another error; its text; what to do about it."""
    code, said = type(error).__name__, str(error)
    if isinstance(error, ClientError):
        told = error.response["Error"]
        code, said = told["Code"], f"{told['Code']}: {told.get('Message', '')}"
    return code, _hidden(said), ADVICE.get(code, _NETWORK)


def _hidden(text: str) -> str:
    """A message without credentials, whoever put them there."""
    for secret in filter(None, map(os.environ.get, _SECRETS)):
        text = text.replace(secret, "<hidden>")
    return re.sub(r"//[^/@\s]+@", "//<hidden>@", text)
