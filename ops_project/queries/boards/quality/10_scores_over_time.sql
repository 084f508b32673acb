-- title: Quality score by layer
-- tells: The mean score of the tables of each layer (0 to 100), by the day on which they were scored. Tables without a score are left out.
-- source: snapshot
-- shape: line
with newest as (
    select (as_of at time zone 'UTC' at time zone $zone)::date as day, table_schema, table_name, score
    from ops.quality_scores
    where as_of >= $as_of - interval 60 day and as_of <= $as_of
    qualify row_number() over (partition by day, table_schema, table_name order by as_of desc) = 1
)

select
    day,
    round(avg(score) filter (table_schema = 'bronze'), 2) as bronze,
    round(avg(score) filter (table_schema = 'silver'), 2) as silver,
    round(avg(score) filter (table_schema = 'gold'), 2) as gold
from newest
group by day
order by day
