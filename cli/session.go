package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// options are the flags that all verbs have, and those that lists have.
type options struct {
	context, url string
	output       string
	quiet, utc   bool
	yes          bool
	watch        bool
	limit        int
}

// formats are what -o takes.
var formats = []string{"table", "json", "yaml", "name"}

// add adds the flags to a command.
func (o *options) add(cmd *cobra.Command, v verb) {
	f := cmd.Flags()
	f.StringVar(&o.context, "context", "", "the context to use in place of the current one [HEDDLE_CONTEXT]")
	f.StringVar(&o.url, "url", "", "the server's address in place of the context's [HEDDLE_URL]; its key is HEDDLE_KEY")
	f.StringVarP(&o.output, "output", "o", "table", "table, json, yaml or name")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print ids alone, and nothing about what was done")
	f.BoolVar(&o.utc, "utc", false, "print times in UTC")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	if v.watch {
		f.BoolVarP(&o.watch, "watch", "w", false, "print it again as it changes")
	}
	if v.limit {
		f.IntVar(&o.limit, "limit", 50, "print at most this many; 0: all")
	}
	// The error is that of a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// session is one call of a command: where it speaks to and how it prints.
type session struct {
	*Process
	options
	cmd *cobra.Command
	ctx context.Context //nolint:containedctx // a session is one call, and ends with it
	c   *client.Client
	in  *bufio.Reader
	// terminal: the output is one, width columns wide.
	terminal bool
	width    int
}

// open resolves where the command speaks to and returns its session. Nothing is sent yet.
func (p *Process) open(cmd *cobra.Command, o options) (*session, error) {
	if !slices.Contains(formats, o.output) {
		return nil, usagef("-o is %s, not %q", strings.Join(formats, ", "), o.output)
	}
	if o.limit < 0 {
		return nil, usagef("--limit is 0 or more")
	}
	if o.quiet {
		o.output = "name"
	}
	t, err := p.target(o)
	if err != nil {
		return nil, err
	}
	s := &session{Process: p, options: o, cmd: cmd, ctx: cmd.Context(), in: bufio.NewReader(p.In)}
	s.c = client.New(t.URL, t.Key, client.WithUserAgent("heddle-cli"))
	s.width, s.terminal = terminalWidth(p.Out)
	return s, nil
}

// said prints to standard error what was done, unless --quiet.
func (s *session) said(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.Err, format+"\n", args...)
	}
}

// confirm asks whether to go on, unless --yes. Without a terminal to ask at, and on any answer but
// yes, it is a usage error.
func (s *session) confirm(question string) error {
	if s.yes {
		return nil
	}
	if f, ok := s.In.(*os.File); ok && !isTerminal(f) {
		return usagef("%s Give --yes, as there is no terminal to ask at.", question)
	}
	fmt.Fprintf(s.Err, "%s [y/N] ", question)
	answer, err := s.in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
		return nil
	}
	return usagef("nothing was done")
}

// watching prints what f prints, again whenever that is different: on a terminal in the place of
// what was there, elsewhere below it.
func (s *session) watching(f func() error) error {
	out, last, shown := s.Out, "", false
	defer func() { s.Out = out }()
	return s.Every(s.ctx, 2*time.Second, func() error {
		var b bytes.Buffer
		process := *s.Process
		process.Out = &b
		s.Process = &process
		if err := f(); err != nil {
			return err
		}
		if text := b.String(); !shown || text != last {
			if s.terminal && shown {
				text = "\x1b[H\x1b[2J" + text
			}
			last, shown = b.String(), true
			if _, err := io.WriteString(out, text); err != nil {
				return err
			}
		}
		return nil
	})
}

// read returns the content of a file, or of standard input for "-". A file that cannot be read is a
// usage error.
func (s *session) read(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(s.in)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, UsageError{err}
	}
	return text, nil
}

// colours reports whether the output is a terminal that wants colours (https://no-color.org).
func (s *session) colours() bool {
	return s.terminal && s.variable("NO_COLOR") == "" && s.variable("TERM") != "dumb"
}
