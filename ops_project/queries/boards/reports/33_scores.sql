-- title: Quality scores
-- tells: The mean score of each layer's tables in the period, the lowest score, and how many tables were below 85 or had no score.
-- source: snapshot
-- shape: table
-- empty: No table was scored in the period.
select
    table_schema as layer,
    round(avg(score), 1) as mean_score,
    round(min(score), 1) as lowest,
    count(distinct table_name) filter (score < 85) as tables_below_85,
    count(distinct table_name) filter (score is null) as tables_without_score
from ops.quality_scores
where as_of >= $since and as_of < $as_of
group by table_schema
order by table_schema
