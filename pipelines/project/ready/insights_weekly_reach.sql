-- Fatigue: the same people see the campaign more often, and click less.
SELECT campaign_name, date, date_stop, reach, frequency, round(100.0 * clicks / impressions, 2) AS ctr
FROM insights_weekly_reach
WHERE impressions > 0
ORDER BY campaign_name, date
LIMIT 20
