package core

import (
	"context"
	"heddle/deadline"
	"time"
)

// storeTime is how long a request waits for the database, over all its calls,
// where Config.StoreTime is 0.
const storeTime = 4 * time.Second

// withDeadline returns a context in which the route's calls to the database share StoreTime, or
// have it each where the route is LongRunning. It does not bound anything else.
func (h *Server) withDeadline(ctx context.Context, r *Route) context.Context {
	if r.LongRunning {
		return deadline.WithTimeoutPerCall(ctx, h.cfg.StoreTime)
	}
	return deadline.WithBudget(ctx, h.cfg.StoreTime)
}
