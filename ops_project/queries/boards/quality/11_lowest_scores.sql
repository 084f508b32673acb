-- title: The ten lowest scores
-- tells: The newest score of each table, the lowest first. A score below 85 raises an alert, and one below 70 stops the next layer. A table without a score is unknown and comes first.
-- source: snapshot
-- shape: table
-- empty: No table has been scored yet.
select table_schema || '/' || table_name as asset, domain, score, completeness, validity, uniqueness, consistency, timeliness, row_count
from ops.quality_scores
qualify row_number() over (partition by table_schema, table_name order by as_of desc) = 1
order by score nulls first, asset
limit 10
