create or replace table gold.data_anomalies as
with observations as (
    select
        order_date, dayofweek(order_date) as weekday, row_number() over (order by order_date) as position,
        unnest(['orders', 'revenue']) as metric, unnest([total_orders::double, gross_revenue::double]) as observed
    from gold.daily_revenue
),
history as (
    select tested.order_date, tested.metric, tested.weekday as tested_weekday, earlier.weekday, earlier.observed
    from (select *, dense_rank() over (order by order_date) as day from observations) as tested
    join (select *, dense_rank() over (order by order_date) as day from observations) as earlier
        on tested.metric = earlier.metric and earlier.day between tested.day - 56 and tested.day - 1
),
weekdays as (
    select *, avg(observed) over by_weekday as level, count(*) over by_weekday as points
    from history
    window by_weekday as (partition by order_date, metric, weekday)
),
expected as (
    select
        order_date, metric, count(*) as points, avg(observed) as flat_level, stddev_samp(observed) as flat_noise,
        count(*) - count(distinct weekday) as degrees,
        max(level) filter (weekday = tested_weekday) as weekday_level,
        coalesce(max(points) filter (weekday = tested_weekday), 0) as weekday_points,
        sqrt(sum((observed / nullif(level, 0) - 1) ** 2) / nullif(count(*) - count(distinct weekday), 0)) as relative_noise
    from weekdays group by all
),
chosen as (
    select
        order_date, metric, observed, points, points >= 28 and weekday_points >= 3 as by_weekday,
        if(by_weekday, weekday_level, flat_level) as level, if(by_weekday, degrees, points - 1) as freedom,
        if(by_weekday, weekday_points, points) as level_points,
        if(by_weekday, relative_noise * weekday_level, flat_noise) as noise
    from observations join expected using (order_date, metric)
    where points >= 8
),
statistics as (
    select
        *,
        (observed - level)
        / (greatest(coalesce(noise, 0), 0.01 * abs(level), 1e-9) * sqrt(1 + 1.0 / level_points)) as t_statistic
    from chosen
),
scores as (
    select
        *,
        sign(t_statistic) * (8.0 * freedom + 1) / (8.0 * freedom + 3)
        * sqrt(freedom * ln(1 + t_statistic * t_statistic / freedom)) as z_score
    from statistics
)
select
    order_date, total_orders as order_count, gross_revenue as revenue, orders.level as expected_order_count,
    revenue.level as expected_revenue, orders.z_score as orders_z_score, revenue.z_score as revenue_z_score,
    case when orders.points is null then 'none' when orders.by_weekday then 'weekday' else 'level' end as baseline,
    coalesce(orders.points, row_number() over (order by order_date) - 1)::integer as baseline_points,
    case
        when orders.points is null then 'Insufficient History'
        when abs(orders.z_score) > 2.674 or abs(revenue.z_score) > 2.674 then 'Anomaly Detected'
        else 'Normal'
    end as status,
    $as_of::timestamp as metric_updated_at
from gold.daily_revenue
left join (select * from scores where metric = 'orders') as orders using (order_date)
left join (select * from scores where metric = 'revenue') as revenue using (order_date);
