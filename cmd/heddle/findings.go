package main

import (
	"bytes"
	"fmt"
	"heddle/fault"
	"strings"
	"unicode"
)

// How many characters of a source line are shown, and how many of them at most before
// the mark. Definitions in JSON are often one long line.
const (
	shownOfLine     = 100
	shownBeforeMark = 60
)

// report formats the diagnostics for people, in the form that compilers use and editors
// understand, with the line of the file and a mark under the column:
//
//	flow.yaml:7:18: error: there is no step fetsch [unknown_step]
//	    7 |     depends_on: [fetsch]
//	      |                  ^
//	    did you mean "fetch"?
//
// A file without errors has a last line that says so.
func (c checked) report(color bool) string {
	var b strings.Builder
	lines := bytes.Split(c.text, []byte("\n"))
	for _, d := range c.Diagnostics {
		place := c.File
		if d.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d", c.File, d.Line, max(d.Column, 1))
		}
		fmt.Fprintf(&b, "%s: %s: %s [%s]\n", place, painted(d.Severity, severityColour(d), color), visible(d.Message), d.Code)
		// A finding about the whole file has line 0.
		if d.Line > 0 && d.Line <= len(lines) {
			b.WriteString(excerpt(string(lines[d.Line-1]), d, color))
		}
		if d.Suggestion != "" {
			fmt.Fprintf(&b, "    did you mean %q?\n", d.Suggestion)
		}
	}
	if c.Valid {
		fmt.Fprintf(&b, "%s: valid\n", c.File)
	}
	return b.String()
}

// excerpt returns the diagnostic's line of the source and below it a mark under its
// column. Of a long line it shows the part around the column.
func excerpt(line string, d fault.Issue, color bool) string {
	shown := []rune(visible(strings.TrimRight(line, "\r")))
	// Columns count characters from 1; the end of the line is a column too.
	at := min(max(d.Column, 1)-1, len(shown))
	if len(shown) > shownOfLine {
		from := max(min(at-shownBeforeMark, len(shown)-shownOfLine), 0)
		to := min(from+shownOfLine, len(shown))
		shown = shown[from:to]
		at -= from
	}
	// Both lines have a margin of the same width, or the mark would not be under its
	// column.
	number := fmt.Sprintf("%5d", d.Line)
	return fmt.Sprintf("%s | %s\n%s | %s%s\n", number, string(shown), strings.Repeat(" ", len(number)),
		strings.Repeat(" ", at), painted("^", severityColour(d), color))
}

// visible replaces each character that could move the mark or control a terminal
// by one that cannot, so that columns stay.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// severityColour returns the terminal's escape sequence for the severity.
func severityColour(d fault.Issue) string {
	if d.Severity == "error" {
		return "\x1b[1;31m"
	}
	return "\x1b[1;33m"
}

// painted wraps the text in a colour if color is set.
func painted(text, colour string, color bool) string {
	if !color {
		return text
	}
	return colour + text + "\x1b[0m"
}
