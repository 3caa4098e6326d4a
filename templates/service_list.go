package templates

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"heddle/fault"
)

// builtinCursor is the position of a list within the built-in templates, which
// come first, with the filters that it belongs to. Positions among the tenant's
// own templates are cursors of the store.
type builtinCursor struct {
	Builtins int    `json:"b"` // how many of the filtered ones lie before it, from 1
	Category string `json:"c"` // Query.Category
	Only     bool   `json:"o"` // is_builtin=true
}

// text returns the cursor as an opaque text, safe in a URL.
func (c builtinCursor) text() string {
	raw, err := json.Marshal(c)
	if err != nil {
		return "" // plain values always encode
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// List returns a page: built-in templates while there are any, then the
// tenant's own. Built-in ones are in memory and cost no query. Errors:
// fault.Malformed invalid_request for a cursor that List did not return, or
// returned for other filters.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	builtins := s.filtered(q)
	at, among, err := startOf(q, len(builtins))
	if err != nil {
		return Page{}, err
	}
	page := Page{Total: -1}
	if q.WantTotal {
		page.Total = len(builtins)
	}
	if among {
		end := min(at+q.Limit, len(builtins))
		page.Templates = append(page.Templates, builtins[at:end]...)
		if end < len(builtins) {
			page.Next = builtinCursor{end, q.Category, only(q)}.text()
		}
	}
	if only(q) {
		return page, nil
	}
	return s.addOwn(ctx, q, page, len(builtins), among)
}

// only reports whether a query selects built-in templates alone.
func only(q Query) bool { return q.Builtin != nil && *q.Builtin }

// filtered returns the built-in templates that a query selects, in the order of
// their ids and without their definitions. The list is new.
func (s *Service) filtered(q Query) []Template {
	var list []Template
	if q.Builtin != nil && !*q.Builtin {
		return list
	}
	for _, t := range s.builtins {
		if q.Category == "" || t.Category == q.Category {
			t.Definition = nil
			list = append(list, t)
		}
	}
	return list
}

// startOf returns at which of n built-in templates a page begins; among is
// false for a later page, which has none of them and whose cursor is the
// store's.
func startOf(q Query, n int) (at int, among bool, err error) {
	if q.Cursor == "" {
		return min(q.Offset, n), true, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	var c builtinCursor
	ours := err == nil && json.Unmarshal(raw, &c) == nil && c.Builtins >= 1
	if !ours && !only(q) {
		return 0, false, nil // the store checks its own cursors
	}
	// Also a cursor that decodes, but was written differently: only texts that
	// List returned are accepted.
	if !ours || c != (builtinCursor{c.Builtins, q.Category, only(q)}) || c.text() != q.Cursor {
		return 0, false, fault.New(fault.Malformed, "invalid_request", "cursor belongs to a list with other filters. Start again without it.")
	}
	return min(c.Builtins, n), true, nil
}

// addOwn fills the rest of a page with the tenant's own templates and adds
// their number to the total. builtins is how many built-in ones the filters
// select; among is that of startOf.
func (s *Service) addOwn(ctx context.Context, q Query, page Page, builtins int, among bool) (Page, error) {
	// The store knows only the tenant's own templates: what built-in ones took
	// of the page is subtracted.
	own := q
	own.Limit = q.Limit - len(page.Templates)
	own.Offset = max(0, q.Offset-builtins)
	if among {
		own.Cursor = ""
	}
	full := own.Limit == 0
	if full {
		own.Limit = 1 // to know whether there are any
	}
	found, err := s.store.Templates(ctx, own)
	if err != nil {
		return Page{}, err
	}
	if q.WantTotal {
		page.Total += found.Total
	}
	switch {
	case page.Next != "":
	case full && len(found.Templates) > 0:
		page.Next = builtinCursor{builtins, q.Category, only(q)}.text()
	case !full:
		page.Templates = append(page.Templates, found.Templates...)
		page.Next = found.Next
	}
	return page, nil
}
