package client

import (
	"context"
	"iter"
	"net/http"
)

// SecretService has the tenant's secrets; no answer shows a value.
type SecretService struct{ c *Client }

// Set sets a secret; configs read it as secrets.NAME.
func (s *SecretService) Set(ctx context.Context, secret string, value string, opts ...CallOption) error {
	r := request{method: http.MethodPut, path: pathOf("/v1/secrets/{secret}", secret), body: secretValue{value}}
	return s.c.into(ctx, r, opts, nil)
}

// List returns a page of secrets, without their values.
func (s *SecretService) List(ctx context.Context, q CursorQuery, opts ...CallOption) (*Page[Secret], error) {
	r := request{method: http.MethodGet, path: "/v1/secrets", query: queryOf(q)}
	return page[Secret](ctx, s.c, r, "secrets", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *SecretService) All(ctx context.Context, q CursorQuery, opts ...CallOption) iter.Seq2[Secret, error] {
	return every(q.Cursor, func(cursor string) (*Page[Secret], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// Delete deletes a secret; steps that name it fail from then on.
func (s *SecretService) Delete(ctx context.Context, secret string, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/v1/secrets/{secret}", secret)}
	return s.c.into(ctx, r, opts, nil)
}
