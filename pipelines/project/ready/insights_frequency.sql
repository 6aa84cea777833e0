-- Within a campaign and month; people of several do not add up.
SELECT campaign_name, date AS month, frequency_value AS times_seen, reach
FROM insights_frequency
ORDER BY month DESC, campaign_name, frequency_value
LIMIT 20
