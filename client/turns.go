package client

import (
	"context"
	"net/http"
)

// TurnService speaks the turns dialect: conversations with a workflow.
type TurnService struct{ c *Client }

// Execute takes one turn of a conversation.
func (s *TurnService) Execute(ctx context.Context, id string, q TurnQuery, in TurnRequest, opts ...CallOption) (*Turn, error) {
	r := request{method: http.MethodPost, path: pathOf("/v1/workflows/{id}/execute", id), query: queryOf(q), body: in, keyed: true}
	return call[Turn](ctx, s.c, r, opts)
}
