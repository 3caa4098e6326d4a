package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// What is kept of one attempt, and of one line. rawLine is how much of a line is looked at,
// in bytes: more than is kept, so that the secrets in it are found whole.
const (
	maxLogLines = 10_000  // per attempt
	maxLogBytes = 1 << 20 // per attempt, of texts and data
	maxLogLine  = 8 << 10 // bytes of a message
	rawLine     = 64 << 10
)

// stepLog gathers the log lines of one attempt until the logbook takes them. Its callers
// only append to memory. It is safe for concurrent use; held belongs to the logbook's
// goroutine.
type stepLog struct {
	book     *logbook
	tenantID string
	// proto has the fields that all lines share: run, step, iteration, attempt.
	proto Log // without an id, a text and a time

	begun sync.Once
	first *redaction // the secrets when the attempt first spoke; nil: none

	// mu guards the fields below, up to marked, and the streams. logbook.mu may be taken
	// while it is held.
	mu      sync.Mutex
	streams []*logStream // all that Stream returned
	entries []logEntry   // lines that the logbook has not taken
	// lines and bytes count what was kept; the limits are maxLogLines and
	// maxLogBytes.
	lines int
	bytes int
	// dropped counts the lines beyond those limits.
	dropped int
	// ended: close was called. What comes later is dropped.
	ended  bool
	marked bool // the logbook knows that there is something to take

	held []logEntry // by the logbook alone: what may be the beginning of a secret
}

// logEntry is one line as the step wrote it.
type logEntry struct {
	stream   *logStream // nil: a whole line of its own
	level    string
	category string
	text     []byte
	over     bool // text is the line's beginning only
	data     json.RawMessage
	at       time.Time
}

// logStream makes lines of what is written to it.
type logStream struct {
	log             *stepLog
	level, category string
	partial         []byte // the line so far, rawLine bytes at most
	open            bool   // there is something since the last line break
	over            bool   // the rest of the line is not looked at
}

// begin notes the secrets of the attempt's beginning, once: one that is changed meanwhile
// may still be written. It reads the store, before mu is taken. Where that fails only the
// secrets of later moments are taken out.
func (l *stepLog) begin() {
	l.begun.Do(func() {
		if first, err := l.book.secret(context.Background(), l.tenantID); err == nil {
			l.first = first
		}
	})
}

// Line keeps one line; see Logs.
func (l *stepLog) Line(level, category, message string, data json.RawMessage) {
	l.begin()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(logEntry{level: level, category: category, text: []byte(message), data: data})
}

// Stream returns a writer whose lines are kept; see Logs.
func (l *stepLog) Stream(level, category string) io.Writer {
	l.begin()
	s := &logStream{log: l, level: level, category: category}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams = append(l.streams, s)
	return s
}

// Write makes lines of b, which may end in the middle of one. It never fails and never
// waits for the store. After the log was closed it has no effect.
func (s *logStream) Write(b []byte) (int, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	n := len(b)
	for len(b) > 0 {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		s.take(line)
		if whole {
			s.end()
		}
		b = rest
	}
	return n, nil
}

// take adds a part of the present line. More than rawLine of it is dropped. The
// log's mu is held.
func (s *logStream) take(part []byte) {
	s.open = s.open || len(part) > 0
	if room := rawLine - len(s.partial); len(part) > room {
		part, s.over = part[:room], true
	}
	if !s.log.full() {
		s.partial = append(s.partial, part...)
	}
}

// end makes a line of what was taken, without a carriage return at its end. The log's mu is
// held.
func (s *logStream) end() {
	text := bytes.TrimSuffix(s.partial, []byte("\r"))
	s.log.keep(logEntry{stream: s, level: s.level, category: s.category, text: text, over: s.over})
	s.partial, s.open, s.over = nil, false, false
}

// full reports whether further lines are only counted. mu is held.
func (l *stepLog) full() bool { return l.lines >= maxLogLines || l.bytes >= maxLogBytes }

// keep adds a line, or counts it only where the log is full. mu is held.
func (l *stepLog) keep(line logEntry) {
	if l.ended {
		return
	}
	l.mark()
	if l.full() {
		l.dropped++
		return
	}
	line.at = l.book.now()
	l.lines++
	l.bytes += len(line.text) + len(line.data)
	l.entries = append(l.entries, line)
}

// mark tells the logbook once that there are lines to take. mu is held.
func (l *stepLog) mark() {
	if !l.marked {
		l.marked = true
		l.book.mark(l)
	}
}

// close ends the log: what has no line break yet is a line, and a last one says
// how many were dropped.
func (l *stepLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.streams {
		if s.open {
			s.end()
		}
	}
	if l.lines == 0 {
		l.ended = true
		return
	}
	if l.dropped > 0 {
		l.entries = append(l.entries, logEntry{
			level: LogWarn, category: "heddle", at: l.book.now(),
			text: fmt.Appendf(nil, "… %d lines dropped", l.dropped),
			data: fmt.Appendf(nil, `{"dropped":%d}`, l.dropped),
		})
	}
	l.ended = true
	l.mark()
}

// requeue marks a log that could not be drained, unless it has ended: then its
// lines are lost.
func (l *stepLog) requeue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marked = false
	if !l.ended {
		l.mark()
	}
}

// drain takes what may be kept by now, cleaned, in order. Lines with which a secret may
// begin stay in held until the next ones, or the end of the log, decide. now is the
// redaction of this moment; together with that of the attempt's beginning it is applied to
// every line. Only the logbook's goroutine calls it.
func (l *stepLog) drain(now *redaction) []Log {
	l.mu.Lock()
	lines, ended := append(l.held, l.entries...), l.ended
	l.entries, l.held, l.marked = nil, nil, false
	l.mu.Unlock()

	by := []*redaction{l.first, now}
	settled := make(map[*logStream]int)
	cleaned := make(map[*logStream][]string)
	for _, line := range lines {
		if s := line.stream; s != nil && cleaned[s] == nil {
			settled[s], cleaned[s] = clean(by, linesOf(lines, s), ended)
		}
	}
	var out []Log
	next := make(map[*logStream]int)
	for _, line := range lines {
		s := line.stream
		if s == nil {
			_, text := clean(by, [][]byte{line.text}, true)
			out = append(out, l.log(line, strings.Join(text, "\n")))
			continue
		}
		i := next[s]
		next[s]++
		switch {
		case i >= settled[s]:
			l.held = append(l.held, line)
		case i < len(cleaned[s]):
			out = append(out, l.log(line, cleaned[s][i]))
		}
	}
	for i := range out {
		out[i].Data = redactAll(by, out[i].Data)
	}
	return out
}

// linesOf returns the texts of one stream's lines, in order.
func linesOf(lines []logEntry, s *logStream) [][]byte {
	var texts [][]byte
	for _, line := range lines {
		if line.stream == s {
			texts = append(texts, line.text)
		}
	}
	return texts
}

// log returns a line as it is stored, with its redacted text. The id is still missing.
func (l *stepLog) log(line logEntry, text string) Log {
	out := l.proto
	out.Level, out.Category, out.At = line.level, line.category, line.at
	out.Message, out.Data = cutLine(text, line.over), line.data
	return out
}

// cutLine shortens a line, after its secrets were taken out. Of a line that was
// not looked at whole and still became short, what follows the last secret is
// dropped: it may end with the beginning of another.
func cutLine(text string, over bool) string {
	switch {
	case len(text) > maxLogLine:
		return strings.ToValidUTF8(text[:maxLogLine], "") + "…"
	case over:
		return text[:strings.LastIndex(text, "***")+len("***")] + "…"
	default:
		return text
	}
}

// clean takes the secrets out of lines of one stream, also such as go over
// several of them, which then become fewer. settled is how many of the lines
// that is: behind them the beginning of a secret may stand. In the last lines
// of all nothing is held back.
func clean(by []*redaction, lines [][]byte, last bool) (settled int, cleaned []string) {
	text := printable(bytes.Join(lines, []byte("\n")))
	settled = len(lines)
	if !last {
		text = append(text, '\n')
		end := len(text)
		for _, r := range by {
			end = min(end, r.unfinished(text))
		}
		text = text[:bytes.LastIndexByte(text[:end], '\n')+1]
		settled = bytes.Count(text, []byte("\n"))
		text = bytes.TrimSuffix(text, []byte("\n"))
	}
	if settled == 0 {
		return 0, []string{}
	}
	return settled, strings.Split(redactText(by, string(text)), "\n")
}

// printable makes UTF-8 without NUL of a text.
func printable(text []byte) []byte {
	return bytes.ToValidUTF8(bytes.ReplaceAll(text, []byte{0}, nil), []byte("\uFFFD"))
}
