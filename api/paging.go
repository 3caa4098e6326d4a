package api

import (
	"heddle/definitions"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The page sizes that the lists give.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// page is which part of a list is asked for. offset and cursor exclude each
// other; total is counted unless a cursor is given.
type page struct {
	limit  int
	offset int
	cursor string
}

func (p page) wantTotal() bool { return p.cursor == "" }

// query reads the query string. A broken one is refused, because a filter that
// is not seen would show too much.
func (c *call) query() (url.Values, error) {
	q, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, malformed("The query string is malformed: check its %% escapes and separators.")
	}
	for name, values := range q {
		if len(values) > 1 && c.route.queryParam(name) {
			return nil, malformed("%s is given %d times; give it once.", name, len(values))
		}
		for _, v := range values {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) || len(v) > 1024 {
				return nil, malformed("%s must be at most 1,024 bytes of UTF-8 text without NUL.", truncate(name))
			}
		}
	}
	return q, nil
}

// checkQuery refuses parameters that the route does not have: a filter that is
// misspelt would show too much.
func (c *call) checkQuery() error {
	if c.r.URL.RawQuery == "" || c.route.anyQuery {
		return nil
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	names := make([]string, len(c.route.query))
	for i, p := range c.route.query {
		names[i] = p.name
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		switch near := definitions.Nearest(name, names); {
		case slices.Contains(names, name):
		case near != "":
			return malformed("Unknown query parameter %q; did you mean %q?", truncate(name), near)
		case len(names) == 0:
			return malformed("Unknown query parameter %q; this request has none.", truncate(name))
		default:
			return malformed("Unknown query parameter %q; remove it. Known are: %s.", truncate(name), strings.Join(names, ", "))
		}
	}
	return nil
}

// pageQuery reads the query string of a list.
func (c *call) pageQuery() (url.Values, page, error) {
	q, err := c.query()
	if err != nil {
		return nil, page{}, err
	}
	p, err := readPage(q)
	return q, p, err
}

func (r *route) queryParam(name string) bool {
	for _, p := range r.query {
		if p.name == name {
			return true
		}
	}
	return false
}

// readPage reads limit, offset and cursor.
func readPage(q url.Values) (page, error) {
	p := page{cursor: q.Get("cursor")}
	var err error
	if p.limit, err = intParam(q, "limit", defaultLimit, 1, maxLimit); err != nil {
		return page{}, err
	}
	if p.offset, err = intParam(q, "offset", 0, 0, math.MaxInt32); err != nil {
		return page{}, err
	}
	if p.cursor != "" && q.Has("offset") {
		return page{}, malformed("offset and cursor exclude each other; give one of them.")
	}
	if len(p.cursor) > 512 {
		return page{}, malformed("cursor is not one that this API gave. Start again without it.")
	}
	return p, nil
}

// intParam reads an integer parameter of decimal digits within [low, high].
func intParam(q url.Values, name string, otherwise, low, high int) (int, error) {
	if !q.Has(name) {
		return otherwise, nil
	}
	v := q.Get(name)
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high || strings.ContainsAny(v, "+-") {
		return 0, malformed("%s must be an integer from %d to %d, not %q.", name, low, high, truncate(v))
	}
	return n, nil
}

// boolParam reads true or false.
func boolParam(q url.Values, name string) (bool, error) {
	switch v := q.Get(name); v {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, malformed("%s must be true or false, not %q.", name, truncate(v))
	}
}
