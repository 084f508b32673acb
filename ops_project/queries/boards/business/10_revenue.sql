-- title: Revenue of 30 days
-- tells: Gross revenue by day, the mean of the seven days up to it, and the band in which revenue is expected from its history (a z-score of 3.5 either way). A day that was not delivered is a gap.
-- source: snapshot
-- shape: line
with banded as (
    select
        order_date,
        expected_revenue,
        case
            when revenue_z_score <> 0 then abs(revenue - expected_revenue) / abs(revenue_z_score) * 3.5
        end as width
    from gold.data_anomalies
)

select
    daily_revenue.order_date,
    daily_revenue.gross_revenue,
    daily_revenue.revenue_7d_avg as seven_day_average,
    case when banded.width is not null then round(greatest(0, banded.expected_revenue - banded.width), 2) end as expected_low,
    round(banded.expected_revenue + banded.width, 2) as expected_high
from gold.daily_revenue
left join banded on daily_revenue.order_date = banded.order_date
where daily_revenue.order_date > $as_of_date - 30 and daily_revenue.order_date <= $as_of_date
order by daily_revenue.order_date
