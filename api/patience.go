package api

import (
	"context"
	"heddle/deadline"
	"time"
)

// storeTime is how long a request waits for the database, over all its calls,
// where Config.StoreTime is 0.
const storeTime = 4 * time.Second

// longRunning are the operations (by operationId) that go on for as long as their
// caller stays or as there is something to do: of these each call to the
// database may take Config.StoreTime.
var longRunning = map[string]bool{
	"streamRun": true, "followRun": true, "executeWorkflow": true, "exportWorkflows": true, "importWorkflows": true,
	"deleteWorkflow": true, "backfillSchedule": true, "createInstances": true, "getBlob": true, "tickRunner": true, "testStep": true,
}

// withDeadline returns the context in which the route's calls to the database end.
func (h *Handler) withDeadline(ctx context.Context, r *route) context.Context {
	if longRunning[r.id] {
		return deadline.Each(ctx, h.cfg.StoreTime)
	}
	return deadline.With(ctx, h.cfg.StoreTime)
}
