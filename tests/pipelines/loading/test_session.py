"""What a session does when it stops midway."""

from __future__ import annotations

import pytest

from fbgraph.errors import Detail, TokenError
from pipelines.loading.session import published_if_stopped
from warehouse.errors import WarehouseError


def test_a_load_that_stops_fails_for_what_stopped_it_though_it_cannot_be_published(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def publish() -> None:
        raise WarehouseError("No space left on device")

    with published_if_stopped(publish):
        pass  # it publishes by itself
    assert caplog.messages == []
    with pytest.raises(TokenError, match="expired"), published_if_stopped(publish):
        raise TokenError(Detail("The token has expired."))

    assert caplog.messages == ["This could not be published: No space left on device"]
