package core

import (
	"heddle/fault"
	"heddle/ids"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// canonicalPath makes the path of a request one that is escaped in exactly one way, so that
// routes and names do not depend on how a client escapes: each segment is decoded once and
// escaped anew. RawPath is set where that differs from Path, and is what the router reads.
// Trailing slashes are dropped.
//
//	/v1/runs/%72un_1/     → /v1/runs/run_1
//	/v1/x/signals/a%2Fb   → Path /v1/x/signals/a/b, RawPath /v1/x/signals/a%2Fb
func canonicalPath(u *url.URL) {
	segments := strings.Split(strings.TrimRight(u.EscapedPath(), "/"), "/")
	decoded := make([]string, len(segments))
	for i, s := range segments {
		name, err := url.PathUnescape(s)
		if err != nil { // net/http has refused it already
			name = s
		}
		segments[i], decoded[i] = url.PathEscape(name), name
	}
	escaped := strings.Join(segments, "/")
	u.Path, u.RawPath = strings.Join(decoded, "/"), ""
	if escaped == "" {
		escaped, u.Path = "/", "/"
	}
	if escaped != u.Path {
		u.RawPath = escaped
	}
}

// plainPath reports whether canonicalPath would change nothing. It may be false for such a path,
// never true for another; it allocates nothing.
func plainPath(u *url.URL) bool {
	p := u.Path
	if u.RawPath != "" || len(p) > 1 && p[len(p)-1] == '/' {
		return false
	}
	for i := range len(p) {
		ch := p[i]
		if ok := ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' ||
			ch == '_' || ch == '-' || ch == '.' || ch == '/'; !ok {
			return false
		}
	}
	return p != ""
}

// decodeNames decodes the names of a canonical path in place, each once. False: a slash that is
// not escaped is part of one, which is more path than the route has.
func decodeNames(params echo.Context) bool {
	values := params.ParamValues()
	for i, v := range values {
		if strings.Contains(v, "/") {
			return false
		}
		if name, err := url.PathUnescape(v); err == nil {
			values[i] = name
		}
	}
	return true
}

// canonicalOf returns the path that identifies the object of a request, however it was escaped.
func canonicalOf(r *http.Request) string { return echo.GetPath(r) }

// pathName is a parameter of a route's path, and the noun for what it names.
type pathName struct{ name, noun string }

// pathNamesOf returns the parameters of the route's path that are checked before its handler is
// called. The noun is in the segment before: workflow for /workflows/{id}.
func pathNamesOf(r *Route) []pathName {
	var list []pathName
	segments := strings.Split(r.Path, "/")
	for i, s := range segments {
		if name := strings.Trim(s, "{}"); name != s && !slices.Contains(r.Unchecked, name) {
			list = append(list, pathName{name, strings.TrimSuffix(segments[i-1], "s")})
		}
	}
	return list
}

// checkNames refuses a path parameter that can name nothing: ids, slugs, version numbers and
// labels consist of the characters of ids.Valid, so that no other byte reaches a store. The error
// is that of NotFound.
func checkNames(c *Call) error {
	for _, p := range c.Route.pathNames {
		if v := c.Param(p.name); !ids.Valid(v) {
			return NotFound(p.noun, v)
		}
	}
	return nil
}

// NotFound returns the answer to a name that can name nothing: fault.NotFound with the code of
// its noun, such as workflow_not_found. v is quoted in the message, truncated.
func NotFound(noun, v string) error {
	return fault.New(fault.NotFound, noun+"_not_found", "There is no %s %q.", noun, Truncate(v))
}
