export const AGGREGATE = 'analytics.aggregate_daily_metrics'
