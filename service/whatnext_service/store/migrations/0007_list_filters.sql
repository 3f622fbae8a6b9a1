-- A list costs the same however long it is, also where a filter leaves little of it.
create index run_status on run (workspace_id, status, id desc);
create index evaluation_status on evaluation (workspace_id, status, id desc);
create index evaluation_run on evaluation (run_id, id desc) where run_id is not null;
create index evaluation_suite on evaluation (suite_id, id desc);
create index recommendation_status on recommendation (workspace_id, status, id desc);
create index deployment_status on deployment (workspace_id, status, id desc);
create index dataset_loop on dataset (loop_id, id desc) where loop_id is not null;
create index event_type on event (workspace_id, type, seq);
