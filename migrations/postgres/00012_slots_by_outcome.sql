-- Lines of a ledger with one outcome are a range, however many others there are.

-- +goose Up
CREATE INDEX schedule_slots_outcome ON schedule_slots (schedule_id, outcome, due_at, origin);
