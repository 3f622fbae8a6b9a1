-- name: insert_endpoint
insert into webhook_endpoint (id, workspace_id, url, event_types, description, secret, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)

-- name: get_endpoint
select * from webhook_endpoint_v where workspace_id = $1 and id = $2

-- name: lock_endpoint
select * from webhook_endpoint_v where workspace_id = $1 and id = $2 for update

-- name: list_endpoints
select * from webhook_endpoint_v
where workspace_id = $1 and ($2::text is null or id < $2) and ($4::text[] is null or status = any($4))
order by id desc limit $3 + 1

-- name: update_endpoint
update webhook_endpoint set url = $3, event_types = $4, description = $5, status = $6, disabled_reason = $7,
                            version = version + 1, updated_at = $8
where workspace_id = $1 and id = $2

-- name: delete_endpoint
delete from webhook_endpoint where workspace_id = $1 and id = $2

-- name: endpoints_for
select id from webhook_endpoint
where workspace_id = $1 and status = 'enabled' and (event_types is null or $2 = any(event_types)) order by id

-- name: insert_delivery
insert into webhook_delivery (id, workspace_id, endpoint_id, event_id, type, body, next_attempt_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)

-- name: get_delivery
select * from webhook_delivery_v where workspace_id = $1 and id = $2

-- name: list_deliveries
select * from webhook_delivery_v
where workspace_id = $1 and endpoint_id = $4 and ($2::text is null or id < $2)
  and ($5::text[] is null or status = any($5))
order by id desc limit $3 + 1

-- name: load_delivery
select d.id, d.workspace_id, d.endpoint_id, d.body, d.status, d.attempts, d.created_at, e.url, e.secret,
       e.status as endpoint_status
from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint_id where d.id = $1

-- name: record_attempt
update webhook_delivery set status = $3, attempts = attempts + 1, last_status_code = $4, last_error = $5,
                            next_attempt_at = $6, finished_at = $7
where id = $1 and attempts = $2 and status = 'pending' returning true

-- name: overdue
select id from webhook_delivery where status = 'pending' and next_attempt_at < $1 order by next_attempt_at limit 1000
