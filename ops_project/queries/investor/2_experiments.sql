-- title: Experiments
-- tells: Profit by unit of each arm, the difference with its always-valid interval, and whether the arms have as many units as planned.
select
    experiment_id, arm, first_date, last_date, units, profit_per_unit, difference, difference_low, difference_high,
    is_sample_ratio_mismatch, verdict
from gold.kpi_experiment_unit_profit
order by experiment_id desc, arm
