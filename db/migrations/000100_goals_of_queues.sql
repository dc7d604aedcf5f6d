-- expand
-- Which queues miss their goal, of a year of a large chain: a row of queue_metrics is half a kilobyte, of which this needs some numbers.
create index queue_metrics_goals on queue_metrics (tenant_id, date, queue_id) include (site_id, service_id, called, within_goal)
  where dimension = 'all';
