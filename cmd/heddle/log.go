package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"regexp"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// maxLogged is how many bytes of one value are printed; a stack has more.
const (
	maxLogged = 4 << 10
	maxStack  = 64 << 10
)

// newLog makes the process's log: one format, and no secret that the process
// knows (see logHandler.scrub).
func newLog(w io.Writer, s settings) *slog.Logger {
	opts := &slog.HandlerOptions{Level: s.LogLevel}
	p := &logHandler{inner: slog.Handler(slog.NewTextHandler(w, opts)), scrubber: new(atomic.Pointer[func(string) string])}
	if s.LogFormat == "json" {
		p.inner = slog.NewJSONHandler(w, opts)
	}
	return slog.New(p)
}

// logHandler is the one handler of what the process prints. Texts are bounded and
// without the secrets that scrubber takes out of them.
type logHandler struct {
	inner    slog.Handler
	scrubber *atomic.Pointer[func(string) string] // shared with the loggers made of this one
}

// scrubLog makes a logger of newLog take secrets out of what it prints.
func scrubLog(l *slog.Logger, scrub func(string) string) {
	if p, ok := l.Handler().(*logHandler); ok {
		p.scrubber.Store(&scrub)
	}
}

// Enabled is that of the format.
func (p *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return p.inner.Enabled(ctx, level)
}

// Handle prints one record.
func (p *logHandler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, p.text(r.Message, maxLogged), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(p.attr(a))
		return true
	})
	return p.inner.Handle(ctx, clean)
}

// WithAttrs is that of the format.
func (p *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = p.attr(a)
	}
	return &logHandler{p.inner.WithAttrs(clean), p.scrubber}
}

// WithGroup is that of the format.
func (p *logHandler) WithGroup(name string) slog.Handler {
	return &logHandler{p.inner.WithGroup(name), p.scrubber}
}

func (p *logHandler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
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
		if b, ok := v.Any().([]byte); ok {
			return slog.String(a.Key, p.text(string(b), most))
		}
		// An error, a list, a panic's value: its text may hold anything.
		return slog.String(a.Key, p.text(fmt.Sprint(v.Any()), most))
	}
	return a
}

// text takes the secrets out and then bounds what is left, so that none is cut
// in two.
func (p *logHandler) text(s string, most int) string {
	if scrub := p.scrubber.Load(); scrub != nil {
		s = (*scrub)(s)
	}
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// captureLog sends what libraries print by Go's own logger, and what is logged
// to slog's default, through the process's log.
func captureLog(l *slog.Logger) {
	slog.SetDefault(l)
	log.SetFlags(0)
	log.SetOutput(foreign{l})
}

// foreign takes the lines of Go's own logger.
type foreign struct{ log *slog.Logger }

// quotation is what a line of net/http quotes of bytes that a server sent: none
// of it is printed, as any of it may be a secret in a form that nobody knows.
var quotation = regexp.MustCompile(`(?s)starting with ".*"`)

// Write logs one line.
func (f foreign) Write(line []byte) (int, error) {
	text := quotation.ReplaceAllString(strings.TrimSpace(string(line)), "(its bytes are left out)")
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	f.log.Warn("a library reports", "text", text)
	return len(line), nil
}
