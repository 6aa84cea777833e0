-- Each line is a part of ads that have other parts too: compare lines, do not add them up.
SELECT call_to_action_asset_name, account_currency,
    sum(impressions) AS impressions, sum(clicks) * 100.0 / sum(impressions) AS ctr
FROM insights_asset_call_to_action
GROUP BY ALL
ORDER BY impressions DESC
LIMIT 20
