from fbgraph import fields


def test_the_catalogue_holds_what_the_contract_lists() -> None:
    assert len(fields.insights_fields()) == 238
    assert set(fields.HOUR_LABELS) >= {"00:00:00 - 00:59:59", "23:00:00 - 23:59:59"}
    assert fields.HOURLY in fields.BREAKDOWNS
