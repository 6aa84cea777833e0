"""The reader of compose.yaml that `make test-image` runs our file with."""

from __future__ import annotations

import pytest

from tests.image.compose import interpolated


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${SET}", "value"),
        ("${UNSET}", ""),
        ("${UNSET:-name[a,b]}", "name[a,b]"),
        ("${EMPTY:-other}", "other"),
        ("${SET:-other}:/path", "value:/path"),
        ("a:${SET:?why}@b", "a:value@b"),
        ("$SET", "$SET"),
    ],
)
def test_variables_are_put_in_as_compose_does(text: str, expected: str) -> None:
    assert interpolated(text, {"SET": "value", "EMPTY": ""}) == expected


def test_what_is_required_is_asked_for_by_name() -> None:
    with pytest.raises(ValueError, match=r"SECRET is missing a value: Put SECRET in \.env"):
        interpolated("${SECRET:?Put SECRET in .env}", {"SECRET": ""})
