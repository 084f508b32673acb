{{ config(materialized='table') }}

{#
  Profit by unit, including the units that bought nothing. The difference of the means has a confidence interval (for
  large samples of unequal variance). The verdict is computed again every day, so the interval must hold on all days
  together (see always_valid_z).

  If the numbers of units in both arms differ more than chance explains in one of a thousand experiments, units were
  lost. Then the difference is not trusted.
#}
with assignments as (
    select * from {{ ref('int_experiment_assignments') }}
),

by_unit as (
    select
        assignments.experiment_id,
        assignments.arm,
        assignments.unit_id,
        assignments.expected_share,
        coalesce(sum(unit_days.profit), 0) as profit,
        coalesce(sum(unit_days.revenue), 0) as revenue,
        coalesce(sum(unit_days.transactions), 0) as purchases,
        count(unit_days.unit_id) > 0 as is_buyer
    from assignments
    left join {{ ref('int_experiment_unit_days') }} as unit_days
        on assignments.experiment_id = unit_days.experiment_id and assignments.unit_id = unit_days.unit_id
    group by assignments.experiment_id, assignments.arm, assignments.unit_id, assignments.expected_share
),

arms as (
    select
        experiment_id,
        arm,
        max(expected_share) as expected_share,
        count(*) as units,
        sum(case when is_buyer then 1 else 0 end) as buyers,
        sum(purchases) as purchases,
        sum(revenue) as revenue,
        sum(profit) as profit,
        avg(cast(profit as double)) as mean_profit,
        var_samp(cast(profit as double)) as variance
    from by_unit
    group by experiment_id, arm
),

totals as (
    select experiment_id, sum(units) as all_units
    from arms
    group by experiment_id
),

experiments as (
    select
        totals.experiment_id,
        totals.all_units,
        sum(
            power(arms.units - arms.expected_share * totals.all_units, 2)
            / nullif(arms.expected_share * totals.all_units, 0)
        ) as chi_square
    from arms
    inner join totals on arms.experiment_id = totals.experiment_id
    group by totals.experiment_id, totals.all_units
),

spans as (
    select experiment_id, min(cast(assigned_at as date)) as first_date, max(last_date) as last_date
    from assignments
    group by experiment_id
),

compared as (
    select
        arms.*,
        experiments.chi_square,
        arms.units * 1.0 / experiments.all_units as share,
        arms.mean_profit - control.mean_profit as difference,
        sqrt(arms.variance / arms.units + control.variance / control.units)
        * {{ always_valid_z(
            'arms.purchases + control.purchases', var('experiment_tuned_purchases'), var('experiment_error_rate')
        ) }} as margin
    from arms
    inner join experiments on arms.experiment_id = experiments.experiment_id
    left join arms as control
        on
            arms.experiment_id = control.experiment_id
            and control.arm = 'control'
            and arms.arm <> 'control'
)

select
    compared.experiment_id,
    compared.arm,
    spans.first_date,
    spans.last_date,
    cast(compared.units as {{ dbt.type_bigint() }}) as units,
    cast(compared.buyers as {{ dbt.type_bigint() }}) as buyers,
    cast(compared.purchases as {{ dbt.type_bigint() }}) as purchases,
    cast(compared.revenue as {{ money() }}) as revenue,
    cast(compared.profit as {{ money() }}) as profit,
    cast(round(compared.mean_profit, 4) as {{ money() }}) as profit_per_unit,
    cast(round(compared.difference, 4) as {{ money() }}) as difference,
    cast(round(compared.difference - compared.margin, 4) as {{ money() }}) as difference_low,
    cast(round(compared.difference + compared.margin, 4) as {{ money() }}) as difference_high,
    cast(compared.expected_share as double) as expected_share,
    cast(compared.share as double) as actual_share,
    cast(compared.chi_square as double) as sample_ratio_chi_square,
    compared.chi_square > {{ var('srm_chi_square') }} as is_sample_ratio_mismatch,
    case
        when compared.chi_square > {{ var('srm_chi_square') }} then 'invalid'
        when compared.difference is null then 'baseline'
        when compared.difference - compared.margin > 0 then 'better'
        when compared.difference + compared.margin < 0 then 'worse'
        else 'inconclusive'
    end as verdict,
    {{ as_of() }} as metric_updated_at
from compared
inner join spans on compared.experiment_id = spans.experiment_id
