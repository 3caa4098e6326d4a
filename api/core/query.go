package core

import (
	"heddle/definitions/source"
	"heddle/internal/elements"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The number of items of a page: without limit, and at most.
const (
	defaultLimit = 50
	MaxLimit     = 200
)

// Page is the requested part of a list. Limit is 1 to MaxLimit, of some lists to more. Offset and Cursor exclude each
// other; the total is counted unless a cursor is given. A cursor is opaque here: the store that
// made it checks it.
type Page struct {
	Limit  int
	Offset int
	Cursor string
}

// WantTotal reports whether the list is to be counted: only its pages by offset say how many
// there are, because counting costs a read of all.
func (p Page) WantTotal() bool { return p.Cursor == "" }

// Query returns the parsed query string. A malformed one is refused, because a filter that is not
// seen would show too much; so is a parameter of the route that is given more often than it may
// be, and any value of more than 1,024 bytes, with a NUL or not in UTF-8. The error is fault.Malformed
// invalid_request.
func (c *Call) Query() (url.Values, error) {
	q, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, Malformed("The query string is malformed: check its %% escapes and separators.")
	}
	for name, values := range q {
		switch {
		case len(values) == 1 || !c.Route.queryParam(name):
		case !c.Route.repeats(name):
			return nil, Malformed("%s is given %d times; give it once.", name, len(values))
		case len(values) > maxRepeats:
			return nil, Malformed("%s is given %d times; give it at most %d times.", name, len(values), maxRepeats)
		}
		for _, v := range values {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) || len(v) > 1024 {
				return nil, Malformed("%s must be at most 1,024 bytes of UTF-8 text without NUL.", Truncate(name))
			}
		}
	}
	return q, nil
}

// checkQuery refuses parameters that the route does not have: a filter that is misspelt would
// show too much. It is called for every route; one with AnyQuery ignores them. The error is
// fault.Malformed invalid_request and suggests a near name.
func checkQuery(c *Call) error {
	if c.Request.URL.RawQuery == "" || c.Route.AnyQuery {
		return nil
	}
	q, err := c.Query()
	if err != nil {
		return err
	}
	names := elements.Map(c.Route.Query, func(p Param) string { return p.Name })
	for _, name := range slices.Sorted(maps.Keys(q)) {
		switch near := source.Nearest(name, names); {
		case c.Route.queryParam(name):
		case near != "":
			return Malformed("Unknown query parameter %q; did you mean %q?", Truncate(name), near)
		case len(names) == 0:
			return Malformed("Unknown query parameter %q; this request has none.", Truncate(name))
		default:
			return Malformed("Unknown query parameter %q; remove it. Known are: %s.", Truncate(name), strings.Join(names, ", "))
		}
	}
	return nil
}

// PageQuery returns the query string of a list and the page that it requests.
func (c *Call) PageQuery() (url.Values, Page, error) { return c.PageQueryUpTo(MaxLimit) }

// PageQueryUpTo is PageQuery for a list whose pages hold at most maxLimit items.
func (c *Call) PageQueryUpTo(maxLimit int) (url.Values, Page, error) {
	q, err := c.Query()
	if err != nil {
		return nil, Page{}, err
	}
	p, err := readPage(q, maxLimit)
	return q, p, err
}

// maxRepeats is how often a Repeatable parameter is given at most.
const maxRepeats = 10

// repeats reports whether a parameter of the route may be given more than once.
func (r *Route) repeats(name string) bool {
	for _, p := range r.Query {
		if p.Is(name) {
			return p.Repeatable
		}
	}
	return false
}

// queryParam reports whether the route has a parameter of that name.
func (r *Route) queryParam(name string) bool {
	for _, p := range r.Query {
		if p.Is(name) {
			return true
		}
	}
	return false
}

// readPage reads limit, at most maxLimit, offset and cursor. The error is fault.Malformed
// invalid_request.
func readPage(q url.Values, maxLimit int) (Page, error) {
	p := Page{Cursor: q.Get("cursor")}
	var err error
	if p.Limit, err = IntParam(q, "limit", defaultLimit, 1, maxLimit); err != nil {
		return Page{}, err
	}
	if p.Offset, err = IntParam(q, "offset", 0, 0, math.MaxInt32); err != nil {
		return Page{}, err
	}
	if p.Cursor != "" && q.Has("offset") {
		return Page{}, Malformed("offset and cursor exclude each other; give one of them.")
	}
	// Cursors of this API are far shorter.
	if len(p.Cursor) > 512 {
		return Page{}, Malformed("cursor is not one that this API returned. Start again without it.")
	}
	return p, nil
}

// IntParam reads an integer parameter of decimal digits within [low, high], without a sign;
// otherwise where it is absent. The error is fault.Malformed invalid_request.
func IntParam(q url.Values, name string, otherwise, low, high int) (int, error) {
	if !q.Has(name) {
		return otherwise, nil
	}
	v := q.Get(name)
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high || strings.ContainsAny(v, "+-") {
		return 0, Malformed("%s must be an integer from %d to %d, not %q.", name, low, high, Truncate(v))
	}
	return n, nil
}

// BoolParam reads true or false; false where it is absent or empty. The error is fault.Malformed
// invalid_request.
func BoolParam(q url.Values, name string) (bool, error) {
	switch v := q.Get(name); v {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, Malformed("%s must be true or false, not %q.", name, Truncate(v))
	}
}

// TimeParam reads an RFC 3339 time of the years 1970 to 9999, in UTC; the zero time where it is
// absent. The error is fault.Malformed invalid_request.
func TimeParam(q url.Values, name string) (time.Time, error) {
	if !q.Has(name) {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, q.Get(name))
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, Malformed("%s must be an RFC 3339 time such as 2026-07-04T18:22:31Z, not %q.", name, Truncate(q.Get(name)))
	}
	return t.UTC(), nil
}

// ListParam reads a parameter that is a list of at most most values with commas between them,
// each of which must be one of allowed (nil: any); nil where it is absent. The error is
// fault.Malformed invalid_request.
func ListParam(q url.Values, name string, most int, allowed []string) ([]string, error) {
	if q.Get(name) == "" {
		return nil, nil
	}
	list := strings.Split(q.Get(name), ",")
	if len(list) > most {
		return nil, Malformed("%s takes at most %d values, not %d.", name, most, len(list))
	}
	for _, v := range list {
		switch {
		case v == "":
			return nil, Malformed("%s has an empty value; put one comma between two values.", name)
		case allowed != nil && !slices.Contains(allowed, v):
			return nil, Malformed("%s must be one of %s, or several with commas between them, not %q.", name, strings.Join(allowed, ", "), Truncate(v))
		}
	}
	return list, nil
}

// SecondsParam reads a duration in seconds, in whole milliseconds; 0 where it is absent. The
// error is fault.Malformed invalid_request.
func SecondsParam(q url.Values, name string) (time.Duration, error) {
	if !q.Has(name) {
		return 0, nil
	}
	s, err := strconv.ParseFloat(q.Get(name), 64)
	if err != nil || !(s >= 0 && s <= maxSeconds) {
		return 0, Malformed("%s must be a number of seconds from 0 to %d, not %q.", name, maxSeconds, Truncate(q.Get(name)))
	}
	return time.Duration(math.Round(s*1000)) * time.Millisecond, nil
}

// maxSeconds is the longest duration that a filter may name, more than thirty years.
const maxSeconds = 1_000_000_000

// DryRun reports whether only the consequences are requested, and nothing is to be written.
// Routes that honour it have DryRunParam.
func (c *Call) DryRun() (bool, error) {
	q, err := c.Query()
	if err != nil {
		return false, err
	}
	return BoolParam(q, "dry_run")
}

// DryRunParam is the parameter of writes that can preview their consequences.
func DryRunParam() []Param {
	return []Param{{Name: "dry_run", JSONType: "boolean", Description: "Write nothing; answer what it would mean."}}
}
