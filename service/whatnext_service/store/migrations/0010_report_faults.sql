-- What a quality report says of rows beside their scores, and what it found in short.
alter table quality_report
    add column partners bytea not null default '',      -- which row another one repeats or contradicts
    add column places   bytea not null default '',      -- where each row stands in the file
    add column faults   jsonb not null default '[]';    -- the checks that are not good
alter table quality_report alter column places set storage external;

update quality_report set faults = coalesce((
    select jsonb_agg(jsonb_build_object(
        'code', found ->> 'code', 'verdict', found ->> 'verdict', 'n_rows', (found ->> 'n_rows')::int,
        'lines', (select coalesce(jsonb_agg(mark -> 'line'), '[]') from (
            select mark from jsonb_array_elements(found -> 'rows') as mark limit 10) as first_marks),
        'statement', found ->> 'statement', 'remedy', found ->> 'remedy', 'limit', null))
    from jsonb_array_elements(report -> 'checks') as found where found ->> 'verdict' in ('caution', 'critical')), '[]')
where report is not null;
