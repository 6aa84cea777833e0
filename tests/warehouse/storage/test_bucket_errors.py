"""What a person reads when a bucket cannot be used: one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.s3 import SECRET
from warehouse.errors import BucketError, InaccessibleError
from warehouse.storage.bucket_errors import ADVICE, BY_CODE, explain
from warehouse.storage.url import EXTRAS, open_store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.s3 import S3
    from warehouse.storage.bucket import Bucket

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAINVENTED", "AWS_SECRET_ACCESS_KEY": SECRET}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without any cloud in it."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("WAREHOUSE_LOCAL", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return monkeypatch


#: WAREHOUSE_URL, variables, what the line must say.
CASES: list[tuple[str, Mapping[str, str], str]] = [
    ("s3", {"AWS_EC2_METADATA_DISABLED": "true"}, r"Unable to locate.*AWS_ACCESS_KEY_ID.*boto3"),
    ("s3", {"AWS_PROFILE": "none"}, r"\(none\) could not be found.*AWS_ACCESS_KEY_ID"),
    ("s3", {**KEYS, "AWS_ENDPOINT_URL": "nonsense"}, "AWS_ENDPOINT_URL is not an address. Set it"),
    (
        "s3",
        {**KEYS, "AWS_CA_BUNDLE": "/none.pem"},
        "No such file.*/none.pem. Correct AWS_CA_BUNDLE",
    ),
    ("s3", {**KEYS, "AWS_MAX_ATTEMPTS": "many"}, "'many', which is not a number.*et it to 5"),
    (
        "s3",
        {**KEYS, "AWS_ENDPOINT_URL": f"http://me:{SECRET}@127.0.0.1:1"},
        "Unreachable: http://<hidden>@127.0.0.1:1: Connection refused. Check the network and AWS_",
    ),
    ("gs", {"GOOGLE_APPLICATION_CREDENTIALS": "/none.json"}, "/none.json: No such file.*gcloud"),
    ("az", {}, "Account must be specified. Set AZURE_STORAGE_ACCOUNT_NAME"),
    (
        "az",
        {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": f"{SECRET}!"},
        "Invalid Access Key.*AZURE_STORAGE_ACCOUNT_KEY",
    ),
]


@pytest.mark.parametrize(("scheme", "variables", "line"), CASES)
def test_each_way_to_fail_is_one_line_that_says_what_to_do(
    scheme: str, variables: Mapping[str, str], line: str, here: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        here.setenv(name, value)

    with pytest.raises(BucketError, match=line) as refused:
        open_store(f"{scheme}://a-bucket/lake").read("ads/x")

    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)


def test_an_empty_variable_is_as_if_it_were_not_set(s3: S3, here: pytest.MonkeyPatch) -> None:
    for name, value in {**s3.environ, "AWS_SESSION_TOKEN": "", "AWS_PROFILE": ""}.items():
        here.setenv(name, value)
    here.setenv("AWS_ENDPOINT_URL_S3", s3.url)
    here.setenv("AWS_ENDPOINT_URL", "")
    here.setenv("AWS_REGION", "")
    store = open_store(f"s3://{s3.new_bucket()}")

    store.each(lambda n: store.note(f"a{n}", "text"), range(32))  # many begin at once

    assert [store.read(f"a{n}") for n in range(32)] == [b"text"] * 32


WITHOUT = """
import sys
for name in sys.argv[1].split(): sys.modules[name] = None
from warehouse.storage.url import open_store
open_store(sys.argv[2]).read("x")
"""


def _without(modules: str, url: str, **variables: str) -> str:
    """The last line that a process prints that lacks some modules."""
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", WITHOUT, modules, url],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        check=False,
        text=True,
    )
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_without_obstore_the_error_names_what_to_install(scheme: str) -> None:
    assert _without("obstore", f"{scheme}://bucket/lake") == (
        f"warehouse.errors.WarehouseError: A lake in {scheme}:// needs obstore. Install it: "
        f"pip install 'fbinsights[{EXTRAS[scheme]}]'"
    )


def test_without_boto3_keys_are_enough_and_a_profile_is_not(s3: S3) -> None:
    name = s3.new_bucket()
    s3.client.put_object(Bucket=name, Key="y", Body=b"1")

    missing = _without("boto3 botocore", f"s3://{name}", **s3.environ)
    profile = _without("boto3 botocore", f"s3://{name}", AWS_PROFILE="mine")

    assert missing == f"FileNotFoundError: s3://{name}/x does not exist"
    assert profile.endswith("AWS_PROFILE and ~/.aws need boto3: pip install boto3")


def test_a_forked_process_is_told_that_it_cannot_use_the_bucket(bucket: Bucket) -> None:
    bucket.note("a", "b")
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        try:
            bucket.read("a")
        except BucketError as error:
            os.write(sender, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert b"was used before this process was forked. Start worker" in os.read(receiver, 10_000)


def test_a_key_that_cannot_be_named_is_named_in_the_error(bucket: Bucket, s3: S3) -> None:
    bucket.note("ads/account_id=1/data.parquet", "x")
    name = bucket.name().removeprefix("s3://").split("/")[0]
    s3.client.put_object(Bucket=name, Key="the/lake/ads/account_id=1//data.parquet", Body=b"x")

    with pytest.raises(InaccessibleError, match=r"account_id=1//data.parquet.*elete the object"):
        bucket.find("ads/account_id=*/data.parquet")

    assert bucket.find("accounts/data.parquet") == []
    assert [found.key for found in bucket.find("ads/account_id=1/data.parquet")] != []


ANSWER = """Generic S3 error: Error performing PUT https://s3/b/x in 1ms - Server returned non-2xx \
status code: {status} Refused: <?xml version="1.0"?>
<Error>
  <Code>{code}</Code><Message>No.
RequestId:1</Message>
</Error>

Debug source:
Generic {{ message: "else" }}"""


def test_every_code_has_advice_for_every_store() -> None:
    for code in BY_CODE:
        for scheme in ADVICE:
            answer = ANSWER.format(status=code if code.isdigit() else 400, code=code)
            refusal = explain(OSError(answer), scheme)
            assert refusal.message == f"{code}: No."
            assert refusal.advice


def test_a_code_that_nobody_knows_is_judged_by_its_status() -> None:
    refusal = explain(OSError(ANSWER.format(status=403, code="Brandnew")), "az")

    assert (refusal.code, refusal.kind) == ("Brandnew", "rights")
    assert "Storage Blob Data Contributor" in refusal.advice


def test_another_region_is_named(bucket: Bucket) -> None:
    text = (
        f"Generic S3 error: Error performing GET https://s3/{bucket} in 1ms - Received redirect"
        " without LOCATION, this normally indicates an incorrectly configured region"
    )

    assert explain(OSError(text), "s3").advice == "set AWS_REGION to the bucket's region"
