package main

import (
	"context"
	"fmt"
	"heddle/internal/elements"
	"io"
	"log"
	"log/slog"
	"regexp"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// maxLogged is the most bytes of one value that are printed; maxStack is that of
// the value named stack.
const (
	maxLogged = 4 << 10
	maxStack  = 64 << 10
)

// newLog returns the process's log in the format and at the level that the settings
// name. Once scrubLog has been called, it prints no secret that the process knows.
func newLog(w io.Writer, s settings) *slog.Logger {
	opts := &slog.HandlerOptions{Level: s.LogLevel}
	p := &logHandler{inner: slog.Handler(slog.NewTextHandler(w, opts)), scrubber: new(atomic.Pointer[func(string) string])}
	if s.LogFormat == "json" {
		p.inner = slog.NewJSONHandler(w, opts)
	}
	return slog.New(p)
}

// logHandler is a slog.Handler that bounds every text and removes secrets from it before
// the inner handler formats it. It is safe for concurrent use.
//
// Cleaning happens before formatting, because a formatter escapes: a secret with a quote
// in it would no longer be recognized in its output.
type logHandler struct {
	inner    slog.Handler
	scrubber *atomic.Pointer[func(string) string] // shared with the loggers made of this one
}

// scrubLog makes a logger of newLog, and all loggers derived from it, remove
// secrets from what they print. Loggers of other handlers are left as they are.
func scrubLog(l *slog.Logger, scrub func(string) string) {
	if p, ok := l.Handler().(*logHandler); ok {
		p.scrubber.Store(&scrub)
	}
}

// Enabled reports whether the inner handler prints records of the level, so that no text
// is cleaned in vain.
func (p *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return p.inner.Enabled(ctx, level)
}

// Handle prints one record, cleaned.
func (p *logHandler) Handle(ctx context.Context, r slog.Record) error {
	// A new record, because a handler must not change the attributes of r.
	clean := slog.NewRecord(r.Time, r.Level, p.text(r.Message, maxLogged), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(p.attr(a))
		return true
	})
	return p.inner.Handle(ctx, clean)
}

// WithAttrs returns a handler that adds the attributes. They are cleaned here, once, and
// not again for each record: a secret that becomes known later stays in them.
func (p *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := elements.Map(attrs, p.attr)
	return &logHandler{p.inner.WithAttrs(clean), p.scrubber}
}

// WithGroup returns a handler that puts later attributes into the group.
func (p *logHandler) WithGroup(name string) slog.Handler {
	return &logHandler{p.inner.WithGroup(name), p.scrubber}
}

// attr returns the attribute with every text in it cleaned, including those of groups
// and of values that are formatted by fmt. Numbers, times and truth values are returned
// as they are.
func (p *logHandler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	// A stack is cut later than other texts: its end names the goroutine's start.
	most := maxLogged
	if a.Key == "stack" {
		most = maxStack
	}
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, p.text(v.String(), most))
	case slog.KindGroup:
		list := make([]slog.Attr, 0, len(v.Group()))
		for _, inner := range v.Group() {
			list = append(list, p.attr(inner))
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(list...)}
	case slog.KindAny:
		// fmt would print bytes as a list of numbers, in which no secret would be found.
		if b, ok := v.Any().([]byte); ok {
			return slog.String(a.Key, p.text(string(b), most))
		}
		// An error, a list, a panic's value: its text may hold anything.
		return slog.String(a.Key, p.text(fmt.Sprint(v.Any()), most))
	}
	return a
}

// text removes the secrets and then cuts what remains to most bytes, in this order, so
// that no secret is cut in two and missed.
func (p *logHandler) text(s string, most int) string {
	if scrub := p.scrubber.Load(); scrub != nil {
		s = (*scrub)(s)
	}
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// captureLog sends what libraries print with Go's own logger, and what is logged to
// slog's default, through the process's log. It changes state of the process, so only
// serve calls it.
func captureLog(l *slog.Logger) {
	slog.SetDefault(l)
	log.SetFlags(0) // the process's log adds the time itself
	log.SetOutput(foreign{l})
}

// foreign is an io.Writer that takes the lines of Go's own logger and logs them.
type foreign struct{ log *slog.Logger }

// quotation matches the bytes of another server that a line of net/http quotes.
// None of it is printed, as it may be a secret in a form that scrubbing does not
// recognize.
var quotation = regexp.MustCompile(`(?s)starting with ".*"`)

// Write logs one line as a warning. It never fails.
func (f foreign) Write(line []byte) (int, error) {
	text := quotation.ReplaceAllString(strings.TrimSpace(string(line)), "(its bytes are left out)")
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	f.log.Warn("a library reports", "text", text)
	return len(line), nil
}
