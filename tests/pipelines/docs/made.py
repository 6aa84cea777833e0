"""What the questions are asked of: a day loaded again, and where clicks led by the world itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from fbgraph.sandbox.world.creatives.content import content_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fbgraph.sandbox.world.tree import World
    from pipelines.loading.partitions import AccountDay
    from warehouse.lake.partitions import Lake

__all__ = ["restate", "spend_by_click"]


def restate(lake: Lake, account_day: AccountDay, at: datetime) -> None:
    """Load a day again from what is there, less its last row, at an instant."""
    which = {"account_id": account_day.account_id, "date": account_day.day}
    rows = lake.read("insights_hourly", **which)  # type: ignore[arg-type]  # each is what it says
    load = lake.load_of("insights_hourly", account_day.account_id, account_day.day)
    assert load is not None
    fewer = rows.slice(0, rows.num_rows - 1)
    again: dict[str, Any] = {
        **{
            name: sum(v for v in fewer[name].to_pylist() if v) for name in ("impressions", "clicks")
        },
        "rows": fewer.num_rows,
        "spend": sum((s for s in fewer["spend"].to_pylist() if s), Decimal()),
        "loaded_at": at,
    }
    lake.replace("insights_hourly", fewer, load=replace(load, **again), **which)  # type: ignore[arg-type]  # as above


def spend_by_click(
    lake: Lake, world: World
) -> tuple[Mapping[tuple[str, str, str], Decimal], Mapping[tuple[str, str], Decimal]]:
    """Spend by account, utm_source and utm_campaign; and by account and landing page."""
    known = {row["ad_id"] for row in lake.read("ads").to_pylist()}
    names = {row["account_id"]: row["account_name"] for row in lake.read("accounts").to_pylist()}
    pages: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    campaigns: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in lake.read("insights_hourly").to_pylist():
        ad, link, tags = world.find(row["ad_id"]), "", ""
        if row["ad_id"] in known and ad is not None:
            content = content_of(world.creative_of(ad))
            link = "" if content.form == "photo" else content.link
            tags = content.url_tags
        of_link, of_tags = (parse_qs(text) for text in (urlsplit(link).query, tags))
        utm = {key: values[0] for key, values in (of_link | of_tags).items()}
        campaign = utm.get("utm_campaign", "(none)")
        campaign = campaign.replace("{{campaign.name}}", str(row["campaign_name"]))
        name = names[row["account_id"]]
        page = link.partition("#")[0].partition("?")[0] or "(none)"
        pages[name, page] += row["spend"] or 0
        campaigns[name, utm.get("utm_source", "(none)"), campaign] += row["spend"] or 0
    return campaigns, pages
