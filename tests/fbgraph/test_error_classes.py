"""The tree of errors: what a caller may catch, and what an error says."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from fbgraph import errors
from fbgraph.errors import (
    BlockedError,
    CursorError,
    CursorStuckError,
    Detail,
    FieldError,
    GraphError,
    LimitStuckError,
    NotFoundError,
    NotReadyError,
    PermissionDeniedError,
    RequestError,
    RetryableError,
    RunFailedError,
    RunHungError,
    SpoiledPageError,
    StoppedError,
    ThrottledError,
    TokenError,
    TooMuchDataError,
    TooOldError,
    TotalCountError,
    UncertainWriteError,
    VersionError,
)

#: A class → what it is a kind of: what a caller may catch.
PARENTS = {
    BlockedError: GraphError,
    CursorError: GraphError,
    CursorStuckError: CursorError,
    FieldError: RequestError,
    SpoiledPageError: RequestError,
    LimitStuckError: GraphError,
    NotFoundError: GraphError,
    NotReadyError: RetryableError,
    PermissionDeniedError: GraphError,
    RequestError: GraphError,
    RetryableError: GraphError,
    RunFailedError: GraphError,
    RunHungError: RunFailedError,
    StoppedError: GraphError,
    ThrottledError: RetryableError,
    TokenError: GraphError,
    TooMuchDataError: GraphError,
    TooOldError: RequestError,
    TotalCountError: GraphError,
    UncertainWriteError: GraphError,
    VersionError: GraphError,
}


def sample(kind: type[GraphError]) -> GraphError:
    return kind(
        Detail(
            "Invalid parameter",
            code=100,
            subcode=1815001,
            user_message="Not supported here.",
            blamed_fields=("time_range.since",),
            fbtrace_id="Atrace",
            status=400,
            call="GET act_1/campaigns",
            advice="Take DELETED out.",
            cooldown_seconds=1.5,
        )
    )


@pytest.mark.parametrize(("kind", "parent"), PARENTS.items())
def test_a_class_stands_where_the_tree_draws_it(
    kind: type[GraphError], parent: type[GraphError]
) -> None:
    assert kind.__base__ is parent


def test_every_class_is_in_the_tree_and_public() -> None:
    public: list[Any] = [getattr(errors, name) for name in errors.__all__]
    classes = {c for c in public if isinstance(c, type) and issubclass(c, GraphError)}

    assert classes == {GraphError, *PARENTS}


@pytest.mark.parametrize("kind", [GraphError, *PARENTS])
def test_the_text_of_an_error_is_one_line_that_a_person_can_act_on(
    kind: type[GraphError],
) -> None:
    assert str(sample(kind)) == (
        "Invalid parameter Not supported here. [code 100/1815001; HTTP 400; GET act_1/campaigns;"
        " fields time_range.since; fbtrace_id Atrace] Take DELETED out."
    )


@pytest.mark.parametrize("kind", [GraphError, *PARENTS])
@pytest.mark.parametrize("copied", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])  # noqa: S301  # our own bytes
def test_an_error_survives_the_way_between_processes(kind: type[GraphError], copied: Any) -> None:
    error = sample(kind)

    twin = copied(error)

    assert (type(twin), twin.detail, str(twin), repr(twin)) == (
        *(kind, error.detail),
        *(str(error), repr(error)),
    )


def test_a_plain_sentence_makes_an_error_as_well() -> None:
    error = RequestError("The id is empty.")

    assert (str(error), error.detail) == ("The id is empty.", Detail("The id is empty."))
