package machine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"heddle/definitions"
	"math"
	"strconv"
	"time"
)

// retryPolicy is a step's retry with the defaults filled in. The names are those of the
// definition: max_attempts, delay_seconds, backoff, max_delay_seconds, jitter, on and
// except. It never changes once it is compiled. nil is a single attempt.
type retryPolicy struct {
	maxAttempts int // the first included
	backoff     definitions.Backoff
	jitter      bool
	on          []definitions.FailurePattern // nil: the transient failures
	except      []definitions.FailurePattern
}

// maxRetryAfter bounds the delay that a receiver may ask for (Retry-After, RFC 9110).
const maxRetryAfter = time.Hour

// retryPolicyOf returns the policy of a step whose type has the default byType (nil:
// none); nil means a single attempt. What the step's own retry leaves out comes
// from byType, and what that leaves out from the general defaults.
func retryPolicyOf(s *definitions.Step, byType *definitions.Retry) *retryPolicy {
	if s.Retry == nil && byType == nil && s.OnError != "retry" {
		return nil
	}
	p := &retryPolicy{maxAttempts: 3, backoff: definitions.Backoff{Growth: definitions.Exponential, Delay: time.Second, MaxDelay: definitions.DefaultMaxDelaySeconds * time.Second}}
	p.set(byType)
	p.set(s.Retry)
	return p
}

// set replaces what r specifies; a nil r specifies nothing. Jitter can only be switched on.
func (p *retryPolicy) set(r *definitions.Retry) {
	if r == nil {
		return
	}
	if r.MaxAttempts > 0 {
		p.maxAttempts = r.MaxAttempts
	}
	if r.DelaySeconds != nil {
		p.backoff.Delay = secondsToDuration(*r.DelaySeconds)
	}
	if r.Backoff != "" {
		p.backoff.Growth = r.Backoff
	}
	if r.MaxDelaySeconds != nil {
		p.backoff.MaxDelay = secondsToDuration(*r.MaxDelaySeconds)
	}
	p.jitter = p.jitter || r.Jitter
	if on := definitions.FailurePatterns(r.On); on != nil {
		p.on = on
	}
	if except := definitions.FailurePatterns(r.Except); except != nil {
		p.except = except
	}
}

// retries reports whether another attempt follows a failure, after before failed attempts
// that count. A nil policy is a single attempt. except wins over on; without on, every
// failure that is not permanent is retried. A permanent failure with a code that no attempt
// can change is never retried.
func (p *retryPolicy) retries(f *Failure, before int) bool {
	if p == nil || before+1 >= p.maxAttempts || f.Permanent && definitions.FinalFailure(f.Code) || matches(p.except, f.Error) {
		return false
	}
	if p.on == nil {
		return !f.Permanent
	}
	return matches(p.on, f.Error)
}

// matches reports whether one of the patterns names the error, by its code, status or exit
// code. A loop's error is named by what failed its iteration, too.
func matches(patterns []definitions.FailurePattern, e Error) bool {
	if len(patterns) == 0 {
		return false
	}
	status, hasStatus := wholeNumber(e.Details["status_code"])
	exit, hasExit := wholeNumber(e.Details["exit_code"])
	cause := ""
	if e.Code == codeIterationFailed {
		cause, _ = e.Details["code"].(string)
	}
	for _, p := range patterns {
		switch {
		case p.Status > 0 && hasStatus && p.Status == status,
			p.StatusClass > 0 && hasStatus && p.StatusClass == status/100,
			p.ExitCode != nil && hasExit && *p.ExitCode == exit,
			p.Code != "" && (p.Code == e.Code || p.Code == cause):
			return true
		}
	}
	return false
}

// wholeNumber reads a whole number of an error's details, which come from a step or, as
// json.Number, from the journal; false for any other value.
func wholeNumber(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), v == math.Trunc(v)
	case json.Number:
		n, err := strconv.Atoi(v.String())
		return n, err == nil
	}
	return 0, false
}

// delayAfter returns the delay after the n-th failed attempt, n from 1, which is that of the
// policy's backoff. With jitter it is drawn from [0, that): fraction, in [0, 1), stands for
// the draw. retryAfter, what the receiver asked for, is a lower bound up to an hour.
func (p *retryPolicy) delayAfter(n int, fraction float64, retryAfter time.Duration) time.Duration {
	delay := p.backoff.After(n)
	if p.jitter {
		delay = time.Duration(float64(delay) * fraction)
	}
	return max(delay, min(retryAfter, maxRetryAfter))
}

// digest hashes what identifies a position, for keys, request ids and jitter:
// deterministic, so that a replay comes to the same. The parts are prefixed by their
// lengths, so that no two lists of parts collide. Keys outlive the process, so it must not
// change.
func digest(parts ...string) [sha256.Size]byte {
	var buf []byte
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	return sha256.Sum256(buf)
}

// fraction returns a number in [0, 1) for one attempt at one position: evenly distributed
// over positions, and the same at each replay.
func (r *Run) fraction(p position, attempt int) float64 {
	sum := digest("jitter", r.RunID, r.node(p).step.ID, p.path(), strconv.Itoa(attempt))
	// 53 bits are what a float64 holds exactly.
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// effectKey returns the idempotency key of a step's effect, 32 hex digits: equal for all
// attempts of (run, step, iteration, generation). role sets those of probes and
// compensations apart from the step's own. A receiver that knows the key has seen the
// effect: a retry and a repetition after a crash have the key of the first attempt, a rerun
// of what had ended, by a resume or a redrive, has another.
func (r *Run) effectKey(p position, role string) string {
	sum := digest("effect", r.RunID, r.node(p).step.ID, p.path(), strconv.Itoa(r.generation(p)), role)
	return hex.EncodeToString(sum[:16])
}

// keyFirstUsedAt returns when a step that starts now begins to use its effectKey, in
// milliseconds. A loop that is tried again makes its iterations anew under their old keys,
// so of what is inside one with a retry it is the loop's own first attempt, of the
// outermost such loop.
func (r *Run) keyFirstUsedAt(p position) int64 {
	at := r.updatedAt
	for f := p.frame; f != nil; f = f.parent {
		// A loop without a retry makes its iterations once, so their steps' own starts
		// count.
		if home := f.loopPosition(); r.node(home).retry != nil {
			at = r.stepAt(home).keyFirstUsedAt
		}
	}
	return at
}

// requestID returns the id of the input request of one attempt of a signal wait: apr_ and
// 24 hex digits.
func (r *Run) requestID(p position, attempt int) string {
	sum := digest("request", r.RunID, r.node(p).step.ID, p.path(), strconv.Itoa(attempt))
	return "apr_" + hex.EncodeToString(sum[:12])
}
