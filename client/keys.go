package client

import (
	"context"
	"iter"
	"net/http"
)

// KeyService has API keys.
type KeyService struct{ c *Client }

// Create makes a key; its text is in this answer alone.
func (s *KeyService) Create(ctx context.Context, in CreateKey, opts ...CallOption) (*CreatedKey, error) {
	r := request{method: http.MethodPost, path: "/v1/keys", body: in}
	return call[CreatedKey](ctx, s.c, r, opts)
}

// List returns a page of keys, without their texts.
func (s *KeyService) List(ctx context.Context, q CursorQuery, opts ...CallOption) (*Page[Key], error) {
	r := request{method: http.MethodGet, path: "/v1/keys", query: queryOf(q)}
	return page[Key](ctx, s.c, r, "keys", opts)
}

// All iterates over all that List returns, page by page as they are wanted. It ends with the first
// error.
func (s *KeyService) All(ctx context.Context, q CursorQuery, opts ...CallOption) iter.Seq2[Key, error] {
	return every(q.Cursor, func(cursor string) (*Page[Key], error) {
		q.Cursor = cursor
		return s.List(ctx, q, opts...)
	})
}

// Get returns a key, without its text.
func (s *KeyService) Get(ctx context.Context, keyID string, opts ...CallOption) (*Key, error) {
	r := request{method: http.MethodGet, path: pathOf("/v1/keys/{key_id}", keyID)}
	return call[Key](ctx, s.c, r, opts)
}

// Update changes a key's name, role or expiry.
func (s *KeyService) Update(ctx context.Context, keyID string, in UpdateKey, opts ...CallOption) (*Key, error) {
	r := request{method: http.MethodPatch, path: pathOf("/v1/keys/{key_id}", keyID), body: in}
	return call[Key](ctx, s.c, r, opts)
}

// Rotate gives a key a new text, which is in this answer alone.
func (s *KeyService) Rotate(ctx context.Context, keyID string, in RotateKey, opts ...CallOption) (*RotatedKey, error) {
	r := request{method: http.MethodPost, path: pathOf("/v1/keys/{key_id}/rotate", keyID), body: in}
	return call[RotatedKey](ctx, s.c, r, opts)
}

// Revoke revokes a key at once.
func (s *KeyService) Revoke(ctx context.Context, keyID string, opts ...CallOption) error {
	r := request{method: http.MethodDelete, path: pathOf("/v1/keys/{key_id}", keyID)}
	return s.c.into(ctx, r, opts, nil)
}
