package core

import (
	"heddle/definitions/workflows"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ETag returns the revision of a changeable thing as a strong validator (RFC 9110, section
// 8.8.3): "r12", with its quotes.
func ETag(revision int64) string { return `"r` + strconv.FormatInt(revision, 10) + `"` }

// SetETag sets the ETag and reports whether the caller has this revision already, so that the
// answer is 304 without a body. Only a GET or HEAD with If-None-Match is ever fresh.
func (c *Call) SetETag(revision int64) (fresh bool) {
	tag := ETag(revision)
	c.Writer.Header().Set("ETag", tag)
	if c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead {
		return false
	}
	for _, have := range splitTags(c.Request.Header.Values("If-None-Match")) {
		if have == "*" || strings.TrimPrefix(have, "W/") == tag {
			return true
		}
	}
	return false
}

// readIfMatch returns the revisions that a write accepts by If-Match: nil, which accepts all, when
// it is absent or "*". A weak or foreign tag matches nothing, so that a list of them is empty and
// refuses every revision; what is not a tag at all is fault.Malformed invalid_request.
func readIfMatch(header http.Header) (workflows.IfMatch, error) {
	list := splitTags(header.Values("If-Match"))
	if len(list) == 0 {
		return nil, nil
	}
	match := workflows.IfMatch{}
	for _, tag := range list {
		if tag == "*" {
			return nil, nil
		}
		inner, quoted := strings.CutPrefix(strings.TrimPrefix(tag, "W/"), `"`)
		inner, closed := strings.CutSuffix(inner, `"`)
		if !quoted || !closed {
			return nil, Malformed("If-Match must be an ETag that this API returned, such as \"r12\" with its quotes.")
		}
		revision, isOurs := strings.CutPrefix(inner, "r")
		n, err := strconv.ParseInt(revision, 10, 64)
		if isOurs && err == nil && ETag(n) == tag {
			match = append(match, n)
		}
	}
	return match, nil
}

// Matches reports whether If-Match holds for a thing that never changes and has that ETag: it is
// absent, is "*", or lists the ETag as a strong one.
func (c *Call) Matches(tag string) bool {
	list := splitTags(c.Request.Header.Values("If-Match"))
	return len(list) == 0 || slices.Contains(list, "*") || slices.Contains(list, tag)
}

// splitTags returns the tags of a header that may be given several times, each with its quotes.
// Tags of this API contain no comma.
func splitTags(values []string) []string {
	var list []string
	for _, v := range values {
		for tag := range strings.SplitSeq(v, ",") {
			if tag = strings.TrimSpace(tag); tag != "" {
				list = append(list, tag)
			}
		}
	}
	return list
}
