package core

import (
	"fmt"
	"heddle/fault"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Rate limits each key at this process: a bucket of Burst requests that is refilled with Requests
// in each Per. The zero value: no limit. With several nodes a key has a bucket at each.
type Rate struct {
	Requests int
	Per      time.Duration
	Burst    int // 0: Requests
}

// burst returns the size of the bucket.
func (r Rate) burst() int {
	if r.Burst > 0 {
		return r.Burst
	}
	return r.Requests
}

// every returns how long one request takes to come back. Requests is not 0.
func (r Rate) every() time.Duration { return r.Per / time.Duration(r.Requests) }

// maxBuckets bounds the keys whose buckets are remembered, and so the memory.
const maxBuckets = 100_000

// buckets holds what keys have left: for each the time at which its bucket is full again, which
// is all that a bucket needs. A key that is not there has a full bucket. It is safe for
// concurrent use; mu guards full.
type buckets struct {
	rate Rate
	mu   sync.Mutex
	full map[string]time.Time
}

// newBuckets returns nil where the rate is no limit.
func newBuckets(r Rate) *buckets {
	if r.Requests <= 0 || r.Per <= 0 {
		return nil
	}
	return &buckets{rate: r, full: map[string]time.Time{}}
}

// allowance is what a key has after a request.
type allowance struct {
	remaining  int           // further requests at once
	untilFull  time.Duration // until the bucket is full
	retryAfter time.Duration // until the next request is taken; 0: this one was
}

// take takes one request from the bucket of a key, or leaves the bucket as it is when it is
// empty. A refused request costs nothing, so that a client which tries too often is admitted as
// early as one which waits.
func (b *buckets) take(key string, now time.Time) allowance {
	b.mu.Lock()
	defer b.mu.Unlock()
	every, whole := b.rate.every(), b.rate.every()*time.Duration(b.rate.burst())
	full, known := b.full[key]
	if !known && len(b.full) >= maxBuckets {
		b.forgetFull(now)
	}
	// A full bucket gains nothing by waiting.
	if full.Before(now) {
		full = now
	}
	// Each request moves the time at which the bucket is full by the time that one takes to come
	// back; it must not lie further away than the whole bucket takes.
	if after := full.Add(every); after.Sub(now) <= whole {
		b.full[key] = after
		return allowance{remaining: int((whole - after.Sub(now)) / every), untilFull: after.Sub(now)}
	}
	return allowance{untilFull: full.Sub(now), retryAfter: full.Add(every).Sub(now) - whole}
}

// giveBack returns one request to the bucket of a key, as if it had not been taken.
func (b *buckets) giveBack(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if full, known := b.full[key]; known {
		b.full[key] = full.Add(-b.rate.every())
	}
}

// forgetFull drops the buckets that are full, which changes nothing for their keys, and all of
// them where none is: rather a few requests too many than memory without bound. mu is held.
// O(maxBuckets).
func (b *buckets) forgetFull(now time.Time) {
	for key, full := range b.full {
		if !full.After(now) {
			delete(b.full, key)
		}
	}
	if len(b.full) >= maxBuckets {
		clear(b.full)
	}
}

// rateLimit takes one request of the caller's and says what is left in the fields of
// draft-ietf-httpapi-ratelimit-headers: RateLimit-Policy and RateLimit. The error is
// fault.TooMany rate_limited; Retry-After is then the time until the next request is admitted.
func (h *Server) rateLimit(c *Call) error {
	if h.buckets == nil {
		return nil
	}
	// The key or the user and not the tenant: one busy client does not stop the others. A
	// session counts as its key.
	a, head := h.buckets.take(c.Principal.Actor.ID, h.cfg.Now()), c.Writer.Header()
	head["RateLimit-Policy"] = h.policy
	head["RateLimit"] = []string{`"key";r=` + strconv.Itoa(a.remaining) + ";t=" + strconv.Itoa(wholeSeconds(a.untilFull))}
	if a.retryAfter == 0 {
		return nil
	}
	c.retryAfter = wholeSeconds(a.retryAfter)
	return fault.New(fault.TooMany, "rate_limited", "This key has asked more than %d times within %s; wait %d s.",
		h.cfg.Rate.burst(), h.cfg.Rate.every()*time.Duration(h.cfg.Rate.burst()), c.retryAfter)
}

// policyOf returns the policy in the words of the draft: q requests in w seconds.
func policyOf(r Rate) []string {
	return []string{`"key";q=` + strconv.Itoa(r.burst()) + ";w=" + strconv.Itoa(wholeSeconds(r.every()*time.Duration(r.burst())))}
}

// wholeSeconds rounds up to seconds, to at least 1.
func wholeSeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }

// addQuotaHeaders adds the quota that refused a request, named by the details of f, to the fields
// of the rate. The slices of the head are shared among answers and are copied, not appended to.
func addQuotaHeaders(head http.Header, f *fault.Error) {
	name, named := f.Details["quota"].(string)
	if !named {
		return
	}
	if name == "stored_bytes" {
		head.Set("Retry-After", strconv.Itoa(storedRetry))
	}
	head["RateLimit-Policy"] = append(slices.Clone(head["RateLimit-Policy"]), fmt.Sprintf("%q;q=%d", name, f.Details["limit"]))
	head["RateLimit"] = append(slices.Clone(head["RateLimit"]), strconv.Quote(name)+";r=0")
}
