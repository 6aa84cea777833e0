"""The place of a lake, from WAREHOUSE_URL. Light: neither pyarrow nor, for a folder, obstore."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warehouse.errors import WarehouseError
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.storage.store import Store

__all__ = ["LOCAL_VARIABLE", "lake_root", "open_store"]

#: Names the folder on this machine for lakes that are elsewhere.
LOCAL_VARIABLE: Final = "WAREHOUSE_LOCAL"

#: Scheme of a bucket → extra of fbinsights that installs what it needs.
EXTRAS: Final[Mapping[str, str]] = {"s3": "s3", "gs": "gcs", "az": "azure"}

#: Scheme → where its credentials and its endpoint are to be put.
_SETTINGS: Final[Mapping[str, str]] = {
    "s3": "put credentials and endpoint in AWS_* variables",
    "gs": "put the name of the key file in GOOGLE_APPLICATION_CREDENTIALS",
    "az": "put account and key in AZURE_STORAGE_* variables",
}

#: A bucket (of Azure: a container), and what comes before the keys of a lake in it.
_BUCKET: Final = re.compile(
    r"(s3|gs|az)://([A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])((?:/[^/?#*\[\]\\]+)*)/?"
)


def lake_root(url: str | Path) -> Path:
    """The folder on this machine: of the lake, or of the files that stay here of one in a bucket.

    Raises WarehouseError as `open_store` does.
    """
    return open_store(url).root


def open_store(url: str | Path) -> Store:
    """The store that WAREHOUSE_URL names. Nothing is read yet.

    Raises WarehouseError for a URL that is neither a folder nor a bucket.
    """
    text = str(url)
    scheme, separator, _ = text.partition("://")
    if not separator or scheme == "file":
        return Folder(Path(text.removeprefix("file://")))
    found = _BUCKET.fullmatch(text)
    prefix = found[3].strip("/") if found else ""
    if found is None or {".", ".."} & {*prefix.split("/")}:
        like = scheme if scheme in EXTRAS else "s3"
        raise WarehouseError(  # without the text: somebody may have put credentials into it
            f"WAREHOUSE_URL begins with {scheme}:// but does not have the form "
            f"{like}://bucket/prefix, in which the bucket has 3 to 63 letters, digits, dots and "
            f"hyphens. Set it to that or to a folder; {_SETTINGS[like]}"
        )
    try:
        from warehouse.storage.bucket import Bucket  # noqa: PLC0415  only a bucket needs obstore
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("obstore"):
            raise
        raise WarehouseError(
            f"A lake in {scheme}:// needs obstore. Install it: "
            f"pip install 'fbinsights[{EXTRAS[scheme]}]'"
        ) from None
    here = Path(os.environ.get(LOCAL_VARIABLE) or "./data")
    return Bucket(found[2], prefix, here / scheme / found[2] / prefix, scheme)
