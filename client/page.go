package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// Page is a part of a list. Next is the cursor of the page that follows, "" on the last one.
type Page[T any] struct {
	Items []T
	// Total counts all pages; nil where the server does not count them.
	Total *int
	Next  string
}

// page performs a request for a page of a list, which is the member name of the answer.
func page[T any](ctx context.Context, c *Client, r request, name string, opts []CallOption) (*Page[T], error) {
	var all map[string]json.RawMessage
	if err := c.into(ctx, r, opts, &all); err != nil {
		return nil, err
	}
	p := new(Page[T])
	for part, target := range map[string]any{name: &p.Items, "total": &p.Total, "next_cursor": &p.Next} {
		// The last page's cursor is null, which leaves "".
		if text, ok := all[part]; ok {
			if err := json.Unmarshal(text, target); err != nil {
				return nil, fmt.Errorf("decode %s of the answer of %s %s: %w", part, r.method, r.path, err)
			}
		}
	}
	return p, nil
}

// every iterates over all items of a list, page by page as they are wanted. It ends with the first
// error, which comes beside the zero value.
func every[T any](cursor string, fetch func(cursor string) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for next := cursor; ; {
			p, err := fetch(next)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if next = p.Next; next == "" {
				return
			}
		}
	}
}
