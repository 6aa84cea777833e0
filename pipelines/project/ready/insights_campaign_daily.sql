SELECT campaign_name, date, reach, frequency, round(spend * 1000 / reach, 2) AS cost_per_thousand
FROM insights_campaign_daily
WHERE reach > 0
ORDER BY date DESC, reach DESC
LIMIT 20
