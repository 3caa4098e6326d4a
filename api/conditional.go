package api

import (
	"heddle/definitions"
	"net/http"
	"strconv"
	"strings"
)

// etag is the revision of a changeable thing as a strong validator: "r12".
func etag(revision int64) string { return `"r` + strconv.FormatInt(revision, 10) + `"` }

// setETag sets the ETag and tells whether the caller has this revision already:
// then only a 304 is due.
func (c *call) setETag(revision int64) (fresh bool) {
	tag := etag(revision)
	c.w.Header().Set("ETag", tag)
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		return false
	}
	for _, have := range splitTags(c.r.Header.Values("If-None-Match")) {
		if have == "*" || strings.TrimPrefix(have, "W/") == tag {
			return true
		}
	}
	return false
}

// ifMatch reads If-Match: nil when absent or "*", else the revisions that the
// write accepts. A weak or foreign tag matches nothing; what is no tag at all
// is refused.
func (c *call) ifMatch() (definitions.IfMatch, error) {
	list := splitTags(c.r.Header.Values("If-Match"))
	if len(list) == 0 {
		return nil, nil
	}
	match := definitions.IfMatch{}
	for _, tag := range list {
		if tag == "*" {
			return nil, nil
		}
		inner, quoted := strings.CutPrefix(strings.TrimPrefix(tag, "W/"), `"`)
		inner, closed := strings.CutSuffix(inner, `"`)
		if !quoted || !closed {
			return nil, malformed("If-Match must be an ETag that this API gave, such as \"r12\" with its quotes.")
		}
		revision, isOurs := strings.CutPrefix(inner, "r")
		n, err := strconv.ParseInt(revision, 10, 64)
		if isOurs && err == nil && etag(n) == tag {
			match = append(match, n)
		}
	}
	return match, nil
}

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
