package versions

import (
	"encoding/json"
	"fmt"
	"heddle/internal/exactjson"
	"strconv"
	"strings"
	"unicode"
)

// Lengths in characters and lines beyond which Text shortens.
const (
	maxInlineLength = 60  // of both values together; longer ones get a line each
	maxLineLength   = 160 // of one value or line of text
	maxBlockLines   = 12  // lines of a text before, and after
)

// Text returns the difference for people, grouped by step: + added, - removed, ~
// anything else, with each changed field below its step. Long values are truncated,
// and of texts with several lines only the changed ones are shown. color adds a
// terminal's escape sequences. Whatever the definitions hold, nothing else in the
// result controls a terminal: characters that do not print are escaped.
func (d Diff) Text(color bool) string {
	w := textWriter{color: color}
	w.line("", d.Summary)
	for i, change := range d.Changes {
		if i == 0 {
			w.line("", "")
		}
		w.change(change)
	}
	return w.b.String()
}

// textWriter collects the lines of Diff.Text.
type textWriter struct {
	b     strings.Builder
	color bool
}

// line writes one line, in the colour of its marker ("": none). The text is
// escaped already.
func (w *textWriter) line(marker, text string) {
	// ANSI escape sequences: green, red and yellow.
	colour := map[string]string{"+": "\x1b[32m", "-": "\x1b[31m", "~": "\x1b[33m"}[marker]
	if !w.color || colour == "" {
		w.b.WriteString(text + "\n")
		return
	}
	w.b.WriteString(colour + text + "\x1b[0m\n")
}

// change writes one change with its fields.
func (w *textWriter) change(c Change) {
	marker := markerOf(c.Change)
	title := "settings"
	if c.StepID != nil {
		title = escapeUnprintable(*c.StepID)
	}
	if c.kind != "" {
		title += " (" + escapeUnprintable(c.kind) + ")"
	}
	switch c.Change {
	case Renamed:
		title += " renamed from " + escapeUnprintable(c.PreviousID)
	case Moved:
		title += " moved"
	}
	w.line(marker, marker+" "+title)
	for _, f := range c.Fields {
		w.field(f)
	}
}

// markerOf returns the character that stands before a change.
func markerOf(change string) string {
	switch change {
	case Added:
		return "+"
	case Removed:
		return "-"
	}
	return "~"
}

// field writes one changed field: on one line where both values are short, otherwise
// each on its own, and texts of several lines as blocks.
func (w *textWriter) field(f Field) {
	name := escapeUnprintable(dottedPath(f.Path))
	before, after := truncate(escapeUnprintable(string(f.Before))), truncate(escapeUnprintable(string(f.After)))
	x, y, multiline := changedLines(f.Before, f.After)
	switch {
	case f.Before == nil:
		w.line("+", "    + "+name+": "+after)
	case f.After == nil:
		w.line("-", "    - "+name+": "+before)
	case multiline:
		w.line("~", "    ~ "+name)
		w.block("-", x)
		w.block("+", y)
	// Characters, not bytes: this is about the width of a line.
	case len([]rune(before))+len([]rune(after)) > maxInlineLength:
		w.line("~", "    ~ "+name)
		w.line("-", "        - "+before)
		w.line("+", "        + "+after)
	default:
		w.line("~", "    ~ "+name+": "+before+" → "+after)
	}
}

// block writes the changed lines of one side, at most maxBlockLines of them.
func (w *textWriter) block(marker string, lines []string) {
	for i, line := range lines {
		if i == maxBlockLines {
			w.line(marker, fmt.Sprintf("        %s … %d more lines", marker, len(lines)-i))
			return
		}
		w.line(marker, "        "+marker+" "+truncate(escapeUnprintable(line)))
	}
}

// changedLines returns the lines of two texts without the ones that both begin
// and end with; false where one is not a text, or neither has several lines.
func changedLines(before, after json.RawMessage) (x, y []string, ok bool) {
	var a, b string
	if json.Unmarshal(before, &a) != nil || json.Unmarshal(after, &b) != nil || !strings.Contains(a+b, "\n") {
		return nil, nil, false
	}
	x, y = strings.Split(a, "\n"), strings.Split(b, "\n")
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return x, y, true
}

// dottedPath returns a JSON pointer in the form that people write:
// /config/cases/1/when is config.cases[1].when.
func dottedPath(pointer string) string {
	if !strings.HasPrefix(pointer, "/") {
		if pointer == "" {
			return "(document)"
		}
		return pointer
	}
	var b strings.Builder
	for i, token := range strings.Split(pointer[1:], "/") {
		token = exactjson.UnescapeToken(token)
		// Whether it indexes a list or names a member cannot be told from the
		// pointer.
		_, notNumber := strconv.ParseUint(token, 10, 32)
		switch {
		case notNumber == nil:
			b.WriteString("[" + token + "]")
		case token == "" || strings.ContainsAny(token, ". []\"/"):
			b.WriteString("[" + strconv.Quote(token) + "]")
		case i > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return b.String()
}

// escapeUnprintable escapes the characters that do not print, so that no text can
// move the cursor, hide itself or change its direction.
func escapeUnprintable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		// Escape sequences, line ends and marks that change the direction of
		// text do not print.
		case r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// truncate shortens a text to maxLineLength characters, the last of which then
// is an ellipsis.
func truncate(s string) string {
	runes := []rune(s)
	if len(runes) <= maxLineLength {
		return s
	}
	return string(runes[:maxLineLength-1]) + "…"
}
