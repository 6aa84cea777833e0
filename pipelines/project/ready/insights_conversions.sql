-- One type at a time: types overlap. Windows overlap as well, and `value` follows the ad set.
SELECT campaign_name, action_type, sum(value) AS purchases,
    sum(click_1d) AS within_a_day, sum(click_7d) AS within_7_days, sum(view_1d) AS after_a_view
FROM insights_conversions_actions
WHERE list_field = 'actions' AND action_type = 'omni_purchase'
GROUP BY ALL
ORDER BY purchases DESC
LIMIT 20
