package client

import (
	"context"
	"iter"
	"net/http"
)

// AgentService has the tenant's agents.
type AgentService struct{ c *Client }

// Put sets an agent up, or changes it as a whole.
func (s *AgentService) Put(ctx context.Context, agentID string, in PutAgent, opts ...CallOption) (*Agent, error) {
	r := request{method: http.MethodPut, path: pathOf("/v1/agents/{agent_id}", agentID), body: in}
	return call[Agent](ctx, s.c, r, opts)
}

// List returns a page of agents.
func (s *AgentService) List(ctx context.Context, q CursorQuery, opts ...CallOption) (*Page[Agent], error) {
	r := request{method: http.MethodGet, path: "/v1/agents", query: queryOf(q)}
	return page[Agent](ctx, s.c, r, "agents", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *AgentService) All(ctx context.Context, q CursorQuery, opts ...CallOption) iter.Seq2[Agent, error] {
	return every(q.Cursor, func(cursor string) (*Page[Agent], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// Get returns an agent.
func (s *AgentService) Get(ctx context.Context, agentID string, opts ...CallOption) (*Agent, error) {
	r := request{method: http.MethodGet, path: pathOf("/v1/agents/{agent_id}", agentID)}
	return call[Agent](ctx, s.c, r, opts)
}

// Delete deletes an agent; steps that name it fail from then on.
func (s *AgentService) Delete(ctx context.Context, agentID string, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/v1/agents/{agent_id}", agentID)}
	return s.c.into(ctx, r, opts, nil)
}

// Test asks an agent's model something, really.
func (s *AgentService) Test(ctx context.Context, agentID string, in TestAgent, opts ...CallOption) (*AgentTest, error) {
	r := request{method: http.MethodPost, path: pathOf("/v1/agents/{agent_id}/test", agentID), body: in}
	return call[AgentTest](ctx, s.c, r, opts)
}

// Usage returns what attempts consumed that were charged to an agent, by day of UTC.
func (s *AgentService) Usage(ctx context.Context, agentID string, q Span, opts ...CallOption) (*AgentUsage, error) {
	r := request{method: http.MethodGet, path: pathOf("/v1/agents/{agent_id}/usage", agentID), query: queryOf(q)}
	return call[AgentUsage](ctx, s.c, r, opts)
}
