-- Pages of long journals: behind the first 2,000 events, so that short runs have
-- no entry. The number is executor.JournalHead.

-- +goose Up
CREATE INDEX run_events_steps ON run_events (run_id, step_id, iteration, seq) WHERE seq > 2000 AND step_id <> '';
CREATE INDEX run_events_kinds ON run_events (run_id, kind, seq) WHERE seq > 2000 AND kind IN ('state_changed', 'signal_received', 'input_resolved', 'handlers_started');
