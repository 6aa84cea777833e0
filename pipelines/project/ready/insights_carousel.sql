SELECT action_carousel_card_name AS card, sum(value) AS clicks
FROM insights_carousel_actions
WHERE action_type = 'link_click' AND action_carousel_card_name IS NOT NULL
GROUP BY ALL
ORDER BY clicks DESC
LIMIT 20
