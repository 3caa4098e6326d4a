package client

import (
	"context"
	"net/http"
)

// InstanceService speaks the instances dialect: runs with names that their clients choose.
type InstanceService struct{ c *Client }

// Names returns the names of the workflows.
func (s *InstanceService) Names(ctx context.Context, opts ...CallOption) ([]WorkflowName, error) {
	r := request{method: http.MethodGet, path: "/api/workflows/workflows"}
	return list[WorkflowName](ctx, s.c, r, "workflows", opts)
}

// List returns a page of a workflow's instances, newest first.
func (s *InstanceService) List(ctx context.Context, id string, q InstanceQuery, opts ...CallOption) (*InstanceList, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/workflows/{id}/instances", id), query: queryOf(q)}
	return call[InstanceList](ctx, s.c, r, opts)
}

// Create makes an instance; its id is free for one only.
func (s *InstanceService) Create(ctx context.Context, id string, in InstanceStart, opts ...CallOption) (*CreatedInstance, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/workflows/{id}/instances", id), body: in, keyed: true}
	return call[CreatedInstance](ctx, s.c, r, opts)
}

// CreateMany makes up to 100 instances; ids that exist or repeat are left out.
func (s *InstanceService) CreateMany(ctx context.Context, id string, instances []BatchItem, opts ...CallOption) ([]CreatedInstance, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/workflows/{id}/instances/batch", id), body: map[string]any{"instances": instances}}
	return list[CreatedInstance](ctx, s.c, r, "instances", opts)
}

// Get returns an instance with its current step.
func (s *InstanceService) Get(ctx context.Context, id, instanceID string, opts ...CallOption) (*Instance, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/workflows/{id}/instances/{instance_id}", id, instanceID)}
	return call[Instance](ctx, s.c, r, opts)
}

// History returns steps, events and logs of one run of an instance.
func (s *InstanceService) History(ctx context.Context, id, instanceID string, q InstanceHistoryQuery, opts ...CallOption) (*InstanceHistory, error) {
	r := request{method: http.MethodGet, path: pathOf("/api/workflows/workflows/{id}/instances/{instance_id}/history", id, instanceID), query: queryOf(q)}
	return call[InstanceHistory](ctx, s.c, r, opts)
}

// Pause lets steps in flight finish and starts nothing more.
func (s *InstanceService) Pause(ctx context.Context, id, instanceID string, reason string, opts ...CallOption) error {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/workflows/{id}/instances/{instance_id}/pause", id, instanceID), body: because{reason}}
	return s.c.into(ctx, r, opts, nil)
}

// Resume goes on with a paused instance.
func (s *InstanceService) Resume(ctx context.Context, id, instanceID string, reason string, opts ...CallOption) error {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/workflows/{id}/instances/{instance_id}/resume", id, instanceID), body: because{reason}}
	return s.c.into(ctx, r, opts, nil)
}

// Restart begins the next run of an instance, with the same params.
func (s *InstanceService) Restart(ctx context.Context, id, instanceID string, reason string, opts ...CallOption) error {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/workflows/{id}/instances/{instance_id}/restart", id, instanceID), body: because{reason}, keyed: true}
	return s.c.into(ctx, r, opts, nil)
}

// Terminate ends an instance at once, without clean-up.
func (s *InstanceService) Terminate(ctx context.Context, id, instanceID string, reason string, opts ...CallOption) error {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/workflows/{id}/instances/{instance_id}/terminate", id, instanceID), body: because{reason}}
	return s.c.into(ctx, r, opts, nil)
}

// Send sends an event; one that no step waits for yet is kept.
func (s *InstanceService) Send(ctx context.Context, id, instanceID string, in InstanceEvent, opts ...CallOption) (*InstanceDetails, error) {
	r := request{method: http.MethodPost, path: pathOf("/api/workflows/workflows/{id}/instances/{instance_id}/events", id, instanceID), body: in}
	return member[InstanceDetails](ctx, s.c, r, "status", opts)
}

// Tick lets queued instances begin, where only ticks do.
func (s *InstanceService) Tick(ctx context.Context, in TickRequest, opts ...CallOption) (*Ticked, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/_runner/tick", body: in}
	return call[Ticked](ctx, s.c, r, opts)
}

// TickBelowWorkflows is Tick for clients whose base ends in /workflows.
func (s *InstanceService) TickBelowWorkflows(ctx context.Context, in TickRequest, opts ...CallOption) (*Ticked, error) {
	r := request{method: http.MethodPost, path: "/api/workflows/workflows/_runner/tick", body: in}
	return call[Ticked](ctx, s.c, r, opts)
}
