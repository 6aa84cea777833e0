SELECT campaign_name, date, reach, frequency, unique_inline_link_clicks, round(spend * 1000 / reach, 2) AS cost_per_thousand
FROM insights_monthly_reach
WHERE reach > 0
ORDER BY date DESC, reach DESC
LIMIT 20
