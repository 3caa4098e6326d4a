package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/client"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// column is one column of a table of Ts.
type column[T any] struct {
	title string
	of    func(s *session, item T) string
}

// show prints items in the format that was asked for: json and yaml as the API has them, name as
// their names, one each line.
func show[T any](s *session, items []T, name func(T) string, columns []column[T]) error {
	switch s.output {
	case "json", "yaml":
		if items == nil {
			items = []T{}
		}
		return s.print(items)
	case "name":
		for _, item := range items {
			fmt.Fprintln(s.Out, name(item))
		}
		return nil
	}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	t := newTable(titles...)
	for _, item := range items {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = c.of(s, item)
		}
		t.row(cells...)
	}
	return t.write(s.Out, s.width)
}

// showOne prints one object; as a table it is its fields, one each line.
func showOne[T any](s *session, item T, name string, columns []column[T]) error {
	switch s.output {
	case "json", "yaml":
		return s.print(item)
	case "name":
		_, err := fmt.Fprintln(s.Out, name)
		return err
	}
	w := tabwriter.NewWriter(s.Out, 0, 8, 2, ' ', 0)
	for _, c := range columns {
		if text := c.of(s, item); text != "" {
			fmt.Fprintf(w, "%s\t%s\n", c.title, visible(text))
		}
	}
	return w.Flush()
}

// print prints a value as JSON or YAML, whichever was asked for.
func (s *session) print(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // texts as they were written
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	if s.output == "yaml" {
		text, err := yamlOf(b.Bytes())
		if err != nil {
			return err
		}
		_, err = s.Out.Write(text)
		return err
	}
	_, err := s.Out.Write(b.Bytes())
	return err
}

// yamlOf returns JSON as YAML, its members in the same order.
func yamlOf(text []byte) ([]byte, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	plain(&node)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// plain takes the braces and quotes of JSON away, where the value stays the same.
func plain(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode && len(n.Content) > 0 {
		n.Style = 0
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		n.Style = 0 // the encoder quotes what would be read as another type
		if strings.Contains(n.Value, "\n") {
			n.Style = yaml.LiteralStyle
		}
	}
	for _, c := range n.Content {
		plain(c)
	}
}

// table is rows of cells below titles, of which the last column is cut where the terminal ends.
type table struct{ rows [][]string }

func newTable(titles ...string) *table { return &table{[][]string{titles}} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// write prints the table, at most width columns wide; 0: as wide as it is.
func (t *table) write(out io.Writer, width int) error {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, row := range t.rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = visible(c)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		line = strings.TrimRight(line, " \n")
		if _, err := fmt.Fprintln(out, fitted(line, width)); err != nil {
			return err
		}
	}
	return nil
}

// fitted returns a line cut to the width, with … at its end; 0: as it is.
func fitted(line string, width int) string {
	if width <= 0 || utf8.RuneCountInString(line) <= width {
		return line
	}
	return string([]rune(line)[:max(width-1, 0)]) + "…"
}

// visible replaces what could control a terminal or break a line, so that what a server says stays
// in its cell.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// time prints a time for people: local, or in UTC with --utc; "-" for none.
func (s *session) time(t time.Time) string {
	switch {
	case t.IsZero():
		return "-"
	case s.utc:
		return t.UTC().Format("2006-01-02 15:04:05Z")
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// when is time of a time that may be missing.
func (s *session) when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return s.time(*t)
}

// seconds prints a duration for people: 1.2s, 3m05s, 2h03m; "-" for none.
func seconds(d *float64) string {
	if d == nil {
		return "-"
	}
	return spell(time.Duration(*d * float64(time.Second)))
}

// spell prints a duration in at most two units.
func spell(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// text returns the text that may be missing; "" for none.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// diagnosticLine prints a finding in the form that compilers use. A file may be "".
func diagnosticLine(file string, d client.Diagnostic) string {
	at := file
	if d.Line > 0 {
		at = fmt.Sprintf("%s%d:%d", strings.TrimPrefix(file+":", ":"), d.Line, max(d.Column, 1))
	} else if d.Pointer != "" && file == "" {
		at = d.Pointer
	}
	if at != "" {
		at += ": "
	}
	return fmt.Sprintf("%s%s: %s [%s]%s", at, d.Severity, visible(d.Message), d.Code, suggested(d))
}

// suggested returns what a finding suggests, unless its message says it already.
func suggested(d client.Diagnostic) string {
	if d.Suggestion == "" || strings.Contains(d.Message, d.Suggestion) {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", d.Suggestion)
}

// take returns the first n items of a list, all of them for 0.
func take[T any](n int, all iter.Seq2[T, error]) ([]T, error) {
	var list []T
	for item, err := range all {
		if err != nil {
			return list, err
		}
		if list = append(list, item); len(list) == n {
			break
		}
	}
	return list, nil
}

// pageSize returns how many to ask for at once where n are wanted.
func pageSize(n int) int {
	if n == 0 {
		return 200
	}
	return min(n, 200)
}
