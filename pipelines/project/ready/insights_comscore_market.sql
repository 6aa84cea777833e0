SELECT comscore_market AS market, account_currency,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend
FROM insights_comscore_market
GROUP BY ALL
ORDER BY spend DESC
LIMIT 20
