"""What creatives show and where they lead, and the pictures that they show."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fbgraph.sandbox import WORLDS
from fbgraph.sandbox.world.advertisers.brands import FORMS
from fbgraph.sandbox.world.creatives.content import content_of
from fbgraph.sandbox.world.creatives.pictures import DRAWINGS, Picture, drawn
from fbgraph.sandbox.world.tree import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbgraph.sandbox.world.advertisers.plan import WorldPlan
    from fbgraph.sandbox.world.creatives.content import Content


def contents(world: World) -> Sequence[Content]:
    found = [world.creatives(account) for account in world.accounts]
    return [content_of(creative) for of_account in found for creative in of_account]


@pytest.mark.parametrize("plan", WORLDS.values(), ids=WORLDS)
def test_every_form_has_what_it_needs_and_nothing_else(plan: WorldPlan) -> None:
    seen = contents(World(1, plan))
    # A photo leads nowhere, so the company has none, nor has the agency, which has no catalog.
    lacks = {"company": {"photo"}, "agency": {"photo", "template"}}
    assert {one.form for one in seen} == {*FORMS} - lacks.get(plan.name, set())
    for one in seen:
        assert one.title
        assert one.body
        assert one.link
        assert one.call_to_action
        assert (one.video is not None) == (one.form == "video")
        assert bool(one.cards) == (one.form == "carousel")
        assert bool(one.product_set_id) == (one.form == "template")
        assert len(one.pictures) == {"template": 0, "feed": 3}.get(one.form, 1)
    tagged = {("utm_" in one.link, bool(one.url_tags)) for one in seen}
    assert tagged == {(False, False), (False, True), (True, False), (True, True)}


def test_the_same_creative_has_the_same_content_in_every_world_of_a_seed() -> None:
    assert contents(World(3)) == contents(World(3))


def test_a_picture_is_a_png_of_the_size_that_was_asked_for() -> None:
    for subject in DRAWINGS:
        picture = Picture("1", f"{subject}.png", subject, (24, 86, 120))
        for width, height in ((64, 64), (40, 70)):
            data = drawn(picture, width, height)
            assert data.startswith(b"\x89PNG\r\n\x1a\n")
            assert struct.unpack(">II", data[16:24]) == (width, height)
            start = data.index(b"IDAT")
            (length,) = struct.unpack(">I", data[start - 4 : start])
            pixels = zlib.decompress(data[start + 4 : start + 4 + length])
            assert len(pixels) == height * (width + 1)
            assert len(set(pixels)) > 30  # a ground that shades, and a drawing on it
        assert drawn(picture, 64, 64) == drawn(replace(picture), 64, 64)


def test_pictures_differ_by_account_product_and_version() -> None:
    picture = Picture("1", "a.png", "cup", (1, 2, 3))
    others = [
        replace(picture, owner="2"),
        replace(picture, subject="tin"),
        replace(picture, version=2),
    ]
    assert len({picture.hash, *(one.hash for one in others)}) == len(others) + 1
